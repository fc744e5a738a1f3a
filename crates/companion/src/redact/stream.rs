//! Hides known secrets in a text that comes piece by piece.
//!
//! A secret may begin in one piece and end in another. What may be the beginning of one is held back until it is seen
//! whether it is, and no more than that: a text that ends where no secret could begin is passed on whole.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::HIDDEN;
use super::known::{Known, State};
use super::views::{Reading, is_break};

/// Of a text that ends like a secret begins, so many letters are let through: nearly every line does that. The others of
/// the secret are hidden all the same.
const LET_THROUGH: usize = 3;

/// Hides known secrets in a text that comes in pieces. What line breaks it has stay.
pub struct Cleaner {
    known: Arc<Known>,
    /// What is not decided yet.
    text: Vec<u8>,
    /// Where that begins in all of the text.
    base: usize,
    views: [View; 4],
    /// What is to be hidden, in places of all of the text.
    hidden: Vec<Range<usize>>,
    /// Whether the last that was passed on was the sign for something hidden.
    is_hidden: bool,
}

/// How far one reading of the text has come.
#[derive(Clone)]
struct View {
    reading: Reading,
    /// The next place to be read.
    at: usize,
    state: State,
    /// Where the symbols stand that may be the beginning of a secret.
    begun: VecDeque<usize>,
    /// So many line breaks came last, with what indents after them where that is left out.
    breaks: usize,
}

impl View {
    fn new(reading: Reading, known: &Known) -> Self {
        Self {
            reading,
            at: 0,
            state: known.start(),
            begun: VecDeque::new(),
            breaks: 0,
        }
    }

    /// Reads on, as far as that can be done, and notes what is to be hidden.
    fn read(
        &mut self,
        known: &Known,
        text: &[u8],
        base: usize,
        is_end: bool,
        hidden: &mut Vec<Range<usize>>,
    ) {
        while let Some(rest) = text.get(self.at - base..)
            && let Some(symbols) = self.reading.first(rest, is_end)
        {
            let begin = self.at;
            self.at += symbols.width;
            for symbol in symbols.bytes() {
                if let Some(found) = self.step(known, *symbol, begin) {
                    hidden.push(found..self.at);
                }
            }
        }
    }

    /// Takes one symbol; says where a secret begins that ends with it.
    fn step(&mut self, known: &Known, symbol: u8, begin: usize) -> Option<usize> {
        let is_indent = self.breaks > 0 && matches!(symbol, b' ' | b'\t');
        let is_between = is_break(symbol) || self.reading == Reading::Indented && is_indent;
        if is_between {
            self.breaks += 1;
            if self.breaks > known.most_breaks {
                self.state = known.start();
                self.begun.clear();
            }
            return None;
        }
        self.breaks = 0;
        self.state = known.next(self.state, symbol);
        self.begun.push_back(begin);
        let depth = known.depth(self.state);
        while self.begun.len() > depth {
            self.begun.pop_front();
        }
        let found = known.found(self.state).and_then(|length| {
            let first = self.begun.len().checked_sub(length)?;
            self.begun.get(first).copied()
        });
        let open = known.open(self.state);
        while self.begun.len() > open {
            self.begun.pop_front();
        }
        found
    }

    /// Where it begins to be undecided, if less than `least` symbols of a secret are none.
    fn undecided(&self, least: usize) -> usize {
        match self.begun.front() {
            Some(begin) if self.begun.len() >= least => *begin,
            _ => self.at,
        }
    }
}

impl Default for Cleaner {
    fn default() -> Self {
        Self::new()
    }
}

impl Cleaner {
    /// Hides what is known now.
    pub fn new() -> Self {
        Self::over(Known::now())
    }

    pub(super) fn over(known: Arc<Known>) -> Self {
        let readings = [
            Reading::Plain,
            Reading::Indented,
            Reading::Url,
            Reading::Json,
        ];
        Self {
            text: Vec::new(),
            base: 0,
            views: readings.map(|reading| View::new(reading, &known)),
            hidden: Vec::new(),
            is_hidden: false,
            known,
        }
    }

    /// Takes the next piece, and passes on what is decided.
    pub fn push(&mut self, piece: &[u8], clean: &mut Vec<u8>) {
        self.take(piece, false);
        self.pass_on(1, clean);
    }

    /// The same for a text that is to be heard at once: a few letters that a secret could begin with are let through.
    pub fn push_soon(&mut self, piece: &[u8], clean: &mut Vec<u8>) {
        self.take(piece, false);
        self.pass_on(LET_THROUGH + 1, clean);
    }

    /// Passes on what is held back; a secret that goes on in the next piece is still hidden from there on.
    pub fn let_go(&mut self, clean: &mut Vec<u8>) {
        self.take(&[], true);
        self.pass_on(usize::MAX, clean);
    }

