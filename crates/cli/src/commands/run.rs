//! Run: from a folder to a healthy container with a companion.

use std::path::PathBuf;

use clap::Args;
use ergon_server::api::{Job, RunFolder, RunResult};
use serde::Serialize;

use super::arguments::{Format, Stack, Variable, variables};
use super::job::cancel;
use super::packing;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::follow::follow;
use crate::progress::Steps;
use crate::report::jobs;
use crate::{folders, output, style, words};

/// Build a folder and run it, until it is healthy or says why not; writes nothing into it
#[derive(Debug, Args)]
pub struct Run {
    /// The folder that holds the project
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A variable for the containers, NAME=value; may be repeated
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE")]
    env: Vec<Variable>,
    /// Show every line the steps write
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// What `--json` prints for a run that failed: what there is of a result, and why.
#[derive(Serialize)]
struct FailedRun<'a> {
    #[serde(flatten)]
    result: Option<&'a RunResult>,
    job: &'a str,
    error: &'a str,
    remedy: Option<&'a str>,
}

impl Run {
    pub async fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let client = self.stack.client()?;
        let request = RunFolder {
            folder: folder.to_string_lossy().into_owned(),
            env: variables(self.env),
        };
        let job: Job = client.post(&["api", "v1", "runs"], &request).await?;
        let steps = Steps::start(self.verbose);
        steps.heading(&format!(
            "run {}",
            style::strong(&folders::display(&folder))
        ));
        let job = tokio::select! {
            job = follow(&client, &job.id, &steps) => job?,
            () = packing::interrupted() => {
                steps.finish();
                return Err(interrupted(&client, &job.id).await);
            }
        };
        steps.finish();
        match (&job.result, job.state.as_str()) {
            (Some(result), "succeeded") => {
                output::show(self.format.json, result, || jobs::run_result(result))
            }
            _ => failed(&job, self.format.json),
        }
    }
}

/// Cancels the job and says so. Interrupted again, it does not wait for the answer.
async fn interrupted(client: &Client, job: &str) -> Failure {
    let state = tokio::select! {
        cancelled = cancel(client, job) => match cancelled {
            Ok(job) => at_last(&job.state).to_owned(),
            Err(failure) => return failure,
        },
        () = packing::interrupted() => "being cancelled".to_owned(),
    };
    Failure::new(format!("interrupted; the job is {state}"))
        .with_remedy(format!("`ergon job show {job}` has its steps"))
}

/// A job that was told to stop may still be doing so.
fn at_last(state: &str) -> &str {
    if state == "running" {
        "being cancelled"
    } else {
        state
    }
}

fn failed(job: &Job, json: bool) -> Outcome {
    let otherwise = format!("the run was {}", job.state);
    let error = words::harmless(job.error.as_deref().unwrap_or(&otherwise));
    let remedy = job.remedy.as_deref();
    if json {
        output::print_json(&FailedRun {
            result: job.result.as_ref(),
            job: &job.id,
            error: &error,
            remedy,
        })?;
    } else if let Some(result) = &job.result {
        output::print(&jobs::run_result(result))?;
    }
    // What the step wrote last stands under the step already.
    let sentence = error.split("; it last wrote:\n").next().unwrap_or(&error);
    let log = format!("`ergon job log {}` has every line", job.id);
    let advice = remedy.map_or(log.clone(), |remedy| {
        format!("{}; {log}", words::harmless(remedy).trim_end_matches('.'))
    });
    Err(Failure::new(sentence).with_remedy(advice))
}
