//! Python: pip, uv, Poetry, PDM and Pipenv.

mod beside;
mod content_hash;
mod dependencies;
mod django;
mod framework;
mod lock;
mod manager;
mod metadata;
mod own;
mod packing;
mod ports;
mod queues;
mod reads;
pub(crate) mod requirements;
mod routes;
mod scrapy;
mod server;
mod source;
mod start;
mod system;
mod unread;
mod version;

use std::collections::BTreeSet;
use std::rc::Rc;

use ergon_manifest::{Application, Health};

use self::dependencies::Dependencies;
use self::django::Django;
use self::framework::Framework;
use self::manager::{Install, Wish};
use self::metadata::Metadata;
use self::start::start;
use super::loopback::{self, Listening};
use super::{Ecosystem, Found, Report, Strength, UsualRuntime};
use crate::analysis::Topic;
use crate::environment::Read;
use crate::sources::{Sources, Text};
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "python",
    label: "Python",
    version: "3.11",
    remedy: "echo 3.11 > .python-version",
};

/// Files by which a project of its own shows.
const PROJECT_FILES: [&str; 4] = ["requirements.txt", "pyproject.toml", "setup.py", "Pipfile"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Python",
    languages: &["python", "python3"],
    looks_for: "Python: requirements.txt, pyproject.toml, setup.py, manage.py or a .py file at the root",
    markers: &[
        "requirements.txt",
        "pyproject.toml",
        "setup.py",
        "manage.py",
        "Pipfile",
    ],
    detect,
    droppings: &[
        "**/__pycache__",
        "**/*.py[co]",
        ".venv",
        "venv",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
    ],
    packing: packing::packing,
};

/// What is known of a program while it is looked at.
struct Program<'s, 'a> {
    sources: &'s Sources<'a>,
    metadata: &'s Metadata,
    dependencies: &'s Dependencies,
    /// Its own files, those nearest to its folder first.
    texts: Vec<Text<'a>>,
    /// The first parts of all modules that they import.
    imported: BTreeSet<String>,
    /// The project itself is installed with its dependencies.
    installed: bool,
}

impl Program<'_, '_> {
    fn imports(&self, module: &str) -> bool {
        self.imported.contains(module)
    }

    /// One of its own files.
    fn text(&self, path: &str) -> Option<Rc<str>> {
        let (_, text) = self.texts.iter().find(|(known, _)| *known == path)?;
        Some(Rc::clone(text))
    }
}

