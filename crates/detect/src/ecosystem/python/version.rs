//! Which Python a project asks for, wherever it says so.

use serde_json::Value;

use super::dependencies::Dependencies;
use super::metadata::Metadata;
use crate::document::Document;
use crate::ecosystem::{Claim, Report};
use crate::sources::Sources;
use crate::versions::{self, Part};

const MINOR_VERSIONS: [u32; 8] = [7, 8, 9, 10, 11, 12, 13, 14];
/// What is taken where several are allowed.
const PREFERRED: u32 = 11;

/// Files whose purpose is to say it, in the order in which they decide.
const VERSION_FILES: [&str; 8] = [
    ".python-version",
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
    ".config/mise.toml",
    ".config/mise/config.toml",
    ".mise/config.toml",
    "runtime.txt",
];

/// Everything that is said, in the order in which it decides, and what names no version that is known.
pub(super) fn claims(
    sources: &Sources<'_>,
    metadata: &Metadata,
    script: Option<Claim>,
) -> (Vec<Claim>, Vec<Claim>) {
    let own = VERSION_FILES.iter().filter_map(|file| {
        sources
            .has(file)
            .then(|| in_version_file(sources, file))
            .flatten()
    });
    let outer = VERSION_FILES.iter().filter_map(|file| {
        let path = sources.nearest(&[*file])?;
        path.starts_with("../")
            .then(|| in_version_file(sources, &path))
            .flatten()
    });
    let mut claims: Vec<_> = own.chain(outer).collect();
    claims.extend(metadata.pipfile.as_ref().and_then(in_pipfile));
    claims.extend(metadata.pyproject.as_ref().and_then(in_pyproject));
    claims.extend(
        metadata
            .setup_python()
            .map(|(range, from)| wanted(&range, from)),
    );
    claims.extend(script);
    claims.extend(in_environment(sources));
    // What a lock remembers matters where nothing else is said.
    if claims.iter().all(Claim::is_unknown) {
        claims.extend(in_locks(sources, metadata));
    }
    claims.into_iter().partition(|claim| !claim.is_unknown())
}

/// Packages that no longer run on the Python that is preferred: from which version on, and what they want.
const NEEDS: [(&str, u32, &str); 1] = [("django", 6, ">=3.12")];

/// What the packages need that are asked for, where nothing says it of the project.
pub(super) fn of_packages(dependencies: &Dependencies) -> Option<Claim> {
    NEEDS.iter().find_map(|(name, since, range)| {
        let dependency = dependencies.get(name)?;
        let specifier = &dependency.requirement.specifier;
        let least = specifier.split(',').find_map(|part| {
            let part = part.trim();
            let version = ["==", ">=", "~=", "^"]
                .iter()
                .find_map(|sign| part.strip_prefix(sign))?;
            let version = version.trim_start_matches('=').trim();
            version.split('.').next()?.parse::<u32>().ok()
        })?;
        let chosen = of_range(range, String::new()).filter(|_| least >= *since)?;
        let what = format!("{name} {specifier}");
        Some(Claim::of_need(
            &what,
            range,
            chosen.version,
            dependency.from(),
        ))
    })
}

fn in_version_file(sources: &Sources<'_>, path: &str) -> Option<Claim> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".toml") {
        let document = sources.document(path)?;
        let value = document.get(&["tools", "python"])?;
        let value = value.as_array().map_or(Some(value), |all| all.first())?;
        let version = match value {
            Value::Object(table) => table.get("version")?.as_str()?,
            value => value.as_str()?,
        };
        return Some(named(version, document.from(&["tools", "python"])));
    }
    let text = sources.text(path)?;
    let said = |(index, line): (usize, &str)| {
        let line = line.split('#').next().unwrap_or(line).trim();
        let version = if name == ".tool-versions" {
            let mut words = line.split_whitespace();
            words.next().filter(|tool| *tool == "python")?;
            words.next()?
        } else {
            line
        };
        (!version.is_empty()).then(|| named(version, format!("{path}:{}", index + 1)))
    };
    let mut lines = text.lines().enumerate().filter_map(said);
    let first = lines.next()?;
    if first.is_unknown() {
        return lines.find(|claim| !claim.is_unknown()).or(Some(first));
    }
    Some(first)
}

/// A version, as in [`of_version`], or what stands in its place.
fn named(written: &str, from: String) -> Claim {
    of_version(written, from.clone()).unwrap_or_else(|| Claim::unknown(written, from))
}

/// A range, as in [`of_range`], or what stands in its place.
fn wanted(range: &str, from: String) -> Claim {
    of_range(range, from.clone()).unwrap_or_else(|| Claim::unknown(range, from))
}

fn in_pipfile(pipfile: &Document) -> Option<Claim> {
    ["python_full_version", "python_version"]
        .iter()
        .find_map(|key| {
            let keys = ["requires", *key];
            Some(named(pipfile.text(&keys)?, pipfile.from(&keys)))
        })
}

