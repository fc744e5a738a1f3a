//! Runbooks: the built-in ones and those of projects, what they would do, and that they do not go round in circles.

use std::path::Path;

use ergon_companion::actions::{Considered, Proposal, Runbook};
use ergon_companion::{Observation, Subject};
use ergon_store::{NewEvent, ProposalRow, StoreError, now};
use serde_json::json;

use super::Approvals;
use crate::api;
use crate::containers::ContainerError;

/// So many of a project's are read.
const MOST: usize = 50;
/// A longer file is no runbook.
const LONGEST: u64 = 64 << 10;
/// In this folder of a project.
const FOLDER: &str = "runbooks";
/// The event that says a runbook was carried out as often as it may be.
const USED_UP: &str = "dev.ergon.runbook.used-up";
/// So many of them are remembered to have been told; the store knows of all.
const REMEMBERED: usize = 1000;

/// Runbooks, and the files that are none.
#[derive(Debug, Default)]
struct Shelf {
    books: Vec<Runbook>,
    unreadable: Vec<Unreadable>,
}

/// A file that is no runbook: its name, and why.
#[derive(Debug)]
struct Unreadable {
    file: String,
    reason: String,
}

impl Approvals<'_> {
    /// The built-in runbooks, and those of the container's project, which take the place of built-in ones of their
    /// name. What is no runbook is left out, and said.
    async fn runbooks_for(&self, container_id: &str) -> Shelf {
        let mut shelf = Shelf {
            books: Runbook::built_in(),
            unreadable: Vec::new(),
        };
        let project = self
            .stack
            .containers()
            .known(container_id)
            .and_then(|row| row.project_id);
        let Some(project) = project else {
            return shelf;
        };
        let Ok(Some(row)) = self.stack.store().project(project.as_str()).await else {
            return shelf;
        };
        let folder = Path::new(&row.folder).join(FOLDER);
        let own = tokio::task::spawn_blocking(move || read(&folder)).await;
        let own = own.unwrap_or_default();
        for book in own.books {
            shelf.books.retain(|other| other.name != book.name);
            shelf.books.push(book);
        }
        shelf.unreadable = own.unreadable;
        shelf
    }

    /// What runbooks propose about what is seen, as far as they have not done so too often already.
    pub(super) async fn by_runbooks(
        &self,
        observation: &Observation,
        rows: &[ProposalRow],
    ) -> Vec<Proposal> {
        let shelf = self.runbooks_for(&observation.subject.container_id).await;
        let mut proposals = Vec::new();
        for book in shelf.books {
            let Considered::Proposal(proposal) = book.consider(observation) else {
                continue;
            };
            if !is_used_up(&book, rows) {
                proposals.push(*proposal);
            } else if let Err(error) = self.tell_used_up(&book, &proposal, rows).await {
                tracing::error!(%error, runbook = book.name, "that a runbook is used up could not be told");
            }
        }
        proposals
    }

    /// Says once that what a runbook does was done as often as it may be, and that it is still needed.
    async fn tell_used_up(
        &self,
        book: &Runbook,
        proposal: &Proposal,
        rows: &[ProposalRow],
    ) -> Result<(), StoreError> {
        let origin = book.origin();
        let mine = || rows.iter().filter(|row| row.origin == origin);
        // While it is carried out, what it is for is still seen.
        if mine().any(|row| matches!(row.state.as_str(), "approved" | "running")) {
            return Ok(());
        }
        let last = mine().filter_map(|row| row.begun_at).max().unwrap_or(0);
        let container = &proposal.target;
        let subject = format!("runbook/{}/{}", book.name, container.name);
        let turns = self.stack.turns();
        let mut told = turns.used_up.lock().await;
        let key = (container.id.clone(), book.name.clone());
        if told.get(&key) == Some(&last) {
            return Ok(());
        }
        let store = self.stack.store();
        if !store.was_told(USED_UP, &subject, last).await? {
            let data = json!({
                "container": container.name, "container_id": container.id, "runbook": book.name,
                "times": book.at_most.times, "within_seconds": book.at_most.within_seconds, "advice": book.advice,
            });
            let change = store.change(NewEvent::new(USED_UP, subject, data)).await?;
            change.commit().await?;
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        told.insert(key, last);
        Ok(())
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
        let shelf = self.runbooks_for(&subject.container_id).await;
        let trials = shelf
            .books
            .iter()
            .map(|book| trial(book, &observation, &rows));
        Ok(trials
            .chain(shelf.unreadable.into_iter().map(left_out))
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

/// What is said of a file that is no runbook.
fn left_out(file: Unreadable) -> api::RunbookTrial {
    api::RunbookTrial {
        name: file.file,
        about: String::new(),
        would: "unreadable".to_owned(),
        reason: file.reason,
        commands: Vec::new(),
        verified: None,
        undo: Vec::new(),
    }
}

/// The runbooks in a folder, in the order of their files' names.
fn read(folder: &Path) -> Shelf {
    let mut shelf = Shelf::default();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return shelf;
    };
    let is_yaml = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    let mut paths: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| is_yaml(path))
        .collect();
    paths.sort();
    paths.truncate(MOST);
    for path in paths {
        match read_one(&path) {
            Ok(book) => shelf.books.push(book),
            Err(reason) => {
                let name = path.file_name().unwrap_or_default();
                shelf.unreadable.push(Unreadable {
                    file: format!("{FOLDER}/{}", name.to_string_lossy()),
                    reason,
                });
            }
        }
    }
    shelf
}

fn read_one(path: &Path) -> Result<Runbook, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    // A longer one is none, and is not read to be told so.
    if std::fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return Err("it is longer than 64 KiB".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Runbook::parse(&text).map_err(|error| error.to_string())
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
