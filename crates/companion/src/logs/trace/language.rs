//! How a trace begins and goes on, in each language.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Stage;

/// Whose trace it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::logs) enum Language {
    Python,
    Java,
    Node,
    Go,
    Rust,
    Ruby,
    Php,
    Dotnet,
}

/// A line with none of these neither begins a trace nor announces one.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::new([
        "rror",
        "xception",
        "hrowable",
        "panic",
        "Traceback",
        "goroutine ",
        ":in ",
        "File \"",
        ".js:",
        ".ts:",
        ".mjs:",
        ".cjs:",
        "atal",
    ])
    .ok()
});

/// Whether the line has anything of a trace; false for most lines.
pub(in crate::logs) fn has_signs(line: &str) -> bool {
    SIGNS
        .as_ref()
        .is_none_or(|signs| signs.is_match(line.as_bytes()))
}

/// Whether the line may be the first of a trace, if frames follow.
pub(super) fn may_begin(line: &str) -> bool {
    let words = [
        "Exception",
        "Error",
        "error",
        "exception",
        "Throwable",
        "panic",
    ];
    words.iter().any(|word| line.contains(word)) || is_source_place(line)
}

/// `/app/index.js:12`, which Node writes before the line and the error.
pub(super) fn is_source_place(line: &str) -> bool {
    let Some((path, number)) = line.rsplit_once(':') else {
        return false;
    };
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !path.contains(' ')
        && [".js", ".mjs", ".cjs", ".ts"]
            .iter()
            .any(|end| path.ends_with(end))
}

/// Whether a line makes a trace of the lines before it, the first of which is given.
pub(super) fn continues(first: &str, line: &str) -> Option<Language> {
    let trimmed = line.trim_start();
    let indented = trimmed.len() < line.len();
    let is_frame = trimmed.starts_with("at ") && trimmed.contains(['(', ':']);
    if indented && is_frame {
        return Some(whose_frame(line, trimmed));
    }
    if line.starts_with("goroutine ") && line.contains(" [") {
        return Some(Language::Go);
    }
    if is_ruby_frame(trimmed) && !line.ends_with(')') {
        return Some(Language::Ruby);
    }
    if line == "[stacktrace]" || line == "Stack trace:" {
        return Some(Language::Php);
    }
    // As the `anyhow` crate writes a chain of errors.
    (line == "Caused by:" && first.starts_with("Error: ")).then_some(Language::Rust)
}

/// Java's, Node's and .NET's frames all begin with `at`.
fn whose_frame(line: &str, trimmed: &str) -> Language {
    let has = |signs: &[&str]| signs.iter().any(|sign| trimmed.contains(sign));
    if has(&[
        ".js",
        ".ts",
        ".mjs",
        ".cjs",
        "(node:",
        "at node:",
        "<anonymous>",
        "file://",
    ]) {
        Language::Node
    } else if has(&[
        ".java:",
        ".kt:",
        ".scala:",
        ".groovy:",
        "(Native Method)",
        "(Unknown Source)",
    ]) || line.starts_with('\t')
    {
        Language::Java
    } else if has(&[":line "]) || line.starts_with("   at ") {
        Language::Dotnet
    } else {
        Language::Node
    }
}

fn is_ruby_frame(line: &str) -> bool {
    let frame = line.strip_prefix("from ").unwrap_or(line);
    (frame.contains(":in `") || frame.contains(":in '"))
        && frame
            .split(":in ")
            .next()
            .and_then(|place| place.rsplit_once(':'))
            .is_some_and(|(path, number)| {
                !path.contains(' ')
                    && !number.is_empty()
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            })
}

impl Language {
    pub(in crate::logs) const fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Java => "java",
            Self::Node => "node",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Dotnet => "dotnet",
        }
    }

    /// Whether the line alone begins a trace.
    pub(super) fn begins(line: &str) -> Option<Self> {
        if line.ends_with("Traceback (most recent call last):") {
            return Some(Self::Python);
        }
        // A syntax error has no traceback.
        if line.starts_with("  File \"") && line.contains("\", line ") {
            return Some(Self::Python);
        }
        if line.contains("thread '") && line.contains(" panicked at ") {
            return Some(Self::Rust);
        }
        if line.starts_with("goroutine ") && line.ends_with("]:") {
            return Some(Self::Go);
        }
        if line.contains("Fatal error: ") && line.contains("Uncaught ") {
            return Some(Self::Php);
        }
        (line.ends_with(')') && is_ruby_frame(line)).then_some(Self::Ruby)
    }

    /// Whether a line belongs to a trace of this language, and what may come after it.
    pub(super) fn goes_on(
        self,
        stage: Stage,
        lines: &[String],
        after_blank: bool,
        line: &str,
    ) -> Option<Stage> {
        let indented = line.starts_with([' ', '\t']);
        let trimmed = line.trim_start();
        let starts =
            |beginnings: &[&str]| beginnings.iter().any(|start| trimmed.starts_with(start));
        match self {
            Self::Python => {
                let chains = starts(&[
                    "Traceback (most recent call last):",
                    "During handling of the above exception",
                    "The above exception was the direct cause",
                ]);
                if chains {
                    Some(Stage::Frames)
                } else if stage == Stage::Ending {
                    None
                } else if indented || starts(&["+ ", "| "]) {
                    Some(Stage::Frames)
                } else {
                    (!after_blank).then_some(Stage::Ending)
                }
            }
            Self::Java => (indented && starts(&["at ", "... ", "Suppressed: ", "Caused by: "])
                || starts(&["Caused by: "]))
            .then_some(Stage::Frames),
            Self::Dotnet => (indented || starts(&["--- End of", "---> "])).then_some(Stage::Frames),
            Self::Node => {
                if starts(&["Node.js v"]) {
                    Some(Stage::Over)
                } else if indented || line == "}" {
                    Some(Stage::Frames)
                } else {
                    // After the source line and its mark stands the error.
                    (lines.len() < 5
                        && !lines
                            .iter()
                            .any(|line| line.trim_start().starts_with("at ")))
                    .then_some(Stage::Frames)
                }
            }
            Self::Go => {
                if starts(&["exit status "]) {
                    return Some(Stage::Over);
                }
                let is_call = line.ends_with(')')
                    && line
                        .split('(')
                        .next()
                        .is_some_and(|name| !name.contains(' '));
                let is_register = line.len() < 30 && line.contains("0x") && !line.contains(':');
                (indented
                    || is_call
                    || is_register
                    || starts(&[
                        "goroutine ",
                        "created by ",
                        "[signal ",
                        "runtime stack:",
                        "panic(",
                        "...",
                    ]))
                .then_some(Stage::Frames)
            }
            Self::Rust => {
                let is_message = lines.len() == 1 && lines[0].ends_with(':');
                (is_message
                    || indented
                    || starts(&[
                        "stack backtrace:",
                        "Stack backtrace:",
                        "note: ",
                        "Caused by:",
                    ]))
                .then_some(Stage::Frames)
            }
            Self::Ruby => (is_ruby_frame(trimmed) || indented && starts(&["from ", "... "]))
                .then_some(Stage::Frames),
            Self::Php => {
                if starts(&["thrown in "]) {
                    return Some(Stage::Over);
                }
                starts(&[
                    "Stack trace:",
                    "[stacktrace]",
                    "#",
                    "Next ",
                    "\"}",
                    "[previous exception]",
                ])
                .then_some(Stage::Frames)
            }
        }
    }
}
