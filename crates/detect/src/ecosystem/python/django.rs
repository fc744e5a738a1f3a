//! Django: what its settings say of the server and the database.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Program;
use super::server::{gunicorn, of_settings, uwsgi};
use super::source::is_identifier;
use super::start::Start;
use crate::analysis::Topic;
use crate::ecosystem::{Port, Report};
use crate::environment::Need;
use crate::plan::shell_quoted;
use crate::scan::{Route, Scan};

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];

/// A Django project.
pub(super) struct Django {
    /// Where `manage.py` lies, with a slash at its end; empty for the root.
    folder: String,
    settings: Option<(String, Rc<str>)>,
}

/// The database engines, as settings name them by their last part.
const ENGINES: [(&str, &str, &str); 5] = [
    ("postgresql", "postgresql", "PostgreSQL"),
    ("postgis", "postgresql", "PostgreSQL"),
    ("mysql", "mysql", "MySQL"),
    ("oracle", "oracle", "Oracle"),
    ("mssql", "mssql", "SQL Server"),
];

impl Django {
    /// The project that `manage.py` manages, here or in a folder below.
    pub fn find(program: &Program<'_, '_>) -> Option<Self> {
        let (path, text) = program
            .texts
            .iter()
            .filter(|(path, _)| path.rsplit('/').next() == Some("manage.py"))
            .find(|(path, text)| {
                let deep = path.matches('/').count();
                deep <= 2
                    && (text.contains("django")
                        || text.contains("DJANGO_SETTINGS_MODULE")
                        || program.dependencies.has("django"))
            })?;
        let folder = path.strip_suffix("manage.py").unwrap_or("").to_owned();
        let module = Scan::behind(text, "DJANGO_SETTINGS_MODULE", COMMENT).find_map(|mut scan| {
            scan.eat("\"");
            scan.eat("'");
            scan.eat("]");
            let separated = scan.eat(",") || scan.eat("=");
            separated.then(|| scan.string(QUOTES)).flatten()
        });
        let settings = module.and_then(|module| {
            let path = format!("{folder}{}", module.replace('.', "/"));
            [format!("{path}.py"), format!("{path}/__init__.py")]
                .into_iter()
                .find_map(|path| Some((path.clone(), program.text(&path)?)))
        });
        let settings = settings.or_else(|| {
            let (path, text) = program.texts.iter().find(|(path, _)| {
                path.starts_with(&folder) && path.rsplit('/').next() == Some("settings.py")
            })?;
            Some(((*path).to_owned(), Rc::clone(text)))
        });
        Some(Self { folder, settings })
    }

    /// A string that the settings, or those that they start from, give a name.
    fn setting(&self, program: &Program<'_, '_>, name: &str) -> Option<(String, String)> {
        self.all_settings(program).find_map(|(path, text)| {
            Scan::behind(&text, name, COMMENT).find_map(|mut scan| {
                let line = scan.line();
                if !scan.eat("=") {
                    return None;
                }
                let said = scan.string(QUOTES)?;
                Some((said.to_owned(), format!("{path}:{line}")))
            })
        })
    }

    /// The settings, and the other modules beside them where they are a package.
    fn all_settings(&self, program: &Program<'_, '_>) -> impl Iterator<Item = (String, Rc<str>)> {
        let own = self.settings.clone();
        let folder = own
            .as_ref()
            .and_then(|(path, _)| path.rsplit_once('/'))
            .map(|(folder, _)| format!("{folder}/"))
            .filter(|folder| folder.ends_with("settings/"));
        let own_path = own.as_ref().map(|(path, _)| path.clone());
        let beside: Vec<_> = program
            .texts
            .iter()
            .filter(|(path, _)| {
                folder
                    .as_ref()
                    .is_some_and(|folder| path.starts_with(folder))
                    && Some(*path) != own_path.as_deref()
            })
            .map(|(path, text)| ((*path).to_owned(), Rc::clone(text)))
            .collect();
        own.into_iter().chain(beside)
    }

    /// The module of the object that a server calls: what the settings name, else the file that is there.
    fn module(
        &self,
        program: &Program<'_, '_>,
        setting: &str,
        file: &str,
    ) -> Option<(String, String)> {
        let named = self.setting(program, setting).and_then(|(said, from)| {
            let (module, object) = said.rsplit_once('.')?;
            let path = format!("{}{}.py", self.folder, module.replace('.', "/"));
            program
                .sources
                .has(&path)
                .then(|| (format!("{module}:{object}"), from))
        });
        named.or_else(|| {
            let suffix = format!("/{file}.py");
            program.texts.iter().find_map(|(path, _)| {
                let module = path
                    .strip_prefix(self.folder.as_str())?
                    .strip_suffix(&suffix)?
                    .replace('/', ".");
                let importable = module.split('.').all(is_identifier);
                importable.then(|| (format!("{module}.{file}:application"), (*path).to_owned()))
            })
        })
    }

