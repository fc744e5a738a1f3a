//! Diagnostics: what is wrong with a manifest, where, and what would be right.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// One problem in a manifest's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The bytes of the text that the problem is about.
    pub span: Range<usize>,
    /// 1-based.
    pub line: usize,
    /// 1-based, counted in characters.
    pub column: usize,
    /// A name for this kind of problem that never changes; `docs/manifest.md` lists them.
    pub code: &'static str,
    /// Which value it is about: `containers.web.ports[0]`; empty for the whole manifest.
    pub path: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}  {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// A problem before its line and column are known.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub code: &'static str,
    pub span: Range<usize>,
    pub path: String,
    pub message: String,
    pub help: Option<String>,
}

/// Everything found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<Problem>,
}

impl Report {
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems in the order of the text, with line and column.
    ///
    /// One sweep over the text serves them all, so that a hostile manifest with one long line and
    /// many problems costs no more than a long one with few.
    pub fn into_diagnostics(self, text: &str) -> Vec<Diagnostic> {
        let mut problems = self.problems;
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        let mut characters = text.char_indices().peekable();
        let (mut line, mut column) = (1, 1);
        let locate = |problem: Problem| {
            while let Some((_, character)) =
                characters.next_if(|(offset, _)| *offset < problem.span.start)
            {
                if character == '\n' {
                    (line, column) = (line + 1, 1);
                } else {
                    column += 1;
                }
            }
            let Problem {
                code,
                span,
                path,
                message,
                help,
            } = problem;
            Diagnostic {
                message,
                help,
                span,
                line,
                column,
                code,
                path,
            }
        };
        problems.into_iter().map(locate).collect()
    }
}

/// Where a value stands in the manifest, without allocating until somebody asks for its text.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Item(list, index) => write!(f, "{list}[{index}]"),
            Self::Field(owner, name) => {
                let plain = !name.is_empty()
                    && name.len() <= LONGEST_QUOTE
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
                match (owner, plain) {
                    (Self::Root, true) => write!(f, "{name}"),
                    (_, true) => write!(f, "{owner}.{name}"),
                    (_, false) => write!(f, "{owner}[{}]", quoted(name)),
                }
            }
        }
    }
}

/// How much of a text from outside a message repeats.
const LONGEST_QUOTE: usize = 64;

/// `text` in quotes, fit for a terminal: short and without control characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(LONGEST_QUOTE)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        shown.push('…');
    }
    // A lone apostrophe needs no escape between double quotes.
    format!("\"{}\"", shown.replace("\\'", "'"))
}

/// The codes of all problems.
pub(crate) mod code {
    macro_rules! codes {
        ($($name:ident = $text:literal;)*) => {
            $(pub(crate) const $name: &str = $text;)*
            /// Every code, for the test that compares them with the documentation.
            pub const ALL: &[&str] = &[$($text),*];
        };
    }

    codes! {
        TOO_LARGE = "too-large";
        TOO_DEEP = "too-deep";
        SYNTAX = "syntax";
        COMMENT = "comment";
        TRAILING_COMMA = "trailing-comma";
        DUPLICATE_KEY = "duplicate-key";
        FLOAT = "float";
        NUMBER_TOO_LARGE = "number-too-large";
        WRONG_TYPE = "wrong-type";
        UNKNOWN_FIELD = "unknown-field";
        MISSING_FIELD = "missing-field";
        UNKNOWN_VERSION = "unknown-version";
        UNKNOWN_VALUE = "unknown-value";
        EMPTY = "empty";
        CONTROL_CHARACTER = "control-character";
        NAME = "name";
        ENVIRONMENT_NAME = "environment-name";
        SECRET_NAME = "secret-name";
        PATH = "path";
        PATH_LEAVES_PROJECT = "path-leaves-project";
        VOLUME = "volume";
        COMMAND = "command";
        IMAGE = "image";
        REGISTRY = "registry";
        REPOSITORY = "repository";
        PACKAGE = "package";
        HEALTH_PATH = "health-path";
        PORT_RANGE = "port-range";
        EPOCH_RANGE = "epoch-range";
        PLATFORM = "platform";
        DUPLICATE_ITEM = "duplicate-item";
        UNKNOWN_APPLICATION = "unknown-application";
        UNUSED_APPLICATION = "unused-application";
        UNKNOWN_CONTAINER = "unknown-container";
        DUPLICATE_COMPANION = "duplicate-companion";
        CYCLE = "cycle";
        BUILD_ORDER = "build-order";
        BUILD_ORDER_INCOMPLETE = "build-order-incomplete";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_the_fields_they_name() {
        let containers = Path::Field(&Path::Root, "containers");
        let web = Path::Field(&containers, "web");
        let ports = Path::Field(&web, "ports");
        assert_eq!(Path::Item(&ports, 2).to_string(), "containers.web.ports[2]");
        assert_eq!(
            Path::Field(&containers, "my.app").to_string(),
            r#"containers["my.app"]"#
        );
    }

    #[test]
    fn quotes_are_short_and_safe_for_a_terminal() {
        assert_eq!(quoted("\u{1b}[31mred"), r#""\u{1b}[31mred""#);
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 64 + 3);
        assert_eq!(quoted("it's"), r#""it's""#);
    }

    #[test]
    fn columns_count_characters_and_lines_count_newlines() {
        let text = "a\r\nüü b";
        let mut report = Report::default();
        report.push(Problem {
            code: code::SYNTAX,
            span: text.len() - 1..text.len(),
            path: String::new(),
            message: String::new(),
            help: None,
        });
        let [found] = &report.into_diagnostics(text)[..] else {
            panic!("one problem in, one out")
        };
        assert_eq!((found.line, found.column), (2, 4));
    }
}
