//! Gleam, on Erlang.

use ergon_manifest::Runtime;

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::document::Document;
use crate::sources::Sources;
use crate::{version_files, versions};

const USUAL: UsualRuntime = UsualRuntime {
    name: "gleam",
    label: "Gleam",
    version: "1.9.1",
    remedy: "echo \"gleam 1.9.1\" >> .tool-versions",
};
const RUN_COMMAND: &str = "./build/erlang-shipment/entrypoint.sh run";

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Gleam",
    languages: &["gleam"],
    looks_for: "Gleam: gleam.toml",
    markers: &["gleam.toml"],
    detect,
    droppings: &["build"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let version = program.version(USUAL.version);
    let toolchain = Toolchain {
        image: format!("ghcr.io/gleam-lang/gleam:v{version}-erlang"),
        env: Vec::new(),
        source_only: &[],
    };
    Packing {
        toolchain: (!program.starts_from("gleam")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let document = sources.document("gleam.toml")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Gleam", "gleam.toml");
    let name = document.text(&["name"]).map(str::to_owned);
    let framework = ["wisp", "mist"]
        .into_iter()
        .find(|package| document.get(&["dependencies", package]).is_some());
    if let Some(package) = framework {
        let label = if package == "wisp" { "Wisp" } else { "Mist" };
        report.certain(
            Topic::Framework,
            label,
            document.from(&["dependencies", package]),
        );
    }
    let named = version_files::claims(sources, &[], &["gleam"]);
    let range = document.text(&["gleam"]).map(|range| {
        let least = || {
            let start = range.find(|character: char| character.is_ascii_digit())?;
            let least = range[start..].split([' ', ',']).next()?;
            (version_files::is_dotted(least) && least.split('.').count() == 3).then_some(least)
        };
        let chosen = if versions::allows(range, USUAL.version) {
            USUAL.version
        } else {
            least().unwrap_or(USUAL.version)
        };
        Claim::range(range, chosen, document.from(&["gleam"]))
    });
    let runtime = report.runtime(&USUAL, named.chain(range));
    if sources.has("manifest.toml") {
        report.lock(
            LockState::Locked,
            "manifest.toml",
            "manifest.toml pins every package",
        );
    } else {
        report.lock(
            LockState::Missing,
            "manifest.toml",
            "there is no manifest.toml",
        );
    }
    let main = name
        .as_deref()
        .map(|name| format!("src/{name}.gleam"))
        .filter(|file| {
            sources
                .text(file)
                .is_some_and(|text| text.contains("pub fn main"))
        });
    if document.text(&["target"]) == Some("javascript") {
        return Some(javascript(&document, name, main, runtime, report));
    }
    let compiled = Compiled {
        language: "gleam",
        kind: framework.unwrap_or("gleam"),
        name,
        file: "gleam.toml",
        package_manager: Some("gleam"),
        build_commands: vec!["gleam export erlang-shipment".to_owned()],
        run_command: main.map(|_| RUN_COMMAND.to_owned()),
        artifacts: vec!["build/erlang-shipment".to_owned()],
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "erlang:27-slim".to_owned(),
        port: framework.map(|_| Port::usual(8000, "usual for Gleam")),
        reads: Vec::new(),
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// A program that is made into JavaScript: run by Node, but where it is for browsers.
fn javascript(
    document: &Document,
    name: Option<String>,
    main: Option<String>,
    runtime: Runtime,
    mut report: Report,
) -> Found {
    let from = document.from(&["target"]);
    report
        .certain(Topic::Framework, "JavaScript", from)
        .note("what it is compiled to");
    let in_browser = document.get(&["dependencies", "lustre"]).is_some();
    if in_browser {
        report.ask(
            "How is it served? it is compiled to JavaScript, for browsers.",
            "write build_commands and run_command into ergon.json",
        );
    }
    let plain = |name: &&str| {
        name.chars()
            .all(|one| one.is_ascii_alphanumeric() || one == '_')
    };
    let module = name.as_deref().filter(plain);
    let run = module.filter(|_| main.is_some() && !in_browser).map(|name| {
        format!(
            "node --input-type=module -e \"import {{ main }} from './build/dev/javascript/{name}/{name}.mjs'; main()\""
        )
    });
    let compiled = Compiled {
        language: "gleam",
        kind: "gleam",
        file: "gleam.toml",
        package_manager: Some("gleam"),
        build_commands: vec!["gleam build".to_owned()],
        artifacts: run
            .as_ref()
            .map(|_| vec!["build/dev/javascript".to_owned()])
            .unwrap_or_default(),
        run_command: run,
        name,
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "node:18-slim".to_owned(),
        port: None,
        reads: Vec::new(),
        is_framework: false,
    };
    compiled.found(report)
}
