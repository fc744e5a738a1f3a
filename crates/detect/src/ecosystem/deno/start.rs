//! How a Deno program is started.

use super::{EXTENSIONS, Project};
use crate::analysis::Topic;
use crate::document::Document;
use crate::ecosystem::Report;
use crate::plan::shell_quoted;

/// Where a program usually begins.
const USUAL_FILES: [&str; 18] = [
    "main.ts",
    "main.tsx",
    "main.js",
    "main.mjs",
    "main.mts",
    "src/main.ts",
    "src/main.tsx",
    "src/main.js",
    "index.ts",
    "index.tsx",
    "index.js",
    "src/index.ts",
    "src/index.tsx",
    "src/index.js",
    "server.ts",
    "src/server.ts",
    "app.ts",
    "mod.ts",
];

pub(super) struct Start {
    pub command: String,
    pub file: Option<String>,
    /// It listens by what starts it.
    pub serves: bool,
    from: String,
    note: String,
    known: Known,
}

#[derive(PartialEq, Eq)]
enum Known {
    Said,
    Follows,
    /// One of several that it could be.
    Guessed,
}

impl Start {
    pub fn tell(&self, report: &mut Report) {
        let fact = match self.known {
            Known::Said => report.certain(Topic::RunCommand, &self.command, &self.from),
            Known::Follows => report.likely(Topic::RunCommand, &self.command, &self.from),
            Known::Guessed => report.assumed(Topic::RunCommand, &self.command),
        };
        fact.note(&self.note);
        if self.known == Known::Guessed {
            report.ask(
                format!("Which file starts it? nothing says; {} assumed.", self.from),
                "add a task to deno.json: \"start\": \"deno run …\"",
            );
        }
    }
}

pub(super) fn start(project: &Project<'_, '_>) -> Option<Start> {
    let sources = project.sources;
    if let Some(settings) = &project.settings
        && let Some(said) = task(settings, "start")
    {
        let file = said
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']).trim_start_matches("./"))
            .find(|word| {
                word.rsplit_once('.')
                    .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
            })
            .map(str::to_owned);
        return Some(Start {
            command: "deno task start".to_owned(),
            serves: said.contains("deno serve")
                || file.as_deref().is_some_and(|file| serves(project, file)),
            file,
            from: settings.from(&["tasks", "start"]),
            note: format!("runs `{said}`"),
            known: Known::Said,
        });
    }
    let beginning = |file: &str| {
        let is_default = listens_by_default(project, file);
        let command = if is_default {
            format!(
                "deno serve --allow-all --port ${{PORT:-{}}} {}",
                super::PORT,
                shell_quoted(file)
            )
        } else {
            format!("deno run --allow-all {}", shell_quoted(file))
        };
        (command, is_default || serves(project, file))
    };
    if let Some(file) = sources.first_of(&USUAL_FILES) {
        let (command, serves) = beginning(file);
        return Some(Start {
            command,
            file: Some(file.to_owned()),
            serves,
            from: file.to_owned(),
            note: format!("no task starts it; {file} is the program"),
            known: Known::Follows,
        });
    }
    let listening = project.texts.iter().map(|(path, _)| *path);
    let mut listening = listening.filter(|path| serves(project, path));
    let in_folder: Vec<_> = sources.program_files(EXTENSIONS);
    let in_folder = in_folder
        .into_iter()
        .filter(|path| !path.contains('/') && !path.contains(".config."));
    let in_folder: Vec<_> = in_folder.collect();
    let (file, known) = match (listening.next(), in_folder.as_slice()) {
        (Some(file), _) => (file, Known::Follows),
        (None, [only]) => (*only, Known::Follows),
        (None, [first, ..]) => (*first, Known::Guessed),
        (None, []) => return None,
    };
    let (command, serves) = beginning(file);
    Some(Start {
        command,
        file: Some(file.to_owned()),
        serves,
        from: file.to_owned(),
        note: match known {
            Known::Guessed => format!("{file} is the first of several files"),
            _ => format!("{file} is the program"),
        },
        known,
    })
}

/// What a task runs, written short or at length.
pub(super) fn task<'d>(settings: &'d Document, name: &str) -> Option<&'d str> {
    settings
        .text(&["tasks", name])
        .or_else(|| settings.text(&["tasks", name, "command"]))
}

fn text<'p>(project: &'p Project<'_, '_>, file: &str) -> Option<&'p str> {
    let mut texts = project.texts.iter();
    let (_, text) = texts.find(|(path, _)| *path == file)?;
    Some(text)
}

/// Whether a file listens.
fn serves(project: &Project<'_, '_>, file: &str) -> bool {
    text(project, file).is_some_and(|text| {
        ["Deno.serve(", "Deno.listen(", ".listen(", "serve("]
            .iter()
            .any(|call| text.contains(call))
    })
}

/// Whether a file only exports what answers, for `deno serve` to listen.
fn listens_by_default(project: &Project<'_, '_>, file: &str) -> bool {
    text(project, file).is_some_and(|text| {
        text.contains("export default {")
            && text.contains("fetch")
            && !text.contains("Deno.serve(")
            && !text.contains(".listen(")
    })
}
