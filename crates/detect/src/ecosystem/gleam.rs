//! Gleam, on Erlang.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
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
