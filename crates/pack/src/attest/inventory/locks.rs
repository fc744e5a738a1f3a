//! Lock files of the source: which packages at which versions, with the hashes they have.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::MOST_PACKAGES;
use super::installed::{ComposerPackage, composer_packages};
use super::package::{Kind, Package};

/// A lock file of the source.
#[derive(Clone, Debug)]
pub struct LockFile {
    /// Relative to the source's root.
    pub path: String,
    pub content: Vec<u8>,
}

/// A larger one is not read.
pub const LARGEST: u64 = 64 << 20;

/// Whether a file of this name says which packages there are.
pub fn is_lock_file(path: &str) -> bool {
    reader(path).is_some()
}

type Read = fn(&str) -> Option<Vec<Package>>;

fn reader(path: &str) -> Option<Read> {
    let name = path.rsplit('/').next().unwrap_or(path);
    Some(match name {
        "Cargo.lock" => cargo,
        "poetry.lock" | "uv.lock" | "pdm.lock" => python,
        "Pipfile.lock" => pipfile,
        "package-lock.json" | "npm-shrinkwrap.json" => npm,
        "pnpm-lock.yaml" => pnpm,
        "yarn.lock" => yarn,
        "Gemfile.lock" => bundler,
        "composer.lock" => composer,
        "go.sum" => go,
        _ => return None,
    })
}

/// The packages of a lock file; none where it cannot be read.
pub fn packages_in(lock: &LockFile) -> Option<Vec<Package>> {
    let text = std::str::from_utf8(&lock.content).ok()?;
    let mut packages = reader(&lock.path)?(text)?;
    packages.truncate(MOST_PACKAGES);
    for package in &mut packages {
        package.found_in.insert(format!("source:{}", lock.path));
    }
    Some(packages)
}

#[derive(Deserialize)]
struct TomlLock {
    #[serde(default)]
    package: Vec<TomlPackage>,
}

#[derive(Deserialize)]
struct TomlPackage {
    name: String,
    /// uv leaves it out for what is built from the source itself.
    #[serde(default)]
    version: Option<String>,
    /// Cargo: a text, absent for what is in the source. Others: a table.
    #[serde(default)]
    source: Option<toml::Value>,
    #[serde(default)]
    checksum: Option<String>,
}

fn cargo(text: &str) -> Option<Vec<Package>> {
    let lock: TomlLock = toml::from_str(text).ok()?;
    let packages = lock.package.into_iter().filter_map(|locked| {
        locked.source?;
        let mut package = Package::new(Kind::Cargo, &locked.name, &locked.version?)?;
        if let Some(checksum) = &locked.checksum {
            package.add_hash("SHA-256", checksum);
        }
        Some(package)
    });
    Some(packages.collect())
}

/// Which of a package's files was installed is not said, so there is no hash to take.
fn python(text: &str) -> Option<Vec<Package>> {
    let lock: TomlLock = toml::from_str(text).ok()?;
    let packages = lock.package.into_iter().filter_map(|locked| {
        let table = locked.source.as_ref().and_then(toml::Value::as_table);
        let is_own = table.is_some_and(|source| {
            ["virtual", "editable", "directory"]
                .iter()
                .any(|kind| source.contains_key(*kind))
        });
        if is_own {
            return None;
        }
        Package::new(Kind::Python, &locked.name, &locked.version?)
    });
    Some(packages.collect())
}

fn pipfile(text: &str) -> Option<Vec<Package>> {
    #[derive(Deserialize)]
    struct Lock {
        default: BTreeMap<String, Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        version: Option<String>,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    let packages = lock.default.into_iter().filter_map(|(name, locked)| {
        let version = locked.version?;
        Package::new(Kind::Python, &name, version.trim_start_matches('='))
    });
    Some(packages.collect())
}

fn npm(text: &str) -> Option<Vec<Package>> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        packages: BTreeMap<String, Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: Option<String>,
        version: Option<String>,
        integrity: Option<String>,
        #[serde(default)]
        dev: bool,
        #[serde(default)]
        link: bool,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    let packages = lock.packages.into_iter().filter_map(|(path, locked)| {
        let (_, name) = path.rsplit_once("node_modules/")?;
        if locked.dev || locked.link {
            return None;
        }
        let name = locked.name.as_deref().unwrap_or(name);
        let mut package = Package::with_path(Kind::Npm, name, &locked.version?)?;
        if let Some(integrity) = &locked.integrity {
            add_integrity(&mut package, integrity);
        }
        Some(package)
    });
    Some(packages.collect())
}

