//! Why a container does not run, or does not run for long.

use std::collections::BTreeSet;

use ergon_engine::{ContainerState, RestartPolicy, Status};
use jiff::{SignedDuration, Timestamp};

use super::{Draft, Look, Severity};
use crate::ending::{Ending, Sender, meaning};
use crate::evidence::Fact;
use crate::history::{Happening, Moment};
use crate::observation::LogRecord;
use crate::words;

/// Deaths further apart than this are no loop.
const LOOP_WINDOW: SignedDuration = SignedDuration::from_mins(10);
const LOOP_DEATHS: usize = 3;

/// What stands before the line that most likely says why.
pub(super) const LAST_WORDS: &str = ". Its last words: ";

/// How it ended, and what says so.
struct Told {
    /// `I stopped`
    opening: &'static str,
    /// What stands after the time: `: process 1 …`
    rest: String,
    facts: Vec<Fact>,
}

impl Look<'_> {
    pub(super) fn ending(&self) -> Option<Draft> {
        let state = self.observation.state()?;
        let ending = Ending::of(state, &self.observation.history)?;
        let (id, severity) = match ending {
            Ending::NeverStarted | Ending::Finished | Ending::Stopped { .. } => {
                ("stopped", Severity::Info)
            }
            Ending::CouldNotStart { .. } => ("start.failed", Severity::Critical),
            Ending::OutOfMemory { .. } => ("exited.out_of_memory", Severity::Critical),
            Ending::KilledByRequest { .. } => ("exited.killed", Severity::Warning),
            Ending::Signalled { .. } | Ending::Failed { .. } => ("exited", Severity::Critical),
        };
        let told = self.told(&ending, state);
        let ago = state
            .finished_at
            .filter(|_| state.started_at.is_some())
            .map(|end| {
                format!(
                    " {} ago",
                    words::duration(self.observation.time.duration_since(end))
                )
            })
            .unwrap_or_default();
        let mut draft = Draft::new(id, severity, format!("{}{ago}{}", told.opening, told.rest))
            .because(told.facts)
            .because([self.facts.exit(state)])
            .remedy(self.remedy_for(&ending, state));
        draft.brief = Some(format!("{}{}", told.opening, told.rest));
        Some(draft)
    }

    fn remedy_for(&self, ending: &Ending, state: &ContainerState) -> String {
        let name = &self.observation.subject.container;
        match ending {
            Ending::OutOfMemory { .. } => match state.memory_limit {
                Some(limit) => format!(
                    "Raise the limit of {} or find what uses the memory.",
                    words::bytes(limit)
                ),
                None => "The machine itself ran out of memory; set a limit, or find what uses it."
                    .to_owned(),
            },
            Ending::CouldNotStart {
                exit_code: Some(126 | 127),
                ..
            }
            | Ending::Failed {
                exit_code: 126 | 127,
            } => "Correct the run command, or add the program to the image.".to_owned(),
            Ending::Failed { .. } => format!("See `docker logs --tail 50 {name}`."),
            _ => format!("Start it again with `docker start {name}`."),
        }
    }

    fn told(&self, ending: &Ending, state: &ContainerState) -> Told {
        let event = |what: &dyn Fn(&Happening) -> bool| -> Vec<Fact> {
            let moment = self
                .observation
                .history
                .last_life()
                .rev()
                .find(|moment| what(&moment.what));
            moment
                .map(|moment| self.facts.moment(moment))
                .into_iter()
                .collect()
        };
        let told = |opening, rest, facts| Told {
            opening,
            rest,
            facts,
        };
        match ending {
            Ending::NeverStarted => told(
                "I was created and have never been started",
                String::new(),
                Vec::new(),
            ),
            Ending::CouldNotStart { exit_code, reason } => {
                let code = (*exit_code).map(explained).unwrap_or_default();
                told("I could not start", format!("{code}: {reason}"), Vec::new())
            }
            Ending::Finished => told(
                "I ended",
                ": process 1 was done (exit 0)".to_owned(),
                Vec::new(),
            ),
            Ending::Stopped { exit_code, forced } => {
                let how = if *forced {
                    "; it did not go when asked, and was killed"
                } else {
                    ""
                };
                told(
                    "I was stopped",
                    format!(" because somebody asked the engine to{how} (exit {exit_code})"),
                    event(&|what| matches!(what, Happening::Stopped | Happening::Killed { .. })),
                )
            }
            Ending::KilledByRequest { exit_code, signal } => {
                let with = if *signal == 9 {
                    "`docker kill`".to_owned()
                } else {
                    format!("`docker kill -s {signal}`")
                };
                let how = if *exit_code == 128 + i64::from(*signal) {
                    format!(
                        ": process 1 was killed by signal {signal} (exit {exit_code}), by {with}"
                    )
                } else {
                    format!(
                        ": process 1 got signal {signal} by {with} and ended with exit code {exit_code}"
                    )
                };
                let sent = event(
                    &|what| matches!(what, Happening::Killed { signal: sent } if sent == signal),
                );
                told("I stopped", how, sent)
            }
            Ending::OutOfMemory { exit_code } => {
                let limit = state
                    .memory_limit
                    .map(|limit| format!(": the limit is {}", words::bytes(limit)))
                    .unwrap_or_default();
                told(
                    "I stopped",
                    format!(
                        " (exit {exit_code}): the kernel killed a process of mine because memory ran out{limit}"
                    ),
                    event(&|what| *what == Happening::OutOfMemory),
                )
            }
            Ending::Signalled {
                exit_code,
                signal,
                by,
            } => {
                let by = match (signal, by) {
                    (9 | 15, Sender::NotTheEngine) => {
                        "; not by the engine, so by somebody on the host or a process of mine"
                    }
                    (9 | 15, Sender::Unknown) => {
                        "; I cannot say by whom, for nobody was watching then"
                    }
                    _ => "",
                };
                let meaning =
                    meaning(*exit_code).map_or_else(|| format!("signal {signal}"), str::to_owned);
                told(
                    "I stopped",
                    format!(": process 1 ended with exit {exit_code}, {meaning}{by}"),
                    Vec::new(),
                )
            }
            Ending::Failed { exit_code } => {
                let mut rest = format!(": process 1 ended by itself{}", explained(*exit_code));
                let mut facts = Vec::new();
                if let Some(record) = last_words(&self.observation.log) {
                    rest.push_str(&format!(
                        "{LAST_WORDS}\"{}\"",
                        words::cut(record.text.trim(), 160)
                    ));
                    facts.push(self.facts.log(record));
                }
                told("I stopped", rest, facts)
            }
        }
    }

    /// From when on deaths count as one loop: whoever was stopped on request begins anew.
    fn looping_since(&self) -> Timestamp {
        let stopped = |moment: &&Moment| moment.what == Happening::Stopped;
        let last = self.observation.history.moments().rev().find(stopped);
        let window = self.observation.time - LOOP_WINDOW;
        last.map_or(window, |stopped| stopped.time.max(window))
    }

    pub(super) fn restart_loop(&self) -> Option<Draft> {
        let observation = self.observation;
        let state = observation.state()?;
        let remedy = format!(
            "See `docker logs --tail 50 {}`.",
            observation.subject.container
        );
        let crashes = observation.history.crashes(self.looping_since());
        if let [first, .., last] = &crashes[..]
            && crashes.len() >= LOOP_DEATHS
        {
            let codes: BTreeSet<String> =
                crashes.iter().map(|(_, code)| code.to_string()).collect();
            let codes: Vec<String> = codes.into_iter().collect();
            let text = format!(
                "I am in a restart loop: I ended {} times within {}, with exit code {}",
                crashes.len(),
                words::duration(last.0.duration_since(first.0)),
                words::list(&codes)
            );
            let draft = Draft::new("restart.loop", Severity::Critical, text);
            return Some(draft.because([self.facts.deaths(&crashes)]).remedy(remedy));
        }
        // Nobody was watching, but the engine counts: many restarts and a young process.
        let started = state.started_at?;
        let young = observation.time.duration_since(started) < SignedDuration::from_mins(1);
        let looping = state.restart_count >= LOOP_DEATHS as u64
            && young
            && state.restart_policy != RestartPolicy::No
            && !observation.history.covers(started - LOOP_WINDOW);
        looping.then(|| {
            let text = format!(
                "I seem to be in a restart loop: the engine restarted me {} times, last less than a minute ago",
                state.restart_count
            );
            Draft::new("restart.loop", Severity::Critical, text).because([self.facts.started(state)]).remedy(remedy)
        })
    }

    pub(super) fn paused(&self) -> Option<Draft> {
        let state = self
            .observation
            .state()
            .filter(|state| state.status == Status::Paused)?;
        let text = "I am paused: my processes stand still and answer nothing";
        let remedy = format!(
            "Go on with `docker unpause {}`.",
            self.observation.subject.container
        );
        Some(
            Draft::new("paused", Severity::Critical, text)
                .because([self.facts.exit(state)])
                .remedy(remedy),
        )
    }
}

/// ` (exit 127: the command was not found)`.
fn explained(exit_code: i64) -> String {
    let meaning = meaning(exit_code)
        .map(|meaning| format!(": {meaning}"))
        .unwrap_or_default();
    format!(" (exit {exit_code}{meaning})")
}

/// The line that most likely says why: the last one that reads like an error, else the last one at all.
fn last_words(log: &[LogRecord]) -> Option<&LogRecord> {
    let spoken = || {
        log.iter()
            .rev()
            .filter(|record| !record.text.trim().is_empty())
    };
    spoken()
        .take(20)
        .find(|record| reads_like_error(&record.text))
        .or_else(|| spoken().next())
}

/// Whether a line of a log tells of something that went wrong.
pub(crate) fn reads_like_error(line: &str) -> bool {
    const WORDS: [&str; 10] = [
        "error",
        "exception",
        "traceback",
        "fatal",
        "panic",
        "panicked",
        "critical",
        "failed",
        "emerg",
        "segfault",
    ];
    line.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let word = word.to_ascii_lowercase();
        // `KeyError`, `NullPointerException`.
        WORDS.contains(&word.as_str()) || word.ends_with("error") || word.ends_with("exception")
    })
}
