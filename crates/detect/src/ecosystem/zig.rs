//! Zig: `build.zig`.

use super::compiled::Compiled;
use super::{Claim, Ecosystem, Found, Packed, Packing, Port, Report, Toolchain, UsualRuntime};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::Sources;
use crate::version_files;

const USUAL: UsualRuntime = UsualRuntime {
    name: "zig",
    label: "Zig",
    version: "0.13.0",
    remedy: "echo 0.13.0 > .zig-version",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Zig",
    languages: &["zig"],
    looks_for: "Zig: build.zig",
    markers: &["build.zig"],
    detect,
    droppings: &["zig-cache", ".zig-cache", "zig-out"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("kassany/ziglang:{}", program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &[],
    };
    Packing {
        toolchain: (!program.starts_from("ziglang")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let text = sources.text("build.zig")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Zig", "build.zig");
    let name = Scan::behind(&text, "addExecutable", &["//"]).find_map(|mut scan| {
        // Older versions name it first, newer ones in a field.
        let direct = scan.eat("(").then(|| scan.string(&['"'])).flatten();
        direct.map(str::to_owned).or_else(|| {
            Scan::behind(scan.rest(), ".name", &["//"])
                .find_map(|mut field| field.eat("=").then(|| field.string(&['"'])).flatten())
                .map(str::to_owned)
        })
    });
    let manifest = sources.text("build.zig.zon");
    let least = manifest.as_ref().and_then(|text| {
        Scan::behind(text, ".minimum_zig_version", &["//"]).find_map(|mut scan| {
            let from = format!("build.zig.zon:{}", scan.line());
            let version = scan.eat("=").then(|| scan.string(&['"'])).flatten()?;
            Some(Claim::exactly(version, from).at_least())
        })
    });
    let named = version_files::claims(sources, &[".zig-version", ".zigversion"], &["zig"]);
    let runtime = report.runtime(&USUAL, named.chain(least));
    report.ask(
        "Which image builds Zig? there is no official one; kassany/ziglang is taken.",
        "write the one that is meant as base_image into ergon.json",
    );
    let compiled = Compiled {
        language: "zig",
        kind: "zig",
        file: "build.zig",
        package_manager: Some("zig"),
        build_commands: vec!["zig build -Doptimize=ReleaseSafe".to_owned()],
        run_command: name
            .as_deref()
            .map(|name| format!("./zig-out/bin/{}", shell_quoted(name))),
        name,
        artifacts: vec!["zig-out".to_owned()],
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: port(sources),
        reads: Vec::new(),
        is_framework: false,
    };
    Some(compiled.found(report))
}

/// `.port = 3000`, `parseIp("0.0.0.0", 3000)`
fn port(sources: &Sources<'_>) -> Option<Port> {
    let texts = sources.program_texts(&["zig"]);
    texts.iter().find_map(|(path, text)| {
        let listens = [".listen(", "listener", "Listener", "Server.init"];
        if !listens.iter().any(|word| text.contains(word)) {
            return None;
        }
        let places = [".port", "parseIp", "parseIp4", "initIp4", "resolveIp"];
        let mut places = places
            .into_iter()
            .flat_map(|word| Scan::behind(text, word, &["//"]));
        places.find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            if scan.eat("(") {
                scan.string(&['"'])?;
                scan.eat(",");
            } else if !scan.eat("=") {
                return None;
            }
            let port = scan.number().and_then(scan::port)?;
            Some(Port::written(port, from))
        })
    })
}
