//! One place where the repository breaks a rule.

use std::fmt;

/// A broken rule, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Relative to the repository.
    pub file: String,
    /// 1-based.
    pub line: usize,
    pub rule: &'static str,
    pub message: String,
    pub remedy: String,
}

impl Violation {
    pub fn new(
        (file, line): (&str, usize),
        rule: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}:{}  [{}] {}",
            self.file, self.line, self.rule, self.message
        )?;
        write!(f, "    {}", self.remedy)
    }
}

/// The number of the first line of `text` that `fits`, else 1.
pub fn line_of(text: &str, fits: impl Fn(&str) -> bool) -> usize {
    text.lines().position(fits).map_or(1, |index| index + 1)
}

/// Whether the line at `index` of `lines` says that it breaks `rule`, and why.
pub fn is_excused(lines: &[&str], index: usize, rule: &str) -> bool {
    let marker = format!("tidy({rule}): ");
    let says = |line: &&str| {
        line.split_once(&marker)
            .is_some_and(|(_, why)| why.trim().len() >= 8)
    };
    let above = index.checked_sub(1).and_then(|above| lines.get(above));
    lines.get(index).is_some_and(says) || above.is_some_and(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excuse_needs_a_reason_and_stands_next_to_the_line() {
        let lines = [
            "// tidy(x): measured, not awaited",
            "a",
            "b // tidy(x): because so",
            "c // tidy(x):",
            "d",
        ];
        let excused: Vec<_> = (0..lines.len())
            .filter(|index| is_excused(&lines, *index, "x"))
            .collect();
        assert_eq!(excused, [0, 1, 2, 3]);
        assert!(!is_excused(&lines, 4, "x"));
        assert!(!is_excused(&lines, 1, "y"));
    }
}
