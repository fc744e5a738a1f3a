//! What detection found, as a page: each claim with the place it was read from.

use std::fmt::Write as _;

use ergon_detect::analysis::{Analysis, Fact, Question, Topic};
use ergon_manifest::Application;

use crate::style;
use crate::table::{pad, visible};
use crate::words;

const LABEL_WIDTH: usize = 14;
/// A value longer than this does not push the places of all others away.
const WIDEST_VALUE: usize = 36;

/// The page for people.
pub fn render(analysis: &Analysis) -> String {
    let mut page = String::new();
    for (name, application) in &analysis.manifest.applications {
        let facts: Vec<&Fact> =
            analysis.facts.iter().filter(|fact| fact.application.as_ref().is_none_or(|of| of == name)).collect();
        if !page.is_empty() {
            page.push('\n');
        }
        heading(&mut page, name, application, &facts);
        table(&mut page, &facts);
    }
    questions(&mut page, &analysis.questions);
    page
}

/// The page where nothing was recognised: what was looked for, and what to write by hand.
pub fn render_unknown(folder: &str, analysis: &Analysis) -> String {
    let mut page = format!("Nothing in {} was recognised.\n", words::harmless(folder));
    if !analysis.looked_for.is_empty() {
        page.push_str("\nLooked for:\n");
        for what in &analysis.looked_for {
            let _ = writeln!(page, "  {}", words::harmless(what));
        }
    }
    page.push_str("\nIf you know how it is built and started, say so in ergon.json:\n\n");
    page.push_str(BY_HAND);
    page.push_str("\n`ergon manifest check` says whether it is right; `ergon manifest schema` describes every field.\n");
    questions(&mut page, &analysis.questions);
    page
}

/// The least that makes a program Ergon does not know into an image.
const BY_HAND: &str = r#"  {
    "manifest_version": "1.0",
    "applications": {
      "app": {
        "type": "service",
        "language": "python",
        "build_commands": ["make"],
        "run_command": "./app",
        "ports": [8080]
      }
    },
    "containers": {
      "app": {
        "base_image": "debian:bookworm-slim",
        "applications": ["app"],
        "ports": [8080]
      }
    }
  }
"#;

fn heading(page: &mut String, name: &str, application: &Application, facts: &[&Fact]) {
    let language = facts
        .iter()
        .find(|fact| fact.topic == Topic::Language)
        .map_or(application.language.as_str(), |fact| fact.value.as_str());
    let what = if application.ports.is_empty() { "a program" } else { "a web service" };
    let _ = writeln!(page, "{}  ·  {what} in {}", style::strong(&words::harmless(name)), words::harmless(language));
}

fn table(page: &mut String, facts: &[&Fact]) {
    let rows: Vec<Row> = TOPICS
        .iter()
        .flat_map(|(topic, label)| {
            let of_topic = facts.iter().filter(move |fact| fact.topic == *topic);
            // A label stands once, over all that it is true of.
            of_topic.enumerate().map(move |(index, fact)| Row::of(if index == 0 { label } else { "" }, fact))
        })
        .collect();
    let value_width = rows.iter().map(|row| visible(&row.value)).filter(|width| *width <= WIDEST_VALUE).max();
    let place_width = rows.iter().filter(|row| !row.note.is_empty()).map(|row| visible(&row.from)).max();
    for row in &rows {
        let label = pad(&style::faint(row.label), LABEL_WIDTH);
        let value = pad(&row.value, value_width.unwrap_or_default());
        let place = match (row.from.is_empty(), row.note.is_empty()) {
            (true, _) => row.note.clone(),
            (false, true) => row.from.clone(),
            (false, false) => format!("{}  {}", pad(&row.from, place_width.unwrap_or_default()), row.note),
        };
        let _ = writeln!(page, "{}", format!("  {label}{value}  {}", style::faint(&place)).trim_end());
    }
}

struct Row {
    label: &'static str,
    value: String,
    from: String,
    note: String,
}

impl Row {
    fn of(label: &'static str, fact: &Fact) -> Self {
        let note = fact.note.as_deref().unwrap_or_default();
        Self {
            label,
            value: words::harmless(&fact.value),
            from: words::harmless(&fact.from),
            note: words::harmless(note),
        }
    }
}

/// The topics in the order they are read; the language stands in the heading.
const TOPICS: [(Topic, &str); 13] = [
    (Topic::Framework, "framework"),
    (Topic::Runtime, "runtime"),
    (Topic::PackageManager, "packages"),
    (Topic::Dependencies, "dependencies"),
    (Topic::BuildCommand, "build"),
    (Topic::RunCommand, "start"),
    (Topic::Port, "port"),
    (Topic::Health, "health"),
    (Topic::Environment, "environment"),
    (Topic::Service, "needs"),
    (Topic::SystemPackage, "system"),
    (Topic::Volume, "volumes"),
    (Topic::Pinned, "pinned"),
];

fn questions(page: &mut String, questions: &[Question]) {
    if questions.is_empty() {
        return;
    }
    let count = words::count(questions.len(), "question");
    let mut label = style::warning(&format!("{count}:"));
    for question in questions {
        let text = words::harmless(&question.text);
        let remedy = words::harmless(&question.remedy);
        let _ = writeln!(page, "{label}  {text} {}", style::strong(&remedy));
        label = " ".repeat(count.len() + 1);
    }
}
