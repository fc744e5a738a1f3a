//! How the program is started, as it is declared.

use super::super::{Start, Weight};
use super::{Declared, Found, add_note, confidence, fact_of, is_compiled, is_site, missing, ports};
use crate::analysis::{Confidence, Fact, Loser, Topic};
use crate::ecosystem::{self, Report, Strength, file_of};
use crate::sources::Sources;

/// Ends of the names of files that a program is started by.
const SOURCES: [&str; 9] = [
    ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".php", ".sh", ".pl",
];

pub(super) fn apply(sources: &Sources<'_>, declared: &Declared, found: &mut Found) {
    let (of_platform, mut starts): (Vec<&Start>, _) = declared
        .starts
        .iter()
        .partition(|start| is_same_server(start, found));
    for start in of_platform {
        if let Some(fact) = fact_of(&mut found.report, Topic::RunCommand) {
            fact.over.push(Loser {
                value: start.command.clone(),
                from: start.from.clone(),
            });
            add_note(
                fact,
                "the image's own server does what the platform's script does",
            );
        }
    }
    starts.sort_by_key(|start| std::cmp::Reverse(start.weight));
    let known = confidence(&found.report, Topic::RunCommand);
    let known = known.filter(|_| found.application.run_command.is_some());
    let others_start = known.is_some();
    let is_missing = ask_of_missing(sources, &mut starts, declared, others_start, found);
    let taken = starts.iter().position(|start| match start.weight {
        Weight::Written => true,
        Weight::Evidence => match known {
            Some(Confidence::Certain) => false,
            Some(_) => objection(sources, start, found).is_none(),
            None => true,
        },
        Weight::MayStart => known.is_none(),
    });
    let Some(start) = taken.map(|at| starts.remove(at)) else {
        for start in starts {
            if start.weight == Weight::Evidence {
                lose(sources, start, found);
            }
        }
        return;
    };
    let others = starts
        .into_iter()
        .filter(|other| other.weight > Weight::MayStart && other.command != start.command)
        .map(|other| Loser {
            value: other.command.clone(),
            from: other.from.clone(),
        });
    let others: Vec<_> = others.collect();
    take(sources, start, others, is_missing, found);
}

/// Asks where a file is that something starts, though it is nowhere; where another start is known, that is taken.
/// Whether it is started all the same.
fn ask_of_missing(
    sources: &Sources<'_>,
    starts: &mut Vec<&Start>,
    declared: &Declared,
    others_start: bool,
    found: &mut Found,
) -> bool {
    while let Some(start) = starts.first().copied() {
        // What an image starts counts for nothing where something else is known.
        let counts = match start.weight {
            Weight::Written => true,
            Weight::Evidence => !others_start,
            Weight::MayStart => false,
        };
        let missing = counts.then(|| missing::of_start(sources, start, declared, found));
        let Some(file) = missing.flatten() else {
            return false;
        };
        let from = sources.place(&start.from);
        let is_last = !others_start && starts.len() == 1;
        let instead = if is_last {
            ""
        } else {
            "; another start was taken"
        };
        found.report.ask(
            format!(
                "Where is {file}? {from} starts it, but it is not in the project, and nothing makes it{instead}."
            ),
            format!("add {file}, or correct {from}"),
        );
        if is_last {
            return true;
        }
        starts.remove(0);
        if let Some(fact) = fact_of(&mut found.report, Topic::RunCommand) {
            fact.over.push(Loser {
                value: start.command.clone(),
                from: start.from.clone(),
            });
            add_note(fact, &format!("{from} starts {file}, which is not there"));
        }
    }
    false
}

/// Whether a platform's script, which no image has, starts the server that is started anyway:
/// `heroku-php-apache2 web/`.
fn is_same_server(start: &Start, found: &Found) -> bool {
    let program = start.command.split(' ').next().unwrap_or("");
    let program = program.trim_start_matches("vendor/bin/");
    let serves = found.application.run_command.as_deref() == Some("apache2-foreground");
    serves && program.starts_with("heroku-php-") && !start.command.contains(['&', ';', '|'])
}

