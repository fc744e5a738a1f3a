//! Stack traces kept together: which lines belong to one, in the languages people write.

mod language;
mod read;

pub(super) use language::{Language, has_signs};
pub(super) use read::{Summary, summary};

use jiff::{SignedDuration, Timestamp};

/// A trace that goes on for longer is cut.
const MOST_LINES: usize = 80;
const MOST_BYTES: usize = 6 << 10;
/// So many lines may stand between an error's first line and its first frame.
const MOST_BEFORE: usize = 4;
/// A line that comes so much later belongs to something else.
const PATIENCE: SignedDuration = SignedDuration::from_secs(1);
/// Somebody who asks what there is does not wait longer for the rest of a trace.
const SHORT_PATIENCE: SignedDuration = SignedDuration::from_millis(200);

/// A line with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub time: Timestamp,
    pub text: String,
}

/// What comes out of the joiner.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    Line(Stamped),
    Trace(Trace),
}

/// The lines of a trace, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub language: Language,
    pub time: Timestamp,
    pub lines: Vec<String>,
}

/// Joins the lines of one output.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    /// Lines that may be the beginning of a trace.
    held: Vec<Stamped>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    trace: Trace,
    bytes: usize,
    last: Timestamp,
    /// What may still come.
    stage: Stage,
    /// Empty lines that belong to it only if it goes on.
    blanks: usize,
}

/// How far a trace has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Frames are expected.
    Frames,
    /// It may be over, or go on with a cause.
    Ending,
    /// It is over.
    Over,
}

impl Joiner {
    /// True where a line can be handled without the joiner: most lines.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.held.is_empty()
    }

    /// Takes in a line; what is complete goes to `out`.
    pub(super) fn take_in(&mut self, time: Timestamp, text: &str, out: &mut Vec<Joined>) {
        if let Some(open) = &mut self.open {
            if time.duration_since(open.last) > PATIENCE {
                self.finish(out);
            } else if open.go_on(time, text) {
                if open.stage == Stage::Over {
                    self.finish(out);
                }
                return;
            } else {
                self.finish(out);
            }
        }
        // A frame without a trace: the lines before it were its beginning.
        if let Some(language) = self
            .held
            .first()
            .and_then(|first| language::continues(&first.text, text))
        {
            let held = std::mem::take(&mut self.held);
            self.open = Some(Open::new(language, held, time, text));
            return;
        }
        if let Some(language) = Language::begins(text) {
            self.release(out);
            self.open = Some(Open::new(language, vec![], time, text));
            return;
        }
        if language::may_begin(text) {
            // After a source line and its mark, Node writes the error itself.
            if !self
                .held
                .first()
                .is_some_and(|first| language::is_source_place(&first.text))
            {
                self.release(out);
            }
            self.hold(time, text);
        } else if self.held.is_empty() {
            out.push(Joined::Line(Stamped {
                time,
                text: text.to_owned(),
            }));
        } else {
            self.hold(time, text);
        }
        if self.held.len() > MOST_BEFORE + 1 {
            self.release(out);
        }
    }

    fn hold(&mut self, time: Timestamp, text: &str) {
        self.held.push(Stamped {
            time,
            text: text.to_owned(),
        });
    }

    /// Hands out what has waited too long.
    pub(super) fn settle(&mut self, now: Timestamp, out: &mut Vec<Joined>) {
        let waited = |time: Timestamp| now.duration_since(time) > SHORT_PATIENCE;
        if self.open.as_ref().is_some_and(|open| waited(open.last)) {
            self.finish(out);
        }
        if self.held.last().is_some_and(|held| waited(held.time)) {
            self.release(out);
        }
    }

    fn release(&mut self, out: &mut Vec<Joined>) {
        out.extend(self.held.drain(..).map(Joined::Line));
    }

    fn finish(&mut self, out: &mut Vec<Joined>) {
        if let Some(open) = self.open.take() {
            out.push(Joined::Trace(open.trace));
        }
    }
}

impl Open {
    fn new(language: Language, held: Vec<Stamped>, time: Timestamp, text: &str) -> Self {
        let first = held.first().map_or(time, |first| first.time);
        let mut open = Self {
            trace: Trace {
                language,
                time: first,
                lines: Vec::new(),
            },
            bytes: 0,
            last: time,
            stage: Stage::Frames,
            blanks: 0,
        };
        for line in &held {
            open.push(&line.text);
        }
        open.push(text);
        open
    }

