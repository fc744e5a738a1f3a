//! What companions would do if somebody approves, and saying yes or no to it.

use clap::{Args, Subcommand, ValueEnum};
use ergon_server::api::{
    ApprovalRule, ApproveProposal, List, Override, OverrideProposal, Proposal, PutApprovalRule,
    ReviewOverride,
};
use jiff::Timestamp;
use reqwest::Method;

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
    /// Approve a proposal, once: it is carried out when as many have approved it as have to, and looked at afterwards
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
    /// Have a proposal carried out now, without waiting for whoever else should approve it; somebody else looks at it
    /// afterwards
    Override {
        code: String,
        /// Why it cannot wait
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The container's name, where what is proposed is destructive
        #[arg(long)]
        container: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List what was done without waiting, and who looked at it
    Overrides {
        #[command(flatten)]
        format: Format,
    },
    /// Say what you saw of something that another did without waiting
    Review {
        code: String,
        /// In your own words
        text: String,
        #[command(flatten)]
        format: Format,
    },
    /// How many people have to approve what
    Rule {
        #[command(subcommand)]
        command: RuleCommand,
    },
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    /// Have so many people approve before anything is done
    Set {
        /// 1 to 10
        approvals: u32,
        /// Only for what is of this class [default: all]
        #[arg(long)]
        class: Option<RiskClass>,
        /// Only for this container [default: all]
        #[arg(long, value_name = "NAME")]
        container: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List how many have to approve what
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Forget a rule
    Remove {
        /// The one for this class [default: the one for all]
        #[arg(long)]
        class: Option<RiskClass>,
        /// The one for this container [default: the one for all]
        #[arg(long, value_name = "NAME")]
        container: Option<String>,
    },
}

/// What an action costs whoever uses the container.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RiskClass {
    Safe,
    Disruptive,
    Destructive,
}

impl RiskClass {
    const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }
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
            ApprovalsCommand::Override {
                code,
                reason,
                container,
                format,
            } => {
                let proposal = announced(&client, &code, format).await?;
                let wanted = OverrideProposal {
                    digest: proposal.digest,
                    reason,
                    container,
                };
                let path = ["api", "v1", "proposals", &code, "override"];
                let ended: Proposal = client.post(&path, &wanted).await?;
                concluded(&ended, format)
            }
            ApprovalsCommand::Overrides { format } => {
                let list: List<Override> = client.get(&["api", "v1", "overrides"]).await?;
                output::show(format.json, &list, || {
                    approvals::overrides(&list.items, Timestamp::now(), output::width())
                })
            }
            ApprovalsCommand::Review { code, text, format } => {
                let path = ["api", "v1", "overrides", &code, "review"];
                let review = ReviewOverride { review: text };
                let reviewed: Override = client.post(&path, &review).await?;
                output::show(format.json, &reviewed, || {
                    let all = std::slice::from_ref(&reviewed);
                    approvals::overrides(all, Timestamp::now(), output::width())
                })
            }
            ApprovalsCommand::Rule { command } => command.run(&client).await,
        }
    }
}

impl RuleCommand {
    async fn run(self, client: &Client) -> Outcome {
        let path = ["api", "v1", "approval-rules"];
        match self {
            Self::Set {
                approvals: needed,
                class,
                container,
                format,
            } => {
                let wanted = PutApprovalRule {
                    class: class.map(|class| class.word().to_owned()),
                    container,
                    approvals: needed,
                };
                let rule: ApprovalRule = client.put(&path, &wanted).await?;
                output::show(format.json, &rule, || {
                    approvals::rules(std::slice::from_ref(&rule), output::width())
                })
            }
            Self::List { format } => {
                let list: List<ApprovalRule> = client.get(&path).await?;
                output::show(format.json, &list, || {
                    approvals::rules(&list.items, output::width())
                })
            }
            Self::Remove { class, container } => {
                let class = class.map_or("*", RiskClass::word);
                let container = container.as_deref().unwrap_or("*");
                let path = [&path[..], &[class, container]].concat();
                client.send(Method::DELETE, &path).await?;
                output::print("the rule is removed\n")
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
    let proposal = announced(client, code, format).await?;
    let yes = ApproveProposal {
        digest: proposal.digest,
        container,
    };
    let ended: Proposal = client
        .post(&["api", "v1", "proposals", code, "approve"], &yes)
        .await?;
    concluded(&ended, format)
}

/// The proposal, once it is said what it is.
async fn announced(client: &Client, code: &str, format: Format) -> Outcome<Proposal> {
    let proposal = read(client, code).await?;
    if !format.json && proposal.state == "open" {
        output::note(approvals::about_to(&proposal).trim_end());
    }
    Ok(proposal)
}

/// What came of it. That others have to approve it, too, is no failure.
fn concluded(proposal: &Proposal, format: Format) -> Outcome {
    output::show(format.json, proposal, || approvals::ended(proposal))?;
    if matches!(proposal.state.as_str(), "done" | "open") {
        Ok(())
    } else {
        Err(Failure::Told(Code::Failed))
    }
}
