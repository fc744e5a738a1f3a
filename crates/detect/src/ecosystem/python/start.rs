//! How a Python program is started: by a server that serves an object, by a command of its framework, or as
//! a script.

use super::Program;
use super::beside;
use super::django::Django;
use super::framework::{FRAMEWORKS, Framework, Serving};
use super::manager::own_folder;
use super::own;
use super::ports;
use super::queues;
use super::scrapy;
use super::server::{runs_itself, served};
use super::source::{self, AppObject};
use crate::ecosystem::{Port, Report};
use crate::plan::shell_quoted;
use crate::scan::Scan;

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
    /// A package that starts it, and that nothing lists.
    pub missing: Option<&'static str>,
}

/// Scripts that are the program where they are there, the most usual first.
pub(super) const SCRIPTS: [&str; 25] = [
    "main.py",
    "app.py",
    "run.py",
    "server.py",
    "bot.py",
    "start.py",
    "application.py",
    "wsgi.py",
    "asgi.py",
    "__main__.py",
    "src/main.py",
    "src/app.py",
    "src/run.py",
    "src/server.py",
    "src/bot.py",
    "src/__main__.py",
    "index.py",
    "hello.py",
    "web.py",
    "api.py",
    "worker.py",
    "cli.py",
    "script.py",
    "app/main.py",
    "bot/main.py",
];

/// How it is started, and the framework that this is told from.
pub(super) fn start(
    program: &Program<'_, '_>,
    django: Option<&Django>,
    report: &mut Report,
) -> (Option<&'static Framework>, Option<Start>) {
    if let Some(django) = django {
        return (None, Some(django.start(program, report)));
    }
    let listed = |framework: &&Framework| program.dependencies.has(framework.package);
    let imported = |framework: &&Framework| {
        !program.dependencies.has(framework.package) && program.imports(framework.module)
    };
    let candidates = FRAMEWORKS
        .iter()
        .filter(listed)
        .chain(FRAMEWORKS.iter().filter(imported));
    for framework in candidates {
        if let Some(start) = by_framework(program, framework, report) {
            return (Some(framework), Some(start));
        }
    }
    let framework = FRAMEWORKS.iter().find(listed);
    let start = framework
        .and_then(|framework| own::handed_over(program, framework, report))
        .or_else(|| own::by_standard(program, report))
        .or_else(|| {
            let start = script(program)?;
            Some(queues::instead(program, &start).unwrap_or(start))
        })
        .or_else(|| module(program))
        .or_else(|| queues::worker(program))
        .or_else(|| scrapy::start(program, report))
        .or_else(|| only_script(program))
        .or_else(|| own::notebooks(program))
        .or_else(|| command(program))
        .or_else(|| task(program));
    let Some(framework) = framework else {
        return (None, start);
    };
    let start = start.map(|start| own::of_kind(program, framework, start));
    (Some(framework), start)
}

fn by_framework(
    program: &Program<'_, '_>,
    framework: &'static Framework,
    report: &mut Report,
) -> Option<Start> {
    match framework.serving {
        Serving::Asgi | Serving::Wsgi => {
            let object = object(program, framework)?;
            Some(served(program, framework, &object, report))
        }
        Serving::Target(template, usual) => {
            let object = object(program, framework)?;
            let text = program.text(&object.file)?;
            if runs_itself(&text) && !object.file.contains('/') {
                return Some(with_port(plain(&object.file, &text), framework, usual));
            }
            let port = ports::port(&object.file, &text)
                .unwrap_or_else(|| Port::usual(usual, &format!("{}'s default", framework.label)));
            let target = object.target();
            let said = template.split(" --").next().unwrap_or(template);
            Some(Start {
                kind: framework.kind,
                entrypoint: Some(object.file.clone()),
                run_command: filled(template, &target, &port),
                said: said.replace("{target}", &target),
                from: object.from(),
                note: format!("{} defines `{}`", object.from(), object.name),
                port: Some(port),
                missing: None,
            })
        }
        Serving::Command(template, usual) => {
            let file = page(program, framework)?;
            let port = Port::usual(usual, &format!("{}'s default", framework.label));
            let said = match template.split(" --").next() {
                Some(said) if said.contains("{file}") => said.to_owned(),
                said => format!("{} {{file}}", said.unwrap_or(template)),
            };
            let quoted = shell_quoted(file);
            Some(Start {
                kind: framework.kind,
                entrypoint: Some(file.to_owned()),
                run_command: filled(template, &quoted, &port),
                said: said.replace("{file}", &quoted),
                from: file.to_owned(),
                note: format!("{file} is the program, and uses {}", framework.label),
                port: Some(port),
                missing: None,
            })
        }
        Serving::Own => own::start(program, framework, report),
        Serving::Itself(usual) => {
            if usual.is_none()
                && let Some(start) = beside::start(program, framework)
            {
                return Some(start);
            }
            let using = program.texts.iter().any(|(_, text)| {
                uses(text, framework.module)
                    && framework.marks.iter().any(|mark| text.contains(mark))
            });
            if !using {
                return None;
            }
            let start = script(program).or_else(|| module(program)).or_else(|| {
                let (file, text) = program
                    .texts
                    .iter()
                    .find(|(_, text)| uses(text, framework.module) && starts(text))?;
                Some(plain(file, text))
            })?;
            Some(match usual {
                Some(usual) => with_port(start, framework, usual),
                None => Start {
                    kind: framework.kind,
                    ..start
                },
            })
        }
    }
}

