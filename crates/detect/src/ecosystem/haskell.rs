//! Haskell.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Haskell",
    languages: &["haskell"],
    looks_for: "Haskell: stack.yaml, package.yaml or a .cabal file",
    markers: &["stack.yaml", "package.yaml", "*.cabal"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
