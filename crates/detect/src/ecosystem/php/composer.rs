//! `composer.json`, `composer.lock`, and the version of PHP that they want.

use std::rc::Rc;

use crate::document::Document;
use crate::ecosystem::{Claim, LockState};
use crate::sources::{Sources, is_blank};
use crate::version_files;
use crate::versions;

const FILE: &str = "composer.json";
const LOCK: &str = "composer.lock";
/// The minor versions there are.
const VERSIONS: [(u32, u32); 11] = [
    (7, 0),
    (7, 1),
    (7, 2),
    (7, 3),
    (7, 4),
    (8, 0),
    (8, 1),
    (8, 2),
    (8, 3),
    (8, 4),
    (8, 5),
];

/// What is usual, and still looked after: what a range begins with need not be.
const USUAL: (u32, u32) = (8, 2);

/// What a project requires.
pub(super) struct Composer {
    pub document: Document,
    /// The lock file, as far as it is read. It repeats what every package says of itself and may be of any
    /// size, so that only lines are looked for in it.
    lock: Option<Rc<str>>,
}

impl Composer {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        Some(Self {
            document: sources.document(FILE)?,
            lock: sources.text(LOCK),
        })
    }

    /// What is required in production, with where: packages and extensions.
    pub fn required(&self) -> impl Iterator<Item = (&str, String)> {
        self.document
            .table(&["require"])
            .map(|(name, _)| (name, self.document.from(&["require", name])))
    }

    pub fn requires(&self, package: &str) -> bool {
        self.document.get(&["require", package]).is_some()
    }

    pub fn place_of(&self, package: &str) -> String {
        self.document.from(&["require", package])
    }

    pub fn is_locked(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| !is_blank(lock))
    }

    /// How many packages are required, PHP and its extensions left out.
    pub fn packages(&self) -> usize {
        self.required().filter(|(name, _)| is_package(name)).count()
    }

    /// Whether the lock file has every package that is required.
    pub fn state(&self) -> LockState {
        let Some(lock) = &self.lock else {
            return LockState::Missing;
        };
        let has = |name: &str| {
            let name = name.to_ascii_lowercase();
            // Its own entry, or the one of a package that replaces it.
            lock.contains(&format!("\"{name}\""))
        };
        if self
            .required()
            .all(|(name, _)| !is_package(name) || has(name))
        {
            LockState::Locked
        } else {
            LockState::Stale
        }
    }

    /// `11.9` of the version that is locked, else of what is required.
    pub fn version(&self, package: &str) -> Option<String> {
        let locked = self.lock.as_ref().and_then(|lock| {
            let at = lock.find(&format!("\"name\": \"{package}\""))?;
            let line = lock.get(at..)?.lines().nth(1)?;
            line.trim()
                .strip_prefix("\"version\": \"")?
                .split('"')
                .next()
        });
        let version = locked.or_else(|| self.document.text(&["require", package]))?;
        let version = version.trim_start_matches(|character: char| !character.is_ascii_digit());
        let version = version.split([' ', '|', ',']).next().unwrap_or("");
        let short: Vec<_> = version.splitn(3, '.').take(2).collect();
        (!version.is_empty()).then(|| short.join("."))
    }

    /// The part of the lock file that is about packages which are there in production.
    fn production(&self) -> Option<&str> {
        let lock = self.lock.as_deref()?;
        let end = lock.find("\"packages-dev\":").unwrap_or(lock.len());
        lock.get(..end)
    }

    /// The extensions that packages require, with where.
    pub fn locked_extensions(&self) -> Vec<(String, String)> {
        let Some(lock) = self.production() else {
            return Vec::new();
        };
        let mut found: Vec<(String, String)> = Vec::new();
        let mut section = "";
        for (number, line) in lock.lines().enumerate() {
            let entry = line.trim_start();
            if let Some(key) = entry.strip_suffix(": {") {
                section = key.trim_matches('"');
            }
            let name = entry
                .strip_prefix("\"ext-")
                .and_then(|rest| rest.split('"').next());
            if let Some(name) = name
                && section == "require"
                && !found.iter().any(|(known, _)| known.get(4..) == Some(name))
            {
                found.push((format!("ext-{name}"), format!("{LOCK}:{}", number + 1)));
            }
        }
        found
    }

    /// What the packages of the lock file require of PHP.
    fn locked_ranges(&self) -> Vec<String> {
        let Some(lock) = self.production() else {
            return Vec::new();
        };
        let mut ranges: Vec<String> = lock
            .match_indices("\"php\": \"")
            .filter_map(|(at, key)| lock.get(at + key.len()..)?.split('"').next())
            .map(normal)
            .collect();
        ranges.sort();
        ranges.dedup();
        ranges
    }

    fn required_php(&self) -> Option<Claim> {
        let range = self.document.text(&["require", "php"])?;
        let from = self.document.from(&["require", "php"]);
        if version_files::is_dotted(range) && range.split('.').count() == 3 {
            return Some(Claim::exactly(range, from));
        }
        Some(match chosen(range, &self.locked_ranges()) {
            Some(chosen) => Claim::range(range, chosen, from).needing(normal(range)),
            None => Claim::unknown(range, from),
        })
    }

    fn platform(&self) -> Option<Claim> {
        let keys = ["config", "platform", "php"];
        let version = self.document.text(&keys)?;
        version_files::is_dotted(version)
            .then(|| Claim::exactly(version, self.document.from(&keys)))
    }

    /// Whether Composer is told for which PHP it chooses packages.
    pub fn has_platform(&self) -> bool {
        self.document.get(&["config", "platform", "php"]).is_some()
    }
}

