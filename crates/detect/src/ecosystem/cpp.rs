//! C and C++: CMake, Meson, Make, and files that the compiler is told itself.

mod autotools;
mod cmake;
mod lone;
mod make;
mod meson;

use super::compiled::Compiled;
use super::{Ecosystem, Found, Packed, Packing, Port, Report, Toolchain};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::scan::{self, Scan};
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["//", "*"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "C++",
    languages: &["cpp", "c"],
    looks_for: "C or C++: CMakeLists.txt, meson.build, configure, a Makefile beside .c or .cpp files, or one with a main()",
    markers: &["CMakeLists.txt", "meson.build"],
    detect,
    droppings: &["CMakeFiles", "CMakeCache.txt"],
    packing,
};

/// Debian 12's compiler, whose programs find their libraries on Debian's own base.
fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: "gcc:12-bookworm".to_owned(),
        env: Vec::new(),
        source_only: &["**/*.o"],
    };
    Packing {
        toolchain: (!program.starts_from("gcc")).then_some(toolchain),
        only_builds: &["python3-venv", "zip"],
        ..Packing::default()
    }
}

/// Libraries by the names that build files find them by, and their Debian packages to build with and to run with.
const LIBRARIES: [(&str, &str, &str); 12] = [
    ("openssl", "libssl-dev", "libssl3"),
    ("curl", "libcurl4-openssl-dev", "libcurl4"),
    ("libcurl", "libcurl4-openssl-dev", "libcurl4"),
    ("zlib", "zlib1g-dev", "zlib1g"),
    ("sqlite3", "libsqlite3-dev", "libsqlite3-0"),
    ("postgresql", "libpq-dev", "libpq5"),
    ("libpq", "libpq-dev", "libpq5"),
    ("boost", "libboost-all-dev", "libboost-system1.74.0"),
    ("libuv", "libuv1-dev", "libuv1"),
    ("fmt", "libfmt-dev", "libfmt9"),
    ("spdlog", "libspdlog-dev", "libspdlog1.10"),
    ("jsoncpp", "libjsoncpp-dev", "libjsoncpp25"),
];

/// How a build system is told to build, and what it calls the program.
struct Build {
    file: String,
    /// None where the compiler is told itself.
    manager: Option<&'static str>,
    name: Option<String>,
    commands: Vec<String>,
    program: Option<String>,
    packages: Vec<String>,
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let build = cmake::read(sources)
        .or_else(|| meson::read(sources))
        .or_else(|| autotools::read(sources))
        .or_else(|| make::read(sources))
        .or_else(|| lone::read(sources))?;
    let mut report = Report::default();
    let texts = sources.program_texts(&["cpp", "cc", "cxx", "c", "hpp", "h"]);
    let is_cpp = texts.iter().any(|(path, _)| {
        [".cpp", ".cc", ".cxx", ".hpp"]
            .iter()
            .any(|end| path.ends_with(end))
    });
    let (language, label) = if is_cpp { ("cpp", "C++") } else { ("c", "C") };
    report.certain(Topic::Language, label, &build.file);
    let mut system_packages = build.packages;
    libraries(sources, &build.file, &mut system_packages);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    let compiled = Compiled {
        language,
        kind: language,
        name: build.name,
        file: &build.file,
        package_manager: build.manager,
        build_commands: build.commands,
        artifacts: build
            .program
            .as_deref()
            .map(|program| artifacts(sources, program))
            .unwrap_or_default(),
        run_command: build.program,
        system_packages,
        runtime: None,
        base_image: "debian:bookworm-slim".to_owned(),
        port: port(&texts, &reads),
        reads,
        is_framework: false,
    };
    Some(compiled.found(report))
}

/// The program, and the folders that a program may read while it runs.
fn artifacts(sources: &Sources<'_>, program: &str) -> Vec<String> {
    const DATA: [&str; 9] = [
        "assets",
        "config",
        "data",
        "public",
        "resources",
        "share",
        "static",
        "templates",
        "www",
    ];
    let data = DATA.iter().filter(|folder| sources.has_folder(folder));
    std::iter::once(
        program
            .trim_start_matches("./")
            .trim_matches('\'')
            .to_owned(),
    )
    .chain(data.map(|folder| (*folder).to_owned()))
    .collect()
}

/// Whether a program is there beside the one that is meant, by a word of its name or of its folder.
fn is_beside(name: &str) -> bool {
    const BESIDE: [&str; 9] = [
        "test",
        "tests",
        "unittest",
        "unittests",
        "bench",
        "benchmark",
        "benchmarks",
        "example",
        "examples",
    ];
    let name = name.to_ascii_lowercase();
    name.split(['_', '-', '/', '.'])
        .any(|word| BESIDE.contains(&word))
}

/// Packages of the libraries that the build file looks for.
fn libraries(sources: &Sources<'_>, file: &str, packages: &mut Vec<String>) {
    let Some(text) = sources.text(file) else {
        return;
    };
    let words = ["find_package", "pkg_check_modules", "dependency"];
    for word in words {
        for mut scan in Scan::behind(&text, word, &["#"]) {
            if !scan.eat("(") {
                continue;
            }
            let line = scan.rest().split(')').next().unwrap_or("");
            for named in line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_+.".contains(c))) {
                let named = named.to_ascii_lowercase();
                let known = LIBRARIES.iter().find(|(name, ..)| *name == named);
                for package in known.into_iter().flat_map(|(_, build, run)| [*build, *run]) {
                    if !packages.iter().any(|one| one == package) {
                        packages.push(package.to_owned());
                    }
                }
            }
        }
    }
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    Scan::behind(text, "getenv", COMMENT)
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let name = scan
                .eat("(")
                .then(|| scan.string(&['"']))
                .flatten()?
                .to_owned();
            Some(Read {
                name,
                need: Need::Optional,
                from,
            })
        })
        .collect()
}

/// A program that takes a socket has a port.
fn port(texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let listening = ["listen(", ".port(", "addListener("];
    let (path, text) = texts
        .iter()
        .find(|(_, text)| listening.iter().any(|call| text.contains(call)))?;
    let written = ["htons", ".port", "PORT", ".listen", ".addListener"]
        .iter()
        .find_map(|word| {
            Scan::behind(text, word, COMMENT).find_map(|mut scan| {
                let line = scan.line();
                scan.eat("(");
                // server.listen("0.0.0.0", 8080)
                if scan.string(&['"']).is_some() {
                    scan.eat(",");
                }
                Some((scan::port(scan.number()?)?, line))
            })
        });
    if let Some((number, line)) = written {
        return Some(Port::written(number, format!("{path}:{line}")));
    }
    let takes = reads.iter().any(|read| read.name == "PORT");
    let fallback = Scan::behind(text, ":", COMMENT).find_map(|mut scan| {
        let line = scan.line();
        let number = scan::port(scan.number()?)?;
        (number >= 1024 && takes).then(|| Port::fallback(number, format!("{path}:{line}")))
    });
    Some(fallback.unwrap_or_else(|| Port::usual(8080, "usual for C and C++")))
}
