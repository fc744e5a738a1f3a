//! Jobs and what they came to.

use std::fmt::Write as _;

use ergon_server::api::{Job, PublishedPort, RunResult};
use jiff::Timestamp;

use crate::style;
use crate::table::{Table, pad};
use crate::words;

/// Jobs, newest first as they come.
pub fn list(jobs: &[Job], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["JOB", "WHAT", "PROJECT", "STATE", "WHEN", ""]);
    for job in jobs {
        table.row([
            job.id.clone(),
            job.kind.clone(),
            words::harmless(&job.project_name),
            style::state(&job.state),
            words::ago(&job.created_at, now),
            words::harmless(job.error.as_deref().unwrap_or_default()),
        ]);
    }
    if table.is_empty() {
        return "No jobs yet.  Begin one: ergon run <folder>\n".to_owned();
    }
    table.render(width)
}

/// One job with its steps.
pub fn show(job: &Job, now: Timestamp) -> String {
    let mut page = format!(
        "{} {} of {}   {}   {}\n",
        style::strong(&job.kind),
        job.id,
        words::harmless(&job.project_name),
        style::state(&job.state),
        words::ago(&job.created_at, now)
    );
    let second = job.steps.iter().position(|step| step.again);
    for (place, step) in job.steps.iter().enumerate() {
        if Some(place) == second {
            page.push_str("  again, under other conditions\n");
        }
        let took = step.milliseconds.map(words::duration).unwrap_or_default();
        let outcome = words::harmless(step.outcome.as_deref().unwrap_or_default());
        let line = format!(
            "  {} {} {}  {outcome}  {took}",
            pad(&step.name, 10),
            pad(&style::state(&step.state), 8),
            pad(&words::harmless(&step.detail), 40)
        );
        let _ = writeln!(page, "{}", line.trim_end());
    }
    if let Some(error) = &job.error {
        let _ = writeln!(page, "{} {}", style::bad("error:"), words::harmless(error));
    }
    if let Some(remedy) = &job.remedy {
        let _ = writeln!(
            page,
            " {} {}",
            style::strong("help:"),
            words::harmless(remedy)
        );
    }
    if let Some(result) = &job.result {
        page.push_str(&run_result(result));
    }
    page
}

/// What a run came to: the build, and each container with where it is and whom to ask.
pub fn run_result(result: &RunResult) -> String {
    let mut page = format!(
        "{}  {}   {}  {}   {}\n",
        label("build"),
        style::strong(words::short(&result.build_hash)),
        result.image,
        style::faint(&words::glimpse(&result.image_digest)),
        style::state(&result.reproducibility)
    );
    for container in &result.containers {
        let places: Vec<String> = container.ports.iter().map(place).collect();
        let line = format!(
            "{}  {}   {}   {}",
            label("container"),
            style::strong(&container.container),
            places.join("  "),
            style::state(&container.state)
        );
        let _ = writeln!(page, "{line}");
        let ask = format!("aish {} \"how are you?\"", container.companion);
        let _ = writeln!(
            page,
            "{}  {}   {}",
            label("companion"),
            style::strong(&container.companion),
            style::link(&ask)
        );
    }
    page
}

/// `http://127.0.0.1:18000 → 8000`.
pub fn place(port: &PublishedPort) -> String {
    let url = format!("http://{}:{}", port.address, port.host);
    format!("{} → {}", style::link(&url), port.container)
}

fn label(text: &str) -> String {
    pad(&style::faint(text), 9)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    #[test]
    fn a_run_ends_in_where_it_is_and_whom_to_ask() {
        assert_snapshot!(plain(&run_result(&examples::run_result())), @r#"
        build      4f1c09ab77e2   fastapi:4f1c09ab77e2  sha256:8be20000…   unproven
        container  fastapi   http://127.0.0.1:18000 → 8000   healthy
        companion  fastapi-ci   aish fastapi-ci "how are you?"
        "#);
    }

    #[test]
    fn an_empty_list_says_what_to_do_first() {
        assert_snapshot!(plain(&list(&[], now(), None)), @r"
        No jobs yet.  Begin one: ergon run <folder>
        ");
    }
}
