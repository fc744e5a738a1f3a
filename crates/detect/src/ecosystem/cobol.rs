//! COBOL: GnuCOBOL makes one program of a file, and of those that it calls.

use super::compiled::Compiled;
use super::{Ecosystem, Found, Packed, Packing, Report, Toolchain};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;

/// The compiler, which nothing wants that runs.
const COMPILER: &str = "gnucobol3";
const ENDINGS: [&str; 3] = [".cbl", ".cob", ".cobol"];
const FOLDERS: [&str; 2] = ["", "src/"];
const NAMES: [&str; 2] = ["index", "main"];
/// Where a line of the language's first form begins: what stands before has a meaning of its own.
const MARGIN: usize = 7;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "COBOL",
    languages: &["cobol"],
    looks_for: "COBOL: index.cbl, or another .cbl or .cob file",
    markers: &[],
    detect,
    droppings: &[],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: "debian:bookworm".to_owned(),
        env: Vec::new(),
        source_only: &["**/*.cbl", "**/*.cob", "**/*.cobol"],
    };
    Packing {
        toolchain: (!program.starts_from("gnucobol")).then_some(toolchain),
        only_builds: &[COMPILER],
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let files: Vec<_> = sources
        .files()
        .iter()
        .copied()
        .filter(|path| stem(path).is_some())
        .filter(|path| {
            let (folder, _) = parts(path);
            FOLDERS.contains(&folder)
        })
        .collect();
    let named = NAMES.iter().find_map(|name| {
        let mut files = files.iter();
        files.find(|path| stem(path) == Some(*name))
    });
    let first = *named.or(files.first())?;
    let mut report = Report::default();
    report.certain(Topic::Language, "COBOL", first);
    if named.is_none() && files.len() > 1 {
        report.ask(
            format!("Which file is the program? {first} is taken."),
            "call the program index.cbl",
        );
    }
    let text = sources.text(first)?;
    let program = stem(first)?;
    let free = if is_free(&text) { " -free" } else { "" };
    let mut build = format!(
        "cobc -x{free} -o {} {}",
        shell_quoted(program),
        shell_quoted(first)
    );
    for other in called(first, &text, &files) {
        build.push(' ');
        build.push_str(&shell_quoted(other));
    }
    let compiled = Compiled {
        language: "cobol",
        kind: "cobol",
        name: Some(program.to_owned()),
        file: first,
        package_manager: None,
        build_commands: vec![build],
        run_command: Some(format!("./{}", shell_quoted(program))),
        artifacts: Vec::new(),
        system_packages: [COMPILER, "libcob4"].map(str::to_owned).to_vec(),
        runtime: None,
        base_image: "debian:bookworm-slim".to_owned(),
        port: None,
        reads: variables(first, &text),
        is_framework: false,
    };
    Some(compiled.found(report))
}

/// The folder with a slash at its end, and the name.
fn parts(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// The name of a COBOL file without its ending.
fn stem(path: &str) -> Option<&str> {
    let (_, name) = parts(path);
    let mut endings = ENDINGS.iter();
    endings
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|stem| !stem.is_empty() && !stem.starts_with('-'))
}

/// Whether lines begin where they like, though no directive says so.
fn is_free(text: &str) -> bool {
    let mut lines = text.lines();
    let division = lines.find(|line| line.to_ascii_uppercase().contains(" DIVISION"));
    !text.to_ascii_uppercase().contains(">>SOURCE")
        && division.is_some_and(|line| line.len() - line.trim_start().len() < MARGIN - 1)
        && division.is_some_and(|line| !line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// Other files of the project that the program calls by their names.
fn called<'f>(first: &str, text: &str, files: &[&'f str]) -> Vec<&'f str> {
    let names: Vec<_> = ["CALL", "call", "Call"]
        .iter()
        .flat_map(|word| Scan::behind(text, word, &[]))
        .filter_map(|mut scan| scan.string(&['"', '\'']))
        .collect();
    files
        .iter()
        .copied()
        .filter(|path| *path != first)
        .filter(|path| {
            let stem = stem(path).unwrap_or("");
            names.iter().any(|name| name.eq_ignore_ascii_case(stem))
        })
        .collect()
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    Scan::behind(text, "ENVIRONMENT", &[])
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let name = scan.string(&['"', '\''])?.to_owned();
            Some(Read {
                name,
                need: Need::Optional,
                from,
            })
        })
        .collect()
}
