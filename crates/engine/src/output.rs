//! What containers print, line by line.

use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::query_parameters::{AttachContainerOptionsBuilder, LogsOptionsBuilder};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;

use crate::{Engine, EngineError, name};

/// A line longer than this is handed out in pieces, so that no container can fill our memory.
const LONGEST_LINE: usize = 64 << 10;

/// A line that a container printed, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub source: LogSource,
    /// When the engine got it; absent while attached.
    pub time: Option<Timestamp>,
    pub bytes: Bytes,
}

impl LogLine {
    /// The line as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Where it printed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    Stdout,
    Stderr,
}

/// Which lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only so many of the last lines; absent: all.
    pub tail: Option<u32>,
    /// Only those since then; the engine counts in seconds, so some from before may come too.
    pub since: Option<Timestamp>,
    /// Go on with new lines until the container stops.
    pub follow: bool,
}

/// Lines as they come.
pub type LogStream = Pin<Box<dyn Stream<Item = Result<LogLine, EngineError>> + Send>>;

impl Engine {
    /// What a container printed, from the engine's log.
    pub fn logs(&self, container: &str, query: LogQuery) -> LogStream {
        let container = match name::container(container) {
            Ok(container) => container,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let tail = query
            .tail
            .map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let since = query
            .since
            .and_then(|since| i32::try_from(since.as_second()).ok())
            .unwrap_or(0);
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .follow(query.follow)
            .since(since)
            .tail(&tail)
            .build();
        let engine = self.clone();
        let frames = self.client().logs(container, Some(options));
        lines(
            frames.map(move |frame| frame.map_err(|error| engine.wrong(error))),
            true,
        )
    }

    /// What a container prints from now on. Attached before `start`, it misses no line.
    pub async fn attach(&self, container: &str) -> Result<LogStream, EngineError> {
        let options = AttachContainerOptionsBuilder::new()
            .stream(true)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self
            .client()
            .attach_container(name::container(container)?, Some(options))
            .await;
        let engine = self.clone();
        let frames = attached.map_err(|error| self.wrong(error))?.output;
        Ok(lines(
            frames.map(move |frame| frame.map_err(|error| engine.wrong(error))),
            false,
        ))
    }
}

/// Frames → lines.
pub(crate) fn lines<S>(frames: S, timestamps: bool) -> LogStream
where
    S: Stream<Item = Result<LogOutput, EngineError>> + Send + 'static,
{
    let assembler = Assembler {
        timestamps,
        ..Assembler::default()
    };
    // One more turn after the last frame hands out what has no line end.
    let frames = frames.map(Some).chain(stream::iter([None]));
    frames
        .scan(assembler, |assembler, frame| {
            let ready = match frame {
                Some(Ok(frame)) => assembler.push(frame).into_iter().map(Ok).collect(),
                Some(Err(error)) => vec![Err(error)],
                None => assembler.finish().into_iter().map(Ok).collect(),
            };
            std::future::ready(Some(stream::iter(ready)))
        })
        .flatten()
        .boxed()
}

/// Joins frames into lines: a frame may hold a piece of a line, or several lines.
#[derive(Default)]
struct Assembler {
    timestamps: bool,
    stdout: Partial,
    stderr: Partial,
}

#[derive(Default)]
struct Partial {
    time: Option<Timestamp>,
    bytes: BytesMut,
}

impl Assembler {
    fn push(&mut self, frame: LogOutput) -> Vec<LogLine> {
        let source = match frame {
            LogOutput::StdErr { .. } => LogSource::Stderr,
            _ => LogSource::Stdout,
        };
        let mut bytes = frame.into_bytes();
        let mut time = None;
        if self.timestamps {
            // Each frame of a log begins with its time, the pieces of a long line too.
            (time, bytes) = split_time(bytes);
        }
        let partial = match source {
            LogSource::Stdout => &mut self.stdout,
            LogSource::Stderr => &mut self.stderr,
        };
        let mut ready = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if partial.bytes.is_empty() {
                partial.time = time;
                if piece.ends_with(b"\n") {
                    // A whole line of the frame needs no copy.
                    let bytes = bytes.slice_ref(piece);
                    ready.push(line(source, partial.time.take(), bytes));
                    continue;
                }
            }
            partial.bytes.extend_from_slice(piece);
            if piece.ends_with(b"\n") || partial.bytes.len() >= LONGEST_LINE {
                ready.extend(partial.take(source));
            }
        }
        ready
    }

