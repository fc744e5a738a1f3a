//! PHP: Composer, or pages that need nothing but PHP.

mod assets;
mod composer;
mod extensions;
mod framework;
mod install;
mod laravel;
mod source;
mod start;
mod web;

use ergon_manifest::Application;

use self::composer::Composer;
use self::source::Use;
use self::start::Start;
use super::{Ecosystem, Found, Packed, Packing, Probe, Report, Strength, Toolchain, UsualRuntime};
use crate::analysis::Topic;
use crate::sources::{Sources, Text};
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "php",
    label: "PHP",
    version: "8.2",
    remedy: "echo 8.2 > .php-version",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "PHP",
    languages: &["php"],
    looks_for: "PHP: composer.json, index.php or another .php file at the root",
    markers: &["composer.json", "index.php", "artisan"],
    detect,
    droppings: &[".phpunit.cache", ".phpunit.result.cache"],
    packing,
};

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let root = web::root(sources);
    let marker = sources
        .first_of(&["composer.json", "index.php", "artisan"])
        .map(str::to_owned)
        .or_else(|| root.map(|root| format!("{root}/index.php")))
        .or_else(|| sources.name_ending(".php").map(str::to_owned))?;
    let composer = Composer::read(sources);
    let mut report = Report::default();
    report.certain(Topic::Language, "PHP", &marker);
    let framework = framework::of(sources, composer.as_ref(), &mut report);
    let runtime = report.runtime(&USUAL, composer::claims(sources, composer.as_ref()));
    let texts = own_texts(sources);
    let mut application = Application {
        kind: framework
            .map_or("php", |framework| framework.kind)
            .to_owned(),
        language: "php".to_owned(),
        ..Application::default()
    };

    let laravel = application.kind == "laravel";
    // A whole framework says by its configuration what it uses.
    let plain = framework.is_none_or(|framework| framework.kind == "slim");
    let mut uses = if plain {
        source::uses(&texts)
    } else {
        Vec::new()
    };
    uses.extend(configured_uses(sources, &application.kind));
    let wanted = extensions::wanted(composer.as_ref(), &uses);
    let built = extensions::command(&wanted, &mut report);
    application.build_commands.extend(built);
    let start = start::start(sources, root, framework.is_some(), &texts);
    let served = matches!(start, Some(Start::Pages(_)));
    if let Some(Start::Pages(root)) = start {
        let front = framework.is_some();
        let command = web::configure(sources.folder(), root, front);
        report
            .likely(Topic::BuildCommand, &command, &marker)
            .note("Apache listens on PORT and serves this folder");
        application.build_commands.push(command);
    }
    if let Some(composer) = &composer {
        install::install(
            composer,
            &runtime.version,
            &mut report,
            &mut application.build_commands,
        );
        application.dependencies = Some("composer.json".to_owned());
        application.package_manager = Some("composer".to_owned());
        install::pinned(composer, &mut report);
    }
    assets::build(sources, composer.is_some(), &mut application, &mut report);
    if let Some(composer) = &composer {
        let assets = sources.has("importmap.php");
        install::finish(
            composer,
            &application.kind,
            assets,
            &mut report,
            &mut application.build_commands,
        );
    }

    let mut reads: Vec<_> = texts
        .iter()
        .filter(|(path, _)| !path.starts_with("database/"))
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    if application.kind == "symfony" {
        let settings = sources.program_texts(&["yaml"]);
        let settings = settings
            .iter()
            .filter(|(path, _)| path.starts_with("config/"));
        reads.extend(settings.flat_map(|(path, text)| source::symfony_environment(path, text)));
    }
    application.env = environment::variables(&reads);
    if laravel {
        laravel::complete(sources, &mut application, &mut report);
    }
    environment::report(&application.env, &mut report);
    let mut strength = Strength::Sources;
    if let Some(start) = start {
        strength = start.strength(composer.is_some());
        start::started(start, sources, &texts, &mut application, &mut report);
    }
    let packages = composer.iter().flat_map(Composer::required);
    let extensions = wanted
        .iter()
        .map(|one| (one.name.as_str(), one.from.clone()));
    application.services = services::of_dependencies(
        services::Packages::Php,
        packages.chain(extensions),
        &mut report,
    );

    let variant = if served { "apache" } else { "cli" };
    let base_image = format!("php:{}-{variant}", runtime.version);
    application.runtime = Some(runtime);
    let name = composer
        .as_ref()
        .and_then(|composer| composer.document.text(&["name"]))
        .and_then(|name| name.rsplit('/').next())
        .and_then(names::from_package);
    Some(Found {
        strength,
        name,
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The program's own code, without that of a system it is put into.
fn own_texts<'t>(sources: &Sources<'t>) -> Vec<Text<'t>> {
    const SYSTEMS: [&str; 5] = [
        "wp-admin/",
        "wp-includes/",
        "wp-content/plugins/",
        "core/",
        "web/core/",
    ];
    let files = sources.program_files(&["php"]).into_iter();
    let is_own = |path: &&str| !SYSTEMS.iter().any(|folder| path.starts_with(folder));
    sources.searched(files.filter(is_own))
}

