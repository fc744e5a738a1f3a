//! What is wrong with a manifest, at its place in the text.

use std::fmt::Write as _;

use ergon_manifest::Diagnostic;

use crate::style;
use crate::words;

/// How much of a long line is shown.
const LONGEST_LINE: usize = 100;
/// How much of the line is shown before the place.
const BEFORE: usize = 30;

/// Nobody reads on after so many; and each is looked up in the text anew.
const MOST_SHOWN: usize = 100;

/// The problems of the text, one under the other. `name` is what the file is called.
pub fn render(name: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut report = String::new();
    for (index, diagnostic) in diagnostics.iter().take(MOST_SHOWN).enumerate() {
        if index > 0 {
            report.push('\n');
        }
        one(&mut report, name, text, diagnostic);
    }
    if let Some(more @ 1..) = diagnostics.len().checked_sub(MOST_SHOWN) {
        let _ = writeln!(report, "\n… and {more} more");
    }
    report
}

fn one(report: &mut String, name: &str, text: &str, diagnostic: &Diagnostic) {
    let place = format!("{name}:{}:{}", diagnostic.line, diagnostic.column);
    let message = words::harmless(&diagnostic.message);
    let _ = writeln!(
        report,
        "{} {}  {message}",
        style::bad("×"),
        style::strong(&place)
    );
    let bar = style::faint("│");
    let help = diagnostic
        .help
        .as_deref()
        .map(words::harmless)
        .unwrap_or_default();
    match Excerpt::of(text, diagnostic) {
        Some(excerpt) => {
            let _ = writeln!(report, "  {bar}   {}", excerpt.line);
            let mark = style::bad(&"─".repeat(excerpt.length));
            let line = format!("  {bar}   {}{mark} {help}", " ".repeat(excerpt.start));
            let _ = writeln!(report, "{}", line.trim_end());
        }
        None if !help.is_empty() => {
            let _ = writeln!(report, "  {bar}   {help}");
        }
        None => {}
    }
}

/// The line a problem is on, cut to what fits, and where in it the problem is.
struct Excerpt {
    line: String,
    start: usize,
    length: usize,
}

impl Excerpt {
    fn of(text: &str, diagnostic: &Diagnostic) -> Option<Self> {
        let line = text.split('\n').nth(diagnostic.line.checked_sub(1)?)?;
        // One character for one character, so that the mark stands under its place.
        let shown: Vec<char> = line
            .chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        let column = diagnostic.column.saturating_sub(1).min(shown.len());
        let indent = shown
            .iter()
            .take_while(|character| character.is_whitespace())
            .count()
            .min(column);
        let end = shown
            .iter()
            .rposition(|character| !character.is_whitespace())
            .map_or(0, |last| last + 1);
        if end <= indent {
            return None;
        }
        let first = if end - indent > LONGEST_LINE {
            indent.max(column.saturating_sub(BEFORE))
        } else {
            indent
        };
        let last = end.min(first + LONGEST_LINE);
        let marked = text.get(diagnostic.span.clone()).unwrap_or_default();
        let length = marked
            .split(['\n', '\r'])
            .next()
            .unwrap_or_default()
            .chars()
            .count();
        let start = column.min(last) - first;
        let mut line = String::new();
        line.extend((first > indent).then_some('…'));
        line.extend(&shown[first..last]);
        line.extend((last < end).then_some('…'));
        let start = start + usize::from(first > indent);
        Some(Self {
            line,
            start,
            length: length.clamp(1, (last + 1).saturating_sub(column).max(1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn diagnostic(text: &str, place: &str, message: &str, help: Option<&str>) -> Diagnostic {
        let start = text.find(place).unwrap();
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        Diagnostic {
            message: message.to_owned(),
            help: help.map(str::to_owned),
            span: start..start + place.len(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            code: "unknown-field",
            path: String::new(),
        }
    }

    fn rendered(text: &str, diagnostics: &[Diagnostic]) -> String {
        style::plain(&render("ergon.json", text, diagnostics))
    }

    #[test]
    fn a_problem_is_shown_under_its_line_with_what_would_be_right() {
        let text = "{\n  \"containers\": {\n    \"wéb\": {\n\t\"port\": 8000\n    }\n  }\n}\n";
        let port = diagnostic(
            text,
            "\"port\"",
            "containers.web.port is not a field",
            Some("did you mean `ports`, a list?  \"ports\": [8000]"),
        );
        let name = diagnostic(text, "\"wéb\"", "a container's name has no accents", None);
        assert_snapshot!(rendered(text, &[port, name]), @r#"
        × ergon.json:4:2  containers.web.port is not a field
          │   "port": 8000
          │   ────── did you mean `ports`, a list?  "ports": [8000]

        × ergon.json:3:5  a container's name has no accents
          │   "wéb": {
          │   ─────
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!(
            "{{{}\"x\": 1.5{}}}",
            "\"a\": 1, ".repeat(40),
            ", \"b\": 2".repeat(40)
        );
        let float = diagnostic(&text, "1.5", "a float", Some("write an integer"));
        assert_snapshot!(rendered(&text, &[float]), @r#"
        × ergon.json:1:327  a float
          │   … "a": 1, "a": 1, "a": 1, "x": 1.5, "b": 2, "b": 2, "b": 2, "b": 2, "b": 2, "b": 2, "b": 2, "b": 2, "…
          │                                  ─── write an integer
        "#);
    }

    #[test]
    fn the_end_of_a_long_report_is_counted_only() {
        let float = diagnostic("1.5", "1.5", "a float", None);
        let report = rendered("1.5", &vec![float; 1000]);
        assert_eq!(report.matches("a float").count(), 100);
        assert!(report.ends_with("\n… and 900 more\n"), "{report}");
    }

    #[test]
    fn a_place_outside_the_text_is_no_panic() {
        let mut nowhere = diagnostic("{}", "{}", "empty", Some("write something"));
        nowhere.line = 9;
        nowhere.span = 50..60;
        assert_snapshot!(rendered("{}", &[nowhere.clone()]), @r"
        × ergon.json:9:1  empty
          │   write something
        ");
        nowhere.line = 1;
        nowhere.column = 90;
        assert_snapshot!(rendered("{}", &[nowhere]), @r"
        × ergon.json:1:90  empty
          │   {}
          │     ─ write something
        ");
    }
}
