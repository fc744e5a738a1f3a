//! OCaml: Dune and opam.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::Sources;
use crate::{version_files, versions};

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "ocaml",
    label: "OCaml",
    version: "4.13",
    remedy: "echo \"ocaml 4.13\" >> .tool-versions",
};
/// Where programs lie, the nearest first.
const FOLDERS: [&str; 4] = ["", "bin/", "src/", "app/"];
const COMMENT: &[&str] = &[";"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "OCaml",
    languages: &["ocaml"],
    looks_for: "OCaml: dune-project",
    markers: &["dune-project"],
    detect,
    droppings: &["_build", "_opam"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let version = program.version(USUAL.version);
    let short: Vec<_> = version.splitn(3, '.').take(2).collect();
    let toolchain = Toolchain {
        image: format!("ocaml/opam:debian-12-ocaml-{}", short.join(".")),
        env: Vec::new(),
        source_only: &["**/*.ml", "**/*.mli"],
    };
    Packing {
        toolchain: (!program.starts_from("opam")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let project = sources.text("dune-project")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "OCaml", "dune-project");
    let field = |text: &str, name: &str| {
        Scan::behind(text, name, COMMENT).find_map(|mut scan| {
            let is_field = scan.line_before().trim_end().ends_with(&format!("({name}"));
            let word = is_field.then(|| symbol(&mut scan)).flatten()?;
            Some(word.to_owned())
        })
    };
    let program = FOLDERS.iter().find_map(|folder| {
        let text = sources.text(&format!("{folder}dune"))?;
        if !text.contains("(executable") {
            return None;
        }
        let name = field(&text, "name").or_else(|| field(&text, "names"))?;
        Some((format!("{folder}dune"), format!("{folder}{name}"), text))
    });
    let opam = sources.name_ending(".opam");
    let manifest = opam.and_then(|file| Some((file, sources.text(file)?)));
    let libraries = program.as_ref().map_or("", |(_, _, text)| text);
    let framework = [("dream", "Dream", 8080), ("opium", "Opium", 3000)]
        .into_iter()
        .find(|(name, ..)| Scan::behind(libraries, name, COMMENT).next().is_some());
    if let (Some((_, label, _)), Some((file, ..))) = (framework, &program) {
        report.certain(Topic::Framework, label, file);
    }
    // `"ocaml" {>= "4.14"}`, and `(ocaml (>= 4.14))`
    let wanted = manifest
        .as_ref()
        .map(|(file, text)| (*file, &**text, "\"ocaml\""))
        .into_iter()
        .chain([("dune-project", &*project, "(ocaml")])
        .find_map(|(file, text, word)| {
            let scan = Scan::behind(text, word, COMMENT).next()?;
            let line = scan.rest().lines().next()?;
            let range: String = line
                .split(['}', ')'])
                .next()?
                .chars()
                .filter(|one| one.is_ascii_digit() || ">=<.".contains(*one))
                .collect();
            let least = range.trim_start_matches(['>', '=', '<']).to_owned();
            let chosen = if versions::allows(&range, USUAL.version) {
                USUAL.version.to_owned()
            } else {
                least
            };
            let from = format!("{file}:{}", scan.line());
            version_files::is_dotted(&chosen).then(|| Claim::range(range, chosen, from))
        });
    let named = version_files::claims(sources, &[], &["ocaml"]);
    let runtime = report.runtime(&USUAL, named.chain(wanted));
    let lock = sources.name_ending(".opam.locked");
    match lock {
        Some(lock) => report.lock(LockState::Locked, lock, "it pins every package"),
        None => report.lock(LockState::Missing, "", "no .opam.locked pins the packages"),
    }
    let texts = sources.program_texts(&["ml"]);
    let written = texts.iter().find_map(|(path, text)| {
        Scan::behind(text, "port", &["(*"]).find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            scan.eat(":");
            Some(Port::written(scan::port(scan.number()?)?, from))
        })
    });
    let port = framework.map(|(_, label, port)| {
        written.unwrap_or_else(|| Port::usual(port, &format!("{label}'s default")))
    });
    let path = program
        .as_ref()
        .map(|(_, path, _)| format!("_build/default/{path}.exe"));
    let build = path
        .as_deref()
        .map(|path| path.trim_start_matches("_build/default/"))
        .map_or_else(
            || "opam exec -- dune build --profile release".to_owned(),
            |path| {
                format!(
                    "opam exec -- dune build --profile release ./{}",
                    shell_quoted(path)
                )
            },
        );
    let compiled = Compiled {
        language: "ocaml",
        kind: framework.map_or("ocaml", |(name, ..)| name),
        name: field(&project, "name"),
        file: "dune-project",
        package_manager: Some("opam"),
        build_commands: vec!["opam install . --deps-only --yes".to_owned(), build],
        run_command: path
            .as_deref()
            .map(|path| format!("./{}", shell_quoted(path))),
        artifacts: path.into_iter().collect(),
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port,
        reads: Vec::new(),
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// The word of a list: `main`, `hello-web`.
fn symbol<'t>(scan: &mut Scan<'t>) -> Option<&'t str> {
    scan.skip_space();
    let rest = scan.rest();
    let end = rest.find(|one: char| one.is_whitespace() || matches!(one, '(' | ')'))?;
    (end > 0).then(|| &rest[..end])
}