    pub fn start(&self, program: &Program<'_, '_>, report: &mut Report) -> Start {
        let has = |package: &str| program.dependencies.has(package);
        let wsgi = self.module(program, "WSGI_APPLICATION", "wsgi");
        let asgi = self.module(program, "ASGI_APPLICATION", "asgi");
        let manage = format!("{}manage.py", self.folder);
        let folder = self.folder.trim_end_matches('/');
        let chdir = |option: &str| {
            if folder.is_empty() {
                String::new()
            } else {
                format!("{option} {} ", shell_quoted(folder))
            }
        };
        let mut missing = None;
        let channels = has("channels") && asgi.is_some();
        let (server, said, line, from) = match (wsgi, asgi) {
            (_, Some((target, from))) if has("daphne") && (channels || !has("gunicorn")) => {
                let python = if folder.is_empty() {
                    String::new()
                } else {
                    format!("env PYTHONPATH={} ", shell_quoted(folder))
                };
                let line = format!("{python}daphne -b 0.0.0.0 -p {{port}} {target}");
                ("daphne", format!("daphne {target}"), line, from)
            }
            (_, Some((target, from))) if has("uvicorn") && (channels || !has("gunicorn")) => (
                "uvicorn",
                format!("uvicorn {target}"),
                format!(
                    "uvicorn {}{target} --host 0.0.0.0 --port {{port}}",
                    chdir("--app-dir")
                ),
                from,
            ),
            (Some((target, from)), _)
                if has("waitress") && !has("gunicorn") && folder.is_empty() =>
            {
                (
                    "waitress",
                    format!("waitress-serve {target}"),
                    format!("waitress-serve --host 0.0.0.0 --port {{port}} {target}"),
                    from,
                )
            }
            (Some((target, from)), _) if has("uwsgi") && !has("gunicorn") => (
                "uwsgi",
                format!("uwsgi {target}"),
                uwsgi(program, &chdir("--chdir"), &target),
                from,
            ),
            (Some((target, from)), _) => {
                if !has("gunicorn") {
                    missing = Some("gunicorn");
                }
                (
                    "gunicorn",
                    format!("gunicorn {target}"),
                    gunicorn(&chdir("--chdir"), &target),
                    from,
                )
            }
            _ => (
                "runserver",
                format!("python {manage} runserver"),
                format!(
                    "python {} runserver 0.0.0.0:{{port}}",
                    shell_quoted(&manage)
                ),
                manage.clone(),
            ),
        };
        if missing.is_some() && program.dependencies.file.is_some() {
            report.ask(
                "Which server serves it? No dependency is one, and Django's own is for development; gunicorn is installed beside them.",
                                program.dependencies.to_add("gunicorn"),
            );
        }
        let usual = if server == "waitress" { 8080 } else { 8000 };
        let port = of_settings(program, server)
            .unwrap_or_else(|| Port::usual(usual, &format!("{server}'s default")));
        let line = line.replace("{port}", &format!("${{PORT:-{}}}", port.number));
        let migrates = self.has_database(program);
        let migrate = if migrates {
            format!("python {} migrate && ", shell_quoted(&manage))
        } else {
            String::new()
        };
        Start {
            kind: "django",
            entrypoint: Some(manage.clone()),
            run_command: format!("{migrate}{line}"),
            said: format!("{migrate}{said}"),
            from,
            note: format!("{manage} is Django's"),
            port: Some(port),
            missing,
        }
    }

    /// Whether there is a database to bring up to date: without one Django refuses to.
    fn has_database(&self, program: &Program<'_, '_>) -> bool {
        let settings: Vec<_> = self.all_settings(program).collect();
        let says = |words: &[&str]| {
            settings
                .iter()
                .any(|(_, text)| words.iter().any(|word| text.contains(word)))
        };
        if says(&["DATABASES = {}"]) {
            return false;
        }
        // Settings may come from elsewhere, and some files are hardly any.
        let elsewhere = [
            "DATABASE",
            "import *",
            "locals()",
            "globals()",
            "Configuration",
        ];
        says(&elsewhere) || !says(&["INSTALLED_APPS", "ROOT_URLCONF", "MIDDLEWARE"])
    }

