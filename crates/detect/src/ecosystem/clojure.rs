//! Clojure: Leiningen, tools.build, or `deps.edn` alone.

mod deps;
mod edn;
mod leiningen;
mod source;

use super::java::build::{Build, Launch};
use super::java::packing;
use super::java::program::Program;
use super::java::source::Main;
use super::{Ecosystem, Found, Port};
use crate::environment::Read;
use crate::sources::Sources;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Clojure",
    languages: &["clojure"],
    looks_for: "Clojure: project.clj, or deps.edn",
    markers: &["project.clj", "deps.edn"],
    detect,
    droppings: &[
        "**/target",
        ".cpcache",
        ".lsp",
        ".clj-kondo",
        ".nrepl-port",
        ".lein-*",
    ],
    packing: packing::packing,
};

/// What a build file makes of the program.
struct Described {
    build: Build,
    launch: Option<Launch>,
    /// The variables that its server reads by itself.
    reads: Vec<Read>,
    port: Option<Port>,
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let texts = sources.program_texts(&["clj", "cljc"]);
    let mains = source::mains(&texts);
    let described = if sources.has("project.clj") {
        leiningen::describe(sources, &mains)?
    } else if sources.has("deps.edn") {
        deps::describe(sources, &mains)?
    } else {
        return None;
    };
    let Described {
        build,
        launch,
        reads: mut known,
        mut port,
    } = described;
    let environ = build.uses().any(|used| used.name == "environ:environ");
    let mut reads: Vec<Read> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text, environ))
        .collect();
    let written = || {
        texts
            .iter()
            .find_map(|(path, text)| source::port(path, text))
    };
    port = Port::of_reads(&reads).or_else(written).or(port);
    reads.append(&mut known);
    let routes = texts
        .iter()
        .flat_map(|(path, text)| source::routes(path, text))
        .collect();
    let main: Option<Main> = mains.first().cloned();
    Some(
        Program {
            sources,
            language: "clojure",
            label: "Clojure",
            build,
            launch,
            main,
            // What Java says is not said in these words.
            texts: Vec::new(),
            reads,
            routes,
            port,
        }
        .found(),
    )
}
