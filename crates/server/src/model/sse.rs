//! Server-sent events as models stream them, piece by piece.

/// A longer line is no event of a model.
const LONGEST_LINE: usize = 256 << 10;

/// Puts events together from pieces that end anywhere.
#[derive(Debug, Default)]
pub struct Events {
    line: Vec<u8>,
    data: String,
}

/// A line that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

impl Events {
    /// The data of each event that is whole with this piece.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<String>, LineTooLong> {
        let mut whole = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                if self.line.len() >= LONGEST_LINE {
                    return Err(LineTooLong);
                }
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                if !self.data.is_empty() {
                    whole.push(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if self.data.len() + data.len() > LONGEST_LINE {
                    return Err(LineTooLong);
                }
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        Ok(whole)
    }

    /// What stands there when the stream ends; some end without an empty line.
    pub fn end(&mut self) -> Option<String> {
        let rest = self.feed(b"\n\n").ok()?;
        rest.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_wherever_pieces_end() {
        let stream =
            b": hello\r\nevent: x\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:two\n\n\n\ndata: three";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut all = Vec::new();
            for piece in stream.chunks(size) {
                all.extend(events.feed(piece).unwrap());
            }
            all.extend(events.end());
            assert_eq!(all, ["{\"a\":\n1}", "two", "three"], "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_ends() {
        let mut events = Events::default();
        let result = (0..300)
            .map(|_| events.feed(&[b'x'; 1024]))
            .find(Result::is_err);
        assert_eq!(result, Some(Err(LineTooLong)));
    }
}
