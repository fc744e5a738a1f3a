//! The port, as images and platforms say it.

use super::{Declared, Found, Said, confidence, fact_of, is_site};
use crate::analysis::{Confidence, Fact, Loser, Topic};
use crate::ecosystem::Port;

/// Ports below are for those who run as root.
const FIRST: u16 = 1024;
/// Ports of services that a program talks to.
const OF_SERVICES: [u16; 9] = [3306, 5432, 5672, 6379, 9092, 9200, 11211, 15672, 27017];
/// Where nothing says which, and somebody is to be told one.
const ANY: u16 = 8080;

pub(super) fn apply(declared: &Declared, found: &mut Found) {
    if found.application.run_command.is_none() || is_site(found) {
        return;
    }
    if let Some(set) = &declared.port_variable
        && set_by_variable(set, found)
    {
        return;
    }
    let mut said = declared
        .ports
        .iter()
        .filter(|port| port.value >= FIRST && !OF_SERVICES.contains(&port.value));
    let Some(first) = said.next() else {
        forwarded(declared, found);
        return;
    };
    let sure = confidence(&found.report, Topic::Port);
    if !matches!(sure, None | Some(Confidence::Assumed)) {
        let known = found.application.ports.contains(&first.value);
        if let Some(fact) = fact_of(&mut found.report, Topic::Port)
            && !known
        {
            fact.over.push(Loser {
                value: first.value.to_string(),
                from: first.from.clone(),
            });
            let rule = format!("what listens goes before {}", first.from);
            super::add_note(fact, &rule);
        }
        return;
    }
    let file = |said: &Said<u16>| said.from.rsplit_once(':').map(|(file, _)| file.to_owned());
    let others = said.filter(|port| file(port) == file(first));
    let mut ports = vec![first.value];
    for port in others {
        if !ports.contains(&port.value) {
            ports.push(port.value);
        }
    }
    found.report.facts.retain(|fact| fact.topic != Topic::Port);
    found
        .report
        .questions
        .retain(|asked| !asked.text.starts_with("Which port"));
    found
        .report
        .certain(Topic::Port, first.value.to_string(), &first.from);
    follow(first.value, found);
    if let Some(variable) = found.application.env.get_mut("PORT")
        && variable.default.is_none()
        && !variable.required
    {
        variable.default = Some(first.value.to_string());
    }
    found.application.ports = ports;
}

/// Where the program takes its port from `PORT`, what that is set to decides.
fn set_by_variable(set: &Said<u16>, found: &mut Found) -> bool {
    let command = found.application.run_command.as_deref().unwrap_or("");
    let number = set.value;
    if number < FIRST || !(are_asked(command) || found.application.env.contains_key("PORT")) {
        return false;
    }
    let before = fact_of(&mut found.report, Topic::Port).map(|fact| fact.as_loser());
    found.report.facts.retain(|fact| fact.topic != Topic::Port);
    let from = set.from.as_str();
    let fact = found.report.certain(Topic::Port, number.to_string(), from);
    fact.note(format!("{from} sets PORT"));
    let otherwise = |loser: &Loser| loser.value != number.to_string() && !loser.from.is_empty();
    fact.over = before.into_iter().filter(otherwise).collect();
    found
        .report
        .questions
        .retain(|asked| !asked.text.starts_with("Which port"));
    follow(number, found);
    let variable = found.application.env.entry("PORT".to_owned()).or_default();
    variable.default = Some(number.to_string());
    variable.required = false;
    variable.from = Some(from.to_owned());
    let of_variable = |fact: &&mut Fact| fact.topic == Topic::Environment && fact.value == "PORT";
    if let Some(fact) = found.report.facts.iter_mut().find(of_variable) {
        from.clone_into(&mut fact.from);
        fact.note(format!("set to \"{number}\""));
    }
    found.application.ports = vec![number];
    true
}

