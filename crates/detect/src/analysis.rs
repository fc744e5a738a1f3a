//! What detection found: the manifest, each fact with its evidence, and what is left to ask.

use ergon_manifest::Manifest;
use serde::{Deserialize, Serialize};

/// The whole answer of detection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Analysis {
    /// The manifest as generated; `applications` is empty where nothing was recognised.
    pub manifest: Manifest,
    pub facts: Vec<Fact>,
    pub questions: Vec<Question>,
    /// What would have been recognised; said only where nothing was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked_for: Vec<String>,
}

/// One thing that is claimed about the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The application it is about; absent: the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    pub topic: Topic,
    /// The claim, as a person would say it: `FastAPI 0.115`, `8000`, `DATABASE_URL`.
    pub value: String,
    /// Why, in words that stand alone: `uvicorn's default; nothing in the project says otherwise`,
    /// `main.py:3 defines \`app\``. Names [`Fact::from`] itself where that is part of the sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `file:line`, or `file`; empty where it is assumed.
    pub from: String,
    pub confidence: Confidence,
    /// What else the project says of it, and was not followed; the note names the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Loser>,
}

/// A claim that another one decided over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loser {
    /// As written: `>=20`.
    pub value: String,
    /// `file:line`
    pub from: String,
}

/// What a fact is about. The first six groups are the six questions of the 🐳 button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Language,
    Framework,
    Runtime,
    PackageManager,
    Dependencies,
    /// Whether a lock file pins the dependencies: `locked`, `stale` or `missing`.
    Lock,
    BuildCommand,
    RunCommand,
    Port,
    Environment,
    Health,
    Service,
    SystemPackage,
    Volume,
    Pinned,
}

/// How sure detection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A file says so.
    Certain,
    /// It follows from what a file says.
    Likely,
    /// Nothing says so; it is the usual choice.
    Assumed,
}

/// One question that would settle what nothing in the project decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// `Python version? nothing says; 3.11 assumed.`
    pub text: String,
    /// What to do to answer it: `echo 3.11 > .python-version`.
    pub remedy: String,
}

impl Question {
    pub(crate) fn new(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            application: None,
            text: printable(&text.into()),
            remedy: printable(&remedy.into()),
        }
    }
}

/// What a project says, without what would move a terminal's cursor.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}
