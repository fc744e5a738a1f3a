//! Rails: its database, its assets, its secrets, and what it keeps.

use ergon_manifest::Application;

use super::Project;
use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::environment::{Need, Read};
use crate::plan::APP_ROOT;
use crate::versions;

/// Gems that reach a database whose tables Rails keeps.
const ADAPTERS: [&str; 7] = [
    "pg",
    "mysql2",
    "trilogy",
    "sqlite3",
    "activerecord-sqlserver-adapter",
    "activerecord-oracle_enhanced-adapter",
    "activerecord-postgis-adapter",
];
const ASSETS: [&str; 4] = ["sprockets-rails", "propshaft", "sprockets", "sassc-rails"];

impl Project<'_, '_> {
    /// Where it is said that this is a Rails program.
    pub(super) fn rails(&self) -> Option<String> {
        let built = [
            "config/application.rb",
            "config/environment.rb",
            "bin/rails",
        ];
        // A library for Rails has some of these as well.
        let known = if self.sources.name_ending(".gemspec").is_some() {
            &built[..1]
        } else {
            &built[..]
        };
        let built = self.sources.first_of(known)?;
        let listed = self.gem("rails").or_else(|| self.gem("railties"));
        let whole = || {
            let text = self.sources.text("config/application.rb")?;
            text.contains("Rails::Application")
                .then(|| built.to_owned())
        };
        listed.or_else(whole)
    }

    /// The gem that reaches the database, and where it is listed.
    pub(super) fn database(&self) -> Option<(&'static str, String)> {
        let kept = self.sources.has("config/database.yml") || self.sources.has_folder("db");
        let found = ADAPTERS
            .iter()
            .find_map(|gem| Some((*gem, self.production(gem)?)));
        found.filter(|_| kept)
    }
}

/// What Rails does beyond what a start says.
pub(super) fn complete(
    project: &Project<'_, '_>,
    application: &mut Application,
    reads: &mut Vec<Read>,
    report: &mut Report,
) {
    for command in builds(project) {
        let (command, from, note) = command;
        report
            .likely(Topic::BuildCommand, &command, from)
            .note(note);
        application.build_commands.push(command);
    }
    settings(project, reads);
    secrets(project, reads, report);
    volumes(project, application, report);
}

/// What is made before the program runs: its command, where that follows from, and why.
fn builds(project: &Project<'_, '_>) -> Vec<(String, String, &'static str)> {
    let sources = project.sources;
    let mut commands = Vec::new();
    let recent = project
        .lock
        .as_ref()
        .and_then(|lock| lock.version("bootsnap"))
        .is_none_or(|version| versions::allows(">=1.9", version));
    if let Some(from) = project.production("bootsnap").filter(|_| recent) {
        let command = "bundle exec bootsnap precompile --gemfile app/ lib/".to_owned();
        commands.push((command, from, "makes it start sooner"));
    }
    let pipeline = ASSETS.iter().find_map(|gem| project.production(gem));
    let locked = || {
        let lock = project.lock.as_ref()?;
        let has = ASSETS.iter().any(|gem| lock.version(gem).is_some());
        has.then(|| lock.file.to_owned())
    };
    let bundled = || {
        let gems = ["webpacker", "shakapacker", "vite_rails", "jsbundling-rails"];
        gems.iter().find_map(|gem| project.production(gem))
    };
    let assets = ["app/assets", "app/javascript", "app/frontend"];
    let there = assets.iter().any(|folder| sources.has_folder(folder));
    if let Some(from) = pipeline.or_else(locked).or_else(bundled).filter(|_| there) {
        // A stand-in: what is signed with it is never used. Before 7.1 Rails made none itself.
        let old = project
            .version("rails")
            .is_some_and(|version| versions::allows("<7.1", &version));
        let stand_in = if old {
            "SECRET_KEY_BASE=unused"
        } else {
            "SECRET_KEY_BASE_DUMMY=1"
        };
        let command = format!("{stand_in} bundle exec rails assets:precompile");
        commands.push((command, from, "the assets are made once, in the build"));
    }
    commands
}

/// What its YAML files read, and Rails by itself.
fn settings(project: &Project<'_, '_>, reads: &mut Vec<Read>) {
    let sources = project.sources;
    for file in [
        "config/database.yml",
        "config/cable.yml",
        "config/storage.yml",
        "config/secrets.yml",
    ] {
        if let Some(text) = sources.text(file) {
            reads.extend(super::source::environment(file, &text));
        }
    }
    let served = project.database().filter(|(gem, _)| *gem != "sqlite3");
    if served.is_some() && sources.has("config/database.yml") {
        reads.push(Read {
            name: "DATABASE_URL".to_owned(),
            need: Need::Optional,
            from: "config/database.yml".to_owned(),
        });
    }
}

fn secrets(project: &Project<'_, '_>, reads: &mut Vec<Read>, report: &mut Report) {
    let encrypted = [
        "config/credentials.yml.enc",
        "config/credentials/production.yml.enc",
    ];
    let secret = |name: &str, need, from: &str| Read {
        name: name.to_owned(),
        need,
        from: from.to_owned(),
    };
    if let Some(file) = project.sources.first_of(&encrypted) {
        reads.push(secret("RAILS_MASTER_KEY", Need::Optional, file));
        reads.push(secret("SECRET_KEY_BASE", Need::Optional, file));
        report.ask(
            format!("Which secret? Rails wants the key of {file}, or else SECRET_KEY_BASE."),
            "set RAILS_MASTER_KEY to what config/master.key holds, or SECRET_KEY_BASE to `bin/rails secret`",
        );
    } else {
        let from = "config/application.rb";
        reads.push(secret("SECRET_KEY_BASE", Need::Required, from));
    }
}

/// What must outlive the container: files that were uploaded, and SQLite's in the same folder.
fn volumes(project: &Project<'_, '_>, application: &mut Application, report: &mut Report) {
    let sources = project.sources;
    let says = |file: &str, what: &str| {
        let text = sources.text(file)?;
        let line = text
            .lines()
            .position(|line| line.contains(what) && !line.trim_start().starts_with('#'))?;
        Some(format!("{file}:{}", line + 1))
    };
    let database = says("config/database.yml", "storage/production.sqlite3");
    let uploads = || {
        says(
            "config/environments/production.rb",
            "active_storage.service = :local",
        )
    };
    if !sources.has_folder("storage") {
        return;
    }
    if let Some(from) = database.or_else(uploads) {
        let folder = sources.folder();
        let separator = if folder.is_empty() { "" } else { "/" };
        let volume = format!("{APP_ROOT}{separator}{folder}/storage");
        report
            .likely(Topic::Volume, &volume, from)
            .note("what the program keeps there must outlive it");
        application.volumes.push(volume);
    }
}

/// `blog_engine` of `BlogEngine`.
pub(super) fn underscored(module: &str) -> String {
    let mut name = String::new();
    let mut before = None;
    for character in module.chars() {
        if character.is_uppercase() && before.is_some_and(char::is_lowercase) {
            name.push('_');
        }
        name.extend(character.to_lowercase());
        before = Some(character);
    }
    name
}
