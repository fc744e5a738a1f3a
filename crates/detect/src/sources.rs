//! A tree as detection reads it: a bounded part of each file, once, and never what is not the program.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use crate::analysis::Question;
use crate::document::Document;
use crate::plan::shell_quoted;
use crate::tree::{EntryKind, FileTree};

/// How much of any file detection reads.
pub const READ_LIMIT: u64 = 1 << 20;
/// How many source files are searched, those nearest to the root first.
const SEARCHED_FILES: usize = 2000;
/// How much text searches leave in memory, for all of a project together.
const SEARCHED_TEXT: usize = 64 << 20;
/// How much text is kept at all; files that are asked for by name come after searches.
const MOST_TEXT: usize = 96 << 20;

/// How many of the files that cannot be taken are told one by one.
const MOST_LEFT_OUT: usize = 5;

/// Folders whose files are not the program: its tests, other people's code, what tools made.
const SIDE_FOLDERS: [&str; 24] = [
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "e2e",
    "testdata",
    "fixtures",
    "node_modules",
    "vendor",
    "site-packages",
    "venv",
    "env",
    ".venv",
    ".yarn",
    ".tox",
    ".nox",
    "__pycache__",
    "dist",
    "build",
    "target",
    "examples",
    "docs",
    "migrations",
];

/// A source file: its path and its beginning.
pub type Text<'a> = (&'a str, Rc<str>);

/// The files of one program: a folder of the project, seen from there.
///
/// Every path is relative to that folder; `../` leads to outer folders of the project, never out of it.
pub struct Sources<'a> {
    tree: &'a dyn FileTree,
    /// The folder with a slash at its end; empty for the project's root.
    folder: String,
    shared: Rc<Shared>,
    /// The program's own files, nearest first.
    files: OnceCell<Vec<&'a str>>,
}

/// What all views of one project have in common.
#[derive(Default)]
struct Shared {
    texts: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    /// Bytes in `texts`.
    held: Cell<usize>,
    problems: RefCell<Vec<Question>>,
    /// Files of which nothing is known because they cannot be read.
    unread: RefCell<Vec<Question>>,
}

impl<'a> Sources<'a> {
    pub fn new(tree: &'a dyn FileTree) -> Self {
        let sources = Self {
            tree,
            folder: String::new(),
            shared: Rc::default(),
            files: OnceCell::new(),
        };
        for left_out in tree.left_out().into_iter().take(MOST_LEFT_OUT) {
            let refused = if left_out.is_harmless {
                ""
            } else {
                "; no build takes the folder like that"
            };
            sources.problem(format!("{}{refused}.", left_out.why), left_out.remedy);
        }
        sources
    }

    /// The same project, seen from a folder in this one.
    pub fn below(&self, folder: &str) -> Self {
        Self {
            tree: self.tree,
            folder: format!("{}{folder}/", self.folder),
            shared: Rc::clone(&self.shared),
            files: OnceCell::new(),
        }
    }

    /// The same folder, as a view of its own.
    pub fn same(&self) -> Self {
        Self {
            tree: self.tree,
            folder: self.folder.clone(),
            shared: Rc::clone(&self.shared),
            files: self.files.clone(),
        }
    }

    /// The folder, relative to the project; empty for its root.
    pub fn folder(&self) -> &str {
        self.folder.trim_end_matches('/')
    }

    /// A path of this folder as the project has it; none where it leaves the project.
    pub fn full(&self, path: &str) -> Option<String> {
        if !path.starts_with("../") && !path.starts_with("./") {
            return Some(format!("{}{path}", self.folder));
        }
        let mut folders: Vec<&str> = self
            .folder()
            .split('/')
            .filter(|one| !one.is_empty())
            .collect();
        for element in path.split('/') {
            match element {
                "" | "." => {}
                ".." => {
                    folders.pop()?;
                }
                name => folders.push(name),
            }
        }
        Some(folders.join("/"))
    }

    /// A claim's place, `file` or `file:line`, as the project has it.
    pub fn place(&self, from: &str) -> String {
        if self.folder.is_empty() || from.is_empty() || from == "assumed" {
            return from.to_owned();
        }
        self.full(from).unwrap_or_else(|| from.to_owned())
    }

    /// Whether there is a file; links do not count, they are not followed.
    pub fn has(&self, path: &str) -> bool {
        self.full(path).is_some_and(|path| self.is_file(&path))
    }

    fn is_file(&self, full: &str) -> bool {
        matches!(self.tree.entries().get(full), Some(EntryKind::File)) && can_be_named(full)
    }

    /// Whether something is at a path: a file, a folder, or a link there or on the way there.
    pub fn is_there(&self, path: &str) -> bool {
        let Some(full) = self.full(path) else {
            return false;
        };
        let full = full.trim_end_matches('/');
        let mut ends = full.match_indices('/').map(|(at, _)| at);
        let entries = self.tree.entries();
        entries.contains_key(full)
            || self.has_folder_at(full)
            || ends.any(|end| matches!(entries.get(&full[..end]), Some(EntryKind::Symlink { .. })))
    }

