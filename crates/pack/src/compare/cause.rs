//! Why two contents of one file likely differ, and what mends it. Pure.

use std::sync::LazyLock;

use regex::Regex;

use super::archives;
use super::order::{self, Order};

/// The contents of one path in two images.
pub(super) struct Bytes<'a> {
    pub path: &'a str,
    pub first: &'a [u8],
    pub second: &'a [u8],
    /// The first byte that differs, within both.
    pub at: usize,
    /// Whether these are all bytes of the files, or a part around `at`.
    pub whole: bool,
}

/// What can be said of a difference.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Explained {
    pub line: Option<u64>,
    pub first: Option<String>,
    pub second: Option<String>,
    pub cause: Option<String>,
    pub fix: Option<String>,
}

/// A cause and what mends it.
pub(super) type Cause = (&'static str, &'static str);

const CLOCK: Cause = (
    "a time",
    "take SOURCE_DATE_EPOCH, which every step is given, instead of the clock",
);
const BUILD_PATH: Cause = (
    "embedded build path",
    "keep the folder's name out of what is written; compilers take -ffile-prefix-map=OLD=NEW or --remap-path-prefix",
);
const ORDER: Cause = (
    "the same lines in another order",
    "sort them: directories and hash tables have no order of their own",
);
const DIRECTORY: Cause = (
    "order of a directory",
    "sort what a directory holds before it is written (`ls`, `sort`, `sorted(os.listdir())`): its order is the file system's",
);
const RANDOM: Cause = (
    "a random value",
    "derive it from what is built (a hash of the sources), or make it when the program starts",
);
const TIME_ZONE: Cause = (
    "the time zone",
    "write times in UTC, whatever the zone of who builds",
);
const LOCALE: Cause = (
    "the locale",
    "sort and format with LC_ALL=C set in the command itself",
);
const MASK: Cause = (
    "the umask",
    "set the mode that is meant (`install -m`, `chmod`)",
);
const PROCESSORS: Cause = (
    "the number of processors",
    "give the number of parts or jobs as a fixed figure, not as what the machine has",
);
const PYTHON_TIME: Cause = (
    "timestamp in .pyc",
    "compile with SOURCE_DATE_EPOCH set, or with --invalidation-mode checked-hash",
);
const PYTHON_CODE: Cause = (
    "compiled Python that differs",
    "set PYTHONHASHSEED=0 and sort what goes into sets before it is compiled",
);
const GZIP_TIME: Cause = ("timestamp in a gzip header", "compress with `gzip -n`");
const BUILD_ID: Cause = (
    "build id of a program whose code or debug information differs",
    "build with fixed paths (-ffile-prefix-map, -trimpath) and without debug information (-g0), or with -Wl,--build-id=none",
);
const PROGRAM: Cause = (
    "a compiled program that differs",
    "build with fixed paths, without debug information, and with one job where the order of jobs decides",
);

static TIMES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // 2026-11-20T14:05:01Z, 2026-11-20 14:05, 2026/11/20, 20261120
        r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])(?:[T _-]?\d\d[:.]?\d\d(?:[:.]?\d\d(?:\.\d+)?)?)?",
        // 20 November 2026, Fri Nov 20
        r"(?i)\b(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,4}\b",
        // 14:05:01
        r"\b\d{1,2}:\d\d(?::\d\d)?\b",
        // Seconds, milliseconds, microseconds or nanoseconds since 1970, from 2001 to 2286.
        r"\b[1-9]\d{9}(?:\d{3}){0,3}\b",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

static RANDOM_VALUES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        r"(?i)\b[0-9a-f]{16,}\b",
        r"[A-Za-z0-9+/_-]{20,}={0,2}",
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

static SCRATCH_PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"/(?:tmp|var/tmp|build|home|root|private)(?:/[A-Za-z0-9._+-]+)*").ok()
});

