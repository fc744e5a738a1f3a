//! Standard output: data for people or for programs.

use std::io::{self, IsTerminal as _, Write as _};

use ergon_server::plain_json;
use serde::Serialize;

use crate::failure::Outcome;
use crate::words;

/// Writes styled text; pipes get it without the styling.
pub fn print(text: &str) -> Outcome {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') && !text.is_empty() {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Writes bytes as they are: a Dockerfile, a schema.
pub fn print_plain(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Writes a piece of a text from outside at once, harmless to a terminal and without an end of line.
pub fn print_piece(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    stdout.write_all(words::harmless(text).as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Writes a line from outside: as it is into a pipe, harmless to a terminal.
pub fn print_line(line: &str) -> Outcome {
    if io::stdout().is_terminal() {
        print_plain(&words::harmless(line))
    } else {
        print_plain(line)
    }
}

/// Writes one JSON document.
pub fn print_json<T: Serialize + ?Sized>(value: &T) -> Outcome {
    print_plain(&json(value))
}

/// Writes one JSON document on one line, as streams of them are written.
pub fn print_json_line<T: Serialize + ?Sized>(value: &T) -> Outcome {
    print_plain(&plain_json(
        serde_json::to_string(value).unwrap_or_default(),
    ))
}

/// Writes the value as JSON where asked, else the text.
pub fn show<T: Serialize + ?Sized>(
    as_json: bool,
    value: &T,
    text: impl FnOnce() -> String,
) -> Outcome {
    if as_json {
        print_json(value)
    } else {
        print(&text())
    }
}

/// Says something beside the data, on standard error.
pub fn note(text: &str) {
    // A note nobody can read is not worth failing for.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// How many columns a person sees; none in a pipe, where nothing is cut.
pub fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    columns(&io::stdout())
}

/// The columns of a terminal: what `COLUMNS` says, else what the terminal says.
pub fn columns(terminal: &impl std::os::fd::AsFd) -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    said.or_else(|| {
        let size = rustix::termios::tcgetwinsize(terminal).ok()?;
        (size.ws_col > 0).then_some(usize::from(size.ws_col))
    })
}

// What the API and the rooms below give has string keys only, so writing it cannot fail.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    plain_json(serde_json::to_string_pretty(value).unwrap_or_default())
}
