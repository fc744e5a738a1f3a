//! What is declared, put over what the language's rules have found.

mod brought;
mod missing;
mod ports;
mod start;
mod unknown;
mod version;

use ergon_manifest::{Application, Health};

use super::{Declared, Said, images};
use crate::analysis::{Confidence, Fact, Topic};
use crate::ecosystem::{self, Found, Report};
use crate::environment::{self, Need, Read};
use crate::sources::Sources;
use crate::{services, web_server};

/// A program as it is declared; one that no language knows is one where something starts it.
pub fn apply(sources: &Sources<'_>, mut declared: Declared, found: Option<Found>) -> Option<Found> {
    // A script beside what an image brings is run by that.
    let is_script = |found: &Found| found.application.language == "shell";
    let found = if found.as_ref().is_none_or(is_script) {
        brought::program(sources, &mut declared).or(found)
    } else {
        found
    };
    let is_known = found.is_some();
    let mut found = match found {
        Some(found) => found,
        None if declared.starts() => unknown::program(&mut declared),
        None => return None,
    };
    version::apply(&declared, &mut found);
    builds(&declared, &mut found);
    start::apply(sources, &declared, &mut found);
    ports::apply(&declared, &mut found);
    rest(&declared, &mut found);
    if !is_known {
        start::needs_settings(&declared, &mut found.report);
    }
    found.report.questions.append(&mut declared.questions);
    Some(found)
}

/// Build commands: they take the place of those that build, and of those that install where they do that too.
fn builds(declared: &Declared, found: &mut Found) {
    let Some(builds) = declared.builds.first() else {
        return;
    };
    let application = &mut found.application;
    if matches!(application.language.as_str(), "go" | "rust") {
        // What those leave, and where, is for them to say.
        application.artifacts.clear();
    }
    let before = std::mem::take(&mut application.build_commands);
    let installs_too = builds.commands.iter().any(|command| installs(command));
    let stays = |command: &String| {
        builds.more
            || command.contains(web_server::CONFIG_FILE)
            || ((installs(command) || prunes(command)) && !installs_too)
    };
    let (kept, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(stays);
    let (last, kept): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .partition(|command| command.contains(web_server::CONFIG_FILE) || prunes(command));
    let is_gone = |fact: &Fact| fact.topic == Topic::BuildCommand && gone.contains(&fact.value);
    let mut losers: Vec<_> = found
        .report
        .facts
        .iter()
        .filter(|fact| is_gone(fact))
        .map(Fact::as_loser)
        .collect();
    found.report.facts.retain(|fact| !is_gone(fact));
    application.build_commands = kept
        .into_iter()
        .chain(builds.commands.iter().cloned())
        .chain(last)
        .collect();
    application.build_commands.dedup();
    for command in &builds.commands {
        let fact = found
            .report
            .certain(Topic::BuildCommand, command, &builds.from);
        fact.note(format!("{} is written for building it", builds.by));
        fact.over = std::mem::take(&mut losers);
    }
}

/// Whether a command takes away what was only needed to build.
fn prunes(command: &str) -> bool {
    command.starts_with("npm prune")
}

/// Whether a command gets the dependencies; it may do more.
pub(super) fn installs(command: &str) -> bool {
    const VERBS: [&str; 11] = [
        "install", "i", "ci", "sync", "download", "restore", "deps.get", "fetch", "get", "update",
        "cache",
    ];
    command.split("&&").any(|command| {
        let words: Vec<_> = command.split_whitespace().collect();
        words.iter().take(4).any(|word| VERBS.contains(word)) || words.as_slice() == ["yarn"]
    })
}

/// Packages, variables, volumes, services and how it is asked whether it is well.
fn rest(declared: &Declared, found: &mut Found) {
    let Found {
        application,
        report,
        ..
    } = found;
    for Said { value, from } in &declared.packages {
        if !application.system_packages.contains(value) {
            report.certain(Topic::SystemPackage, value, from);
            application.system_packages.push(value.clone());
        }
    }
    variables(declared, application, report);
    examples(declared, application, report);
    for Said { value, from } in &declared.volumes {
        if is_volume(value) && !application.volumes.contains(value) {
            report.certain(Topic::Volume, value, from);
            application.volumes.push(value.clone());
        }
    }
    for Said { value, from } in &declared.services {
        let service = (*value).to_owned();
        if !application.services.contains(&service) {
            report.certain(Topic::Service, images::service_label(value), from);
            application.services.push(service);
        }
    }
    application.services.sort();
    let labels = declared
        .services
        .iter()
        .map(|said| images::service_label(said.value));
    if labels
        .into_iter()
        .any(|label| services::DATABASES.contains(&label))
    {
        report
            .questions
            .retain(|asked| !asked.text.starts_with(services::WHICH_DATABASE));
    }
    let health = declared.health.iter().find(|said| {
        said.value.starts_with('/') && said.value.bytes().all(|b| b.is_ascii_graphic())
    });
    if let Some(Said { value, from }) = health
        && application.run_command.is_some()
        && !application.ports.is_empty()
        && !web_server::serves(application)
    {
        report.facts.retain(|fact| fact.topic != Topic::Health);
        report.certain(Topic::Health, format!("GET {value}"), from);
        application.health = Some(Health {
            path: value.clone(),
            port: None,
        });
    }
}

fn variables(declared: &Declared, application: &mut Application, report: &mut Report) {
    let reads: Vec<_> = declared
        .variables
        .iter()
        .filter(|variable| !application.env.contains_key(&variable.name))
        .map(|variable| Read {
            name: variable.name.clone(),
            need: match &variable.default {
                Some(default) if !is_secret(&variable.name) => Need::Default(default.clone()),
                _ if variable.required => Need::Required,
                _ => Need::Optional,
            },
            from: variable.from.clone(),
        })
        .collect();
    for (name, variable) in environment::variables(&reads) {
        let by = declared
            .variables
            .iter()
            .find(|declared| declared.name == name)
            .map_or("", |declared| declared.by);
        let from = variable.from.clone().unwrap_or_default();
        let what = match &variable.default {
            Some(default) => format!("{by} sets it to \"{default}\""),
            None if variable.required => format!("{by} requires it"),
            None => format!("{by} sets it"),
        };
        report.certain(Topic::Environment, &name, from).note(what);
        application.env.insert(name, variable);
    }
}

/// What only an example of its settings names.
fn examples(declared: &Declared, application: &mut Application, report: &mut Report) {
    let reads = declared.examples.iter().map(|variable| Read {
        name: variable.name.clone(),
        need: match &variable.default {
            Some(value) if !is_secret(&variable.name) => Need::Default(value.clone()),
            _ => Need::Optional,
        },
        from: variable.from.clone(),
    });
    let variables = environment::variables(&reads.collect::<Vec<_>>());
    let mut variables: Vec<_> = variables.into_iter().collect();
    variables.sort_by_key(|(_, variable)| environment::place(variable.from.as_deref()));
    for (name, variable) in variables {
        if application.env.contains_key(&name) {
            continue;
        }
        let from = variable.from.clone().unwrap_or_default();
        let fact = report.likely(Topic::Environment, &name, from);
        match &variable.default {
            Some(value) => fact.note(format!(
                "for example \"{value}\"; no code was seen to read it"
            )),
            None => fact.note("no code was seen to read it"),
        }
        application.env.insert(name, variable);
    }
}

/// Whether a variable's value is nobody's business.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    [
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "TOKEN",
        "API_KEY",
        "PRIVATE",
        "CREDENTIAL",
    ]
    .iter()
    .any(|word| name.contains(word))
        || name.ends_with("_KEY")
        || name.ends_with("_DSN")
}

