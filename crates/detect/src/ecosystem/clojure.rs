//! Clojure.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Clojure",
    languages: &["clojure"],
    looks_for: "Clojure: project.clj or deps.edn",
    markers: &["project.clj", "deps.edn"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
