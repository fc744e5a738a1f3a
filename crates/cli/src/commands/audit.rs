//! What was denied and what was changed, by whom; and whether the log of it is what it was.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use ergon_server::api::{
    AuditCheckpoint, AuditPage, AuditReport, ForgetAuditEntries, ForgottenAuditEntries, VerifyAudit,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::arguments::{Format, Stack};
use crate::failure::{Code, Failure, Outcome};
use crate::report::audit;
use crate::{output, words};

const AUDIT: [&str; 3] = ["api", "v1", "audit"];

/// What was denied and what was changed, by whom; and whether the log of it is what it was
#[derive(Debug, Args)]
pub struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// List what was asked, the newest first
    List {
        /// Only what this one asked: owner, robot:ci
        #[arg(long, value_name = "NAME")]
        principal: Option<String>,
        /// Only this, as AddProject
        #[arg(long)]
        action: Option<String>,
        /// Only what was decided so
        #[arg(long)]
        decision: Option<Decided>,
        /// Only the request with this id, the X-Request-Id of its answer
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        /// Only what has these words in who, what, or what it was done to
        #[arg(long)]
        text: Option<String>,
        /// Only what came before this entry
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// So many, 1 to 1000
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        format: Format,
    },
    /// Check that no entry was changed, dropped or moved; exit code 1 where one was
    Verify {
        /// A checkpoint that was kept elsewhere; may be repeated
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Print what the log says of itself, signed. Keep it elsewhere: it shows whether the log was written anew
    Checkpoint {
        #[command(flatten)]
        format: Format,
    },
    /// Print all entries, the oldest first, one JSON object on a line
    Export {
        /// As they are kept, or as events of the Open Cybersecurity Schema Framework
        #[arg(long, default_value = "jsonl")]
        format: ExportFormat,
        /// Only from this entry on
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        from: u64,
    },
    /// Remove old entries. Their hashes stay, so that the rest can still be checked
    Forget {
        /// Entries that are older go, as far as whole bundles of 256 do
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Decided {
    Allow,
    Deny,
    Identify,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ExportFormat {
    Jsonl,
    Ocsf,
}

impl Audit {
    pub async fn run(self) -> Outcome {
        let client = self.stack.client()?;
        match self.command {
            AuditCommand::List {
                principal,
                action,
                decision,
                request,
                text,
                before,
                limit,
                format,
            } => {
                let decision = decision.map(|decision| match decision {
                    Decided::Allow => "allow".to_owned(),
                    Decided::Deny => "deny".to_owned(),
                    Decided::Identify => "identify".to_owned(),
                });
                let before = before.map(|before| before.to_string());
                let limit = Some(limit.to_string());
                let query: Vec<(&str, &str)> = [
                    ("principal", &principal),
                    ("action", &action),
                    ("decision", &decision),
                    ("request", &request),
                    ("text", &text),
                    ("before", &before),
                    ("limit", &limit),
                ]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_deref()?)))
                .collect();
                let page: AuditPage = client.get_with(&AUDIT, &query).await?;
                output::show(format.json, &page, || {
                    audit::page(&page, Timestamp::now(), output::width())
                })
            }
            AuditCommand::Verify {
                checkpoints,
                format,
            } => {
                let checkpoints = checkpoints
                    .iter()
                    .map(|path| read(path))
                    .collect::<Outcome<_>>()?;
                let path = [&AUDIT[..], &["verification"]].concat();
                let report: AuditReport = client.post(&path, &VerifyAudit { checkpoints }).await?;
                output::show(format.json, &report, || audit::report(&report))?;
                if report.good {
                    Ok(())
                } else {
                    Err(Failure::Told(Code::Failed))
                }
            }
            AuditCommand::Checkpoint { format } => {
                let path = [&AUDIT[..], &["checkpoint"]].concat();
                let checkpoint: AuditCheckpoint = client.get(&path).await?;
                output::show(format.json, &checkpoint, || checkpoint.checkpoint.clone())
            }
            AuditCommand::Export { format, from } => {
                let format = match format {
                    ExportFormat::Jsonl => "jsonl",
                    ExportFormat::Ocsf => "ocsf",
                };
                let path = [&AUDIT[..], &["export"]].concat();
                let from = from.to_string();
                let query = [("format", format), ("from", from.as_str())];
                let mut body = client.download(&path, &query).await?;
                let mut rest = Vec::new();
                while let Some(chunk) = body.next().await {
                    rest.extend_from_slice(&chunk?);
                    if let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') {
                        let lines: Vec<u8> = rest.drain(..=end).collect();
                        output::print(&String::from_utf8_lossy(&lines))?;
                    }
                }
                Ok(())
            }
            AuditCommand::Forget { older_than, format } => {
                let path = [&AUDIT[..], &["forget"]].concat();
                let wanted = ForgetAuditEntries {
                    older_than_days: older_than,
                };
                let forgotten: ForgottenAuditEntries = client.post(&path, &wanted).await?;
                output::show(format.json, &forgotten, || {
                    format!(
                        "entry {} is the first that is still there\n",
                        forgotten.first
                    )
                })
            }
        }
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| {
        let path = words::harmless(&path.display().to_string());
        Failure::new(format!("{path} cannot be read: {error}"))
    })
}
