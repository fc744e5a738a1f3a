//! Waits until a container is well, or until it is clear why it is not.

use std::time::{Duration, Instant};

use ergon_companion::observation::Sight;
use ergon_companion::{Diagnosis, Observation, diagnose};

use crate::api::{RunResult, StartedContainer};
use crate::stack::Stack;

/// How long a container may take until it is well.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(200);
/// A container that can be asked nothing is taken for well when it still runs after this time.
const SETTLED: Duration = Duration::from_secs(2);
/// So many of its last lines are shown.
const LAST_LINES: usize = 20;

/// A container that is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Well {
    /// `healthy`, or `running` where there is nothing to ask.
    pub state: &'static str,
    pub sentence: String,
}

/// A container that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ill {
    /// `exited`, `unhealthy`.
    pub state: &'static str,
    /// The cause, by its companion.
    pub sentence: String,
    pub remedy: Option<String>,
    pub log: Vec<String>,
}

/// A container that was started and is not well.
#[derive(Clone, Debug)]
pub struct Unwell {
    ill: Ill,
    pub container: StartedContainer,
    pub result: Option<RunResult>,
}

impl Ill {
    pub fn of(self, container: StartedContainer) -> Unwell {
        Unwell {
            ill: self,
            container,
            result: None,
        }
    }
}

impl Unwell {
    pub fn error(&self) -> String {
        format!(
            "container {} is not well: {}",
            self.container.container, self.ill.sentence
        )
    }

    pub fn remedy(&self) -> String {
        let ask = format!("aish {} \"what happened?\"", self.container.companion);
        match &self.ill.remedy {
            Some(remedy) => format!("{}; or ask: {ask}", remedy.trim_end_matches('.')),
            None => format!("ask: {ask}"),
        }
    }
}

/// What one look at a container says.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Well(&'static str),
    Ill(&'static str),
    NotYet,
}

/// Waits until the container is well.
pub async fn wait(stack: &Stack, id: &str) -> Result<Well, Ill> {
    let begun = Instant::now();
    loop {
        let Some(subject) = stack.containers().subject(id) else {
            return Err(gone());
        };
        let observation = stack.containers().observe(&subject).await;
        match verdict(&observation, begun.elapsed()) {
            Verdict::Well(state) => {
                let after = format!("{state} after {:.1} s", begun.elapsed().as_secs_f64());
                return Ok(Well {
                    state,
                    sentence: after,
                });
            }
            Verdict::Ill(state) => return Err(ill(state, &observation, &diagnose(&observation))),
            Verdict::NotYet => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn verdict(observation: &Observation, waited: Duration) -> Verdict {
    let state = match &observation.sight {
        Sight::Seen(state) => state,
        Sight::Gone => return Verdict::Ill("exited"),
        Sight::Blind(_) if waited >= PATIENCE => return Verdict::Ill("unhealthy"),
        Sight::Blind(_) => return Verdict::NotYet,
    };
    if !state.is_running() && state.started_at.is_some() {
        return Verdict::Ill("exited");
    }
    let own_check = state.health.as_ref().map(|health| health.status.as_str());
    let good = match (&observation.probe, own_check) {
        (Some(probe), _) => Some(probe.is_good()),
        // It is asked on a port that it does not listen on yet.
        (None, _) if !observation.meant_ports().is_empty() => Some(false),
        (None, Some("healthy")) => Some(true),
        (None, Some("starting" | "unhealthy")) => Some(false),
        (None, _) => None,
    };
    match good {
        Some(true) => Verdict::Well("healthy"),
        None if waited >= SETTLED => Verdict::Well("running"),
        Some(false) if waited >= PATIENCE => Verdict::Ill("unhealthy"),
        Some(false) | None => Verdict::NotYet,
    }
}

fn ill(state: &'static str, observation: &Observation, diagnosis: &Diagnosis) -> Ill {
    let log = &observation.log;
    Ill {
        state,
        sentence: diagnosis.sentence.clone(),
        remedy: diagnosis
            .findings
            .iter()
            .find_map(|finding| finding.remedy.clone()),
        log: log[log.len().saturating_sub(LAST_LINES)..]
            .iter()
            .map(|line| line.text.clone())
            .collect(),
    }
}

fn gone() -> Ill {
    Ill {
        state: "exited",
        sentence: "it was removed while it was waited for".to_owned(),
        remedy: None,
        log: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use ergon_companion::observation::{Outcome, Probe, Target};
    use ergon_companion::{History, Subject};
    use ergon_engine::{ContainerState, Status};
    use jiff::Timestamp;

    use super::*;

    fn seen(status: Status, outcome: Option<Outcome>) -> Observation {
        let state = ContainerState {
            status,
            started_at: Some(Timestamp::UNIX_EPOCH),
            ..ContainerState::default()
        };
        let probe = outcome.map(|outcome| Probe {
            target: Target {
                address: "1".to_owned(),
                port: 1,
                container_port: 1,
                path: None,
                declared: false,
            },
            outcome,
            latency: Duration::ZERO,
        });
        let sight = Sight::Seen(Box::new(state));
        Observation {
            probe,
            ..Observation::empty(
                Timestamp::UNIX_EPOCH,
                Subject::default(),
                sight,
                History::default(),
            )
        }
    }

    #[test]
    fn it_is_waited_for_an_answer_and_not_for_a_corpse() {
        let soon = Duration::from_millis(100);
        assert_eq!(
            verdict(&seen(Status::Running, Some(Outcome::Refused)), soon),
            Verdict::NotYet
        );
        assert_eq!(
            verdict(&seen(Status::Running, Some(Outcome::Refused)), PATIENCE),
            Verdict::Ill("unhealthy")
        );
        assert_eq!(
            verdict(&seen(Status::Running, Some(Outcome::Status(200))), soon),
            Verdict::Well("healthy")
        );
        assert_eq!(
            verdict(&seen(Status::Exited, None), soon),
            Verdict::Ill("exited")
        );
        assert_eq!(verdict(&seen(Status::Running, None), soon), Verdict::NotYet);
        assert_eq!(
            verdict(&seen(Status::Running, None), SETTLED),
            Verdict::Well("running")
        );
    }
}