    fn finish(&mut self) -> Vec<LogLine> {
        let rest = [
            self.stdout.take(LogSource::Stdout),
            self.stderr.take(LogSource::Stderr),
        ];
        rest.into_iter().flatten().collect()
    }
}

impl Partial {
    fn take(&mut self, source: LogSource) -> Option<LogLine> {
        if self.bytes.is_empty() {
            return None;
        }
        let bytes = self.bytes.split().freeze();
        Some(line(source, self.time.take(), bytes))
    }
}

fn line(source: LogSource, time: Option<Timestamp>, mut bytes: Bytes) -> LogLine {
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.truncate(bytes.len() - 1);
        }
    }
    LogLine {
        source,
        time,
        bytes,
    }
}

/// `2026-01-02T03:04:05.678901234Z text` → time and text.
fn split_time(bytes: Bytes) -> (Option<Timestamp>, Bytes) {
    let Some(space) = bytes.iter().take(40).position(|byte| *byte == b' ') else {
        return (None, bytes);
    };
    let time = std::str::from_utf8(&bytes[..space])
        .ok()
        .and_then(|text| text.parse().ok());
    match time {
        Some(time) => (Some(time), bytes.slice(space + 1..)),
        None => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn out(text: &'static str) -> LogOutput {
        LogOutput::StdOut {
            message: Bytes::from_static(text.as_bytes()),
        }
    }

    fn err(text: &'static str) -> LogOutput {
        LogOutput::StdErr {
            message: Bytes::from_static(text.as_bytes()),
        }
    }

    fn assemble(timestamps: bool, frames: Vec<LogOutput>) -> Vec<String> {
        let mut assembler = Assembler {
            timestamps,
            ..Assembler::default()
        };
        let mut lines: Vec<LogLine> = frames
            .into_iter()
            .flat_map(|frame| assembler.push(frame))
            .collect();
        lines.extend(assembler.finish());
        let time = |line: &LogLine| {
            line.time
                .map_or("never".to_owned(), |time| time.to_string())
        };
        lines
            .iter()
            .map(|line| format!("{:?} {} |{}|", line.source, time(line), line.text()))
            .collect()
    }

    #[test]
    fn pieces_become_lines_and_the_two_outputs_do_not_mix() {
        let lines = assemble(false, vec![out("one\ntw"), err("oops\n"), out("o\r\nlast")]);
        insta::assert_snapshot!(lines.join("\n"), @"
        Stdout never |one|
        Stderr never |oops|
        Stdout never |two|
        Stdout never |last|
        ");
    }

    #[test]
    fn a_lines_time_is_that_of_its_first_piece() {
        let lines = assemble(
            true,
            vec![
                out("2026-01-02T03:04:05.5Z a"),
                out("2026-01-02T03:04:06.5Z b\n"),
                out("2026-01-02T03:04:07Z \n"),
                out("no time\n"),
            ],
        );
        insta::assert_snapshot!(lines.join("\n"), @"
        Stdout 2026-01-02T03:04:05.5Z |ab|
        Stdout 2026-01-02T03:04:07Z ||
        Stdout never |no time|
        ");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_however_it_is_cut(text in "[a-c\n]{0,200}", cuts in prop::collection::vec(0_usize..200, 0..6)) {
            let mut assembler = Assembler::default();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut lines = Vec::new();
            for pair in cuts.windows(2) {
                let message = Bytes::copy_from_slice(&text.as_bytes()[pair[0]..pair[1]]);
                lines.extend(assembler.push(LogOutput::StdOut { message }));
            }
            lines.extend(assembler.finish());
            let joined: Vec<String> = lines.iter().map(LogLine::text).collect();
            let expected: Vec<&str> = text.lines().collect();
            prop_assert_eq!(joined, expected);
        }
    }
}
