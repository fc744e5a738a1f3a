//! What a look inside a container shows.

use std::fmt::Write as _;

use ergon_server::api::{Entry, Inside, Place};

use crate::table::Table;
use crate::{style, words};

/// What runs, what is connected, what is in the environment; with `place` only what lies at a path.
pub fn show(inside: &Inside, only_place: bool, width: Option<usize>) -> String {
    let mut page = String::new();
    if !only_place {
        let _ = writeln!(page, "{}", style::strong("Processes"));
        for process in &inside.processes {
            let _ = writeln!(
                page,
                "  {:>7} {} {}{}",
                process.pid,
                process.state,
                "  ".repeat(process.depth.min(20) as usize),
                words::on_one_line(&process.command)
            );
        }
        let mut table = Table::new(["  STATE", "LOCAL", "REMOTE", "PROCESS"]);
        for socket in &inside.sockets {
            table.row([
                format!("  {}", socket.state),
                socket.local.clone(),
                socket.remote.clone().unwrap_or_default(),
                socket.pid.map(|pid| pid.to_string()).unwrap_or_default(),
            ]);
        }
        if !table.is_empty() {
            let _ = write!(
                page,
                "\n{}\n{}",
                style::strong("Sockets"),
                table.render(width)
            );
        }
        let names: Vec<String> = inside
            .environment
            .iter()
            .map(|name| words::harmless(name))
            .collect();
        let _ = writeln!(
            page,
            "\n{}  {}\n  {}\n",
            style::strong("Environment"),
            style::faint("names only"),
            names.join(" ")
        );
    }
    place(&inside.place, width, &mut page);
    page
}

fn place(place: &Place, width: Option<usize>, page: &mut String) {
    let size = place
        .size
        .map(|size| format!("  {}", words::size(size)))
        .unwrap_or_default();
    let _ = writeln!(
        page,
        "{}  {}{size}",
        style::strong(&words::harmless(&place.path)),
        words::harmless(&place.kind)
    );
    if let Some(reason) = &place.reason {
        let _ = writeln!(page, "  {}", words::harmless(reason));
    }
    let mut table = Table::new(["  MODE", "OWNER", "SIZE", "CHANGED", "NAME"]);
    for entry in &place.entries {
        table.row([
            format!("  {}{}", letter(entry), words::harmless(&entry.mode)),
            format!("{}:{}", entry.user, entry.group),
            words::size(entry.size),
            words::harmless(&entry.changed),
            name(entry),
        ]);
    }
    if !table.is_empty() {
        page.push_str(&table.render(width));
    }
    for line in &place.lines {
        let _ = writeln!(page, "  {}", words::harmless(line));
    }
    if place.is_cut {
        let _ = writeln!(page, "  {}", style::faint("… there is more"));
    }
}

fn letter(entry: &Entry) -> char {
    match entry.kind.as_str() {
        "folder" => 'd',
        "link" => 'l',
        "pipe" => 'p',
        "socket" => 's',
        "device" => 'c',
        _ => '-',
    }
}

fn name(entry: &Entry) -> String {
    let name = words::on_one_line(&entry.name);
    match &entry.target {
        Some(target) => format!("{name} → {}", words::on_one_line(target)),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use ergon_server::api::{InsideProcess, InsideSocket};
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn everything_inside_is_shown_and_steers_no_terminal() {
        let process = |pid, depth, command: &str| InsideProcess {
            pid,
            state: "S".to_owned(),
            command: command.to_owned(),
            depth,
            ..InsideProcess::default()
        };
        let entry = |name: &str, kind: &str, target: Option<&str>| Entry {
            name: name.to_owned(),
            kind: kind.to_owned(),
            size: 2048,
            mode: "rwxr-xr-x".to_owned(),
            changed: "2026-11-20T14:02:11Z".to_owned(),
            target: target.map(str::to_owned),
            ..Entry::default()
        };
        let inside = Inside {
            container: "web".to_owned(),
            processes: vec![
                process(10, 0, "nginx: master"),
                process(11, 1, "nginx: \u{1b}[2Jworker"),
            ],
            sockets: vec![InsideSocket {
                state: "listen".to_owned(),
                local: "*:80".to_owned(),
                pid: Some(10),
                ..InsideSocket::default()
            }],
            environment: vec!["DB_PASSWORD".to_owned(), "PATH".to_owned()],
            place: Place {
                path: "/etc".to_owned(),
                kind: "folder".to_owned(),
                entries: vec![
                    entry("nginx", "folder", None),
                    entry("mtab", "link", Some("/proc/mounts")),
                ],
                is_cut: true,
                ..Place::default()
            },
            ..Inside::default()
        };
        assert_snapshot!(show(&inside, false, None));
    }
}
