//! What differs from line to line, replaced by what it is: `<num>`, `<ip>`, `<time>`, `<id>`, `<hex>`, `<email>`.

/// More words of a line are not looked at.
const MOST_WORDS: usize = 64;

/// A line's words with what differs masked. One is used for many lines, so that they need no memory of their own.
#[derive(Debug, Default)]
pub(super) struct Words {
    text: String,
    /// Where each word ends in `text`.
    ends: Vec<u32>,
}

impl Words {
    /// Takes in the words of a line.
    pub(super) fn read(&mut self, line: &str) {
        self.text.clear();
        self.ends.clear();
        let mut words = line.split_ascii_whitespace().peekable();
        // Times at the beginning are no part of what the line says.
        let is_time = |word: &&str| is_time(core(word).1) || is_zone(word);
        while words.next_if(is_time).is_some() {}
        for word in words.by_ref().take(MOST_WORDS) {
            mask(word, &mut self.text);
            self.end();
        }
        if words.next().is_some() {
            self.text.push_str("<*>");
            self.end();
        }
        if self.ends.is_empty() {
            self.text
                .push_str(if line.trim().is_empty() { "" } else { "<time>" });
            self.end();
        }
    }

    /// Takes in words that are masked already.
    pub(super) fn read_words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.text.clear();
        self.ends.clear();
        for word in words {
            self.text.push_str(word);
            self.end();
        }
    }

    fn end(&mut self) {
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| {
            self.text
                .get(start as usize..*end as usize)
                .unwrap_or_default()
        })
    }
}

/// A word's beginning, middle and end: brackets, quotes and stops stay as they are.
fn core(word: &str) -> (&str, &str, &str) {
    let open = |c: char| matches!(c, '(' | '[' | '{' | '<' | '"' | '\'' | '`');
    let close = |c: char| {
        matches!(
            c,
            ')' | ']' | '}' | '>' | '"' | '\'' | '`' | ',' | ';' | ':' | '.' | '!' | '?'
        )
    };
    let rest = word.trim_start_matches(open);
    let middle = rest.trim_end_matches(close);
    let start = word.len() - rest.len();
    (&word[..start], middle, &word[start + middle.len()..])
}

/// Bytes: what is longer is no word, and not worth taking apart.
const LONGEST_WORD: usize = 512;

/// Appends the word with what differs masked.
pub(super) fn mask(word: &str, into: &mut String) {
    if word.len() > LONGEST_WORD {
        into.push_str("<*>");
        return;
    }
    let tells = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'@' | b'=' | b'?');
    if !word.bytes().any(tells) {
        into.push_str(word);
        return;
    }
    let (start, middle, end) = core(word);
    into.push_str(start);
    mask_core(middle, into);
    into.push_str(end);
}

fn mask_core(text: &str, into: &mut String) {
    if text.is_empty() {
        return;
    }
    if let Some((key, value)) = text.split_once('=')
        && is_key(key)
    {
        into.push_str(key);
        into.push('=');
        mask(value, into);
        return;
    }
    if let Some(kind) = kind(text) {
        into.push_str(kind);
        return;
    }
    // The questions of an address say what was asked for, which differs.
    if let Some((path, _)) = text.split_once('?').filter(|(path, _)| path.contains('/')) {
        mask_core(path, into);
        into.push_str("?<*>");
        return;
    }
    if text.starts_with("HTTP/") {
        into.push_str(text);
        return;
    }
    if text.contains(['/', ',', '|', '#']) {
        for piece in text.split_inclusive(['/', ',', '|', '#']) {
            let (piece, separator) = match piece.char_indices().next_back() {
                Some((at, '/' | ',' | '|' | '#')) => piece.split_at(at),
                _ => (piece, ""),
            };
            match kind(piece) {
                Some(kind) => into.push_str(kind),
                None => mask_digits(piece, into),
            }
            into.push_str(separator);
        }
        return;
    }
    // `key:value`, `host:8080`.
    if let Some((key, value)) = text.split_once(':')
        && !value.is_empty()
        && !key.is_empty()
    {
        match kind(key) {
            Some(kind) => into.push_str(kind),
            None => mask_digits(key, into),
        }
        into.push(':');
        mask_core(value, into);
        return;
    }
    mask_digits(text, into);
}

fn is_key(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// What the whole text is, if it is something that differs.
fn kind(text: &str) -> Option<&'static str> {
    let first = *text.as_bytes().first()?;
    if is_number(text) {
        return Some("<num>");
    }
    if is_time(text) {
        return Some("<time>");
    }
    if first.is_ascii_digit() && is_address(text) {
        return Some("<ip>");
    }
    if let Some((address, port)) = text.rsplit_once(':')
        && is_address(address)
        && is_number(port)
    {
        return Some("<ip>:<num>");
    }
    if is_uuid(text) {
        return Some("<id>");
    }
    if is_hex(text) {
        return Some("<hex>");
    }
    let mut at = text.split('@');
    let is_email = at
        .next()
        .is_some_and(|name| !name.is_empty() && !name.contains('/'))
        && at
            .next()
            .is_some_and(|host| host.contains('.') && !host.contains('/'))
        && at.next().is_none();
    is_email.then_some("<email>")
}

