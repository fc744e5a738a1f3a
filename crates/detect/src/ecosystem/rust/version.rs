//! Which Rust: what a toolchain file names, else the least that the project can be built with.

use super::lock::Lock;
use super::package::{Package, Workspace};
use crate::document::Document;
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files::{self, Said};

/// Channels that are no version, but can be asked for.
const CHANNELS: [&str; 3] = ["stable", "beta", "nightly"];

/// A form of `Cargo.lock` and the first Rust that reads it, where not every Rust that is in use does.
const LOCKS: [(u32, &str); 1] = [(4, "1.78")];

/// What is said of the version, and why where that is not what stands there.
pub(super) type Reasoned = (Claim, Option<&'static str>);

/// Everything that says which Rust, in the order in which it decides.
pub(super) fn claims(
    sources: &Sources<'_>,
    package: &Package,
    workspace: Option<&Workspace>,
    lock: Option<(&Lock<'_>, &str)>,
) -> Vec<Reasoned> {
    let by_manager = version_files::of_tool(sources, "rust").into_iter();
    let named = toolchain(sources)
        .into_iter()
        .chain(by_manager)
        .map(|said| (said.claim(channel), None));
    let mut least: Vec<Reasoned> = Vec::new();
    let mut at_least = |version: &str, from: String, why| {
        let claim = Claim::range(format!(">={version}"), version, from);
        least.push((claim, Some(why)));
    };
    if let Some((version, from)) = package.said("rust-version", workspace)
        && version_files::is_dotted(&version)
    {
        at_least(&version, from, "the least that the package allows");
    }
    if let Some((edition, from)) = package.said("edition", workspace)
        && edition == "2024"
    {
        at_least("1.85", from, "the first that knows edition 2024");
    }
    if let Some((lock, file)) = lock
        && let Some((form, line)) = lock.form
        && let Some((_, version)) = LOCKS.iter().find(|(least, _)| form >= *least)
    {
        let why = "the first that reads this form of Cargo.lock";
        at_least(version, format!("{file}:{line}"), why);
    }
    // The greatest of them allows what the others ask for.
    least.sort_by_key(|(claim, _)| std::cmp::Reverse(numbers(&claim.version)));
    named.chain(least).collect()
}

/// What the nearest toolchain file names; the one without an ending goes first, as rustup has it.
fn toolchain(sources: &Sources<'_>) -> Option<Said> {
    let file = sources.nearest(&["rust-toolchain", "rust-toolchain.toml"])?;
    let text = sources.text(&file)?;
    if !file.ends_with(".toml") && !text.contains('[') {
        return version_files::only(sources, "rust-toolchain");
    }
    let document = if file.ends_with(".toml") {
        sources.document(&file)?
    } else {
        // An older one, which is TOML by what is in it.
        Document::parse("rust-toolchain.toml", &text).ok()?
    };
    let keys = ["toolchain", "channel"];
    let version = document.text(&keys)?.to_owned();
    let from = document.from(&keys);
    let line = from.rsplit_once(':').map_or("1", |(_, line)| line);
    let from = format!("{file}:{line}");
    Some(Said { version, from })
}

/// A toolchain's name without the machine it is for: `1.75`, `nightly-2024-08-12`.
fn channel(text: &str) -> Option<String> {
    let text = text.trim();
    let mut parts = text.split('-');
    let first = parts.next()?;
    if version_files::is_dotted(first) {
        return Some(first.to_owned());
    }
    if !CHANNELS.contains(&first) {
        return None;
    }
    let date: Vec<_> = parts
        .take(3)
        .take_while(|part| part.bytes().all(|digit| digit.is_ascii_digit()))
        .collect();
    Some(if date.len() == 3 {
        format!("{first}-{}", date.join("-"))
    } else {
        first.to_owned()
    })
}

/// `1.75` as numbers.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}
