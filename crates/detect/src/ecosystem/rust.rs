//! Rust: cargo, the programs of a package or a workspace.

mod build;
mod lock;
mod native;
mod package;
mod pages;
mod programs;
mod rocket;
mod source;
mod version;

use ergon_manifest::Application;

use self::build::{Build, target};
use self::lock::Lock;
use self::package::{Dependency, Package, Workspace};
use self::programs::{Choice, Program};
use super::{
    Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, Toolchain, UsualRuntime,
    counted, kept, probe_by_bash,
};
use crate::analysis::Topic;
use crate::sources::{Sources, Text};
use crate::{environment, names, services, web_server};

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
    looks_for: "Rust: Cargo.toml with a src/main.rs or a [[bin]], or a workspace of such",
    markers: &["Cargo.toml"],
    detect,
    droppings: &["target"],
    packing,
};

/// The Debian release of images, and the one before it for what came out in its time.
const RELEASE: &str = "bookworm";
const OLDER_RELEASE: &str = "bullseye";

/// The Debian release for which there is an image with this Rust.
fn release(version: &str) -> &'static str {
    let numbers = version::numbers(version);
    let is_usual = numbers == version::numbers(USUAL.version);
    if numbers.is_empty() || is_usual || numbers >= vec![1, 70] {
        RELEASE
    } else {
        OLDER_RELEASE
    }
}

fn packing(program: &Packed<'_>) -> Packing {
    if web_server::serves(program.application) {
        return web_server::packing(Some(pages::toolchain(program.application)));
    }
    let version = program.version(USUAL.version);
    let is_channel = version.starts_with(|first: char| first.is_ascii_lowercase());
    let mut env = vec![
        // What one step has fetched is there for the next.
        ("CARGO_HOME", "/usr/local/cargo".to_owned()),
        ("CARGO_INCREMENTAL", "0".to_owned()),
    ];
    if is_channel {
        env.push(("RUSTUP_TOOLCHAIN", version.to_owned()));
    }
    let toolchain = Toolchain {
        image: if is_channel {
            format!("rust:1-slim-{RELEASE}")
        } else {
            format!("rust:{version}-slim-{}", release(version))
        },
        env,
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
        env: rocket::variables(program.application)
            .into_iter()
            .chain(pages::variables_of_leptos(program.application))
            .collect(),
        probe: Some(probe_by_bash),
        ..Packing::default()
    }
}

/// A web framework: its crate, what people call it, and the port it takes by itself.
struct Framework {
    name: &'static str,
    label: &'static str,
    port: Option<u16>,
}

impl Framework {
    const fn new(name: &'static str, label: &'static str, port: Option<u16>) -> Self {
        Self { name, label, port }
    }
}

/// Its programs are commands, one of which serves.
const LOCO: &str = "loco-rs";

const FRAMEWORKS: [Framework; 11] = [
    Framework::new(LOCO, "Loco", Some(5150)),
    Framework::new("rocket", "Rocket", Some(8000)),
    Framework::new("axum", "Axum", None),
    Framework::new("actix-web", "Actix Web", None),
    Framework::new("warp", "warp", None),
    Framework::new("poem", "Poem", None),
    Framework::new("salvo", "Salvo", None),
    Framework::new("tide", "Tide", None),
    Framework::new("ntex", "ntex", None),
    Framework::new("gotham", "Gotham", None),
    Framework::new("tonic", "tonic", Some(50051)),
];

