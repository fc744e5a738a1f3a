//! What a line of a log complains about: the words in which programs of many languages tell of the same few troubles.
//!
//! A symptom is what a program said, not yet what is so: findings join it with what else is seen.

mod patterns;

use std::net::IpAddr;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use patterns::patterns;
use regex::{Captures, Regex};

/// What a program complains about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trouble {
    /// Another side does not take connections.
    Refused,
    /// Another side does not answer in time.
    TimedOut,
    /// There is no way to another side.
    Unreachable,
    /// A name cannot be resolved.
    Name,
    /// Another side does not accept the credentials.
    Login,
    /// Another side takes no further connections.
    TooManyConnections,
    /// A certificate is not valid any more.
    CertificateExpired,
    /// A certificate is not trusted.
    CertificateUntrusted,
    /// A disk is full.
    DiskFull,
    /// `/dev/shm` is too small.
    SharedMemory,
    /// A file may not be read or written.
    Permission,
    /// A file system cannot be written to.
    ReadOnly,
    /// The port is taken.
    PortTaken,
    /// A variable of the environment is missing.
    Variable,
    /// A module or package is missing.
    Module,
    /// A file is missing.
    File,
    /// A program is missing.
    Program,
    /// A shared library is missing.
    Library,
    /// A program was built for another processor.
    Format,
    /// A configuration cannot be understood.
    Configuration,
    /// Too many files are open.
    Descriptors,
    /// No further process or thread can be started.
    Tasks,
    /// The program itself says that memory ran out.
    Memory,
    /// Threads or transactions wait for each other.
    Deadlock,
    /// Requests or transactions are not finished in the time they have.
    Stalled,
    /// A table, a column or a database is missing.
    Schema,
}

/// What a line complains about, with what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Symptom {
    pub trouble: Trouble,
    /// A host, a path, a variable, a module.
    pub what: Option<String>,
    pub port: Option<u16>,
    /// The line of a file.
    pub line: Option<u32>,
}

/// Words of which every complaint has one: most lines have none, and are done with.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(patterns::WORDS)
        .ok()
});
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| patterns().map(Pattern::of).collect());

/// Which of the words there are, a bit for each.
type Words = u128;

/// A pattern, made ready when a line comes that it may fit.
struct Pattern {
    trouble: Trouble,
    text: &'static str,
    /// The words that stand in it: a line that it fits has one of them.
    words: Words,
    ready: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn of((trouble, text): &(Trouble, &'static str)) -> Self {
        Self {
            trouble: *trouble,
            text,
            words: words_in(text),
            ready: OnceLock::new(),
        }
    }

    fn ready(&self) -> Option<&Regex> {
        self.ready
            .get_or_init(|| Regex::new(self.text).ok())
            .as_ref()
    }
}

fn words_in(text: &str) -> Words {
    let Some(words) = WORDS.as_ref() else {
        return 0;
    };
    // Words stand within others: "refused" in "connection refused".
    words
        .find_overlapping_iter(text)
        .fold(0, |found, word| found | 1 << word.pattern().as_u32())
}

/// A longer line is looked at up to here.
const LONGEST: usize = 2000;

impl Symptom {
    /// What a line complains about; the first pattern that fits decides.
    pub(crate) fn of(line: &str) -> Option<Self> {
        let end = line
            .char_indices()
            .nth(LONGEST)
            .map_or(line.len(), |(at, _)| at);
        let line = &line[..end];
        let words = words_in(line);
        if words == 0 {
            return None;
        }
        PATTERNS
            .iter()
            .filter(|pattern| pattern.words & words != 0)
            .find_map(|pattern| {
                let found = pattern.ready()?.captures(line)?;
                Self::read(pattern.trouble, &found)
            })
    }

    fn read(trouble: Trouble, found: &Captures<'_>) -> Option<Self> {
        let named = |name: &str| {
            let text = found.name(name)?.as_str();
            let text = text.trim_matches(|c: char| {
                c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | ',')
            });
            // A sentence's full stop is not part of what it names.
            let text = text.trim_end_matches(['.', ':', ';']);
            (!text.is_empty() && text.len() <= 200).then(|| text.to_owned())
        };
        let what = ["host", "path", "name"].into_iter().find_map(named);
        if trouble == Trouble::Variable && !what.as_deref().is_some_and(is_variable) {
            return None;
        }
        Some(Self {
            trouble,
            what,
            port: named("port").and_then(|port| port.parse().ok()),
            line: named("line").and_then(|line| line.parse().ok()),
        })
    }

    /// The address, where the host is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.what.as_ref()?.parse().ok()
    }

    /// `db:5432`, `port 5432`, `db`.
    pub(crate) fn place(&self) -> Option<String> {
        match (&self.what, self.port) {
            (Some(host), Some(port)) => Some(if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }),
            (Some(host), None) => Some(host.clone()),
            (None, Some(port)) => Some(format!("port {port}")),
            (None, None) => None,
        }
    }
}

/// `DATABASE_URL`: what is written otherwise may be the key of anything.
fn is_variable(name: &str) -> bool {
    name.len() >= 3
        && name.chars().any(|c| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests;
