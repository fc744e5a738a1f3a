//! Follows the logs of all watched containers, each as one stream of the engine's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ergon_engine::{ContainerState, Engine, LogQuery, LogSource};
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::LogBook;
use crate::observation::LogDigest;
use crate::redact::{KeyLines, Lines, Redactor};

/// What was written before we came, or while we were away, is read back so far.
const LINES_BACK: u32 = 20_000;
/// Books of containers that are gone wait for those who take their places.
const MOST_GONE: usize = 32;

/// The logs of all watched containers.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    followed: BTreeMap<String, Followed>,
    /// Name and book, the last gone at the end.
    gone: VecDeque<(String, LogBook)>,
}

#[derive(Debug)]
struct Followed {
    name: String,
    book: Arc<Mutex<LogBook>>,
    task: JoinHandle<()>,
}

impl Logs {
    /// Follows a container's log, unless somebody does already.
    pub(crate) fn follow(&self, engine: &Engine, state: &ContainerState) {
        let mut shelf = lock(&self.shelf);
        let book = match shelf.followed.get(&state.id) {
            Some(followed) if !followed.task.is_finished() => return,
            Some(followed) => Arc::clone(&followed.book),
            None => Arc::new(Mutex::new(shelf.predecessor(&state.name))),
        };
        let task = tokio::spawn(follow(
            engine.clone(),
            state.id.clone(),
            Redactor::new(&state.env),
            Arc::clone(&book),
        ));
        let name = state.name.clone();
        shelf
            .followed
            .insert(state.id.clone(), Followed { name, book, task });
    }

    /// The container is gone; its book stays for one of the same name.
    pub(crate) fn forget(&self, id: &str) {
        let mut shelf = lock(&self.shelf);
        let Some(followed) = shelf.followed.remove(id) else {
            return;
        };
        followed.task.abort();
        let book = std::mem::take(&mut *lock(&followed.book));
        shelf.gone.push_back((followed.name, book));
        while shelf.gone.len() > MOST_GONE {
            shelf.gone.pop_front();
        }
    }

    /// What a container's log amounts to; absent where nobody followed it.
    pub(crate) fn digest(&self, id: &str, now: Timestamp) -> Option<LogDigest> {
        let book = Arc::clone(&lock(&self.shelf).followed.get(id)?.book);
        let digest = lock(&book).digest(now);
        Some(digest)
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        for followed in lock(&self.shelf).followed.values() {
            followed.task.abort();
        }
    }
}

impl Shelf {
    /// The book to begin with: that of the last container of this name goes on.
    fn predecessor(&mut self, name: &str) -> LogBook {
        match self.gone.iter().rposition(|(gone, _)| gone == name) {
            Some(at) => self
                .gone
                .remove(at)
                .map(|(_, book)| book.succeed())
                .unwrap_or_default(),
            None => LogBook::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line that ends like a secret begins waits so long for the next one.
const HELD_BACK: std::time::Duration = std::time::Duration::from_millis(500);

/// Follows one log until the container stops or the engine goes away; who looks at it next follows again.
async fn follow(engine: Engine, id: String, redactor: Redactor, book: Arc<Mutex<LogBook>>) {
    let known = lock(&book).last();
    let mut lines = engine.logs(
        &id,
        LogQuery {
            tail: Some(LINES_BACK),
            since: known,
            follow: true,
        },
    );
    let [mut of_stdout, mut of_stderr] = <[(Lines<_>, KeyLines); 2]>::default();
    let take = |stderr: bool, lines: Vec<(Timestamp, String)>, keys: &mut KeyLines| {
        for (time, text) in lines {
            let text = keys.clean(&text);
            // The engine counts in whole seconds: what was read before comes again.
            if known.is_none_or(|known| time > known) {
                lock(&book).take_in(time, stderr, &redactor.cleaned(&text));
            }
        }
    };
    loop {
        let next = if of_stdout.0.is_waiting() || of_stderr.0.is_waiting() {
            tokio::time::timeout(HELD_BACK, lines.next()).await
        } else {
            Ok(lines.next().await)
        };
        let Ok(next) = next else {
            take(false, of_stdout.0.let_go(), &mut of_stdout.1);
            take(true, of_stderr.0.let_go(), &mut of_stderr.1);
            continue;
        };
        let Some(line) = next else {
            break;
        };
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                tracing::debug!(%error, container = id, "a log cannot be followed");
                break;
            }
        };
        let time = line.time.unwrap_or_else(Timestamp::now);
        let text = String::from_utf8_lossy(&line.bytes);
        // Colours may stand within what would be known for a secret.
        let text = plain(&text);
        let stderr = line.source == LogSource::Stderr;
        let (secrets, keys) = if stderr {
            &mut of_stderr
        } else {
            &mut of_stdout
        };
        take(stderr, secrets.push(time, &text), keys);
    }
    take(false, of_stdout.0.let_go(), &mut of_stdout.1);
    take(true, of_stderr.0.let_go(), &mut of_stderr.1);
    lock(&book).close();
}

/// Without colours and other marks for a terminal.
pub(crate) fn plain(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\t') {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            // `ESC [ 1 ; 31 m`
            if letters.next() == Some('[') {
                letters.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if !letter.is_control() || letter == '\t' {
            plain.push(letter);
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_no_part_of_a_line() {
        assert_eq!(
            plain("\u{1b}[1;31mERROR\u{1b}[0m no\tway\r"),
            "ERROR no\tway"
        );
        assert_eq!(plain("é plain"), "é plain");
        assert_eq!(plain("cut \u{1b}["), "cut ");
    }
}
