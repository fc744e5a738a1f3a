//! Crystal: shards.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::{Sources, Text};
use crate::version_files;
use crate::versions::{self, Part};

const USUAL: UsualRuntime = UsualRuntime {
    name: "crystal",
    label: "Crystal",
    version: "1.6",
    remedy: "echo \"crystal 1.6.0\" >> .tool-versions",
};

const USUAL_MINOR: u32 = 6;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Crystal",
    languages: &["crystal"],
    looks_for: "Crystal: shard.yml",
    markers: &["shard.yml"],
    detect,
    droppings: &["lib", ".shards"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("crystallang/crystal:{}", program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &["**/*.cr", "lib"],
    };
    Packing {
        toolchain: (!program.starts_from("crystal")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let document = sources.document("shard.yml")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Crystal", "shard.yml");
    let name = document.text(&["name"]).map(str::to_owned);
    let target = document
        .table(&["targets"])
        .next()
        .map(|(name, _)| name.to_owned());
    let frameworks = [
        ("kemal", "Kemal", 3000),
        ("amber", "Amber", 3000),
        ("lucky", "Lucky", 3000),
    ];
    let framework = frameworks
        .iter()
        .find(|(shard, ..)| document.get(&["dependencies", shard]).is_some());
    if let Some((shard, label, _)) = framework {
        report.certain(
            Topic::Framework,
            *label,
            document.from(&["dependencies", shard]),
        );
    }
    let files = version_files::claims(sources, &[".crystal-version"], &["crystal"]);
    let written = document.text(&["crystal"]).map(|version| {
        let from = document.from(&["crystal"]);
        if version_files::is_dotted(version) {
            Claim::exactly(version, from)
        } else {
            // The least that is allowed, where the usual one is not.
            let minors: Vec<u32> = (0..=20).collect();
            let chosen = if versions::allows(version, USUAL.version) {
                USUAL.version.to_owned()
            } else {
                versions::choose(version, &minors, USUAL_MINOR, Part::MinorOf(1))
                    .map_or_else(|| USUAL.version.to_owned(), |minor| format!("1.{minor}"))
            };
            Claim::range(version, chosen, from)
        }
    });
    let runtime = report.runtime(&USUAL, files.chain(written));
    let depends = document.table(&["dependencies"]).next().is_some();
    if sources.has("shard.lock") || !depends {
        report.lock(LockState::Locked, "shard.lock", "every shard is pinned");
    } else {
        report.lock(LockState::Missing, "shard.lock", "there is no shard.lock");
    }
    let texts = sources.program_texts(&["cr"]);
    let reads = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    let fetch = depends.then(|| "shards install --production".to_owned());
    let build = target
        .is_some()
        .then(|| "shards build --production --release".to_owned());
    let compiled = Compiled {
        language: "crystal",
        kind: framework.map_or("crystal", |(shard, ..)| shard),
        name,
        file: "shard.yml",
        package_manager: Some("shards"),
        build_commands: fetch.into_iter().chain(build).collect(),
        run_command: target.map(|target| format!("./bin/{}", shell_quoted(&target))),
        artifacts: Vec::new(),
        system_packages: ["libevent-2.1-7", "libgc1", "libpcre3", "libssl3"]
            .map(str::to_owned)
            .to_vec(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: port(&texts).or_else(|| {
            framework.map(|(_, label, port)| Port::usual(*port, &format!("{label}'s default")))
        }),
        reads,
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// `server.bind_tcp "0.0.0.0", 8080`, `Kemal.run 4000`, `Kemal.config.port = 4000`.
fn port(texts: &[Text<'_>]) -> Option<Port> {
    texts.iter().find_map(|(path, text)| {
        ["bind_tcp", ".listen", "Kemal.run", "config.port"]
            .into_iter()
            .flat_map(|word| Scan::behind(text, word, &["#"]))
            .find_map(|mut scan| {
                let from = format!("{path}:{}", scan.line());
                let _ = scan.eat("(") || scan.eat("=");
                if scan.string(&['"']).is_some() {
                    scan.eat(",");
                }
                Some(Port::written(scan::port(scan.number()?)?, from))
            })
    })
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    Scan::behind(text, "ENV", &["#"])
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            scan.eat(".fetch");
            let fetched = scan.eat("(");
            if !fetched && !scan.eat("[") {
                return None;
            }
            let name = scan.string(&['"'])?.to_owned();
            let default = scan.eat(",").then(|| scan.string(&['"'])).flatten();
            let optional = scan.eat("]?");
            let need = match default {
                Some(default) => Need::Default(default.to_owned()),
                None if optional => Need::Optional,
                None => Need::Required,
            };
            Some(Read { name, need, from })
        })
        .collect()
}
