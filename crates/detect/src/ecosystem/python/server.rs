//! The servers that call an application's object.

use super::Program;
use super::beside::imports;
use super::framework::{Framework, Serving};
use super::ports;
use super::source::{AppObject, is_identifier};
use super::start::{Start, filled, plain, with_port};
use crate::ecosystem::{Port, Report};
use crate::scan::Scan;

/// The least port that needs no rights.
const FIRST_FREE_PORT: u16 = 1024;

/// Gunicorn's line, with `{port}` where the port comes.
pub(super) fn gunicorn(chdir: &str, target: &str) -> String {
    format!("gunicorn {chdir}--bind 0.0.0.0:{{port}} {target}")
}

/// uWSGI's line: by its own settings where there are any, which may be for a web server before it.
pub(super) fn uwsgi(program: &Program<'_, '_>, chdir: &str, target: &str) -> String {
    const SETTINGS: &str = "uwsgi.ini";
    let Some(text) = program.sources.text(SETTINGS) else {
        return format!("uwsgi --http 0.0.0.0:{{port}} {chdir}--module {target} --master");
    };
    let says_http = text
        .lines()
        .any(|line| line.trim_start().starts_with("http"));
    if says_http {
        format!("uwsgi --ini {SETTINGS}")
    } else {
        format!("uwsgi --http 0.0.0.0:{{port}} --ini {SETTINGS}")
    }
}

/// A program that a server serves.
pub(super) fn served(
    program: &Program<'_, '_>,
    framework: &'static Framework,
    object: &AppObject,
    report: &mut Report,
) -> Start {
    let handed = entry(program, framework, object);
    let object = handed.as_ref().unwrap_or(object);
    let text = program.text(&object.file).unwrap_or_default();
    let said_port = ports::port(&object.file, &text).or_else(|| {
        let mut others = program.texts.iter().filter(|(path, text)| {
            !path.contains('/') && *path != object.file && text.contains("uvicorn.run")
        });
        others.find_map(|(path, text)| ports::port(path, text))
    });
    let is_asgi = framework.serving == Serving::Asgi;
    let by_itself = |report: &mut Report| {
        let start = own_script(program, object).filter(|_| !is_asgi);
        let start = start.unwrap_or_else(|| plain(&object.file, &text));
        let usual = match (framework.kind, framework.serving) {
            ("bottle", _) => 8080,
            ("dash", _) => 8050,
            ("fasthtml", _) => 5001,
            (_, Serving::Wsgi) => 5000,
            _ => 8000,
        };
        let listens = start
            .entrypoint
            .as_ref()
            .and_then(|file| program.text(file));
        if !listens.is_some_and(|text| binds_all(&text)) && framework.kind != "dash" {
            report.ask(
                format!("Who may reach it? {} listens on 127.0.0.1 alone, which nobody outside its container reaches.", object.file),
                format!("write host=\"0.0.0.0\" where {} starts the server", object.file),
            );
        }
        with_port(start, framework, usual)
    };
    let chosen = match framework.serving {
        Serving::Asgi => asgi(program, framework, object, &text),
        _ => wsgi(program, framework, object, &text),
    };
    let Some(Server {
        name,
        port: default,
        said,
        line,
        missing,
    }) = chosen
    else {
        return by_itself(report);
    };
    if let Some(package) = missing {
        let target = object.target();
        let outcome = if program.dependencies.file.is_some() {
            "and installed beside the dependencies"
        } else {
            "and it will be missing"
        };
        report.ask(
            format!(
                "Which server serves {target}? no dependency is one; {package} assumed, {outcome}."
            ),
            program.dependencies.to_add(package),
        );
    }
    // The line says the port, and nobody here may take one of root's.
    let port = of_settings(program, name)
        .or(said_port)
        .filter(|port| port.number >= FIRST_FREE_PORT)
        .unwrap_or_else(|| Port::usual(default, &format!("{name}'s default")));
    let defines = if object.factory {
        "makes the application in"
    } else {
        "defines"
    };
    Start {
        kind: framework.kind,
        entrypoint: Some(object.file.clone()),
        run_command: filled(&line, "", &port),
        said,
        from: object.from(),
        note: format!("{} {defines} `{}`", object.from(), object.name),
        port: Some(port),
        missing,
    }
}

