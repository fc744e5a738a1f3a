//! Writes down what a job does while it does it: steps, lines, how long each took.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ergon_companion::redact::{Lines, hide_known};
use ergon_pack::{Progress, ProgressEvent, StepOutcome};
use ergon_store::{JobRow, LogRow, NewEvent, Store, StoreError};
use serde_json::json;
use tokio::sync::mpsc;

use super::steps;
use crate::api::JobStep;

/// So many reports become one transaction.
const BATCH: usize = 500;
/// A job that writes more lines, or more bytes, is not followed further; it still runs. What is told and not
/// yet written down waits in memory, and no more than this.
const MOST_LINES: i64 = 100_000;
const MOST_BYTES: usize = 32 << 20;
/// A longer line is cut.
const LONGEST_LINE: usize = 8 << 10;
/// A line that ends like a secret begins waits so long for the next one.
const HELD_BACK: Duration = Duration::from_millis(500);

/// Something a job tells.
#[derive(Debug)]
pub enum Report {
    Begin {
        step: u32,
        name: String,
        detail: String,
        /// It belongs to a second build.
        again: bool,
    },
    Line {
        step: u32,
        text: String,
    },
    End {
        step: u32,
        state: &'static str,
        outcome: Option<String>,
        milliseconds: u64,
    },
    /// The build hash is known now.
    BuildHash(String),
}

/// Where a job tells what it does. Never blocks.
#[derive(Clone, Debug)]
pub struct Reporter {
    sender: mpsc::UnboundedSender<Report>,
    lines: Arc<AtomicI64>,
    bytes: Arc<AtomicUsize>,
    again: bool,
}

/// A step of ours that is under way.
pub struct OwnStep {
    reporter: Reporter,
    step: u32,
    started: Instant,
}

impl Reporter {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let reporter = Self {
            sender,
            lines: Arc::default(),
            bytes: Arc::default(),
            again: false,
        };
        (reporter, receiver)
    }

    /// For the steps of a second build, which are told apart from those of the first.
    pub fn again(&self) -> Self {
        Self {
            again: true,
            ..self.clone()
        }
    }

    pub fn tell(&self, report: Report) {
        let report = match report {
            Report::Line { step, text } => match self.within_limits(text) {
                Some(text) => Report::Line { step, text },
                None => return,
            },
            other => other,
        };
        // The recorder ends after the work does; a report that comes later is about nothing.
        let _ = self.sender.send(report);
    }

    /// The line as it is kept; the last one that is says so.
    fn within_limits(&self, text: String) -> Option<String> {
        // What is cut off of a secret would not be known for one.
        let text = if text.len() > LONGEST_LINE {
            cut(hide_known(&text).into_owned())
        } else {
            text
        };
        let lines = self.lines.fetch_add(1, Ordering::Relaxed) + 1;
        let before = self.bytes.fetch_add(text.len(), Ordering::Relaxed);
        let full = lines == MOST_LINES || before + text.len() > MOST_BYTES;
        if lines > MOST_LINES || before > MOST_BYTES {
            return None;
        }
        Some(if full {
            "… (the rest is not kept)".to_owned()
        } else {
            text
        })
    }

    pub fn begin(&self, step: u32, name: &str, detail: impl Into<String>) -> OwnStep {
        self.tell(Report::Begin {
            step,
            name: name.to_owned(),
            detail: detail.into(),
            again: self.again,
        });
        OwnStep {
            reporter: self.clone(),
            step,
            started: Instant::now(),
        }
    }
}

impl OwnStep {
    pub fn line(&self, text: impl Into<String>) {
        self.reporter.tell(Report::Line {
            step: self.step,
            text: text.into(),
        });
    }

    pub fn done(self, outcome: Option<String>) {
        self.end("done", outcome);
    }

    pub fn failed(self, outcome: Option<String>) {
        self.end("failed", outcome);
    }

    fn end(self, state: &'static str, outcome: Option<String>) {
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.reporter.tell(Report::End {
            step: self.step,
            state,
            outcome,
            milliseconds,
        });
    }
}

impl Progress for Reporter {
    fn report(&self, event: ProgressEvent) {
        self.tell(match event {
            ProgressEvent::Started { step, kind, detail } => Report::Begin {
                step,
                name: kind.name().to_owned(),
                detail,
                again: self.again,
            },
            ProgressEvent::Log { step, line } => Report::Line { step, text: line },
            ProgressEvent::Ended {
                step,
                outcome,
                summary,
                elapsed,
            } => Report::End {
                step,
                state: match outcome {
                    StepOutcome::Done => "done",
                    StepOutcome::Cached => "cached",
                    StepOutcome::Failed => "failed",
                },
                outcome: summary,
                milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            },
        });
    }
}

/// Writes down what is told until nobody tells any more, and returns the job as it then is.
pub async fn record(
    store: Store,
    mut job: JobRow,
    mut reports: mpsc::UnboundedReceiver<Report>,
) -> JobRow {
    let mut written = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut lines = Lines::new();
    loop {
        let told = reports.recv_many(&mut batch, BATCH);
        let told = if lines.is_waiting() {
            tokio::time::timeout(HELD_BACK, told).await
        } else {
            Ok(told.await)
        };
        let mut clean = Vec::new();
        for report in batch.drain(..) {
            without_secrets(report, &mut lines, &mut clean);
        }
        if !matches!(told, Ok(1..)) {
            clean.extend(lines.let_go().into_iter().map(line));
        }
        if clean.is_empty() {
            if told == Ok(0) {
                break;
            }
            continue;
        }
        if let Err(error) = write_down(&store, &mut job, &mut written, clean).await {
            // The work itself goes on; how it ends is written down by whoever started it.
            tracing::error!(%error, job = %job.id, "what a job did could not be written down");
        }
    }
    job
}