fn in_pyproject(project: &Document) -> Option<Claim> {
    let places: [&[&str]; 5] = [
        &["project", "requires-python"],
        &["tool", "poetry", "dependencies", "python"],
        &["tool", "poetry", "dependencies", "python", "version"],
        &["tool", "hatch", "envs", "default", "python"],
        &["tool", "flit", "metadata", "requires-python"],
    ];
    places
        .iter()
        .find_map(|keys| Some(wanted(project.text(keys)?, project.from(keys))))
}

/// What packages were chosen for.
fn in_locks(sources: &Sources<'_>, metadata: &Metadata) -> Option<Claim> {
    if metadata.pipfile.is_some() && sources.has("Pipfile.lock") {
        let lock = sources.document("Pipfile.lock")?;
        return ["python_full_version", "python_version"]
            .iter()
            .find_map(|key| {
                let keys = ["_meta", "requires", *key];
                of_version(lock.text(&keys)?, lock.from(&keys))
            });
    }
    let file = "uv.lock";
    let text = sources.has(file).then(|| sources.text(file)).flatten()?;
    let mut head = text.lines().take(10).enumerate();
    head.find_map(|(index, line)| {
        let range = line.strip_prefix("requires-python = ")?.trim_matches('"');
        of_range(range, format!("{file}:{}", index + 1))
    })
}

/// Conda's environment names Python among its packages.
fn in_environment(sources: &Sources<'_>) -> Option<Claim> {
    let file = sources.first_of(&["environment.yml", "environment.yaml"])?;
    let document = sources.document(file)?;
    let packages = document.get(&["dependencies"])?.as_array()?;
    packages.iter().enumerate().find_map(|(index, package)| {
        let said = package.as_str()?.trim().strip_prefix("python")?;
        let from = document.from(&["dependencies", &index.to_string()]);
        let range = said.trim_start();
        match range.strip_prefix('=') {
            Some(version) => of_version(version.trim_start_matches('='), from),
            None if range.starts_with(['<', '>', '~', '!']) => of_range(range, from),
            None => None,
        }
    })
}

/// A version as version files have it: `3.12`, `python-3.11.4`, `cpython@3.12`.
pub(super) fn of_version(written: &str, from: String) -> Option<Claim> {
    let written = written.trim();
    let version = ["cpython", "python"]
        .iter()
        .find_map(|name| written.strip_prefix(name))
        .map_or(written, |rest| rest.trim_start_matches(['-', '@', ' ']));
    // An environment of that version: `3.12.2/envs/shop`.
    let version = version.split("/envs/").next().unwrap_or(version);
    let open = [".*", ".x"]
        .iter()
        .find_map(|end| version.strip_suffix(end));
    let version = open.unwrap_or(version);
    // PyPy has its own version behind that of its Python: `pypy3.10-7.3.12`.
    if let Some(rest) = written.strip_prefix("pypy") {
        let language = rest.trim_start_matches(['-', '@']).split('-').next()?;
        let meant = of_version(language, from)?;
        return Some(Claim::range(written, meant.version, meant.from));
    }
    let is_number = |number: &str| {
        number.len() < 4 && number.chars().all(|digit| digit.is_ascii_digit()) && !number.is_empty()
    };
    let parts: Vec<_> = version.split('.').collect();
    if parts.len() > 3 || !parts.iter().all(|part| is_number(part)) {
        return None;
    }
    match parts.as_slice() {
        ["3"] => Some(Claim::range("3", format!("3.{PREFERRED}"), from)),
        ["2"] => Some(Claim::range("2", "2.7", from)),
        [_] => None,
        _ => Some(Claim::exactly(version, from)),
    }
}

/// Asks whether another implementation than the image's is needed, where the version that decides names it.
pub(super) fn ask(claims: &[Claim], report: &mut Report) {
    if let Some(claim) = claims.first()
        && let Some(named) = claim
            .range
            .as_ref()
            .filter(|range| range.starts_with("pypy"))
    {
        report.ask(
            format!(
                "PyPy or CPython? {} says {named}; the image has CPython.",
                claim.from
            ),
            format!("echo {} > .python-version", claim.version),
        );
    }
}

/// A range as package metadata has it.
pub(super) fn of_range(range: &str, from: String) -> Option<Claim> {
    // One that leaves nothing open: `==3.11.4`.
    let exact = range.trim().trim_start_matches('=').trim();
    if let Some(claim) = of_version(exact, from.clone())
        && exact.matches('.').count() == 2
        && !exact.ends_with('*')
    {
        return Some(Claim::range(range, claim.version, from));
    }
    let chosen = match versions::choose(range, &MINOR_VERSIONS, PREFERRED, Part::MinorOf(3)) {
        Some(minor) => format!("3.{minor}"),
        None if range
            .trim_start_matches(['=', '~', '^', '>', ' '])
            .starts_with("2.") =>
        {
            "2.7".to_owned()
        }
        None => return None,
    };
    Some(Claim::range(range, chosen, from))
}