    /// Passes on the rest.
    pub fn finish(mut self, clean: &mut Vec<u8>) {
        self.take(&[], true);
        self.pass_on(usize::MAX, clean);
    }

    fn take(&mut self, piece: &[u8], is_end: bool) {
        if self.known.is_empty() {
            self.text.extend_from_slice(piece);
            let end = self.base + self.text.len();
            self.views.iter_mut().for_each(|view| view.at = end);
            return;
        }
        let [plain, others @ ..] = &mut self.views;
        let before = plain.clone();
        self.text.extend_from_slice(piece);
        let hidden = &mut self.hidden;
        plain.read(&self.known, &self.text, self.base, is_end, hidden);
        for view in others {
            // As long as both read the same, one reading does.
            let may_differ = view.reading.may_differ(piece, before.breaks > 0);
            if view.is_with(&before) && !may_differ {
                let reading = view.reading;
                view.clone_from(plain);
                view.reading = reading;
            } else {
                view.read(&self.known, &self.text, self.base, is_end, hidden);
            }
        }
    }

    /// Passes on everything before the first symbol of what may become a secret of at least so many symbols.
    fn pass_on(&mut self, least: usize, clean: &mut Vec<u8>) {
        let undecided = self.views.iter().map(|view| view.undecided(least)).min();
        // What was let go cannot be held back any more.
        let end = undecided.unwrap_or(self.base).max(self.base);
        self.hidden.sort_unstable_by_key(|range| range.start);
        let mut at = self.base;
        let mut later = Vec::new();
        for range in std::mem::take(&mut self.hidden) {
            if range.start > end {
                later.push(range);
                continue;
            }
            if range.end > end {
                later.push(range.start.max(end)..range.end);
            }
            let (from, to) = (range.start.max(at), range.end.min(end));
            if from < to {
                self.show(at..from, clean);
                self.hide(from..to, clean);
                at = to;
            }
        }
        self.show(at..end, clean);
        self.hidden = later;
        self.text.drain(..end - self.base);
        self.base = end;
    }

    fn show(&mut self, range: Range<usize>, clean: &mut Vec<u8>) {
        let text = self
            .text
            .get(range.start - self.base..range.end - self.base);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            clean.extend_from_slice(text);
            self.is_hidden = false;
        }
    }

    fn hide(&mut self, range: Range<usize>, clean: &mut Vec<u8>) {
        let text = self
            .text
            .get(range.start - self.base..range.end - self.base);
        for byte in text.unwrap_or_default() {
            if is_break(*byte) {
                // Whoever counts lines counts the same.
                clean.push(*byte);
                self.is_hidden = false;
            } else if !self.is_hidden {
                clean.extend_from_slice(HIDDEN.as_bytes());
                self.is_hidden = true;
            }
        }
    }
}

impl View {
    /// Whether both have come equally far, with the same in mind.
    fn is_with(&self, other: &Self) -> bool {
        (self.at, self.state, self.breaks) == (other.at, other.state, other.breaks)
            && self.begun == other.begun
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::forms::{forms, longest_break};
    use super::super::lines::Lines;
    use super::*;

    fn known(values: &[&[u8]]) -> Arc<Known> {
        let all: BTreeSet<Vec<u8>> = values.iter().flat_map(|value| forms(value)).collect();
        let longest = values.iter().map(|value| longest_break(value)).max();
        Arc::new(Known::new(all.iter(), longest.unwrap_or_default()))
    }

    /// What comes of a text that comes in pieces of these sizes, one after the other, again and again.
    fn cleaned(known: &Arc<Known>, text: &[u8], sizes: &[usize]) -> Vec<u8> {
        let mut cleaner = Cleaner::over(known.clone());
        let (mut rest, mut clean) = (text, Vec::new());
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let size = sizes
                .next()
                .map_or(rest.len(), |size| *size)
                .clamp(1, rest.len());
            let (piece, after) = rest.split_at(size);
            cleaner.push(piece, &mut clean);
            rest = after;
        }
        cleaner.finish(&mut clean);
        clean
    }

    fn clean(values: &[&str], text: &str) -> String {
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let known = known(&values);
        let whole = cleaned(&known, text.as_bytes(), &[text.len()]);
        for size in 1..5 {
            let pieces = cleaned(&known, text.as_bytes(), &[size]);
            assert_eq!(whole, pieces, "pieces of {size}");
        }
        String::from_utf8(whole).unwrap()
    }

    fn wrapped(text: &str, width: usize, end: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let lines = letters
            .chunks(width)
            .map(|line| line.iter().collect::<String>());
        lines.collect::<Vec<_>>().join(end)
    }

