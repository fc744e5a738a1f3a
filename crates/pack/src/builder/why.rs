//! Why a step was not taken from the cache: what moved since it was last carried out.

use std::collections::BTreeMap;
use std::path::Path;

use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};

use super::{ContainerBuild, StageState, Wanted};
use crate::error::PackError;

/// Where the cache keeps what steps were made of the last time.
const LATEST: &str = "latest";

/// Which step of which project: the one that a person would call the same.
#[derive(Serialize)]
struct Place<'a> {
    folder: &'a Path,
    container: &'a str,
    stage: Option<&'a str>,
    /// How many layers come before it.
    position: usize,
    platform: &'a str,
}

/// What decides what a step leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ingredients {
    base_name: String,
    base: Digest,
    /// What made each layer before it, and what it made.
    below: Vec<(String, Digest)>,
    command: String,
    workdir: String,
    environment: BTreeMap<String, String>,
}

impl Ingredients {
    /// What is not as it was, in a few words.
    fn moved_since(&self, before: &Self) -> String {
        if self.command != before.command || self.workdir != before.workdir {
            return "the command is another".to_owned();
        }
        if self.base_name != before.base_name {
            return format!("the base was {}", before.base_name);
        }
        if self.base != before.base {
            return format!("the base {} moved", self.base_name);
        }
        let mut pairs = self.below.iter().zip(&before.below);
        if let Some(((made_by, _), (made_by_before, _))) = pairs.find(|(now, then)| now != then) {
            return if made_by == made_by_before {
                format!("`{made_by}` gave something else")
            } else {
                format!("`{made_by}` comes before it now")
            };
        }
        let changed = |name: &&String| self.environment.get(*name) != before.environment.get(*name);
        let mut names = self.environment.keys().chain(before.environment.keys());
        match names.find(changed) {
            Some(name) => format!("{name} in its environment is another"),
            None => "it is not in the cache any more".to_owned(),
        }
    }
}

impl ContainerBuild<'_, '_, '_> {
    /// Why a step is carried out, and remembers what it is made of now.
    pub(super) fn why(
        &self,
        stage: (Option<&str>, &str),
        state: &StageState,
        wanted: &Wanted<'_>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Option<String>, PackError> {
        // A second build leaves out the cache on purpose.
        if !self.work.kept {
            return Ok(None);
        }
        let (stage, base_name) = stage;
        let key = self.key(&Place {
            folder: &self.work.prepared.project.folder,
            container: &self.plan.container,
            stage,
            position: state.layers.len(),
            platform: &self.work.prepared.inputs.platform,
        })?;
        let now = Ingredients {
            base_name: base_name.to_owned(),
            base: state.base.digest,
            below: state
                .layers
                .iter()
                .map(|layer| (layer.created_by.clone(), layer.layer.digest))
                .collect(),
            command: wanted.command.to_owned(),
            workdir: wanted.workdir.to_owned(),
            environment: environment.clone(),
        };
        let before: Option<Ingredients> = self.work.cache.kept(LATEST, &key);
        let why = before.as_ref().map(|before| now.moved_since(before));
        if before.as_ref() != Some(&now) {
            self.work.cache.keep(LATEST, &key, &now)?;
        }
        Ok(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ingredients() -> Ingredients {
        Ingredients {
            base_name: "python:3.11-slim".to_owned(),
            base: Digest::of(b"base"),
            below: vec![("COPY requirements.txt /app".to_owned(), Digest::of(b"1"))],
            command: "pip install -r requirements.txt".to_owned(),
            workdir: "/app".to_owned(),
            environment: BTreeMap::from([("TZ".to_owned(), "UTC".to_owned())]),
        }
    }

    #[test]
    fn what_moved_is_named() {
        type Change = fn(&mut Ingredients);
        let changes: [(Change, &str); 6] = [
            (
                |now| now.command = "pip install flask".to_owned(),
                "the command is another",
            ),
            (
                |now| now.base = Digest::of(b"other"),
                "the base python:3.11-slim moved",
            ),
            (
                |now| now.base_name = "python:3.12-slim".to_owned(),
                "the base was python:3.11-slim",
            ),
            (
                |now| now.below[0].1 = Digest::of(b"2"),
                "`COPY requirements.txt /app` gave something else",
            ),
            (
                |now| {
                    now.environment.insert("A".to_owned(), "1".to_owned());
                },
                "A in its environment is another",
            ),
            (|_| {}, "it is not in the cache any more"),
        ];
        for (change, why) in changes {
            let mut now = ingredients();
            change(&mut now);
            assert_eq!(now.moved_since(&ingredients()), why);
        }
    }
}
