//! Projects as the stack knows them.

use std::fmt::Write as _;

use ergon_server::api::Project;
use jiff::Timestamp;

use crate::style;
use crate::table::{Table, pad};
use crate::words;

pub fn added(project: &Project) -> String {
    let mut page = format!(
        "{} is added   {}\n",
        style::strong(&words::harmless(&project.name)),
        facts(project)
    );
    if let Some(problem) = &project.problem {
        let _ = writeln!(
            page,
            "{} {}",
            style::warning("but:"),
            words::harmless(problem)
        );
    }
    let _ = writeln!(
        page,
        "Next:  {}",
        style::link(&format!("ergon run {}", project.folder))
    );
    page
}

pub fn list(projects: &[Project], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["PROJECT", "IS", "LAST BUILD", "CONTAINERS", "WHERE"]);
    for project in projects {
        let build = project.last_build.as_ref().map_or("—".to_owned(), |build| {
            format!(
                "{} {}",
                words::short(&build.build_hash),
                words::ago(&build.started_at, now)
            )
        });
        let containers: Vec<String> = project
            .containers
            .iter()
            .map(|container| {
                format!(
                    "{} ({})",
                    words::harmless(&container.name),
                    style::state(&container.wellness)
                )
            })
            .collect();
        table.row([
            words::harmless(&project.name),
            facts(project),
            build,
            containers.join(", "),
            words::harmless(&project.location),
        ]);
    }
    if table.is_empty() {
        return "No projects yet.  Add one: ergon project add <folder | git URL>\n".to_owned();
    }
    table.render(width)
}

pub fn show(project: &Project, now: Timestamp) -> String {
    let mut page = format!(
        "{}   {}\n",
        style::strong(&words::harmless(&project.name)),
        facts(project)
    );
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(page, "  {}{value}", pad(&style::faint(label), 12));
        }
    };
    line("where", &words::harmless(&project.location));
    line("git", project.git.as_deref().unwrap_or_default());
    line("id", &project.id);
    line(
        "manifest",
        project.manifest_digest.as_deref().unwrap_or_default(),
    );
    if let Some(build) = &project.last_build {
        let when = words::ago(&build.started_at, now);
        line(
            "last build",
            &format!(
                "{}  {}  {when}",
                words::short(&build.build_hash),
                style::state(&build.state)
            ),
        );
    }
    if let Some(job) = &project.active_job {
        line(
            "now",
            &format!("{} {} ({})", job.kind, style::state(&job.state), job.id),
        );
    }
    for container in &project.containers {
        line(
            "container",
            &format!(
                "{}  {}",
                words::harmless(&container.name),
                words::harmless(&container.sentence)
            ),
        );
    }
    line("companion", &words::harmless(&project.companion));
    line("added", &words::ago(&project.added_at, now));
    if let Some(problem) = &project.problem {
        let _ = writeln!(
            page,
            "{} {}",
            style::bad("problem:"),
            words::harmless(problem)
        );
    }
    page
}

/// `FastAPI · Python 3.11 · git main@1a2b3c4`.
fn facts(project: &Project) -> String {
    let git = project.git.as_ref().map(|git| format!("git {git}"));
    let facts: Vec<String> = [&project.framework, &project.language, &git]
        .into_iter()
        .flatten()
        .map(|fact| words::harmless(fact))
        .collect();
    facts.join(" · ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    #[test]
    fn a_new_project_says_what_comes_next() {
        assert_snapshot!(plain(&added(&examples::project())), @r"
        shop is added   FastAPI · Python 3.11 · git main@1a2b3c4
        Next:  ergon run /code/shop
        ");
    }

    #[test]
    fn projects_are_one_line_each() {
        assert_snapshot!(plain(&list(&[examples::project()], now(), None)), @r"
        PROJECT  IS                                        LAST BUILD              CONTAINERS        WHERE
        shop     FastAPI · Python 3.11 · git main@1a2b3c4  4f1c09ab77e2 6 min ago  fastapi (unwell)  /code/shop
        ");
    }
}