static ZONE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:UTC|GMT|E[SD]T|EST5EDT)\b|[+-]\d\d:?\d\d\b").ok());

static LOCALE_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:C\.UTF-8|POSIX|[a-z]{2}_[A-Z]{2}(?:\.[A-Za-z0-9-]+)?)\b").ok()
});

static MASK_VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b0?0[02][02]\b").ok());

static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b\d+\b").ok());

/// Explains one difference.
pub(super) fn explain(bytes: &Bytes<'_>) -> Explained {
    let (first, second) = (
        run_around(bytes.first, bytes.at),
        run_around(bytes.second, bytes.at),
    );
    let text = is_text(bytes.first) && is_text(bytes.second);
    let line = (text && bytes.whole)
        .then(|| 1 + count_lines(&bytes.first[..bytes.at.min(bytes.first.len())]));
    let cause = of_format(bytes).or_else(|| of_text(bytes, &first, &second, text));
    let (cause, fix) = cause
        .map(|(cause, fix)| (cause.to_owned(), fix.to_owned()))
        .unzip();
    Explained {
        line,
        first: excerpt(&first, bytes.first, bytes.at),
        second: excerpt(&second, bytes.second, bytes.at),
        cause,
        fix,
    }
}

/// Why a name is in one image only.
pub(super) fn of_name(path: &str) -> Option<(String, String)> {
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    let cause = if TIMES.iter().any(|time| time.is_match(name)) {
        CLOCK
    } else if RANDOM_VALUES[..2].iter().any(|value| value.is_match(name)) {
        RANDOM
    } else {
        return None;
    };
    let said = if cause == CLOCK {
        "a time in its name"
    } else {
        "a hash or random value in its name"
    };
    Some((said.to_owned(), cause.1.to_owned()))
}

/// What the format of the file tells.
fn of_format(bytes: &Bytes<'_>) -> Option<Cause> {
    let (first, second) = (bytes.first, bytes.second);
    let both = |magic: &[u8]| first.starts_with(magic) && second.starts_with(magic);
    if bytes.path.ends_with(".pyc") && first.len() >= 16 && second.len() >= 16 && bytes.whole {
        // Bytes 4 to 7 are flags, of which 0 says that 8 to 11 are the source's time (PEP 552).
        let dated = |pyc: &[u8]| pyc[4..8] == [0; 4];
        return Some(if dated(first) || dated(second) {
            PYTHON_TIME
        } else {
            PYTHON_CODE
        });
    }
    if bytes.whole && both(&[0x1f, 0x8b]) {
        // Bytes 4 to 7 are the time (RFC 1952, 2.3).
        let rest = first.len() >= 8
            && second.len() >= 8
            && first[..4] == second[..4]
            && first[8..] == second[8..];
        if rest {
            return Some(GZIP_TIME);
        }
    }
    if bytes.whole
        && let Some(cause) = archives::explain(first, second)
    {
        return Some(cause);
    }
    None
}

/// What the bytes around the difference tell.
fn of_text(bytes: &Bytes<'_>, first: &str, second: &str, text: bool) -> Option<Cause> {
    if text
        && bytes.whole
        && let (Ok(one), Ok(other)) = (str::from_utf8(bytes.first), str::from_utf8(bytes.second))
        && let Some(order) = order::of(one, other)
    {
        return Some(match order {
            Order::Reversed => DIRECTORY,
            Order::Other => ORDER,
        });
    }
    let at_difference = |expression: &Regex| {
        let (one, other) = (matched(expression, first), matched(expression, second));
        one.is_some() && other.is_some() && one != other
    };
    let any = |expressions: &[Regex]| expressions.iter().any(&at_difference);
    let one_of =
        |expression: &LazyLock<Option<Regex>>| expression.as_ref().is_some_and(&at_difference);
    if one_of(&SCRATCH_PATH) {
        return Some(BUILD_PATH);
    }
    if any(&TIMES) {
        return Some(CLOCK);
    }
    if one_of(&ZONE) {
        return Some(TIME_ZONE);
    }
    if one_of(&LOCALE_NAME) {
        return Some(LOCALE);
    }
    if text && one_of(&MASK_VALUE) {
        return Some(MASK);
    }
    if text && is_processors(first, second) {
        return Some(PROCESSORS);
    }
    if any(&RANDOM_VALUES) {
        return Some(RANDOM);
    }
    if bytes.first.starts_with(b"\x7fELF") && bytes.whole {
        return Some(if near(bytes.first, bytes.at, b"GNU\0", 32) {
            BUILD_ID
        } else {
            PROGRAM
        });
    }
    (!text && is_binary_time(bytes)).then_some(CLOCK)
}

