//! The runtime's version, as images and platforms say it.

use super::{Declared, Found, fact_of};
use crate::analysis::{Confidence, Loser, Topic};
use crate::ecosystem::file_of;
use crate::versions;

/// A claim decides where nothing else does, and among what a range allows; else it is shown.
pub(super) fn apply(declared: &Declared, found: &mut Found) {
    let Some(runtime) = &mut found.application.runtime else {
        return;
    };
    let mut claims = declared
        .versions
        .iter()
        .filter(|(name, _)| *name == runtime.name)
        .map(|(_, claim)| claim);
    let Some(claim) = claims.next() else {
        return;
    };
    let Some(fact) = fact_of(&mut found.report, Topic::Runtime) else {
        return;
    };
    let range = fact
        .note
        .as_deref()
        .and_then(|note| note.split_once(" says "))
        .map(|(_, said)| {
            said.split_once(", which needs ")
                .map_or(said, |(_, range)| range)
        })
        .map(|said| said.split([';', ',']).next().unwrap_or(said).to_owned());
    let decides = match fact.confidence {
        Confidence::Assumed => true,
        Confidence::Likely => range.is_some_and(|range| versions::allows(&range, &claim.version)),
        Confidence::Certain => false,
    };
    let before = runtime.version.clone();
    if !decides {
        if !versions::allows(&claim.version, &before) {
            fact.over.push(Loser {
                value: claim.version.clone(),
                from: claim.from.clone(),
            });
            let file = file_of(&fact.from);
            let rule = format!("{file} goes before {}", claim.from);
            super::add_note(fact, &rule);
        }
        return;
    }
    let label = fact
        .value
        .strip_suffix(before.as_str())
        .unwrap_or("")
        .to_owned();
    fact.value = format!("{label}{}", claim.version);
    if fact.confidence == Confidence::Likely && fact.from != claim.from {
        let rule = format!("{} says which of them", claim.from);
        super::add_note(fact, &rule);
    } else {
        fact.note = None;
    }
    fact.from.clone_from(&claim.from);
    fact.confidence = Confidence::Certain;
    runtime.version.clone_from(&claim.version);
    runtime.from = Some(claim.from.clone());
    let question = format!("{label}version? ");
    found
        .report
        .questions
        .retain(|asked| !asked.text.starts_with(&question));
    replace(found, &before);
}

/// What was made of the version that it was before.
fn replace(found: &mut Found, before: &str) {
    let Some(version) = found
        .application
        .runtime
        .as_ref()
        .map(|one| one.version.clone())
    else {
        return;
    };
    if let Some((repository, tag)) = found.base_image.rsplit_once(':')
        && let Some(rest) = tag.strip_prefix(before)
        && (rest.is_empty() || rest.starts_with('-'))
    {
        found.base_image = format!("{repository}:{version}{rest}");
    }
    for command in &mut found.application.build_commands {
        let words: Vec<_> = command
            .split(' ')
            .map(|word| {
                if word == before {
                    version.as_str()
                } else {
                    word
                }
            })
            .collect();
        let replaced = words.join(" ");
        let mut facts = found.report.facts.iter_mut();
        if let Some(fact) =
            facts.find(|fact| fact.topic == Topic::BuildCommand && fact.value == *command)
        {
            fact.value.clone_from(&replaced);
        }
        *command = replaced;
    }
}