/// Crates of pages that are compiled to WebAssembly.
const IN_BROWSERS: [&str; 5] = ["yew", "sycamore", "seed", "leptos", "dioxus"];

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let root = Package::read(sources, "")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Rust", "Cargo.toml");
    let workspace = Workspace::of(sources, &root);
    let workspace = workspace.as_ref();
    let texts = sources.program_texts(&["rs"]);
    let root_name = root.name().and_then(names::from_package);
    let in_browsers = goes_to_browsers(sources, &root, workspace);
    let choice = if in_browsers {
        if let Some(found) = pages::of_trunk(sources, &root, workspace, &mut report) {
            return Some(found);
        }
        report.ask(
            "How is it served? it is compiled to WebAssembly, for browsers.",
            "write build_commands and run_command into ergon.json",
        );
        Choice::Nothing
    } else {
        programs::choose(sources, root, workspace, &texts, &mut report)
    };
    let (program, package) = match choice {
        Choice::One(program, package) => (Some(program), package),
        Choice::Nothing | Choice::Each => (None, Box::new(Package::read(sources, "")?)),
    };
    let members = others(sources, &package, workspace);
    let texts: Vec<Text<'_>> = texts
        .into_iter()
        .filter(|(path, _)| is_part(path, program.as_ref(), &package, &members))
        .collect();
    let dependencies = package.dependencies(workspace);
    let libraries: Vec<Dependency> = members
        .iter()
        .filter(|(_, programs)| programs.is_empty())
        .flat_map(|(member, _)| member.dependencies(workspace))
        .collect();

    let up = workspace.map_or("", |workspace| workspace.up.as_str());
    let lock_file = format!("{up}Cargo.lock");
    let lock_text = sources.text(&lock_file).filter(|_| sources.has(&lock_file));
    let lock = lock_text.as_deref().map(Lock::read);
    let lock = lock.as_ref().map(|lock| (lock, lock_file.as_str()));

    let all: Vec<&Dependency> = dependencies.iter().chain(&libraries).collect();
    let framework = framework(&all, &mut report);
    let claims = version::claims(sources, &package, workspace, lock);
    let decides = claims.iter().find(|(claim, _)| !claim.is_unknown());
    let why = decides.and_then(|(_, why)| *why);
    let names_toolchain = decides.is_some_and(|(claim, _)| claim.range.is_none());
    let runtime = report.runtime(&USUAL, claims.into_iter().map(|(claim, _)| claim));
    if let Some(why) = why
        && let Some(fact) = report.facts.last_mut()
        && fact.over.is_empty()
    {
        fact.note(why);
    }
    let mut application = Application {
        kind: framework
            .map_or("rust", |framework| framework.name.trim_end_matches("-rs"))
            .to_owned(),
        language: "rust".to_owned(),
        dependencies: Some(package.path("Cargo.toml")),
        package_manager: Some("cargo".to_owned()),
        ..Application::default()
    };
    let file = package.path("Cargo.toml");
    report.certain(Topic::PackageManager, "cargo", &file);
    let count = dependencies.iter().filter(|one| one.runs).count();
    let table = package.manifest.from(&["dependencies"]);
    report.certain(Topic::Dependencies, counted(count, "crate"), table);
    let state = lock::report(&all, lock, &file, &mut report);

    let serves = framework.is_some() || texts.iter().any(|(_, text)| source::listens(text));
    if let Some(program) = &program {
        let build = Build {
            program,
            package: &package,
            up,
            // Whoever fetches gets the toolchain, too, where the project names one.
            // Of a workspace all is resolved, whichever of it is built.
            fetches: !all.is_empty() || names_toolchain || !up.is_empty(),
            locked: state == LockState::Locked && lock.is_some(),
            target: target(sources, up),
        };
        let command = framework
            .filter(|framework| framework.name == LOCO)
            .map_or("", |_| " start --binding 0.0.0.0 --port ${PORT:-5150}");
        build.write(command, &mut application, &mut report);
        let release = release(&runtime.version);
        application.system_packages = native::packages(lock, &all, release, &mut report);
    }
    let mut reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    if program.is_some() {
        let is_rocket = framework.is_some_and(|framework| framework.name == "rocket");
        let configured = is_rocket
            .then(|| rocket::port(sources, &package, &dependencies, &mut reads))
            .flatten()
            .or_else(|| pages::port_of_leptos(&package));
        let usual = || {
            framework.map(|Framework { label, port, .. }| match port {
                Some(port) if *label == "tonic" => Port::usual(*port, "usual for gRPC"),
                Some(port) => Port::usual(*port, &format!("{label}'s default")),
                None => Port::usual(3000, &format!("usual for {label}")),
            })
        };
        let port = configured
            .or_else(|| source::port(sources, &texts, &reads, &mut report))
            .or_else(usual);
        if let Some(port) = port {
            application.ports = vec![report.port(&port)];
            let routes: Vec<_> = texts
                .iter()
                .flat_map(|(path, text)| source::routes(path, text))
                .collect();
            application.health = report.health(&routes);
        }
    }
    if let Some(program) = program.as_ref().filter(|_| pages::is_of_leptos(&package)) {
        let name = &program.name;
        pages::build_leptos(&package, name, &mut application, &mut reads, &mut report);
    }
    application.env = environment::told(&reads, &mut report);
    let by_feature = all
        .iter()
        .filter(|one| one.runs && !one.left_out)
        .flat_map(|dependency| {
            let named = std::iter::once(dependency.name.clone());
            let by_feature = dependency
                .features
                .iter()
                .map(|feature| format!("{}/{feature}", dependency.name));
            named
                .chain(by_feature)
                .map(|name| (name, dependency.from.clone()))
        });
    let by_feature: Vec<_> = by_feature.collect();
    let by_feature = by_feature
        .iter()
        .map(|(name, from)| (name.as_str(), from.clone()));
    application.services =
        services::of_dependencies(services::Packages::Rust, by_feature, &mut report);
    let base_image = format!("debian:{}-slim", release(&runtime.version));
    application.runtime = Some(runtime);
    // What a member of a workspace reads may lie where its sources are, which it does not say by itself.
    let of_member = || {
        texts
            .iter()
            .any(|(_, text)| text.contains("CARGO_MANIFEST_DIR"))
    };
    let reads_more = framework.is_some_and(|framework| framework.name == LOCO)
        || (!package.folder.is_empty() && of_member())
        || pages::is_of_leptos(&package);
    if let Some(program) = program.as_ref().filter(|_| !reads_more) {
        let left = format!("bin/{}", program.name);
        let usual = source::usual(&all);
        application.artifacts = kept::artifacts(sources, &texts, &left, &source::READING, &usual);
    }
    let strength = match (&program, serves) {
        (None, _) => Strength::Sources,
        (Some(_), false) => Strength::Program,
        (Some(_), true) => Strength::Framework,
    };
    let name = match package.folder.as_str() {
        "" => root_name,
        _ => package.name().and_then(names::from_package),
    };
    Some(Found {
        strength,
        name,
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The other packages of the workspace and their programs.
fn others(
    sources: &Sources<'_>,
    package: &Package,
    workspace: Option<&Workspace>,
) -> Vec<(Package, Vec<Program>)> {
    let Some(workspace) = workspace.filter(|workspace| workspace.up.is_empty()) else {
        return Vec::new();
    };
    let folders = workspace.members(sources);
    let others = folders.iter().filter(|folder| **folder != package.folder);
    others
        .filter_map(|folder| Package::read(sources, folder))
        .map(|member| {
            let programs = programs::of_package(sources, &member);
            (member, programs)
        })
        .collect()
}

/// Whether a file is part of the program: not another one's main file, and not in another one's package.
fn is_part(
    path: &str,
    program: Option<&Program>,
    package: &Package,
    members: &[(Package, Vec<Program>)],
) -> bool {
    let of_another = members
        .iter()
        .any(|(member, programs)| !programs.is_empty() && path.starts_with(&member.folder));
    let bins = package.path("src/bin/");
    let own_file = program.is_none_or(|program| {
        let folder = program.file.strip_suffix("main.rs");
        let own = program.file == path
            || folder.is_some_and(|folder| folder.len() > bins.len() && path.starts_with(folder));
        let of_another_main = path == package.path("src/main.rs") && program.file != path;
        own || !(path.starts_with(&bins) || of_another_main)
    });
    !of_another && own_file
}

/// Whether the package is a page's code: a tool for such is there to build it, or the target is theirs.
fn goes_to_browsers(
    sources: &Sources<'_>,
    package: &Package,
    workspace: Option<&Workspace>,
) -> bool {
    if target(sources, "").is_some_and(|target| target.starts_with("wasm")) {
        return true;
    }
    let dependencies = package.dependencies(workspace);
    let has = |names: &[&str]| {
        dependencies
            .iter()
            .any(|dependency| dependency.runs && names.contains(&dependency.name.as_str()))
    };
    let serves = FRAMEWORKS.iter().any(|framework| has(&[framework.name]));
    let page = sources.first_of(&["Trunk.toml", "index.html", "Dioxus.toml"]);
    !serves && has(&IN_BROWSERS) && page.is_some()
}

fn framework(dependencies: &[&Dependency], report: &mut Report) -> Option<&'static Framework> {
    let (framework, dependency) = FRAMEWORKS.iter().find_map(|framework| {
        let mut used = dependencies.iter().filter(|dependency| dependency.runs);
        Some((
            framework,
            used.find(|dependency| dependency.name == framework.name)?,
        ))
    })?;
    let version = dependency.requirement.as_deref().unwrap_or("");
    let version = version.trim_start_matches(['^', '=', '~', ' ']);
    let version: Vec<_> = version.splitn(3, '.').take(2).collect();
    let value = format!("{} {}", framework.label, version.join("."));
    report.certain(Topic::Framework, value.trim_end(), &dependency.from);
    Some(framework)
}
