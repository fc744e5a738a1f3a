//! Shell.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Shell",
    languages: &["shell", "sh", "bash"],
    looks_for: "a shell script: start.sh",
    markers: &[],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