    /// The value as people and programs write it.
    fn written(value: &[u8]) -> Vec<String> {
        let mut all = vec![hex::encode(value), hex::encode_upper(value)];
        for before in ["", "a", "ab", "user:"] {
            for after in ["", "z", "zz"] {
                let around = [before.as_bytes(), value, after.as_bytes()].concat();
                all.push(STANDARD.encode(&around));
                all.push(STANDARD_NO_PAD.encode(&around));
                all.push(URL_SAFE.encode(&around));
                all.push(URL_SAFE_NO_PAD.encode(&around));
            }
        }
        all.push(value.iter().map(|byte| format!("%{byte:02X}")).collect());
        all.push(value.iter().map(|byte| format!("%{byte:02x}")).collect());
        if let Ok(text) = std::str::from_utf8(value) {
            all.push(text.to_owned());
            let json = serde_json::to_string(text).unwrap();
            all.push(json.trim_matches('"').to_owned());
            all.push(
                text.encode_utf16()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect(),
            );
            let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
            let form = text.bytes().map(|byte| match byte {
                b' ' => "+".to_owned(),
                byte if kept(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            });
            all.push(form.collect());
        }
        all
    }

    #[test]
    fn a_value_is_hidden_in_each_of_its_forms() {
        let value = "hunter22 \"ü?>\\ /+";
        for form in written(value.as_bytes()) {
            let said = clean(&[value], &format!("before {form} after"));
            assert!(
                said.starts_with("before ") && said.ends_with(" after"),
                "{said}"
            );
            assert!(
                said.len() < "before  after".len() + HIDDEN.len() + 16,
                "{form} is {said}"
            );
        }
    }

    #[test]
    fn a_value_is_hidden_across_lines_and_their_number_stays() {
        let secret = "correct horse battery staple";
        assert_eq!(
            clean(&[secret], "a correct ho\nrse battery\r\n staple b\nc"),
            "a •••\n•••\r\n••• b\nc"
        );
        let encoded = STANDARD.encode("x".repeat(40) + secret + &"y".repeat(90));
        for width in [10, 64, 76] {
            for end in ["\n", "\r\n", "\n    ", "\\n"] {
                let said = clean(&[secret], &wrapped(&encoded, width, end));
                let plain: String = said.replace("\\n", "").split_whitespace().collect();
                let core = STANDARD.encode(secret);
                assert!(!plain.contains(&core[4..core.len() - 4]), "{said}");
                assert_eq!(
                    said.matches('\n').count(),
                    wrapped(&encoded, width, end).matches('\n').count()
                );
            }
        }
    }

    #[test]
    fn a_value_of_many_lines_is_hidden_whole_and_by_its_long_words() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAwEHoUQD\n-----END KEY-----\n";
        assert_eq!(clean(&[key], &format!("x{key}y")), "x•••\n•••\n•••\n•••\ny");
        assert_eq!(
            clean(&[key], "12:00 MIIEvQIBADANBgkqhkiG9w0\n12:01 AwEHoUQD"),
            "12:00 •••\n12:01 AwEHoUQD"
        );
    }

    #[test]
    fn overlapping_values_are_hidden_together() {
        assert_eq!(clean(&["abcdefgh", "efghijkl"], "xabcdefghijkly"), "x•••y");
        assert_eq!(
            clean(&["abcdef", "abcdefghi"], "abcdefghi abcdefgh"),
            "••• •••gh"
        );
        assert_eq!(clean(&["aaaaaa"], "aaaaaaaaab"), "•••b");
    }

    #[test]
    fn what_only_begins_like_a_secret_is_passed_on_as_it_is() {
        assert_eq!(clean(&["hunter22"], "the hunter2"), "the hunter2");
        assert_eq!(
            clean(&["hunter22"], "a hunter 22 100% \\u \\"),
            "a hunter 22 100% \\u \\"
        );
        assert_eq!(clean(&["12345"], "12345"), "12345", "it is too short");
    }

    #[test]
    fn nothing_is_held_back_that_cannot_be_a_secret() {
        let known = known(&[b"hunter22"]);
        let mut cleaner = Cleaner::over(known);
        let mut clean = Vec::new();
        cleaner.push(b"ready.", &mut clean);
        assert_eq!(clean, b"ready.");
        cleaner.push(b" my hunt", &mut clean);
        assert_eq!(clean, b"ready. my ");
        let mut soon = Cleaner::over(cleaner.known.clone());
        let mut heard = Vec::new();
        soon.push_soon(b"the hun", &mut heard);
        assert_eq!(heard, b"the hun");
        soon.push_soon(b"ter22.", &mut heard);
        assert_eq!(String::from_utf8(heard).unwrap(), "the hun•••.");
        // Nobody waits for the rest for ever, and the rest is hidden all the same.
        cleaner.let_go(&mut clean);
        cleaner.push(b"er22 now", &mut clean);
        assert_eq!(String::from_utf8(clean).unwrap(), "ready. my hunt••• now");
    }

