//! Python: pip, from `requirements.txt` or `pyproject.toml`.

mod dependencies;
pub(crate) mod requirements;
mod source;

use ergon_manifest::{Application, Health, Runtime};

use self::dependencies::Dependencies;
use self::source::AppObject;
use super::{Ecosystem, Found, Packing, Probe, Report, Strength};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::sources::Sources;
use crate::versions::{self, Part};
use crate::{environment, names, scan, services};

/// What bases offer where nothing is said: Debian's.
const PYTHON: &str = "3.11";
const MINOR_VERSIONS: [u32; 8] = [7, 8, 9, 10, 11, 12, 13, 14];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Python",
    languages: &["python", "python3"],
    looks_for: "Python: requirements.txt, pyproject.toml, setup.py, manage.py or a .py file at the root",
    detect,
    packing: Packing {
        toolchain: None,
        env: &[("PYTHONUNBUFFERED", "1")],
        droppings: &[
            "**/__pycache__",
            "**/*.py[co]",
            ".venv",
            "venv",
            ".pytest_cache",
            ".mypy_cache",
            ".ruff_cache",
        ],
        probe: Some(probe),
    },
};

/// A web framework, and what starts its programs.
struct Framework {
    /// The package that brings it.
    package: &'static str,
    /// As `type` in the manifest.
    kind: &'static str,
    label: &'static str,
    /// What makes the object that a server serves.
    constructor: &'static str,
    interface: Interface,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interface {
    Asgi,
    Wsgi,
}

/// The more particular first: FastAPI brings Starlette.
const FRAMEWORKS: [Framework; 6] = [
    Framework {
        package: "fastapi",
        kind: "fastapi",
        label: "FastAPI",
        constructor: "FastAPI",
        interface: Interface::Asgi,
    },
    Framework {
        package: "litestar",
        kind: "litestar",
        label: "Litestar",
        constructor: "Litestar",
        interface: Interface::Asgi,
    },
    Framework {
        package: "quart",
        kind: "quart",
        label: "Quart",
        constructor: "Quart",
        interface: Interface::Asgi,
    },
    Framework {
        package: "starlette",
        kind: "starlette",
        label: "Starlette",
        constructor: "Starlette",
        interface: Interface::Asgi,
    },
    Framework {
        package: "flask",
        kind: "flask",
        label: "Flask",
        constructor: "Flask",
        interface: Interface::Wsgi,
    },
    Framework {
        package: "bottle",
        kind: "bottle",
        label: "Bottle",
        constructor: "Bottle",
        interface: Interface::Wsgi,
    },
];

/// How a program is started.
struct Start {
    kind: &'static str,
    entrypoint: Option<String>,
    run_command: String,
    /// As a person would say it: `uvicorn main:app`.
    said: String,
    from: String,
    note: String,
    /// The port, where it was read, and why it is this one.
    port: Option<(u16, String, String)>,
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let marker = sources.first_of(&[
        "requirements.txt",
        "pyproject.toml",
        "setup.py",
        "manage.py",
        "Pipfile",
    ]);
    let files = sources.program_files(&["py"]);
    let at_root = files.iter().find(|path| !path.contains('/'));
    let marker = marker.or(at_root.copied()).filter(|_| !files.is_empty())?;

    let mut report = Report::default();
    let dependencies = Dependencies::read(sources);
    report.certain(Topic::Language, "Python", marker);
    let framework = framework(sources, &dependencies, &mut report);
    let runtime = runtime(sources, &mut report);
    let (strength, start) = match start(sources, &dependencies, framework, &mut report) {
        Some(start) if framework.is_some() || start.kind == "django" => {
            (Strength::Framework, Some(start))
        }
        Some(start) => (Strength::Program, Some(start)),
        None => (Strength::Sources, None),
    };
    let texts = sources.program_texts(&["py"]);
    let object = start.as_ref().and_then(|start| start.entrypoint.as_deref());
    let routes: Vec<_> = texts
        .iter()
        .filter(|(path, _)| Some(*path) == object)
        .flat_map(|(path, text)| source::routes(path, text))
        .collect();

