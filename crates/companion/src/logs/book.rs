//! What a container's log amounts to, kept up to date line by line in bounded memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

use super::drain::{Place, Shapes};
use super::level::{self, Said};
use super::mask::Words;
use super::tally::{PRESENT, Tally, rate};
use super::trace::{self, Joined, Joiner, Stamped, Trace};
use crate::observation::{LogDigest, LogLevel, LogTemplate, StackTrace};
use crate::words;

/// So many shapes are remembered, and so many traces.
const MOST_TEMPLATES: usize = 160;
const MOST_TRACES: usize = 16;
/// The first of a name is compared with its own first minutes.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);
/// What came so long ago is no news, where nothing was deployed since.
const NEWS: SignedDuration = SignedDuration::from_hours(24);
/// A sample is no longer, in characters.
const SAMPLE: usize = 300;

/// The book of one container.
#[derive(Debug)]
pub(crate) struct LogBook {
    words: Words,
    shapes: Shapes,
    entries: Vec<Entry>,
    traces: Vec<Remembered>,
    stdout: Joiner,
    stderr: Joiner,
    joined: Vec<Joined>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    total: Tally,
    errors: u64,
    warnings: u64,
    forgotten: u64,
    next_id: u64,
    before: Option<Before>,
}

/// What is counted of one shape.
#[derive(Debug, Default)]
struct Entry {
    id: u64,
    level: LogLevel,
    tally: Tally,
    first: Timestamp,
    last: Timestamp,
    sample: String,
    stderr: bool,
    /// How many the container before wrote; absent: none.
    before: Option<u64>,
}

/// What the container of the same name that was there before wrote.
#[derive(Clone, Debug)]
struct Before {
    until: Timestamp,
    span: SignedDuration,
    lines: u64,
}

/// A trace that is remembered.
#[derive(Debug)]
struct Remembered {
    key: u64,
    trace: StackTrace,
    /// The container before wrote it too.
    known: bool,
}

impl Default for LogBook {
    fn default() -> Self {
        Self {
            words: Words::default(),
            shapes: Shapes::new(MOST_TEMPLATES),
            entries: Vec::new(),
            traces: Vec::new(),
            stdout: Joiner::default(),
            stderr: Joiner::default(),
            joined: Vec::new(),
            first: None,
            last: None,
            total: Tally::default(),
            errors: 0,
            warnings: 0,
            forgotten: 0,
            next_id: 1,
            before: None,
        }
    }
}

impl LogBook {
    /// The time of the last line.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Takes in a line that has no secrets in it any more.
    pub(crate) fn take_in(&mut self, time: Timestamp, stderr: bool, text: &str) {
        self.first.get_or_insert(time);
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let joiner = if stderr {
            &mut self.stderr
        } else {
            &mut self.stdout
        };
        // What has a form of its own is no part of a trace that is written line by line.
        if text.starts_with('{') || joiner.is_idle() && !trace::has_signs(text) {
            self.line(time, stderr, text);
            return;
        }
        let mut joined = std::mem::take(&mut self.joined);
        joiner.take_in(time, text, &mut joined);
        self.drain(stderr, &mut joined);
        self.joined = joined;
    }

    /// The stream has ended: nothing more will come.
    pub(crate) fn close(&mut self) {
        if let Some(last) = self.last {
            self.settle(last + SignedDuration::from_hours(1));
        }
    }

    /// Takes in what waited for more that did not come.
    fn settle(&mut self, now: Timestamp) {
        let mut joined = std::mem::take(&mut self.joined);
        self.stdout.settle(now, &mut joined);
        self.drain(false, &mut joined);
        self.stderr.settle(now, &mut joined);
        self.drain(true, &mut joined);
        self.joined = joined;
    }

    fn drain(&mut self, stderr: bool, joined: &mut Vec<Joined>) {
        for joined in joined.drain(..) {
            match joined {
                Joined::Line(Stamped { time, text }) => self.line(time, stderr, &text),
                Joined::Trace(trace) => self.trace(stderr, &trace),
            }
        }
    }

    fn line(&mut self, time: Timestamp, stderr: bool, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let said = level::read(text);
        let before = self.errors;
        self.count(time, stderr, text, &said);
        let Some(inside) = said.trace else { return };
        let mut joiner = Joiner::default();
        let mut joined = Vec::new();
        for line in inside.lines() {
            joiner.take_in(time, line, &mut joined);
        }
        joiner.settle(time + SignedDuration::from_hours(1), &mut joined);
        for joined in joined {
            if let Joined::Trace(trace) = joined {
                self.remember(&trace);
                // The line and its trace are one error.
                self.errors = self.errors.max(before + 1);
            }
        }
    }

