//! The order in which containers are built, and what their companions are called.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Manifest, Tier, default_companion_name};

impl Manifest {
    /// The names of all containers, in the order to build them.
    ///
    /// That is `packaging.build_order` where it is written; else each container after what it depends
    /// on, then by tier, then by name. A container without a tier counts as backend. In a circle, which
    /// [`check`](crate::check) refuses, the first by tier and name goes first.
    pub fn build_order(&self) -> Vec<&str> {
        if !self.packaging.build_order.is_empty() {
            return self
                .packaging
                .build_order
                .iter()
                .map(String::as_str)
                .collect();
        }
        let rank = |name: &str| {
            self.containers
                .get(name)
                .and_then(|container| container.tier)
                .unwrap_or(Tier::Backend)
        };
        let mut waiting: BTreeSet<(Tier, &str)> = self
            .containers
            .keys()
            .map(|name| (rank(name), name.as_str()))
            .collect();
        let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut dependents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, container) in &self.containers {
            for dependency in container
                .depends_on
                .iter()
                .filter(|name| self.containers.contains_key(*name))
            {
                missing.entry(name).or_default().insert(dependency);
                dependents.entry(dependency).or_default().insert(name);
            }
        }
        let mut ready: BTreeSet<(Tier, &str)> = waiting
            .iter()
            .filter(|(_, name)| !missing.contains_key(name))
            .copied()
            .collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(next) = ready.pop_first().or_else(|| waiting.first().copied()) {
            waiting.remove(&next);
            order.push(next.1);
            for dependent in dependents.remove(next.1).unwrap_or_default() {
                let Some(left) = missing.get_mut(dependent) else {
                    continue;
                };
                left.remove(next.1);
                let entry = (rank(dependent), dependent);
                if left.is_empty() && waiting.contains(&entry) {
                    ready.insert(entry);
                }
            }
        }
        order
    }

    /// The name of a container's companion: its `ci_name`, else `<container>-ci`.
    pub fn companion_name(&self, container: &str) -> String {
        let written = self
            .containers
            .get(container)
            .and_then(|container| container.ci_name.clone());
        written.unwrap_or_else(|| default_companion_name(container))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, Packaging};

    fn manifest(containers: &[(&str, Option<Tier>, &[&str])]) -> Manifest {
        let container = |tier, depends_on: &[&str]| Container {
            tier,
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
            ..Container::default()
        };
        let containers = containers
            .iter()
            .map(|(name, tier, needs)| ((*name).to_owned(), container(*tier, needs)));
        Manifest {
            containers: containers.collect(),
            ..Manifest::default()
        }
    }

    #[test]
    fn dependencies_come_first_then_tiers_then_names() {
        let built = manifest(&[
            ("web", Some(Tier::Frontend), &["api"]),
            ("admin", Some(Tier::Frontend), &[]),
            ("api", None, &["queue"]),
            ("queue", Some(Tier::Middleware), &[]),
            ("db", Some(Tier::Database), &[]),
            ("worker", None, &[]),
        ]);
        assert_eq!(
            built.build_order(),
            ["db", "worker", "queue", "api", "admin", "web"]
        );
    }

    #[test]
    fn a_written_order_is_kept() {
        let mut built = manifest(&[("aa", None, &[]), ("bb", None, &[])]);
        built.packaging = Packaging {
            build_order: vec!["bb".into(), "aa".into()],
            ..Packaging::default()
        };
        assert_eq!(built.build_order(), ["bb", "aa"]);
    }

    #[test]
    fn a_circle_still_gives_every_container_once() {
        let built = manifest(&[
            ("aa", None, &["bb"]),
            ("bb", None, &["aa"]),
            ("cc", None, &["cc"]),
            ("dd", None, &["gone"]),
        ]);
        assert_eq!(built.build_order(), ["dd", "aa", "bb", "cc"]);
    }

    #[test]
    fn companions_are_named_after_their_container() {
        let mut built = manifest(&[("web", None, &[])]);
        assert_eq!(built.companion_name("web"), "web-ci");
        built
            .containers
            .entry("web".into())
            .and_modify(|container| container.ci_name = Some("eve".into()));
        assert_eq!(built.companion_name("web"), "eve");
    }
}
