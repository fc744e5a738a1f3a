//! A program of Node that is a file and no package: it needs nothing that Node does not bring.

use ergon_manifest::Application;

use super::{EXTENSIONS, USUAL, image, routes, source, version};
use crate::analysis::Topic;
use crate::ecosystem::{Found, Report, Strength};
use crate::environment;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// Files that start a program by their name.
const STARTS: [&str; 8] = [
    "server.js",
    "server.mjs",
    "index.js",
    "index.mjs",
    "app.js",
    "app.mjs",
    "main.js",
    "main.mjs",
];
/// What only a program of Node says; scripts of pages are none.
const SIGNS: [&str; 4] = ["require(", "process.", "createServer", "from 'node:"];

pub(super) fn detect(sources: &Sources<'_>) -> Option<Found> {
    // Beside pages, scripts are the pages'.
    if sources.has("index.html") {
        return None;
    }
    let file = sources.first_of(&STARTS)?;
    let text = sources.text(file)?;
    let of_page = ["document", "window"]
        .iter()
        .any(|name| text.contains(name));
    let prints = text.contains("console.") && !of_page;
    if !prints && !SIGNS.iter().any(|sign| text.contains(sign)) && !text.contains("from \"node:") {
        return None;
    }
    let mut report = Report::default();
    report
        .certain(Topic::Language, "JavaScript", file)
        .note("a program of Node without a package.json");
    let runtime = report.runtime(&USUAL, version::named(sources));
    let run = format!("node {}", shell_quoted(file));
    report
        .likely(Topic::RunCommand, &run, file)
        .note("its name says that it starts the program");
    let mut application = Application {
        kind: "node".to_owned(),
        language: "javascript".to_owned(),
        entrypoint: Some(file.to_owned()),
        run_command: Some(run),
        ..Application::default()
    };
    let texts = sources.program_texts(EXTENSIONS);
    if let Some(port) = source::port(&texts, None) {
        application.ports = vec![report.port(&port)];
        application.health = report.health(&routes::of(&texts, None));
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    application.env = environment::told(&reads, &mut report);
    let base_image = image(&runtime.name, &runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength: Strength::Program,
        name: None,
        application,
        base_image,
        delegates: false,
        report,
    })
}
