//! What the package managers of languages leave beside what they install.

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;

use super::lines::{each_line, whole};
use super::package::{Kind, Package, is_word};
use super::{Finding, MOST_PACKAGES};

/// The head of a Python package's metadata; its description behind it is not read.
const LARGEST_HEAD: u64 = 256 << 10;
const LARGEST_JSON: u64 = 4 << 20;
/// The lists of the largest applications are a quarter of this.
const LARGEST_COMPOSER: u64 = 8 << 20;

/// Core metadata, as wheels and eggs carry it: <https://packaging.python.org/en/latest/specifications/core-metadata/>.
pub fn python(content: &mut dyn Read) -> Finding {
    let (mut name, mut version) = (None, None);
    let (mut expression, mut licence) = (None, None);
    each_line(content, LARGEST_HEAD, |line| {
        if line.is_empty() {
            return false;
        }
        if let Some((field, value)) = line.split_once(':') {
            let value = value.trim();
            let target = match field {
                "Name" => &mut name,
                "Version" => &mut version,
                "License-Expression" => &mut expression,
                "License" => &mut licence,
                _ => return true,
            };
            if target.is_none() && !value.is_empty() {
                *target = Some(value.to_owned());
            }
        }
        true
    });
    let package = name
        .zip(version)
        .and_then(|(name, version)| Package::new(Kind::Python, &name, &version));
    let Some(mut package) = package else {
        return Finding::default();
    };
    if let Some(licence) = expression.or(licence) {
        package.add_licence(&licence);
    }
    Finding::packages(vec![package])
}

/// Whether a folder is one that npm, pnpm or Yarn installed a package into.
pub fn is_node_package(folder: &str) -> bool {
    let (above, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let is_name = !name.is_empty() && !name.starts_with(['.', '@']);
    let is_modules = |folder: &str| folder == "node_modules" || folder.ends_with("/node_modules");
    is_name
        && (is_modules(above)
            || above
                .rsplit_once('/')
                .is_some_and(|(modules, scope)| scope.starts_with('@') && is_modules(modules)))
}

#[derive(Deserialize)]
struct NodePackage {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    license: Value,
}

pub fn npm(path: &str, content: &mut dyn Read) -> Finding {
    let Some(bytes) = whole(content, LARGEST_JSON) else {
        return Finding::gap(format!("{path} is too large"));
    };
    let Ok(read) = serde_json::from_slice::<NodePackage>(&bytes) else {
        return Finding::gap(format!("{path} is no valid package.json"));
    };
    let package = read
        .name
        .zip(read.version)
        .and_then(|(name, version)| Package::with_path(Kind::Npm, &name, &version));
    // One without a name belongs to the package around it.
    let Some(mut package) = package else {
        return Finding::default();
    };
    match &read.license {
        Value::String(licence) => package.add_licence(licence),
        // As it was written once.
        Value::Object(licence) => {
            if let Some(kind) = licence.get("type").and_then(Value::as_str) {
                package.add_licence(kind);
            }
        }
        _ => {}
    }
    Finding::packages(vec![package])
}

/// Whether a folder holds the specifications of installed gems.
pub fn is_gem_folder(folder: &str) -> bool {
    let folder = folder.strip_suffix("/default").unwrap_or(folder);
    folder == "specifications" || folder.ends_with("/specifications")
}

/// `name-version[-platform].gemspec`: the file is a program, so only its name and its licences are read.
pub fn gem(path: &str, content: &mut dyn Read) -> Finding {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.strip_suffix(".gemspec").unwrap_or(file);
    let at = stem
        .match_indices('-')
        .find(|(at, _)| stem[at + 1..].starts_with(|first: char| first.is_ascii_digit()));
    let Some(mut package) =
        at.and_then(|(at, _)| Package::new(Kind::Gem, &stem[..at], &stem[at + 1..]))
    else {
        return Finding::gap(format!("{path} names no version"));
    };
    each_line(content, LARGEST_HEAD, |line| {
        let Some(listed) = line.trim().strip_prefix("s.licenses = [") else {
            return true;
        };
        for quoted in listed.split('"').skip(1).step_by(2) {
            package.add_licence(quoted);
        }
        false
    });
    Finding::packages(vec![package])
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Composer {
    Now { packages: Vec<ComposerPackage> },
    Before(Vec<ComposerPackage>),
}

#[derive(Deserialize)]
pub(super) struct ComposerPackage {
    name: String,
    version: String,
    #[serde(default)]
    license: Vec<String>,
    #[serde(default)]
    dist: Option<ComposerArchive>,
}

#[derive(Deserialize)]
struct ComposerArchive {
    #[serde(default)]
    shasum: Option<String>,
}

pub fn composer(path: &str, content: &mut dyn Read) -> Finding {
    let Some(bytes) = whole(content, LARGEST_COMPOSER) else {
        return Finding::gap(format!("{path} is too large"));
    };
    match serde_json::from_slice(&bytes) {
        Ok(Composer::Now { packages } | Composer::Before(packages)) => {
            Finding::packages(composer_packages(packages))
        }
        Err(_) => Finding::gap(format!("{path} is no list of Composer's")),
    }
}

pub(super) fn composer_packages(listed: Vec<ComposerPackage>) -> Vec<Package> {
    let packages = listed.into_iter().filter_map(|listed| {
        let version = listed
            .version
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
            .unwrap_or(&listed.version);
        let mut package = Package::with_path(Kind::Composer, &listed.name, version)?;
        for licence in &listed.license {
            package.add_licence(licence);
        }
        if let Some(sum) = listed.dist.and_then(|dist| dist.shasum) {
            package.add_hash("SHA-1", &sum);
        }
        is_word(&package.name).then_some(package)
    });
    packages.take(MOST_PACKAGES).collect()
}
