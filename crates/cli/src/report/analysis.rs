//! What detection found, as a page: each claim with the place it was read from.

use std::fmt::Write as _;

use ergon_detect::analysis::{Analysis, Fact, Question, Topic};
use ergon_manifest::Application;

use crate::style;
use crate::table::{pad, visible, wrap};
use crate::words;

const LABEL_WIDTH: usize = 14;
/// Where the claims begin.
const VALUES_AT: usize = 2 + LABEL_WIDTH;
/// In fewer columns than these nothing is written beside something else.
const NARROWEST: usize = 24;
/// What is longer than this does not push everything beside it away.
const WIDEST: usize = 36;

/// The page for people. `width` is the terminal's; into a pipe nothing is broken.
pub fn render(analysis: &Analysis, width: Option<usize>) -> String {
    let mut page = String::new();
    for (name, application) in &analysis.manifest.applications {
        let facts: Vec<&Fact> = analysis
            .facts
            .iter()
            .filter(|fact| fact.application.as_ref().is_none_or(|of| of == name))
            .collect();
        if !page.is_empty() {
            page.push('\n');
        }
        heading(&mut page, name, application);
        table(&mut page, &facts, width);
    }
    let several = analysis.manifest.applications.len() > 1;
    questions(&mut page, &analysis.questions, several, width);
    page
}

/// The page where nothing was recognised: what was looked for, and what to write by hand.
pub fn render_unknown(folder: &str, analysis: &Analysis, width: Option<usize>) -> String {
    let mut page = format!("Nothing in {} was recognised.\n", words::harmless(folder));
    if !analysis.questions.is_empty() {
        page.push('\n');
        questions(&mut page, &analysis.questions, false, width);
    }
    if !analysis.looked_for.is_empty() {
        page.push_str("\nLooked for:\n");
        for what in &analysis.looked_for {
            let _ = writeln!(page, "  {}", words::harmless(what));
        }
    }
    page.push_str("\nIf you know how it is built and started, say so in ergon.json:\n\n");
    page.push_str(BY_HAND);
    page.push_str("\n`ergon manifest check` says whether it is right; `ergon manifest schema` describes every field.\n");
    page
}

