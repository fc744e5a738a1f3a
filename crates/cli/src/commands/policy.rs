//! Policies: who may do what, why, and whether it is as it was meant.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ergon_server::api::{
    CheckedPolicy, List, NamedPolicy, PolicyAnswer, PolicyCase, PolicyFault, PolicyQuestion,
    PolicySchema, PolicyText, PolicyTrial, PolicyTrialResult, PutPolicy,
};
use reqwest::Method;
use serde::Deserialize;

use super::arguments::{Format, Stack};
use crate::failure::{Code, Failure, Outcome};
use crate::report::policies;
use crate::{output, words};

const POLICIES: [&str; 3] = ["api", "v1", "policies"];

/// Policies: who may do what, why, and whether it is as it was meant
#[derive(Debug, Args)]
pub struct Policy {
    #[command(subcommand)]
    command: PolicyCommand,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the texts of policies: those that come with Ergon, and the stack's own
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Print one text
    Show {
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Keep a text of Cedar policies and decide by it from now on; what has a fault is not kept
    Put {
        /// What it is called
        name: String,
        /// `-` reads from standard input
        file: PathBuf,
    },
    /// Forget texts of the stack's own
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Print what policies can speak of: kinds of things, actions, circumstances
    Schema {
        #[command(flatten)]
        format: Format,
    },
    /// Say everything that is wrong with files of policies; exit code 1 where anything is
    Check {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Say whether somebody may do something, and which policies say so; exit code 1 where they may not
    Explain {
        /// The name of a person, robot:NAME, nobody, or role:ROLE for anybody who has it
        principal: String,
        /// As `ergon policy schema` has it: RemoveContainer, …
        action: String,
        /// The name of what it is done to [default: all of its kind]
        resource: Option<String>,
        /// Through which door: http, mcp, registry, socket [default: http]
        #[arg(long)]
        channel: Option<String>,
        /// By what they showed who they are: session, token, peer, nothing [default: session]
        #[arg(long)]
        means: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Decide the cases of a file and say which were not decided as expected; exit code 1 where any was
    Test {
        /// JSON: {"cases": [{"principal": "role:viewer", "action": "RemoveContainer", "resource": "web", "allowed": false}]}
        file: PathBuf,
        /// With this file of policies in place of the stack's own; may be repeated
        #[arg(long = "with", value_name = "FILE")]
        with: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
}

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    cases: Vec<PolicyCase>,
}

/// A file that was checked.
#[derive(Debug, serde::Serialize)]
struct CheckedFile {
    file: String,
    faults: Vec<PolicyFault>,
}

impl Policy {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            PolicyCommand::List { format } => {
                let list: List<PolicyText> = client.get(&POLICIES).await?;
                output::show(format.json, &list, || {
                    policies::list(&list.items, output::width())
                })
            }
            PolicyCommand::Show { name, format } => {
                let text: PolicyText = client.get(&of(&name)).await?;
                output::show(format.json, &text, || words::harmless(&text.text))
            }
            PolicyCommand::Put { name, file } => {
                let text = read(&file)?;
                let kept: PolicyText = client.put(&of(&name), &PutPolicy { text }).await?;
                output::print(&format!("{} is in force\n", words::harmless(&kept.name)))
            }
            PolicyCommand::Remove { names } => {
                for name in &names {
                    client.send(Method::DELETE, &of(name)).await?;
                    output::print(&format!("{} is removed\n", words::harmless(name)))?;
                }
                Ok(())
            }
            PolicyCommand::Schema { format } => {
                let schema: PolicySchema = client.get(&["api", "v1", "policy-schema"]).await?;
                output::show(format.json, &schema, || schema.schema.clone())
            }
            PolicyCommand::Check { files, format } => {
                let mut checked = Vec::new();
                for file in &files {
                    let text = read(file)?;
                    let path = ["api", "v1", "policy-checks"];
                    let found: CheckedPolicy = client.post(&path, &PutPolicy { text }).await?;
                    checked.push(CheckedFile {
                        file: file.display().to_string(),
                        faults: found.faults,
                    });
                }
                output::show(format.json, &checked, || {
                    let lines = checked
                        .iter()
                        .map(|checked| policies::checked(&checked.file, &checked.faults));
                    lines.collect()
                })?;
                let is_good = checked.iter().all(|checked| checked.faults.is_empty());
                is_good.then_some(()).ok_or_else(negative)
            }
            PolicyCommand::Explain {
                principal,
                action,
                resource,
                channel,
                means,
                format,
            } => {
                let question = PolicyQuestion {
                    principal,
                    action,
                    resource,
                    channel,
                    means,
                };
                let path = ["api", "v1", "policy-questions"];
                let answer: PolicyAnswer = client.post(&path, &question).await?;
                output::show(format.json, &answer, || policies::answer(&answer))?;
                answer.allowed.then_some(()).ok_or_else(negative)
            }
            PolicyCommand::Test { file, with, format } => {
                let text = read(&file)?;
                let Cases { cases } = serde_json::from_str(&text).map_err(|error| {
                    Failure::new(format!("{} is no file of cases: {error}", file.display()))
                        .with_remedy(
                            "ergon policy test --help shows what one looks like".to_owned(),
                        )
                })?;
                let trial = PolicyTrial {
                    cases,
                    policies: replacements(&with)?,
                };
                let path = ["api", "v1", "policy-trials"];
                let result: PolicyTrialResult = client.post(&path, &trial).await?;
                output::show(format.json, &result, || policies::trial(&result))?;
                result
                    .unexpected
                    .is_empty()
                    .then_some(())
                    .ok_or_else(negative)
            }
        }
    }
}

/// The files in place of the stack's own texts, each under its name.
fn replacements(files: &[PathBuf]) -> Outcome<Option<Vec<NamedPolicy>>> {
    if files.is_empty() {
        return Ok(None);
    }
    let named = files.iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(NamedPolicy {
            name: name.into_owned(),
            text: read(file)?,
        })
    });
    named.collect::<Outcome<Vec<_>>>().map(Some)
}

/// The answer is no, and was printed.
fn negative() -> Failure {
    Failure::Told(Code::Failed)
}

fn read(file: &Path) -> Outcome<String> {
    let failed =
        |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", file.display()));
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    fs::read_to_string(file).map_err(failed)
}

fn of(name: &str) -> [&str; 4] {
    [POLICIES[0], POLICIES[1], POLICIES[2], name]
}
