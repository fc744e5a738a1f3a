//! What Ergon knows of a language: how its programs are recognised, built and packed.
//!
//! A new one is one file that ends in an [`Ecosystem`], and one line in [`ALL`].

use ergon_manifest::{Application, Health};

use crate::analysis::{Confidence, Fact, Loser, Question, Topic, printable};
pub use crate::claims::Claim;
use crate::environment::{Need, Read};
use crate::plan::{APP_ROOT, shell_quoted};
use crate::scan::{self, Route};
use crate::sources::Sources;

mod clojure;
mod cobol;
mod compiled;
mod cpp;
mod crystal;
mod dart;
mod deno;
mod dotnet;
mod elixir;
mod gleam;
mod go;
mod haskell;
mod java;
mod kept;
mod loopback;
mod nim;
mod node;
mod ocaml;
mod perl;
mod php;
pub(crate) mod python;
mod ruby;
mod rust;
mod scala;
mod scheme;
pub(crate) mod shell;
mod static_site;
mod swift;
mod zig;

/// Every language. Between answers of the same strength the one that stands first is taken, so that what
/// brings a second language along (a site's `package.json`, a library's `Makefile`) stands before it.
pub const ALL: &[&Ecosystem] = &[
    &php::ECOSYSTEM,
    &go::ECOSYSTEM,
    &java::ECOSYSTEM,
    &scala::ECOSYSTEM,
    &clojure::ECOSYSTEM,
    &rust::ECOSYSTEM,
    &ruby::ECOSYSTEM,
    &elixir::ECOSYSTEM,
    &python::ECOSYSTEM,
    &deno::ECOSYSTEM,
    &dotnet::ECOSYSTEM,
    &node::ECOSYSTEM,
    &gleam::ECOSYSTEM,
    &crystal::ECOSYSTEM,
    &dart::ECOSYSTEM,
    &haskell::ECOSYSTEM,
    &swift::ECOSYSTEM,
    &zig::ECOSYSTEM,
    &nim::ECOSYSTEM,
    &ocaml::ECOSYSTEM,
    &cpp::ECOSYSTEM,
    &perl::ECOSYSTEM,
    &cobol::ECOSYSTEM,
    &scheme::ECOSYSTEM,
    &static_site::ECOSYSTEM,
    &shell::ECOSYSTEM,
];

/// One language and its package managers.
pub struct Ecosystem {
    /// As people write it: `Python`.
    pub name: &'static str,
    /// As `language` in a manifest says it; the first is the one that is generated.
    pub languages: &'static [&'static str],
    /// What it is recognised by, as a person would say it.
    pub looks_for: &'static str,
    /// Files by which a program of it shows in a folder below the root: `go.mod`, `*.csproj`.
    pub markers: &'static [&'static str],
    /// The program in a tree, where there is one.
    pub detect: fn(&Sources<'_>) -> Option<Found>,
    /// What its tools leave among the sources, as a `.dockerignore` names it.
    pub droppings: &'static [&'static str],
    /// How an application becomes an image, told from the manifest alone.
    pub packing: fn(&Packed<'_>) -> Packing,
}

/// An application as a manifest has it, and what its container starts from.
pub struct Packed<'a> {
    pub application: &'a Application,
    pub base_image: &'a str,
}

impl Packed<'_> {
    /// The version of its runtime, else `usual`.
    pub fn version<'v>(&'v self, usual: &'v str) -> &'v str {
        self.application
            .runtime
            .as_ref()
            .map_or(usual, |runtime| &runtime.version)
    }

    /// Where the application lies in the image.
    pub fn root(&self) -> String {
        let written = self.application.path.as_deref().unwrap_or("");
        let elements = written
            .split('/')
            .filter(|element| !matches!(*element, "" | "."));
        std::iter::once(APP_ROOT)
            .chain(elements)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// `PATH` with folders of the application before the system's.
    pub fn path(&self, folders: &[&str]) -> String {
        let root = self.root();
        let own = folders.iter().map(|folder| match *folder {
            "" => format!("{root}:"),
            folder => format!("{root}/{folder}:"),
        });
        own.chain([SYSTEM_PATH.to_owned()]).collect()
    }

    /// Whether its container starts from this image, whatever the tag: `golang`.
    pub fn starts_from(&self, repository: &str) -> bool {
        let untagged = self.base_image.split(['@', ':']).next().unwrap_or("");
        untagged.rsplit('/').next() == Some(repository)
    }
}