    /// Whether a file may be executed.
    pub fn is_executable(&self, path: &str) -> bool {
        self.full(path)
            .is_some_and(|path| self.tree.is_executable(&path))
    }

    /// Whether there are files below a folder.
    pub fn has_folder(&self, path: &str) -> bool {
        self.full(path)
            .is_some_and(|path| self.has_folder_at(&path))
    }

    /// The first of `paths` that is a file.
    pub fn first_of<'p>(&self, paths: &[&'p str]) -> Option<&'p str> {
        paths.iter().copied().find(|path| self.has(path))
    }

    /// The nearest of these files: in this folder, else in an outer one; in one folder the first counts.
    pub fn nearest(&self, names: &[&str]) -> Option<String> {
        let mut up = String::new();
        loop {
            if let Some(name) = names.iter().find(|name| self.has(&format!("{up}{name}"))) {
                return Some(format!("{up}{name}"));
            }
            up.push_str("../");
            self.full(&up)?;
        }
    }

    /// The beginning of a file; bytes that are not UTF-8 are replaced.
    pub fn text(&self, path: &str) -> Option<Rc<str>> {
        self.text_within(path, MOST_TEXT)
    }

    /// A file's text, if it is known or the texts together are still within `most` bytes.
    fn text_within(&self, path: &str, most: usize) -> Option<Rc<str>> {
        let full = self.full(path)?;
        if let Some(known) = self.shared.texts.borrow().get(&full) {
            return known.clone();
        }
        let held = self.shared.held.get();
        if held >= most {
            if self.is_file(&full) {
                self.problem(
                    format!(
                        "There is more text than detection reads ({} MiB), and some files were passed over.",
                        SEARCHED_TEXT >> 20
                    ),
                    "leave out what is no source with a .dockerignore, or write the manifest: ergon manifest init",
                );
            }
            return None;
        }
        let text = self.read(&full);
        self.shared
            .held
            .set(held + text.as_ref().map_or(0, |text| text.len()));
        self.shared.texts.borrow_mut().insert(full, text.clone());
        text
    }

    fn read(&self, full: &str) -> Option<Rc<str>> {
        if !self.is_file(full) {
            if self.has_folder_at(full) {
                self.problem(
                    format!("{full} is a folder where a file is expected; it was passed over."),
                    format!("rename the folder {}", shell_quoted(full)),
                );
            }
            return None;
        }
        match self.tree.read_head(full, READ_LIMIT) {
            Ok(bytes) => {
                let text = match &bytes[..] {
                    // A list may be written so, and pip reads it.
                    [0xff, 0xfe, rest @ ..] if full.ends_with(".txt") => utf16(rest).into(),
                    bytes => String::from_utf8_lossy(bytes),
                };
                Some(text.strip_prefix('\u{feff}').unwrap_or(&text).into())
            }
            Err(error) => {
                let (why, remedy) = if error.kind() == io::ErrorKind::PermissionDenied {
                    ("permission denied".to_owned(), "chmod u+r")
                } else {
                    (error.to_string(), "look at it: ls -l")
                };
                self.cannot_read(
                    format!("{full} cannot be read: {why}; it was passed over."),
                    format!("{remedy} {}", shell_quoted(full)),
                );
                None
            }
        }
    }

    fn has_folder_at(&self, full: &str) -> bool {
        let below = format!("{full}/");
        let mut from = self.tree.entries().range(below.clone()..);
        from.next()
            .is_some_and(|(found, _)| found.starts_with(&below))
    }

    /// One of the root's own files, which are no sources: `Dockerfile`, `ergon.json`, `.dockerignore`.
    pub fn own_file(&self, name: &str) -> Option<String> {
        if self.folder.is_empty() {
            let content = self.tree.own_file(name).ok()??;
            return Some(String::from_utf8_lossy(&content).into_owned());
        }
        self.text(name).map(|text| text.to_string())
    }

    /// One of the root's own files, as in [`Self::own_file`], from whichever folder.
    pub fn root_file(&self, name: &str) -> Option<String> {
        let content = self.tree.own_file(name).ok()??;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// A stream over a whole file, for what is longer than detection reads.
    pub fn stream(&self, path: &str) -> Option<Box<dyn io::Read + Send + '_>> {
        let full = self.full(path).filter(|full| self.is_file(full))?;
        self.tree.open(&full).ok()
    }

    /// A JSON, TOML or YAML file, by its name; a syntax error becomes a question and the file counts as absent.
    pub fn document(&self, path: &str) -> Option<Document> {
        let text = self.text(path)?;
        match Document::parse(path, &text) {
            Ok(document) => Some(document),
            Err(error) => {
                self.unreadable(path, error.line, &error.reason);
                None
            }
        }
    }

    /// An XML file, whose text the caller holds; a syntax error becomes a question, as in [`Self::document`].
    pub fn xml<'t>(&self, path: &str, text: &'t str) -> Option<roxmltree::Document<'t>> {
        match roxmltree::Document::parse(text) {
            Ok(document) => Some(document),
            Err(error) => {
                let line = error.pos().row as usize;
                self.unreadable(path, line, &error.to_string());
                None
            }
        }
    }

    fn unreadable(&self, path: &str, line: usize, reason: &str) {
        let shown = self.full(path).unwrap_or_else(|| path.to_owned());
        self.cannot_read(
            format!("{shown}:{line} cannot be read: {reason}; the file was passed over."),
            format!("correct {shown}, line {line}"),
        );
    }

    /// Something in the tree is not as it should be.
    pub fn problem(&self, text: impl Into<String>, remedy: impl Into<String>) {
        add(&self.shared.problems, Question::new(text, remedy));
    }

    fn cannot_read(&self, text: impl Into<String>, remedy: impl Into<String>) {
        add(&self.shared.unread, Question::new(text, remedy));
    }

    /// What is asked, and the problems so far: first the files that cannot be read, from which the rest may come.
    pub fn with_problems(&self, questions: Vec<Question>) -> Vec<Question> {
        let mut all = self.shared.unread.take();
        all.extend(questions);
        all.extend(self.shared.problems.take());
        all
    }

    /// The program's own files, those nearest to its folder first: no tests, no other people's code.
    pub fn files(&self) -> &[&'a str] {
        self.files.get_or_init(|| {
            let mut files: Vec<&'a str> = self
                .tree
                .entries()
                .range(self.folder.clone()..)
                .take_while(|(path, _)| path.starts_with(&self.folder))
                .filter(|(_, kind)| matches!(kind, EntryKind::File))
                .map(|(path, _)| &path[self.folder.len()..])
                .filter(|path| !is_aside(path) && can_be_named(path))
                .collect();
            files.sort_by_cached_key(|path| (path.matches('/').count(), *path));
            files
        })
    }

    /// Every file of the program's folder that can be named, also those that are not the program's own.
    pub fn all_files(&self) -> impl Iterator<Item = &'a str> {
        let files = self.tree.entries().range(self.folder.clone()..);
        files
            .take_while(|(path, _)| path.starts_with(&self.folder))
            .filter(|(_, kind)| matches!(kind, EntryKind::File))
            .map(|(path, _)| &path[self.folder.len()..])
            .filter(|path| can_be_named(path))
    }

    /// Those of [`Self::files`] with one of these extensions, but no tests and nothing that tools wrote.
    pub fn program_files(&self, extensions: &[&str]) -> Vec<&'a str> {
        let files = self.files().iter().copied();
        files
            .filter(|path| {
                let name = path.rsplit('/').next().unwrap_or(path);
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                extensions.contains(&extension) && !is_test(name) && !is_made(name)
            })
            .take(SEARCHED_FILES)
            .collect()
    }

    /// The texts of [`Self::program_files`].
    pub fn program_texts(&self, extensions: &[&str]) -> Vec<Text<'a>> {
        self.searched(self.program_files(extensions))
    }

    /// The texts of some files, for a search: not those for which there is no room left.
    pub fn searched(&self, files: impl IntoIterator<Item = &'a str>) -> Vec<Text<'a>> {
        let files = files.into_iter();
        files
            .filter_map(|path| Some((path, self.searched_text(path)?)))
            .collect()
    }

    /// One of [`Self::searched`].
    pub fn searched_text(&self, path: &str) -> Option<Rc<str>> {
        self.text_within(path, SEARCHED_TEXT)
    }

    /// All that lies below this folder, whatever it is for.
    pub fn everything(&self) -> impl Iterator<Item = &'a str> {
        let entries = self.tree.entries().range(self.folder.clone()..);
        entries
            .map(|(path, _)| path.as_str())
            .take_while(|path| path.starts_with(&self.folder))
            .map(|path| &path[self.folder.len()..])
    }

    /// The names of the files that lie in this very folder.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        let files = self.files().iter().copied();
        files.take_while(|path| !path.contains('/'))
    }

    /// The first file of this very folder that ends so: `.csproj`.
    pub fn name_ending(&self, ending: &str) -> Option<&'a str> {
        self.names().find(|name| name.ends_with(ending))
    }
}

fn add(problems: &RefCell<Vec<Question>>, problem: Question) {
    let mut problems = problems.borrow_mut();
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}

/// Whether nothing stands in a file that tools write: no byte, or no more than `{}`.
pub fn is_blank(text: &str) -> bool {
    matches!(text.trim(), "" | "{}")
}

/// Text in UTF-16 of Windows, its mark taken away.
fn utf16(bytes: &[u8]) -> String {
    let pairs = bytes.chunks_exact(2);
    let units: Vec<u16> = pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// Whether a manifest can hold the path.
fn can_be_named(path: &str) -> bool {
    !path.contains(|character: char| character.is_control() || character == '\\')
}

fn is_aside(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    // Among the programs of a project, one may well be its documentation.
    let folders = folders.strip_prefix("apps/docs").unwrap_or(folders);
    folders
        .split('/')
        .any(|folder| SIDE_FOLDERS.contains(&folder))
}

/// Whether a tool wrote the file: Yarn's map of packages, what a browser gets.
fn is_made(name: &str) -> bool {
    name.starts_with(".pnp.") || name.contains(".min.")
}

fn is_test(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || matches!(stem, "conftest" | "tests")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.ends_with(".d.ts")
}
