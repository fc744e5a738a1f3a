//! Text from files nobody vouches for, read in bounded pieces.

use std::io::{BufRead, BufReader, Read};

/// What of one line is kept.
const LONGEST_LINE: u64 = 64 << 10;

/// Gives `visit` one line after another, each cut to a length, until it says to stop.
///
/// At most `limit` bytes are read; whether the file was read to its end.
pub fn each_line(content: &mut dyn Read, limit: u64, mut visit: impl FnMut(&str) -> bool) -> bool {
    let mut reader = BufReader::new(content.take(limit));
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
        {
            Ok(0) => break,
            Ok(_) => {}
            Err(_) => return false,
        }
        let is_cut = line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE;
        if is_cut && skip_line(&mut reader).is_err() {
            return false;
        }
        let text = String::from_utf8_lossy(&line);
        if !visit(text.trim_end_matches(['\n', '\r'])) {
            return true;
        }
    }
    reader.into_inner().limit() > 0
}

fn skip_line(reader: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(position) => (position + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(length);
        if is_end {
            return Ok(());
        }
    }
}

/// A whole file, where it is no longer than `limit`.
pub fn whole(content: &mut dyn Read, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}
