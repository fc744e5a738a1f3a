//! Rust: cargo, one program.

mod source;

use ergon_manifest::Application;

use super::{
    Claim, Ecosystem, Found, Packed, Packing, Port, Report, Strength, Toolchain, UsualRuntime,
    counted,
};
use crate::analysis::Topic;
use crate::document::Document;
use crate::sources::Sources;
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "rust",
    label: "Rust",
    version: "1.63",
    remedy: "echo 1.63 > rust-toolchain",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Rust",
    languages: &["rust"],
    looks_for: "Rust: Cargo.toml with a src/main.rs or a [[bin]]",
    markers: &["Cargo.toml"],
    detect,
    droppings: &["target"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("rust:{}-slim-bookworm", program.version(USUAL.version)),
        // What one step has fetched is there for the next.
        env: vec![
            ("CARGO_HOME", "/usr/local/cargo".to_owned()),
            ("CARGO_INCREMENTAL", "0".to_owned()),
        ],
        source_only: &[
            "**/*.rs",
            "**/Cargo.toml",
            "Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
            "target",
        ],
    };
    Packing {
        toolchain: (!program.starts_from("rust")).then_some(toolchain),
        ..Packing::default()
    }
}

/// A web framework: its crate, what people call it, and the port it takes by itself.
const FRAMEWORKS: [(&str, &str, Option<u16>); 4] = [
    ("axum", "Axum", None),
    ("rocket", "Rocket", Some(8000)),
    ("actix-web", "Actix Web", None),
    ("warp", "warp", None),
];

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let cargo = sources.document("Cargo.toml")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Rust", "Cargo.toml");
    let package = cargo.text(&["package", "name"]);
    let framework = FRAMEWORKS
        .iter()
        .find(|(krate, ..)| cargo.get(&["dependencies", krate]).is_some());
    if let Some((krate, label, _)) = framework {
        let version = version_of(&cargo, krate)
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        report.certain(
            Topic::Framework,
            format!("{label}{version}"),
            cargo.from(&["dependencies", krate]),
        );
    }
    let runtime = report.runtime(&USUAL, version(sources, &cargo));
    let texts = sources.program_texts(&["rs"]);
    let program = program(sources, &cargo, &mut report);
    let locked = sources.has("Cargo.lock");

    let mut application = Application {
        kind: framework.map_or("rust", |(krate, ..)| krate).to_owned(),
        language: "rust".to_owned(),
        dependencies: Some("Cargo.toml".to_owned()),
        package_manager: Some("cargo".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "cargo", "Cargo.toml");
    let count = cargo.table(&["dependencies"]).count();
    let state = if locked {
        "Cargo.lock is locked"
    } else {
        "Cargo.lock is missing"
    };
    report
        .certain(
            Topic::Dependencies,
            counted(count, "crate"),
            cargo.from(&["dependencies"]),
        )
        .note(state);
    if let Some(program) = &program {
        let exactly = if locked { " --locked" } else { "" };
        let name = &program.name;
        application.build_commands = vec![
            format!("cargo fetch{exactly}"),
            format!("cargo build --release --offline{exactly} --bin {name}"),
            format!("install -D target/release/{name} bin/{name}"),
        ];
        for command in &application.build_commands {
            report.likely(Topic::BuildCommand, command, &program.from);
        }
        let run = format!("./bin/{name}");
        report
            .likely(Topic::RunCommand, &run, &program.from)
            .note(format!("built from {}", program.file));
        application.entrypoint = Some(program.file.clone());
        application.run_command = Some(run);
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    if program.is_some() {
        let usual = || {
            framework.map(|(_, label, own)| match own {
                Some(port) => Port::usual(*port, &format!("{label}'s default")),
                None => Port::usual(3000, &format!("usual for {label}")),
            })
        };
        if let Some(port) = source::port(&texts, &reads, &mut report).or_else(usual) {
            application.ports = vec![report.port(&port)];
            let routes: Vec<_> = texts
                .iter()
                .flat_map(|(path, text)| source::routes(path, text))
                .collect();
            application.health = report.health(&routes);
        }
    }
    application.env = environment::variables(&reads);
    environment::report(&application.env, &mut report);
    let listed = cargo
        .table(&["dependencies"])
        .map(|(name, _)| (name, cargo.from(&["dependencies", name])));
    application.services = services::of_dependencies(services::Packages::Rust, listed, &mut report);
    if locked || count == 0 {
        let note = if locked {
            "Cargo.lock pins every crate"
        } else {
            "nothing is depended on"
        };
        report
            .certain(
                Topic::Pinned,
                "yes",
                if locked { "Cargo.lock" } else { "Cargo.toml" },
            )
            .note(note);
    } else {
        report
            .certain(Topic::Pinned, "no", "Cargo.toml")
            .note("there is no Cargo.lock");
        report.ask(
            "Which versions? there is no Cargo.lock.",
            "cargo generate-lockfile, and commit Cargo.lock",
        );
    }
    application.runtime = Some(runtime);
    let strength = match (&program, framework) {
        (None, _) => Strength::Sources,
        (Some(_), None) => Strength::Program,
        (Some(_), Some(_)) => Strength::Framework,
    };
    Some(Found {
        strength,
        name: package.and_then(names::from_package),
        application,
        base_image: "debian:bookworm-slim".to_owned(),
        delegates: false,
        report,
    })
}

fn version_of(cargo: &Document, krate: &str) -> Option<String> {
    let written = cargo
        .text(&["dependencies", krate])
        .or_else(|| cargo.text(&["dependencies", krate, "version"]))?;
    let version = written.trim_start_matches(['^', '=', '~', ' ']);
    Some(version.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
}

/// The version, as the toolchain file says it, else the least that the package allows.
fn version(sources: &Sources<'_>, cargo: &Document) -> Option<Claim> {
    let is_version = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let plain = || {
        let text = sources.text("rust-toolchain")?;
        let version = text.trim();
        is_version(version).then(|| (version.to_owned(), "rust-toolchain:1".to_owned()))
    };
    let table = || {
        let document = sources.document("rust-toolchain.toml")?;
        let version = document
            .text(&["toolchain", "channel"])
            .filter(|version| is_version(version))?;
        Some((version.to_owned(), document.from(&["toolchain", "channel"])))
    };
    let least = || {
        let version = cargo
            .text(&["package", "rust-version"])
            .filter(|version| is_version(version))?;
        Some((version.to_owned(), cargo.from(&["package", "rust-version"])))
    };
    let fits = |(version, _): &(String, String)| {
        version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    let (version, from) = table().or_else(plain).or_else(least).filter(fits)?;
    Some(Claim::exactly(version, from))
}

/// The program that is built.
struct Program {
    name: String,
    file: String,
    from: String,
}

fn program(sources: &Sources<'_>, cargo: &Document, report: &mut Report) -> Option<Program> {
    let mut programs = Vec::new();
    let mut add = |name: &str, file: &str, from: String| {
        // The name goes into a shell line.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if !name.is_empty() && name.chars().all(plain) {
            programs.push(Program {
                name: name.to_owned(),
                file: file.to_owned(),
                from,
            });
        }
    };
    let package = cargo.text(&["package", "name"])?;
    let listed = cargo
        .get(&["bin"])
        .and_then(serde_json::Value::as_array)
        .map_or(0, Vec::len);
    for index in 0..listed {
        let index = index.to_string();
        let Some(name) = cargo.text(&["bin", &index, "name"]) else {
            continue;
        };
        let usual = format!("src/bin/{name}.rs");
        let file = cargo.text(&["bin", &index, "path"]).unwrap_or(&usual);
        let file = if sources.has(file) {
            file
        } else {
            "src/main.rs"
        };
        add(name, file, cargo.from(&["bin", &index, "name"]));
    }
    if listed == 0 {
        if sources.has("src/main.rs") {
            add(package, "src/main.rs", "src/main.rs".to_owned());
        }
        for path in sources.program_files(&["rs"]) {
            let file = path
                .strip_prefix("src/bin/")
                .and_then(|rest| rest.strip_suffix(".rs"));
            if let Some(name) = file.filter(|name| !name.contains('/')) {
                add(name, path, path.to_owned());
            }
        }
    }
    let default = cargo.text(&["package", "default-run"]).unwrap_or(package);
    let chosen = programs.iter().position(|program| program.name == default);
    if programs.len() > 1 && chosen.is_none() {
        let names: Vec<_> = programs
            .iter()
            .map(|program| program.name.as_str())
            .collect();
        report.ask(
            format!(
                "Which program? {} are programs; {} taken.",
                names.join(", "),
                names[0]
            ),
            format!(
                "add default-run = \"{}\" to [package] in Cargo.toml",
                names[0]
            ),
        );
    }
    (!programs.is_empty()).then(|| programs.swap_remove(chosen.unwrap_or(0)))
}