/// `12`, `-1.5`, `1,234`, `12ms`, `3.5MiB`, `97%`.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%' || c == 'µ');
    let unit = &text[digits.len()..];
    !digits.is_empty()
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && matches!(
            unit,
            "" | "%"
                | "s"
                | "ms"
                | "us"
                | "µs"
                | "ns"
                | "m"
                | "h"
                | "d"
                | "B"
                | "b"
                | "k"
                | "K"
                | "M"
                | "G"
                | "kB"
                | "KB"
                | "MB"
                | "GB"
                | "KiB"
                | "MiB"
                | "GiB"
                | "kb"
                | "mb"
                | "gb"
                | "x"
                | "L"
                | "sec"
                | "min"
        )
}

/// `2026-01-02`, `2026-01-02T03:04:05.678Z`, `2026/01/02`, `03:04:05,678`, `02/Jan/2026:03:04:05`.
pub(super) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes.len() > 40 || !bytes[0].is_ascii_digit() {
        return false;
    }
    let is = |shape: &[u8]| {
        bytes.len() >= shape.len()
            && shape.iter().zip(bytes).all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                b'a' => byte.is_ascii_alphabetic(),
                other => other == byte,
            })
    };
    let rest_is_time = |from: usize| {
        bytes[from..].iter().all(|byte| {
            byte.is_ascii_digit()
                || matches!(
                    byte,
                    b':' | b'.' | b',' | b'+' | b'-' | b'T' | b'Z' | b'z' | b't' | b'_'
                )
        })
    };
    (is(b"0000-00-00") || is(b"0000/00/00")) && rest_is_time(10)
        || is(b"00:00:00") && rest_is_time(8)
        || is(b"00/aaa/0000") && rest_is_time(11)
}

/// `+0000]`, as web servers write it after a time.
fn is_zone(word: &str) -> bool {
    let digits = word.trim_end_matches(']');
    digits.len() == 5
        && digits.starts_with(['+', '-'])
        && digits[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// An IPv4 address, or a range of them.
fn is_address(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or(text);
    let mut parts = 0;
    for part in address.split('.') {
        parts += 1;
        if parts > 4
            || part.is_empty()
            || part.len() > 3
            || !part.bytes().all(|b| b.is_ascii_digit())
        {
            return false;
        }
    }
    parts == 4
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `0x7f…`, or eight digits and letters of a hash or more; not a word, not a number.
fn is_hex(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() >= 8
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte.is_ascii_digit())
}

/// Each run of digits is a number.
fn mask_digits(text: &str, into: &mut String) {
    let mut digits = false;
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            if !digits {
                into.push_str("<num>");
            }
            digits = true;
        } else {
            digits = false;
            into.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str) -> String {
        let mut words = Words::default();
        words.read(line);
        words.iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_word_without_end_is_no_word() {
        for word in [
            "a=".repeat(30_000),
            "a:1".repeat(20_000),
            "1/".repeat(30_000),
        ] {
            let mut masked = String::new();
            mask(&word, &mut masked);
            assert_eq!(masked, "<*>");
        }
    }

    #[test]
    fn what_differs_is_masked_and_what_says_something_stays() {
        let lines = [
            "2026-01-02T03:04:05.678Z INFO took 12.5ms for 97% of 1,024 KiB",
            "2026-01-02 03:04:05,678 worker-12 got job 550e8400-e29b-41d4-a716-446655440000",
            "[02/Jan/2026:03:04:05 +0000] from 10.0.0.7:51234 to 192.168.0.0/16",
            "connect to redis:6379 (10.0.0.7) failed: errno=111, try #3",
            "user=ann@example.com id=42 path=/var/lib/x/17/data?x=1",
            "GET https://api.example.com/v1/users/123/orders?page=2 HTTP/1.1",
            "blk_-1608999687919862906 at 0x7ffd12 commit deadbeef01 image sha256:0a1b2c3d4e5f",
            "the added facade was accepted",
            "ready",
            "12:13:14",
        ];
        let masked: Vec<String> = lines.iter().map(|line| masked(line)).collect();
        insta::assert_snapshot!(masked.join("\n"), @"
        INFO took <num> for <num> of <num> KiB
        worker-<num> got job <id>
        from <ip>:<num> to <ip>
        connect to redis:<num> (<ip>) failed: errno=<num>, try #<num>
        user=<email> id=<num> path=/var/lib/x/<num>/data?<*>
        GET https://api.example.com/v<num>/users/<num>/orders?<*> HTTP/1.1
        blk_-<num> at <hex> commit <hex> image <hex>
        the added facade was accepted
        ready
        <time>
        ");
    }

    #[test]
    fn a_line_without_end_has_an_end() {
        let mut words = Words::default();
        words.read(&"x ".repeat(10_000));
        assert_eq!(words.len(), MOST_WORDS + 1);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_masked(line in ".*") {
            let mut words = Words::default();
            words.read(&line);
            proptest::prop_assert!(words.len() >= 1);
            for word in words.iter() {
                proptest::prop_assert!(!word.contains(' '));
            }
        }
    }
}
