//! Crystal.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Crystal",
    languages: &["crystal"],
    looks_for: "Crystal: shard.yml",
    markers: &["shard.yml"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
