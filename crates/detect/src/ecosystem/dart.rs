//! Dart.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Dart",
    languages: &["dart"],
    looks_for: "Dart: pubspec.yaml",
    markers: &["pubspec.yaml"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
