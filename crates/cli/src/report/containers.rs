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
    // Somebody may say nothing but what they are there for.
    let purpose = |companion: &Companion| {
        let purpose = companion.purpose.clone().unwrap_or_default();
        (purpose != said(companion)).then_some(purpose)
    };
    let has_purposes = companions
        .iter()
        .any(|companion| purpose(companion).is_some_and(|purpose| !purpose.is_empty()));
    let mut heads = vec!["NAME", "TYPE", "HEALTH", "SAYS"];
    heads.extend(has_purposes.then_some("PURPOSE"));
    let mut table = Table::of(heads.into_iter().map(str::to_owned).collect());
    for companion in companions {
        let mut row = vec![
            words::harmless(&companion.name),
            words::harmless(&companion.kind),
            style::state(&companion.health),
            words::harmless(said(companion)),
        ];
        row.extend(has_purposes.then(|| words::harmless(&purpose(companion).unwrap_or_default())));
        table.add(row);
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
    fn what_somebody_is_there_for_is_listed_where_anybody_said_so() {
        let companion = |name: &str, sentence: &str, purpose: Option<&str>| Companion {
            name: name.into(),
            kind: "external".into(),
            health: "up".into(),
            sentence: sentence.into(),
            purpose: purpose.map(str::to_owned),
            ..Companion::default()
        };
        let mut all = vec![companion("numa", "I plan.", Some("I plan."))];
        assert_snapshot!(plain(&companions(&all, None)), @r"
        NAME  TYPE      HEALTH  SAYS
        numa  external  up      I plan.
        ");
        all.push(companion(
            "web-ci",
            "I am well.",
            Some("runs our\u{1b}[2J tests"),
        ));
        assert_snapshot!(plain(&companions(&all, None)), @r"
        NAME    TYPE      HEALTH  SAYS        PURPOSE
        numa    external  up      I plan.
        web-ci  external  up      I am well.  runs our tests
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
