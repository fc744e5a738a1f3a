//! Rocket, which is set up by a file or by variables of its own.

use ergon_manifest::Application;

use super::package::{Dependency, Package};
use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::sources::Sources;

/// Where its file says what a program does that was built for use; what stands first decides.
const PROFILES: [&str; 4] = ["global", "release", "production", "default"];

/// The port that its file names; what it reads from the environment is added.
pub(super) fn port(
    sources: &Sources<'_>,
    package: &Package,
    dependencies: &[Dependency],
    reads: &mut Vec<Read>,
) -> Option<Port> {
    let used = dependencies
        .iter()
        .find(|dependency| dependency.name == "rocket")?;
    // It is read where the program runs.
    let file = sources
        .has("Rocket.toml")
        .then(|| "Rocket.toml".to_owned())
        .or_else(|| Some(package.path("Rocket.toml")).filter(|file| sources.has(file)));
    let document = file.and_then(|file| sources.document(&file));
    let said = |key: &str| {
        let document = document.as_ref()?;
        PROFILES.iter().find_map(|profile| {
            let value = document.get(&[profile, key])?;
            let text = value
                .as_str()
                .map(str::to_owned)
                .or_else(|| Some(value.as_u64()?.to_string()))?;
            Some((text, document.from(&[profile, key])))
        })
    };
    let port = said("port").and_then(|(port, from)| {
        let number = crate::scan::port(&port)?;
        Some((number, from))
    });
    let mut read = |name: &str, default: String, from: &str| {
        if !reads.iter().any(|read| read.name == name) {
            reads.push(Read {
                name: name.to_owned(),
                need: Need::Default(default),
                from: from.to_owned(),
            });
        }
    };
    match &port {
        Some((number, from)) => read("ROCKET_PORT", number.to_string(), from),
        None => read("ROCKET_PORT", "8000".to_owned(), &used.from),
    }
    match said("address") {
        Some((address, from)) => read("ROCKET_ADDRESS", address, &from),
        None => read("ROCKET_ADDRESS", "127.0.0.1".to_owned(), &used.from),
    }
    port.map(|(number, from)| Port {
        number,
        from: Some(from),
        why: "Rocket's settings say so".to_owned(),
    })
}

/// What makes it reachable from outside its container, where by itself it is not, at the port that is told.
pub(super) fn variables(application: &Application) -> Vec<(&'static str, String)> {
    if application.kind != "rocket" {
        return Vec::new();
    }
    let mut variables = vec![("ROCKET_ADDRESS", "0.0.0.0".to_owned())];
    if let Some(port) = application.ports.first()
        && !application.env.contains_key("PORT")
    {
        variables.push(("ROCKET_PORT", port.to_string()));
    }
    variables
}