    fn trace(&mut self, stderr: bool, trace: &Trace) {
        let said = self.remember(trace);
        let text = match (said.error.is_empty(), said.message.is_empty()) {
            (false, false) => format!("{}: {}", said.error, said.message),
            (false, true) => said.error,
            (true, _) => said.message,
        };
        let said = Said {
            level: LogLevel::Error,
            message: (&*text).into(),
            ..Said::default()
        };
        self.count(trace.time, stderr, &text, &said);
    }

    /// Counts a line in its shape.
    fn count(&mut self, time: Timestamp, stderr: bool, text: &str, said: &Said) {
        self.total.add(time);
        match said.level {
            LogLevel::Error | LogLevel::Fatal => self.errors += 1,
            LogLevel::Warning => self.warnings += 1,
            _ => {}
        }
        match said.access {
            Some((method, path, status)) => {
                let mut masked = String::new();
                super::mask::mask(path, &mut masked);
                // Method and status are never merged with others.
                let first = format!("{method} {status}");
                self.words.read_words([first.as_str(), masked.as_str()]);
            }
            None => self.words.read(&said.message),
        }
        let entries = &self.entries;
        let place = self
            .shapes
            .place(&self.words, said.level, said.access.is_some(), || {
                least(entries, time)
            });
        let index = match place {
            Place::Known(index) => index,
            Place::New(index) => {
                let entry = Entry {
                    id: self.next_id,
                    level: said.level,
                    first: time,
                    stderr,
                    ..Entry::default()
                };
                self.next_id += 1;
                match self.entries.get_mut(index) {
                    Some(old) => {
                        self.forgotten += old.tally.count;
                        *old = entry;
                    }
                    None => self.entries.push(entry),
                }
                index
            }
        };
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        if entry.tally.count == 0 {
            entry.first = time;
        }
        // Of very many lines, one in a second is enough of a sample.
        if entry.tally.count < 2 || time.duration_since(entry.last) > SignedDuration::from_secs(1) {
            entry.sample = words::cut(text.trim(), SAMPLE);
        }
        entry.tally.add(time);
        entry.last = time;
    }

    fn remember(&mut self, trace: &Trace) -> trace::Summary {
        let said = trace::summary(trace);
        let mut masked = String::new();
        if said.place.is_none() {
            for word in said.message.split(' ') {
                super::mask::mask(word, &mut masked);
            }
        }
        let key = digest_of(&(trace.language, &said.error, &said.place, masked));
        if let Some(known) = self.traces.iter_mut().find(|known| known.key == key) {
            let known = &mut known.trace;
            if known.count == 0 {
                known.first = trace.time;
            }
            known.count += 1;
            known.last = trace.time;
            known.message.clone_from(&said.message);
            return said;
        }
        if self.traces.len() >= MOST_TRACES
            && let Some(oldest) =
                (0..self.traces.len()).min_by_key(|index| self.traces[*index].trace.last)
        {
            self.traces.swap_remove(oldest);
        }
        self.traces.push(Remembered {
            key,
            trace: StackTrace {
                language: trace.language.as_str().to_owned(),
                error: said.error.clone(),
                message: said.message.clone(),
                place: said.place.clone(),
                text: trace.lines.join("\n"),
                count: 1,
                first: trace.time,
                last: trace.time,
                is_new: false,
            },
            known: false,
        });
        said
    }

    /// Goes on as the book of a container that takes this one's place: its shapes are known, nothing is counted.
    pub(crate) fn succeed(mut self) -> Self {
        if let (Some(first), Some(until)) = (self.first, self.last) {
            self.close();
            self.before = Some(Before {
                until,
                span: until
                    .duration_since(first)
                    .max(SignedDuration::from_mins(1)),
                lines: self.total.count,
            });
            for entry in &mut self.entries {
                let tally = std::mem::take(&mut entry.tally);
                // A shape that is not written for a whole life is forgotten.
                entry.before = Some(tally.count).filter(|count| *count > 0);
            }
            self.traces.retain(|known| known.trace.count > 0);
            for known in &mut self.traces {
                known.trace.count = 0;
                known.known = true;
            }
        }
        Self {
            words: self.words,
            shapes: self.shapes,
            entries: self.entries,
            traces: self.traces,
            next_id: self.next_id,
            before: self.before,
            ..Self::default()
        }
    }

