//! Scheme: GNU Guile.

use super::compiled::Compiled;
use super::{Ecosystem, Found, Packing, Port, Report, UsualRuntime};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::scan::{self, Scan};
use crate::sources::Sources;
use crate::version_files;

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "guile",
    label: "Guile",
    version: "3.0",
    remedy: "echo \"guile 3.0\" >> .tool-versions",
};
/// What starts a program; other files of the language are libraries, or another tool's queries.
const PROGRAMS: [&str; 5] = ["init.scm", "main.scm", "index.scm", "app.scm", "server.scm"];
/// Describes a site that Haunt builds, which Debian does not package.
const SITE: &str = "haunt.scm";

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Scheme",
    languages: &["scheme"],
    looks_for: "Scheme: init.scm, main.scm or haunt.scm",
    markers: &[SITE],
    detect,
    droppings: &[],
    packing: |_| Packing::default(),
};

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let program = sources.first_of(&PROGRAMS);
    let site = sources.first_of(&[SITE]);
    let file = program.or(site)?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Scheme", file);
    if site.is_some() {
        report.certain(Topic::Framework, "Haunt", SITE);
        if !sources.has_folder("site") {
            report.ask(
                "How is Haunt's site built? Debian has no package of Haunt, so no build makes the site.",
                "haunt build, and commit the folder site",
            );
        }
    }
    let runtime = report.runtime(&USUAL, version_files::claims(sources, &[], &["guile"]));
    let text = sources.text(file).unwrap_or_default();
    let reads: Vec<_> = sources
        .program_texts(&["scm"])
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    let run = program.map(|program| format!("guile {program} --auto-compile"));
    let compiled = Compiled {
        language: "scheme",
        kind: if site.is_some() { "haunt" } else { "scheme" },
        name: None,
        file,
        package_manager: None,
        build_commands: Vec::new(),
        run_command: run,
        artifacts: Vec::new(),
        system_packages: vec!["guile-3.0".to_owned()],
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: port(file, &text),
        reads,
        is_framework: false,
    };
    Some(compiled.found(report))
}

/// A server of Guile's own listens on 8080 unless it is told to use another port.
fn port(path: &str, text: &str) -> Option<Port> {
    Scan::behind(text, "run-server", &[";"]).next()?;
    let written = Scan::behind(text, "#:port", &[";"]).find_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        Some(Port::written(scan::port(scan.number()?)?, from))
    });
    Some(written.unwrap_or_else(|| Port::usual(8080, "Guile's default")))
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    Scan::behind(text, "getenv", &[";"])
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let name = scan.string(&['"'])?.to_owned();
            Some(Read {
                name,
                need: Need::Optional,
                from,
            })
        })
        .collect()
}