/// The file by which Python shows, and what the project says of itself.
fn recognised<'a>(sources: &Sources<'a>) -> Option<(&'a str, Metadata)> {
    let usual = sources.first_of(&[
        "requirements.txt",
        "pyproject.toml",
        "setup.py",
        "manage.py",
        "Pipfile",
        "environment.yml",
        scrapy::SETTINGS,
    ]);
    let files = sources.program_files(&["py"]);
    if files.is_empty() {
        // Other languages keep their tools' settings in such files; these list packages.
        let listing = sources.first_of(&["requirements.txt", "Pipfile", "pyproject.toml"])?;
        let metadata = Metadata::read(sources);
        let lists = listing != "pyproject.toml" || metadata.name().is_some();
        return lists.then_some((listing, metadata));
    }
    let at_root = files.iter().find(|path| !path.contains('/'));
    let marker = usual.or(at_root.copied())?;
    Some((marker, Metadata::read(sources)))
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let (marker, metadata) = recognised(sources)?;
    let mut report = Report::default();
    let mut dependencies = Dependencies::read(sources, &metadata);
    let install = |dependencies: &Dependencies, wish: &Wish<'_>| {
        dependencies
            .manager
            .map_or_else(Install::default, |manager| {
                manager.install(dependencies, &metadata, sources, wish)
            })
    };
    report.certain(Topic::Language, "Python", marker);
    let script_python = dependencies.python.take();
    let texts = own_texts(sources);
    let wish = Wish {
        venv: false,
        missing: None,
    };
    let program = Program {
        sources,
        metadata: &metadata,
        dependencies: &dependencies,
        imported: imported(&texts),
        installed: install(&dependencies, &wish).project,
        texts,
    };
    let django = Django::find(&program);
    let (framework, start) = start(&program, django.as_ref(), &mut report);
    let start = start.filter(|start| !start.run_command.contains(char::is_control));
    report_framework(&program, framework, django.is_some(), &mut report);
    let (mut claims, unknown) = version::claims(sources, &metadata, script_python);
    if claims.is_empty() {
        claims.extend(version::of_packages(&dependencies));
    }
    version::ask(&claims, &mut report);
    let runtime = report.runtime(&USUAL, claims.into_iter().chain(unknown));
    let strength = match &start {
        Some(start) if framework.is_some() || start.kind != "python" => Strength::Framework,
        Some(_) => Strength::Program,
        None => Strength::Sources,
    };
    let entrypoint = start.as_ref().and_then(|start| start.entrypoint.clone());

    let mut application = Application {
        kind: start
            .as_ref()
            .map_or("python", |start| start.kind)
            .to_owned(),
        language: "python".to_owned(),
        dependencies: dependencies.file.clone(),
        package_manager: dependencies
            .manager
            .map(|manager| manager.name().to_owned()),
        ..Application::default()
    };
    let missing = start
        .as_ref()
        .and_then(|start| start.missing)
        .filter(|_| dependencies.file.is_some());
    if let Some(start) = start {
        report
            .likely(Topic::RunCommand, start.said, start.from)
            .note(start.note);
        if let Some(port) = start.port {
            application.ports = vec![report.port(&port)];
            ask_of_loopback(
                &program,
                &start.run_command,
                entrypoint.as_deref(),
                &mut report,
            );
            application.health = match &django {
                Some(django) => report.health(&django.routes(&program)),
                None if start.kind == "streamlit" => Some(own_health(&mut report)),
                None => report.health(&routes::routes(&program.texts, entrypoint.as_deref())),
            };
        }
        application.run_command = Some(start.run_command);
    } else if let Some(file) = library(&program) {
        report
            .likely(Topic::RunCommand, "nothing", file)
            .note("a library; nothing to start");
    }
    application.entrypoint = entrypoint;
    application.env = environment::told(&reads(&program), &mut report);
    application.services = services::of_dependencies(
        services::Packages::Python,
        dependencies.clients(),
        &mut report,
    );
    if let Some(django) = &django
        && let Some(service) = django.service(&program, &application.services, &mut report)
    {
        application.services.push(service.to_owned());
        application.services.sort();
    }
    let (packages, compiles) = system::packages(&dependencies, &mut report);
    application.system_packages = packages;
    let wish = Wish {
        venv: compiles,
        missing,
    };
    let mut install = install(&dependencies, &wish);
    install.commands.extend(packing::browsers(&dependencies));
    let collects = django.as_ref().and_then(|django| django.collects(&program));
    install.commands.extend(collects);
    // A string in TOML may hold what no line of a shell can.
    install
        .commands
        .retain(|command| !command.contains(char::is_control));
    dependencies.report(&install, sources, &metadata, &mut report);
    application.build_commands = install.commands;

    let base_image = format!("python:{}-slim", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: metadata.name().and_then(|name| names::from_package(&name)),
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The program's files without those of other projects in folders of this one.
fn own_texts<'a>(sources: &Sources<'a>) -> Vec<Text<'a>> {
    let others: Vec<&str> = sources
        .files()
        .iter()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(_, name)| PROJECT_FILES.contains(name))
        .map(|(folder, _)| folder)
        .collect();
    let files = sources.program_files(&["py"]).into_iter();
    sources.searched(files.filter(|path| {
        !others.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }))
}

/// The first parts of all modules that are imported.
fn imported(texts: &[Text<'_>]) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for line in texts.iter().flat_map(|(_, text)| text.lines()) {
        let line = line.trim_start();
        let named = line
            .strip_prefix("import ")
            .or_else(|| line.strip_prefix("from "));
        for name in named.into_iter().flat_map(|named| named.split(',')) {
            let name = name.trim_start();
            let end = name
                .find(|character: char| character != '_' && !character.is_alphanumeric())
                .unwrap_or(name.len());
            if end > 0 && !modules.contains(&name[..end]) {
                modules.insert(name[..end].to_owned());
            }
        }
    }
    modules
}

