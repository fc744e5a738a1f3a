//! What the manifest accepts, what it refuses and how, and what its digests are.

// Helpers of tests fail loudly, as tests do.
#![allow(clippy::unwrap_used)]

mod golden;
mod properties;
mod refusals;
mod relations;
mod rfc8785;
mod schema;
mod texts;
mod vectors;

use std::fmt::Write as _;

/// The example manifest of the seed document, as it is written there.
pub const SEED_EXAMPLE: &str = include_str!("seed-example.json");

/// The diagnostics of `text`, as snapshots show them.
fn refusals(text: &str) -> String {
    let diagnostics = ergon_manifest::check(text).expect_err("the manifest was accepted");
    let mut shown = String::new();
    for found in diagnostics {
        let slice = &text[found.span.clone()];
        writeln!(
            shown,
            "{}:{} {} at {slice:.60}",
            found.line, found.column, found.code
        )
        .unwrap();
        writeln!(shown, "  {}", found.message).unwrap();
        writeln!(shown, "  help: {}", found.help.as_deref().unwrap_or("none")).unwrap();
    }
    shown
}

/// A manifest with one application that has `fields` beside what it must have.
fn with_application(fields: &str) -> String {
    format!(
        r#"{{
  "manifest_version": "1.0",
  "applications": {{
    "api": {{
      "type": "fastapi",
      "language": "python",
      {fields}
    }}
  }},
  "containers": {{ "web": {{ "base_image": "python:3.11", "applications": ["api"] }} }}
}}"#
    )
}

/// A manifest with one container that has `fields` beside what it must have.
fn with_container(fields: &str) -> String {
    with_containers(&format!(
        r#""web": {{
      "base_image": "python:3.11",
      "applications": ["api"],
      {fields}
    }}"#
    ))
}

/// A manifest with one application and these containers.
fn with_containers(containers: &str) -> String {
    format!(
        r#"{{
  "manifest_version": "1.0",
  "applications": {{ "api": {{ "type": "fastapi", "language": "python" }} }},
  "containers": {{
    {containers}
  }}
}}"#
    )
}

/// A manifest with one application, one container and `fields`.
fn with(fields: &str) -> String {
    format!(
        r#"{{
  "manifest_version": "1.0",
  "applications": {{ "api": {{ "type": "fastapi", "language": "python" }} }},
  "containers": {{ "web": {{ "base_image": "python:3.11", "applications": ["api"] }} }},
  {fields}
}}"#
    )
}
