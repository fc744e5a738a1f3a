//! How a PHP program is started.

use ergon_manifest::{Application, EnvironmentVariable};

use super::{source, web};
use crate::analysis::Topic;
use crate::ecosystem::{Port, Report, Strength};
use crate::plan::shell_quoted;
use crate::scan::Route;
use crate::sources::{Sources, Text};

/// Where a program for the command line usually begins.
const USUAL_FILES: [&str; 10] = [
    "main.php",
    "app.php",
    "server.php",
    "run.php",
    "start.php",
    "bot.php",
    "worker.php",
    "cli.php",
    "src/main.php",
    "hello.php",
];

/// How the program is started.
#[derive(Clone)]
pub(super) enum Start {
    /// A web server serves this folder.
    Pages(&'static str),
    /// A file for the command line, whose name says that it is one, or which is the only one.
    Script { file: String, usual: bool },
}

impl Start {
    pub fn strength(&self, listed: bool) -> Strength {
        match self {
            Self::Pages(_) => Strength::Framework,
            Self::Script { usual, .. } if *usual || listed => Strength::Program,
            Self::Script { .. } => Strength::Sources,
        }
    }
}

pub(super) fn start(
    sources: &Sources<'_>,
    root: Option<&'static str>,
    framework: bool,
    texts: &[Text<'_>],
) -> Option<Start> {
    if let Some(root) = root {
        return Some(Start::Pages(root));
    }
    if framework {
        let console = sources.first_of(&["artisan", "bin/console"]);
        return console.map(|_| Start::Pages("public"));
    }
    let is_php = |path: &str| {
        path.ends_with(".php")
            || sources.text(path).is_some_and(|text| {
                text.starts_with("#!")
                    && text.lines().next().is_some_and(|line| line.contains("php"))
            })
    };
    let usual = sources.first_of(&USUAL_FILES).map(str::to_owned);
    let program = || {
        let mut files = sources.files().iter();
        let program = files.find(|path| {
            path.strip_prefix("bin/")
                .is_some_and(|name| !name.contains('/'))
                && is_php(path)
        })?;
        Some((*program).to_owned())
    };
    let only = || {
        let mut files = texts.iter().filter(|(path, _)| !path.contains('/'));
        let (only, _) = files.next()?;
        files.next().is_none().then(|| (*only).to_owned())
    };
    let named = usual.or_else(program);
    Some(Start::Script {
        usual: named.is_some(),
        file: named.or_else(only)?,
    })
}

pub(super) fn started(
    start: Start,
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    application: &mut Application,
    report: &mut Report,
) {
    match start {
        Start::Pages(root) => {
            let page = if root.is_empty() {
                "index.php".to_owned()
            } else {
                format!("{root}/index.php")
            };
            let shown = if sources.has(&page) {
                page.clone()
            } else {
                root.to_owned()
            };
            report
                .likely(Topic::RunCommand, web::RUN_COMMAND, &shown)
                .note(match root {
                    "" => "Apache serves the project's folder".to_owned(),
                    root => format!("Apache serves {root}"),
                });
            report.port(&Port {
                number: web::PORT,
                from: None,
                why: "where PORT is not set; the container's own choice".to_owned(),
            });
            application.run_command = Some(web::RUN_COMMAND.to_owned());
            application.ports = vec![web::PORT];
            let mut routes: Vec<_> = sources
                .text("bootstrap/app.php")
                .and_then(|text| source::laravel_health("bootstrap/app.php", &text))
                .into_iter()
                .collect();
            routes.extend(
                texts
                    .iter()
                    .flat_map(|(path, text)| source::routes(path, text)),
            );
            if application.kind == "php" && sources.has(&page) {
                routes.push(Route {
                    path: "/".to_owned(),
                    from: page.clone(),
                });
            }
            application.health = report.health(&routes);
            application.entrypoint = sources.has(&page).then_some(page);
            let port = EnvironmentVariable {
                required: false,
                default: Some(web::PORT.to_string()),
                from: None,
            };
            application.env.insert("PORT".to_owned(), port);
        }
        Start::Script { file, .. } => {
            let command = format!("php {}", shell_quoted(&file));
            report
                .likely(Topic::RunCommand, &command, &file)
                .note(format!(
                    "{file} is the program, and there is no page to serve"
                ));
            let port = sources
                .text(&file)
                .and_then(|text| source::listens(&file, &text));
            if let Some(port) = port {
                application.ports = vec![report.port(&port)];
            }
            application.run_command = Some(command);
            application.entrypoint = Some(file);
        }
    }
}
