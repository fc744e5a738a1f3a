//! Whether a lock file is what its manager has written, to its end.

use std::io::Read as _;

use crate::sources::{Sources, is_blank};

/// How much of any lock file is looked at.
const MOST: u64 = 1 << 26;
/// How much is read at once, and kept of the end.
const PART: usize = 1 << 16;

/// Why a lock file cannot be read: `it is full of zeros`.
pub(super) fn unreadable(sources: &Sources<'_>, file: &str) -> Option<&'static str> {
    let mut stream = sources.stream(file)?.take(MOST);
    let is_binary = file.ends_with(".lockb");
    let mut part = Vec::with_capacity(PART);
    let mut last = Vec::new();
    let mut is_first = true;
    let mut length = 0;
    loop {
        part.clear();
        let read = stream.by_ref().take(PART as u64).read_to_end(&mut part);
        let Ok(read) = read else {
            return Some("reading it fails");
        };
        if read == 0 {
            break;
        }
        length += read as u64;
        if !is_binary && part.contains(&0) {
            return Some("it holds zeros, and is no text");
        }
        if is_first && is_binary {
            let name = b"bun-lockfile-format";
            let known = part.windows(name.len()).take(PART / 2).any(|at| at == name);
            return (!known).then_some("it is no lock file of Bun");
        }
        is_first = false;
        std::mem::swap(&mut last, &mut part);
    }
    let is_short = length < PART as u64;
    if is_short && std::str::from_utf8(&last).is_ok_and(is_blank) {
        return Some("nothing stands in it");
    }
    // Of a longer one, the end is not known.
    (length < MOST && is_cut(&last)).then_some("it ends in the middle of a line")
}

/// Whether a text ends where no manager ends one: its last line is begun and not finished.
fn is_cut(end: &[u8]) -> bool {
    if end.is_empty() || end.ends_with(b"\n") {
        return false;
    }
    let line = end.rsplit(|byte| *byte == b'\n').next().unwrap_or(end);
    let line = String::from_utf8_lossy(line);
    let count = |wanted: char| line.matches(wanted).count();
    // Nothing but a closing bracket or a whole value ends a file without a new line.
    count('"') % 2 == 1
        || count('{') > count('}')
        || count('[') > count(']')
        || (line.starts_with([' ', '\t']) && line.ends_with(':'))
}
