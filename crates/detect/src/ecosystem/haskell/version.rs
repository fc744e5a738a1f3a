//! Which compiler a project wants.

use crate::ecosystem::Claim;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::version_files;
use crate::versions::{self, Part};

/// The compiler of each of Stackage's series.
const SERIES: [(u32, &str); 14] = [
    (11, "8.2"),
    (12, "8.4"),
    (13, "8.6"),
    (14, "8.6"),
    (15, "8.8"),
    (16, "8.8"),
    (17, "8.10"),
    (18, "8.10"),
    (19, "9.0"),
    (20, "9.2"),
    (21, "9.4"),
    (22, "9.6"),
    (23, "9.8"),
    (24, "9.10"),
];
/// The compiler that each `base` 4.x comes with.
const BASES: [(u32, &str); 11] = [
    (11, "8.4"),
    (12, "8.6"),
    (13, "8.8"),
    (14, "8.10"),
    (15, "9.0"),
    (16, "9.2"),
    (17, "9.4"),
    (18, "9.6"),
    (19, "9.8"),
    (20, "9.10"),
    (21, "9.12"),
];
/// That of the usual compiler.
const USUAL_BASE: u32 = 15;

pub(super) fn claims(sources: &Sources<'_>, stack: bool, cabal: Option<&str>) -> Vec<Claim> {
    let resolver = stack.then(|| resolver(sources)).flatten();
    let files = ["cabal.project.freeze"]
        .into_iter()
        .chain(cabal)
        .chain(["package.yaml"]);
    let mut bases = files.filter_map(|file| base(sources, file));
    version_files::claims(sources, &[], &["ghc"])
        .chain(resolver)
        .chain(project(sources))
        .chain(bases.next())
        .collect()
}

/// `with-compiler: ghc-9.4.7`
fn project(sources: &Sources<'_>) -> Option<Claim> {
    let file = "cabal.project";
    let text = sources.text(file)?;
    text.lines().enumerate().find_map(|(index, line)| {
        let version = line
            .trim()
            .strip_prefix("with-compiler:")?
            .trim()
            .strip_prefix("ghc-")?;
        version_files::is_dotted(version)
            .then(|| Claim::exactly(version, format!("{file}:{}", index + 1)))
    })
}

/// `resolver: lts-20.4`, or the address of one: `…/lts/20/4.yaml`.
fn resolver(sources: &Sources<'_>) -> Option<Claim> {
    let document = sources.document("stack.yaml")?;
    let places: [&[&str]; 5] = [
        &["compiler"],
        &["resolver"],
        &["snapshot"],
        &["resolver", "url"],
        &["snapshot", "url"],
    ];
    places.into_iter().find_map(|keys| {
        let said = document.text(keys)?;
        let from = document.from(keys);
        if let Some(version) = said.strip_prefix("ghc-") {
            return version_files::is_dotted(version).then(|| Claim::exactly(version, from));
        }
        let series = said
            .strip_prefix("lts-")
            .or_else(|| said.split_once("/lts/").map(|(_, rest)| rest))?;
        let number: u32 = series.split(['.', '/']).next()?.parse().ok()?;
        let (_, version) = SERIES.iter().find(|(series, _)| *series == number)?;
        Some(Claim::range(said, *version, from))
    })
}

/// `base ^>=4.17`: the standard library, of which every compiler has one.
fn base(sources: &Sources<'_>, file: &str) -> Option<Claim> {
    let text = sources.text(file)?;
    let candidates: Vec<_> = BASES.iter().map(|(minor, _)| *minor).collect();
    Scan::behind(&text, "base", &["--", "#"]).find_map(|scan| {
        let line = scan.rest().lines().next().unwrap_or("");
        let range = line.split(',').next().unwrap_or("").trim();
        if !range.starts_with(['^', '>', '=', '<']) {
            return None;
        }
        let minor = versions::choose(range, &candidates, USUAL_BASE, Part::MinorOf(4))?;
        // What nearly every compiler does is no wish for one.
        if versions::allowed(range, &candidates, Part::MinorOf(4)).len() == candidates.len() {
            return None;
        }
        let (_, version) = BASES.iter().find(|(base, _)| *base == minor)?;
        let from = format!("{file}:{}", scan.line());
        Some(Claim::range(format!("base {range}"), *version, from))
    })
}