    let mut application = Application {
        kind: start
            .as_ref()
            .map_or("python", |start| start.kind)
            .to_owned(),
        language: "python".to_owned(),
        entrypoint: object.map(str::to_owned),
        dependencies: dependencies.file.clone(),
        build_commands: dependencies.install_command().into_iter().collect(),
        package_manager: dependencies.file.is_some().then(|| "pip".to_owned()),
        ..Application::default()
    };
    if let Some(start) = start {
        report
            .likely(Topic::RunCommand, start.said, start.from)
            .note(start.note);
        if let Some((port, from, why)) = start.port {
            let value = port.to_string();
            let fact = if from.is_empty() {
                report.assumed(Topic::Port, value)
            } else {
                report.certain(Topic::Port, value, from)
            };
            fact.note(why);
            application.ports = vec![port];
            if let Some(route) = scan::health_route(&routes) {
                report.likely(Topic::Health, format!("GET {}", route.path), &route.from);
                application.health = Some(Health {
                    path: route.path.clone(),
                    port: None,
                });
            }
        }
        application.run_command = Some(start.run_command);
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    application.env = environment::variables(&reads);
    environment::report(&application.env, &mut report);
    application.services = services::of_dependencies(
        services::Packages::Python,
        dependencies.places(),
        &mut report,
    );
    application.system_packages = dependencies.system_packages(&mut report);
    dependencies.report(&mut report);

    let base_image = format!("python:{}-slim", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: name(sources),
        application,
        base_image,
        report,
    })
}

/// The package's own name.
fn name(sources: &Sources<'_>) -> Option<String> {
    let project = sources.document("pyproject.toml")?;
    let name = project
        .text(&["project", "name"])
        .or_else(|| project.text(&["tool", "poetry", "name"]))?;
    names::from_package(name)
}

fn framework(
    sources: &Sources<'_>,
    dependencies: &Dependencies,
    report: &mut Report,
) -> Option<&'static Framework> {
    let listed = FRAMEWORKS
        .iter()
        .find_map(|framework| Some((framework, dependencies.get(framework.package)?)));
    if let Some((framework, dependency)) = listed {
        let value = match dependency.requirement.version() {
            Some(version) => format!("{} {}", framework.label, short(version)),
            None => framework.label.to_owned(),
        };
        report.certain(Topic::Framework, value, dependency.from());
        return Some(framework);
    }
    if let Some(django) = dependencies.get("django") {
        let version = django
            .requirement
            .version()
            .map(|version| format!(" {}", short(version)));
        report.certain(
            Topic::Framework,
            format!("Django{}", version.unwrap_or_default()),
            django.from(),
        );
        return None;
    }
    // Nothing lists it, but the code may still use it.
    let (framework, object) = FRAMEWORKS.iter().find_map(|framework| {
        Some((
            framework,
            source::app_object(sources, framework.package, framework.constructor)?,
        ))
    })?;
    report.likely(Topic::Framework, framework.label, object.from());
    Some(framework)
}

