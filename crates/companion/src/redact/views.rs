//! The ways in which a text is read while secrets are looked for in it: as it is, without what indents its lines, with percent
//! signs resolved as URLs have them, and with backslashes resolved as JSON has them.
//!
//! Each view gives symbols with the place they stand at in the text, so that what is found in a view is hidden in the text.

/// A line break.
pub(super) const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Plain,
    /// Without what indents a line, as wrapped keys are written.
    Indented,
    /// `%2F` is `/`, and `+` is a space.
    Url,
    /// `\n` is a line break, and `\u00e9` is é.
    Json,
}

/// What stands at a place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbols {
    bytes: [u8; 4],
    count: usize,
    /// So much of the text it takes.
    pub width: usize,
}

impl Symbols {
    const fn one(byte: u8, width: usize) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            count: 1,
            width,
        }
    }

    fn character(character: char, width: usize) -> Self {
        let mut bytes = [0; 4];
        let count = character.encode_utf8(&mut bytes).len();
        Self {
            bytes,
            count,
            width,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.count).unwrap_or_default()
    }
}

impl Reading {
    /// Whether a text may be read otherwise than as it is; `after_break` says what it stands behind.
    pub fn may_differ(self, text: &[u8], after_break: bool) -> bool {
        match self {
            Self::Plain => false,
            Self::Indented => after_break || text.iter().any(|byte| is_break(*byte)),
            Self::Url => text.iter().any(|byte| matches!(byte, b'%' | b'+')),
            Self::Json => text.contains(&b'\\'),
        }
    }

    /// What stands first in a text that is not empty; none where that depends on what follows, and `is_end` is not said.
    pub fn first(self, text: &[u8], is_end: bool) -> Option<Symbols> {
        let first = *text.first()?;
        match (self, first) {
            (Self::Url, b'+') => Some(Symbols::one(b' ', 1)),
            (Self::Url, b'%') => percent(text, is_end),
            (Self::Json, b'\\') => backslash(text, is_end),
            _ => Some(Symbols::one(first, 1)),
        }
    }
}

/// The bytes of a text behind its first, with how much of it is over with each. Line breaks are none of them: what
/// wraps lines does not care what it breaks.
fn behind(text: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let bytes = text.iter().zip(1..).skip(1);
    let bytes = bytes.filter(|(byte, _)| !is_break(**byte));
    bytes.map(|(byte, width)| (*byte, width))
}

/// What some hexadecimal digits say and how much of the text is over with them; else whether more of them may follow.
fn digits(
    bytes: &mut impl Iterator<Item = (u8, usize)>,
    count: usize,
) -> Result<(u32, usize), bool> {
    let (mut number, mut over) = (0, 0);
    for _ in 0..count {
        let (byte, width) = bytes.next().ok_or(true)?;
        let digit = char::from(byte).to_digit(16).ok_or(false)?;
        (number, over) = (number * 16 + digit, width);
    }
    Ok((number, over))
}

fn percent(text: &[u8], is_end: bool) -> Option<Symbols> {
    match digits(&mut behind(text), 2) {
        Ok((number, width)) => Some(Symbols::one(number as u8, width)),
        Err(true) if !is_end => None,
        Err(_) => Some(Symbols::one(b'%', 1)),
    }
}

fn backslash(text: &[u8], is_end: bool) -> Option<Symbols> {
    let literal = Symbols::one(b'\\', 1);
    let mut bytes = behind(text);
    let Some((second, width)) = bytes.next() else {
        return is_end.then_some(literal);
    };
    let meant = match second {
        b'"' | b'\\' | b'/' => second,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unicode(&mut bytes, is_end),
        _ => return Some(literal),
    };
    Some(Symbols::one(meant, width))
}

/// `\u00e9`, or two of them where one is not enough.
fn unicode(bytes: &mut impl Iterator<Item = (u8, usize)>, is_end: bool) -> Option<Symbols> {
    let literal = Symbols::one(b'\\', 1);
    let undecided = |may_follow: bool| (is_end || !may_follow).then_some(literal);
    let (first, width) = match digits(bytes, 4) {
        Ok(first) => first,
        Err(may_follow) => return undecided(may_follow),
    };
    if let Some(character) = char::from_u32(first) {
        return Some(Symbols::character(character, width));
    }
    // Half of a character: the other half may follow.
    for wanted in *b"\\u" {
        match bytes.next() {
            None => return undecided(true),
            Some((byte, _)) if byte != wanted => return Some(literal),
            Some(_) => {}
        }
    }
    let (second, width) = match digits(bytes, 4) {
        Ok(second) => second,
        Err(may_follow) => return undecided(may_follow),
    };
    let whole = first
        .checked_sub(0xd800)
        .filter(|high| *high < 0x400)
        .zip(second.checked_sub(0xdc00).filter(|low| *low < 0x400))
        .and_then(|(high, low)| char::from_u32(0x1_0000 + (high << 10) + low));
    Some(whole.map_or(literal, |character| Symbols::character(character, width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reading: Reading, text: &str) -> Vec<u8> {
        let (mut rest, mut read) = (text.as_bytes(), Vec::new());
        while let Some(symbols) = reading.first(rest, true) {
            read.extend_from_slice(symbols.bytes());
            rest = &rest[symbols.width..];
        }
        read
    }

    #[test]
    fn a_url_and_json_are_read_as_what_they_mean() {
        assert_eq!(read(Reading::Plain, "a%2Fb\\n+"), b"a%2Fb\\n+");
        assert_eq!(read(Reading::Url, "a%2Fb%2f+%zz%2"), b"a/b/ %zz%2");
        assert_eq!(
            read(Reading::Json, r#"a\"b\\c\n\u00e9\ud83d\ude00\ud83dx\q"#),
            "a\"b\\c\né😀\\ud83dx\\q".as_bytes()
        );
    }

    #[test]
    fn what_is_cut_off_is_waited_for() {
        for (reading, text) in [
            (Reading::Url, "%"),
            (Reading::Url, "%2"),
            (Reading::Json, "\\"),
            (Reading::Json, "\\u00e"),
            (Reading::Json, "\\ud83d"),
            (Reading::Json, "\\ud83d\\"),
            (Reading::Json, "\\ud83d\\ude0"),
        ] {
            assert_eq!(reading.first(text.as_bytes(), false), None, "{text}");
            assert!(reading.first(text.as_bytes(), true).is_some(), "{text}");
        }
        for (reading, text) in [
            (Reading::Url, "%x"),
            (Reading::Json, "\\x"),
            (Reading::Json, "\\ux"),
        ] {
            assert_eq!(
                reading.first(text.as_bytes(), false).unwrap().width,
                1,
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[%+\\\\u0-9a-f\"n ]{0,40}") {
            for reading in [Reading::Plain, Reading::Url, Reading::Json] {
                read(reading, &text);
            }
        }
    }
}
