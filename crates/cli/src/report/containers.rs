//! Containers and companions.

use std::fmt::Write as _;

use ergon_server::api::{Companion, Container, ContainerSummary, FoundService, PublishedPort};
use jiff::Timestamp;

use crate::report::{jobs, replies};
use crate::style;
use crate::table::Table;
use crate::words;

pub fn list(containers: &[ContainerSummary], width: Option<usize>) -> String {
    let mut table = Table::new(["CONTAINER", "STATE", "PORTS", "COMPANION", "SAYS"]);
    for container in containers {
        table.row([
            words::harmless(&container.name),
            state(container),
            container
                .ports
                .iter()
                .map(short_place)
                .collect::<Vec<_>>()
                .join(" "),
            words::harmless(&container.companion),
            words::harmless(&container.sentence),
        ]);
    }
    if table.is_empty() {
        return "No containers yet.  Start one: ergon run <folder>\n".to_owned();
    }
    table.render(width)
}

/// `running, well`: the engine's word, and the companion's where it has more to say.
fn state(container: &ContainerSummary) -> String {
    let engine = style::state(&container.state);
    match container.wellness.as_str() {
        "unknown" | "stopped" => engine,
        wellness => format!("{engine}, {}", style::state(wellness)),
    }
}

fn short_place(port: &PublishedPort) -> String {
    format!("{}→{}", port.host, port.container)
}

pub fn show(container: &Container, now: Timestamp) -> String {
    let summary = &container.summary;
    let mut page = format!(
        "{}   {}\n",
        style::strong(&words::harmless(&summary.name)),
        state(summary)
    );
    let _ = writeln!(page, "{}\n", words::harmless(&summary.sentence));
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(
                page,
                "  {}{value}",
                crate::table::pad(&style::faint(label), 12)
            );
        }
    };
    line("companion", &words::harmless(&summary.companion));
    line("image", summary.image.as_deref().unwrap_or_default());
    line(
        "digest",
        summary.image_digest.as_deref().unwrap_or_default(),
    );
    line(
        "build",
        summary
            .build_hash
            .as_deref()
            .map(words::short)
            .unwrap_or_default(),
    );
    line("id", words::short(&summary.id));
    for port in &summary.ports {
        line("port", &jobs::place(port));
    }
    if let Some(started) = &summary.started_at {
        line("started", &words::ago(started, now));
    }
    if let Some(memory) = container.memory {
        let limit = container
            .memory_limit
            .map_or("no limit".to_owned(), |limit| {
                format!("of {}", words::size(limit))
            });
        line("memory", &format!("{}, {limit}", words::size(memory)));
    }
    line("restarts", &container.restarts.to_string());
    for service in &container.services {
        line("service", &found(service));
    }
    page.push_str(&replies::findings(&container.findings));
    page.push_str(&replies::evidence(&container.evidence));
    page
}

fn found(service: &FoundService) -> String {
    let ports: Vec<String> = service
        .ports
        .iter()
        .map(|port| format!(":{port}"))
        .collect();
    let ports = if ports.is_empty() {
        String::new()
    } else {
        format!(" on {}", ports.join(" "))
    };
    let version = service
        .version
        .as_ref()
        .map(|version| format!(" {}", words::harmless(version)))
        .unwrap_or_default();
    format!(
        "{}{version}, {}{ports} (pid {})",
        words::harmless(&service.name),
        words::harmless(&service.role),
        service.pid
    )
}

/// What it says of itself, or what is said of it.
fn said(companion: &Companion) -> &str {
    match &companion.reason {
        Some(reason) if companion.health != "up" || companion.sentence.is_empty() => reason,
        _ => &companion.sentence,
    }
}

/// Who is in the directory.
pub fn companions(companions: &[Companion], width: Option<usize>) -> String {
    let mut table = Table::new(["NAME", "TYPE", "HEALTH", "SAYS"]);
    for companion in companions {
        table.row([
            words::harmless(&companion.name),
            words::harmless(&companion.kind),
            style::state(&companion.health),
            words::harmless(said(companion)),
        ]);
    }
    if table.is_empty() {
        return "Nobody is here yet.\n".to_owned();
    }
    table.render(width)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    #[test]
    fn containers_are_listed_with_what_their_companions_say() {
        assert_snapshot!(plain(&list(&[examples::container()], None)), @r"
        CONTAINER  STATE            PORTS       COMPANION   SAYS
        fastapi    running, unwell  18000→8000  fastapi-ci  I answer, but DATABASE_URL is not set.
        ");
    }

    #[test]
    fn a_container_is_shown_as_its_companion_sees_it() {
        assert_snapshot!(plain(&show(&examples::container_in_full(), now())), @r"
        fastapi   running, unwell
        I answer, but DATABASE_URL is not set.

          companion   fastapi-ci
          image       fastapi:4f1c09ab77e2
          digest      sha256:8be2000000000000000000000000000000000000000000000000000000000000
          build       4f1c09ab77e2
          id          0123456789ab
          port        http://127.0.0.1:18000 → 8000
          started     6 min ago
          memory      48 MB, no limit
          restarts    0
          service     uvicorn, web server on :8000 (pid 1)
        ");
    }
}