fn is_volume(path: &str) -> bool {
    let Some(inner) = path.strip_prefix('/') else {
        return false;
    };
    !path.contains(|one: char| one.is_control() || one == '\\' || one == '$')
        && inner
            .split('/')
            .all(|element| !matches!(element, "" | "." | ".."))
}

/// The fact that says how the program is started, or on which port it listens.
fn fact_of(report: &mut Report, topic: Topic) -> Option<&mut Fact> {
    report.facts.iter_mut().find(|fact| fact.topic == topic)
}

/// How sure it is.
fn confidence(report: &Report, topic: Topic) -> Option<Confidence> {
    report
        .facts
        .iter()
        .find(|fact| fact.topic == topic)
        .map(|fact| fact.confidence)
}

/// Whether the program is built into something else in a stage of its own.
fn is_compiled(found: &Found) -> bool {
    /// Their sources are what runs, whatever stage brought what they need. What Rails writes into its own Dockerfile
    /// for every project says less of this one than its files do.
    const INTERPRETED: [&str; 3] = ["python", "javascript", "typescript"];
    let application = &found.application;
    let packing = ecosystem::packing(application, &found.base_image);
    packing.toolchain.is_some()
        && !is_site(found)
        && !INTERPRETED.contains(&application.language.as_str())
}

fn is_site(found: &Found) -> bool {
    web_server::serves(&found.application)
}

/// A note that goes on.
fn add_note(fact: &mut Fact, more: &str) {
    let note = match fact.note.take() {
        Some(note) if note.contains(more) => note,
        Some(note) => format!("{note}; {more}"),
        None => more.to_owned(),
    };
    fact.note(note);
}
