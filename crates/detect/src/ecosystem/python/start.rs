//! How a Python program is started: by a server that serves an object, or as a script.

use super::dependencies::Dependencies;
use super::source::{self, AppObject};
use crate::ecosystem::{Port, Report};
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// A web framework, and what starts its programs.
pub(super) struct Framework {
    /// The package that brings it.
    pub package: &'static str,
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    /// What makes the object that a server serves.
    pub constructor: &'static str,
    interface: Interface,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    Asgi,
    Wsgi,
}

/// The more particular first: FastAPI brings Starlette.
pub(super) const FRAMEWORKS: [Framework; 6] = [
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
pub(super) struct Start {
    pub kind: &'static str,
    pub entrypoint: Option<String>,
    pub run_command: String,
    /// As a person would say it: `uvicorn main:app`.
    pub said: String,
    pub from: String,
    pub note: String,
    pub port: Option<Port>,
}

/// Finds how the program is started.
pub(super) fn start(
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
    let port = said_port.unwrap_or_else(|| Port::usual(default, &format!("{server}'s default")));
    let arguments = arguments.replace("{port}", &format!("${{PORT:-{}}}", port.number));
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
        port: Some(Port::usual(8000, &format!("{server}'s default"))),
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
        port: source::port(file, text),
    }
}