/// Starts the program as it is declared.
fn take(
    sources: &Sources<'_>,
    start: &Start,
    others: Vec<Loser>,
    is_missing: bool,
    found: &mut Found,
) {
    let script = without_shell(sources, &start.command);
    let read_by_shell = script.as_ref().map(|script| script.replacen("sh ", "", 1));
    let command = script.as_ref().unwrap_or(&start.command);
    let before = fact_of(&mut found.report, Topic::RunCommand).map(|fact| fact.as_loser());
    let before = before.filter(|loser| loser.value != *command);
    found
        .report
        .facts
        .retain(|fact| fact.topic != Topic::RunCommand);
    found.report.questions.retain(|asked| {
        !(asked.text.starts_with("How is it started")
            || asked.text.starts_with("Which file starts it")
            || asked.text.starts_with("Which program"))
    });
    let rule = match start.weight {
        Weight::Written => format!("{} is written for starting it", start.by),
        Weight::Evidence => format!("{} starts it so", start.by),
        Weight::MayStart => format!("{} starts a program by its name", start.by),
    };
    let fact = match start.weight {
        Weight::Written if !is_missing => {
            found
                .report
                .certain(Topic::RunCommand, command, &start.from)
        }
        _ => found.report.likely(Topic::RunCommand, command, &start.from),
    };
    fact.note(rule);
    if let Some(note) = &start.note {
        add_note(fact, note);
    }
    if let Some(script) = read_by_shell {
        let script = script.split(' ').next().unwrap_or(&script);
        add_note(fact, &format!("{script} names no shell that reads it"));
    }
    fact.over = before.into_iter().chain(others).collect();
    ask_of_outside(sources, start, &mut found.report);
    place(found, command);
    let language = found.application.language.as_str();
    if matches!(language, "go" | "rust") && names_more(sources, command, found) {
        found.application.artifacts.clear();
    }
    let is_file = |word: &&str| SOURCES.iter().any(|end| word.ends_with(end)) && sources.has(word);
    let file = command
        .split([' ', '=', ';', '\'', '"'])
        .map(|word| word.trim_start_matches("./"))
        .find(is_file);
    if let Some(file) = file {
        found.application.entrypoint = Some(file.to_owned());
    }
    found.application.run_command = Some(command.clone());
    found.delegates = false;
    found.strength = found.strength.max(Strength::Program);
    if start.serves || ports::are_in(command) {
        ports::of_command(command, &start.from, found);
    }
}

/// Whether a command names files that are not among those that the image takes: `./out --config prod.yaml`.
fn names_more(sources: &Sources<'_>, command: &str, found: &Found) -> bool {
    let artifacts = &found.application.artifacts;
    command
        .split([' ', '=', ';', '\'', '"'])
        .map(|word| word.trim_start_matches("./").trim_end_matches('/'))
        .filter(|word| !word.is_empty() && (sources.has(word) || sources.has_folder(word)))
        .any(|word| !artifacts.iter().any(|left| left == word))
}

/// A script that does not say which shell reads it is no program by itself: with the shell that reads it.
fn without_shell(sources: &Sources<'_>, command: &str) -> Option<String> {
    let script = command.split(' ').next()?;
    let file = script.trim_start_matches("./");
    let is_script = script.contains('/') && file.ends_with(".sh") && sources.has(file);
    let names_none = is_script && !sources.text(file)?.starts_with("#!");
    names_none.then(|| format!("sh {command}"))
}

/// Asks where a file is that is started, but lies outside of the project.
fn ask_of_outside(sources: &Sources<'_>, start: &Start, report: &mut Report) {
    let mut words = start.command.split([' ', '=', ';', '\'', '"']);
    let outside = words.find(|word| {
        let leads_up = word.starts_with("../") || word.starts_with("./..");
        leads_up && sources.full(word).is_none()
    });
    if let Some(word) = outside {
        let from = sources.place(&start.from);
        report.ask(
            format!(
                "Where is {word}? {from} starts it, but it lies outside of the project, and an image has no files from there."
            ),
            format!("move it into the project, and correct {from}"),
        );
    }
}

