//! Lists of packages that were not read, or not to their end.

use crate::ecosystem::Report;
use crate::plan::shell_quoted;
use crate::sources::{READ_LIMIT, Sources};

/// A file that lists packages, as pip reads it, and that was not read or not to its end.
#[derive(Debug)]
pub(super) struct Unread {
    pub file: String,
    /// Where it is named; none for the first.
    pub named: Option<String>,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It leads out of the project.
    Outside,
    Missing,
    TooLarge,
    /// It holds what no text does.
    Binary,
    /// The question is asked where it is read.
    Unreadable,
}

impl Why {
    /// Why a file is not read as pip reads it; none where it is.
    pub fn of(sources: &Sources<'_>, file: &str, text: Option<&str>) -> Option<Self> {
        match text {
            Some(text) if text.len() >= READ_LIMIT as usize => Some(Self::TooLarge),
            Some(text) => text.contains('\0').then_some(Self::Binary),
            None if sources.full(file).is_none() || file.starts_with('/') => Some(Self::Outside),
            None if sources.has(file) => Some(Self::Unreadable),
            None => Some(Self::Missing),
        }
    }
}

impl Unread {
    pub fn how_far(&self) -> &'static str {
        match self.why {
            Why::TooLarge => " to its end",
            _ => "",
        }
    }

    pub fn ask(&self, report: &mut Report) {
        let file = &self.file;
        let named = self.named.as_deref().unwrap_or(file);
        let (why, remedy) = match self.why {
            Why::Unreadable => return,
            Why::Outside => (
                format!("{named} names it, and it lies outside the project"),
                format!("copy it into the project, and name it so in {named}"),
            ),
            Why::Missing => (
                format!("{named} names it, and it is not there"),
                format!("add {file}, or take the line out of {named}"),
            ),
            Why::Binary => (
                "it is no text".to_owned(),
                format!("look at what {file} holds: file {}", shell_quoted(file)),
            ),
            Why::TooLarge => (
                "only its first MiB was read".to_owned(),
                format!("look at what {file} holds: ls -l {}", shell_quoted(file)),
            ),
        };
        report.ask(format!("What does {file} list? {why}."), remedy);
    }
}
