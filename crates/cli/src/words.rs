//! Sizes, times and digests as people read them.

pub use ergon_server::steers;
use jiff::{Timestamp, Unit};

/// The first twelve digits of a digest, without its algorithm.
pub fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}

/// `sha256:8be2…`: a digest that is only there to be recognised.
pub fn glimpse(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, hex)) if hex.len() > 8 => format!("{algorithm}:{}…", &hex[..8]),
        _ => digest.to_owned(),
    }
}

/// The text with every full digest in it shortened as [`glimpse`] does.
pub fn glimpses(text: &str) -> String {
    const PREFIX: &str = "sha256:";
    let mut shortened = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(PREFIX) {
        let hex = &rest[start + PREFIX.len()..];
        let length = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        let end = start + PREFIX.len() + length;
        shortened.push_str(&rest[..start]);
        shortened.push_str(&if length == 64 {
            glimpse(&rest[start..end])
        } else {
            rest[start..end].to_owned()
        });
        rest = &rest[end..];
    }
    shortened + rest
}

/// `850 ms`, `2.1 s`, `3 m 40 s`.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!(
            "{} m {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
    }
}

/// `41 MB`: powers of ten, as registries count.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, factor) in UNITS {
        if bytes >= factor {
            let tenths = bytes / (factor / 10);
            return if tenths >= 100 {
                format!("{} {unit}", tenths / 10)
            } else {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} B")
}

/// `6 min ago`; the time itself where it is none or lies ahead.
pub fn ago(time: &str, now: Timestamp) -> String {
    let Ok(then) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    let Ok(seconds) = (now - then).total(Unit::Second) else {
        return time.to_owned();
    };
    match seconds as i64 {
        ..-5 => time.to_owned(),
        -5..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3_600 => format!("{} min ago", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} ago", count(seconds as usize / 86_400, "day")),
    }
}

/// `1 build`, `2 builds`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A text from outside without what would steer the terminal: escape sequences, control
/// characters other than line breaks and tabs, and what lets text run the other way.
pub fn harmless(text: &str) -> String {
    let stripped = anstream::adapter::strip_str(text).to_string();
    stripped
        .chars()
        .filter(|character| matches!(character, '\n' | '\t') || !steers(*character))
        .collect()
}

/// A name from outside, on one line: what would steer the terminal or break the line is written as an escape, so
/// that two names that differ look so.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_unit_that_fits() {
        assert_eq!(duration(850), "850 ms");
        assert_eq!(duration(2_149), "2.1 s");
        assert_eq!(duration(220_000), "3 m 40 s");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_550), "1.5 kB");
        assert_eq!(size(41_200_000), "41 MB");
    }

    #[test]
    fn digests_are_shortened_and_nothing_else_is() {
        let digest = format!("sha256:4f1c09ab77e2{}", "0".repeat(52));
        assert_eq!(short(&digest), "4f1c09ab77e2");
        assert_eq!(glimpse(&digest), "sha256:4f1c09ab…");
        assert_eq!(short("4f1c"), "4f1c");
        assert_eq!(short("é"), "é");
        assert_eq!(
            glimpses(&format!("a {digest} held, {digest}")),
            "a sha256:4f1c09ab… held, sha256:4f1c09ab…"
        );
        assert_eq!(glimpses("sha256:é sha256:4f1c"), "sha256:é sha256:4f1c");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = "2026-01-02T12:00:00Z".parse().unwrap();
        assert_eq!(ago("2026-01-02T11:54:00Z", now), "6 min ago");
        assert_eq!(ago("2026-01-02T11:59:59.5Z", now), "just now");
        assert_eq!(ago("2026-01-01T11:00:00Z", now), "1 day ago");
        assert_eq!(ago("2027-01-01T11:00:00Z", now), "2027-01-01T11:00:00Z");
        assert_eq!(ago("then", now), "then");
    }

    #[test]
    fn a_text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(
            harmless("\u{1b}[31mred\u{1b}[0m\u{7} \u{1b}]0;title\u{7}a\r\nb\tc"),
            "red a\nb\tc"
        );
        assert_eq!(harmless("safe\u{202e}txt.exe\u{2066}"), "safetxt.exe");
        assert_eq!(
            on_one_line("a\n  b\tc\r\u{1b}[31m\u{9b}2J\u{202e}\u{2028}é"),
            "a\\n  b\\tc\\r\\u{1b}[31m\\u{9b}2J\\u{202e}\\u{2028}é"
        );
    }
}
