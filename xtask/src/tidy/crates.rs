//! The arrows between crates: each names only those below it.

use super::repository::Package;
use super::violation::{Violation, line_of};

const RULE: &str = "arrows";

/// What each crate may depend on. A crate that is not here may depend on nothing of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("manifest", &[]),
    ("store", &[]),
    ("engine", &[]),
    ("detect", &["manifest"]),
    ("oci", &["manifest"]),
    ("pack", &["manifest", "detect", "oci", "engine"]),
    ("companion", &["manifest", "engine"]),
    ("hermes", &["store"]),
    // What others take into their programs: it knows the wire and nothing of the house.
    ("hermes-client", &[]),
    (
        "server",
        &[
            "manifest",
            "store",
            "detect",
            "oci",
            "engine",
            "pack",
            "companion",
            "hermes",
            "hermes-client",
        ],
    ),
    (
        "cli",
        &[
            "manifest",
            "store",
            "detect",
            "oci",
            "engine",
            "pack",
            "companion",
            "hermes",
            "server",
        ],
    ),
];

/// The arrows of one package, and whether it is called what its folder is called.
pub fn check(package: &Package) -> Vec<Violation> {
    let manifest = package.manifest_path();
    let Some(folder) = package.folder.strip_prefix("crates/") else {
        let used = package.uses.iter().filter(|used| used.name != package.name);
        return used
            .map(|used| no_arrow(package, &used.name, "a tool depends on none of our crates"))
            .collect();
    };
    let mut violations = Vec::new();
    if package.name != format!("ergon-{folder}") {
        let line = line_of(&package.manifest, |line| line.starts_with("name"));
        let message = format!("the package in crates/{folder} is called {}", package.name);
        violations.push(Violation::new(
            (&manifest, line),
            "crate-name",
            message,
            format!("call it ergon-{folder}"),
        ));
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
        let message = format!("crates/{folder} is a room without a place in the house");
        let remedy = "add it, with what is below it, to ARROWS in xtask/src/tidy/crates.rs and to ARCHITECTURE.md";
        violations.push(Violation::new((&manifest, 1), RULE, message, remedy));
        return violations;
    };
    for used in &package.uses {
        // A package that names itself does so to test with one of its own features.
        let itself = used.is_dev && used.name == package.name;
        let below = used
            .name
            .strip_prefix("ergon-")
            .is_some_and(|name| allowed.contains(&name));
        if !itself && !below {
            let remedy = if allowed.is_empty() {
                format!("{folder} depends on none of our crates; move what is shared down")
            } else {
                format!(
                    "{folder} may depend on {}; move what is shared down",
                    allowed.join(", ")
                )
            };
            violations.push(no_arrow(package, &used.name, &remedy));
        }
    }
    violations
}

fn no_arrow(package: &Package, used: &str, remedy: &str) -> Violation {
    let line = line_of(&package.manifest, |line| {
        line.strip_prefix(used)
            .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    });
    let message = format!("{} depends on {used}, which is not below it", package.name);
    Violation::new((&package.manifest_path(), line), RULE, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::repository::Use;

    fn package(name: &str, folder: &str, uses: &[(&str, bool)]) -> Package {
        let lines: Vec<_> = uses
            .iter()
            .map(|(name, _)| format!("{name}.workspace = true"))
            .collect();
        let manifest = lines.join("\n");
        let uses = uses
            .iter()
            .map(|(name, is_dev)| Use {
                name: (*name).to_owned(),
                is_dev: *is_dev,
            })
            .collect();
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            manifest,
            uses,
        }
    }

    fn messages(package: &Package) -> Vec<String> {
        check(package)
            .into_iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect()
    }

    #[test]
    fn a_crate_may_name_what_is_below_it() {
        let pack = package(
            "ergon-pack",
            "crates/pack",
            &[("ergon-oci", false), ("ergon-engine", true)],
        );
        assert_eq!(messages(&pack), Vec::<String>::new());
    }

    #[test]
    fn a_crate_may_not_name_what_is_above_or_beside_it_not_even_in_tests() {
        let store = package(
            "ergon-store",
            "crates/store",
            &[("ergon-manifest", false), ("ergon-server", true)],
        );
        assert_eq!(
            messages(&store),
            [
                "1: ergon-store depends on ergon-manifest, which is not below it",
                "2: ergon-store depends on ergon-server, which is not below it",
            ]
        );
    }

    #[test]
    fn a_crate_may_name_itself_only_in_tests() {
        assert!(
            check(&package(
                "ergon-engine",
                "crates/engine",
                &[("ergon-engine", true)]
            ))
            .is_empty()
        );
        assert_eq!(
            check(&package(
                "ergon-engine",
                "crates/engine",
                &[("ergon-engine", false)]
            ))
            .len(),
            1
        );
    }

    #[test]
    fn a_crate_is_called_what_its_folder_is_called_and_has_a_place() {
        assert_eq!(
            messages(&package("oci", "crates/oci", &[])),
            ["1: the package in crates/oci is called oci"]
        );
        assert_eq!(check(&package("ergon-attic", "crates/attic", &[])).len(), 1);
        assert_eq!(
            check(&package("xtask", "xtask", &[("ergon-server", false)])).len(),
            1
        );
    }

    /// Whatever is allowed is allowed downwards only, so there can be no circle.
    #[test]
    fn the_arrows_point_down() {
        for (index, (name, allowed)) in ARROWS.iter().enumerate() {
            for below in *allowed {
                assert!(
                    ARROWS[..index].iter().any(|(other, _)| other == below),
                    "{name} -> {below}"
                );
            }
        }
    }
}