/// Asks who is to reach a program that is started by itself, and listens on 127.0.0.1.
fn ask_of_loopback(
    program: &Program<'_, '_>,
    run_command: &str,
    entrypoint: Option<&str>,
    report: &mut Report,
) {
    const LISTENING: Listening = Listening {
        comments: &["#"],
        calls: &[
            "run(",
            "serve(",
            "run_app(",
            "launch(",
            "HTTPServer(",
            "TCPServer(",
            "make_server(",
            "start_server(",
            "create_server(",
            ".bind(",
        ],
        by_url: false,
    };
    let is_asked = report
        .questions
        .iter()
        .any(|asked| asked.text.starts_with("Who may reach it?"));
    let started = program
        .texts
        .iter()
        .filter(|(path, _)| Some(*path) == entrypoint);
    if !is_asked && run_command.starts_with("python ") {
        let started: Vec<_> = started.cloned().collect();
        loopback::ask(program.sources, &started, &LISTENING, report);
    }
}

/// The file that says how a package is made, where nothing of it is started.
fn library(program: &Program<'_, '_>) -> Option<&'static str> {
    let metadata = program.metadata;
    let is_package = program
        .texts
        .iter()
        .any(|(path, _)| path.ends_with("/__init__.py"));
    if !is_package || !metadata.scripts().is_empty() {
        return None;
    }
    match (metadata.builds(), metadata.has_setup()) {
        (true, _) => Some("pyproject.toml"),
        (_, true) => Some("setup.py"),
        _ => None,
    }
}

fn report_framework(
    program: &Program<'_, '_>,
    framework: Option<&'static Framework>,
    django: bool,
    report: &mut Report,
) {
    let (label, package) = match framework {
        Some(framework) => (framework.label, framework.package),
        None if django || program.dependencies.has("django") => ("Django", "django"),
        None => return,
    };
    let Some(dependency) = program.dependencies.get(package) else {
        // Nothing lists it, but the code uses it.
        let module = framework.map_or("django", |framework| framework.module);
        let place = program.texts.iter().find_map(|(path, text)| {
            let line = text.lines().position(|line| {
                let named = line
                    .trim_start()
                    .strip_prefix("import ")
                    .or_else(|| line.trim_start().strip_prefix("from "));
                named.is_some_and(|named| named.starts_with(module))
            })?;
            Some(format!("{path}:{}", line + 1))
        });
        if program.dependencies.file.is_none() {
            let place = place.as_deref().unwrap_or("the code");
            report.ask(
                format!("Which packages? Nothing lists them, and {place} imports {module}."),
                format!("echo {package} > requirements.txt"),
            );
        }
        report.likely(Topic::Framework, label, place.unwrap_or_default());
        return;
    };
    let value = match dependency.requirement.version() {
        Some(version) => format!("{label} {}", short(version)),
        None => label.to_owned(),
    };
    report.certain(Topic::Framework, value, dependency.from());
}

/// `0.115` of `0.115.6`.
fn short(version: &str) -> String {
    version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

/// Streamlit answers by itself how it is.
fn own_health(report: &mut Report) -> Health {
    let path = "/_stcore/health".to_owned();
    report
        .likely(Topic::Health, format!("GET {path}"), "")
        .note("Streamlit's own");
    Health { path, port: None }
}

/// Every variable that a text reads, as it comes in it.
fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut found = reads::environment(path, text);
    found.extend(reads::settings(path, text, false));
    found
}

/// What the program reads of its environment.
fn reads(program: &Program<'_, '_>) -> Vec<Read> {
    let mut found: Vec<_> = program
        .texts
        .iter()
        .flat_map(|(path, text)| environment(path, text))
        .collect();
    let examples = [
        ".env.example",
        ".env.sample",
        ".env.template",
        "env.example",
    ];
    let example = program.sources.first_of(&examples);
    if let Some(file) = example
        && let Some(text) = program.sources.text(file)
    {
        let mentioned = |name: &str| {
            let quoted = [format!("\"{name}\""), format!("'{name}'")];
            program
                .texts
                .iter()
                .any(|(_, text)| quoted.iter().any(|quoted| text.contains(quoted.as_str())))
        };
        found.extend(reads::examples(file, &text, mentioned));
    }
    found
}
