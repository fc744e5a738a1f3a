//! Swift: the Swift package manager, Vapor and Hummingbird.

use super::compiled::Compiled;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::Sources;
use crate::version_files;

const USUAL: UsualRuntime = UsualRuntime {
    name: "swift",
    label: "Swift",
    version: "5.10",
    remedy: "echo 5.10 > .swift-version",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Swift",
    languages: &["swift"],
    looks_for: "Swift: Package.swift",
    markers: &["Package.swift"],
    detect,
    droppings: &[".build"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("swift:{}", program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &[],
    };
    let builds = program.starts_from("swift") && !program.base_image.ends_with("-slim");
    Packing {
        toolchain: (!builds).then_some(toolchain),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let text = sources.text("Package.swift")?;
    let comments = &["//"];
    let mut report = Report::default();
    report.certain(Topic::Language, "Swift", "Package.swift");
    let named = |word: &str| {
        Scan::behind(&text, word, comments).find_map(|scan| {
            Scan::behind(scan.rest(), "name", comments)
                .find_map(|mut name| name.eat(":").then(|| name.string(&['"'])).flatten())
                .map(str::to_owned)
        })
    };
    let name = named("Package(");
    // A target that has a `main.swift` or says `@main` is a program, also where the package does not say so.
    let target = named(".executableTarget")
        .or_else(|| named(".executable"))
        .or_else(|| {
            sources.files().iter().find_map(|path| {
                let folder = path.strip_prefix("Sources/")?.strip_suffix("/main.swift")?;
                (!folder.contains('/')).then(|| folder.to_owned())
            })
        });
    let vapor = Scan::behind(&text, "vapor/vapor", comments)
        .next()
        .map(|scan| scan.line());
    if let Some(line) = vapor {
        report.certain(Topic::Framework, "Vapor", format!("Package.swift:{line}"));
    }
    let hummingbird = Scan::behind(&text, "/hummingbird.git", comments)
        .chain(Scan::behind(&text, "/hummingbird\"", comments))
        .next()
        .map(|scan| scan.line());
    if let Some(line) = hummingbird {
        let from = format!("Package.swift:{line}");
        report.certain(Topic::Framework, "Hummingbird", from);
    }
    let tools = text
        .lines()
        .next()
        .and_then(|line| line.split_once("swift-tools-version:"))
        .map(|(_, version)| version.split(';').next().unwrap_or(version).trim())
        .filter(|version| version_files::is_dotted(version))
        .map(|version| Claim::exactly(version, "Package.swift:1"));
    let files = version_files::claims(sources, &[".swift-version"], &["swift"]);
    let runtime = report.runtime(&USUAL, files.chain(tools));
    let depends = text.contains(".package(");
    match (depends, sources.has("Package.resolved")) {
        (true, false) => report.lock(
            LockState::Missing,
            "Package.resolved",
            "there is no Package.resolved",
        ),
        (_, resolved) => report.lock(
            LockState::Locked,
            if resolved {
                "Package.resolved"
            } else {
                "Package.swift"
            },
            "every package is pinned",
        ),
    }
    let run = target.as_deref().map(|target| {
        let target = shell_quoted(target);
        if vapor.is_some() {
            format!("./{target} serve --env production --hostname 0.0.0.0 --port ${{PORT:-8080}}")
        } else {
            format!("./{target}")
        }
    });
    let copy = target.as_deref().map(|target| {
        let target = shell_quoted(target);
        format!("install -D \"$(swift build -c release --show-bin-path)\"/{target} {target}")
    });
    let reads = if vapor.is_some() {
        vec![Read {
            name: "PORT".to_owned(),
            need: Need::Default("8080".to_owned()),
            from: "Package.swift".to_owned(),
        }]
    } else {
        Vec::new()
    };
    let base_image = format!("swift:{}-slim", runtime.version);
    let mut artifacts: Vec<_> = target.iter().cloned().collect();
    artifacts.extend(
        ["Public", "Resources"]
            .iter()
            .filter(|folder| sources.has_folder(folder))
            .map(|folder| (*folder).to_owned()),
    );
    let compiled = Compiled {
        language: "swift",
        kind: match (vapor, hummingbird) {
            (Some(_), _) => "vapor",
            (None, Some(_)) => "hummingbird",
            (None, None) => "swift",
        },
        name,
        file: "Package.swift",
        package_manager: Some("swift"),
        build_commands: std::iter::once("swift build -c release --static-swift-stdlib".to_owned())
            .chain(copy)
            .collect(),
        artifacts: run.as_ref().map(|_| artifacts).unwrap_or_default(),
        run_command: run,
        system_packages: Vec::new(),
        runtime: Some(runtime),
        base_image,
        port: vapor
            .map(|_| Port::usual(8080, "Vapor's default"))
            .or_else(|| {
                hummingbird?;
                Some(written(sources).unwrap_or(Port::usual(8080, "Hummingbird's default")))
            }),
        reads,
        is_framework: vapor.is_some() || hummingbird.is_some(),
    };
    Some(compiled.found(report))
}

/// `.hostname("0.0.0.0", port: 8080)`
fn written(sources: &Sources<'_>) -> Option<Port> {
    let texts = sources.program_texts(&["swift"]);
    texts.iter().find_map(|(path, text)| {
        Scan::behind(text, "port:", &["//"]).find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let port = scan.number().and_then(scan::port)?;
            Some(Port::written(port, from))
        })
    })
}
