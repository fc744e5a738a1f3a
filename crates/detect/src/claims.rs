//! What a project says of its runtime's version, and what is made of it where it says several things.

use ergon_manifest::Runtime;

use crate::analysis::{Loser, Topic, printable};
use crate::ecosystem::{Report, UsualRuntime, file_of};
use crate::plan::shell_quoted;
use crate::{version_files, versions};

/// Stands between what asks for a version and the range that it asks for: `Rails 8.0, which needs >=3.2`.
const WHICH_NEEDS: &str = ", which needs ";

/// What a file of the project says of the runtime's version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// What it decides for; empty where it cannot be followed.
    pub version: String,
    /// `file:line`
    pub from: String,
    /// As written, where that leaves several open: `>=18`.
    pub range: Option<String>,
    /// The range that has to hold, where that is not what is written.
    needs: Option<String>,
    /// Why it decides, and what settles that another one does, where the files' order does not say it.
    rule: Option<&'static str>,
    remedy: Option<String>,
}

impl Claim {
    pub fn exactly(version: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            from: from.into(),
            ..Self::default()
        }
    }

    pub fn range(
        range: impl Into<String>,
        chosen: impl Into<String>,
        from: impl Into<String>,
    ) -> Self {
        Self {
            version: chosen.into(),
            from: from.into(),
            range: Some(range.into()),
            ..Self::default()
        }
    }

    /// What asks for a range, which decides for a version of it.
    pub fn of_need(
        what: &str,
        range: &str,
        chosen: impl Into<String>,
        from: impl Into<String>,
    ) -> Self {
        Self::range(format!("{what}{WHICH_NEEDS}{range}"), chosen, from)
    }

    /// What names no version that is known.
    pub fn unknown(said: impl Into<String>, from: impl Into<String>) -> Self {
        Self::range(said, "", from)
    }

    /// Nothing older will do.
    pub fn at_least(self) -> Self {
        let needs = format!(">={}", self.version);
        self.needing(needs)
    }

    /// The range that has to hold, whatever is written.
    pub fn needing(mut self, range: impl Into<String>) -> Self {
        self.needs = Some(range.into());
        self
    }

    /// Why it decides.
    pub fn by(mut self, rule: &'static str) -> Self {
        self.rule = Some(rule);
        self
    }

    /// What makes it agree with the one that decides.
    pub fn settled_by(mut self, remedy: String) -> Self {
        self.remedy = Some(remedy);
        self
    }

    fn said(&self) -> &str {
        self.range.as_deref().unwrap_or(&self.version)
    }

    /// What is said, without what says it.
    fn wanted(&self) -> &str {
        let said = self.said();
        said.split_once(WHICH_NEEDS)
            .map_or(said, |(_, range)| range)
    }

    /// The range without which nothing is built; two that name a version each only differ.
    fn needs(&self) -> Option<&str> {
        let is_range = |said: &&str| {
            said.trim_start()
                .starts_with(|first: char| first.is_ascii_digit() || "<>=~^!".contains(first))
        };
        let written = || self.range.as_ref().map(|_| self.wanted()).filter(is_range);
        self.needs.as_deref().or_else(written)
    }

    fn is_met_by(&self, version: &str) -> bool {
        self.needs()
            .is_none_or(|needs| versions::allows(needs, version))
    }

    /// Whether it decides nothing, because nobody knows what is meant.
    pub fn is_unknown(&self) -> bool {
        self.version.is_empty()
    }

    fn file(&self) -> &str {
        file_of(&self.from)
    }

    /// How another version is written where this one is.
    fn rewritten(&self, version: &str) -> String {
        let file = self.file();
        let name = file.rsplit('/').next().unwrap_or(file);
        let line = self.from.get(file.len() + 1..);
        if version_files::holds_one(name) && line == Some("1") {
            return format!("echo {version} > {}", shell_quoted(file));
        }
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}, line {line}"));
        format!("in {place}, write {version} instead of {}", self.said())
    }
}