    /// The database that the settings name.
    pub fn service(
        &self,
        program: &Program<'_, '_>,
        known: &[String],
        report: &mut Report,
    ) -> Option<&'static str> {
        let (engine, from) = self.all_settings(program).find_map(|(path, text)| {
            Scan::behind(&text, "ENGINE", COMMENT).find_map(|mut scan| {
                let line = scan.line();
                scan.eat("\"");
                scan.eat("'");
                if !scan.eat(":") {
                    return None;
                }
                let engine = scan.string(QUOTES)?;
                Some((
                    engine.rsplit('.').next()?.to_owned(),
                    format!("{path}:{line}"),
                ))
            })
        })?;
        let (_, id, label) = ENGINES.iter().find(|(last, ..)| *last == engine)?;
        if known.iter().any(|known| known == id) {
            return None;
        }
        report
            .certain(Topic::Service, *label, &from)
            .note(format!("the engine of a database in {from}"));
        Some(id)
    }

    /// The command that gathers the files that a server hands out, where the settings ask for nothing but what the
    /// build knows, or what may be anything as long as nobody is served.
    pub fn collects(&self, program: &Program<'_, '_>) -> Option<String> {
        let root = self.all_settings(program).any(|(_, text)| {
            Scan::behind(&text, "STATIC_ROOT", COMMENT).any(|mut scan| scan.eat("="))
        });
        let serves = program.dependencies.has("whitenoise");
        if !root || !serves {
            return None;
        }
        let mut demanded = BTreeSet::new();
        for (path, text) in self.all_settings(program) {
            let reads = super::environment(&path, &text).into_iter();
            let required = reads.filter(|read| read.need == Need::Required);
            demanded.extend(required.map(|read| read.name));
        }
        let stand_ins: Option<Vec<_>> = demanded
            .iter()
            .map(|name| Some(format!("{name}={} ", stand_in(name)?)))
            .collect();
        let manage = shell_quoted(&format!("{}manage.py", self.folder));
        Some(format!(
            "{}python {manage} collectstatic --noinput",
            stand_ins?.concat()
        ))
    }

    /// The paths of the project's `urls.py`, those of its applications with the prefix they get.
    pub fn routes(&self, program: &Program<'_, '_>) -> Vec<Route> {
        let root = self
            .setting(program, "ROOT_URLCONF")
            .map(|(module, _)| module);
        let Some((path, text)) = root.and_then(|module| self.urls(program, &module)) else {
            return Vec::new();
        };
        let mut routes = Vec::new();
        for (route, included) in paths(&path, &text) {
            let Some(included) = included else {
                routes.push(route);
                continue;
            };
            if let Some((inner_path, inner)) = self.urls(program, &included) {
                routes.extend(
                    paths(&inner_path, &inner)
                        .into_iter()
                        .filter(|(_, included)| included.is_none())
                        .map(|(inner, _)| Route {
                            path: format!("{}{}", route.path, inner.path.trim_start_matches('/')),
                            from: inner.from,
                        }),
                );
            }
        }
        // The front page may answer only to the names that ALLOWED_HOSTS has.
        routes.retain(|route| route.path != "/");
        if self.is_deaf_to_localhost(program) {
            routes.clear();
        }
        routes
    }

    /// Whether the settings list the names that it answers to, and the one that it is asked by is not among them.
    fn is_deaf_to_localhost(&self, program: &Program<'_, '_>) -> bool {
        self.all_settings(program).any(|(_, text)| {
            Scan::behind(&text, "ALLOWED_HOSTS", COMMENT).any(|mut scan| {
                if !(scan.eat("=") && scan.eat("[")) {
                    return false;
                }
                let list = scan.rest().split(']').next().unwrap_or("");
                let names: Vec<_> = list
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .collect();
                let is_said = |name: &&str| name.starts_with(QUOTES) && name.ends_with(QUOTES);
                let is_heard = |name: &&str| matches!(name.trim_matches(QUOTES), "*" | "localhost");
                !names.is_empty() && names.iter().all(is_said) && !names.iter().any(is_heard)
            })
        })
    }

    fn urls(&self, program: &Program<'_, '_>, module: &str) -> Option<(String, Rc<str>)> {
        let path = format!("{}{}.py", self.folder, module.replace('.', "/"));
        program.text(&path).map(|text| (path, text))
    }
}

/// A value for a variable that the settings demand, while nothing is done but gathering files; none where it may be
/// looked at.
fn stand_in(name: &str) -> Option<&'static str> {
    const TEXTS: [&str; 8] = [
        "HOST", "KEY", "NAME", "PASSWORD", "SALT", "SECRET", "TOKEN", "USER",
    ];
    match name {
        "DATABASE_URL" => Some("sqlite:////tmp/none.db"),
        "DEBUG" => Some("0"),
        _ if name.ends_with("_PORT") => Some("0"),
        _ if TEXTS.iter().any(|text| name.ends_with(text)) => Some("none"),
        _ => None,
    }
}

/// The `path(…)` entries of a `urls.py`, with the module that an entry includes.
fn paths(file: &str, text: &str) -> Vec<(Route, Option<String>)> {
    let found = Scan::behind(text, "path", COMMENT).filter_map(|mut scan| {
        let line = scan.line();
        if scan.line_before().ends_with("re_path") || !scan.eat("(") {
            return None;
        }
        let said = scan.string(QUOTES)?;
        if said.contains('<') || !scan.eat(",") {
            return None;
        }
        let included = if scan.eat("include") && scan.eat("(") {
            scan.string(QUOTES).map(str::to_owned)
        } else {
            None
        };
        let route = Route {
            path: format!("/{said}"),
            from: format!("{file}:{line}"),
        };
        Some((route, included))
    });
    found.collect()
}
