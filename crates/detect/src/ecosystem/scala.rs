//! Scala.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Scala",
    languages: &["scala"],
    looks_for: "Scala: build.sbt",
    markers: &["build.sbt"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