impl Report {
    /// The runtime's version: the first claim decides, and those that say otherwise are shown; without one it
    /// is the usual one. There is a question that would settle it where nothing decides, and where what decides is
    /// not what another one cannot do without.
    pub fn runtime(
        &mut self,
        usual: &UsualRuntime,
        claims: impl IntoIterator<Item = Claim>,
    ) -> Runtime {
        let (unknown, claims): (Vec<_>, Vec<_>) = claims.into_iter().partition(Claim::is_unknown);
        let not_followed: Vec<_> = unknown
            .iter()
            .map(|claim| format!("{} says {}", claim.from, claim.said()))
            .collect();
        let not_followed = (!unknown.is_empty())
            .then(|| format!("{}, which could not be followed", not_followed.join(", ")));
        let (version, from) = if let Some((winner, rest)) = claims.split_first() {
            self.decided(usual, winner, rest, not_followed);
            (winner.version.clone(), winner.from.clone())
        } else {
            let remedy = unknown.first().map_or_else(
                || usual.remedy.to_owned(),
                |claim| claim.rewritten(usual.version),
            );
            self.undecided(usual, not_followed.as_deref(), remedy);
            (usual.version.to_owned(), "assumed".to_owned())
        };
        Runtime {
            name: usual.name.to_owned(),
            version,
            from: Some(from),
        }
    }

    fn decided(
        &mut self,
        usual: &UsualRuntime,
        winner: &Claim,
        rest: &[Claim],
        not_followed: Option<String>,
    ) {
        let losers: Vec<_> = rest
            .iter()
            .filter(|claim| !versions::allows(claim.wanted(), &winner.version))
            .collect();
        let value = format!("{} {}", usual.label, winner.version);
        let fact = match winner.range {
            None => self.certain(Topic::Runtime, value, &winner.from),
            Some(_) => self.likely(Topic::Runtime, value, &winner.from),
        };
        let open = winner
            .range
            .as_ref()
            .filter(|range| **range != winner.version)
            .map(|range| format!("{} says {range}", winner.from));
        let decided = losers.first().map(|loser| {
            let rule = if let Some(rule) = winner.rule {
                rule.to_owned()
            } else if winner.range.is_none() && loser.range.is_some() {
                "an exact version goes before a range".to_owned()
            } else {
                format!("{} goes before {}", winner.file(), loser.file())
            };
            let others: Vec<_> = losers
                .iter()
                .map(|loser| format!("{} says {}", loser.from, loser.said()))
                .collect();
            format!("{rule}; {}", others.join(", "))
        });
        let why: Vec<_> = open
            .into_iter()
            .chain(decided)
            .chain(not_followed)
            .collect();
        if !why.is_empty() {
            fact.note(why.join("; "));
        }
        fact.over = losers
            .into_iter()
            .map(|loser| Loser {
                value: printable(loser.said()),
                from: printable(&loser.from),
            })
            .collect();
        self.ask_which(usual, winner, rest);
    }

    fn undecided(&mut self, usual: &UsualRuntime, not_followed: Option<&str>, remedy: String) {
        let UsualRuntime { label, version, .. } = usual;
        let note = not_followed.unwrap_or("nothing in the project says");
        let why = not_followed.unwrap_or("nothing says");
        self.assumed(Topic::Runtime, format!("{label} {version}"))
            .note(note);
        self.ask(
            format!("{label} version? {why}; {version} assumed."),
            remedy,
        );
    }

    /// Asks which version is meant, where the one that decides is not what the others need.
    fn ask_which(&mut self, usual: &UsualRuntime, winner: &Claim, rest: &[Claim]) {
        let unmet: Vec<_> = rest
            .iter()
            .filter(|claim| !claim.is_met_by(&winner.version))
            .collect();
        let Some(first) = unmet.first() else {
            return;
        };
        let needs: Vec<_> = unmet
            .iter()
            .map(|claim| format!("{} wants {}", claim.from, claim.said()))
            .collect();
        let text = format!(
            "{} version? {} says {}, but {}.",
            usual.label,
            winner.from,
            winner.said(),
            needs.join(", ")
        );
        // One that is everybody's, as far as those that are named tell.
        let common = unmet
            .iter()
            .map(|claim| claim.version.as_str())
            .find(|version| rest.iter().all(|claim| claim.is_met_by(version)));
        let is_of_package = winner.range.is_some() && !version_files::is_one(winner.file());
        let remedy = match (&first.remedy, common) {
            (Some(remedy), _) => remedy.clone(),
            (None, Some(version)) if !is_of_package => winner.rewritten(version),
            (None, Some(version))
                if winner.is_met_by(version) && usual.remedy.contains(usual.version) =>
            {
                usual.remedy.replace(usual.version, version)
            }
            _ => format!(
                "write ranges that have a version in common: {}, {}",
                winner.from, first.from
            ),
        };
        self.ask(text, remedy);
    }
}
