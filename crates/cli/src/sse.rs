//! Server-sent events, read piece by piece as they arrive.

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// `message` where the server names none.
    pub name: String,
    pub data: String,
    /// Where to resume after this event.
    pub id: Option<String>,
}

/// Turns bytes into events; what is incomplete waits for the rest.
#[derive(Debug, Default)]
pub struct EventReader {
    pending: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
    id: Option<String>,
}

impl EventReader {
    /// The events that `bytes` complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<StreamEvent> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.pending[start..].iter().position(|byte| *byte == b'\n') {
            let end = start + length;
            let line = String::from_utf8_lossy(&self.pending[start..end]).into_owned();
            events.extend(self.line(line.trim_end_matches('\r')));
            start = end + 1;
        }
        self.pending.drain(..start);
        events
    }

    fn line(&mut self, line: &str) -> Option<StreamEvent> {
        if line.is_empty() {
            return self.dispatch();
        }
        // A line that starts with a colon only keeps the connection alive.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" => self.id = Some(value.to_owned()),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<StreamEvent> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.has_data) {
            return None;
        }
        let name = if name.is_empty() {
            "message".to_owned()
        } else {
            name
        };
        Some(StreamEvent {
            name,
            data,
            id: self.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = ": hello\n\nevent: step\ndata: {\"a\":\"é\"}\nid: 7\n\nretry: 5\n\ndata: one\r\ndata:two\r\n\r\nevent: end\n\n";

    fn whole() -> Vec<StreamEvent> {
        EventReader::default().push(STREAM.as_bytes())
    }

    #[test]
    fn fields_become_events() {
        let event = |name: &str, data: &str| StreamEvent {
            name: name.into(),
            data: data.into(),
            id: Some("7".into()),
        };
        assert_eq!(
            whole(),
            [event("step", "{\"a\":\"é\"}"), event("message", "one\ntwo")]
        );
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_makes_no_difference(mut cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
            cuts.sort_unstable();
            let mut reader = EventReader::default();
            let mut events = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([STREAM.len()]) {
                events.extend(reader.push(&STREAM.as_bytes()[start..cut]));
                start = cut;
            }
            prop_assert_eq!(events, whole());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            EventReader::default().push(&bytes);
        }
    }
}
