//! C and C++.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "C++",
    languages: &["cpp", "c"],
    looks_for: "C or C++: CMakeLists.txt, meson.build or a Makefile with .c or .cpp files",
    markers: &["CMakeLists.txt", "meson.build"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
