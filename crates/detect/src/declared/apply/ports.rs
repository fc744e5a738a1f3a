//! The port, as images and platforms say it.

use super::{Declared, Found, Said, confidence, fact_of, is_site};
use crate::analysis::{Confidence, Loser, Topic};
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
    let mut said = declared
        .ports
        .iter()
        .filter(|port| port.value >= FIRST && !OF_SERVICES.contains(&port.value));
    let Some(first) = said.next() else {
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
    // The command says the port that was assumed.
    if let (Some(before), Some(command)) = (
        found.application.ports.first().copied(),
        &mut found.application.run_command,
    ) {
        let replaced = command.replace(
            &format!("${{PORT:-{before}}}"),
            &format!("${{PORT:-{}}}", first.value),
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
    if let Some(variable) = found.application.env.get_mut("PORT")
        && variable.default.is_none()
        && !variable.required
    {
        variable.default = Some(first.value.to_string());
    }
    found.application.ports = ports;
}

/// Whether a command says where its program listens.
pub(super) fn are_in(command: &str) -> bool {
    let asks = command.contains("$PORT") || command.contains("${PORT");
    asks || written(command).is_some()
}

/// Gives a program that people talk to a port, as its command names it.
pub(super) fn of_command(command: &str, from: &str, found: &mut Found) {
    let written = written(command);
    let asks = command.contains("$PORT") || command.contains("${PORT");
    if let Some(number) = written {
        found.report.facts.retain(|fact| fact.topic != Topic::Port);
        let port = Port {
            number,
            from: Some(from.to_owned()),
            why: "the command that starts it says so".to_owned(),
        };
        found.application.ports = vec![found.report.port(&port)];
    } else if found.application.ports.is_empty() {
        let port = Port::usual(ANY, "PORT says which");
        found.application.ports = vec![found.report.port(&port)];
    }
    if asks {
        let default = found.application.ports.first().map(u16::to_string);
        let variable = found.application.env.entry("PORT".to_owned()).or_default();
        if variable.default.is_none() {
            variable.default = default;
        }
        variable.required = false;
        variable.from.get_or_insert_with(|| from.to_owned());
    }
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
