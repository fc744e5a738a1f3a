//! A conversation on a terminal: a line that can be edited, what was said before, and words that are completed.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};

use crate::failure::{Failure, Outcome};
use crate::folders;

/// So many lines are remembered.
const REMEMBERED: usize = 1000;

/// What people ask: the tab key completes to these.
const QUESTIONS: [&str; 16] = [
    "how are you?",
    "what happened?",
    "what should I do?",
    "what changed?",
    "any errors?",
    "what is new in the logs?",
    "are you what you were meant to be?",
    "which services are there?",
    "which ports are open?",
    "how much memory do you use?",
    "how was the memory in the last hour?",
    "how full are the disks?",
    "who depends on you?",
    "show me the logs",
    "help",
    "exit",
];

/// One side of a conversation.
pub struct Conversation {
    /// Absent while a line is being read.
    editor: Option<Editor<Words, FileHistory>>,
    history: Option<PathBuf>,
}

impl Conversation {
    /// Begins one, with what was said in earlier ones. `names` are those of whom one may speak to.
    pub fn begin(names: Vec<String>) -> Outcome<Self> {
        let failed = |error: ReadlineError| {
            Failure::new(format!("this terminal cannot be read from: {error}"))
        };
        let config = Config::builder()
            .max_history_size(REMEMBERED)
            .map_err(failed)?
            .auto_add_history(true)
            .history_ignore_space(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Words { names }));
        let history = folders::state()
            .ok()
            .map(|folder| folder.join("aish_history"));
        if let Some(path) = &history {
            // The first time there is none; and a conversation is had without one, too.
            let _ = editor.load_history(path);
        }
        Ok(Self {
            editor: Some(editor),
            history,
        })
    }

    /// The next line; nothing at the end.
    pub async fn next(&mut self, prompt: String) -> Outcome<Option<String>> {
        let Some(mut editor) = self.editor.take() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || {
            let read = editor.readline(&prompt);
            (editor, read)
        });
        let (editor, read) = read
            .await
            .map_err(|error| Failure::new(format!("the line could not be read: {error}")))?;
        self.editor = Some(editor);
        match read {
            Ok(line) => Ok(Some(line)),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
            Err(error) => Err(Failure::new(format!("the line could not be read: {error}"))),
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let (Some(editor), Some(path)) = (&mut self.editor, &self.history) else {
            return;
        };
        let folder = path.parent().map(std::fs::create_dir_all);
        let kept = folder.transpose().is_ok() && editor.append_history(path).is_ok();
        if !kept {
            tracing::debug!(path = %path.display(), "what was said could not be remembered");
        }
    }
}

/// Completes questions, and behind `@` names.
struct Words {
    names: Vec<String>,
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let begun = line.get(..at).unwrap_or(line).to_lowercase();
        if let Some(name) = begun.strip_prefix('@')
            && !name.contains(char::is_whitespace)
        {
            let fits = self
                .names
                .iter()
                .filter(|known| known.to_lowercase().starts_with(name));
            return Ok((0, fits.map(|known| format!("@{known} ")).collect()));
        }
        let fits = QUESTIONS
            .iter()
            .filter(|question| question.to_lowercase().starts_with(&begun));
        Ok((0, fits.map(|question| (*question).to_owned()).collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}
