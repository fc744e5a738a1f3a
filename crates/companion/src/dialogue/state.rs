//! How a container is, and what became of it.

use ergon_engine::{ContainerState, HealthState, Status};

use super::{Speaker, answering, inside_sentence, sentence_start, standing};
use crate::evidence::Book;
use crate::findings::{self, Draft};
use crate::history::{Happening, Moment};
use crate::observation::{Outcome, Wellness};
use crate::words;

/// So many moments of the past are told.
const TOLD_MOMENTS: usize = 6;

impl Speaker<'_> {
    pub(super) fn status(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return self.stopped(state, book);
        }
        let opening = self.opening(book);
        let mut clauses = Vec::new();
        if let Some(text) = self.answer_clause() {
            clauses.push(format!("{text}{}", book.cite(&self.facts.probe())));
        } else if let Some(text) = self.services_clause() {
            clauses.push(format!("{text}{}", book.cite(&self.facts.processes())));
        }
        if let Some(memory) = &self.observation.memory {
            let limit = memory.limit.map_or("no limit set".to_owned(), |limit| {
                format!("of {} allowed", words::bytes(limit))
            });
            let cited = book.cite(&self.facts.memory());
            clauses.push(format!(
                "{} of memory, {limit}{cited}",
                words::bytes(memory.used)
            ));
        }
        if let Some(uptime) = self.observation.uptime() {
            let cited = book.cite([&self.facts.started(state)]);
            clauses.push(format!(
                "up {}, {}{cited}",
                words::duration(uptime),
                self.restarted(state)
            ));
        }
        self.told(opening, &clauses, book)
    }

    pub(super) fn health(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return self.stopped(state, book);
        }
        let opening = self.opening(book);
        let mut clauses = Vec::new();
        if let Some(probe) = self
            .observation
            .probe
            .as_ref()
            .filter(|probe| probe.is_good())
        {
            let answer = match probe.outcome {
                Outcome::Status(status) => {
                    format!(
                        "{} answers {status} in {}",
                        probe.target.asked(),
                        words::latency(probe.latency)
                    )
                }
                _ => format!("port {} takes connections", probe.target.container_port),
            };
            clauses.push(format!("{answer}{}", book.cite(&self.facts.probe())));
        }
        if let Some(health) = state
            .health
            .as_ref()
            .filter(|health| health.status != "unhealthy")
        {
            let cited = book.cite(&self.facts.own_health(state));
            clauses.push(format!("my own health check says {}{cited}", health.status));
        }
        if self
            .observation
            .memory
            .as_ref()
            .is_some_and(|memory| memory.oom_kills == Some(0))
        {
            clauses.push(format!(
                "the kernel counted no OOM kill{}",
                book.cite(&self.facts.oom_kills())
            ));
        }
        clauses.push(format!(
            "{}{}",
            self.restarted(state),
            book.cite([&self.facts.started(state)])
        ));
        self.told(opening, &clauses, book)
    }

    pub(super) fn what_happened(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return self.stopped(state, book);
        }
        let mut text = self.opening(book);
        let history = &self.observation.history;
        if let Some(uptime) = self.observation.uptime() {
            let cited = book.cite([&self.facts.started(state)]);
            text.push_str(&format!(
                " I have been running for {}{cited}.",
                words::duration(uptime)
            ));
        }
        let past: Vec<String> = history
            .moments()
            .rev()
            .filter_map(|moment| self.past(moment, book))
            .take(TOLD_MOMENTS)
            .collect();
        if past.is_empty() {
            text.push_str(&match history.watched_since {
                Some(since) => {
                    format!(
                        " Nothing happened to me since {}{}.",
                        clock(since),
                        book.cite([&self.facts.quiet(since)])
                    )
                }
                None => " Nobody watched me before, so I cannot say what happened.".to_owned(),
            });
        } else {
            text.push_str(&format!(" Before:\n{}", past.join("\n")));
        }
        text.push_str(&self.rest(book));
        text
    }

    /// A moment of the past that is worth telling.
    fn past(&self, moment: &Moment, book: &mut Book) -> Option<String> {
        let what = match &moment.what {
            Happening::Died { exit_code } => format!("process 1 ended with exit code {exit_code}"),
            Happening::OutOfMemory => {
                "the kernel killed a process of mine for want of memory".to_owned()
            }
            Happening::Killed { signal } => format!("somebody had the engine send signal {signal}"),
            _ => return None,
        };
        let ago = words::duration(self.observation.time.duration_since(moment.time));
        Some(format!(
            "- {ago} ago {what}{}.",
            book.cite([&self.facts.moment(moment)])
        ))
    }

    /// Why it does not run, what speaks against other causes, and whether anything starts it again.
    pub(super) fn stopped(&self, state: &ContainerState, book: &mut Book) -> String {
        let (endings, others): (Vec<&Draft>, Vec<&Draft>) =
            self.drafts.iter().partition(|draft| draft.brief.is_some());
        let Some(ending) = endings.first() else {
            return format!("I am {}.", standing(state));
        };
        let mut sentences = vec![ending.sentence(book)];
        if state.exit_code == Some(137) && !matches!(ending.id, "exited.out_of_memory" | "stopped")
        {
            sentences.push(self.not_memory(state, book));
        }
        if state.status == Status::Restarting {
            sentences.push("The engine is starting me again.".to_owned());
        } else {
            let cited = book.cite([&self.facts.restart_policy(state)]);
            sentences.push(format!(
                "Nothing restarts me (restart policy is \"{}\"){cited}.",
                state.restart_policy
            ));
        }
        let mut text = sentences.join(" ");
        for other in others.iter().filter(|other| !other.is_told_by(ending)) {
            text.push('\n');
            text.push_str(&other.sentence(book));
        }
        text
    }

    /// An exit by signal 9 makes everybody think of memory.
    fn not_memory(&self, state: &ContainerState, book: &mut Book) -> String {
        let sample = self
            .observation
            .history
            .last_sample
            .filter(|sample| sample.oom_kills.is_none_or(|kills| kills == 0));
        let Some(sample) = sample else {
            // Without a reading of our own there is only the engine's flag, which comes too late at times.
            let limit = state
                .memory_limit
                .map(|limit| format!("; my limit was {}", words::bytes(limit)));
            return format!(
                "Whether memory ran out I did not see; the engine saw nothing of it (OOMKilled false){}{}.",
                limit.unwrap_or_default(),
                book.cite([&self.facts.exit(state)])
            );
        };
        let kernel = if sample.oom_kills.is_some() {
            "the kernel counted no OOM kill, and "
        } else {
            ""
        };
        let limit = sample
            .memory_limit
            .map(|limit| format!(" of {}", words::bytes(limit)))
            .unwrap_or_default();
        let cited = book.cite(&self.facts.last_sample());
        format!(
            "Not out of memory: {kernel}I used {}{limit}{cited}.",
            words::bytes(sample.memory)
        )
    }

    /// How it is in a word; where it is not well, why.
    fn opening(&self, book: &mut Book) -> String {
        match (
            findings::wellness(self.observation, &self.drafts),
            self.drafts.first(),
        ) {
            (Wellness::Unwell, Some(worst)) => {
                format!("I'm not well: {}", inside_sentence(&worst.sentence(book)))
            }
            (Wellness::Unknown, _) => match &self.observation.probe {
                Some(probe) => {
                    let cited = book.cite(&self.facts.probe());
                    format!(
                        "I'm starting: nothing answers on port {} yet{cited}.",
                        probe.target.container_port
                    )
                }
                None => "I'm starting.".to_owned(),
            },
            // To be well is to have answered somebody.
            _ if self.observation.probe.is_none() && self.own_health().is_none() => {
                "I'm running, and I see nothing wrong.".to_owned()
            }
            _ => "I'm well.".to_owned(),
        }
    }

    fn own_health(&self) -> Option<&HealthState> {
        self.observation.state()?.health.as_ref()
    }

    /// The opening, the figures in one sentence, and what else is to be looked at.
    fn told(&self, opening: String, clauses: &[String], book: &mut Book) -> String {
        let figures = sentence_start(&clauses.join("; "));
        let rest = self.rest(book);
        if figures.is_empty() {
            format!("{opening}{rest}")
        } else {
            format!("{opening} {figures}.{rest}")
        }
    }

    /// Findings that the opening has not told, on lines of their own.
    fn rest(&self, book: &mut Book) -> String {
        let unwell = findings::wellness(self.observation, &self.drafts) == Wellness::Unwell;
        let rest = &self.drafts[usize::from(unwell && !self.drafts.is_empty())..];
        let worst = self.drafts.first().filter(|_| unwell);
        let lines: Vec<String> = rest
            .iter()
            .filter(|draft| worst.is_none_or(|worst| !draft.is_told_by(worst)))
            .map(|draft| draft.sentence(book))
            .collect();
        match &lines[..] {
            [] => String::new(),
            [one] if unwell => format!("\nAlso: {one}"),
            [one] => format!("\nOne thing to look at: {one}"),
            many if unwell => format!("\nAlso:\n- {}", many.join("\n- ")),
            many => format!(
                "\n{} things to look at:\n- {}",
                many.len(),
                many.join("\n- ")
            ),
        }
    }

    /// `uvicorn answers GET / in 3 ms`.
    fn answer_clause(&self) -> Option<String> {
        let probe = self
            .observation
            .probe
            .as_ref()
            .filter(|probe| probe.is_good())?;
        let who = answering(self.observation, probe);
        Some(match (&probe.target.path, &probe.outcome) {
            (Some(path), Outcome::Status(_)) => format!(
                "{who} answers GET {path} in {}",
                words::latency(probe.latency)
            ),
            _ => format!(
                "{who} takes connections on port {}",
                probe.target.container_port
            ),
        })
    }

    /// The engine counts only its own restarts; those by hand show in the events.
    fn restarted(&self, state: &ContainerState) -> String {
        let starts = self
            .observation
            .history
            .moments()
            .filter(|moment| moment.what == Happening::Started)
            .count() as u64;
        match state.restart_count {
            0 if starts > 1 => format!("started {}", words::count(starts, "time", "times")),
            0 => "never restarted".to_owned(),
            count => format!("restarted {}", words::count(count, "time", "times")),
        }
    }

    fn services_clause(&self) -> Option<String> {
        let names: Vec<&str> = self
            .observation
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        match names.len() {
            0 if self.observation.processes.is_empty() => None,
            0 => Some(words::count(
                self.observation.processes.len() as u64,
                "process runs",
                "processes run",
            )),
            1 => Some(format!("{} runs", names[0])),
            _ => Some(format!("{} run", words::list(&names))),
        }
    }
}

/// `2026-01-02 03:04:05 UTC`.
pub(super) fn clock(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