    /// Whether the line belongs to the trace.
    fn go_on(&mut self, time: Timestamp, text: &str) -> bool {
        if text.trim().is_empty() {
            self.blanks += 1;
            self.last = time;
            return self.blanks <= 2;
        }
        let Some(stage) =
            self.trace
                .language
                .goes_on(self.stage, &self.trace.lines, self.blanks > 0, text)
        else {
            return false;
        };
        self.blanks = 0;
        self.stage = stage;
        self.last = time;
        self.push(text);
        true
    }

    fn push(&mut self, text: &str) {
        // The end of a Python trace says what happened: it is kept however long the trace is.
        let is_last_word = self.stage == Stage::Ending;
        if self.trace.lines.len() < MOST_LINES && self.bytes < MOST_BYTES || is_last_word {
            let text = crate::words::cut(text, 1_000);
            self.bytes += text.len();
            if self.trace.lines.len() < 2 * MOST_LINES {
                self.trace.lines.push(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each trace as `language error|message|place [lines]`, each other line as it is.
    fn joined(text: &str) -> String {
        let mut joiner = Joiner::default();
        let mut out = Vec::new();
        for line in text.lines() {
            joiner.take_in(Timestamp::UNIX_EPOCH, line, &mut out);
        }
        joiner.settle(
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(2),
            &mut out,
        );
        assert!(joiner.is_idle());
        let told: Vec<String> = out
            .iter()
            .map(|joined| match joined {
                Joined::Line(line) => line.text.clone(),
                Joined::Trace(trace) => {
                    let said = summary(trace);
                    format!(
                        "{} {}|{}|{} [{}]",
                        trace.language.as_str(),
                        said.error,
                        said.message,
                        said.place.unwrap_or_default(),
                        trace.lines.len()
                    )
                }
            })
            .collect();
        told.join("\n")
    }

    #[test]
    fn python() {
        let text = "before\nERROR:root:could not load\nTraceback (most recent call last):\n  File \"/app/main.py\", line 12, in <module>\n    load()\n    ~~~~^^\n  File \"/app/main.py\", line 9, in load\n    return int(text)\n  File \"/usr/lib/python3.11/json/decoder.py\", line 3, in decode\n    x\nValueError: invalid literal: 'x'\nafter";
        insta::assert_snapshot!(joined(text), @r"
        before
        ERROR:root:could not load
        python ValueError|invalid literal: 'x'|/app/main.py:9 in load [9]
        after
        ");
        let chained = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 3, in h\n    raise\nRuntimeError: no a\n\nnext line";
        insta::assert_snapshot!(joined(chained), @"
        python RuntimeError|no a|a.py:3 in h [9]
        next line
        ");
        let syntax = "  File \"/app/main.py\", line 3\n    def f(\n         ^\nSyntaxError: '(' was never closed";
        assert_eq!(
            joined(syntax),
            "python SyntaxError|'(' was never closed|/app/main.py:3 [4]"
        );
    }

    #[test]
    fn java() {
        let text = "2026-01-02 INFO start\nException in thread \"main\" java.lang.IllegalStateException: cannot start\n\tat shop.Main.start(Main.java:12)\n\tat shop.Main.main(Main.java:5)\nCaused by: java.net.ConnectException: Connection refused\n\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n\tat shop.Db.connect(Db.java:33)\n\t... 1 more\nnext";
        insta::assert_snapshot!(joined(text), @"
        2026-01-02 INFO start
        java java.net.ConnectException|Connection refused|Db.java:33 in shop.Db.connect [7]
        next
        ");
        let logged = "03:04 ERROR Worker - job failed java.lang.NullPointerException: x is null\n\tat shop.Worker.run(Worker.java:7)";
        assert_eq!(
            joined(logged),
            "java java.lang.NullPointerException|x is null|Worker.java:7 in shop.Worker.run [2]"
        );
    }

    #[test]
    fn node() {
        let text = "listening\n/app/index.js:12\n    throw new TypeError('no');\n    ^\n\nTypeError: no\n    at load (/app/index.js:12:11)\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)\n\nNode.js v18.19.0\nafter";
        insta::assert_snapshot!(joined(text), @"
        listening
        node TypeError|no|/app/index.js:12:11 in load [8]
        after
        ");
        let refused = "Error: connect ECONNREFUSED 127.0.0.1:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1494:16) {\n  errno: -111,\n  code: 'ECONNREFUSED'\n}\nafter";
        insta::assert_snapshot!(joined(refused), @"
        node Error|connect ECONNREFUSED 127.0.0.1:6379|node:net:1494:16 in TCPConnectWrap.afterConnect [as oncomplete] [5]
        after
        ");
    }

    #[test]
    fn go_and_rust() {
        let go = "start\npanic: runtime error: index out of range [3] with length 2\n\ngoroutine 1 [running]:\nmain.load(...)\n\t/app/main.go:12\nmain.main()\n\t/app/main.go:5 +0x1d\nexit status 2\nafter";
        insta::assert_snapshot!(joined(go), @"
        start
        go panic|runtime error: index out of range [3] with length 2|/app/main.go:12 in main.load [8]
        after
        ");
        let rust = "thread 'main' panicked at src/main.rs:2:5:\nno such thing\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\nafter";
        insta::assert_snapshot!(joined(rust), @"
        rust panic|no such thing|src/main.rs:2:5 [3]
        after
        ");
        let old = "thread 'main' panicked at 'no such thing', src/main.rs:2:5\nafter";
        insta::assert_snapshot!(joined(old), @"
        rust panic|no such thing|src/main.rs:2:5 [1]
        after
        ");
    }

    #[test]
    fn ruby_and_php_and_dotnet() {
        let ruby =
            "/app/x.rb:3:in `load': no file (RuntimeError)\n\tfrom /app/x.rb:7:in `<main>'\nafter";
        insta::assert_snapshot!(joined(ruby), @"
        ruby RuntimeError|no file|/app/x.rb:3 in load [2]
        after
        ");
        let rack = "2026-01-02 03:04:05 - RuntimeError - no file:\n\t/usr/lib/ruby/gems/sinatra.rb:3:in `call'\n\t/app/x.rb:7:in `get'\nafter";
        insta::assert_snapshot!(joined(rack), @"
        ruby RuntimeError|no file|/app/x.rb:7 in get [3]
        after
        ");
        let php = "PHP Fatal error:  Uncaught RuntimeException: no file in /app/x.php:3\nStack trace:\n#0 /app/x.php(7): load()\n#1 {main}\n  thrown in /app/x.php on line 3\nafter";
        insta::assert_snapshot!(joined(php), @"
        php RuntimeException|no file|/app/x.php:3 [5]
        after
        ");
        let dotnet = "Unhandled exception. System.InvalidOperationException: no\n   at Shop.Program.Main() in /src/Program.cs:line 4\nafter";
        insta::assert_snapshot!(joined(dotnet), @"
        dotnet System.InvalidOperationException|no|/src/Program.cs:4 in Shop.Program.Main() [2]
        after
        ");
    }

    #[test]
    fn lines_that_only_speak_of_errors_stay_lines() {
        let text = "error: a\nerror: b\n0 errors\n    at most 3 retries\npanic button pressed";
        assert_eq!(joined(text).lines().count(), 5);
        assert_eq!(
            joined("panic: no\n\nnext\nnext\nnext\nnext").lines().next(),
            Some("panic: no")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_lost(lines in proptest::collection::vec("(Error: x|    at f \\(a.js:1\\)|panic: x|goroutine 1 \\[running\\]:|\tat a.B\\(B.java:1\\)|Traceback \\(most recent call last\\):|  File \"a\", line 1|plain|ValueError: y)", 0..30)) {
            let mut joiner = Joiner::default();
            let mut out = Vec::new();
            for line in &lines {
                joiner.take_in(Timestamp::UNIX_EPOCH, line, &mut out);
            }
            joiner.settle(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(2), &mut out);
            let count: usize = out.iter().map(|joined| match joined {
                Joined::Line(_) => 1,
                Joined::Trace(trace) => trace.lines.len(),
            }).sum();
            proptest::prop_assert_eq!(count, lines.len());
        }
    }
}
