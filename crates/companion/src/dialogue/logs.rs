//! What the log says: its last lines, its errors, and what in it is new.

use std::borrow::Cow;

use super::Speaker;
use super::state::clock;
use crate::evidence::Book;
use crate::logs::LogBook;
use crate::observation::{LogDigest, LogTemplate, StackTrace};
use crate::words;

/// So many lines of the log are shown, and so many kinds of them.
const SHOWN_LINES: usize = 10;
const SHOWN_KINDS: usize = 5;
/// A kind of line that comes so many hundredths as often as before is told of, and how many there must be at least.
const MORE_OFTEN: u64 = 300;
const ENOUGH: u64 = 10;

impl Speaker<'_> {
    /// What was followed; for want of that, what the last lines amount to.
    fn log_digest(&self) -> Cow<'_, LogDigest> {
        let observation = self.observation;
        if let Some(digest) = &observation.log_digest {
            return Cow::Borrowed(digest);
        }
        let mut book = LogBook::default();
        for record in &observation.log {
            book.take_in(
                record.time.unwrap_or(observation.time),
                record.stderr,
                &record.text,
            );
        }
        book.close();
        Cow::Owned(book.digest(observation.time))
    }

    pub(super) fn logs(&self, book: &mut Book) -> String {
        let log = &self.observation.log;
        let Some(last) = log.last() else {
            return format!(
                "I have written nothing to my log{}.",
                book.cite([&self.facts.log_length()])
            );
        };
        let skip = log.len().saturating_sub(SHOWN_LINES);
        let lines: Vec<String> = log[skip..]
            .iter()
            .map(|record| format!("  {}", words::cut(&record.text, 300)))
            .collect();
        let cited = book.cite([&self.facts.log(last)]);
        let head = match lines.len() {
            1 => "My last line".to_owned(),
            count => format!("My last {count} lines"),
        };
        let shown = format!("{head}{cited}:\n{}", lines.join("\n"));
        let digest = self.log_digest();
        // Of a short log everything is shown already.
        if digest.lines <= lines.len() as u64 {
            return shown;
        }
        let kinds = words::count(digest.templates.len() as u64, "kind", "kinds");
        let mut most: Vec<&LogTemplate> = digest.templates.iter().collect();
        most.sort_by_key(|template| std::cmp::Reverse(template.count));
        let most: Vec<String> = most
            .iter()
            .take(SHOWN_KINDS)
            .map(|template| {
                format!(
                    "\n  {} × {}{}",
                    template.count,
                    words::cut(&template.pattern, 160),
                    book.cite([&self.facts.template(template)])
                )
            })
            .collect();
        format!(
            "{shown}\n{} in all since {}, of {kinds}{}; most of them:{}",
            words::count(digest.lines, "line", "lines"),
            digest.since.map(clock).unwrap_or_default(),
            book.cite([&self.facts.log_digest(&digest)]),
            most.join("")
        )
    }

    pub(super) fn errors(&self, book: &mut Book) -> String {
        let digest = self.log_digest();
        let read = words::count(digest.lines, "line", "lines");
        let since = match digest.since {
            Some(since) => format!("{read} of log since {}", clock(since)),
            None => "my log, which is empty".to_owned(),
        };
        let cited = book.cite([&self.facts.log_digest(&digest)]);
        let errors: Vec<&LogTemplate> = digest.error_templates().collect();
        if errors.is_empty() {
            let warnings = match digest.warnings {
                0 => String::new(),
                many => format!(", but {}", words::count(many, "warning", "warnings")),
            };
            return format!("No error{warnings} in {since}{cited}.");
        }
        let count = words::count(digest.errors, "error", "errors");
        let kinds = match errors.len() {
            1 => String::new(),
            many => format!(" of {many} kinds"),
        };
        let new = match errors.iter().filter(|error| error.is_new).count() {
            0 => String::new(),
            many => format!(
                ", {} since {}",
                if many == errors.len() {
                    "new".to_owned()
                } else {
                    format!("{} new", words::count(many as u64, "kind", "kinds"))
                },
                digest.compared_with.map(clock).unwrap_or_default()
            ),
        };
        let lines: Vec<String> = errors
            .iter()
            .take(SHOWN_KINDS)
            .map(|error| {
                let trace = trace_of(&digest, error);
                format!("  {}", self.of_kind(error, trace, book))
            })
            .collect();
        let more = match errors.len().saturating_sub(SHOWN_KINDS) {
            0 => String::new(),
            many => format!("\n  and {many} more kinds"),
        };
        format!(
            "{count}{kinds}{new}, in {since}{cited}:\n{}{more}",
            lines.join("\n")
        )
    }

    /// What was not there before, and what comes more often.
    pub(super) fn news(&self, book: &mut Book) -> String {
        let digest = self.log_digest();
        let cited = book.cite([&self.facts.log_digest(&digest)]);
        let Some(compared_with) = digest.compared_with else {
            return format!(
                "It is too early to say what is new in my log: I have {} to go by{cited}.",
                words::count(digest.lines, "line", "lines")
            );
        };
        let since = clock(compared_with);
        let new: Vec<&LogTemplate> = digest.new_templates().collect();
        let more: Vec<&LogTemplate> = digest
            .templates
            .iter()
            .filter(|template| {
                !template.is_new
                    && template.count >= ENOUGH
                    && template
                        .times_as_often()
                        .is_some_and(|times| times >= MORE_OFTEN)
            })
            .collect();
        let mut parts = vec![match new.len() {
            0 => format!("No kind of line in my log is new since {since}{cited}."),
            many => {
                let kinds = words::count(many as u64, "kind of line is", "kinds of line are");
                let lines: Vec<String> = new
                    .iter()
                    .take(SHOWN_KINDS)
                    .map(|template| {
                        format!(
                            "  {}",
                            self.of_kind(template, trace_of(&digest, template), book)
                        )
                    })
                    .collect();
                format!("{kinds} new since {since}{cited}:\n{}", lines.join("\n"))
            }
        }];
        if !more.is_empty() {
            let lines: Vec<String> = more
                .iter()
                .take(SHOWN_KINDS)
                .map(|template| format!("  {}", self.of_kind(template, None, book)))
                .collect();
            parts.push(format!("More often than before:\n{}", lines.join("\n")));
        }
        parts.join("\n")
    }

    /// `3 × ValueError: bad item <num>, the last 2 s ago, 1.5 a minute (before: none), at main.py:9 in load [1]`.
    fn of_kind(
        &self,
        template: &LogTemplate,
        trace: Option<&StackTrace>,
        book: &mut Book,
    ) -> String {
        // Of a single line, the line itself says more than its shape.
        let said = match template.count {
            1 => &template.sample,
            _ => &template.pattern,
        };
        let mut told = match template.count {
            1 => words::cut(said, 200),
            many => format!("{many} × {}", words::cut(said, 200)),
        };
        told.push_str(&format!(
            ", {}{} ago",
            if template.count == 1 { "" } else { "the last " },
            words::duration(
                self.observation
                    .time
                    .duration_since(template.last)
                    .max(jiff::SignedDuration::ZERO)
            )
        ));
        if let Some(before) = template.per_minute_before.filter(|_| template.count > 1) {
            let before = match before {
                0 => "none".to_owned(),
                rate => format!("{} a minute", hundredths(rate)),
            };
            told.push_str(&format!(
                ", now {} a minute (before: {before})",
                hundredths(template.per_minute)
            ));
        }
        if let Some(place) = trace.and_then(|trace| trace.place.as_deref()) {
            told.push_str(&format!(", at {place}"));
        }
        told.push_str(&book.cite([&self.facts.template(template)]));
        told
    }
}

/// The trace whose error a template counts.
fn trace_of<'a>(digest: &'a LogDigest, template: &LogTemplate) -> Option<&'a StackTrace> {
    digest.traces.iter().find(|trace| {
        !trace.error.is_empty()
            && (template.sample.starts_with(&trace.error)
                || template.sample.contains(&trace.message) && trace.message.len() > 8)
    })
}

/// `150` → `1.5`.
fn hundredths(rate: u64) -> String {
    match rate {
        0..1000 => format!("{}.{}", rate / 100, rate % 100 / 10),
        _ => (rate / 100).to_string(),
    }
}
