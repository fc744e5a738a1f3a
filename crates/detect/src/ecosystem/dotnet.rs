//! .NET.

use super::{Ecosystem, Packing};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: ".NET",
    languages: &["csharp", "fsharp", "dotnet"],
    looks_for: ".NET: a .csproj or .fsproj file",
    markers: &["*.csproj", "*.fsproj"],
    detect: |_| None,
    droppings: &[],
    packing: |_| Packing::default(),
};
