//! `nixpacks.toml` and `nixpacks.json`: phases, packages, variables and the start command.

use serde_json::Value;

use super::{Declared, Said, plain, texts};
use crate::document::Document;
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files::is_dotted;

/// Packages that are called otherwise by Debian.
const DEBIAN: [(&str, &str); 18] = [
    ("cairo", "libcairo2"),
    ("file", "libmagic1"),
    ("gtk3", "libgtk-3-0"),
    ("libGL", "libgl1"),
    ("libffi", "libffi8"),
    ("libmysqlclient", "libmariadb3"),
    ("libpq", "libpq5"),
    ("libwebp", "libwebp7"),
    ("nss", "libnss3"),
    ("pango", "libpango-1.0-0"),
    ("pkgconfig", "pkg-config"),
    ("poppler_utils", "poppler-utils"),
    ("postgresql", "postgresql-client"),
    ("sqlite", "sqlite3"),
    ("tesseract", "tesseract-ocr"),
    ("tesseract4", "tesseract-ocr"),
    ("vips", "libvips42"),
    ("xorg.libX11", "libx11-6"),
];

/// Packages that are called the same.
const SAME: [&str; 29] = [
    "bash",
    "chromium",
    "cmake",
    "cowsay",
    "curl",
    "exiftool",
    "ffmpeg",
    "fontconfig",
    "gcc",
    "ghostscript",
    "git",
    "gnumake",
    "graphviz",
    "imagemagick",
    "jq",
    "libxml2",
    "nginx",
    "openssl",
    "pandoc",
    "pkg-config",
    "ripgrep",
    "rsync",
    "supervisor",
    "tree",
    "unzip",
    "wget",
    "wkhtmltopdf",
    "xvfb",
    "zip",
];

/// Runtimes by how their packages' names begin: `nodejs_20`, `python311`, `go_1_21`, `jdk17`.
const RUNTIMES: [(&str, &str); 13] = [
    ("nodejs", "node"),
    ("python", "python"),
    ("go", "go"),
    ("jdk", "java"),
    ("openjdk", "java"),
    ("temurin-bin", "java"),
    ("ruby", "ruby"),
    ("php", "php"),
    ("dotnet-sdk", "dotnet"),
    ("elixir", "elixir"),
    ("deno", "deno"),
    ("bun", "bun"),
    ("rust", "rust"),
];

/// Variables by which the tool is told of versions.
const VERSIONS: [(&str, &str); 9] = [
    ("NIXPACKS_NODE_VERSION", "node"),
    ("NIXPACKS_PYTHON_VERSION", "python"),
    ("NIXPACKS_GO_VERSION", "go"),
    ("NIXPACKS_RUST_VERSION", "rust"),
    ("NIXPACKS_JDK_VERSION", "java"),
    ("NIXPACKS_RUBY_VERSION", "ruby"),
    ("NIXPACKS_PHP_VERSION", "php"),
    ("NIXPACKS_CSHARP_SDK_VERSION", "dotnet"),
    ("NIXPACKS_FSHARP_SDK_VERSION", "dotnet"),
];

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    for (file, by) in [
        ("nixpacks.toml", "nixpacks.toml"),
        ("nixpacks.json", "nixpacks.json"),
    ] {
        if sources.has(file)
            && let Some(document) = sources.document(file)
        {
            read_document(&document, by, declared);
        }
    }
}

fn read_document(document: &Document, by: &'static str, declared: &mut Declared) {
    if let Some(command) = document.text(&["start", "cmd"]) {
        declared.start(command, document.from(&["start", "cmd"]), by);
    }
    let providers = document.get(&["providers"]).map(texts);
    let first = providers.and_then(|all| all.into_iter().find(|one| one != "..."));
    if let (Some(provider), None) = (first, &declared.language) {
        declared.language = Some(Said::new(provider, document.from(&["providers"])));
    }
    // What is installed and built, in this order; what the tool calls otherwise comes last.
    let mut phases: Vec<_> = document.table(&["phases"]).collect();
    phases.sort_by_key(|(name, _)| match *name {
        "setup" => 0,
        "install" => 1,
        "build" => 2,
        _ => 3,
    });
    let mut commands = Vec::new();
    let mut first = None;
    for (name, phase) in phases {
        let mut own = phase.get("cmds").map(texts).unwrap_or_default();
        if own.is_empty() {
            own = phase.get("cmd").map(texts).unwrap_or_default();
        }
        if own.is_empty() {
            continue;
        }
        let takes_place = matches!(name, "install" | "build");
        if !takes_place && commands.is_empty() {
            commands.push("...".to_owned());
        }
        first.get_or_insert_with(|| document.from(&["phases", name, "cmds"]));
        commands.extend(own);
    }
    if let Some(from) = first {
        declared.build(commands, from, by);
    }
    for (name, phase) in document.table(&["phases"]) {
        for (index, package) in listed(phase, "aptPkgs") {
            declared.package(
                &package,
                &document.from(&["phases", name, "aptPkgs", &index]),
            );
        }
        for list in ["nixPkgs", "nixLibs"] {
            for (index, package) in listed(phase, list) {
                let from = document.from(&["phases", name, list, &index]);
                nix_package(&package, from, declared);
            }
        }
    }
    for (name, value) in document.table(&["variables"]) {
        let from = document.from(&["variables", name]);
        let Some(value) = plain(value) else {
            continue;
        };
        let version = VERSIONS.iter().find(|(known, _)| *known == name);
        match version {
            Some((_, runtime)) if is_dotted(&value) => {
                declared
                    .versions
                    .push(((*runtime).to_owned(), Claim::exactly(value, from)));
            }
            _ if name.starts_with("NIXPACKS_") => {}
            _ => declared.variable(name, Some(value), from, by),
        }
    }
}

fn listed(phase: &Value, list: &str) -> Vec<(String, String)> {
    let values = phase.get(list).and_then(Value::as_array);
    values
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, value)| Some((index.to_string(), plain(value)?)))
        .filter(|(_, package)| package != "...")
        .collect()
}

fn nix_package(package: &str, from: String, declared: &mut Declared) {
    let runtime = RUNTIMES.iter().find_map(|(start, runtime)| {
        let rest = package.strip_prefix(start)?;
        let version = rest
            .trim_start_matches(['_', '-'])
            .trim_end_matches("_x")
            .trim_end_matches("-x")
            .replace('_', ".");
        // `python311` is 3.11, `php82` 8.2; `nodejs_20` and `jdk17` have no minor version.
        let split = ["python", "php", "ruby"].contains(start) && !version.contains('.');
        let version = match version.char_indices().nth(1) {
            Some((at, _)) if split => format!("{}.{}", &version[..at], &version[at..]),
            _ => version,
        };
        (rest.is_empty() || is_dotted(&version)).then_some((*runtime, version))
    });
    if let Some((runtime, version)) = runtime {
        if !version.is_empty() {
            declared
                .versions
                .push((runtime.to_owned(), Claim::exactly(version, from)));
        }
        return;
    }
    let debian = DEBIAN.iter().find(|(nix, _)| *nix == package);
    match debian.map(|(_, debian)| *debian) {
        Some(name) => declared.package(name, &from),
        None if SAME.contains(&package) => declared.package(package, &from),
        None => declared.ask(
            format!("Which Debian package is {package}? {from} wants it of Nix."),
            "write it into system_packages of ergon.json",
        ),
    }
}
