//! Elixir.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Elixir",
    languages: &["elixir"],
    looks_for: "Elixir: mix.exs",
    markers: &["mix.exs"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