/// A report without the secrets that are known. A line that ends like one begins is held back.
fn without_secrets(report: Report, lines: &mut Lines<u32>, clean: &mut Vec<Report>) {
    if let Report::Line { step, text } = &report {
        clean.extend(lines.push(*step, text).into_iter().map(line));
        return;
    }
    // Whatever else is told comes after the lines before it.
    clean.extend(lines.let_go().into_iter().map(line));
    clean.push(match report {
        Report::Begin {
            step,
            name,
            detail,
            again,
        } => Report::Begin {
            step,
            name,
            detail: hide_known(&detail).into_owned(),
            again,
        },
        Report::End {
            step,
            state,
            outcome,
            milliseconds,
        } => Report::End {
            step,
            state,
            outcome: outcome.map(|outcome| hide_known(&outcome).into_owned()),
            milliseconds,
        },
        other => other,
    });
}

fn line((step, text): (u32, String)) -> Report {
    Report::Line { step, text }
}

async fn write_down(
    store: &Store,
    job: &mut JobRow,
    written: &mut i64,
    reports: Vec<Report>,
) -> Result<(), StoreError> {
    let mut all = steps(job);
    let mut lines = Vec::new();
    let mut changed = false;
    for report in reports {
        match report {
            Report::Line { step, text } => {
                *written += 1;
                lines.push(LogRow {
                    number: *written,
                    step: i64::from(step),
                    text,
                });
            }
            Report::Begin {
                step,
                name,
                detail,
                again,
            } => {
                let entry = at(&mut all, step);
                *entry = JobStep {
                    name,
                    detail,
                    state: "running".to_owned(),
                    milliseconds: None,
                    outcome: None,
                    again,
                };
                changed = true;
            }
            Report::End {
                step,
                state,
                outcome,
                milliseconds,
            } => {
                let entry = at(&mut all, step);
                state.clone_into(&mut entry.state);
                entry.outcome = outcome;
                entry.milliseconds = Some(milliseconds);
                changed = true;
            }
            Report::BuildHash(hash) => {
                job.build_hash = Some(hash);
                changed = true;
            }
        }
    }
    let mut change = if changed {
        let current = all
            .iter()
            .rfind(|step| step.state == "running")
            .map(|step| step.name.clone());
        job.steps = serde_json::to_value(&all).unwrap_or_default();
        store
            .change(NewEvent::new(
                "dev.ergon.job.step",
                format!("job/{}", job.id),
                json!({ "step": current }),
            ))
            .await?
    } else {
        store.unobserved().await?
    };
    if changed {
        change.put_job(job).await?;
    }
    change.add_log(&job.id, &lines).await?;
    change.commit().await
}

/// The step at a place; places before it that were never told are empty.
fn at(steps: &mut Vec<JobStep>, place: u32) -> &mut JobStep {
    let place = place as usize;
    while steps.len() <= place {
        let empty = JobStep {
            name: String::new(),
            detail: String::new(),
            state: "running".to_owned(),
            milliseconds: None,
            outcome: None,
            again: false,
        };
        steps.push(empty);
    }
    &mut steps[place]
}

fn cut(text: String) -> String {
    if text.len() <= LONGEST_LINE {
        return text;
    }
    let end = (0..=LONGEST_LINE)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ergon_store::{JobId, JobState, ProjectId};

    fn job() -> JobRow {
        JobRow {
            id: JobId::named("j"),
            kind: "run".to_owned(),
            project_id: ProjectId::named("p"),
            state: JobState::Running,
            request: json!({}),
            steps: json!([]),
            build_hash: None,
            result: None,
            error: None,
            remedy: None,
            created_at: 0,
            finished_at: None,
        }
    }

    #[tokio::test]
    async fn steps_and_lines_are_in_the_store_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
        let (reporter, reports) = Reporter::new();
        let recording = tokio::spawn(record(store.clone(), job(), reports));
        let step = reporter.begin(0, "source", "/x");
        for number in 0..1500 {
            step.line(format!("line {number}"));
        }
        step.done(Some("3 files".to_owned()));
        reporter.again().begin(1, "image", "x:1").done(None);
        reporter.tell(Report::BuildHash("sha256:1".to_owned()));
        drop(reporter);
        let job = recording.await.unwrap();
        assert_eq!(job.build_hash.as_deref(), Some("sha256:1"));
        let stored = store.job(&job.id).await.unwrap().unwrap();
        let told = steps(&stored);
        assert_eq!((told[0].state.as_str(), told[0].again), ("done", false));
        assert!(told[1].again, "the second build's steps are told apart");
        let lines = store.job_log(&job.id, 0, 2000).await.unwrap();
        assert_eq!(
            (lines.len(), lines[1499].text.as_str()),
            (1500, "line 1499")
        );
    }

    #[test]
    fn no_more_waits_to_be_written_down_than_is_kept() {
        let (reporter, mut reports) = Reporter::new();
        let step = reporter.begin(0, "run", "yes");
        for _ in 0..10_000 {
            step.line("y".repeat(LONGEST_LINE));
        }
        let (mut lines, mut bytes, mut last) = (0, 0, String::new());
        while let Ok(report) = reports.try_recv() {
            if let Report::Line { text, .. } = report {
                (lines, bytes, last) = (lines + 1, bytes + text.len(), text);
            }
        }
        assert!(
            bytes <= MOST_BYTES + LONGEST_LINE && lines > 1000,
            "{bytes} bytes"
        );
        assert_eq!(last, "… (the rest is not kept)");
    }

    #[test]
    fn a_long_line_is_cut_between_letters() {
        let text = cut("ä".repeat(LONGEST_LINE));
        assert!(text.len() <= LONGEST_LINE + 3 && text.ends_with("ä…"));
    }
}