/// The port that a server's own settings say.
pub(super) fn of_settings(program: &Program<'_, '_>, server: &str) -> Option<Port> {
    let file = "gunicorn.conf.py";
    let text = program.text(file).filter(|_| server == "gunicorn")?;
    let (index, line) = text.lines().enumerate().find(|(_, line)| {
        let named = line.split_once('=').map(|(name, _)| name.trim());
        named == Some("bind")
    })?;
    ports::of_address(file, &text, line, index + 1)
}

/// A server, the port it takes by itself, and its line with `{port}` where the port comes.
struct Server {
    name: &'static str,
    port: u16,
    said: String,
    line: String,
    missing: Option<&'static str>,
}

fn server(name: &'static str, port: u16, said: String, line: String) -> Server {
    Server {
        name,
        port,
        said,
        line,
        missing: None,
    }
}

/// The server that calls an ASGI application; none where the program is better started as a script.
fn asgi(
    program: &Program<'_, '_>,
    framework: &Framework,
    object: &AppObject,
    text: &str,
) -> Option<Server> {
    let has = |package: &str| program.dependencies.has(package);
    let target = object.target();
    let bundled = has("uvicorn")
        || has("fastapi-cli")
        || ["fastapi", "litestar"].iter().any(|package| {
            program.dependencies.get(package).is_some_and(|found| {
                let extras = &found.requirement.extras;
                extras
                    .iter()
                    .any(|extra| matches!(extra.as_str(), "standard" | "all"))
            })
        });
    let folder = object.folder.as_ref();
    let plain = folder.is_none() && !object.factory;
    if !bundled && plain {
        if has("hypercorn")
            || (framework.kind == "quart" && !(runs_itself(text) && binds_all(text)))
        {
            let line = format!("hypercorn {target} --bind 0.0.0.0:{{port}}");
            return Some(server(
                "hypercorn",
                8000,
                format!("hypercorn {target}"),
                line,
            ));
        }
        if has("granian") {
            let line = format!("granian --interface asgi --host 0.0.0.0 --port {{port}} {target}");
            return Some(server("granian", 8000, format!("granian {target}"), line));
        }
        if has("daphne") {
            let line = format!("daphne -b 0.0.0.0 -p {{port}} {target}");
            return Some(server("daphne", 8000, format!("daphne {target}"), line));
        }
    }
    if !bundled && runs_itself(text) && !object.file.contains('/') {
        return None;
    }
    let folder = folder
        .map(|folder| format!("--app-dir {folder} "))
        .unwrap_or_default();
    let factory = if object.factory { " --factory" } else { "" };
    let said = format!("uvicorn {folder}{target}{factory}");
    let line = format!("{said} --host 0.0.0.0 --port {{port}}");
    // FastHTML brings it.
    let missing = (!bundled && framework.kind != "fasthtml").then_some("uvicorn");
    Some(Server {
        missing,
        ..server("uvicorn", 8000, said, line)
    })
}

