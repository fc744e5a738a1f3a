//! What is said of solutions: checked, looked for, brought to one digest. Pure.

use ergon_manifest::{CanonicalError, Digest, canonical_json};
use ergon_store::{SolutionNeed, SolutionRow};
use semver::Version;
use serde_json::json;

use super::error::SolutionError;
use super::names::{SolutionVersion, next_version};
use super::standards::Kind;
use crate::api;

/// The longest description, and the most and longest keywords and needs.
const LONGEST_DESCRIPTION: usize = 2_000;
const MOST_WORDS: usize = 32;
const LONGEST_WORD: usize = 64;
/// Which solutions are wanted.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words that all have to be in its name, description, keywords or source.
    pub words: String,
    pub kind: Option<String>,
    /// Only those that meet every standard.
    pub meets_standards: bool,
}

/// The version that comes next for a build; an error where one of it is kept already.
pub(super) fn next(
    versions: &[SolutionRow],
    name: &str,
    build: &str,
) -> Result<String, SolutionError> {
    let has_it = |row: &&SolutionRow| row.build_hash.as_deref() == Some(build);
    if let Some(same) = versions.iter().find(has_it) {
        return Err(SolutionError::Unchanged {
            build: build.get(..12).unwrap_or(build).to_owned(),
            name: format!("{name}@{}", same.version),
        });
    }
    let known: Vec<Version> = versions
        .iter()
        .filter_map(|row| Version::parse(&row.version).ok())
        .collect();
    Ok(next_version(&known).to_string())
}

/// Everything that was said of a version when it was kept, under one digest.
pub(super) fn digest_of(row: &SolutionRow) -> Result<Digest, CanonicalError> {
    let said = json!({
        "name": row.name, "version": row.version, "kind": row.kind, "description": row.description,
        "build": row.build_hash, "record": row.record,
    });
    Ok(Digest::of(&canonical_json(&said)?))
}

pub(super) fn needed_by(needing: &[SolutionNeed]) -> Vec<api::Dependent> {
    let dependent = |need: &SolutionNeed| api::Dependent {
        kind: "solution".to_owned(),
        name: format!("{}@{}", need.name, need.version),
        how: match need.how.as_str() {
            "needs" => "needs it".to_owned(),
            _ => "is derived from it".to_owned(),
        },
    };
    needing.iter().map(dependent).collect()
}

pub(super) fn is_wanted(row: &SolutionRow, wanted: &Search) -> bool {
    if wanted.kind.as_ref().is_some_and(|kind| *kind != row.kind) {
        return false;
    }
    let of_record = |name: &str| row.record.get(name).map(ToString::to_string);
    let text = [
        Some(row.name.clone()),
        Some(row.description.clone()),
        of_record("keywords"),
        of_record("source"),
    ];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let text = text.to_lowercase();
    let words = wanted.words.to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
}

pub(super) fn kind_of(word: &str) -> Result<Kind, SolutionError> {
    Kind::of(word).ok_or_else(|| {
        invalid(
            format!("`{word}` is no kind of solution"),
            "say container, tool or configuration",
        )
    })
}

pub(super) fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> SolutionError {
    SolutionError::Invalid {
        what: what.into(),
        remedy: remedy.into(),
    }
}

pub(super) fn check_words(wanted: &api::AddSolution) -> Result<(), SolutionError> {
    let description = wanted.description.trim();
    if description.is_empty() || description.len() > LONGEST_DESCRIPTION {
        return Err(invalid(
            "a solution is described in 1 to 2000 bytes",
            "say in a sentence or two what it is for",
        ));
    }
    let words = wanted.keywords.iter().chain(&wanted.needs);
    let are_short = words.clone().all(|word| {
        !word.is_empty() && word.len() <= 2 * LONGEST_WORD && !word.chars().any(char::is_control)
    });
    if words.count() > MOST_WORDS || !are_short {
        return Err(invalid(
            format!("keywords and needs are {MOST_WORDS} at most, of 128 bytes each"),
            "say fewer and shorter ones",
        ));
    }
    Ok(())
}

/// What a solution cannot be without, each a version by its whole name.
pub(super) fn needs_of(
    called: &SolutionVersion,
    wanted: &api::AddSolution,
) -> Result<Vec<SolutionNeed>, SolutionError> {
    let need = |how: &str, needed: &String| -> Result<SolutionNeed, SolutionError> {
        let needed: SolutionVersion = needed.parse()?;
        if needed == *called {
            return Err(invalid(
                format!("{called} cannot need itself"),
                "name another version",
            ));
        }
        Ok(SolutionNeed {
            name: called.name.to_string(),
            version: called.version.to_string(),
            how: how.to_owned(),
            needed_name: needed.name.to_string(),
            needed_version: needed.version.to_string(),
        })
    };
    let needs = wanted.needs.iter().map(|needed| need("needs", needed));
    let derived = wanted.derived_from.iter();
    let derived = derived.map(|needed| need("derived-from", needed));
    needs.chain(derived).collect()
}
