//! How words look on a terminal. Everything is written styled; the streams of [`anstream`] take
//! the styling out again for pipes, `NO_COLOR` and dumb terminals.

use owo_colors::{OwoColorize as _, Style};

/// What went well.
pub fn good(text: &str) -> String {
    paint(text, Style::new().green())
}

/// What needs a look.
pub fn warning(text: &str) -> String {
    paint(text, Style::new().yellow())
}

/// What went wrong.
pub fn bad(text: &str) -> String {
    paint(text, Style::new().red().bold())
}

/// What a line is about.
pub fn strong(text: &str) -> String {
    paint(text, Style::new().bold())
}

/// What may be skipped when reading.
pub fn faint(text: &str) -> String {
    paint(text, Style::new().dimmed())
}

/// A link or a command to copy.
pub fn link(text: &str) -> String {
    paint(text, Style::new().cyan())
}

/// What is left where styling is taken out.
#[cfg(test)]
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn paint(text: &str, style: Style) -> String {
    if text.is_empty() {
        String::new()
    } else {
        text.style(style).to_string()
    }
}

/// A state's word in the colour of what it means.
pub fn state(word: &str) -> String {
    match word {
        "healthy" | "well" | "running" | "succeeded" | "up" | "done" | "proven" | "cached" => {
            good(word)
        }
        "failed" | "unhealthy" | "unwell" | "exited" | "dead" | "down" | "interrupted" => bad(word),
        "unpinned" | "unproven" | "stopped" | "cancelled" | "queued" | "restarting" | "paused"
        | "degraded" | "stale" => warning(word),
        _ => word.to_owned(),
    }
}