/// Sees to it that what is started is there: the right image, all files, a program of the right name.
fn place(found: &mut Found, command: &str) {
    if is_site(found) {
        // Something else than the site's server is to be started, so it starts where the site is built.
        let packing = ecosystem::packing(&found.application, &found.base_image);
        if let Some(toolchain) = packing.toolchain {
            found.base_image = toolchain.image;
        }
        found.application.health = None;
        found
            .application
            .build_commands
            .retain(|command| !command.contains(crate::web_server::CONFIG_FILE));
        found.report.facts.retain(|fact| {
            fact.topic != Topic::BuildCommand
                || !fact.value.contains(crate::web_server::CONFIG_FILE)
        });
        found.application.artifacts.clear();
        return;
    }
    let program = command.split(' ').find(|word| !word.contains('='));
    let program = program.unwrap_or("").trim_start_matches("./");
    let artifacts = &mut found.application.artifacts;
    let is_left = artifacts.iter().any(|left| {
        program
            .strip_prefix(left.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    // What `java` is to start stands behind its options: `-jar target/*.jar`.
    let is_left = is_left || {
        let jar = command.split_once(" -jar ").map(|(_, behind)| behind);
        let jar = jar.and_then(|behind| behind.split_whitespace().next());
        let jar = jar.unwrap_or("").trim_start_matches("./");
        program == "java" && artifacts.iter().any(|left| stands_for(jar, left))
    };
    if !is_left {
        artifacts.clear();
    }
    if found.application.language != "go" || program.is_empty() || program.starts_with('/') {
        return;
    }
    // What `go build` makes gets the name that is started.
    let builds = found
        .application
        .build_commands
        .iter_mut()
        .find(|line| line.contains("go build") && line.contains(" -o "));
    if let Some(build) = builds
        && let Some((head, tail)) = build.split_once(" -o ")
        && program
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "_-./".contains(one))
        && !program.contains("..")
    {
        let rest = tail.split_once(' ').map_or("", |(_, rest)| rest);
        let renamed = format!("{head} -o {program} {rest}").trim_end().to_owned();
        let mut facts = found.report.facts.iter_mut();
        if let Some(fact) =
            facts.find(|fact| fact.topic == Topic::BuildCommand && fact.value == *build)
        {
            fact.value.clone_from(&renamed);
        }
        *build = renamed;
    }
}

/// Whether a path, or a pattern with one `*`, names a file, or something in a folder.
fn stands_for(pattern: &str, left: &str) -> bool {
    let in_folder = pattern
        .strip_prefix(left)
        .is_some_and(|rest| rest.starts_with('/'));
    let matches = match pattern.split_once('*') {
        Some((head, tail)) => {
            left.len() >= head.len() + tail.len() && left.starts_with(head) && left.ends_with(tail)
        }
        None => pattern == left,
    };
    in_folder || matches
}

/// Shows what was not followed.
fn lose(sources: &Sources<'_>, start: &Start, found: &mut Found) {
    let why = objection(sources, start, found);
    let Some(fact) = fact_of(&mut found.report, Topic::RunCommand) else {
        return;
    };
    let is_known = |loser: &Loser| loser.value == start.command && loser.from == start.from;
    if fact.value == start.command
        || says_the_same(fact, &start.command)
        || fact.over.iter().any(is_known)
    {
        return;
    }
    fact.over.push(Loser {
        value: start.command.clone(),
        from: start.from.clone(),
    });
    let file = file_of(&fact.from);
    let rule = why.map_or_else(
        || format!("{file} goes before {}", start.by),
        |why| format!("{} says otherwise, but {why}", start.by),
    );
    add_note(fact, &rule);
}

/// `npm start` is `npm run start`.
fn says_the_same(fact: &Fact, command: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .filter(|word| *word != "run")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    plain(&fact.value) == plain(command)
}

/// Why a command of an image is not followed.
fn objection(sources: &Sources<'_>, start: &Start, found: &Found) -> Option<&'static str> {
    let words: Vec<_> = start.command.split_whitespace().collect();
    let for_development = [
        "dev",
        "develop",
        "runserver",
        "--reload",
        "nodemon",
        "watch",
        "--watch",
        "start:dev",
        "--debug",
    ];
    if words.iter().any(|word| for_development.contains(word)) {
        return Some("that is for development");
    }
    if is_site(found) {
        return Some("a site needs no more than a server of files");
    }
    if is_compiled(found) {
        return Some("it is built differently here");
    }
    let program = words.first()?;
    if program.starts_with('/') || program.contains("nginx") {
        return Some("nothing of that name is built here");
    }
    let missing = words.iter().any(|word| {
        let file = word.trim_start_matches("./");
        SOURCES.iter().any(|end| file.ends_with(end))
            && !file.contains(['$', '*', '='])
            && !sources.has(file)
            && found.application.build_commands.len() < 2
    });
    missing.then_some("there is no such file here")
}

/// What an unknown program still wants to be told.
pub(super) fn needs_settings(declared: &Declared, report: &mut Report) {
    if declared.builds.is_empty() {
        report.ask(
            "How is it built? no language that is known was found.",
            "write build_commands and base_image into ergon.json",
        );
    }
}
