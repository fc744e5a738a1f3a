//! Zig.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Zig",
    languages: &["zig"],
    looks_for: "Zig: build.zig",
    markers: &["build.zig"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
