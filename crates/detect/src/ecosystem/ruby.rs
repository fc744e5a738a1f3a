//! Ruby.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Ruby",
    languages: &["ruby"],
    looks_for: "Ruby: Gemfile, config.ru or a .rb file at the root",
    markers: &["Gemfile", "config.ru"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