pub(super) fn with_port(start: Start, framework: &Framework, usual: u16) -> Start {
    let usual = || Port::usual(usual, &format!("{}'s default", framework.label));
    Start {
        kind: framework.kind,
        port: Some(start.port.unwrap_or_else(usual)),
        ..start
    }
}

/// The object, unless it lies in a package that is run as a whole.
pub(super) fn object(program: &Program<'_, '_>, framework: &Framework) -> Option<AppObject> {
    let object = source::app_object(
        program.sources,
        &program.texts,
        framework.module,
        framework.marks,
    )?;
    let aside = object.file.ends_with("__main__.py")
        || beside::bot_before(program, &object)
        || beside::in_a_thread(program, &object);
    (!aside).then_some(object)
}

pub(super) fn filled(template: &str, what: &str, port: &Port) -> String {
    template
        .replace("{target}", what)
        .replace("{file}", what)
        .replace("{port}", &format!("${{PORT:-{}}}", port.number))
}

/// Whether a file starts something when it is run.
fn starts(text: &str) -> bool {
    text.contains("__main__")
        || [".run(", ".start(", ".launch(", "run_app("]
            .iter()
            .any(|call| text.contains(call))
}

pub(super) fn uses(text: &str, module: &str) -> bool {
    Scan::behind(text, module, &["#"]).any(|scan| {
        let before = scan.line_before().trim_start();
        before.starts_with("import ") || before.starts_with("from ")
    })
}

/// The page that a framework's own command shows first.
fn page<'p>(program: &'p Program<'_, '_>, framework: &Framework) -> Option<&'p str> {
    let usual = ["streamlit_app", "app", "main", "home", "dashboard", "index"];
    let mut pages: Vec<_> = program
        .texts
        .iter()
        .filter(|(path, text)| {
            let deeper = path.split('/').any(|folder| folder == "pages");
            !deeper
                && uses(text, framework.module)
                && framework.marks.iter().any(|mark| text.contains(mark))
        })
        .map(|(path, _)| *path)
        .collect();
    pages.sort_by_cached_key(|path| {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let stem = name.trim_end_matches(".py");
        let place = usual.iter().position(|name| *name == stem);
        (path.matches('/').count(), place.unwrap_or(usual.len()))
    });
    pages.first().copied()
}

/// A file that is run as it is.
pub(super) fn script(program: &Program<'_, '_>) -> Option<Start> {
    let named = program.metadata.name().map(|name| {
        let name = name.replace(['-', '.'], "_");
        format!("{name}.py")
    });
    let mut files = SCRIPTS.iter().copied().chain(named.as_deref());
    files.find_map(|file| run(program, file))
}

/// A file as it is run; none where it is not there, or where its package says itself what of it runs.
pub(super) fn run(program: &Program<'_, '_>, file: &str) -> Option<Start> {
    let text = program.text(file)?;
    let package = file
        .strip_suffix("/main.py")
        .filter(|folder| *folder != "src");
    let Some(folder) = package else {
        return Some(plain(file, &text));
    };
    if program.text(&format!("{folder}/__main__.py")).is_some() {
        return None;
    }
    // A script of a package that imports that package finds it only as a module of it.
    let own = [format!("from {folder}"), "from .".to_owned()];
    let is_part = own.iter().any(|import| text.contains(import.as_str()));
    Some(if is_part {
        as_module(&format!("{folder}.main"), file, &text)
    } else {
        plain(file, &text)
    })
}