/// Whether a requirement is a package, not PHP or a part of it.
fn is_package(name: &str) -> bool {
    name.contains('/')
}

/// The versions that the project claims, those that are meant for the machine first.
pub(super) fn claims(sources: &Sources<'_>, composer: Option<&Composer>) -> Vec<Claim> {
    let said = version_files::only(sources, ".php-version")
        .into_iter()
        .chain(version_files::of_tool(sources, "php"));
    let files = said.map(|said| {
        said.claim(|version| {
            let version = version.trim_start_matches("php-");
            version_files::is_dotted(version).then(|| version.to_owned())
        })
    });
    let platform = composer.and_then(Composer::platform);
    let required = composer.and_then(Composer::required_php);
    let claims: Vec<_> = files.chain(platform).chain(required).collect();
    let (unknown, claims): (Vec<_>, Vec<_>) = claims.into_iter().partition(Claim::is_unknown);
    let Some(winner) = claims.first().map(|claim| claim.version.clone()) else {
        return unknown;
    };
    // Composer's ranges are its own; what allows the winner does not contradict it.
    let agrees = |claim: &Claim| {
        claim
            .range
            .as_ref()
            .is_some_and(|range| versions::allows(&normal(range), &winner))
    };
    let (first, rest) = claims.split_at(1);
    let rest = rest.iter().filter(|claim| !agrees(claim));
    first.iter().chain(rest).chain(&unknown).cloned().collect()
}

/// The usual version where a range allows it, raised to what the range and the locked packages want.
fn chosen(range: &str, locked: &[String]) -> Option<String> {
    let range = normal(range);
    let allowed: Vec<(u32, u32)> = VERSIONS
        .into_iter()
        .filter(|(major, minor)| versions::allows(&range, &format!("{major}.{minor}")))
        .collect();
    let installable = |(major, minor): &(u32, u32)| {
        let version = format!("{major}.{minor}");
        locked.iter().all(|range| versions::allows(range, &version))
    };
    let with_lock: Vec<_> = allowed.iter().copied().filter(installable).collect();
    let candidates = if with_lock.is_empty() {
        allowed
    } else {
        with_lock
    };
    let above = candidates.iter().find(|version| **version >= USUAL);
    let (major, minor) = above.or(candidates.last())?;
    Some(format!("{major}.{minor}"))
}

/// A range of Composer's as [`versions`] reads it: `^7.4|~8.1` is `^7.4||~=8.1`.
fn normal(range: &str) -> String {
    let range = range.replace("||", "|").replace('|', "||");
    range.replace('~', "~=").replace("~==", "~=")
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn a_range_allows_the_usual_version_or_decides_for_one_near_it() {
        for (range, version) in [
            ("^8.1", "8.2"),
            (">=8.3", "8.3"),
            ("~8.3.0", "8.3"),
            ("8.1.*", "8.1"),
            ("^8.0|^8.1", "8.2"),
            ("~8.0", "8.2"),
            ("^7.4|^8.0", "8.2"),
            ("^7.3 || ^8.0", "8.2"),
            (">=7.2", "8.2"),
            ("^7.4", "7.4"),
            (">=5.6 <8.0", "7.4"),
            ("*", "8.2"),
            ("^8", "8.2"),
        ] {
            assert_eq!(chosen(range, &[]).as_deref(), Some(version), "{range}");
        }
    }

    #[test]
    fn locked_packages_may_want_more() {
        let locked = [">=8.2".to_owned(), "^7.4||^8.0".to_owned()];
        assert_eq!(chosen("^8.1", &locked).as_deref(), Some("8.2"));
    }
}
