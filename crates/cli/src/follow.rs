//! Following a job until it ends, whatever the connection does meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use ergon_server::api::{Job, JobLogLine, JobStep};
use futures_util::StreamExt as _;
use serde::Deserialize;

use crate::board::End;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::progress::Steps;
use crate::sse::StreamEvent;

/// How often a broken connection is tried again while nothing new arrives.
const ATTEMPTS: u32 = 5;
const RUNNING: &str = "running";
const FAILED: &str = "failed";
const PAUSE: Duration = Duration::from_millis(500);

/// A step as the stream tells it: with its place among the job's steps.
#[derive(Debug, Deserialize)]
struct StreamedStep {
    index: u32,
    #[serde(flatten)]
    step: JobStep,
}

/// What has been shown, so that a stream that starts again shows nothing twice.
#[derive(Default)]
struct Seen {
    begun: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    last_line: u64,
}

/// Draws the job's steps until it has ended.
pub async fn follow(client: &Client, id: &str, steps: &Steps) -> Outcome<Job> {
    let mut seen = Seen::default();
    let mut attempts = 0;
    loop {
        let failure = match client
            .stream(&["api", "v1", "jobs", id, "follow"], &[], None)
            .await
        {
            Ok(mut events) => loop {
                match events.next().await {
                    Some(Ok(event)) => {
                        attempts = 0;
                        if let Some(job) = seen.show(&event, steps) {
                            return Ok(job);
                        }
                    }
                    Some(Err(failure)) => break failure,
                    None => {
                        break Failure::new(
                            "the stack ended the job's stream before the job ended",
                        );
                    }
                }
            },
            Err(failure) => failure,
        };
        attempts += 1;
        if attempts >= ATTEMPTS {
            return Err(failure.with_remedy(format!("look again with `ergon job show {id}`")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Seen {
    /// Shows an event; the job, where it says that the job has ended.
    fn show(&mut self, event: &StreamEvent, steps: &Steps) -> Option<Job> {
        match event.name.as_str() {
            "step" => {
                if let Ok(StreamedStep { index, mut step }) = serde_json::from_str(&event.data) {
                    if step.state == FAILED {
                        // Its last lines are still to come; the job's end says it again.
                        RUNNING.clone_into(&mut step.state);
                    }
                    self.step(index, &step, steps);
                }
            }
            "log" => {
                if let Ok(line) = serde_json::from_str::<JobLogLine>(&event.data)
                    && line.number > self.last_line
                {
                    self.last_line = line.number;
                    steps.log(line.step, line.text);
                }
            }
            "end" => {
                let job: Job = serde_json::from_str(&event.data).ok()?;
                // A step whose last event was lost is in the job itself.
                for (index, step) in (0..).zip(&job.steps) {
                    self.step(index, step, steps);
                }
                return Some(job);
            }
            // A newer stack may tell more.
            _ => {}
        }
        None
    }

    fn step(&mut self, index: u32, step: &JobStep, steps: &Steps) {
        if self.begun.insert(index) {
            steps.begin(index, &step.name, &step.detail);
        }
        if step.state != RUNNING && self.ended.insert(index) {
            let end = End {
                state: step.state.clone(),
                summary: step.outcome.clone(),
                milliseconds: step.milliseconds,
            };
            steps.end(index, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::canned;

    fn step(index: u32, state: &str) -> (&'static str, Value) {
        (
            "step",
            json!({ "index": index, "name": "install", "detail": "npm ci", "state": state }),
        )
    }

    fn end(state: &str) -> (&'static str, Value) {
        let steps: Vec<Value> = Vec::new();
        let job = json!({
            "id": "1", "kind": "run", "project_id": "1", "project_name": "x", "state": state,
            "created_at": "2026-01-01T00:00:00Z", "steps": steps,
        });
        ("end", job)
    }

    #[tokio::test]
    async fn a_broken_stream_is_taken_up_again() {
        let client = canned::client(vec![
            canned::stream(&[step(0, "running")]),
            canned::stream(&[step(0, "done"), end("succeeded")]),
        ])
        .await;
        let job = follow(&client, "1", &Steps::start(false)).await.unwrap();
        assert_eq!(job.state, "succeeded");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stack_that_is_gone_is_given_up() {
        let client = canned::client(vec![canned::stream(&[step(0, "running")])]).await;
        let Err(Failure::Said { remedy, .. }) = follow(&client, "1", &Steps::start(false)).await
        else {
            panic!()
        };
        assert_eq!(remedy.unwrap(), "look again with `ergon job show 1`");
    }

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let mut seen = Seen::default();
        let steps = Steps::start(false);
        let line = |number: u64| StreamEvent {
            name: "log".into(),
            data: json!({ "number": number, "step": 0, "text": "x" }).to_string(),
            id: None,
        };
        for number in [1, 2, 1, 2, 3] {
            seen.show(&line(number), &steps);
        }
        assert_eq!(seen.last_line, 3);
        let unknown = StreamEvent {
            name: "weather".into(),
            data: "rain".into(),
            id: None,
        };
        assert!(seen.show(&unknown, &steps).is_none());
    }
}