/// What configuration names that no code does: a framework's database.
fn configured_uses(sources: &Sources<'_>, kind: &str) -> Vec<Use> {
    match kind {
        "laravel" | "lumen" => laravel::uses(sources),
        "symfony" => symfony_uses(sources),
        "wordpress" => vec![Use {
            extension: "mysqli",
            from: sources
                .first_of(&["wp-config.php", "wp-includes/version.php"])
                .unwrap_or("composer.json")
                .to_owned(),
            why: "WordPress keeps its posts in MySQL",
        }],
        _ => Vec::new(),
    }
}

/// The scheme of `DATABASE_URL` in `.env`.
fn symfony_uses(sources: &Sources<'_>) -> Vec<Use> {
    let Some(text) = sources.text(".env") else {
        return Vec::new();
    };
    let schemes = [
        ("postgres", "pdo_pgsql"),
        ("mysql", "pdo_mysql"),
        ("mariadb", "pdo_mysql"),
    ];
    let found = text.lines().enumerate().find_map(|(index, line)| {
        let value = line.trim().strip_prefix("DATABASE_URL=")?.trim_matches('"');
        let (_, extension) = schemes
            .iter()
            .find(|(scheme, _)| value.starts_with(scheme))?;
        Some(Use {
            extension,
            from: format!(".env:{}", index + 1),
            why: "its database is reached by it",
        })
    });
    found.into_iter().collect()
}

fn packing(program: &Packed<'_>) -> Packing {
    let env = match program.application.kind.as_str() {
        "laravel" | "lumen" => vec![("LOG_CHANNEL", "stderr".to_owned())],
        "symfony" => vec![
            ("APP_DEBUG", "0".to_owned()),
            ("APP_ENV", "prod".to_owned()),
        ],
        _ => Vec::new(),
    };
    let mut build_env = env.clone();
    build_env.push(("COMPOSER_ALLOW_SUPERUSER", "1".to_owned()));
    let composer = program.application.package_manager.as_deref() == Some("composer");
    let image = if composer {
        "composer:2"
    } else {
        "node:lts-alpine"
    };
    let toolchain = Toolchain {
        image: image.to_owned(),
        env: build_env,
        source_only: &["node_modules"],
    };
    Packing {
        toolchain: (!program.starts_from("composer")).then_some(toolchain),
        sets_up_image: Some(web::sets_up_image),
        brings_tool: None,
        only_builds: &[],
        env,
        probe: Some(probe),
        ..Packing::default()
    }
}

/// Asks with what every PHP has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    let path = probe.path.replace('\\', "\\\\").replace('\'', "\\'");
    let port = if probe.port_variable {
        format!("(getenv('PORT') ?: '{}')", probe.port)
    } else {
        format!("'{}'", probe.port)
    };
    let script = format!(
        "exit(@file_get_contents('http://127.0.0.1:' . {port} . '{path}', false, stream_context_create(['http' => \
         ['header' => 'Host: localhost', 'follow_location' => 0, 'timeout' => 3]])) === false ? 1 : 0);"
    );
    vec!["php".to_owned(), "-r".to_owned(), script]
}
