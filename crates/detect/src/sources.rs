//! A tree as detection reads it: a bounded part of each file, once, and never what is not the program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::analysis::Question;
use crate::document::Document;
use crate::plan::shell_quoted;
use crate::tree::{EntryKind, FileTree};

/// How much of any file detection reads.
pub const READ_LIMIT: u64 = 1 << 20;
/// How many source files are searched, those nearest to the root first.
const SEARCHED_FILES: usize = 2000;

/// Folders whose files are not the program: its tests, other people's code, what tools made.
const SIDE_FOLDERS: [&str; 23] = [
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

/// The files of one program.
pub struct Sources<'a> {
    tree: &'a dyn FileTree,
    texts: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    problems: RefCell<Vec<Question>>,
}

impl<'a> Sources<'a> {
    pub fn new(tree: &'a dyn FileTree) -> Self {
        Self {
            tree,
            texts: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    /// Whether there is a file; links do not count, they are not followed.
    pub fn has(&self, path: &str) -> bool {
        matches!(self.tree.entries().get(path), Some(EntryKind::File { .. })) && can_be_named(path)
    }

    /// Whether there are files below a folder.
    pub fn has_folder(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.tree
            .entries()
            .range(below.clone()..)
            .next()
            .is_some_and(|(found, _)| found.starts_with(&below))
    }

    /// The first of `paths` that is a file.
    pub fn first_of<'p>(&self, paths: &[&'p str]) -> Option<&'p str> {
        paths.iter().copied().find(|path| self.has(path))
    }

    /// The beginning of a file; bytes that are not UTF-8 are replaced.
    pub fn text(&self, path: &str) -> Option<Rc<str>> {
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let text = self.read(path);
        self.texts
            .borrow_mut()
            .insert(path.to_owned(), text.clone());
        text
    }

    fn read(&self, path: &str) -> Option<Rc<str>> {
        if !self.has(path) {
            if self.has_folder(path) {
                self.problem(
                    format!("{path} is a folder where a file is expected; it was passed over."),
                    format!("rename the folder {}", shell_quoted(path)),
                );
            }
            return None;
        }
        match self.tree.read_head(path, READ_LIMIT) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Some(text.strip_prefix('\u{feff}').unwrap_or(&text).into())
            }
            Err(error) => {
                self.problem(
                    format!("{path} cannot be read ({error}); it was passed over."),
                    format!("look at its permissions: ls -l {}", shell_quoted(path)),
                );
                None
            }
        }
    }

    /// A stream over a whole file, for what is longer than detection reads.
    pub fn stream(&self, path: &str) -> Option<Box<dyn std::io::Read + Send + '_>> {
        self.has(path).then(|| self.tree.open(path).ok()).flatten()
    }

    /// A JSON or TOML file, by its name; a syntax error becomes a question and the file counts as absent.
    pub fn document(&self, path: &str) -> Option<Document> {
        let text = self.text(path)?;
        match Document::parse(path, &text) {
            Ok(document) => Some(document),
            Err(error) => {
                self.problem(
                    format!(
                        "{path}:{} cannot be read: {}; the file was passed over.",
                        error.line, error.reason
                    ),
                    format!("correct {path}, line {}", error.line),
                );
                None
            }
        }
    }

    /// Something in the tree is not as it should be.
    pub fn problem(&self, text: impl Into<String>, remedy: impl Into<String>) {
        let problem = Question::new(text, remedy);
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// The problems so far.
    pub fn into_problems(self) -> Vec<Question> {
        self.problems.into_inner()
    }

    /// The program's own files with one of these extensions, those nearest to the root first.
    pub fn program_files(&self, extensions: &[&str]) -> Vec<&'a str> {
        let files = self
            .tree
            .entries()
            .iter()
            .filter(|(_, kind)| matches!(kind, EntryKind::File { .. }));
        let mut files: Vec<&'a str> = files
            .map(|(path, _)| path.as_str())
            .filter(|path| {
                let name = path.rsplit('/').next().unwrap_or(path);
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                extensions.contains(&extension)
                    && !is_test(name)
                    && !is_aside(path)
                    && can_be_named(path)
            })
            .collect();
        files.sort_by_key(|path| (path.matches('/').count(), *path));
        files.truncate(SEARCHED_FILES);
        files
    }

    /// The texts of [`Self::program_files`].
    pub fn program_texts(&self, extensions: &[&str]) -> Vec<Text<'a>> {
        let files = self.program_files(extensions).into_iter();
        files
            .filter_map(|path| Some((path, self.text(path)?)))
            .collect()
    }
}

/// Whether a manifest can hold the path.
fn can_be_named(path: &str) -> bool {
    !path.contains(|character: char| character.is_control() || character == '\\')
}

fn is_aside(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders
        .split('/')
        .any(|folder| SIDE_FOLDERS.contains(&folder))
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
