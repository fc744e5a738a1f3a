//! What a project declares of itself beside its code: a `Procfile`, a `Dockerfile`, a compose file, the settings
//! of platforms. It is evidence, read as text and never followed blindly; where it is explicit, it wins.

mod apply;
mod apt;
mod compose;
mod devcontainer;
mod dockerfile;
mod examples;
mod images;
mod nixpacks;
mod platforms;
mod procfile;
mod railpack;
mod render;
mod script;

use serde_json::Value;

pub use self::apply::apply;
pub use self::compose::{Compose, Service, names_host};
pub use self::render::Blueprints;
use crate::analysis::Question;
use crate::ecosystem::Claim;
use crate::sources::Sources;

/// Everything that is declared for one program, what decides first in each list.
#[derive(Default)]
pub struct Declared {
    starts: Vec<Start>,
    builds: Vec<Builds>,
    ports: Vec<Said<u16>>,
    /// By the name of the runtime that is meant.
    versions: Vec<(String, Claim)>,
    /// Debian packages.
    packages: Vec<Said<String>>,
    variables: Vec<Variable>,
    /// Those that an example of its settings has.
    examples: Vec<Variable>,
    /// `PORT`, where it is set for the program.
    port_variable: Option<Said<u16>>,
    /// Ports that are only looked at while one works on the program.
    forwarded: Vec<Said<u16>>,
    health: Vec<Said<String>>,
    volumes: Vec<Said<String>>,
    services: Vec<Said<&'static str>>,
    /// The language that it is said to be of.
    language: Option<Said<String>>,
    /// The image that the program was made for.
    image: Option<Said<String>>,
    /// What is put into that image, and where.
    copies: Vec<Said<(Vec<String>, String)>>,
    /// Where something else is done to it.
    ran: Option<String>,
    questions: Vec<Question>,
}

/// Something that is said, and by which file and line.
struct Said<T> {
    value: T,
    from: String,
}

impl<T> Said<T> {
    fn new(value: impl Into<T>, from: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            from: from.into(),
        }
    }
}

/// How much a start command counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// It may start the program, where nothing else does.
    MayStart,
    /// It starts the program where its image was made; nothing certain is changed for it.
    Evidence,
    /// It is written for nothing but saying how the program is started.
    Written,
}

/// A start command.
struct Start {
    command: String,
    from: String,
    /// As a person calls the file: `the Procfile`.
    by: String,
    weight: Weight,
    /// What else is to be said of it.
    note: Option<String>,
    /// People talk to the program, so it has a port.
    serves: bool,
}

/// Build commands.
struct Builds {
    commands: Vec<String>,
    from: String,
    by: &'static str,
    /// They come after those that are known, instead of taking their place.
    more: bool,
}

/// A variable that is set for the program.
struct Variable {
    name: String,
    default: Option<String>,
    required: bool,
    from: String,
    by: &'static str,
}

impl Declared {
    /// What is declared for the program in a folder: there, and at the project's root for that folder.
    pub fn of(sources: &Sources<'_>, blueprints: &Blueprints) -> Self {
        let mut declared = Self::default();
        procfile::read(sources, &mut declared);
        nixpacks::read(sources, &mut declared);
        railpack::read(sources, &mut declared);
        platforms::read(sources, &mut declared);
        blueprints.declare(sources, &mut declared);
        dockerfile::read(sources, &mut declared);
        devcontainer::read(sources, &mut declared);
        apt::read(sources, &mut declared);
        script::read(sources, &mut declared);
        examples::read(sources, &mut declared);
        dockerfile::read_above(sources, &mut declared);
        declared
    }

    /// The language that the program is said to be of, as a manifest may name it.
    pub fn language(&self) -> Option<&str> {
        let named = self.language.as_ref()?.value.as_str();
        Some(if named == "staticfile" {
            "static"
        } else {
            named
        })
    }

    /// Whether anything here starts a program.
    pub fn starts(&self) -> bool {
        self.starts
            .iter()
            .any(|start| start.weight > Weight::MayStart)
    }

