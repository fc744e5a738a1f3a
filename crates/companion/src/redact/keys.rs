//! Private keys as they are printed: a first line that says so, many lines of letters, a last line.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::HIDDEN;

/// In every first and last line.
const SIGN: &str = "PRIVATE KEY";
/// No key is longer; whatever was begun and never ended hides no more than so many lines.
const MOST_LINES: u32 = 400;
/// So many letters in a row, while a key is being printed, are a part of it.
const LETTERS: usize = 20;
/// As long are the full lines of a key, by who writes it: PEM, OpenSSH, PGP and others.
const FULL_LINES: [usize; 3] = [64, 70, 76];

/// `-----BEGIN RSA PRIVATE KEY-----`, `-----BEGIN PGP PRIVATE KEY BLOCK-----`, `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`.
static FIRST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("----?-? ?BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*---?-?-?").ok());
static LAST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("----?-? ?END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*---?-?-?").ok());

/// Follows one output line by line, and hides the lines of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyLines {
    open: Option<Open>,
}

/// A key that has begun and not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// So many words stood before its first line: a time, a level.
    words_before: usize,
    lines_left: u32,
}

impl KeyLines {
    /// The line without what belongs to a key.
    pub(crate) fn clean<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let Some(open) = &mut self.open else {
            return self.look_for(text);
        };
        if let Some(end) = last_line(text) {
            self.open = None;
            let rest = self.look_for(text.get(end..).unwrap_or_default());
            return Cow::Owned(format!("{HIDDEN}{rest}"));
        }
        let is_part = is_part(text, open.words_before);
        open.lines_left -= 1;
        if open.lines_left == 0 {
            self.open = None;
        }
        if is_part {
            Cow::Borrowed(HIDDEN)
        } else {
            // Somebody else wrote in between.
            Cow::Borrowed(text)
        }
    }

    fn look_for<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if is_full_line(text.trim()) {
            // Its first line was not seen.
            return Cow::Borrowed(HIDDEN);
        }
        let (clean, words_before) = whole(text);
        self.open = words_before.map(|words_before| Open {
            words_before,
            lines_left: MOST_LINES,
        });
        clean
    }
}

/// Hides keys in a text; one that does not end in it hides the rest.
pub(super) fn without_keys(text: &str) -> Cow<'_, str> {
    whole(text).0
}

/// Hides what stands before the last line of a key whose first line was not seen. Lines are oldest first.
pub(crate) fn hide_headless<'t>(lines: impl IntoIterator<Item = &'t mut String>) {
    let mut before: Vec<&mut String> = Vec::new();
    for line in lines {
        if last_line(line).is_some() {
            for part in before.drain(..).rev() {
                if part != HIDDEN && !is_part(part, 0) {
                    break;
                }
                HIDDEN.clone_into(part);
            }
            HIDDEN.clone_into(line);
        } else {
            before.push(line);
        }
    }
}

/// The text without keys, and how many words stood before one that does not end in it.
fn whole(text: &str) -> (Cow<'_, str>, Option<usize>) {
    if !text.contains(SIGN) {
        return (Cow::Borrowed(text), None);
    }
    let Some(first) = FIRST.as_ref() else {
        return (Cow::Borrowed(HIDDEN), None);
    };
    let mut clean = String::new();
    let mut rest = text;
    while let Some(found) = first.find(rest) {
        let (before, key) = rest.split_at(found.start());
        clean.push_str(before);
        clean.push_str(HIDDEN);
        let Some(end) = last_line(key) else {
            return (
                Cow::Owned(clean),
                Some(before.split_ascii_whitespace().count()),
            );
        };
        rest = key.get(end..).unwrap_or_default();
    }
    if clean.is_empty() {
        return (Cow::Borrowed(text), None);
    }
    clean.push_str(rest);
    (Cow::Owned(clean), None)
}

/// Where a key ends in a text.
fn last_line(text: &str) -> Option<usize> {
    if !text.contains(SIGN) {
        return None;
    }
    Some(LAST.as_ref()?.find(text)?.end())
}

/// Whether a line, while a key is being printed, is a part of it.
fn is_part(text: &str, words_before: usize) -> bool {
    let text = text.trim();
    let mut words = text.split_ascii_whitespace();
    let count = words.clone().count();
    let is_header = [
        "Proc-Type:",
        "DEK-Info:",
        "Version:",
        "Comment:",
        "Subject:",
    ]
    .iter()
    .any(|header| text.contains(header));
    let ends_with_letters = words
        .next_back()
        .is_none_or(|word| word.bytes().all(is_letter));
    let has_run = || {
        let mut run = 0;
        text.bytes().any(|byte| {
            run = if is_letter(byte) { run + 1 } else { 0 };
            run >= LETTERS
        })
    };
    is_header || count <= words_before + 1 && ends_with_letters || has_run()
}