/// The server that calls a WSGI application; none where the program is better started as a script.
fn wsgi(
    program: &Program<'_, '_>,
    framework: &Framework,
    object: &AppObject,
    text: &str,
) -> Option<Server> {
    let has = |package: &str| program.dependencies.has(package);
    let mut target = object.target();
    if framework.kind == "dash" {
        // Dash keeps the Flask application that it is served as.
        let holds = |name: &str| text.contains(&format!("{name} = {}.server", object.name));
        let name = ["server", "application"]
            .into_iter()
            .find(|name| holds(name))?;
        target = target.replace(&format!(":{}", object.name), &format!(":{name}"));
    }
    let called = if object.factory {
        format!("'{target}()'")
    } else {
        target.clone()
    };
    let chdir = object
        .folder
        .as_ref()
        .map(|folder| format!("--chdir {folder} "))
        .unwrap_or_default();
    if has("gunicorn") {
        let said = format!("gunicorn {chdir}{called}");
        return Some(server("gunicorn", 8000, said, gunicorn(&chdir, &called)));
    }
    if has("uwsgi") && !object.factory && object.folder.is_none() {
        let line = uwsgi(program, "", &target);
        return Some(server("uwsgi", 8000, format!("uwsgi {target}"), line));
    }
    let script = runs_itself(text) && !object.file.contains('/');
    if has("waitress") && !(script && text.contains("serve(")) {
        let call = if object.factory { "--call " } else { "" };
        // It wants its options before what it serves.
        let line = format!("waitress-serve --host 0.0.0.0 --port {{port}} {call}{target}");
        return Some(server(
            "waitress",
            8080,
            format!("waitress-serve {call}{target}"),
            line,
        ));
    }
    let other = || own_script(program, object).is_some();
    if !matches!(framework.kind, "flask" | "dash") && !script && !other() {
        // Run as a script it would end at once.
        let said = format!("gunicorn {chdir}{called}");
        return Some(Server {
            missing: Some("gunicorn"),
            ..server("gunicorn", 8000, said, gunicorn(&chdir, &called))
        });
    }
    if framework.kind != "flask"
        || other()
        || (script && (object.file == "main.py" || binds_all(text)) && !takes_roots_port(text))
    {
        return None;
    }
    let said = format!("flask --app {} run", object.flask_target());
    let line = format!("{said} --host 0.0.0.0 --port {{port}}");
    Some(server("flask", 5000, said, line))
}

/// Whether a file starts its server on a port that only root may take.
fn takes_roots_port(text: &str) -> bool {
    ports::port("", text).is_some_and(|port| port.number < FIRST_FREE_PORT)
}

/// The file that hands the application over to a server, where there is one: `wsgi.py`.
fn entry(
    program: &Program<'_, '_>,
    framework: &Framework,
    object: &AppObject,
) -> Option<AppObject> {
    let (file, servers): (_, &[&str]) = if framework.serving == Serving::Asgi {
        ("asgi.py", &["uvicorn", "hypercorn", "gunicorn", "granian"])
    } else {
        ("wsgi.py", &["gunicorn", "uwsgi", "waitress"])
    };
    let served = servers
        .iter()
        .any(|server| program.dependencies.has(server));
    if !served || object.factory || object.file == file {
        return None;
    }
    let text = program.text(file)?;
    let target = object.target();
    let (module, _) = target.split_once(':')?;
    let package = module.split('.').next()?;
    text.lines().enumerate().find_map(|(index, line)| {
        let (from, names) = line.strip_prefix("from ")?.split_once(" import ")?;
        if from != module && from != package {
            return None;
        }
        let mut names = names.split(',').map(str::trim);
        let name = names.find_map(|name| match name.split_once(" as ") {
            Some((own, alias)) => (own.trim() == object.name).then_some(alias.trim()),
            None => (name == object.name).then_some(name),
        })?;
        is_identifier(name).then(|| AppObject::at_root(file, index + 1, name))
    })
}

/// A script at the root that starts the server of what it imports: `from shop import app; app.run("0.0.0.0")`.
fn own_script(program: &Program<'_, '_>, object: &AppObject) -> Option<Start> {
    let module = object.target();
    let module = module.split([':', '.']).next()?;
    let mut scripts = program.texts.iter().filter(|(path, text)| {
        !path.contains('/')
            && *path != object.file
            && imports(text, module)
            && runs_itself(text)
            && binds_all(text)
    });
    let (file, text) = scripts.next()?;
    Some(plain(file, text))
}

/// Whether a file starts a server when it is run.
pub(super) fn runs_itself(text: &str) -> bool {
    let starts = ["run", "serve", "run_app", "serve_forever"];
    starts.iter().any(|call| {
        Scan::behind(text, call, &["#"]).any(|mut scan| {
            let before = scan.line_before();
            let defines = before.trim_start().starts_with("def ");
            let other = ["asyncio.run", "subprocess.run"]
                .iter()
                .any(|other| before.ends_with(other));
            !defines && !other && scan.eat("(")
        })
    })
}

/// Whether a server that the file starts is reached from outside its container.
fn binds_all(text: &str) -> bool {
    [
        "0.0.0.0",
        "host=''",
        "host=\"\"",
        "\"::\"",
        "HOST",
        "serve()",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