    fn start(&mut self, command: &str, from: String, by: &str) -> Option<&mut Start> {
        let command = one_line(command)?;
        self.starts.push(Start {
            command,
            from,
            by: by.to_owned(),
            weight: Weight::Written,
            note: None,
            serves: false,
        });
        self.starts.last_mut()
    }

    fn build(&mut self, commands: Vec<String>, from: String, by: &'static str) {
        let more = commands.iter().any(|command| command == "...");
        let commands: Vec<_> = commands
            .iter()
            .filter(|command| *command != "...")
            .filter_map(|command| one_line(command))
            .collect();
        if !commands.is_empty() {
            self.builds.push(Builds {
                commands,
                from,
                by,
                more,
            });
        }
    }

    fn variable(&mut self, name: &str, default: Option<String>, from: String, by: &'static str) {
        self.variables.push(Variable {
            name: name.to_owned(),
            default,
            required: false,
            from,
            by,
        });
    }

    fn package(&mut self, name: &str, from: &str) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let name = name.trim();
        let is_package = name.len() > 1
            && name.bytes().next().is_some_and(plain)
            && name
                .bytes()
                .all(|byte| plain(byte) || b"+.-".contains(&byte));
        let known = self.packages.iter().any(|package| package.value == name);
        if is_package && !known {
            self.packages.push(Said::new(name, from));
        }
    }

    fn ask(&mut self, text: impl Into<String>, remedy: impl Into<String>) {
        self.questions.push(Question::new(text, remedy));
    }
}

/// A command as one line; none where nothing is left, or where it is none.
fn one_line(command: &str) -> Option<String> {
    let lines: Vec<_> = command
        .lines()
        .map(|line| line.trim().trim_end_matches('\\').trim())
        .filter(|line| !line.is_empty())
        .collect();
    let line = lines.join(" ");
    let fits = !line.is_empty() && line.chars().all(|one| !one.is_control() || one == '\t');
    fits.then_some(line)
}

/// A value as text: a text itself, a number, a switch.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        _ => None,
    }
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(plain).collect(),
        value => plain(value).into_iter().collect(),
    }
}

/// A command as a text, or as the list of its words.
fn command(value: &Value) -> Option<String> {
    match value {
        Value::Array(words) => {
            let words: Vec<_> = words.iter().filter_map(plain).collect();
            (!words.is_empty()).then(|| in_words(&words))
        }
        value => value.as_str().map(str::to_owned),
    }
}

/// Words as a shell line that means them; what a shell was only started for is that itself.
fn in_words(words: &[String]) -> String {
    let strs: Vec<_> = words.iter().map(String::as_str).collect();
    if let [shell, "-c" | "-ec" | "-lc" | "-exc", line] = strs[..]
        && matches!(
            shell.rsplit('/').next().unwrap_or(shell),
            "sh" | "bash" | "ash"
        )
    {
        return line.to_owned();
    }
    let words: Vec<_> = strs.into_iter().map(crate::plan::shell_quoted).collect();
    words.join(" ")
}

/// A port as a number, or as a text.
fn port(value: &Value) -> Option<u16> {
    crate::scan::port(plain(value)?.trim())
}

/// A file at the root of the project that says something of its folders, as a program in one of them sees it.
struct Above<'s, 'a> {
    sources: &'s Sources<'a>,
    /// `../../`
    up: String,
}

impl<'s, 'a> Above<'s, 'a> {
    fn of(sources: &'s Sources<'a>) -> Self {
        let folder = sources.folder();
        let depth = folder.split('/').filter(|one| !one.is_empty()).count();
        Self {
            sources,
            up: "../".repeat(depth),
        }
    }

    /// A place in such a file, as the program's folder has it.
    fn place(&self, from: &str) -> String {
        format!("{}{from}", self.up)
    }

    /// Whether a folder, as such a file names it, is that of the program.
    fn is_meant(&self, folder: &str) -> bool {
        let elements = folder
            .split('/')
            .filter(|element| !matches!(*element, "" | "."));
        let own = self
            .sources
            .folder()
            .split('/')
            .filter(|one| !one.is_empty());
        elements.eq(own)
    }
}
