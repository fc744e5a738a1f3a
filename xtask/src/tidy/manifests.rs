//! Cargo.toml: packages inherit from the workspace, and the workspace decides what is depended on.

use toml::{Table, Value};

use super::repository::Package;
use super::violation::{Violation, line_of};

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// A package's own manifest.
pub fn check_package(package: &Package) -> Vec<Violation> {
    let file = package.manifest_path();
    let text = &package.manifest;
    let Ok(manifest) = text.parse::<Table>() else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    let mut report = |line, rule, message: String, remedy: &str| {
        violations.push(Violation::new((&file, line), rule, message, remedy));
    };

    for field in INHERITED {
        if !inherits(
            manifest
                .get("package")
                .and_then(|package| package.get(field)),
        ) {
            let line = line_of(text, |line| line.starts_with(field));
            let remedy = format!("write {field}.workspace = true");
            report(
                line,
                "inherit",
                format!("{} does not inherit its {field}", package.name),
                &remedy,
            );
        }
    }
    if !inherits(manifest.get("lints")) {
        let message = format!("{} does not inherit the workspace's lints", package.name);
        report(
            line_of(text, |line| line == "[lints]"),
            "inherit",
            message,
            "write [lints] and workspace = true",
        );
    }
    for (name, dependency) in dependencies(&manifest) {
        let line = line_of(text, |line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        });
        if dependency.get("git").is_some() {
            report(
                line,
                "dependencies",
                format!("{name} comes from git"),
                "take a release from crates.io",
            );
        } else if !inherits(Some(dependency)) && name != package.name {
            let message = format!("{name} is not taken from the workspace");
            let remedy = "put its version in [workspace.dependencies] of the root and write workspace = true here";
            report(line, "dependencies", message, remedy);
        }
    }
    violations
}

/// The workspace's manifest.
pub fn check_workspace(text: &str) -> Vec<Violation> {
    let Ok(manifest) = text.parse::<Table>() else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    let dependencies = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    for (name, dependency) in dependencies.into_iter().flatten() {
        let line = line_of(text, |line| {
            line.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with(" ="))
        });
        let wrong = if dependency.get("git").is_some() {
            Some("comes from git")
        } else if dependency.get("path").is_some() && !name.starts_with("ergon-") {
            Some("comes from a folder")
        } else if dependency.get("registry").is_some() {
            Some("comes from another registry")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let message = format!("{name} {wrong}");
            violations.push(Violation::new(
                ("Cargo.toml", line),
                "dependencies",
                message,
                "take a release from crates.io",
            ));
        }
    }
    for section in ["patch", "replace"] {
        if manifest.contains_key(section) {
            let line = line_of(text, |line| line.starts_with(&format!("[{section}")));
            let message = format!("[{section}] puts other sources in the place of releases");
            violations.push(Violation::new(
                ("Cargo.toml", line),
                "dependencies",
                message,
                "take releases as they are",
            ));
        }
    }
    violations
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

/// Every dependency of a package, of every kind and for every target.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&str, &Value)> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flatten();
    let tables =
        std::iter::once(manifest).chain(targets.filter_map(|(_, target)| target.as_table()));
    tables
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flatten()
        .map(|(name, dependency)| (name.as_str(), dependency))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
[package]
name = \"ergon-oci\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[lints]
workspace = true

[dependencies]
tar.workspace = true
";

    fn found(manifest: &str) -> Vec<String> {
        let package = Package {
            name: "ergon-oci".to_owned(),
            folder: "crates/oci".to_owned(),
            manifest: manifest.to_owned(),
            uses: Vec::new(),
        };
        check_package(&package)
            .into_iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect()
    }

    #[test]
    fn what_is_inherited_passes() {
        assert_eq!(found(GOOD), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_inherited_is_named() {
        let manifest = GOOD
            .replace("edition.workspace = true", "edition = \"2021\"")
            .replace("[lints]\nworkspace = true", "");
        assert_eq!(
            found(&manifest),
            [
                "4: ergon-oci does not inherit its edition",
                "1: ergon-oci does not inherit the workspace's lints"
            ]
        );
    }

    #[test]
    fn versions_are_the_workspaces_business() {
        let manifest = format!(
            "{GOOD}hex = \"0.4\"\n[dev-dependencies]\nergon-oci = {{ path = \".\" }}\n[target.'cfg(unix)'.dependencies]\nnix = {{ git = \"https://example.com\" }}\n"
        );
        assert_eq!(
            found(&manifest),
            [
                "14: hex is not taken from the workspace",
                "18: nix comes from git"
            ]
        );
    }

    #[test]
    fn the_workspace_takes_releases_only() {
        let text = "[workspace.dependencies]\nergon-oci = { path = \"crates/oci\" }\na = { git = \"x\" }\nb = { path = \"../b\" }\n[patch.crates-io]\n";
        let found: Vec<_> = check_workspace(text)
            .into_iter()
            .map(|found| found.line)
            .collect();
        assert_eq!(found, [3, 4, 5]);
    }
}
