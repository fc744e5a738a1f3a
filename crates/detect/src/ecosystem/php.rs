//! Php.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "PHP",
    languages: &["php"],
    looks_for: "PHP: composer.json or index.php",
    markers: &["composer.json", "index.php"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
