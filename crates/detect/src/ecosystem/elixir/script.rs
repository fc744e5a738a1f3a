//! A program of Elixir that is one file.

use ergon_manifest::Application;

use super::{USUAL, named, source};
use crate::analysis::Topic;
use crate::ecosystem::{Found, Port, Report, Strength};
use crate::environment;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// Files that start a program by their name.
const STARTS: [&str; 6] = [
    "main.exs",
    "app.exs",
    "server.exs",
    "run.exs",
    "script.exs",
    "hello.exs",
];

pub(super) fn detect(sources: &Sources<'_>) -> Option<Found> {
    let only = || {
        let mut files = sources
            .names()
            .filter(|name| name.ends_with(".exs") && !name.starts_with('.'));
        let first = files.next()?;
        files.next().is_none().then_some(first)
    };
    let usual = sources.first_of(&STARTS);
    let file = usual.or_else(only)?;
    let text = sources.text(file)?;
    let mut report = Report::default();
    report
        .certain(Topic::Language, "Elixir", file)
        .note("a script without a mix.exs");
    let runtime = report.runtime(&USUAL, named(sources));
    let run = format!("elixir {}", shell_quoted(file));
    report
        .likely(Topic::RunCommand, &run, file)
        .note(if usual.is_some() {
            "its name says that it starts the program"
        } else {
            "the only script there is"
        });
    let mut application = Application {
        kind: "elixir".to_owned(),
        language: "elixir".to_owned(),
        entrypoint: Some(file.to_owned()),
        run_command: Some(run),
        ..Application::default()
    };
    if text.contains("Mix.install") {
        let command = "mix local.hex --force && mix local.rebar --force";
        report
            .likely(Topic::BuildCommand, command, file)
            .note("it fetches its packages as it starts");
        application.build_commands.push(command.to_owned());
    }
    let reads = source::variables(file, &text);
    application.env = environment::told(&reads, &mut report);
    if let Some(port) = source::listens(file, &text) {
        let port = Port::of_reads(&reads).unwrap_or(port);
        application.ports = vec![report.port(&port)];
    }
    let base_image = format!("elixir:{}", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength: if usual.is_some() {
            Strength::Program
        } else {
            Strength::Sources
        },
        name: None,
        application,
        base_image,
        delegates: false,
        report,
    })
}
