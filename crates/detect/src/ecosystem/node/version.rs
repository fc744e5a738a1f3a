//! Which Node, or which Bun.

use ergon_manifest::Runtime;

use super::USUAL;
use super::package::{self, Manager, Package};
use crate::document::Document;
use crate::ecosystem::{Claim, Report, UsualRuntime};
use crate::sources::Sources;
use crate::version_files::{self, Said};
use crate::versions::{self, Part};

const MAJOR_VERSIONS: [u32; 23] = [
    4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
];
/// The major version of the usual one.
const USUAL_MAJOR: u32 = 18;
/// The newest with long support; later ones are taken where nothing else is allowed.
const NEWEST_MAJOR: u32 = 24;

/// The names of the versions with long support.
const CODE_NAMES: [(&str, &str); 11] = [
    ("dubnium", "10"),
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
    typescript: Option<&str>,
    report: &mut Report,
) -> Runtime {
    if manager == Manager::Bun {
        return report.runtime(&BUN, bun_claims(sources, package));
    }
    let (mut claims, unknown) = claims(sources, package);
    if claims.is_empty() {
        claims.extend(of_packages(package));
    }
    if let Some(file) = typescript {
        if claims.is_empty() {
            claims.extend(allowed(TAKES_TYPESCRIPT, file.to_owned()));
        } else if !versions::allows(TAKES_TYPESCRIPT, &claims[0].version) {
            report.ask(
                format!(
                    "What runs {file}? Node {} does not take TypeScript as it is.",
                    claims[0].version
                ),
                "npm install tsx, and start it with that".to_owned(),
            );
        }
    }
    report.runtime(&USUAL, claims.into_iter().chain(unknown))
}

/// From where on Node takes types for white space.
const TAKES_TYPESCRIPT: &str = ">=22.18";

/// Whether the version that the project asks for takes types for white space.
pub(super) fn takes_typescript(sources: &Sources<'_>, package: &Package) -> bool {
    let (claims, _) = claims(sources, package);
    claims
        .first()
        .is_some_and(|claim| versions::allows(TAKES_TYPESCRIPT, &claim.version))
}

/// Files that are only for it, then what the package allows; and beside them what names no version.
fn claims(sources: &Sources<'_>, package: &Package) -> (Vec<Claim>, Vec<Claim>) {
    let mut claims = named(sources);
    claims.extend(pinned(&package.document));
    claims.extend(listed(&package.document));
    claims.extend(of_pnpm(sources));
    // A package of a workspace runs with what its root asks for.
    if claims.iter().all(Claim::is_unknown)
        && let Some((_, root)) = package::outer(sources)
    {
        claims.extend(pinned(&root));
        claims.extend(listed(&root));
    }
    claims.into_iter().partition(|claim| !claim.is_unknown())
}

/// What files say that are only for versions.
pub(super) fn named(sources: &Sources<'_>) -> Vec<Claim> {
    let files = [".nvmrc", ".node-version"]
        .into_iter()
        .filter_map(|file| version_files::only(sources, file));
    let tools = ["nodejs", "node"]
        .into_iter()
        .flat_map(|tool| version_files::of_tool(sources, tool));
    files.chain(tools).map(claim).collect()
}

/// What Volta is told to bring.
fn pinned(document: &Document) -> Option<Claim> {
    let keys = ["volta", "node"];
    Some(claim(Said {
        version: document.text(&keys)?.to_owned(),
        from: document.from(&keys),
    }))
}

/// What `package.json` allows.
fn listed(document: &Document) -> Vec<Claim> {
    let engines = ["engines", "node"];
    let engines = document
        .text(&engines)
        .map(|range| of_range(range, document.from(&engines)));
    engines
        .into_iter()
        .chain(of_development(document, "node").map(claim))
        .collect()
}

/// What `devEngines` says of a runtime.
fn of_development(document: &Document, runtime: &str) -> Option<Said> {
    package::development_engines(document, "runtime").find_map(|keys| {
        let name = [keys.as_slice(), &["name"]].concat();
        let version = [keys.as_slice(), &["version"]].concat();
        (document.text(&name) == Some(runtime)).then_some(())?;
        Some(Said {
            version: document.text(&version)?.to_owned(),
            from: document.from(&version),
        })
    })
}

fn of_range(range: &str, from: String) -> Claim {
    allowed(range, from.clone()).unwrap_or_else(|| Claim::unknown(range, from))
}

/// A version as exact as a range says it: the usual one where that is allowed, else the newest with long support.
fn allowed(range: &str, from: String) -> Option<Claim> {
    let plain = range.trim().trim_start_matches(['v', '=']);
    if version_files::is_dotted(plain) {
        return Some(Claim::exactly(plain, from));
    }
    let version = of_one_minor(plain).or_else(|| {
        let allowed = versions::allowed(range, &MAJOR_VERSIONS, Part::Major);
        let long = |major: &&u32| major.is_multiple_of(2) && **major <= NEWEST_MAJOR;
        let usual = allowed.iter().find(|major| **major == USUAL_MAJOR);
        let major = usual
            .or_else(|| allowed.iter().rfind(long))
            .or(allowed.last())?;
        Some(major.to_string())
    })?;
    Some(Claim::range(range, version, from))
}

