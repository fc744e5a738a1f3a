//! `Procfile`: `web: gunicorn app:app`, one process to a line.

use super::Declared;
use crate::sources::Sources;

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    let Some((file, text)) = ["Procfile", "procfile"]
        .into_iter()
        .filter(|file| sources.has(file))
        .find_map(|file| Some((file, sources.text(file)?)))
    else {
        return;
    };
    let processes: Vec<_> = text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (name, command) = line.trim().split_once(':')?;
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || "_-".contains(one));
            let command = command.trim();
            (is_name && !command.is_empty()).then_some((name, command, index + 1))
        })
        .collect();
    let release = processes.iter().find(|(name, ..)| *name == "release");
    let mut others = processes.iter().filter(|(name, ..)| *name != "release");
    let Some((name, command, line)) = ["web", "worker"]
        .iter()
        .find_map(|wanted| processes.iter().find(|(name, ..)| name == wanted))
        .or_else(|| others.next())
    else {
        return;
    };
    if let Some(start) = declared.start(command, format!("{file}:{line}"), "the Procfile") {
        start.serves = *name == "web";
        start.note = release.map(|(_, command, line)| {
            format!("{file}:{line} wants `{command}` to be run before each release")
        });
    }
    let left: Vec<_> = processes
        .iter()
        .map(|(name, ..)| *name)
        .filter(|other| other != name && *other != "release")
        .collect();
    if !left.is_empty() {
        declared.ask(
            format!(
                "Start {} too? {file} has more than one process; only {name} was taken.",
                left.join(" and ")
            ),
            "add an application with its run_command to ergon.json",
        );
    }
}
