//! What Ergon knows of a language: how its programs are recognised, built and packed.
//!
//! A new one is one file that ends in an [`Ecosystem`], and one line in [`ALL`].

use ergon_manifest::Application;

use crate::analysis::{Confidence, Fact, Question, Topic, printable};
use crate::sources::Sources;

mod go;
mod node;
pub(crate) mod python;
mod rust;

/// Every language, the one to be asked first standing first.
pub const ALL: [&Ecosystem; 4] = [
    &python::ECOSYSTEM,
    &node::ECOSYSTEM,
    &go::ECOSYSTEM,
    &rust::ECOSYSTEM,
];

/// One language and its package managers.
pub struct Ecosystem {
    /// As people write it: `Python`.
    pub name: &'static str,
    /// As `language` in a manifest says it; the first is the one that is generated.
    pub languages: &'static [&'static str],
    /// What it is recognised by, as a person would say it.
    pub looks_for: &'static str,
    /// The program in a tree, where there is one.
    pub detect: fn(&Sources<'_>) -> Option<Found>,
    pub packing: Packing,
}

/// How a language's programs become images.
pub struct Packing {
    /// Compiled languages have a stage of their own for it.
    pub toolchain: Option<Toolchain>,
    /// What the image's environment says for every program.
    pub env: &'static [(&'static str, &'static str)],
    /// What its tools leave among the sources, as a `.dockerignore` names it.
    pub droppings: &'static [&'static str],
    /// A command that asks a path whether the program is well, with what the base has.
    pub probe: Option<fn(&Probe<'_>) -> Vec<String>>,
}

/// The stage that compiles.
pub struct Toolchain {
    /// The image's name without a tag: `golang`.
    pub repository: &'static str,
    /// What follows the version in the tag: `-bookworm`.
    pub tag_suffix: &'static str,
    /// What is taken where nothing says a version: Debian's.
    pub version: &'static str,
    pub env: &'static [(&'static str, &'static str)],
    /// What only the compiler reads; as in [`crate::plan::Step::CopyStage`], relative to the application.
    pub source_only: &'static [&'static str],
}

/// What is to be asked.
pub struct Probe<'a> {
    pub path: &'a str,
    pub port: u16,
    /// The program takes its port from `PORT` where that is set.
    pub port_variable: bool,
}

/// How much of a program was found; the strongest ecosystem is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Files of the language, but nothing that says how to start them.
    Sources,
    /// A program that can be started.
    Program,
    /// A program of a known framework.
    Framework,
}

/// A program that was found, and how that is known.
#[derive(Debug)]
pub struct Found {
    pub strength: Strength,
    /// From package metadata, made into a name.
    pub name: Option<String>,
    pub application: Application,
    /// What its container starts from.
    pub base_image: String,
    pub report: Report,
}

/// Facts and questions as they come up.
#[derive(Debug, Default)]
pub struct Report {
    pub facts: Vec<Fact>,
    pub questions: Vec<Question>,
}

impl Report {
    /// A file says so.
    pub fn certain(
        &mut self,
        topic: Topic,
        value: impl Into<String>,
        from: impl Into<String>,
    ) -> &mut Fact {
        self.fact(topic, value, from, Confidence::Certain)
    }

    /// It follows from what a file says.
    pub fn likely(
        &mut self,
        topic: Topic,
        value: impl Into<String>,
        from: impl Into<String>,
    ) -> &mut Fact {
        self.fact(topic, value, from, Confidence::Likely)
    }

    /// Nothing says so.
    pub fn assumed(&mut self, topic: Topic, value: impl Into<String>) -> &mut Fact {
        self.fact(topic, value, "", Confidence::Assumed)
    }

    pub fn ask(&mut self, text: impl Into<String>, remedy: impl Into<String>) {
        self.questions.push(Question::new(text, remedy));
    }

    fn fact(
        &mut self,
        topic: Topic,
        value: impl Into<String>,
        from: impl Into<String>,
        confidence: Confidence,
    ) -> &mut Fact {
        self.facts.push(Fact {
            application: None,
            topic,
            value: printable(&value.into()),
            note: None,
            from: printable(&from.into()),
            confidence,
        });
        let last = self.facts.len() - 1;
        &mut self.facts[last]
    }
}

impl Fact {
    /// Adds why.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.note = Some(printable(&note.into()));
    }
}

/// The ecosystem of a manifest's `language`; none where it is not known.
pub fn of_language(language: &str) -> Option<&'static Ecosystem> {
    let language = language.to_ascii_lowercase();
    ALL.into_iter()
        .find(|ecosystem| ecosystem.languages.contains(&language.as_str()))
}
