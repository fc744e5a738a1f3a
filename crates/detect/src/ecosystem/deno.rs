//! Deno.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Deno",
    languages: &["deno"],
    looks_for: "Deno: deno.json or deno.jsonc",
    markers: &["deno.json", "deno.jsonc"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