/// `0.115` of `0.115.6`.
fn short(version: &str) -> String {
    version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

fn runtime(sources: &Sources<'_>, report: &mut Report) -> Runtime {
    let decided = version_file(sources).or_else(|| version_range(sources));
    let (version, from, note) = decided.unwrap_or_else(|| {
        report.ask(
            format!("Python version? nothing says; {PYTHON} assumed."),
            format!("echo {PYTHON} > .python-version"),
        );
        (
            PYTHON.to_owned(),
            String::new(),
            Some("nothing in the project says".to_owned()),
        )
    });
    let value = format!("Python {version}");
    let fact = match (&note, from.is_empty()) {
        (_, true) => report.assumed(Topic::Runtime, value),
        (Some(_), _) => report.likely(Topic::Runtime, value, &from),
        (None, _) => report.certain(Topic::Runtime, value, &from),
    };
    fact.note = note;
    let from = if from.is_empty() {
        "assumed".to_owned()
    } else {
        from
    };
    Runtime {
        name: "python".to_owned(),
        version,
        from: Some(from),
    }
}

/// A file whose only purpose is to say the version: it, where, and nothing to explain.
fn version_file(sources: &Sources<'_>) -> Option<(String, String, Option<String>)> {
    ["python-version", "runtime.txt"].iter().find_map(|name| {
        let file = if *name == "python-version" {
            ".python-version"
        } else {
            name
        };
        let text = sources.text(file)?;
        text.lines().enumerate().find_map(|(index, line)| {
            let version = line
                .trim()
                .trim_start_matches("python-")
                .trim_start_matches("cpython-");
            let numbers: Vec<_> = version.split('.').collect();
            let fits = numbers.len() > 1
                && numbers.len() < 4
                && numbers
                    .iter()
                    .all(|number| number.len() < 4 && number.parse::<u16>().is_ok());
            fits.then(|| (version.to_owned(), format!("{file}:{}", index + 1), None))
        })
    })
}

fn version_range(sources: &Sources<'_>) -> Option<(String, String, Option<String>)> {
    let project = sources.document("pyproject.toml")?;
    let places: [&[&str]; 2] = [
        &["project", "requires-python"],
        &["tool", "poetry", "dependencies", "python"],
    ];
    places.iter().find_map(|keys| {
        let range = project.text(keys)?;
        let minor = versions::choose(range, &MINOR_VERSIONS, 11, Part::MinorOf(3))?;
        let only = MINOR_VERSIONS
            .iter()
            .filter(|one| versions::choose(range, &[**one], **one, Part::MinorOf(3)).is_some())
            .count()
            == 1;
        let note = (!only).then(|| format!("{range} leaves it open"));
        Some((format!("3.{minor}"), project.from(keys), note))
    })
}

fn start(
    sources: &Sources<'_>,
    dependencies: &Dependencies,
    framework: Option<&'static Framework>,
    report: &mut Report,
) -> Option<Start> {
    if let Some(framework) = framework {
        let object = source::app_object(sources, framework.package, framework.constructor);
        if let Some(object) = object {
            return Some(served(sources, dependencies, framework, &object, report));
        }
    }
    if sources.has("manage.py") {
        return Some(django(sources, dependencies));
    }
    script(sources)
}

/// A program that a server serves.
fn served(
    sources: &Sources<'_>,
    dependencies: &Dependencies,
    framework: &Framework,
    object: &AppObject,
    report: &mut Report,
) -> Start {
    let has = |package: &str| dependencies.get(package).is_some();
    let text = sources.text(&object.file).unwrap_or_default();
    let said_port = source::port(&object.file, &text);
    let target = object.target();
    let folder = object.folder.as_ref();
    let (server, default, said, arguments) = match framework.interface {
        Interface::Asgi if has("hypercorn") && !has("uvicorn") => (
            "hypercorn",
            8000,
            format!("hypercorn {target}"),
            "--bind 0.0.0.0:{port}",
        ),
        Interface::Asgi => {
            let bundled = ["fastapi", "litestar"].iter().any(|package| {
                dependencies.get(package).is_some_and(|found| {
                    found
                        .requirement
                        .extras
                        .iter()
                        .any(|extra| extra == "standard")
                })
            });
            if !has("uvicorn") && !bundled {
                report.ask(
                    format!("Which server serves {target}? no dependency is one; uvicorn assumed, and it will be missing."),
                    format!("echo uvicorn >> {}", dependencies.file.as_deref().unwrap_or("requirements.txt")),
                );
            }
            let folder = folder
                .map(|folder| format!("--app-dir {folder} "))
                .unwrap_or_default();
            let factory = if object.factory { " --factory" } else { "" };
            (
                "uvicorn",
                8000,
                format!("uvicorn {folder}{target}{factory}"),
                "--host 0.0.0.0 --port {port}",
            )
        }
        Interface::Wsgi => {
            let folder = folder
                .map(|folder| format!("--chdir {folder} "))
                .unwrap_or_default();
            let target = if object.factory {
                format!("'{target}()'")
            } else {
                target.clone()
            };
            if has("gunicorn") {
                (
                    "gunicorn",
                    8000,
                    format!("gunicorn {folder}{target}"),
                    "--bind 0.0.0.0:{port}",
                )
            } else if has("waitress") {
                let call = if object.factory { "--call " } else { "" };
                let target = object.target();
                (
                    "waitress",
                    8080,
                    format!("waitress-serve {call}{target}"),
                    "--host 0.0.0.0 --port {port}",
                )
            } else if framework.kind == "flask" {
                (
                    "flask",
                    5000,
                    format!("flask --app {} run", object.flask_target()),
                    "--host 0.0.0.0 --port {port}",
                )
            } else {
                return Start {
                    kind: framework.kind,
                    ..plain(&object.file, &text)
                };
            }
        }
    };
    let port = match said_port {
        Some((port, from)) => (port, from, "the code says so".to_owned()),
        None => (
            default,
            String::new(),
            format!("{server}'s default; nothing in the project says otherwise"),
        ),
    };
    let arguments = arguments.replace("{port}", &format!("${{PORT:-{}}}", port.0));
    // waitress-serve wants its options before what it serves.
    let run_command = match said.rsplit_once(' ') {
        Some((program, target)) if server == "waitress" => {
            format!("{program} {arguments} {target}")
        }
        _ => format!("{said} {arguments}"),
    };
    let defines = if object.factory {
        "makes the application in"
    } else {
        "defines"
    };
    Start {
        kind: framework.kind,
        entrypoint: Some(object.file.clone()),
        run_command,
        said,
        from: object.from(),
        note: format!("{} {defines} `{}`", object.from(), object.name),
        port: Some(port),
    }
}

fn django(sources: &Sources<'_>, dependencies: &Dependencies) -> Start {
    let has = |package: &str| dependencies.get(package).is_some();
    let files = sources.program_files(&["py"]);
    let module = |name: &str| {
        let suffix = format!("/{name}.py");
        files
            .iter()
            .filter_map(|path| Some(path.strip_suffix(&suffix)?.replace('/', ".")))
            .find(|module| module.split('.').all(source::is_identifier))
    };
    let (server, said) = match (module("wsgi"), module("asgi")) {
        (Some(project), _) if has("gunicorn") => {
            ("gunicorn", format!("gunicorn {project}.wsgi:application"))
        }
        (_, Some(project)) if has("uvicorn") => {
            ("uvicorn", format!("uvicorn {project}.asgi:application"))
        }
        _ => ("runserver", "python manage.py runserver".to_owned()),
    };
    let arguments = match server {
        "gunicorn" => "--bind 0.0.0.0:${PORT:-8000}",
        "uvicorn" => "--host 0.0.0.0 --port ${PORT:-8000}",
        _ => "0.0.0.0:${PORT:-8000}",
    };
    Start {
        kind: "django",
        entrypoint: Some("manage.py".to_owned()),
        run_command: format!("{said} {arguments}"),
        said,
        from: "manage.py".to_owned(),
        note: "manage.py is Django's".to_owned(),
        port: Some((
            8000,
            String::new(),
            format!("{server}'s default; nothing in the project says otherwise"),
        )),
    }
}

/// A file that is run as it is.
fn script(sources: &Sources<'_>) -> Option<Start> {
    let known = [
        "main.py",
        "app.py",
        "run.py",
        "server.py",
        "bot.py",
        "__main__.py",
        "src/main.py",
        "index.py",
    ];
    let at_root = || {
        let files = sources.program_files(&["py"]);
        let scripts: Vec<_> = files
            .into_iter()
            .filter(|path| !path.contains('/') && *path != "setup.py" && *path != "__init__.py")
            .collect();
        if let [only] = scripts.as_slice() {
            Some(*only)
        } else {
            None
        }
    };
    let file = sources.first_of(&known).or_else(at_root)?;
    Some(plain(file, &sources.text(file)?))
}

fn plain(file: &str, text: &str) -> Start {
    let command = format!("python {}", shell_quoted(file));
    Start {
        kind: "python",
        entrypoint: Some(file.to_owned()),
        run_command: command.clone(),
        said: command,
        from: file.to_owned(),
        note: format!("{file} is the program"),
        port: source::port(file, text)
            .map(|(port, from)| (port, from, "the code says so".to_owned())),
    }
}

/// Asks with what every Python has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    // A JSON string is a Python string.
    let path = serde_json::Value::from(probe.path);
    let port = if probe.port_variable {
        format!("os.environ.get('PORT') or '{}'", probe.port)
    } else {
        format!("'{}'", probe.port)
    };
    let script = format!(
        "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + ({port}) + {path}, timeout=3)"
    );
    vec!["python".to_owned(), "-c".to_owned(), script]
}
