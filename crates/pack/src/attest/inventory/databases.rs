//! The records of operating systems: what they are, and which packages they installed.

use std::collections::BTreeMap;
use std::io::Read;

use super::lines::each_line;
use super::package::{Kind, Package, System, is_word};
use super::{Finding, MOST_PACKAGES};

/// Databases of whole distributions are a tenth of this.
const LARGEST: u64 = 128 << 20;

/// `os-release(5)`.
pub fn os_release(content: &mut dyn Read) -> Finding {
    let mut said = BTreeMap::new();
    each_line(content, 64 << 10, |line| {
        if let Some((name, value)) = line.split_once('=') {
            let value = value.trim().trim_matches(['"', '\'']);
            if !value.is_empty() && value.len() <= 256 && !value.chars().any(char::is_control) {
                said.insert(name.trim().to_owned(), value.to_owned());
            }
        }
        true
    });
    let is_plain = |id: &String| {
        let mut letters = id.bytes();
        letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    let id = said.remove("ID").filter(is_plain);
    Finding {
        system: id.map(|id| System {
            name: said.remove("NAME").unwrap_or_else(|| id.clone()),
            version: said.remove("VERSION_ID").filter(is_plain),
            id,
        }),
        ..Finding::default()
    }
}

/// `var/lib/dpkg/status`, and the same in pieces, as images without a package manager have it.
pub fn dpkg(path: &str, content: &mut dyn Read) -> Finding {
    paragraphs(path, content, dpkg_field, |fields| {
        let status = fields.get("Status");
        if status.is_some_and(|status| !status.ends_with(" installed")) {
            return None;
        }
        let mut package = Package::new(Kind::Deb, fields.get("Package")?, fields.get("Version")?)?;
        package.architecture = fields
            .get("Architecture")
            .filter(|word| is_word(word))
            .cloned();
        // `name (version)`, where the two versions differ.
        package.upstream = fields
            .get("Source")
            .and_then(|source| source.split_whitespace().next())
            .filter(|source| *source != package.name && is_word(source))
            .map(str::to_owned);
        Some(package)
    })
}

fn dpkg_field(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t']) {
        return None; // It goes on with the field before.
    }
    let (name, value) = line.split_once(':')?;
    matches!(
        name,
        "Package" | "Version" | "Architecture" | "Source" | "Status"
    )
    .then(|| (name, value.trim()))
}

/// `lib/apk/db/installed`.
pub fn apk(path: &str, content: &mut dyn Read) -> Finding {
    paragraphs(path, content, apk_field, |fields| {
        let mut package = Package::new(Kind::Apk, fields.get("P")?, fields.get("V")?)?;
        package.architecture = fields.get("A").filter(|word| is_word(word)).cloned();
        package.upstream = fields
            .get("o")
            .filter(|origin| **origin != package.name && is_word(origin))
            .cloned();
        if let Some(licence) = fields.get("L") {
            package.add_licence(licence);
        }
        Some(package)
    })
}

fn apk_field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    matches!(name, "P" | "V" | "A" | "o" | "L").then(|| (name, value.trim()))
}

/// Reads paragraphs of fields with empty lines between them; the first field of a name counts.
fn paragraphs(
    path: &str,
    content: &mut dyn Read,
    field: fn(&str) -> Option<(&str, &str)>,
    package: fn(&BTreeMap<String, String>) -> Option<Package>,
) -> Finding {
    let mut packages = Vec::new();
    let mut fields = BTreeMap::new();
    let mut passed_over = 0_usize;
    let mut close = |fields: &mut BTreeMap<String, String>| {
        if fields.is_empty() {
            return;
        }
        match package(fields) {
            Some(package) if packages.len() < MOST_PACKAGES => packages.push(package),
            _ => {
                // What was removed and left its settings is not there; all else is strange.
                let is_removed = fields
                    .get("Status")
                    .is_some_and(|status| !status.ends_with(" installed"));
                passed_over += usize::from(!is_removed);
            }
        }
        fields.clear();
    };
    let is_whole = each_line(content, LARGEST, |line| {
        if line.trim().is_empty() {
            close(&mut fields);
        } else if let Some((name, value)) = field(line) {
            fields
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
        true
    });
    close(&mut fields);
    Finding::of_database(path, packages, is_whole, passed_over)
}
