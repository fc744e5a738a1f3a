//! Shell scripts that are the program, or start it.

use ergon_manifest::Application;

use super::{Ecosystem, Found, Packing, Report, Strength};
use crate::analysis::Topic;
use crate::environment;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Shell",
    languages: &["shell", "sh", "bash"],
    looks_for: "a shell script: start.sh",
    markers: &[],
    detect,
    droppings: &[],
    packing: |_| Packing::default(),
};

const BASE_IMAGE: &str = "debian:bookworm-slim";

/// What starts a program by its name.
pub(crate) const STARTS: &str = "start.sh";
/// What may.
const MAY_START: [&str; 4] = ["run.sh", "entrypoint.sh", "main.sh", "docker-entrypoint.sh"];

/// Shells that the base does not have, by the package that brings them.
const PACKAGES: [(&str, &str); 4] = [
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("ksh", "ksh"),
    ("mksh", "mksh"),
];

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let (file, by_name) = match sources.first_of(&[STARTS]) {
        Some(file) => (file, true),
        None => (sources.first_of(&MAY_START)?, false),
    };
    let text = sources.text(file)?;
    let interpreter = interpreter(&text);
    let shell = interpreter.unwrap_or("sh");
    let mut report = Report::default();
    report
        .certain(
            Topic::Language,
            "Shell",
            if interpreter.is_some() {
                format!("{file}:1")
            } else {
                file.to_owned()
            },
        )
        .note(match interpreter {
            Some(shell) => format!("a script for {shell}"),
            None => "a script that names no shell".to_owned(),
        });
    let run = run(sources, file, interpreter);
    if by_name {
        report
            .likely(Topic::RunCommand, &run, file)
            .note(format!("{file} starts a program by its name"));
    } else {
        report
            .assumed(Topic::RunCommand, &run)
            .note(format!("{file} may be what starts it"));
        report.ask(
            format!("How is it started? nothing says; `{run}` assumed."),
            "write it into a Procfile: web: …",
        );
    }
    let mut application = Application {
        kind: "shell".to_owned(),
        language: "shell".to_owned(),
        entrypoint: Some(file.to_owned()),
        run_command: Some(run),
        ..Application::default()
    };
    if let Some((_, package)) = PACKAGES.iter().find(|(name, _)| *name == shell) {
        report
            .certain(Topic::SystemPackage, *package, format!("{file}:1"))
            .note("the script is for that shell");
        application.system_packages.push((*package).to_owned());
    }
    application.env = environment::told(&reads(file, &text), &mut report);
    Some(Found {
        // Other languages' programs are often started by scripts; who knows them stands first.
        strength: if by_name {
            Strength::Program
        } else {
            Strength::Sources
        },
        name: None,
        application,
        base_image: BASE_IMAGE.to_owned(),
        delegates: false,
        report,
    })
}

/// What starts a script: itself, where the kernel can do that, else its shell.
fn run(sources: &Sources<'_>, file: &str, interpreter: Option<&str>) -> String {
    if interpreter.is_some() && sources.is_executable(file) {
        format!("./{file}")
    } else {
        format!("{} {}", interpreter.unwrap_or("sh"), shell_quoted(file))
    }
}

/// What starts the script that starts a program by its name, where there is one.
pub(crate) fn start_script(sources: &Sources<'_>) -> Option<String> {
    let text = sources.has(STARTS).then(|| sources.text(STARTS))??;
    Some(run(sources, STARTS, interpreter(&text)))
}

/// The shell of a first line such as `#!/usr/bin/env bash`.
fn interpreter(text: &str) -> Option<&str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let words = line.split_whitespace();
    let mut programs = words
        .filter(|word| !word.starts_with('-'))
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .skip_while(|program| *program == "env");
    let program = programs.next()?;
    let known = ["sh", "bash", "dash", "zsh", "fish", "ksh", "mksh"];
    known.contains(&program).then_some(program)
}

/// `${NAME:-default}`, `${NAME:?}`: what a script says of a variable that it has not set itself.
fn reads(file: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for mut scan in Scan::behind(text, "${", &["#"]) {
        let from = format!("{file}:{}", scan.line());
        let Some(name) = scan.word() else {
            continue;
        };
        let named_like_a_setting = name
            .chars()
            .all(|one| one == '_' || one.is_ascii_uppercase() || one.is_ascii_digit());
        let sets_it = text
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{name}=")));
        if !named_like_a_setting || sets_it {
            continue;
        }
        let rest = scan.rest();
        let need = if rest.starts_with(":?") || rest.starts_with('?') {
            Need::Required
        } else if let Some(default) = rest.strip_prefix(":-").or(rest.strip_prefix('-')) {
            match default.split_once('}') {
                Some((default, _)) if !default.contains(['$', '\n', '"', '\'']) => {
                    Need::Default(default.to_owned())
                }
                _ => Need::Optional,
            }
        } else {
            Need::Optional
        };
        reads.push(Read {
            name: name.to_owned(),
            need,
            from,
        });
    }
    reads
}
