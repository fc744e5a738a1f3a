//! Static site.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Static",
    languages: &["static", "html"],
    looks_for: "a static site: index.html, or Staticfile",
    markers: &["Staticfile"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
