//! Nim: Nimble.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::Sources;
use crate::{version_files, versions};

/// What Debian packages.
const USUAL: UsualRuntime = UsualRuntime {
    name: "nim",
    label: "Nim",
    version: "1.6.10",
    remedy: "echo \"nim 1.6.10\" >> .tool-versions",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Nim",
    languages: &["nim"],
    looks_for: "Nim: a .nimble file",
    markers: &["*.nimble"],
    detect,
    droppings: &["nimcache"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("nimlang/nim:{}", program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &["**/*.nim", "**/*.nimble"],
    };
    Packing {
        toolchain: (!program.starts_from("nim")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let file = sources.name_ending(".nimble")?;
    let text = sources.text(file)?;
    let comments = &["#"];
    let mut report = Report::default();
    report.certain(Topic::Language, "Nim", file);
    let assigned = |name: &'static str| {
        Scan::behind(&text, name, comments).find_map(|mut scan| scan.eat("=").then_some(scan))
    };
    // `bin = @["shop"]`
    let program = assigned("bin").and_then(|mut scan| {
        scan.eat("@[");
        scan.string(&['"']).map(str::to_owned)
    });
    let folder = assigned("binDir").and_then(|mut scan| scan.string(&['"']).map(str::to_owned));
    let required: Vec<(String, usize)> = Scan::behind(&text, "requires", comments)
        .flat_map(|scan| {
            let line = scan.rest().lines().next().unwrap_or("");
            let names = line
                .split('"')
                .skip(1)
                .step_by(2)
                .flat_map(|all| all.split(','));
            let at = scan.line();
            names.map(move |name| (name.trim().to_owned(), at))
        })
        .collect();
    let name_of = |requirement: &str| {
        let end = requirement.find(|one: char| " <>=~^@#".contains(one));
        requirement[..end.unwrap_or(requirement.len())].to_owned()
    };
    let frameworks = [
        ("jester", "Jester", 5000),
        ("prologue", "Prologue", 8080),
        ("happyx", "HappyX", 5000),
        ("mummy", "Mummy", 8080),
    ];
    let framework = frameworks.iter().find_map(|known| {
        let (_, line) = required.iter().find(|(name, _)| name_of(name) == known.0)?;
        Some((known, *line))
    });
    if let Some(((_, label, _), line)) = framework {
        report.certain(Topic::Framework, *label, format!("{file}:{line}"));
    }
    let named = version_files::claims(sources, &[], &["nim"]);
    let range = required
        .iter()
        .find(|(name, _)| name_of(name) == "nim")
        .map(|(requirement, line)| {
            let range = requirement.trim_start_matches("nim").trim();
            let least = range.trim_start_matches(['>', '=', '<', '~', '^', ' ']);
            let chosen = if versions::allows(range, USUAL.version) {
                USUAL.version
            } else if version_files::is_dotted(least) {
                least
            } else {
                USUAL.version
            };
            Claim::range(range, chosen, format!("{file}:{line}"))
        });
    let runtime = report.runtime(&USUAL, named.chain(range));
    let depends = required.iter().any(|(name, _)| name_of(name) != "nim");
    if sources.has("nimble.lock") || !depends {
        report.lock(LockState::Locked, "nimble.lock", "every package is pinned");
    } else {
        report.lock(LockState::Missing, "nimble.lock", "there is no nimble.lock");
    }
    let texts = sources.program_texts(&["nim"]);
    let written = texts.iter().find_map(|(path, text)| {
        Scan::behind(text, "Port", comments).find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            scan.eat("(");
            Some(Port::written(scan::port(scan.number()?)?, from))
        })
    });
    let usual =
        || framework.map(|((_, label, port), _)| Port::usual(*port, &format!("{label}'s default")));
    let run = program.as_deref().map(|program| {
        let path = match folder.as_deref() {
            Some(folder) => format!("{}/{program}", folder.trim_matches('/')),
            None => program.to_owned(),
        };
        format!("./{}", shell_quoted(&path))
    });
    let compiled = Compiled {
        language: "nim",
        kind: framework.map_or("nim", |((name, ..), _)| name),
        name: file.strip_suffix(".nimble").map(str::to_owned),
        file,
        package_manager: Some("nimble"),
        build_commands: vec!["nimble build -y -d:release".to_owned()],
        run_command: run,
        artifacts: Vec::new(),
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: written.or_else(usual),
        reads: Vec::new(),
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}
