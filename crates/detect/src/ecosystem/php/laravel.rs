//! Laravel: its database, its key, and what it keeps.

use ergon_manifest::Application;

use super::source::{self, Use};
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::environment::Need;
use crate::plan::APP_ROOT;
use crate::sources::Sources;

/// Where settings stand that are meant to be taken over, and those that are used.
const SETTINGS: [&str; 2] = [".env", ".env.example"];

/// The extensions that the settings want.
pub(super) fn uses(sources: &Sources<'_>) -> Vec<Use> {
    let database = setting(sources, "DB_CONNECTION").or_else(|| {
        let file = "config/database.php";
        let text = sources.text(file)?;
        let reads = source::environment(file, &text).into_iter();
        reads
            .filter(|read| read.name == "DB_CONNECTION")
            .find_map(|read| match read.need {
                Need::Default(default) => Some((default, read.from)),
                _ => None,
            })
    });
    let mut uses = Vec::new();
    let extension = database.as_ref().and_then(|(kind, _)| match kind.as_str() {
        "mysql" | "mariadb" => Some("pdo_mysql"),
        "pgsql" => Some("pdo_pgsql"),
        _ => None,
    });
    if let Some((extension, (_, from))) = extension.zip(database) {
        uses.push(Use {
            extension,
            from,
            why: "its database is reached by it",
        });
    }
    let redis = [
        "CACHE_STORE",
        "CACHE_DRIVER",
        "SESSION_DRIVER",
        "QUEUE_CONNECTION",
    ]
    .iter()
    .find_map(|name| setting(sources, name).filter(|(value, _)| value == "redis"));
    let predis = setting(sources, "REDIS_CLIENT").is_some_and(|(client, _)| client == "predis");
    if let Some((_, from)) = redis.filter(|_| !predis) {
        uses.push(Use {
            extension: "redis",
            from,
            why: "Redis is reached by it",
        });
    }
    uses
}

/// A setting's value and where it stands.
fn setting(sources: &Sources<'_>, name: &str) -> Option<(String, String)> {
    SETTINGS.iter().find_map(|file| {
        let text = sources.text(file)?;
        text.lines().enumerate().find_map(|(index, line)| {
            let value = line.trim().strip_prefix(name)?.strip_prefix('=')?;
            let value = value.trim().trim_matches(['"', '\'']);
            (!value.is_empty()).then(|| (value.to_owned(), format!("{file}:{}", index + 1)))
        })
    })
}

/// What Laravel wants beyond what its code reads.
pub(super) fn complete(sources: &Sources<'_>, application: &mut Application, report: &mut Report) {
    let in_tree = sources.text(".env").is_some_and(|text| {
        text.lines().any(|line| {
            line.strip_prefix("APP_KEY=")
                .is_some_and(|value| !value.trim().is_empty())
        })
    });
    if let Some(key) = application.env.get_mut("APP_KEY")
        && !in_tree
    {
        key.required = true;
        key.default = None;
    }
    if sources.has_folder("database/migrations") {
        report.ask(
            "When is the database brought up to date? the start does not do it.",
            "run `php artisan migrate --force` with every new version, or put it before the run_command in ergon.json",
        );
    }
    if sources.has_folder("storage/app") {
        let folder = sources.folder();
        let separator = if folder.is_empty() { "" } else { "/" };
        let volume = format!("{APP_ROOT}{separator}{folder}/storage/app");
        report
            .likely(Topic::Volume, &volume, "config/filesystems.php")
            .note("files that are uploaded must outlive the container");
        application.volumes.push(volume);
    }
}
