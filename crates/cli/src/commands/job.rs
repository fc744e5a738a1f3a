//! Jobs: durable pieces of work: a run, a hand-off, a second build.

use std::time::Duration;

use clap::{Args, Subcommand};
use ergon_server::api::{Job as JobEntry, JobLogLine, List};
use jiff::Timestamp;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::report::jobs;
use crate::{output, words};

/// How often a job's log is asked for more while it is followed.
const PAUSE: Duration = Duration::from_millis(300);

/// What the stack is working on, and what became of it
#[derive(Debug, Args)]
pub struct Job {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: JobCommand,
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    /// List the jobs, newest first
    List {
        /// Only those of this project
        #[arg(long)]
        project: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Show one job with its steps
    Show {
        job: String,
        #[command(flatten)]
        format: Format,
    },
    /// Cancel a job that is queued or running
    Cancel {
        job: String,
        #[command(flatten)]
        format: Format,
    },
    /// Print what a job's steps wrote
    Log {
        job: String,
        /// Go on until the job has ended
        #[arg(long, short)]
        follow: bool,
        #[command(flatten)]
        format: Format,
    },
}

impl Job {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            JobCommand::List { project, format } => {
                let query: Vec<(&str, &str)> = project
                    .iter()
                    .map(|project| ("project", project.as_str()))
                    .collect();
                let list: List<JobEntry> = client.get_with(&["api", "v1", "jobs"], &query).await?;
                output::show(format.json, &list, || {
                    jobs::list(&list.items, Timestamp::now(), output::width())
                })
            }
            JobCommand::Show { job, format } => {
                let job = one(&client, &job).await?;
                output::show(format.json, &job, || jobs::show(&job, Timestamp::now()))
            }
            JobCommand::Cancel { job, format } => {
                let job = cancel(&client, &job).await?;
                output::show(format.json, &job, || {
                    format!("{} {}\n", job.id, words::harmless(&job.state))
                })
            }
            JobCommand::Log {
                job,
                follow,
                format,
            } => log(&client, &job, follow, format).await,
        }
    }
}

async fn one(client: &Client, job: &str) -> Outcome<JobEntry> {
    client.get(&["api", "v1", "jobs", job]).await
}

/// Asks for a job to be cancelled, and returns it as it is then.
pub async fn cancel(client: &Client, job: &str) -> Outcome<JobEntry> {
    client
        .send(reqwest::Method::POST, &["api", "v1", "jobs", job, "cancel"])
        .await?;
    one(client, job).await
}

async fn log(client: &Client, job: &str, follow: bool, format: Format) -> Outcome {
    let mut last = 0;
    loop {
        // Asked before the lines: what a job wrote before it ended is then among them.
        let state = one(client, job).await?;
        let after = last.to_string();
        let lines: List<JobLogLine> = client
            .get_with(&["api", "v1", "jobs", job, "log"], &[("after", &after)])
            .await?;
        let is_last_page = lines.items.is_empty();
        for line in &lines.items {
            last = last.max(line.number);
            if format.json {
                output::print_json_line(line)?;
            } else {
                output::print_line(&line.text)?;
            }
        }
        if !is_last_page {
            continue;
        }
        if !follow || state.finished_at.is_some() {
            return if follow { ended(&state) } else { Ok(()) };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn ended(job: &JobEntry) -> Outcome {
    match (job.state.as_str(), &job.error) {
        ("succeeded", _) => Ok(()),
        (_, Some(error)) => {
            Err(Failure::new(words::harmless(error)).with_remedy(job.remedy.clone()))
        }
        (state, None) => Err(Failure::new(format!("the job was {state}"))),
    }
}
