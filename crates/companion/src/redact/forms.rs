//! The forms in which a value may show itself: as it is, in base64, in hexadecimal.
//!
//! Percent signs, backslashes and line breaks are taken out of the text before it is compared (`views.rs`), so that none
//! of the many ways to write those needs a form of its own.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::views::is_break;

/// A shorter value would be found in every second word.
pub(super) const SHORTEST: usize = 6;
/// A longer value is looked for in pieces, so that no more than a piece is ever held back.
const PIECE: usize = 512;
/// So much of a piece is in the next one, too: what stands between two of them is hidden with them.
const OVERLAP: usize = 16;
/// A line of a longer value that is at least so long, and one word, is a secret by itself: keys are printed line by line,
/// with something before each.
const LONG_WORD: usize = 16;

/// What is looked for, for one value.
pub(super) fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    if value.trim_ascii().len() < SHORTEST {
        return found;
    }
    // Lines first: the ends of the whole are no part of what it says.
    let lines = value.split(|byte| is_break(*byte)).map(<[u8]>::trim_ascii);
    let words =
        lines.filter(|line| line.len() >= LONG_WORD && !line.iter().any(u8::is_ascii_whitespace));
    let whole = [value, value.trim_ascii()];
    for piece in whole.into_iter().chain(words).flat_map(pieces) {
        of_piece(piece, &mut found);
    }
    // Some views leave out what indents a line, and some do not.
    let written = |indented: bool| move |form: &Vec<u8>| without_breaks(form, indented);
    let mut found: Vec<Vec<u8>> = (found.iter().map(written(false)))
        .chain(found.iter().map(written(true)))
        .collect();
    found.retain(|form| form.len() >= SHORTEST);
    found.sort_unstable();
    found.dedup();
    found
}

fn of_piece(piece: &[u8], found: &mut Vec<Vec<u8>>) {
    if piece.len() < SHORTEST {
        return;
    }
    found.push(piece.trim_ascii().to_vec());
    let small = hex::encode(piece);
    found.push(small.to_ascii_uppercase().into_bytes());
    found.push(small.into_bytes());
    // What stands before it moves it by none, one or two bytes within a group of three.
    for before in 0..3 {
        let moved = [&[0; 2][..before], piece].concat();
        // Letters that hold nothing of what stands before.
        let first = (8 * before).div_ceil(6);
        // Letters that hold nothing of what follows.
        let last = 8 * moved.len() / 6;
        for encoded in [
            STANDARD_NO_PAD.encode(&moved),
            URL_SAFE_NO_PAD.encode(&moved),
        ] {
            found.extend(
                encoded
                    .get(first..last)
                    .map(|form| form.as_bytes().to_vec()),
            );
            // Where nothing follows, the last letter is its own, too.
            found.extend(encoded.get(first..).map(|form| form.as_bytes().to_vec()));
        }
    }
}

/// The whole value, or pieces of it that overlap.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let last = value.len().saturating_sub(PIECE);
    let begins = (0..last).step_by(PIECE - OVERLAP).chain([last]);
    begins.map(|begin| {
        let rest = value.get(begin..).unwrap_or_default();
        rest.get(..PIECE).unwrap_or(rest)
    })
}

/// A form as the views show a text: without line breaks, and with or without what indents the line after them.
fn without_breaks(form: &[u8], indented: bool) -> Vec<u8> {
    let mut is_indent = false;
    let kept = form.iter().filter(|byte| {
        if is_break(**byte) {
            is_indent = true;
            return false;
        }
        is_indent = is_indent && matches!(byte, b' ' | b'\t');
        indented || !is_indent
    });
    kept.copied().collect()
}

/// The most line breaks, and what indents after them, that follow each other within a value.
pub(super) fn longest_break(value: &[u8]) -> usize {
    let runs = value.split(|byte| !(is_break(*byte) || matches!(byte, b' ' | b'\t')));
    runs.map(<[u8]>::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        forms(value.as_bytes())
            .iter()
            .any(|found| found == form.as_bytes())
    }

    #[test]
    fn a_value_has_every_form() {
        let value = "hunter22?>";
        assert!(has(value, value));
        assert!(has(value, "68756e74657232323f3e"));
        assert!(has(value, "68756E74657232323F3E"));
        assert!(has(value, "aHVudGVyMjI/Pg"));
        assert!(has(value, "aHVudGVyMjI_Pg"));
        // `:hunter22?>` and `u:hunter22?>`, as in a header.
        assert!(has(value, "h1bnRlcjIyPz4"));
        assert!(has(value, "odW50ZXIyMj8-"));
    }

    #[test]
    fn a_long_value_is_found_in_pieces_that_leave_nothing_between_them() {
        let value: Vec<u8> = (0..5000_u32).map(|number| (number % 251) as u8).collect();
        let all: Vec<&[u8]> = pieces(&value).collect();
        assert!(all.iter().all(|piece| piece.len() == PIECE));
        assert_eq!(all.last().unwrap().last(), value.last());
        assert_eq!(pieces(b"short").collect::<Vec<_>>(), [b"short"]);
    }

    #[test]
    fn what_is_too_short_has_no_form() {
        assert!(forms(b"12345").is_empty());
        assert!(forms(b"  a  \n").is_empty());
    }

    #[test]
    fn long_words_of_a_longer_value_are_found_by_themselves() {
        let value = "first line of words\nMIIEvQIBADANBgkqhkiG\nshort\n";
        assert!(has(value, "MIIEvQIBADANBgkqhkiG"));
        assert!(!has(value, "first line of words") && !has(value, "short"));
    }
}
