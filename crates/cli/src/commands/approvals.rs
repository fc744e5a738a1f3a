//! What companions would do if somebody approves, and saying yes or no to it.

use clap::{Args, Subcommand};
use ergon_server::api::{ApproveProposal, List, Proposal};
use jiff::Timestamp;

use super::arguments::{Format, Stack};
use crate::client::Client;
use crate::failure::{Code, Failure, Outcome};
use crate::output;
use crate::report::approvals;

/// What companions would do to their containers, if you approve
#[derive(Debug, Args)]
pub struct Approvals {
    #[command(flatten)]
    stack: Stack,
    #[command(subcommand)]
    command: ApprovalsCommand,
}

#[derive(Debug, Subcommand)]
enum ApprovalsCommand {
    /// List what waits for somebody to approve it
    List {
        /// Also what is over, and what became of it
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Show exactly what would be done, to what, why, and how it is undone
    Show {
        code: String,
        #[command(flatten)]
        format: Format,
    },
    /// Approve a proposal, once: it is carried out now, and looked at afterwards
    Approve {
        code: String,
        /// The container's name, where what is proposed is destructive
        #[arg(long)]
        container: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Deny a proposal
    Deny {
        code: String,
        #[command(flatten)]
        format: Format,
    },
}

impl Approvals {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            ApprovalsCommand::List { all, format } => {
                let all = all.to_string();
                let list: List<Proposal> = client
                    .get_with(&["api", "v1", "proposals"], &[("all", &all)])
                    .await?;
                output::show(format.json, &list, || {
                    approvals::list(&list.items, Timestamp::now(), output::width())
                })
            }
            ApprovalsCommand::Show { code, format } => {
                let proposal = read(&client, &code).await?;
                output::show(format.json, &proposal, || {
                    approvals::show(&proposal, Timestamp::now())
                })
            }
            ApprovalsCommand::Approve {
                code,
                container,
                format,
            } => approve(&client, &code, container, format).await,
            ApprovalsCommand::Deny { code, format } => {
                let denied: Proposal = client
                    .post_empty(&["api", "v1", "proposals", &code, "deny"])
                    .await?;
                output::show(format.json, &denied, || approvals::ended(&denied))
            }
        }
    }
}

async fn read(client: &Client, code: &str) -> Outcome<Proposal> {
    client.get(&["api", "v1", "proposals", code]).await
}

/// Reads the proposal, says what it is, and approves just that: a code names one content for ever.
async fn approve(
    client: &Client,
    code: &str,
    container: Option<String>,
    format: Format,
) -> Outcome {
    let proposal = read(client, code).await?;
    if !format.json && proposal.state == "open" {
        output::note(approvals::about_to(&proposal).trim_end());
    }
    let yes = ApproveProposal {
        digest: proposal.digest,
        container,
    };
    let ended: Proposal = client
        .post(&["api", "v1", "proposals", code, "approve"], &yes)
        .await?;
    output::show(format.json, &ended, || approvals::ended(&ended))?;
    if ended.state == "done" {
        Ok(())
    } else {
        Err(Failure::Told(Code::Failed))
    }
}
