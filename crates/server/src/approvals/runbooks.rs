//! Runbooks: the built-in ones and those of projects, what they would do, and that they do not go round in circles.

use std::path::Path;

use ergon_companion::actions::{Considered, Proposal, Runbook};
use ergon_companion::{Observation, Subject};
use ergon_store::{ProposalRow, now};

use super::Approvals;
use crate::api;
use crate::containers::ContainerError;

/// So many of a project's are read.
const MOST: usize = 50;
/// A longer file is no runbook.
const LONGEST: u64 = 64 << 10;
/// In this folder of a project.
const FOLDER: &str = "runbooks";

impl Approvals<'_> {
    /// The built-in runbooks, and those of the container's project, which take the place of built-in ones of their
    /// name. What is no runbook is left out, and said.
    pub async fn runbooks_for(&self, container_id: &str) -> Vec<Runbook> {
        let mut books = Runbook::built_in();
        let project = self
            .stack
            .containers()
            .known(container_id)
            .and_then(|row| row.project_id);
        let Some(project) = project else {
            return books;
        };
        let Ok(Some(row)) = self.stack.store().project(project.as_str()).await else {
            return books;
        };
        let folder = Path::new(&row.folder).join(FOLDER);
        let own = tokio::task::spawn_blocking(move || read(&folder)).await;
        for book in own.unwrap_or_default() {
            books.retain(|other| other.name != book.name);
            books.push(book);
        }
        books
    }

    /// What runbooks propose about what is seen, as far as they have not done so too often already.
    pub(super) async fn by_runbooks(
        &self,
        observation: &Observation,
        rows: &[ProposalRow],
    ) -> Vec<Proposal> {
        let books = self.runbooks_for(&observation.subject.container_id).await;
        let books = books.into_iter().filter(|book| !is_used_up(book, rows));
        books
            .filter_map(|book| match book.consider(observation) {
                Considered::Proposal(proposal) => Some(*proposal),
                Considered::Idle | Considered::Unmet(_) | Considered::Advice(_) => None,
            })
            .collect()
    }

    /// What each runbook would do to a container now. Nothing is done, and nothing is proposed.
    pub async fn try_runbooks(&self, name: &str) -> Result<Vec<api::RunbookTrial>, ContainerError> {
        let subject: Subject = self.stack.containers().find_subject(name)?;
        let observation = self.stack.containers().observe(&subject).await;
        let rows = self
            .stack
            .store()
            .proposals_of(&subject.container_id)
            .await?;
        let books = self.runbooks_for(&subject.container_id).await;
        Ok(books
            .into_iter()
            .map(|book| trial(&book, &observation, &rows))
            .collect())
    }
}

/// Whether it was carried out as often as it may be.
fn is_used_up(book: &Runbook, rows: &[ProposalRow]) -> bool {
    let within = i64::try_from(book.at_most.within_seconds).unwrap_or(i64::MAX);
    let after = now().saturating_sub(within.saturating_mul(1000));
    let origin = book.origin();
    let begun = rows
        .iter()
        .filter(|row| row.origin == origin && row.begun_at.is_some_and(|begun| begun > after));
    begun.count() >= book.at_most.times as usize
}

fn trial(book: &Runbook, observation: &Observation, rows: &[ProposalRow]) -> api::RunbookTrial {
    let (would, reason, proposal) = match book.consider(observation) {
        Considered::Idle => {
            let reason = format!("nothing is found of {}", book.trigger.join(", "));
            ("nothing", reason, None)
        }
        Considered::Unmet(reason) => ("nothing", reason, None),
        Considered::Advice(advice) => ("advise", advice, None),
        Considered::Proposal(_) if is_used_up(book, rows) => {
            let reason = format!("it was carried out as often as it may be. {}", book.advice);
            ("escalate", reason, None)
        }
        Considered::Proposal(proposal) => {
            let why = proposal.why.iter().map(|reason| reason.text.as_str());
            ("propose", why.collect::<Vec<_>>().join(" "), Some(proposal))
        }
    };
    let shown = proposal.as_deref();
    api::RunbookTrial {
        name: book.name.clone(),
        about: book.about.clone(),
        would: would.to_owned(),
        reason,
        commands: shown.map(Proposal::commands).unwrap_or_default(),
        verified: shown.map(Proposal::verified),
        undo: shown.map(Proposal::undo_commands).unwrap_or_default(),
    }
}

/// The runbooks in a folder, in the order of their files' names.
fn read(folder: &Path) -> Vec<Runbook> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    paths.truncate(MOST);
    let parsed = paths.iter().filter_map(|path| {
        // A longer one is none, and is not read to be told so.
        let size = std::fs::metadata(path).ok()?.len();
        let text = (size <= LONGEST).then(|| std::fs::read_to_string(path).ok())??;
        Runbook::parse(&text)
            .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "left out"))
            .ok()
    });
    parsed.collect()
}

/// The proposals of runbooks before those of the companion itself, each set of steps once.
pub(super) fn merged(mut books: Vec<Proposal>, own: Vec<Proposal>) -> Vec<Proposal> {
    for proposal in own {
        if books.iter().all(|other| other.steps != proposal.steps) {
            books.push(proposal);
        }
    }
    books
}
