//! Debian's packages, which an image or only the stage that builds wants.

use std::collections::BTreeSet;

use super::{PlanError, Program};
use crate::plan::Step;
use crate::plan::installer::{Needs, Place};
use crate::tree::FileTree;

/// The Debian packages of all programs, each checked.
pub(super) struct Packages<'p, 'a> {
    wanted: Vec<(&'p Program<'a>, &'p str)>,
}

impl<'p, 'a> Packages<'p, 'a> {
    pub(super) fn of(programs: &'p [Program<'a>]) -> Result<Self, PlanError> {
        let mut wanted = Vec::new();
        for program in programs {
            for package in &program.application.system_packages {
                if !is_package(package) {
                    return Err(PlanError::SystemPackage {
                        application: program.name.to_owned(),
                        package: package.clone(),
                    });
                }
                wanted.push((program, package.as_str()));
            }
        }
        Ok(Self { wanted })
    }

    /// The step that installs those that `here` wants.
    pub(super) fn step(
        &self,
        tree: &dyn FileTree,
        here: impl Fn(&Program<'a>, &str) -> bool,
    ) -> Option<Step> {
        let packages: BTreeSet<_> = self
            .wanted
            .iter()
            .filter(|(program, package)| here(program, package))
            .map(|(_, package)| *package)
            .collect();
        if packages.is_empty() {
            return None;
        }
        let packages: Vec<_> = packages.into_iter().collect();
        let command = format!(
            "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
            packages.join(" ")
        );
        let place = Place {
            tree,
            root: "",
            fetched: false,
        };
        Some(Needs::of(&command, &place).step(&command, "/".to_owned()))
    }
}

/// Whether a Debian package only has a part in building: headers, compilers, what fetches sources.
pub(super) fn only_builds(package: &str) -> bool {
    const BUILDERS: [&str; 17] = [
        "autoconf",
        "automake",
        "bison",
        "build-essential",
        "cargo",
        "clang",
        "cmake",
        "flex",
        "g++",
        "gcc",
        "git",
        "hugo",
        "libtool",
        "make",
        "meson",
        "ninja-build",
        "pkg-config",
    ];
    let name = package.split(['=', ':']).next().unwrap_or(package);
    name.ends_with("-dev") || BUILDERS.contains(&name)
}

/// Whether a Debian package is of no use in building: toolchains' images have it.
pub(super) fn only_runs(package: &str) -> bool {
    package == "ca-certificates"
}

/// Whether `text` is a Debian package's name, with a version or an architecture at most.
fn is_package(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "+.-:=~".contains(character))
}