/// What people look at while they work on it is likely where it listens, if nothing else says.
fn forwarded(declared: &Declared, found: &mut Found) {
    let mut all = declared
        .forwarded
        .iter()
        .filter(|port| port.value >= FIRST && !OF_SERVICES.contains(&port.value));
    let sure = confidence(&found.report, Topic::Port);
    if !matches!(sure, None | Some(Confidence::Assumed)) || declared.forwarded.is_empty() {
        return;
    }
    let usual = found.application.ports.first().copied();
    let said = all
        .clone()
        .find(|port| Some(port.value) == usual)
        .or_else(|| all.next());
    let Some(Said { value, from }) = said else {
        return;
    };
    found.report.facts.retain(|fact| fact.topic != Topic::Port);
    found
        .report
        .likely(Topic::Port, value.to_string(), from)
        .note("forwarded while one works on it; nothing else says");
    follow(*value, found);
    found.application.ports = vec![*value];
}

/// The command says the port that was assumed.
fn follow(number: u16, found: &mut Found) {
    if let (Some(before), Some(command)) = (
        found.application.ports.first().copied(),
        &mut found.application.run_command,
    ) {
        let replaced = command.replace(
            &format!("${{PORT:-{before}}}"),
            &format!("${{PORT:-{number}}}"),
        );
        if replaced != *command {
            if let Some(fact) = fact_of(&mut found.report, Topic::RunCommand)
                && fact.value == *command
            {
                fact.value.clone_from(&replaced);
            }
            *command = replaced;
        }
    }
}

/// Whether a command says where its program listens.
pub(super) fn are_in(command: &str) -> bool {
    are_asked(command) || written(command).is_some()
}

/// Whether a command takes the port from its environment.
fn are_asked(command: &str) -> bool {
    command.contains("$PORT") || command.contains("${PORT")
}

/// Gives a program that people talk to a port, as its command names it.
pub(super) fn of_command(command: &str, from: &str, found: &mut Found) {
    let written = written(command);
    let asks = are_asked(command);
    if let Some(number) = written {
        found.report.facts.retain(|fact| fact.topic != Topic::Port);
        let port = Port {
            number,
            from: Some(from.to_owned()),
            why: "the command that starts it says so".to_owned(),
        };
        found.application.ports = vec![found.report.port(&port)];
    } else if found.application.ports.is_empty() {
        let port = Port {
            number: ANY,
            from: None,
            why: "people talk to it, but nothing in the project says where".to_owned(),
        };
        found.application.ports = vec![found.report.port(&port)];
    }
    if asks || binds_where_told(command) && written.is_none() {
        if asks
            && let Some(fact) = fact_of(&mut found.report, Topic::Port)
            && fact.confidence == Confidence::Assumed
        {
            fact.note(format!("{from} takes it from PORT, which the image sets"));
        }
        let default = found.application.ports.first().map(u16::to_string);
        let variable = found.application.env.entry("PORT".to_owned()).or_default();
        if variable.default.is_none() {
            variable.default = default;
        }
        variable.required = false;
        variable.from.get_or_insert_with(|| from.to_owned());
    }
}

/// Whether the server listens for others only where `PORT` says so.
fn binds_where_told(command: &str) -> bool {
    let is_configured = [" -c", " --config", " -b", " --bind"]
        .iter()
        .any(|option| command.contains(option));
    command.split(' ').any(|word| word == "gunicorn") && !is_configured
}

/// `--port 8000`, `-p 8000`, `--bind 0.0.0.0:8000`, `${PORT:-8000}`.
fn written(command: &str) -> Option<u16> {
    if let Some((_, behind)) = command.split_once("${PORT:-") {
        return behind.split('}').next().and_then(crate::scan::port);
    }
    let words: Vec<_> = command
        .split([' ', '='])
        .map(|word| word.trim_matches(['"', '\'']))
        .filter(|word| !word.is_empty())
        .collect();
    let options = [
        "--port",
        "-p",
        "-Dserver.port",
        "--server.port",
        "--bind",
        "-b",
        "--http",
        "--address",
    ];
    words.windows(2).find_map(|pair| {
        options.contains(&pair[0]).then_some(())?;
        let number = pair[1].rsplit(':').next().unwrap_or(pair[1]);
        crate::scan::port(number).filter(|port| *port >= FIRST)
    })
}