/// Where images have their programs.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a program becomes an image.
#[derive(Default)]
pub struct Packing {
    /// A stage of its own to build in, where what builds has no place in the image.
    pub toolchain: Option<Toolchain>,
    /// Whether a build command sets up the image itself, whatever the program's files are: a server's
    /// configuration, an extension of the runtime. It runs there, before the files come.
    pub sets_up_image: Option<fn(&str) -> bool>,
    /// Whether a build command brings a tool that the program is started with, so that the image needs it as well
    /// as the stage that builds.
    pub brings_tool: Option<fn(&str) -> bool>,
    /// Debian packages that have uses of their own, but for this program only a part in building it.
    pub only_builds: &'static [&'static str],
    /// What the image's environment says.
    pub env: Vec<(&'static str, String)>,
    /// Whether build commands want to see that as well, where no other stage builds.
    pub builds_in_env: bool,
    /// Seconds since 1970 that files in the image should be as old as, where the program's tools take older ones
    /// for missing.
    pub source_date_epoch: Option<u32>,
    /// A command that asks a path whether the program is well, with what the base has.
    pub probe: Option<fn(&Probe<'_>) -> Vec<String>>,
}

/// The stage that builds.
pub struct Toolchain {
    /// As FROM names it: `golang:1.19-bookworm`.
    pub image: String,
    /// What the stage's commands see beside the image's environment.
    pub env: Vec<(&'static str, String)>,
    /// What only the build reads, as in [`crate::plan::StageFiles::Except`], relative to the application.
    /// Not asked where the manifest names the application's `artifacts`.
    pub source_only: &'static [&'static str],
}

/// What is to be asked, at 127.0.0.1, by the name `localhost`: `localhost` itself may be an address that the program
/// does not listen on, and frameworks that look at the name they are called by know that one sooner than a number.
/// Whatever sends elsewhere, as to HTTPS, is well; nobody follows it there.
pub struct Probe<'a> {
    pub path: &'a str,
    pub port: u16,
    /// The program takes its port from `PORT` where that is set.
    pub port_variable: bool,
}

/// Asks with bash alone: what a compiler made cannot be told to, and not every image that it runs in has curl or
/// wget, but those of Debian and Ubuntu never go without bash.
pub fn probe_by_bash(probe: &Probe<'_>) -> Vec<String> {
    let port = if probe.port_variable {
        format!("${{PORT:-{}}}", probe.port)
    } else {
        probe.port.to_string()
    };
    let request = shell_quoted(&format!(
        "GET {} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n",
        probe.path.replace('\\', "\\\\").replace('%', "%%")
    ));
    // The answer is read to its end, so that the program finds nobody gone.
    let line = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port} && printf {request} >&3 && read -r -t 3 _ code _ <&3 \
         && timeout 3 cat <&3 >/dev/null; [[ $code == [23]* ]]"
    );
    vec!["/bin/bash".to_owned(), "-c".to_owned(), line]
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
    /// Its start only starts other programs of the project, each of which stands for itself.
    pub delegates: bool,
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

/// What a lock file says of the dependencies that are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    Locked,
    /// It was written for other dependencies.
    Stale,
    Missing,
}

impl LockState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Stale => "stale",
            Self::Missing => "missing",
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

    /// What the code falls back to, as it reads it.
    pub fn of_reads(reads: &[Read]) -> Option<Self> {
        reads.iter().find_map(|read| match &read.need {
            Need::Default(default) if read.name == "PORT" => {
                Some(Self::fallback(scan::port(default)?, &read.from))
            }
            _ => None,
        })
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

    /// Whether a lock file pins the dependencies.
    pub fn lock(&mut self, state: LockState, file: &str, note: impl Into<String>) {
        let from = if state == LockState::Missing {
            ""
        } else {
            file
        };
        self.certain(Topic::Lock, state.name(), from).note(note);
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
            over: Vec::new(),
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

    /// The claim, where another one decides over it.
    pub(crate) fn as_loser(&self) -> Loser {
        Loser {
            value: self.value.clone(),
            from: self.from.clone(),
        }
    }
}

/// The file of a `file:line`.
pub fn file_of(from: &str) -> &str {
    from.rsplit_once(':').map_or(from, |(file, _)| file)
}

/// `1 package`, `16 packages`.
pub fn counted(count: usize, what: &str) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// How an application becomes an image; nothing special where its language is not known.
pub fn packing(application: &Application, base_image: &str) -> Packing {
    of_language(&application.language).map_or_else(Packing::default, |ecosystem| {
        (ecosystem.packing)(&Packed {
            application,
            base_image,
        })
    })
}

/// The ecosystem of a manifest's `language`; none where it is not known.
pub fn of_language(language: &str) -> Option<&'static Ecosystem> {
    let language = language.to_ascii_lowercase();
    ALL.iter()
        .copied()
        .find(|ecosystem| ecosystem.languages.contains(&language.as_str()))
}
