//! Perl.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Perl",
    languages: &["perl"],
    looks_for: "Perl: cpanfile or a .pl or .psgi file at the root",
    markers: &["cpanfile"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
