//! Which Node, or which Bun.

use ergon_manifest::Runtime;

use super::USUAL;
use super::package::{Manager, Package};
use crate::ecosystem::{Claim, Report, UsualRuntime};
use crate::sources::Sources;
use crate::version_files::{self, Said};
use crate::versions::{self, Part};

const MAJOR_VERSIONS: [u32; 11] = [12, 14, 16, 18, 20, 21, 22, 23, 24, 25, 26];

/// The names of the versions with long support.
const CODE_NAMES: [(&str, &str); 10] = [
    ("erbium", "12"),
    ("fermium", "14"),
    ("gallium", "16"),
    ("hydrogen", "18"),
    ("iron", "20"),
    ("jod", "22"),
    ("krypton", "24"),
    ("argon", "4"),
    ("boron", "6"),
    ("carbon", "8"),
];

const BUN: UsualRuntime = UsualRuntime {
    name: "bun",
    label: "Bun",
    version: "1",
    remedy: "echo 1 > .bun-version",
};

/// The runtime's version and who said so.
pub(super) fn runtime(
    sources: &Sources<'_>,
    package: &Package,
    manager: Manager,
    report: &mut Report,
) -> Runtime {
    if manager == Manager::Bun {
        return report.runtime(&BUN, bun_claims(sources, package));
    }
    report.runtime(&USUAL, claims(sources, package))
}

/// Files that are only for it, then what the package allows.
fn claims(sources: &Sources<'_>, package: &Package) -> Vec<Claim> {
    let files = [".nvmrc", ".node-version"]
        .into_iter()
        .filter_map(|file| version_files::only(sources, file));
    let tools = ["nodejs", "node"]
        .into_iter()
        .flat_map(|tool| version_files::of_tool(sources, tool));
    let mut claims: Vec<_> = files.chain(tools).filter_map(claim).collect();
    let volta = package.document.text(&["volta", "node"]);
    claims.extend(
        volta.map(|version| Claim::exactly(version, package.document.from(&["volta", "node"]))),
    );
    if let Some(range) = package.document.text(&["engines", "node"]) {
        let from = package.document.from(&["engines", "node"]);
        if version_files::is_dotted(range) {
            claims.push(Claim::exactly(range, from));
        } else if let Some(major) = versions::choose(range, &MAJOR_VERSIONS, 18, Part::Major) {
            claims.push(Claim::range(range, major.to_string(), from));
        }
    }
    // A package of a workspace runs with what its root asks for.
    if claims.is_empty()
        && let Some(root) = sources.nearest(&["../package.json", "../../package.json"])
        && let Some(document) = sources.document(&root)
        && let Some(range) = document.text(&["engines", "node"])
        && let Some(major) = versions::choose(range, &MAJOR_VERSIONS, 18, Part::Major)
    {
        let from = document.from(&["engines", "node"]);
        claims.push(Claim::range(range, major.to_string(), from));
    }
    claims
}

/// `18.17.1`, `v18`, `lts/hydrogen`, `lts/*`, `node`.
fn claim(said: Said) -> Option<Claim> {
    let Said { version, from } = said;
    let plain = version.trim_start_matches('v');
    if version_files::is_dotted(plain) {
        return Some(Claim::exactly(plain, from));
    }
    let name = version
        .strip_prefix("lts/")
        .unwrap_or(&version)
        .to_ascii_lowercase();
    if let Some((_, major)) = CODE_NAMES.iter().find(|(known, _)| *known == name) {
        return Some(Claim::range(version, *major, from));
    }
    // The newest there is, or the newest with long support: an image's tag says that too.
    match name.as_str() {
        "*" | "lts" | "lts-latest" => Some(Claim::range(version, "lts", from)),
        "node" | "latest" | "current" | "stable" => Some(Claim::range(version, "current", from)),
        range => {
            let major = versions::choose(range, &MAJOR_VERSIONS, 18, Part::Major)
                .filter(|_| range.contains(|character: char| character.is_ascii_digit()))?;
            Some(Claim::range(version.clone(), major.to_string(), from))
        }
    }
}

fn bun_claims(sources: &Sources<'_>, package: &Package) -> Vec<Claim> {
    let mut claims: Vec<_> = version_files::claims(sources, &[".bun-version"], &["bun"]).collect();
    let named = package.document.text(&["packageManager"]);
    let version = named
        .and_then(|named| named.strip_prefix("bun@"))
        .map(|version| version.split('+').next().unwrap_or(version))
        .filter(|version| version_files::is_dotted(version));
    claims.extend(
        version.map(|version| Claim::exactly(version, package.document.from(&["packageManager"]))),
    );
    if let Some(range) = package.document.text(&["engines", "bun"]) {
        let from = package.document.from(&["engines", "bun"]);
        claims.push(Claim::range(range, "1", from));
    }
    claims
}