/// The part of a line that an expression matches, at or around the difference. The texts are runs around it.
fn matched<'a>(expression: &Regex, text: &'a str) -> Option<Vec<&'a str>> {
    let found: Vec<&str> = expression
        .find_iter(text)
        .map(|found| found.as_str())
        .collect();
    (!found.is_empty()).then_some(found)
}

fn is_processors(first: &str, second: &str) -> bool {
    let Some(words) = WORDS.as_ref() else {
        return false;
    };
    let count = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let numbers = |text: &str| -> Vec<usize> {
        words
            .find_iter(text)
            .filter_map(|word| word.as_str().parse().ok())
            .collect()
    };
    let (one, other) = (numbers(first), numbers(second));
    count > 1
        && one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .any(|(one, other)| one != other && *one == count && *other == 1)
}

/// Whether four bytes at the difference are a time of this decade in both, in either byte order.
fn is_binary_time(bytes: &Bytes<'_>) -> bool {
    let range = 1_500_000_000..2_200_000_000;
    let plausible = |content: &[u8], start: usize| {
        let Some(word) = content
            .get(start..start + 4)
            .and_then(|word| <[u8; 4]>::try_from(word).ok())
        else {
            return false;
        };
        range.contains(&u32::from_le_bytes(word)) || range.contains(&u32::from_be_bytes(word))
    };
    (bytes.at.saturating_sub(3)..=bytes.at)
        .any(|start| plausible(bytes.first, start) && plausible(bytes.second, start))
}

fn near(content: &[u8], at: usize, wanted: &[u8], within: usize) -> bool {
    let start = at.saturating_sub(within);
    let end = at.min(content.len());
    content[start.min(end)..end]
        .windows(wanted.len())
        .any(|window| window == wanted)
}

fn is_text(content: &[u8]) -> bool {
    !content.contains(&0) && std::str::from_utf8(content).is_ok()
}

fn count_lines(content: &[u8]) -> u64 {
    content.split(|byte| *byte == b'\n').skip(1).count() as u64
}

/// How much of a run of text is looked at on either side of the difference.
const REACH: usize = 160;

/// The readable run of bytes around a place: a line of text, or a string within a program.
fn run_around(content: &[u8], at: usize) -> String {
    let readable = |byte: &u8| (b' '..=b'~').contains(byte) || *byte >= 0x80 || *byte == b'\t';
    let at = at.min(content.len());
    let start = content[..at]
        .iter()
        .rposition(|byte| !readable(byte))
        .map_or(0, |index| index + 1)
        .max(at.saturating_sub(REACH));
    let end = content[at..]
        .iter()
        .position(|byte| !readable(byte))
        .map_or(content.len(), |index| at + index)
        .min(at + REACH);
    String::from_utf8_lossy(&content[start..end]).into_owned()
}

/// What is shown of it: the text, or the bytes where there is none.
fn excerpt(run: &str, content: &[u8], at: usize) -> Option<String> {
    const SHOWN: usize = 96;
    let readable = run.trim();
    let is_words = readable.len() >= 4 && readable.is_ascii();
    if is_words || is_text(content) {
        return (!readable.is_empty()).then(|| shorten(readable, SHOWN));
    }
    let at = at.min(content.len());
    let end = (at + 8).min(content.len());
    (at < end).then(|| format!("bytes {}", hex::encode(&content[at..end])))
}

pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let cut: String = text.chars().take(length - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(path: &str, first: &[u8], second: &[u8]) -> Option<String> {
        let at = first
            .iter()
            .zip(second)
            .position(|(one, other)| one != other)
            .unwrap_or(first.len().min(second.len()));
        explain(&Bytes {
            path,
            first,
            second,
            at,
            whole: true,
        })
        .cause
    }

    #[test]
    fn what_differs_is_told_by_what_stands_there() {
        let said = |first: &str, second: &str| {
            cause("app/x", first.as_bytes(), second.as_bytes()).unwrap_or_default()
        };
        for (first, second, expected) in [
            (
                "built 2026-11-20T14:05:01Z\n",
                "built 2027-12-25T21:05:09Z\n",
                "a time",
            ),
            (
                "Fri Nov 20 14:05:01 UTC 2026",
                "Sat Dec 25 14:05:01 UTC 2027",
                "a time",
            ),
            ("{\"at\":1795000000123}", "{\"at\":1829560000123}", "a time"),
            (
                "cd /tmp/x1/src\n",
                "cd /tmp/other-scratch/x9/src\n",
                "embedded build path",
            ),
            ("b\na\nc\n", "a\nb\nc\n", "the same lines in another order"),
            (
                "id=0b9b2c1a-1111-4222-8333-944455566677",
                "id=7d7b2c1a-1111-4222-8333-944455566671",
                "a random value",
            ),
            ("zone UTC", "zone EST", "the time zone"),
            ("LANG=C.UTF-8", "LANG=POSIX", "the locale"),
            ("0022\n", "0002\n", "the umask"),
        ] {
            assert_eq!(said(first, second), expected, "{first} / {second}");
        }
    }

    #[test]
    fn formats_tell_more_than_their_bytes() {
        let pyc = |flags: u8, time: u8| {
            let mut bytes = vec![0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0];
            bytes.extend([time; 8]);
            bytes
        };
        assert_eq!(
            cause("a.pyc", &pyc(0, 1), &pyc(0, 2)).as_deref(),
            Some("timestamp in .pyc")
        );
        assert_eq!(
            cause("a.pyc", &pyc(3, 1), &pyc(3, 2)).as_deref(),
            Some("compiled Python that differs")
        );
        let gzip = |time: u8| [0x1f, 0x8b, 8, 0, time, 0, 0, 0, 0, 255, 3, 0];
        assert_eq!(
            cause("a.gz", &gzip(1), &gzip(2)).as_deref(),
            Some("timestamp in a gzip header")
        );
    }

    #[test]
    fn what_is_shown_is_the_line_and_its_number() {
        let explained = explain(&Bytes {
            path: "app/build-info.json",
            first: b"{\n\"at\": \"14:05:01\"\n}",
            second: b"{\n\"at\": \"14:05:09\"\n}",
            at: 16,
            whole: true,
        });
        assert_eq!(explained.line, Some(2));
        assert_eq!(explained.first.as_deref(), Some("\"at\": \"14:05:01\""));
        assert_eq!(explained.second.as_deref(), Some("\"at\": \"14:05:09\""));
    }

    #[test]
    fn any_bytes_are_explained_without_a_panic() {
        for (first, second, at) in [
            (&b""[..], &b""[..], 0),
            (b"", b"a", 0),
            (b"\xff\xfe", b"\xff", 1),
            (b"PK\x03\x04", b"PK\x03\x05", 3),
            (b"\x7fELF", b"\x7fELG", 3),
            ("ä".as_bytes(), "ö".as_bytes(), 1),
            (b"a", b"b", 100),
        ] {
            let _ = explain(&Bytes {
                path: "x.pyc",
                first,
                second,
                at,
                whole: true,
            });
        }
    }
}
