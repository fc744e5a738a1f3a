//! C and C++: CMake, Meson and Make.

use super::compiled::Compiled;
use super::{Ecosystem, Found, Packed, Packing, Port, Report, Toolchain};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["//", "*"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "C++",
    languages: &["cpp", "c"],
    looks_for: "C or C++: CMakeLists.txt, meson.build, or a Makefile beside .c or .cpp files",
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
    file: &'static str,
    manager: &'static str,
    name: Option<String>,
    commands: Vec<String>,
    program: Option<String>,
    packages: Vec<String>,
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let build = cmake(sources)
        .or_else(|| meson(sources))
        .or_else(|| make(sources))?;
    let mut report = Report::default();
    let texts = sources.program_texts(&["cpp", "cc", "cxx", "c", "hpp", "h"]);
    let is_cpp = texts.iter().any(|(path, _)| {
        [".cpp", ".cc", ".cxx", ".hpp"]
            .iter()
            .any(|end| path.ends_with(end))
    });
    let (language, label) = if is_cpp { ("cpp", "C++") } else { ("c", "C") };
    report.certain(Topic::Language, label, build.file);
    let mut system_packages = build.packages;
    libraries(sources, build.file, &mut system_packages);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    let compiled = Compiled {
        language,
        kind: language,
        name: build.name,
        file: build.file,
        package_manager: Some(build.manager),
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

fn cmake(sources: &Sources<'_>) -> Option<Build> {
    let file = "CMakeLists.txt";
    let text = sources.text(file)?;
    let after = |text: &str, word: &str| {
        Scan::behind(text, word, &["#"]).find_map(|mut scan| {
            scan.eat("(").then(|| {
                let rest = scan.rest().trim_start().trim_start_matches('"');
                let end = rest
                    .find(|character: char| {
                        character.is_whitespace() || matches!(character, ')' | '"')
                    })
                    .unwrap_or(rest.len());
                rest[..end].to_owned()
            })
        })
    };
    let project = after(&text, "project");
    // Programs may be named after the project, and declared in its folders.
    let named = |target: String| match target.strip_prefix("${") {
        Some(variable) if variable.contains("PROJECT_NAME") => project.clone(),
        Some(_) => None,
        None => Some(target),
    };
    let here = after(&text, "add_executable").and_then(&named);
    let program = here
        .map(|name| format!("./build/{}", shell_quoted(&name)))
        .or_else(|| {
            ["src", "app"].iter().find_map(|folder| {
                let text = sources.text(&format!("{folder}/CMakeLists.txt"))?;
                let name = after(&text, "add_executable").and_then(&named)?;
                Some(format!("./build/{folder}/{}", shell_quoted(&name)))
            })
        });
    let configure = "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release";
    let mut packages = vec!["cmake", "pkg-config"];
    let mut commands = Vec::new();
    if let Some(libraries) = fetched_libraries(sources) {
        packages.push(libraries.package);
        commands.extend(libraries.commands.iter().map(|line| (*line).to_owned()));
        let toolchain = libraries.toolchain;
        commands.push(format!("{configure} -DCMAKE_TOOLCHAIN_FILE={toolchain}"));
    } else {
        commands.push(configure.to_owned());
    }
    commands.push("cmake --build build --parallel".to_owned());
    Some(Build {
        file,
        manager: "cmake",
        name: project.clone(),
        commands,
        program,
        packages: packages.into_iter().map(str::to_owned).collect(),
    })
}

/// Libraries that a package manager of C++'s own builds first.
struct Libraries {
    commands: &'static [&'static str],
    /// Where the manager tells CMake of them.
    toolchain: &'static str,
    /// What the manager wants itself.
    package: &'static str,
}

fn fetched_libraries(sources: &Sources<'_>) -> Option<Libraries> {
    if sources.has("vcpkg.json") {
        return Some(Libraries {
            commands: &[
                "git clone https://github.com/microsoft/vcpkg .vcpkg && ./.vcpkg/bootstrap-vcpkg.sh -disableMetrics",
            ],
            toolchain: "$PWD/.vcpkg/scripts/buildsystems/vcpkg.cmake",
            package: "zip",
        });
    }
    let conan = sources.text("conanfile.txt")?;
    // With a layout of its own the manager writes elsewhere.
    (conan.contains("CMakeToolchain") && !conan.contains("[layout]")).then_some(Libraries {
        commands: &[
            "python3 -m venv .conan && .conan/bin/pip install conan",
            ".conan/bin/conan profile detect",
            ".conan/bin/conan install . --build=missing -of build -s build_type=Release",
        ],
        toolchain: "$PWD/build/conan_toolchain.cmake",
        package: "python3-venv",
    })
}

fn meson(sources: &Sources<'_>) -> Option<Build> {
    let file = "meson.build";
    let text = sources.text(file)?;
    let first = |word: &str| {
        Scan::behind(&text, word, &["#"])
            .find_map(|mut scan| scan.eat("(").then(|| scan.string(&['\''])).flatten())
            .map(str::to_owned)
    };
    let program = first("executable").map(|name| format!("./build/{}", shell_quoted(&name)));
    Some(Build {
        file,
        manager: "meson",
        name: first("project"),
        commands: vec![
            "meson setup build --buildtype release".to_owned(),
            "meson compile -C build".to_owned(),
        ],
        program,
        packages: ["meson", "ninja-build", "pkg-config"]
            .map(str::to_owned)
            .to_vec(),
    })
}

fn make(sources: &Sources<'_>) -> Option<Build> {
    let file = ["Makefile", "makefile", "GNUmakefile"]
        .into_iter()
        .find(|file| sources.has(file))?;
    sources.program_files(&["c", "cpp", "cc", "cxx"]).first()?;
    let text = sources.text(file)?;
    let assigned = |names: &[&str]| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            let name = name.trim_end_matches([':', '?']).trim();
            let value = value.trim();
            (names.contains(&name) && !value.is_empty() && !value.contains(['$', ' ']))
                .then(|| value.to_owned())
        })
    };
    // The first rule is what `make` makes; where that only gathers others, its first is the program.
    let rule = || {
        let rule = text.lines().find_map(|line| {
            let (target, needs) = line.split_once(':')?;
            let is_target = !target.is_empty()
                && !target.starts_with(['\t', ' ', '.', '#'])
                && !needs.starts_with('=')
                && target
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
            is_target.then_some((target, needs))
        })?;
        match rule {
            ("all", needs) => needs.split_whitespace().next().map(str::to_owned),
            (target, _) => Some(target.to_owned()),
        }
    };
    let program = assigned(&["TARGET", "PROGRAM", "EXECUTABLE", "EXEC", "BIN", "NAME"])
        .or_else(rule)
        .filter(|name| !name.contains('$') && !name.is_empty());
    Some(Build {
        file,
        manager: "make",
        name: program.clone().filter(|name| !name.contains('/')),
        commands: vec!["make".to_owned()],
        program: program.map(|name| format!("./{}", shell_quoted(name.trim_start_matches("./")))),
        packages: Vec::new(),
    })
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
    let (path, text) = texts
        .iter()
        .find(|(_, text)| text.contains("listen(") || text.contains(".port("))?;
    let written = ["htons", ".port", "PORT"].iter().find_map(|word| {
        Scan::behind(text, word, COMMENT).find_map(|mut scan| {
            let line = scan.line();
            scan.eat("(");
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
