//! Swift.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Swift",
    languages: &["swift"],
    looks_for: "Swift: Package.swift",
    markers: &["Package.swift"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