/// A package that is run as a whole.
fn module(program: &Program<'_, '_>) -> Option<Start> {
    let own = own_folder(program.sources, program.metadata);
    let with_main = || {
        let mut found = program
            .texts
            .iter()
            .filter_map(|(path, _)| path.strip_suffix("/__main__.py"));
        let first = found.next()?;
        found.next().is_none().then(|| first.to_owned())
    };
    let folder = own
        .filter(|folder| program.text(&format!("{folder}/__main__.py")).is_some())
        .or_else(with_main)?;
    let file = format!("{folder}/__main__.py");
    let text = program.text(&file)?;
    let inside_src = folder.strip_prefix("src/");
    let start = as_module(
        &inside_src.unwrap_or(&folder).replace('/', "."),
        &file,
        &text,
    );
    Some(match inside_src {
        Some(_) if !program.installed => Start {
            run_command: format!("env PYTHONPATH=src {}", start.run_command),
            ..start
        },
        _ => start,
    })
}

fn as_module(module: &str, file: &str, text: &str) -> Start {
    let command = format!("python -m {}", shell_quoted(module));
    Start {
        run_command: command.clone(),
        said: command,
        note: format!("{file} is what runs"),
        ..plain(file, text)
    }
}

/// The one script at the root, or the one that is written to be run, there or anywhere.
fn only_script(program: &Program<'_, '_>) -> Option<Start> {
    let ordinary = |path: &&str| {
        !matches!(
            *path,
            "setup.py"
                | "__init__.py"
                | "noxfile.py"
                | "tasks.py"
                | "fabfile.py"
                | "gunicorn.conf.py"
                | "manage.py"
        )
    };
    let scripts: Vec<_> = program
        .texts
        .iter()
        .filter(|(path, _)| !path.contains('/') && ordinary(path))
        .collect();
    let (file, text) = if let [only] = scripts.as_slice() {
        *only
    } else {
        let all: Vec<_> = program.texts.iter().collect();
        let among = if scripts.is_empty() { &all } else { &scripts };
        let mut run = among.iter().filter(|(_, text)| text.contains("__main__"));
        let first = run.next()?;
        if run.next().is_some() {
            return None;
        }
        *first
    };
    Some(plain(file, text))
}

/// What the project itself calls starting it.
fn task(program: &Program<'_, '_>) -> Option<Start> {
    let (line, from) = program.metadata.task()?;
    // The environment's programs are found as they are.
    let line = ["pipenv run ", "pdm run "]
        .iter()
        .find_map(|prefix| line.strip_prefix(prefix))
        .unwrap_or(&line)
        .to_owned();
    Some(Start {
        kind: "python",
        entrypoint: None,
        said: line.clone(),
        run_command: line,
        note: format!("{from} says how"),
        from,
        port: None,
        missing: None,
    })
}

/// A command that installing the project makes.
fn command(program: &Program<'_, '_>) -> Option<Start> {
    if !program.installed {
        return None;
    }
    let scripts = program.metadata.scripts();
    let name = program.metadata.name();
    let of_name = scripts
        .iter()
        .find(|script| Some(&script.name) == name.as_ref());
    let usual = scripts
        .iter()
        .find(|script| matches!(script.name.as_str(), "start" | "serve" | "run" | "main"));
    let script = of_name.or(usual).or(scripts.first())?;
    let module = script
        .target
        .split(':')
        .next()
        .unwrap_or("")
        .replace('.', "/");
    let file = ["", "src/"]
        .iter()
        .map(|folder| format!("{folder}{module}.py"))
        .find(|file| program.text(file).is_some());
    let port = file
        .as_ref()
        .and_then(|file| ports::port(file, &program.text(file)?));
    let command = shell_quoted(&script.name);
    Some(Start {
        kind: "python",
        entrypoint: file,
        run_command: command.clone(),
        said: command,
        from: script.from.clone(),
        note: format!("it runs {}", script.target),
        port,
        missing: None,
    })
}

pub(super) fn plain(file: &str, text: &str) -> Start {
    let command = format!("python {}", shell_quoted(file));
    let told = || {
        (runs_itself(text) && ports::is_told(text)).then(|| Port {
            number: 8000,
            from: None,
            why: "PORT says which; nothing in the project says what it is otherwise".to_owned(),
        })
    };
    Start {
        kind: "python",
        entrypoint: Some(file.to_owned()),
        run_command: command.clone(),
        said: command,
        from: file.to_owned(),
        note: format!("{file} is the program"),
        port: ports::port(file, text).or_else(told),
        missing: None,
    }
}
