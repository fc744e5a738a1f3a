//! Streams of answers, put together from pieces that end anywhere. Pure.

use serde_json::Value;

use super::text;

/// A longer line is no part of an answer.
const LONGEST_LINE: usize = 256 << 10;

/// The form of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text as it is.
    Text,
    /// One JSON document on each line.
    Lines,
    /// Server-sent events.
    Events,
}

/// A part of a stream that is whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Raw {
    Text(String),
    /// A document of JSON, as far as the form says, under the name it was sent with.
    Document {
        event: String,
        data: String,
    },
}

/// Something that a stream said.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Piece(String),
    /// All of it, once more, or for the first time.
    Whole(Value),
    /// It will not go on.
    Refusal(String),
    End,
}

/// A line that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    pending: Vec<u8>,
    event: String,
    data: Option<String>,
}

impl Reader {
    pub fn new(form: Form) -> Self {
        Self {
            form,
            pending: Vec::new(),
            event: String::new(),
            data: None,
        }
    }

    /// What is said once these bytes are there, too.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Raw>, LineTooLong> {
        self.pending.extend_from_slice(bytes);
        if self.form == Form::Text {
            return Ok(self.text().into_iter().map(Raw::Text).collect());
        }
        let mut said = Vec::new();
        let mut start = 0;
        while let Some(length) = self.pending[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.pending[start..start + length]).into_owned();
            start += length + 1;
            said.extend(self.line(line.trim_end_matches('\r'))?);
        }
        self.pending.drain(..start);
        if self.pending.len() > LONGEST_LINE {
            return Err(LineTooLong);
        }
        Ok(said)
    }

    /// What is left when the stream ends; some end without an end of line.
    pub fn end(mut self) -> Result<Vec<Raw>, LineTooLong> {
        if self.form == Form::Text {
            let rest = String::from_utf8_lossy(&self.pending).into_owned();
            return Ok((!rest.is_empty())
                .then_some(Raw::Text(rest))
                .into_iter()
                .collect());
        }
        self.feed(b"\n\n")
    }

    /// The letters that are whole.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(whole) => {
                    text.push_str(whole);
                    self.pending.clear();
                    break;
                }
                Err(error) => {
                    let (whole, rest) = self.pending.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(whole));
                    let rest = match error.error_len() {
                        // A letter of which more is to come.
                        None => rest.to_vec(),
                        Some(wrong) => {
                            text.push(char::REPLACEMENT_CHARACTER);
                            rest[wrong..].to_vec()
                        }
                    };
                    self.pending = rest;
                    if error.error_len().is_none() {
                        break;
                    }
                }
            }
        }
        (!text.is_empty()).then_some(text)
    }

    fn line(&mut self, line: &str) -> Result<Option<Raw>, LineTooLong> {
        if self.form == Form::Lines {
            return Ok((!line.trim().is_empty()).then(|| Raw::Document {
                event: String::new(),
                data: line.to_owned(),
            }));
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok(self.data.take().map(|data| Raw::Document { event, data }));
        }
        // A line that begins with a colon only keeps the connection alive.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                let data = self.data.get_or_insert_default();
                if data.len() + value.len() > LONGEST_LINE {
                    return Err(LineTooLong);
                }
                if !data.is_empty() {
                    data.push('\n');
                }
                data.push_str(value);
            }
            _ => {}
        }
        Ok(None)
    }
}

impl From<Raw> for Said {
    fn from(raw: Raw) -> Self {
        match raw {
            Raw::Text(text) => Self::Piece(text),
            Raw::Document { event, data } => document(&event, &data),
        }
    }
}

/// One document of a stream.
fn document(event: &str, data: &str) -> Said {
    if data.trim() == "[DONE]" {
        return Said::End;
    }
    let Ok(value) = serde_json::from_str::<Value>(data) else {
        return Said::Piece(data.to_owned());
    };
    if let Some(reason) = text::refusal(&value) {
        return Said::Refusal(reason);
    }
    match event {
        "error" | "problem" => {
            let reason = text::reason(data.as_bytes());
            Said::Refusal(reason.unwrap_or_else(|| "it failed".to_owned()))
        }
        "reply" | "end" | "done" | "complete" | "final" => Said::Whole(value),
        _ => Said::Piece(text::piece(&value).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(form: Form, stream: &[u8], size: usize) -> Vec<Said> {
        let mut reader = Reader::new(form);
        let mut all = Vec::new();
        for piece in stream.chunks(size) {
            all.extend(reader.feed(piece).unwrap());
        }
        all.extend(reader.end().unwrap());
        all.into_iter().map(Said::from).collect()
    }

    fn piece(text: &str) -> Said {
        Said::Piece(text.to_owned())
    }

    #[test]
    fn events_are_the_same_wherever_pieces_end() {
        let stream = "retry: 3\n: hello\r\nevent: piece\r\ndata: {\"content\":\r\ndata: \"é\"}\r\n\r\ndata: two\n\nevent: reply\ndata: {\"content\":\"étwo\"}\n\ndata: [DONE]".as_bytes();
        for size in 1..=stream.len() {
            assert_eq!(
                read(Form::Events, stream, size),
                [
                    piece("é"),
                    piece("two"),
                    Said::Whole(json!({ "content": "étwo" })),
                    Said::End
                ],
                "pieces of {size}"
            );
        }
    }

    #[test]
    fn lines_are_the_same_wherever_pieces_end() {
        let stream = b"{\"response\":\"a\"}\n\n{\"response\":\"b\",\"done\":true}\r\n\"c\"\n{\"error\":\"no more\"}";
        for size in 1..=stream.len() {
            assert_eq!(
                read(Form::Lines, stream, size),
                [
                    piece("a"),
                    piece("b"),
                    piece("c"),
                    Said::Refusal("no more".to_owned())
                ],
                "pieces of {size}"
            );
        }
    }

    #[test]
    fn letters_are_whole_wherever_pieces_end() {
        let stream = b"a\xc3\xa9\xe2\x82\xac\xff\xfez\xf0\x9f";
        for size in 1..=stream.len() {
            let text: String = read(Form::Text, stream, size)
                .into_iter()
                .map(|said| match said {
                    Said::Piece(text) => text,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(text, "aé€\u{fffd}\u{fffd}z\u{fffd}", "pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_ends() {
        for form in [Form::Lines, Form::Events] {
            let mut reader = Reader::new(form);
            let fed = (0..300).map(|_| reader.feed(&[b'x'; 1024]));
            assert!(fed.into_iter().any(|fed| fed == Err(LineTooLong)));
        }
        let mut reader = Reader::new(Form::Events);
        let fed = (0..300).map(|_| reader.feed(format!("data: {}\n", "x".repeat(1024)).as_bytes()));
        assert!(fed.into_iter().any(|fed| fed == Err(LineTooLong)));
    }
}
