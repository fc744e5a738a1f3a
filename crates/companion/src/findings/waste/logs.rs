//! Logs that say too much: by their level, by one line again and again, by their sheer number.

use ergon_engine::ContainerState;

use super::Waste;
use crate::findings::{Look, Severity};
use crate::observation::{LogDigest, LogLevel};
use crate::words;

/// Variables that set a level, and those that switch something on that is for developers.
const LEVELS: [&str; 5] = [
    "LOG_LEVEL",
    "LOGLEVEL",
    "RUST_LOG",
    "LOGGING_LEVEL",
    "UVICORN_LOG_LEVEL",
];
const SWITCHES: [&str; 5] = [
    "DEBUG",
    "FLASK_DEBUG",
    "DJANGO_DEBUG",
    "APP_DEBUG",
    "FASTAPI_DEBUG",
];
/// Arguments that say the same.
const ARGUMENTS: [&str; 4] = [
    "--reload",
    "--log-level=debug",
    "--log-level=trace",
    "--debug",
];

/// So few lines say nothing about what most of them are.
const FEWEST: u64 = 200;
/// Percent of all lines that are one and the same, or say debug.
const MOST_PERCENT: u64 = 90;
const DEBUG_PERCENT: u64 = 30;
/// Lines in a minute, in hundredths: more than one of a kind every half second, and more than fifty a second.
const OFTEN: u64 = 120 * 100;
const LOUD: u64 = 50 * 60 * 100;

impl Look<'_> {
    pub(super) fn logs_waste(&self, state: &ContainerState) -> Vec<Waste> {
        let mut found = Vec::new();
        let digest = self.observation.log_digest.as_ref();
        found.extend(self.developers(state, digest));
        if let Some(digest) = digest {
            found.extend(self.one_pattern(digest).or_else(|| self.loud(digest)));
        }
        found
    }

    /// It runs as developers run it.
    fn developers(&self, state: &ContainerState, digest: Option<&LogDigest>) -> Option<Waste> {
        let mut facts = Vec::new();
        for (name, value) in &state.env {
            let value = value.to_ascii_lowercase();
            let name = name.as_str();
            let says = LEVELS.contains(&name) && matches!(value.as_str(), "debug" | "trace")
                || SWITCHES.contains(&name)
                    && matches!(value.as_str(), "1" | "true" | "yes" | "on");
            if says {
                facts.push(self.facts.variable(name, &value));
            }
        }
        let started = state
            .command
            .iter()
            .flat_map(|word| word.split_ascii_whitespace());
        let started: Vec<&str> = started.collect();
        for (at, word) in started.iter().enumerate() {
            let next = started.get(at + 1).copied();
            if ARGUMENTS.contains(word) {
                facts.push(self.facts.argument(word));
            } else if let ("--log-level", Some(level @ ("debug" | "trace"))) = (*word, next) {
                facts.push(self.facts.argument(&format!("{word} {level}")));
            }
        }
        let is_low = |level: LogLevel| matches!(level, LogLevel::Debug | LogLevel::Trace);
        let share = digest
            .filter(|digest| digest.lines >= FEWEST)
            .and_then(|digest| {
                let low = digest
                    .templates
                    .iter()
                    .filter(|template| is_low(template.level));
                let lines: u64 = low.map(|template| template.count).sum();
                let percent = lines.saturating_mul(100) / digest.lines.max(1);
                (percent >= DEBUG_PERCENT).then_some((digest, lines, percent))
            });
        let mut text = "I run as developers run me: with debug output".to_owned();
        if let Some((digest, lines, percent)) = share {
            text = format!("{percent} % of what I log are debug messages");
            facts.push(self.facts.log_share(digest, lines));
        }
        if facts.is_empty() {
            return None;
        }
        let waste = Waste::new("log.debug", Severity::Info, text, facts);
        Some(waste.remedy(
            "Where others use me, set the level to `info`, and leave debugging and reloading out.",
        ))
    }

    fn one_pattern(&self, digest: &LogDigest) -> Option<Waste> {
        let most = digest
            .templates
            .iter()
            .max_by_key(|template| template.count)?;
        let percent = most.count.saturating_mul(100) / digest.lines.max(1);
        let often = most.per_minute >= OFTEN;
        // What is an error is told as one.
        if digest.lines < FEWEST || percent < MOST_PERCENT || !often || most.level.is_error() {
            return None;
        }
        let text = format!(
            "{percent} % of what I log is one line, {} times a minute: `{}`",
            most.per_minute / 100,
            words::cut(&most.pattern, 100)
        );
        let facts = vec![
            self.facts.log_share(digest, most.count),
            self.facts.log_sample(most),
        ];
        let waste = Waste::new("log.one_pattern", Severity::Info, text, facts);
        Some(waste.remedy("If nobody reads it, do not write it: it costs disk and hides the rest."))
    }

    fn loud(&self, digest: &LogDigest) -> Option<Waste> {
        if digest.per_minute < LOUD {
            return None;
        }
        let text = format!("I write {} lines of log a minute", digest.per_minute / 100);
        let waste = Waste::new(
            "log.loud",
            Severity::Info,
            text,
            vec![self.facts.log_share(digest, digest.lines)],
        );
        Some(waste.remedy(
            "Write less, or see that the engine rotates it (`docker run --log-opt max-size=10m --log-opt max-file=3`).",
        ))
    }
}
