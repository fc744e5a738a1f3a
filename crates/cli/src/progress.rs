//! Steps as they happen, on standard error: rewritten in place on a terminal, one line each in a
//! pipe.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ergon_pack::{Progress, ProgressEvent};

use crate::board::{Board, End, LINES_OF_FAILURE};
use crate::output;

/// How often the line of a running step is drawn again.
const TICK: Duration = Duration::from_millis(200);
/// What a terminal is taken to have when it does not say.
const USUAL_WIDTH: usize = 100;

/// So many lines may wait for a slow terminal; then what tells them waits too.
const MOST_WAITING: usize = 4096;

/// Draws steps.
pub struct Steps {
    sender: Option<mpsc::SyncSender<Told>>,
    painter: Option<JoinHandle<()>>,
    /// Where lines go that need not all be shown.
    lately: Option<Lately>,
}

/// The last lines of each step, where the painter finds them when it draws: a step may print
/// faster than anybody can draw or read.
#[derive(Clone, Default)]
struct Lately(Arc<Mutex<BTreeMap<u32, VecDeque<String>>>>);

impl Lately {
    fn keep(&self, step: u32, line: String) {
        if let Ok(mut steps) = self.0.lock() {
            let lines = steps.entry(step).or_default();
            if lines.len() == LINES_OF_FAILURE {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    fn take(&self, step: u32) -> VecDeque<String> {
        let lines = self.0.lock().ok().and_then(|mut steps| steps.remove(&step));
        lines.unwrap_or_default()
    }
}

enum Told {
    Heading(String),
    Begin {
        step: u32,
        name: String,
        detail: String,
    },
    Log {
        step: u32,
        line: String,
    },
    End {
        step: u32,
        end: End,
    },
}

impl Steps {
    /// Starts drawing on standard error. `verbose` shows every line a step writes.
    pub fn start(verbose: bool) -> Self {
        let stderr = std::io::stderr();
        let live =
            stderr.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let width = live.then(|| output::columns(&stderr).unwrap_or(USUAL_WIDTH));
        let (sender, receiver) = mpsc::sync_channel(MOST_WAITING);
        let lately = Lately::default();
        let kept = lately.clone();
        let board = Board::new(width, verbose);
        let painter = std::thread::spawn(move || paint(board, &receiver, &kept));
        Self {
            sender: Some(sender),
            painter: Some(painter),
            lately: (!verbose).then_some(lately),
        }
    }

    /// A line above the steps that follow.
    pub fn heading(&self, text: &str) {
        self.tell(Told::Heading(text.to_owned()));
    }

    pub fn begin(&self, step: u32, name: &str, detail: &str) {
        self.tell(Told::Begin {
            step,
            name: name.to_owned(),
            detail: detail.to_owned(),
        });
    }

    pub fn log(&self, step: u32, line: String) {
        match &self.lately {
            Some(lately) => lately.keep(step, line),
            None => self.tell(Told::Log { step, line }),
        }
    }

    pub fn end(&self, step: u32, end: End) {
        self.tell(Told::End { step, end });
    }

    /// Draws what is left to draw and leaves the terminal on a fresh line.
    pub fn finish(mut self) {
        self.close();
    }

    fn close(&mut self) {
        self.sender = None;
        if let Some(painter) = self.painter.take() {
            // A painter that panicked has nothing left to draw.
            let _ = painter.join();
        }
    }

    fn tell(&self, told: Told) {
        if let Some(sender) = &self.sender {
            let _ = sender.send(told);
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.close();
    }
}

impl Progress for Steps {
    fn report(&self, event: ProgressEvent) {
        match event {
            ProgressEvent::Started { step, kind, detail } => self.begin(step, kind.name(), &detail),
            ProgressEvent::Log { step, line } => self.log(step, line),
            ProgressEvent::Ended {
                step,
                outcome,
                summary,
                elapsed,
            } => {
                let milliseconds = u64::try_from(elapsed.as_millis()).ok();
                self.end(
                    step,
                    End {
                        state: outcome.name().to_owned(),
                        summary,
                        milliseconds,
                    },
                );
            }
        }
    }
}

fn paint(mut board: Board, receiver: &mpsc::Receiver<Told>, lately: &Lately) {
    loop {
        let told = receiver.recv_timeout(TICK);
        let now = Instant::now();
        for step in board.running() {
            board.keep(step, lately.take(step));
        }
        let text = match told {
            Ok(Told::Heading(text)) => board.heading(&text),
            Ok(Told::Begin { step, name, detail }) => board.begin(step, &name, &detail, now),
            Ok(Told::Log { step, line }) => board.log(step, &line, now),
            Ok(Told::End { step, end }) => board.end(step, &end, now),
            Err(RecvTimeoutError::Timeout) => board.tick(now),
            Err(RecvTimeoutError::Disconnected) => {
                write(&board.leave());
                return;
            }
        };
        write(&text);
    }
}

fn write(text: &str) {
    if !text.is_empty() {
        let mut stderr = anstream::stderr().lock();
        // Progress nobody can see is not worth failing for.
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}
