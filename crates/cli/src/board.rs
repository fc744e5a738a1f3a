//! What a list of steps looks like while it fills. Text comes out; nothing here writes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::time::Instant;

use crate::style;
use crate::table::{cut, pad, visible};
use crate::words;

/// Back to the start of the line, and nothing on it.
const CLEAR: &str = "\r\u{1b}[K";
const NAME_WIDTH: usize = 10;
const DETAIL_WIDTH: usize = 44;
/// How many of its last lines a failed step is shown with.
pub const LINES_OF_FAILURE: usize = 20;

/// How a step ended.
#[derive(Clone, Debug)]
pub struct End {
    /// `done`, `cached`, `failed`.
    pub state: String,
    pub summary: Option<String>,
    pub milliseconds: Option<u64>,
}

/// The steps that run, and how to draw them.
pub struct Board {
    /// The columns of a terminal whose last line can be rewritten; none in a pipe.
    width: Option<usize>,
    verbose: bool,
    running: BTreeMap<u32, Running>,
    has_live_line: bool,
}

struct Running {
    name: String,
    detail: String,
    since: Instant,
    lines: VecDeque<String>,
}

impl Board {
    pub fn new(width: Option<usize>, verbose: bool) -> Self {
        Self {
            width,
            verbose,
            running: BTreeMap::new(),
            has_live_line: false,
        }
    }

    /// A line above the steps that follow.
    pub fn heading(&mut self, text: &str) -> String {
        let bullet = if self.width.is_some() { "● " } else { "" };
        self.permanent(&format!("{bullet}{text}"))
    }

    pub fn begin(&mut self, step: u32, name: &str, detail: &str, now: Instant) -> String {
        let running = Running {
            name: words::harmless(name),
            detail: first_line(detail),
            since: now,
            lines: VecDeque::new(),
        };
        self.running.insert(step, running);
        self.live(now)
    }

    pub fn log(&mut self, step: u32, line: &str, now: Instant) -> String {
        let mut text = String::new();
        if self.verbose {
            let line = words::harmless(line);
            text = self.permanent(&format!("    {}", style::faint(&line)));
        }
        self.keep(step, [line]);
        text + &self.live(now)
    }

    /// The steps that have begun and not ended.
    pub fn running(&self) -> Vec<u32> {
        self.running.keys().copied().collect()
    }

    /// Remembers lines of a step, and shows the last of them when it is drawn the next time.
    pub fn keep(&mut self, step: u32, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        if let Some(running) = self.running.get_mut(&step) {
            let lines = lines.into_iter();
            let lines = lines.map(|line| words::harmless(line.as_ref()));
            running.lines.extend(lines);
            let old = running.lines.len().saturating_sub(LINES_OF_FAILURE);
            running.lines.drain(..old);
        }
    }

    pub fn end(&mut self, step: u32, end: &End, now: Instant) -> String {
        let Some(running) = self.running.remove(&step) else {
            return String::new();
        };
        let mut detail = running.detail;
        if let Some(summary) = end.summary.as_deref().filter(|summary| !summary.is_empty()) {
            let gap = if detail.is_empty() { "" } else { "  " };
            let _ = write!(detail, "{gap}{}", words::glimpses(&first_line(summary)));
        }
        let took = end.milliseconds.map(words::duration).unwrap_or_default();
        let how = match (end.state.as_str(), self.width.is_some()) {
            ("cached", _) => "cached".to_owned(),
            ("done", true) => took,
            // Without a sign in front, the word has to say it.
            (state, _) => format!("{state} {took}"),
        };
        let sign = match (self.width.is_some(), end.state.as_str()) {
            (false, _) => String::new(),
            (true, "done" | "cached") => format!("{} ", style::good("✓")),
            (true, _) => format!("{} ", style::bad("✗")),
        };
        let line = format!(
            "  {sign}{}{}  {}",
            pad(&running.name, NAME_WIDTH),
            pad(&detail, DETAIL_WIDTH),
            style::faint(&how)
        );
        let mut text = self.permanent(&line);
        if end.state == "failed" && !self.verbose {
            for line in &running.lines {
                let _ = writeln!(text, "      {}", style::faint(line));
            }
        }
        text + &self.live(now)
    }

