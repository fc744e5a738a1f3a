//! `Gemfile.lock`.

use std::collections::BTreeMap;

use super::gemfile::Gemfile;
use crate::ecosystem::LockState;
use crate::sources::Sources;

/// What Bundler settled on.
#[derive(Debug, Default)]
pub(super) struct Lock {
    pub file: &'static str,
    /// The version of every gem.
    versions: BTreeMap<String, String>,
    /// What was listed when it was written, and what was required of it.
    dependencies: BTreeMap<String, Vec<String>>,
    platforms: Vec<String>,
    /// The version of Ruby and its line.
    pub ruby: Option<(String, usize)>,
}

impl Lock {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let file = sources.first_of(&["Gemfile.lock", "gems.locked"])?;
        let mut lock = Self::parse(&sources.text(file)?);
        lock.file = if file == "gems.locked" {
            "gems.locked"
        } else {
            "Gemfile.lock"
        };
        Some(lock)
    }

    fn parse(text: &str) -> Self {
        let mut lock = Self::default();
        let mut section = "";
        for (index, line) in text.lines().enumerate() {
            let entry = line.trim();
            if !line.starts_with(' ') {
                section = entry;
                continue;
            }
            match section {
                "PLATFORMS" => lock.platforms.push(entry.to_owned()),
                "DEPENDENCIES" => {
                    let (name, requirements) = entry.split_once(' ').unwrap_or((entry, ""));
                    let requirements = requirements.trim_matches(['(', ')', '!']).split(", ");
                    lock.dependencies.insert(
                        name.trim_end_matches('!').to_owned(),
                        requirements
                            .filter(|text| !text.is_empty())
                            .map(str::to_owned)
                            .collect(),
                    );
                }
                "RUBY VERSION" => {
                    let version = entry.strip_prefix("ruby ").unwrap_or("");
                    let version = version.split(['p', ' ']).next().unwrap_or("");
                    lock.ruby = Some((version.to_owned(), index + 1));
                }
                // Four spaces: a gem; six: what it needs.
                "GEM" | "PATH" | "GIT"
                    if line.starts_with("    ") && !line.starts_with("     ") =>
                {
                    if let Some((name, version)) = entry.split_once(" (") {
                        let version = version.trim_end_matches(')');
                        // A precompiled one says for what: `1.16.0-x86_64-linux`.
                        let version = version.split('-').next().unwrap_or(version);
                        lock.versions.insert(name.to_owned(), version.to_owned());
                    }
                }
                _ => {}
            }
        }
        lock
    }

    pub fn version(&self, gem: &str) -> Option<&str> {
        self.versions.get(gem).map(String::as_str)
    }

    /// Whether it was written for what the Gemfile lists now.
    pub fn state(&self, gemfile: &Gemfile) -> LockState {
        let mut listed = gemfile.gems.iter().filter(|gem| !gem.conditional);
        let agrees = listed.all(|gem| {
            self.dependencies.get(&gem.name).is_some_and(|locked| {
                locked.len() == gem.requirements.len()
                    && locked
                        .iter()
                        .all(|one| gem.requirements.iter().any(|other| same(one, other)))
            })
        });
        let mut locked = self.dependencies.keys();
        let nothing_more = gemfile.open || locked.all(|name| gemfile.get(name).is_some());
        if agrees && nothing_more {
            LockState::Locked
        } else {
            LockState::Stale
        }
    }

    /// Whether Linux was among the platforms that it was written for.
    pub fn is_for_linux(&self) -> bool {
        self.platforms.is_empty()
            || self
                .platforms
                .iter()
                .any(|platform| platform == "ruby" || platform.contains("linux"))
    }
}

/// `1.2` and `= 1.2` are the same.
fn same(locked: &str, written: &str) -> bool {
    let plain = |text: &str| {
        text.trim_start_matches('=')
            .split_whitespace()
            .collect::<String>()
    };
    plain(locked) == plain(written)
}
