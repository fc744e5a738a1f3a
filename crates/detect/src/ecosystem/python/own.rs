//! Frameworks whose programs are started in a way of their own, and servers' objects that no framework makes.

use super::Program;
use super::framework::{Framework, Serving};
use super::server::served;
use super::source;
use super::start::{Start, object, script, with_port};
use crate::ecosystem::{Port, Report};
use crate::scan::{self, Scan};

/// Objects that keep to a standard, and that no framework makes.
static BY_STANDARD: [Framework; 2] = [
    Framework {
        package: "",
        module: "environ",
        kind: "python",
        label: "WSGI",
        marks: &["start_response"],
        serving: Serving::Wsgi,
    },
    Framework {
        package: "",
        module: "receive",
        kind: "python",
        label: "ASGI",
        marks: &["send"],
        serving: Serving::Asgi,
    },
];

/// Servers that call such objects.
const SERVERS: [&str; 7] = [
    "gunicorn",
    "uwsgi",
    "waitress",
    "uvicorn",
    "hypercorn",
    "granian",
    "daphne",
];

/// How a program of one of these frameworks is started.
pub(super) fn start(
    program: &Program<'_, '_>,
    framework: &'static Framework,
    report: &mut Report,
) -> Option<Start> {
    match framework.kind {
        "pyramid" => pyramid(program, framework, report),
        "reflex" => reflex(program, framework),
        "dagster" => dagster(program, framework),
        "functions-framework" => function(program, framework),
        _ => None,
    }
}

/// Its own command finds what there is by what the project says in `pyproject.toml`.
fn dagster(program: &Program<'_, '_>, framework: &'static Framework) -> Option<Start> {
    let told = ["dagster", "dg"]
        .iter()
        .any(|tool| program.metadata.has_tool(tool));
    let workspace = program.sources.has("workspace.yaml");
    if !told && !workspace {
        return None;
    }
    let usual = 3000;
    let page = "dagster-webserver";
    let said = "dagster dev -h 0.0.0.0".to_owned();
    let start = Start {
        kind: framework.kind,
        entrypoint: None,
        run_command: format!("{said} -p ${{PORT:-{usual}}}"),
        said,
        from: if told {
            "pyproject.toml"
        } else {
            "workspace.yaml"
        }
        .to_owned(),
        note: "Dagster shows its jobs and runs them".to_owned(),
        port: None,
        missing: (!program.dependencies.has(page)).then_some(page),
    };
    Some(with_port(start, framework, usual))
}

/// `pserve production.ini`, an object, or a script that makes the server itself.
fn pyramid(
    program: &Program<'_, '_>,
    framework: &'static Framework,
    report: &mut Report,
) -> Option<Start> {
    let usual = 6543;
    let settings = ["production.ini", "development.ini"];
    let settings = program.sources.first_of(&settings);
    if let Some(file) = settings
        && let Some(text) = program.sources.text(file)
        && text.contains("[app:main]")
    {
        let port = text.lines().enumerate().find_map(|(index, line)| {
            let (key, value) = line.split_once('=')?;
            let value = value.trim();
            let number = match key.trim() {
                "port" => value,
                "listen" => value.split(' ').next()?.rsplit(':').next()?,
                _ => return None,
            };
            Some(Port::written(
                scan::port(number)?,
                format!("{file}:{}", index + 1),
            ))
        });
        return Some(command(
            framework,
            format!("pserve {file}"),
            file,
            port.unwrap_or_else(|| Port::usual(usual, "Pyramid's default")),
        ));
    }
    if let Some(object) = object(program, framework) {
        return Some(served(program, framework, &object, report));
    }
    let start = script(program)?;
    Some(with_port(start, framework, usual))
}

fn reflex(program: &Program<'_, '_>, framework: &'static Framework) -> Option<Start> {
    let file = "rxconfig.py";
    let text = program.text(file)?;
    let port = text.lines().enumerate().find_map(|(index, line)| {
        let (_, rest) = line.split_once("frontend_port=")?;
        let end = rest.find(|digit: char| !digit.is_ascii_digit());
        let number = scan::port(&rest[..end.unwrap_or(rest.len())])?;
        Some(Port::written(number, format!("{file}:{}", index + 1)))
    });
    let port = port.unwrap_or_else(|| Port::usual(3000, "Reflex's default"));
    let line = "reflex run --env prod".to_owned();
    Some(command(framework, line, file, port))
}