/// Whether a line can be nothing but the letters of a key or of something like it.
fn is_full_line(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.as_bytes().iter().any(kind);
    FULL_LINES.contains(&text.len())
        && text.bytes().all(is_letter)
        // A digest has letters of one size only.
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// One of those that base64 writes with.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    fn cleaned(lines: &[&str]) -> Vec<String> {
        let mut keys = KeyLines::default();
        lines
            .iter()
            .map(|line| keys.clean(line).into_owned())
            .collect()
    }

    #[test]
    fn all_lines_of_a_key_are_hidden_and_what_stands_around_it_is_not() {
        for (begin, end) in [
            (
                "-----BEGIN RSA PRIVATE KEY-----",
                "-----END RSA PRIVATE KEY-----",
            ),
            ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----",
                "-----END OPENSSH PRIVATE KEY-----",
            ),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----",
                "-----END PGP PRIVATE KEY BLOCK-----",
            ),
            (
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
                "---- END SSH2 ENCRYPTED PRIVATE KEY ----",
            ),
        ] {
            let lines = [
                "loading",
                begin,
                "Proc-Type: 4,ENCRYPTED",
                "",
                FULL,
                "c3dpdGg=",
                end,
                "loaded",
            ];
            let hidden = HIDDEN;
            let expected = [
                "loading", hidden, hidden, hidden, hidden, hidden, hidden, "loaded",
            ];
            assert_eq!(cleaned(&lines), expected, "{begin}");
        }
    }

    #[test]
    fn a_key_behind_a_time_and_a_level_is_one_too() {
        let lines = [
            "12:00:01 INFO -----BEGIN EC PRIVATE KEY-----",
            "12:00:01 INFO MHcCAQEEIIGlVmQv2Z5Z",
            "12:00:01 INFO request 17 from 10.0.0.3 took 4 ms",
            "12:00:01 INFO AwEHoUQD",
            "12:00:01 INFO -----END EC PRIVATE KEY----- read",
            "12:00:02 INFO ready",
        ];
        assert_eq!(
            cleaned(&lines),
            [
                "12:00:01 INFO •••",
                HIDDEN,
                "12:00:01 INFO request 17 from 10.0.0.3 took 4 ms",
                HIDDEN,
                "••• read",
                "12:00:02 INFO ready",
            ]
        );
    }

    #[test]
    fn a_key_in_one_line_is_hidden_in_it() {
        let line = "key=\"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n\" then -----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY----- and on";
        assert_eq!(without_keys(line), "key=\"•••\\n\" then ••• and on");
        assert_eq!(cleaned(&[line, "next"])[1], "next");
        assert_eq!(without_keys("x -----BEGIN PRIVATE KEY-----\nQUJD"), "x •••");
    }

    #[test]
    fn what_never_ends_does_not_hide_the_log_for_good() {
        let mut keys = KeyLines::default();
        keys.clean("-----BEGIN PRIVATE KEY-----");
        for _ in 0..MOST_LINES {
            assert_eq!(keys.clean("word"), HIDDEN);
        }
        assert_eq!(keys.clean("word"), "word");
    }

    #[test]
    fn a_key_whose_beginning_was_not_seen_is_hidden_all_the_same() {
        let mut lines = [
            "started",
            "c3dpdGg",
            FULL,
            "QUJDRA==",
            "-----END RSA PRIVATE KEY-----",
            "ready",
        ]
        .map(str::to_owned);
        hide_headless(&mut lines);
        assert_eq!(lines[4..], [HIDDEN, "ready"]);
        assert_eq!(lines[1..4], [HIDDEN; 3]);
        assert_eq!(cleaned(&[FULL, "ready"]), [HIDDEN, "ready"]);
        let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(cleaned(&[digest]), [digest]);
    }

    #[test]
    fn talking_of_keys_is_no_key() {
        for text in [
            "cannot read PRIVATE KEY",
            "no -----BEGIN CERTIFICATE-----",
            "END",
        ] {
            assert_eq!(cleaned(&[text, "next line here"]), [text, "next line here"]);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_of_a_key_gets_through(body in proptest::collection::vec("[A-Za-z0-9+/]{1,76}", 1..40), prefix in "([a-z:0-9]{1,9} ){0,3}") {
            let mut keys = KeyLines::default();
            let mut out = vec![keys.clean(&format!("{prefix}-----BEGIN RSA PRIVATE KEY-----")).into_owned()];
            for line in &body {
                out.push(keys.clean(&format!("{prefix}{line}")).into_owned());
            }
            let end = format!("{prefix}-----END RSA PRIVATE KEY-----");
            out.push(keys.clean(&end).into_owned());
            proptest::prop_assert!(out[1..].iter().all(|line| line == HIDDEN), "{out:?}");
        }
    }
}