    /// The line of the running step, as time passes.
    pub fn tick(&mut self, now: Instant) -> String {
        self.live(now)
    }

    /// Takes the line of the running step away.
    pub fn leave(&mut self) -> String {
        if std::mem::take(&mut self.has_live_line) {
            CLEAR.to_owned()
        } else {
            String::new()
        }
    }

    fn permanent(&mut self, line: &str) -> String {
        let clear = self.leave();
        format!("{clear}{}\n", line.trim_end())
    }

    fn live(&mut self, now: Instant) -> String {
        let Some(width) = self.width else {
            return String::new();
        };
        let Some(running) = self.running.values().next_back() else {
            return self.leave();
        };
        let seconds = now.saturating_duration_since(running.since).as_secs();
        let mut line = format!(
            "  ● {}{}",
            pad(&running.name, NAME_WIDTH),
            pad(&running.detail, DETAIL_WIDTH)
        );
        if seconds > 0 {
            let _ = write!(line, "  {seconds} s");
        }
        let line = cut(&line, width.saturating_sub(1));
        let room = width.saturating_sub(visible(&line) + 3);
        self.has_live_line = true;
        match running
            .lines
            .back()
            .map(|last| last.trim())
            .filter(|last| room > 20 && !last.is_empty())
        {
            Some(last) => format!("{CLEAR}{line}  {}", style::faint(&cut(last, room))),
            None => format!("{CLEAR}{line}"),
        }
    }
}

fn first_line(text: &str) -> String {
    let text = words::harmless(text);
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default().to_owned();
    if lines.next().is_some() {
        format!("{first} …")
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;

    fn end(state: &str, summary: Option<&str>, milliseconds: u64) -> End {
        End {
            state: state.to_owned(),
            summary: summary.map(str::to_owned),
            milliseconds: Some(milliseconds),
        }
    }

    fn fill(mut board: Board) -> String {
        let now = Instant::now();
        let later = now + Duration::from_secs(3);
        let mut text = board.heading("build 4f1c09ab77e2");
        text += &board.begin(0, "base", "python:3.11-slim", now);
        text += &board.end(0, &end("cached", Some("sha256:71ab…"), 0), now);
        text += &board.begin(1, "install", "pip install -r requirements.txt", now);
        text += &board.log(1, "Collecting \u{1b}[31mfastapi", later);
        text += &board.end(1, &end("done", None, 3_100), later);
        text += &board.begin(2, "build", "npm run build\nnpm run pack", now);
        text += &board.log(2, "no such script", now);
        text += &board.end(2, &end("failed", None, 12), now);
        text += &board.leave();
        style::plain(&text)
    }

    #[test]
    fn a_pipe_gets_plain_lines() {
        assert_snapshot!(fill(Board::new(None, false)), @r"
        build 4f1c09ab77e2
          base      python:3.11-slim  sha256:71ab…                cached
          install   pip install -r requirements.txt               done 3.1 s
          build     npm run build …                               failed 12 ms
              no such script
        ");
    }

    #[test]
    fn verbose_shows_every_line_where_it_was_written() {
        assert_snapshot!(fill(Board::new(None, true)), @r"
        build 4f1c09ab77e2
          base      python:3.11-slim  sha256:71ab…                cached
            Collecting fastapi
          install   pip install -r requirements.txt               done 3.1 s
            no such script
          build     npm run build …                               failed 12 ms
        ");
    }

    #[test]
    fn a_terminal_sees_signs_and_no_line_wider_than_itself() {
        let text = fill(Board::new(Some(60), false));
        for line in text
            .split(['\r', '\n'])
            .filter(|line| line.contains('●') && line.starts_with("  "))
        {
            assert!(line.chars().count() < 60, "{line:?}");
        }
        assert_snapshot!(text.replace('\r', "\n").lines().filter(|line| !line.starts_with("  ●")).collect::<Vec<_>>().join("\n"), @r"
        ● build 4f1c09ab77e2

          ✓ base      python:3.11-slim  sha256:71ab…                cached

          ✓ install   pip install -r requirements.txt               3.1 s

          ✗ build     npm run build …                               failed 12 ms
              no such script
        ");
    }
}