/// `sha512-<base64>`, as browsers write it too.
fn add_integrity(package: &mut Package, integrity: &str) {
    for one in integrity.split_whitespace() {
        let Some((algorithm, encoded)) = one.split_once('-') else {
            continue;
        };
        let name = match algorithm {
            "sha1" => "SHA-1",
            "sha256" => "SHA-256",
            "sha384" => "SHA-384",
            "sha512" => "SHA-512",
            _ => continue,
        };
        if let Ok(bytes) = BASE64_STANDARD.decode(encoded) {
            package.add_hash(name, &hex::encode(bytes));
        }
    }
}

/// The section `packages`: a line `  name@version:`, and below it what is known of it.
fn pnpm(text: &str) -> Option<Vec<Package>> {
    let mut packages: Vec<Package> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            is_inside = line.trim_end() == "packages:";
        } else if !is_inside {
        } else if let Some(key) = line.strip_prefix("  ").filter(|key| !key.starts_with(' ')) {
            let key = key.trim_end().trim_end_matches(':').trim_matches('\'');
            // In brackets stands what it was resolved together with.
            let key = key.split('(').next().unwrap_or(key).trim_start_matches('/');
            let Some((name, version)) = key.rsplit_once('@').filter(|(name, _)| !name.is_empty())
            else {
                continue;
            };
            packages.extend(Package::with_path(Kind::Npm, name, version));
        } else if let (Some((_, rest)), Some(last)) =
            (line.split_once("integrity: "), packages.last_mut())
        {
            let integrity = rest.split([',', '}']).next().unwrap_or(rest);
            add_integrity(last, integrity.trim().trim_matches('\''));
        }
    }
    text.contains("lockfileVersion").then_some(packages)
}

/// A line `"name@range", …:`, and below it `version "1.2.3"` (classic) or `version: 1.2.3` (Berry).
fn yarn(text: &str) -> Option<Vec<Package>> {
    let mut packages: Vec<Package> = Vec::new();
    let mut name: Option<String> = None;
    for line in text.lines() {
        if !line.starts_with([' ', '#']) && line.trim_end().ends_with(':') {
            let first = line.trim_start_matches('"').split([',', '"']).next()?;
            let at = first
                .char_indices()
                .skip(1)
                .find(|(_, letter)| *letter == '@');
            name = at.map(|(at, _)| first[..at].to_owned());
            // What is in the source itself.
            if first.contains("@workspace:") || first.starts_with("__metadata") {
                name = None;
            }
            continue;
        }
        let Some((field, value)) = line.trim().split_once([' ', ':']) else {
            continue;
        };
        let value = value.trim().trim_matches('"');
        match field {
            "version" => {
                if let Some(name) = name.take() {
                    packages.extend(Package::with_path(Kind::Npm, &name, value));
                }
            }
            "integrity" => {
                if let Some(last) = packages.last_mut() {
                    add_integrity(last, value);
                }
            }
            _ => {}
        }
    }
    Some(packages)
}

/// The section `GEM`: lines of four spaces, `name (version)`.
fn bundler(text: &str) -> Option<Vec<Package>> {
    let mut packages = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            is_inside = line.trim_end() == "GEM";
        } else if let Some(spec) = line
            .strip_prefix("    ")
            .filter(|spec| is_inside && !spec.starts_with(' '))
            && let Some((name, version)) = spec.split_once(" (")
        {
            let version = version.trim_end().trim_end_matches(')');
            packages.extend(Package::new(Kind::Gem, name, version));
        }
    }
    text.contains("\nPLATFORMS").then_some(packages)
}

fn composer(text: &str) -> Option<Vec<Package>> {
    #[derive(Deserialize)]
    struct Lock {
        packages: Vec<ComposerPackage>,
    }
    let lock: Lock = serde_json::from_str(text).ok()?;
    Some(composer_packages(lock.packages))
}

/// Lines `module version hash`; those whose version ends in `/go.mod` are of that file alone.
fn go(text: &str) -> Option<Vec<Package>> {
    let mut packages = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let (path, version) = (words.next()?, words.next()?);
        if !version.ends_with("/go.mod") {
            packages.extend(Package::with_path(Kind::Go, path, version));
        }
    }
    Some(packages)
}
