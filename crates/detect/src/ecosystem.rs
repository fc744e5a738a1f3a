//! What Ergon knows of a language: how its programs are recognised, built and packed.
//!
//! A new one is one file that ends in an [`Ecosystem`], and one line in [`ALL`].

use ergon_manifest::{Application, Health, Runtime};

use crate::analysis::{Confidence, Fact, Question, Topic, printable};
use crate::scan::{self, Route};
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

/// What a language's programs run on where nothing is said, and how to say it.
pub struct UsualRuntime {
    /// As `runtime.name` in the manifest.
    pub name: &'static str,
    pub label: &'static str,
    pub version: &'static str,
    pub remedy: &'static str,
}

/// A version that something in the project decides.
pub struct Decided {
    pub version: String,
    /// `file:line`
    pub from: String,
    /// Why this one, where the file leaves several open.
    pub note: Option<String>,
}

impl Decided {
    pub fn exactly(version: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            from: from.into(),
            note: None,
        }
    }
}

/// The port a program listens on.
pub struct Port {
    pub number: u16,
    /// `file:line`; none where it is assumed.
    pub from: Option<String>,
    pub why: String,
}

impl Port {
    /// Where `PORT` is not set.
    pub fn fallback(number: u16, from: impl Into<String>) -> Self {
        Self {
            number,
            from: Some(from.into()),
            why: "where PORT is not set".to_owned(),
        }
    }

    /// Written down in the code.
    pub fn written(number: u16, from: impl Into<String>) -> Self {
        Self {
            number,
            from: Some(from.into()),
            why: "the code says so".to_owned(),
        }
    }

    /// What is usual for somebody.
    pub fn usual(number: u16, whose: &str) -> Self {
        Self {
            number,
            from: None,
            why: format!("{whose}; nothing in the project says otherwise"),
        }
    }
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

    /// The runtime's version: what was decided, else Debian's, with the question that would settle it.
    pub fn runtime(&mut self, usual: &UsualRuntime, decided: Option<Decided>) -> Runtime {
        let UsualRuntime {
            name,
            label,
            version: assumed,
            remedy,
        } = usual;
        let (version, from) = if let Some(decided) = decided {
            let value = format!("{label} {}", decided.version);
            match decided.note {
                Some(note) => self.likely(Topic::Runtime, value, &decided.from).note(note),
                None => {
                    self.certain(Topic::Runtime, value, &decided.from);
                }
            }
            (decided.version, decided.from)
        } else {
            self.assumed(Topic::Runtime, format!("{label} {assumed}"))
                .note("nothing in the project says");
            self.ask(
                format!("{label} version? nothing says; {assumed} assumed."),
                *remedy,
            );
            ((*assumed).to_owned(), "assumed".to_owned())
        };
        Runtime {
            name: (*name).to_owned(),
            version,
            from: Some(from),
        }
    }

    /// The port, as far as anything tells.
    pub fn port(&mut self, port: &Port) -> u16 {
        let value = port.number.to_string();
        let fact = match &port.from {
            Some(from) => self.certain(Topic::Port, value, from),
            None => self.assumed(Topic::Port, value),
        };
        fact.note(&port.why);
        port.number
    }

    /// The path to ask how the program is, where one of its routes is known for that.
    pub fn health(&mut self, routes: &[Route]) -> Option<Health> {
        let route = scan::health_route(routes)?;
        self.likely(Topic::Health, format!("GET {}", route.path), &route.from);
        Some(Health {
            path: route.path.clone(),
            port: None,
        })
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

/// `1 package`, `16 packages`.
pub fn counted(count: usize, what: &str) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// The ecosystem of a manifest's `language`; none where it is not known.
pub fn of_language(language: &str) -> Option<&'static Ecosystem> {
    let language = language.to_ascii_lowercase();
    ALL.into_iter()
        .find(|ecosystem| ecosystem.languages.contains(&language.as_str()))
}