    #[test]
    fn no_more_is_held_back_than_a_piece_of_a_secret() {
        let value: Vec<u8> = (0..60_000_u32)
            .map(|number| b'a' + (number % 23) as u8)
            .collect();
        let known = known(&[&value]);
        let mut cleaner = Cleaner::over(known);
        let mut clean = Vec::new();
        for piece in value.chunks(100) {
            cleaner.push(piece, &mut clean);
            assert!(cleaner.text.len() <= 1500, "{}", cleaner.text.len());
        }
        cleaner.finish(&mut clean);
        assert_eq!(String::from_utf8(clean).unwrap(), HIDDEN);
    }

    #[test]
    fn lines_go_in_and_as_many_come_out() {
        let mut lines = Lines::over(Cleaner::over(known(&[b"correct horse battery"])));
        assert_eq!(lines.push(1, "a corr"), []);
        assert!(lines.is_waiting());
        assert_eq!(
            lines.push(2, "ect horse battery b"),
            [(1, "a •••".to_owned()), (2, "••• b".to_owned())]
        );
        // Nearly every line ends like some secret begins.
        assert_eq!(lines.push(3, "panic"), [(3, "panic".to_owned())]);
        assert_eq!(
            lines.push(4, "orrect horse battery"),
            [(4, "•••".to_owned())]
        );
        assert_eq!(lines.push(5, "two\nin one corr"), []);
        assert_eq!(lines.let_go(), [(5, "two\nin one corr".to_owned())]);
        assert_eq!(lines.push(6, "ect horse battery"), [(6, "•••".to_owned())]);
        assert!(!lines.is_waiting());
    }

    proptest! {
        #[test]
        fn no_form_of_a_value_gets_through(
            value in vec(any::<u8>(), 6..80),
            before in "[ -~\n]{0,20}",
            after in "[ -~\n]{0,20}",
            sizes in vec(1_usize..40, 1..6),
            width in 1_usize..80,
        ) {
            let known = known(&[&value]);
            prop_assume!(value.trim_ascii().len() >= 6 && forms(&value).iter().any(|form| form.len() >= 6));
            for form in written(&value) {
                let text = format!("{before}{form}{after}");
                let clean = cleaned(&known, text.as_bytes(), &sizes);
                let clean = String::from_utf8_lossy(&clean);
                prop_assert!(!clean.contains(&form), "{form}: {clean}");
                let split = format!("{before}{}{after}", wrapped(&form, width, "\r\n"));
                let clean = cleaned(&known, split.as_bytes(), &sizes);
                let joined = String::from_utf8_lossy(&clean).replace(['\r', '\n'], "");
                prop_assert!(!joined.contains(&form), "{form} split: {joined}");
            }
            let whole = [before.as_bytes(), &value, after.as_bytes()].concat();
            let clean = cleaned(&known, &whole, &sizes);
            let value = value.trim_ascii();
            prop_assert!(!clean.windows(value.len()).any(|part| part == value));
        }

        #[test]
        fn pieces_make_no_difference(
            values in vec("[a-c%+\\\\]{6,12}", 1..4),
            text in "[a-c%+\\\\\n ]{0,200}",
            sizes in vec(1_usize..30, 1..6),
        ) {
            let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
            let known = known(&values);
            let whole = cleaned(&known, text.as_bytes(), &[text.len().max(1)]);
            prop_assert_eq!(cleaned(&known, text.as_bytes(), &sizes), whole);
        }

        #[test]
        fn a_text_without_secrets_stays_as_it_is(
            text in "([a-z%+\\\\\"\n\r\t ü€😀]|%[0-9a-f]{2}|\\\\u[0-9a-f]{4}){0,200}",
            sizes in vec(1_usize..30, 1..6),
        ) {
            // Digits of this size stand in no text above, in none of their forms.
            let known = known(&[b"0123456789ABCDEF0123456789"]);
            let clean = cleaned(&known, text.as_bytes(), &sizes);
            prop_assert_eq!(String::from_utf8(clean).unwrap(), text);
        }

        #[test]
        fn as_many_lines_come_out(lines in vec("[a-d\n]{0,12}", 0..20), value in "[a-d\n]{6,20}") {
            let mut cleaner = Lines::over(Cleaner::over(known(&[value.as_bytes()])));
            let mut out = Vec::new();
            for (number, line) in lines.iter().enumerate() {
                out.extend(cleaner.push(number, line));
            }
            out.extend(cleaner.let_go());
            let numbers: Vec<usize> = out.iter().map(|(number, _)| *number).collect();
            prop_assert_eq!(numbers, (0..lines.len()).collect::<Vec<_>>());
        }
    }
}