/// `18.17` of `~18.17.1` and of `18.17.x`, which allow no other.
fn of_one_minor(range: &str) -> Option<String> {
    let (tilde, range) = match range.strip_prefix('~') {
        Some(range) => (true, range.trim_start()),
        None => (false, range),
    };
    let mut parts = range.split('.');
    let minor = format!("{}.{}", parts.next()?, parts.next()?);
    let rest = parts.next();
    let open = tilde || matches!(rest, Some("x" | "X" | "*"));
    (open && parts.next().is_none() && version_files::is_dotted(&minor)).then_some(minor)
}

/// Packages that no longer run on the usual Node, from which version on, and what they run on.
const NEEDS: [(&str, u32, &str); 11] = [
    ("astro", 6, ">=22.12"),
    ("@angular/core", 20, ">=20.19"),
    ("@nestjs/core", 11, ">=20"),
    ("@react-router/dev", 7, ">=20"),
    ("@react-router/serve", 7, ">=20"),
    ("fastify", 5, ">=20"),
    ("next", 16, ">=20.9"),
    ("nuxt", 4, ">=20.19"),
    ("prisma", 7, ">=20.19"),
    ("storybook", 10, ">=20.19"),
    ("vite", 7, ">=20.19"),
];

/// What the packages need that the project is made with, where that is not the usual one.
fn of_packages(package: &Package) -> Option<Claim> {
    NEEDS.iter().find_map(|(name, since, range)| {
        let fields = ["dependencies", "devDependencies"];
        let keys = fields.map(|field| [field, *name]);
        let keys = keys
            .iter()
            .find(|keys| package.document.get(*keys).is_some())?;
        let said = package.document.text(keys)?;
        let version = said.trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
        let major: u32 = version.split('.').next()?.parse().ok()?;
        let chosen = allowed(range, String::new()).filter(|_| major >= *since)?;
        let what = format!("{name} {said}");
        let from = package.document.from(keys);
        Some(Claim::of_need(&what, range, chosen.version, from))
    })
}

/// What pnpm is told to get.
fn of_pnpm(sources: &Sources<'_>) -> Option<Claim> {
    let file = sources.nearest(&[".npmrc"])?;
    let text = sources.text(&file)?;
    text.lines().enumerate().find_map(|(index, line)| {
        let (name, version) = line.split_once('=')?;
        let version = version.trim();
        (name.trim() == "use-node-version" && version_files::is_dotted(version))
            .then(|| Claim::exactly(version, format!("{file}:{}", index + 1)))
    })
}

/// `18.17.1`, `v18`, `lts/hydrogen`, `lts/*`, `node`.
fn claim(said: Said) -> Claim {
    let Said { version, from } = said;
    known(&version, from.clone()).unwrap_or_else(|| Claim::unknown(version, from))
}

fn known(version: &str, from: String) -> Option<Claim> {
    let plain = version.trim_start_matches('v');
    if version_files::is_dotted(plain) {
        return Some(Claim::exactly(plain, from));
    }
    let name = version
        .strip_prefix("lts/")
        .unwrap_or(version)
        .to_ascii_lowercase();
    if let Some((_, major)) = CODE_NAMES.iter().find(|(known, _)| *known == name) {
        return Some(Claim::range(version, *major, from));
    }
    let newest = MAJOR_VERSIONS[MAJOR_VERSIONS.len() - 1];
    let major = match name.as_str() {
        "*" | "lts" | "lts-latest" => Some(NEWEST_MAJOR),
        "node" | "latest" | "current" | "stable" => Some(newest),
        // `lts/-1` is the one before the newest.
        name => name
            .strip_prefix('-')
            .filter(|_| version.starts_with("lts/"))
            .and_then(|back| NEWEST_MAJOR.checked_sub(back.parse::<u32>().ok()?.checked_mul(2)?)),
    };
    match major {
        Some(major) => Some(Claim::range(version, major.to_string(), from)),
        None => allowed(&name, from)
            .filter(|_| name.contains(|character: char| character.is_ascii_digit())),
    }
}

fn bun_claims(sources: &Sources<'_>, package: &Package) -> Vec<Claim> {
    let mut claims: Vec<_> = version_files::claims(sources, &[".bun-version"], &["bun"]).collect();
    claims.extend(
        package::named(sources, package)
            .filter(|named| named.name == "bun" && version_files::is_dotted(&named.version))
            .map(|named| {
                if named.version == named.said {
                    Claim::exactly(named.version, named.from)
                } else {
                    Claim::range(named.said, named.version, named.from)
                }
            }),
    );
    let of_development = of_development(&package.document, "bun");
    claims.extend(of_development.and_then(|Said { version, from }| {
        let least = package::least("bun", &version);
        version_files::is_dotted(&least).then(|| Claim::range(version, least, from))
    }));
    if let Some(range) = package.document.text(&["engines", "bun"]) {
        let from = package.document.from(&["engines", "bun"]);
        claims.push(Claim::range(range, "1", from));
    }
    claims
}
