//! Carries out what was approved, once, and sees whether it helped. Nothing else in the stack does.

use std::time::{Duration, Instant};

use ergon_companion::actions::{self, Action, Proposal};
use ergon_companion::{Diagnosis, Observation, Wellness, diagnose};
use ergon_engine::{ContainerState, Engine, EngineError, RestartPolicy, Status};
use ergon_store::{NewAuditEntry, ProposalRow, StoreError, now};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::event;
use crate::stack::Stack;

/// How long a container may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at whether it helped.
const PAUSE: Duration = Duration::from_millis(250);
/// Whoever was stopped from outside and has not ended after this long has come up.
const SETTLED: SignedDuration = SignedDuration::from_secs(3);
/// So much longer than the life before must the next one be, of a container that ended by itself.
const LONGER: SignedDuration = SignedDuration::from_secs(2);
/// Of the time for it to help, this much is left to see that it did.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Carries out one proposal.
pub(super) struct Executor<'a> {
    stack: &'a Stack,
    code: String,
    proposal: Proposal,
    /// When it was approved; what started later was started because of it.
    begun: Option<Timestamp>,
}

/// How it ended: the proposal's state, and what is said of it.
struct Ended(&'static str, String);

impl<'a> Executor<'a> {
    pub fn new(stack: &'a Stack, code: String, proposal: Proposal) -> Self {
        Self {
            stack,
            code,
            proposal,
            begun: Some(Timestamp::now()),
        }
    }

    /// From approved to its end. What goes wrong is said in the proposal.
    pub async fn carry_out(&self) {
        let turn = self.stack.turns().of(&self.proposal.target.id);
        let _mine = turn.lock().await;
        let result = match self.stack.store().proposal(&self.code).await {
            Ok(Some(row)) => self.carry_out_row(&row).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::error!(%error, code = self.code, "what became of a proposal could not be kept");
        }
        self.stack.containers().stir(&self.proposal.target.id);
    }

    async fn carry_out_row(&self, row: &ProposalRow) -> Result<(), StoreError> {
        let (engine, must_live) = match self.ready().await {
            Ok(ready) => ready,
            Err(Ended(state, outcome)) => {
                self.stack
                    .approvals()
                    .end(row, "approved", state, &outcome)
                    .await?;
                return Ok(());
            }
        };
        let told = event("dev.ergon.proposal.begun", row, json!({}));
        let mut change = self.stack.store().change(told).await?;
        if !change.begin_proposal(&self.code, now()).await? {
            return Ok(());
        }
        // From here on it counts as done, whatever becomes of this process.
        change.commit().await?;
        let Ended(state, outcome) = self.act(&engine, must_live).await;
        self.stack.audit().note(NewAuditEntry {
            entry: "action".to_owned(),
            principal: row.decided_by.clone().unwrap_or_default(),
            action: "CarryOutProposal".to_owned(),
            kind: "Container".to_owned(),
            name: Some(row.container.clone()),
            detail: json!({
                "proposal": self.code, "digest": row.digest, "action": row.action, "state": state, "outcome": outcome,
            }),
            ..NewAuditEntry::default()
        });
        tracing::info!(
            code = self.code,
            container = row.container,
            action = row.action,
            state,
            outcome
        );
        self.stack
            .approvals()
            .end(row, "running", state, &outcome)
            .await?;
        Ok(())
    }

    /// Whether it is still as it was when the proposal was made.
    async fn ready(&self) -> Result<(Engine, SignedDuration), Ended> {
        let not_done = |error: EngineError| Ended("failed", format!("Nothing was done: {error}."));
        let engine = self.stack.engine().map_err(not_done)?;
        let state = match engine.inspect(&self.proposal.target.id).await {
            Ok(state) => state,
            Err(error) if error.is_not_found() => {
                let outcome = "Nothing was done: the container is gone. Another of its name is another container.";
                return Err(Ended("withdrawn", outcome.to_owned()));
            }
            Err(error) => return Err(not_done(error)),
        };
        let broken = self
            .proposal
            .precondition
            .broken_by(&self.proposal.steps, &state);
        if broken.is_empty() && !self.is_still_found().await {
            let outcome =
                "Nothing was done: what it was proposed for is not found any more.".to_owned();
            return Err(Ended("withdrawn", outcome));
        }
        if broken.is_empty() {
            return Ok((engine, self.must_live(&state)));
        }
        let outcome = format!(
            "Nothing was done, for the container is not as it was: {}.",
            broken.join("; ")
        );
        Err(Ended("withdrawn", outcome))
    }

    /// Whether any of what it was proposed for is still the case; what somebody asked for always is.
    async fn is_still_found(&self) -> bool {
        let containers = self.stack.containers();
        let Some(subject) = containers.subject(&self.proposal.target.id) else {
            return true;
        };
        // Who need not look does not make anybody wait.
        self.proposal.is_called_for(&[])
            || self
                .proposal
                .is_called_for(&actions::found(&containers.observe(&subject).await))
    }

    /// How long it must run before it counts as up: longer than before, where it ended by itself.
    fn must_live(&self, before: &ContainerState) -> SignedDuration {
        let by_itself = |finding: &str| {
            finding.starts_with("exited") && finding != "exited.killed" || finding == "restart.loop"
        };
        let mut why = self.proposal.why.iter();
        if !why.any(|reason| by_itself(&reason.finding)) {
            return SETTLED;
        }
        let life = match (before.started_at, before.finished_at) {
            (Some(started), Some(finished)) => finished.duration_since(started),
            _ => SignedDuration::ZERO,
        };
        let patience = i64::try_from(self.proposal.check.within_seconds).unwrap_or(i64::MAX);
        let longest = SignedDuration::from_secs(patience) - MARGIN;
        (life + LONGER).clamp(SETTLED, longest.max(SETTLED))
    }

    async fn act(&self, engine: &Engine, must_live: SignedDuration) -> Ended {
        let begun = Instant::now();
        for (index, step) in self.proposal.steps.iter().enumerate() {
            if let Err(error) = self.take(engine, step).await {
                let outcome = format!("`{}` failed: {error}.", self.command(step));
                let Some(before) = self
                    .proposal
                    .steps
                    .get(..index)
                    .filter(|done| !done.is_empty())
                else {
                    return Ended("failed", outcome);
                };
                let undo: Vec<Action> = self.proposal.undo_of(before);
                return self.undo(engine, &undo, outcome).await;
            }
        }
        match self.see(begun, must_live).await {
            Ok(said) => Ended("done", said),
            Err(said) => self.undo(engine, &self.proposal.undo, said).await,
        }
    }

    /// One step, by the engine's id of the container and never by its name.
    async fn take(&self, engine: &Engine, step: &Action) -> Result<(), EngineError> {
        let id = &self.proposal.target.id;
        match step {
            Action::Start => engine.start(id).await,
            Action::Stop => engine.stop(id, PATIENCE).await,
            Action::Restart => engine.restart(id, PATIENCE).await,
            Action::Pause => engine.pause(id).await,
            Action::Unpause => engine.unpause(id).await,
            Action::Reload { signal } => engine.kill(id, signal.as_str()).await,
            Action::LimitMemory { to, with_swap, .. } => {
                engine.limit_memory(id, *to, *with_swap).await
            }
            Action::LimitProcessors { to, .. } => engine.limit_processors(id, *to).await,
        }
    }

    fn command(&self, step: &Action) -> String {
        step.command(&self.proposal.target.name).join(" ")
    }

    /// Waits until it shows that it helped, or the time for that is over.
    async fn see(&self, begun: Instant, must_live: SignedDuration) -> Result<String, String> {
        let containers = self.stack.containers();
        loop {
            let seen = match containers.subject(&self.proposal.target.id) {
                Some(subject) => Some(containers.observe(&subject).await),
                None => None,
            };
            let judged = seen.as_ref().map(|seen| self.judge(seen, must_live));
            match judged {
                Some(Ok(said)) => return Ok(said),
                Some(Err(still)) if seen.as_ref().is_some_and(|seen| self.is_lost(seen)) => {
                    return Err(format!("It did not help: {still}"));
                }
                other if begun.elapsed() >= self.proposal.patience() => {
                    let still = match other {
                        Some(Err(still)) => still,
                        _ => "it has no companion any more to look at it".to_owned(),
                    };
                    let seconds = self.proposal.check.within_seconds;
                    return Err(format!("It did not help within {seconds} s: {still}"));
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Whether it ended again, and nothing will start it: there is nothing to wait for.
    fn is_lost(&self, seen: &Observation) -> bool {
        let starts = |step: &Action| matches!(step, Action::Start | Action::Restart);
        seen.state().is_some_and(|state| {
            let again = state.status == Status::Exited && state.started_at > self.begun;
            again && state.restart_policy == RestartPolicy::No
        }) && self.proposal.steps.iter().any(starts)
    }

    /// Whether it shows in what is seen, and what is to be said of it.
    fn judge(&self, seen: &Observation, must_live: SignedDuration) -> Result<String, String> {
        let Some(state) = seen.state() else {
            return Err("the container cannot be seen.".to_owned());
        };
        let diagnosis = diagnose(seen);
        let all = actions::found(seen);
        let found = |id: &String| all.contains(&id.as_str());
        let shows = self.proposal.shows_in(state);
        if !shows
            || self.proposal.check.gone.iter().any(found)
            || !has_settled(seen, &diagnosis, must_live)
        {
            return Err(diagnosis.sentence);
        }
        Ok(diagnosis.sentence)
    }

    /// Takes back what was done, and says that a person has to look.
    async fn undo(&self, engine: &Engine, steps: &[Action], said: String) -> Ended {
        if steps.is_empty() {
            return Ended(
                "escalated",
                format!("{said} Nothing takes it back; somebody has to look."),
            );
        }
        let mut undone = Vec::new();
        for step in steps {
            let there = engine.inspect(&self.proposal.target.id).await;
            if there.is_ok_and(|state: ContainerState| step.is_so(&state)) {
                continue;
            }
            if let Err(error) = self.take(engine, step).await {
                let command = self.command(step);
                return Ended(
                    "escalated",
                    format!(
                        "{said} It could not be undone: `{command}` failed: {error}. Somebody has to look."
                    ),
                );
            }
            undone.push(format!("`{}`", self.command(step)));
        }
        let how = if undone.is_empty() {
            "There was nothing left to undo".to_owned()
        } else {
            format!("It was undone by {}", undone.join(" and "))
        };
        Ended("undone", format!("{said} {how}; somebody has to look."))
    }
}

/// A container that was just started may end again at once: it is well, or has run for a while.
fn has_settled(seen: &Observation, diagnosis: &Diagnosis, must_live: SignedDuration) -> bool {
    match diagnosis.wellness {
        Wellness::Well if seen.probe.is_some() && must_live <= SETTLED => true,
        Wellness::Stopped => true,
        _ => seen.uptime().is_none_or(|uptime| uptime >= must_live),
    }
}
