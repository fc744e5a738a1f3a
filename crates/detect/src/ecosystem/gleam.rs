//! Gleam.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Gleam",
    languages: &["gleam"],
    looks_for: "Gleam: gleam.toml",
    markers: &["gleam.toml"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