/// A function that answers requests, as a cloud calls it.
fn function(program: &Program<'_, '_>, framework: &'static Framework) -> Option<Start> {
    let file = "main.py";
    let text = program.text(file)?;
    let mut decorated = false;
    let mut lines = text.lines().enumerate();
    let (line, name) = lines.find_map(|(index, line)| {
        decorated |= line.starts_with("@functions_framework.");
        let (name, arguments) = line
            .strip_prefix("def ")
            .or_else(|| line.strip_prefix("async def "))?
            .split_once('(')?;
        let answers = decorated || arguments.starts_with("request");
        (answers && source::is_identifier(name)).then_some((index + 1, name))
    })?;
    let usual = Port::usual(8080, "Functions Framework's default");
    let said = format!("functions-framework --target={name}");
    Some(Start {
        run_command: format!("{said} --port ${{PORT:-8080}}"),
        from: format!("{file}:{line}"),
        note: format!("{file}:{line} defines `{name}`"),
        ..command(framework, said, file, usual)
    })
}

fn command(framework: &'static Framework, line: String, file: &str, port: Port) -> Start {
    Start {
        kind: framework.kind,
        entrypoint: file.ends_with(".py").then(|| file.to_owned()),
        run_command: line.clone(),
        said: line,
        from: file.to_owned(),
        note: format!("{file} says what it is"),
        port: Some(port),
        missing: None,
    }
}

/// What shows notebooks: the package that brings it, its kind, its command and port.
const SHOWS_NOTEBOOKS: [(&str, &str, &str, u16); 4] = [
    (
        "voila",
        "voila",
        "voila --no-browser --Voila.ip=0.0.0.0 --port",
        8866,
    ),
    (
        "jupyterlab",
        "jupyter",
        "jupyter lab --no-browser --ip 0.0.0.0 --port",
        8888,
    ),
    (
        "notebook",
        "jupyter",
        "jupyter notebook --no-browser --ip 0.0.0.0 --port",
        8888,
    ),
    (
        "jupyter",
        "jupyter",
        "jupyter notebook --no-browser --ip 0.0.0.0 --port",
        8888,
    ),
];

/// Notebooks, and no program beside them.
pub(super) fn notebooks(program: &Program<'_, '_>) -> Option<Start> {
    if !program.texts.is_empty() {
        return None;
    }
    let mut files = program.sources.files().iter();
    let file = files.find(|path| path.ends_with(".ipynb"))?;
    let (package, kind, line, number) = SHOWS_NOTEBOOKS
        .into_iter()
        .find(|(package, ..)| program.dependencies.has(package))?;
    let command = format!("{line} ${{PORT:-{number}}}");
    Some(Start {
        kind,
        entrypoint: None,
        run_command: command.clone(),
        said: command,
        from: (*file).to_owned(),
        note: format!("there are notebooks alone, which {package} shows"),
        port: Some(Port::usual(number, &format!("{package}'s default"))),
        missing: None,
    })
}

/// What `wsgi.py` or `asgi.py` hands to a server, wherever it is made.
pub(super) fn handed_over(
    program: &Program<'_, '_>,
    framework: &'static Framework,
    report: &mut Report,
) -> Option<Start> {
    let file = match framework.serving {
        Serving::Asgi => "asgi.py",
        Serving::Wsgi => "wsgi.py",
        _ => return None,
    };
    let text = program.text(file)?;
    let (line, name) = text.lines().enumerate().find_map(|(index, line)| {
        let assigned = line.split_once('=').map(|(name, _)| name.trim_end());
        let imported = line
            .strip_prefix("from ")
            .and_then(|rest| rest.rsplit([' ', ',']).next());
        let name = ["application", "app"]
            .into_iter()
            .find(|name| assigned == Some(*name) || imported == Some(*name))?;
        Some((index + 1, name))
    })?;
    let object = source::AppObject::at_root(file, line, name);
    Some(served(program, framework, &object, report))
}

/// A function that a server calls, without a framework: `def application(environ, start_response):`.
pub(super) fn by_standard(program: &Program<'_, '_>, report: &mut Report) -> Option<Start> {
    if !SERVERS
        .iter()
        .any(|server| program.dependencies.has(server))
    {
        return None;
    }
    BY_STANDARD.iter().find_map(|standard| {
        let mut at_root = program.texts.iter().filter(|(path, _)| !path.contains('/'));
        let (file, line, name) = at_root.find_map(|(path, text)| {
            let found = Scan::behind(text, standard.marks[0], &["#"]).find_map(|scan| {
                let before = scan.line_before();
                let rest = before
                    .strip_prefix("def ")
                    .or_else(|| before.strip_prefix("async def "))?;
                let (name, arguments) = rest.split_once('(')?;
                let fits = arguments.contains(standard.module) && source::is_identifier(name);
                fits.then_some((scan.line(), name))
            })?;
            Some((path, found.0, found.1))
        })?;
        let object = source::AppObject::at_root(file, line, name);
        Some(served(program, standard, &object, report))
    })
}

/// The script that runs, as one of the framework that it uses.
pub(super) fn of_kind(program: &Program<'_, '_>, framework: &Framework, start: Start) -> Start {
    if start.kind != "python" || !program.imports(framework.module) {
        return start;
    }
    Start {
        kind: framework.kind,
        ..start
    }
}
