//! Java.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Java",
    languages: &["java", "kotlin"],
    looks_for: "Java or Kotlin: pom.xml, build.gradle or build.gradle.kts",
    markers: &["pom.xml", "build.gradle", "build.gradle.kts"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
