//! Dart: programs that are compiled ahead of time.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::version_files;

const USUAL: UsualRuntime = UsualRuntime {
    name: "dart",
    label: "Dart",
    version: "3",
    remedy: "write `sdk: ^3.0.0` under environment into pubspec.yaml",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Dart",
    languages: &["dart"],
    looks_for: "Dart: pubspec.yaml with a program in bin",
    markers: &["pubspec.yaml"],
    detect,
    droppings: &[".dart_tool"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("dart:{}", program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &["**/*.dart", ".dart_tool"],
    };
    Packing {
        toolchain: (!program.starts_from("dart")).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let document = sources.document("pubspec.yaml")?;
    let mut report = Report::default();
    report.certain(Topic::Language, "Dart", "pubspec.yaml");
    let name = document.text(&["name"]).map(str::to_owned);
    let flutter = document.get(&["dependencies", "flutter"]).is_some();
    if flutter {
        report.certain(
            Topic::Framework,
            "Flutter",
            document.from(&["dependencies", "flutter"]),
        );
        report.ask(
            "How is it served? a Flutter program runs on a phone, a desktop or in a browser.",
            "write build_commands and run_command into ergon.json",
        );
    }
    let frameworks = [
        ("shelf", "Shelf"),
        ("dart_frog", "Dart Frog"),
        ("serverpod", "Serverpod"),
    ];
    let framework = frameworks
        .iter()
        .find(|(package, _)| document.get(&["dependencies", package]).is_some());
    if let Some((package, label)) = framework {
        report.certain(
            Topic::Framework,
            *label,
            document.from(&["dependencies", package]),
        );
    }
    let files = version_files::claims(sources, &[], &["dart"]);
    let keys = ["environment", "sdk"];
    let range = document.text(&keys).map(|range| {
        // The major version is what images are called by; the least that is allowed says which.
        let least: String = range
            .chars()
            .skip_while(|character| !character.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        let chosen = if least.is_empty() {
            USUAL.version.to_owned()
        } else {
            least
        };
        Claim::range(range, chosen, document.from(&keys))
    });
    let runtime = report.runtime(&USUAL, files.chain(range));
    if sources.has("pubspec.lock") {
        report.lock(
            LockState::Locked,
            "pubspec.lock",
            "pubspec.lock pins every package",
        );
    } else {
        report.lock(
            LockState::Missing,
            "pubspec.lock",
            "there is no pubspec.lock",
        );
    }
    let programs = sources
        .files()
        .iter()
        .filter_map(|path| path.strip_prefix("bin/")?.strip_suffix(".dart"))
        .filter(|stem| !stem.contains('/'));
    let programs: Vec<_> = programs.collect();
    let own = programs.iter().find(|stem| Some(**stem) == name.as_deref());
    let program = own
        .or_else(|| {
            programs
                .iter()
                .find(|stem| matches!(**stem, "server" | "main"))
        })
        .or(programs.first())
        .map(|stem| (*stem).to_owned())
        .filter(|_| !flutter);
    let called = program.clone().map(|stem| {
        let name = name.clone().unwrap_or_else(|| stem.clone());
        (format!("bin/{stem}.dart"), format!("bin/{name}.exe"))
    });
    // Its own tool writes the program that is compiled.
    let frog = framework.is_some_and(|(package, _)| *package == "dart_frog");
    let frog = frog && program.is_none() && sources.has_folder("routes");
    let called = if frog {
        let server = "build/bin/server";
        Some((format!("{server}.dart"), server.to_owned()))
    } else {
        called
    };
    let fetch = if frog {
        vec![
            "dart pub get".to_owned(),
            "dart pub global activate dart_frog_cli".to_owned(),
            "dart pub global run dart_frog_cli:dart_frog build".to_owned(),
            "cd build && dart pub get".to_owned(),
        ]
    } else {
        vec!["dart pub get".to_owned()]
    };
    let compile = called.as_ref().map(|(from, to)| {
        format!(
            "dart compile exe {} -o {}",
            shell_quoted(from),
            shell_quoted(to)
        )
    });
    let compiled = Compiled {
        language: "dart",
        kind: framework.map_or("dart", |(package, _)| package),
        name,
        file: "pubspec.yaml",
        package_manager: Some("pub"),
        build_commands: fetch.into_iter().chain(compile).collect(),
        run_command: called.map(|(_, to)| format!("./{}", shell_quoted(&to))),
        artifacts: Vec::new(),
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image: "debian:bookworm-slim".to_owned(),
        port: framework.map(|(_, label)| Port::usual(8080, &format!("usual for {label}"))),
        reads: reads(sources),
        is_framework: framework.is_some(),
    };
    Some(compiled.found(report))
}

/// `Platform.environment['PORT'] ?? '8080'`
fn reads(sources: &Sources<'_>) -> Vec<Read> {
    let texts = sources.program_texts(&["dart"]);
    let found = texts.iter().flat_map(|(path, text)| {
        Scan::behind(text, "Platform.environment", &["//"]).filter_map(move |mut scan| {
            let from = format!("{path}:{}", scan.line());
            let name = scan
                .eat("[")
                .then(|| scan.string(&['\'', '"']))??
                .to_owned();
            let asserted = scan.eat("]!");
            scan.eat("]");
            let default = scan.eat("??").then(|| scan.string(&['\'', '"'])).flatten();
            let need = match default {
                Some(default) => Need::Default(default.to_owned()),
                None if asserted => Need::Required,
                None => Need::Optional,
            };
            Some(Read { name, need, from })
        })
    });
    found.collect()
}