    /// What the log amounts to now.
    pub(crate) fn digest(&mut self, now: Timestamp) -> LogDigest {
        self.settle(now);
        let settled = self
            .first
            .map(|first| first + SETTLING)
            .filter(|settled| *settled < now);
        let compared_with = match &self.before {
            Some(before) => Some(self.first.map_or(before.until, |first| first.min(now))),
            None => settled.map(|settled| settled.max(now - NEWS)),
        };
        let mut templates: Vec<LogTemplate> = (0..self.entries.len())
            .filter_map(|index| self.template(index, now, compared_with))
            .collect();
        templates.sort_by_key(|template| {
            std::cmp::Reverse((
                template.level.max(LogLevel::Info),
                template.is_new,
                template.count,
                template.last,
            ))
        });
        let mut traces: Vec<StackTrace> = self
            .traces
            .iter()
            .filter(|known| known.trace.count > 0)
            .map(|Remembered { trace, known, .. }| {
                let is_new = match &self.before {
                    Some(_) => !known,
                    None => compared_with.is_some_and(|since| trace.first >= since),
                };
                StackTrace {
                    is_new,
                    ..trace.clone()
                }
            })
            .collect();
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.last));
        let before = self
            .before
            .as_ref()
            .map(|before| rate(before.lines, before.span));
        LogDigest {
            since: self.first,
            until: self.last,
            compared_with,
            lines: self.total.count,
            errors: self.errors,
            warnings: self.warnings,
            per_minute: self.per_minute(&self.total, now),
            per_minute_before: before.or_else(|| self.earlier(&self.total, now)),
            templates,
            traces,
            forgotten: self.forgotten,
        }
    }

    fn template(
        &self,
        index: usize,
        now: Timestamp,
        compared_with: Option<Timestamp>,
    ) -> Option<LogTemplate> {
        let entry = self
            .entries
            .get(index)
            .filter(|entry| entry.tally.count > 0)?;
        let (is_new, before) = match &self.before {
            Some(before) => {
                let count = entry.before;
                (count.is_none(), Some(rate(count.unwrap_or(0), before.span)))
            }
            None => (
                compared_with.is_some_and(|since| entry.first >= since),
                self.earlier(&entry.tally, now),
            ),
        };
        Some(LogTemplate {
            id: entry.id,
            pattern: self.shapes.pattern(index),
            level: entry.level,
            count: entry.tally.count,
            first: entry.first,
            last: entry.last,
            sample: entry.sample.clone(),
            stderr: entry.stderr,
            per_minute: self.per_minute(&entry.tally, now),
            per_minute_before: before,
            is_new,
        })
    }

    /// In a minute over the last minutes, as far as there were so many.
    fn per_minute(&self, tally: &Tally, now: Timestamp) -> u64 {
        let Some(first) = self.first else { return 0 };
        let into = SignedDuration::from_secs(now.as_second().rem_euclid(60));
        let window = PRESENT - SignedDuration::from_mins(1) + into;
        let span = now
            .duration_since(first)
            .min(window)
            .max(SignedDuration::from_mins(1));
        rate(tally.recent(now), span)
    }

    /// The same over all the time before the last minutes, if that is long enough.
    fn earlier(&self, tally: &Tally, now: Timestamp) -> Option<u64> {
        let span = now.duration_since(self.first?) - PRESENT;
        (span >= PRESENT).then(|| rate(tally.count.saturating_sub(tally.recent(now)), span))
    }
}

fn digest_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The shape that is missed least: one that weighs little, is rare and long ago.
fn least(entries: &[Entry], now: Timestamp) -> usize {
    let weight = |entry: &Entry| {
        let age = now
            .duration_since(entry.last)
            .as_secs()
            .max(0)
            .unsigned_abs();
        let level: u64 = match entry.level {
            LogLevel::Error | LogLevel::Fatal => 64,
            LogLevel::Warning => 16,
            _ => 1,
        };
        ((u128::from(entry.tally.count.min(1_000_000)) * u128::from(level)) << 20)
            / u128::from(age + 60)
    };
    (0..entries.len())
        .min_by_key(|index| weight(&entries[*index]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