/// The least that makes a program Ergon does not know into an image.
const BY_HAND: &str = r#"  {
    "manifest_version": "1.0",
    "applications": {
      "app": {
        "type": "service",
        "language": "other",
        "build_commands": ["sh build.sh"],
        "run_command": "sh serve.sh",
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

fn heading(page: &mut String, name: &str, application: &Application) {
    let _ = writeln!(
        page,
        "{}  ·  {}",
        style::strong(&words::harmless(name)),
        words::harmless(&ergon_detect::headline(application))
    );
}

fn table(page: &mut String, facts: &[&Fact], width: Option<usize>) {
    let rows: Vec<Row> = TOPICS
        .iter()
        .flat_map(|(topic, label)| {
            let of_topic = facts.iter().filter(|fact| fact.topic == *topic);
            let (shown, left) = most_telling(of_topic.copied().collect());
            let rows = shown.into_iter().map(Row::of);
            let rows = rows.chain((left > 0).then(|| Row::left(left)));
            // A label stands once, over all that it is true of.
            rows.enumerate().map(|(index, row)| Row {
                label: if index == 0 { label } else { "" },
                ..row
            })
        })
        .collect();
    let widest = |widths: &mut dyn Iterator<Item = usize>| {
        widths.filter(|width| *width <= WIDEST).max().unwrap_or(0)
    };
    let value_width = widest(&mut rows.iter().map(|row| visible(&row.value)));
    let from_width = widest(
        &mut rows
            .iter()
            .filter(|row| !row.note.is_empty())
            .map(|row| visible(&row.from)),
    );
    for row in &rows {
        for line in row.lines(value_width, from_width, width) {
            let _ = writeln!(page, "{}", line.trim_end());
        }
    }
}

/// A program may read a hundred variables: those that it needs, the first others, and how many are left.
fn most_telling(facts: Vec<&Fact>) -> (Vec<&Fact>, usize) {
    const MOST: usize = 16;
    const SHOWN: usize = 12;
    if facts.len() <= MOST || facts[0].topic != Topic::Environment {
        return (facts, 0);
    }
    let all = facts.len();
    let is_needed = |fact: &&Fact| fact.note.as_deref() == Some("required");
    let mut others = SHOWN.saturating_sub(facts.iter().filter(|fact| is_needed(fact)).count());
    let shown: Vec<_> = facts
        .into_iter()
        .filter(|fact| {
            let is_shown = is_needed(fact) || others > 0;
            others -= usize::from(is_shown && !is_needed(fact));
            is_shown
        })
        .collect();
    let left = all - shown.len();
    (shown, left)
}

struct Row {
    label: &'static str,
    value: String,
    from: String,
    note: String,
}

impl Row {
    fn left(left: usize) -> Self {
        Self {
            label: "",
            value: format!("and {left} more"),
            from: String::new(),
            note: "--json has them all".to_owned(),
        }
    }

    fn of(fact: &Fact) -> Self {
        let note = words::harmless(fact.note.as_deref().unwrap_or_default());
        let from = words::harmless(&fact.from);
        // A note that names the place says it better than the place alone.
        let from = if note.contains(&from) {
            String::new()
        } else {
            from
        };
        let value = words::harmless(&fact.value);
        Self {
            label: "",
            value: if fact.topic == Topic::RunCommand {
                value
            } else {
                shortened(&value)
            },
            from,
            note,
        }
    }

    /// The row as lines of at most `width` columns.
    fn lines(&self, value_width: usize, from_width: usize, width: Option<usize>) -> Vec<String> {
        let label = pad(&style::faint(self.label), LABEL_WIDTH);
        let from = if self.from.is_empty() || self.note.is_empty() {
            self.from.clone()
        } else {
            pad(&self.from, from_width) + "  "
        };
        let place = format!("{from}{}", self.note);
        let value = pad(&self.value, value_width);
        let whole = VALUES_AT + visible(&value) + 2 + visible(&place);
        let Some(width) = width.filter(|width| whole > *width) else {
            return vec![format!("  {label}{value}  {}", style::faint(&place))];
        };
        let indent = " ".repeat(VALUES_AT);
        let room = width.saturating_sub(VALUES_AT).max(NARROWEST);
        let beside = visible(&value) + 2;
        if beside + NARROWEST <= room {
            let places = self.places(from_width, room - beside);
            let first = std::iter::once(format!("  {label}{value}  "));
            let others = std::iter::repeat(" ".repeat(VALUES_AT + beside));
            return first
                .chain(others)
                .zip(places)
                .map(|(before, place)| format!("{before}{}", style::faint(&place)))
                .collect();
        }
        let first = std::iter::once(format!("  {label}"));
        let mut lines: Vec<String> = first
            .chain(std::iter::repeat(indent.clone()))
            .zip(wrap(&self.value, room))
            .map(|(before, value)| format!("{before}{value}"))
            .collect();
        if !place.is_empty() {
            let places = self.places(from_width, room.saturating_sub(2));
            lines.extend(
                places
                    .iter()
                    .map(|place| format!("{indent}  {}", style::faint(place))),
            );
        }
        lines
    }

    /// The place and the note in lines of at most `room` columns, the note in a column of its own where that leaves
    /// it enough.
    fn places(&self, from_width: usize, room: usize) -> Vec<String> {
        let beside = from_width + 2;
        if self.note.is_empty() || self.from.is_empty() {
            return wrap(&format!("{}{}", self.from, self.note), room);
        }
        if beside + NARROWEST > room {
            return wrap(&format!("{}  {}", self.from, self.note), room);
        }
        let first = std::iter::once(pad(&self.from, beside));
        first
            .chain(std::iter::repeat(" ".repeat(beside)))
            .zip(wrap(&self.note, room - beside))
            .map(|(before, note)| format!("{before}{note}"))
            .collect()
    }
}

/// A long command's beginning: all of it is in the manifest.
fn shortened(value: &str) -> String {
    const LONGEST: usize = 90;
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let begins: String = value.chars().take(LONGEST - 2).collect();
    format!("{begins} …")
}

/// The topics in the order they are read; the language stands in the heading.
const TOPICS: [(Topic, &str); 14] = [
    (Topic::Framework, "framework"),
    (Topic::Runtime, "runtime"),
    (Topic::PackageManager, "packages"),
    (Topic::Dependencies, "dependencies"),
    (Topic::Lock, "lock"),
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

/// What is still open; of which application, where there are several.
fn questions(page: &mut String, questions: &[Question], several: bool, width: Option<usize>) {
    if questions.is_empty() {
        return;
    }
    let count = words::count(questions.len(), "question");
    let mut label = style::warning(&format!("{count}:"));
    let indent = " ".repeat(count.len() + 3);
    for question in questions {
        let about = question.application.as_deref().filter(|_| several);
        let about = about.map(|name| format!("{name}: ")).unwrap_or_default();
        let text = format!("{about}{}", words::harmless(&question.text));
        let remedy = words::harmless(&question.remedy);
        let settled = format!("To settle it: {}", style::strong(&remedy));
        let whole = indent.len() + visible(&text) + 1 + visible(&settled);
        match width.filter(|width| whole > *width) {
            None => {
                let _ = writeln!(page, "{label}  {text} {settled}");
            }
            // What is to be typed stands in one piece.
            Some(width) => {
                let room = width.saturating_sub(indent.len()).max(NARROWEST);
                let lines = wrap(&text, room).join(&format!("\n{indent}"));
                let _ = writeln!(page, "{label}  {lines}\n{indent}{settled}");
            }
        }
        label = " ".repeat(count.len() + 1);
    }
}

#[cfg(test)]
mod tests {
    use ergon_detect::analysis::Confidence;
    use insta::assert_snapshot;

    use super::*;
    use crate::style::plain;

    fn fact(topic: Topic, value: &str, from: &str, note: Option<&str>) -> Fact {
        Fact {
            application: Some("fastapi".into()),
            topic,
            value: value.into(),
            note: note.map(str::to_owned),
            from: from.into(),
            confidence: Confidence::Certain,
            over: Vec::new(),
        }
    }

    fn example() -> Analysis {
        let application = Application {
            kind: "fastapi".into(),
            language: "python".into(),
            ports: vec![8000],
            runtime: Some(ergon_manifest::Runtime {
                name: "python".into(),
                version: "3.11".into(),
                from: None,
            }),
            ..Application::default()
        };
        Analysis {
            manifest: ergon_manifest::Manifest {
                applications: [("fastapi".to_owned(), application)].into(),
                ..ergon_manifest::Manifest::default()
            },
            facts: vec![
                fact(Topic::Language, "Python", "main.py", None),
                fact(
                    Topic::Environment,
                    "LOG_LEVEL",
                    "main.py:10",
                    Some("default \"info\""),
                ),
                fact(
                    Topic::Framework,
                    "FastAPI 0.115",
                    "requirements.txt:1",
                    None,
                ),
                fact(
                    Topic::Runtime,
                    "Python 3.11",
                    "",
                    Some("nothing in the project says"),
                ),
                fact(
                    Topic::RunCommand,
                    "uvicorn main:app",
                    "main.py:3",
                    Some("main.py:3 defines `app`"),
                ),
                fact(
                    Topic::BuildCommand,
                    "pip install --no-cache-dir -r requirements.txt",
                    "requirements.txt",
                    None,
                ),
                fact(
                    Topic::Environment,
                    "DATABASE_URL",
                    "main.py:9",
                    Some("required\u{1b}[2J"),
                ),
            ],
            questions: vec![
                Question {
                    application: None,
                    text: "Python version? nothing says; 3.11 assumed.".into(),
                    remedy: "echo 3.11 > .python-version".into(),
                },
                Question {
                    application: None,
                    text: "Another?".into(),
                    remedy: "do this".into(),
                },
            ],
            looked_for: vec!["Python: requirements.txt".into(), "Go: go.mod".into()],
        }
    }

    #[test]
    fn each_claim_stands_beside_its_place() {
        assert_snapshot!(plain(&render(&example(), None)), @r#"
        fastapi  ·  a web service in Python 3.11
          framework     FastAPI 0.115     requirements.txt:1
          runtime       Python 3.11       nothing in the project says
          build         pip install --no-cache-dir -r requirements.txt  requirements.txt
          start         uvicorn main:app  main.py:3 defines `app`
          environment   LOG_LEVEL         main.py:10  default "info"
                        DATABASE_URL      main.py:9   required
        2 questions:  Python version? nothing says; 3.11 assumed. To settle it: echo 3.11 > .python-version
                      Another? To settle it: do this
        "#);
    }

    #[test]
    fn a_narrow_terminal_gets_each_column_below_itself() {
        assert_snapshot!(plain(&render(&example(), Some(66))), @r#"
        fastapi  ·  a web service in Python 3.11
          framework     FastAPI 0.115     requirements.txt:1
          runtime       Python 3.11       nothing in the project says
          build         pip install --no-cache-dir -r requirements.txt
                          requirements.txt
          start         uvicorn main:app  main.py:3 defines `app`
          environment   LOG_LEVEL         main.py:10  default "info"
                        DATABASE_URL      main.py:9   required
        2 questions:  Python version? nothing says; 3.11 assumed.
                      To settle it: echo 3.11 > .python-version
                      Another? To settle it: do this
        "#);
        let mut narrow = example();
        narrow
            .facts
            .retain(|fact| fact.topic == Topic::BuildCommand || fact.topic == Topic::Runtime);
        narrow.questions.clear();
        assert_snapshot!(plain(&render(&narrow, Some(44))), @"
        fastapi  ·  a web service in Python 3.11
          runtime       Python 3.11
                          nothing in the project
                          says
          build         pip install --no-cache-dir
                        -r requirements.txt
                          requirements.txt
        ");
    }

    #[test]
    fn what_cannot_be_read_stands_before_what_was_looked_for() {
        let mut unknown = example();
        unknown.manifest.applications.clear();
        unknown.questions.truncate(1);
        let page = plain(&render_unknown("./x", &unknown, None));
        assert!(
            page.starts_with(
                "Nothing in ./x was recognised.\n\n1 question:  Python version? nothing says"
            ),
            "{page}"
        );
    }

    #[test]
    fn an_unknown_folder_gets_what_to_write_by_hand() {
        let mut unknown = example();
        unknown.manifest.applications.clear();
        unknown.facts.clear();
        unknown.questions.clear();
        assert_snapshot!(plain(&render_unknown("./x", &unknown, None)), @r#"
        Nothing in ./x was recognised.

        Looked for:
          Python: requirements.txt
          Go: go.mod

        If you know how it is built and started, say so in ergon.json:

          {
            "manifest_version": "1.0",
            "applications": {
              "app": {
                "type": "service",
                "language": "other",
                "build_commands": ["sh build.sh"],
                "run_command": "sh serve.sh",
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

        `ergon manifest check` says whether it is right; `ergon manifest schema` describes every field.
        "#);
    }

    #[test]
    fn what_to_write_by_hand_is_a_manifest() {
        assert_eq!(ergon_manifest::check(BY_HAND).map(|_| ()), Ok(()));
    }

    #[test]
    fn of_many_variables_those_that_are_needed_are_shown() {
        let fact = |index: usize| Fact {
            application: None,
            topic: Topic::Environment,
            value: format!("NAME_{index}"),
            note: (index == 30).then(|| "required".to_owned()),
            from: "app.py:1".to_owned(),
            confidence: Confidence::Certain,
            over: Vec::new(),
        };
        let facts: Vec<_> = (0..40).map(fact).collect();
        let mut page = String::new();
        table(&mut page, &facts.iter().collect::<Vec<_>>(), None);
        let page = plain(&page);
        assert_eq!(page.lines().count(), 13);
        assert!(page.contains("NAME_30"), "{page}");
        assert!(
            page.ends_with("and 28 more  --json has them all\n"),
            "{page}"
        );
    }
}
