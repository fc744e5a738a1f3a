//! JavaScript and TypeScript on Node: npm, and pnpm and yarn where a lock file says so.

mod package;
mod source;

use ergon_manifest::Application;

use self::package::{Lock, Manager, Package};
use super::{Claim, Ecosystem, Found, Packed, Packing, Probe, Report, Strength, UsualRuntime};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::sources::Sources;
use crate::versions::{self, Part};
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "node",
    label: "Node",
    version: "18",
    remedy: "echo 18 > .node-version",
};
const MAJOR_VERSIONS: [u32; 9] = [14, 16, 18, 20, 22, 23, 24, 25, 26];
const EXTENSIONS: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Node",
    languages: &["javascript", "typescript", "node", "nodejs"],
    looks_for: "JavaScript on Node: package.json",
    markers: &["package.json"],
    detect,
    droppings: &["**/node_modules", "npm-debug.log*"],
    packing,
};

fn packing(_: &Packed<'_>) -> Packing {
    Packing {
        env: vec![("NODE_ENV", "production".to_owned())],
        probe: Some(probe),
        ..Packing::default()
    }
}

/// A web framework.
struct Framework {
    package: &'static str,
    /// As `type` in the manifest.
    kind: &'static str,
    label: &'static str,
}

/// The more particular first: Nest brings Express.
const FRAMEWORKS: [Framework; 7] = [
    Framework {
        package: "next",
        kind: "next",
        label: "Next.js",
    },
    Framework {
        package: "@nestjs/core",
        kind: "nest",
        label: "Nest",
    },
    Framework {
        package: "fastify",
        kind: "fastify",
        label: "Fastify",
    },
    Framework {
        package: "hono",
        kind: "hono",
        label: "Hono",
    },
    Framework {
        package: "koa",
        kind: "koa",
        label: "Koa",
    },
    Framework {
        package: "@hapi/hapi",
        kind: "hapi",
        label: "hapi",
    },
    Framework {
        package: "express",
        kind: "express",
        label: "Express",
    },
];

const FRAMEWORK_PORT: u16 = 3000;

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let package = Package::read(sources)?;
    let mut report = Report::default();
    let typescript = sources.has("tsconfig.json") || package.depends_on("typescript");
    let (language, label) = if typescript {
        ("typescript", "TypeScript")
    } else {
        ("javascript", "JavaScript")
    };
    report.certain(
        Topic::Language,
        label,
        if sources.has("tsconfig.json") {
            "tsconfig.json"
        } else {
            "package.json"
        },
    );

    let framework = FRAMEWORKS
        .iter()
        .find(|framework| package.production(framework.package));
    if let Some(framework) = framework {
        let version = package
            .version(framework.package)
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        report.certain(
            Topic::Framework,
            format!("{}{version}", framework.label),
            package.place_of(framework.package),
        );
    }
    let runtime = report.runtime(&USUAL, version(sources, &package));
    let manager = Manager::of(sources, &package);
    let lock = Lock::read(sources, manager, &package);
    let start = start(sources, &package, manager);
    let texts: Vec<_> = sources
        .program_texts(EXTENSIONS)
        .into_iter()
        .filter(|(path, _)| !path.contains(".min.") && !path.contains(".config."))
        .collect();

    let mut application = Application {
        kind: framework
            .map_or("node", |framework| framework.kind)
            .to_owned(),
        language: language.to_owned(),
        dependencies: Some("package.json".to_owned()),
        build_commands: package::build_commands(&package, manager, lock),
        package_manager: Some(manager.name().to_owned()),
        ..Application::default()
    };
    if let Some(start) = start {
        report
            .certain(Topic::RunCommand, &start.command, &start.from)
            .note(start.note);
        application.entrypoint = start.entrypoint;
        application.run_command = Some(start.command);
        let port = source::port(&texts, framework.map(|framework| framework.label));
        if let Some(port) = port {
            application.ports = vec![report.port(&port)];
            let routes: Vec<_> = texts
                .iter()
                .flat_map(|(path, text)| source::routes(path, text))
                .collect();
            application.health = report.health(&routes);
        }
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    application.env = environment::variables(&reads);
    environment::report(&application.env, &mut report);
    application.services =
        services::of_dependencies(services::Packages::Node, package.places(), &mut report);
    package::report(
        &package,
        manager,
        lock,
        &application.build_commands,
        &mut report,
    );

    let strength = match (&application.run_command, framework) {
        (None, _) => Strength::Sources,
        (Some(_), None) => Strength::Program,
        (Some(_), Some(_)) => Strength::Framework,
    };
    let base_image = format!("node:{}-slim", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: package.name().and_then(names::from_package),
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The version, as a file says that is only for it, else what the engines field allows.
fn version(sources: &Sources<'_>, package: &Package) -> Vec<Claim> {
    let from_file = [".nvmrc", ".node-version"].iter().find_map(|file| {
        let text = sources.text(file)?;
        let line = text.lines().position(|line| !line.trim().is_empty())?;
        let version = text.lines().nth(line)?.trim().trim_start_matches('v');
        let is_number = |number: &str| number.len() < 4 && number.parse::<u16>().is_ok();
        version
            .split('.')
            .all(is_number)
            .then(|| Claim::exactly(version, format!("{file}:{}", line + 1)))
    });
    let from_engines = || {
        let range = package.document.text(&["engines", "node"])?;
        let major = versions::choose(range, &MAJOR_VERSIONS, 18, Part::Major)?;
        let from = package.document.from(&["engines", "node"]);
        Some(Claim::range(range, major.to_string(), from))
    };
    from_file.into_iter().chain(from_engines()).collect()
}

/// Where a program usually begins.
const USUAL_FILES: [&str; 7] = [
    "server.js",
    "index.js",
    "app.js",
    "main.js",
    "src/index.js",
    "src/server.js",
    "index.mjs",
];

/// How the program is started.
struct Start {
    command: String,
    entrypoint: Option<String>,
    from: String,
    note: String,
}

fn start(sources: &Sources<'_>, package: &Package, manager: Manager) -> Option<Start> {
    if let Some(script) = package.script("start") {
        let run = if manager == Manager::Npm {
            "npm run start".to_owned()
        } else {
            format!("{} run start", manager.name())
        };
        let entrypoint = script
            .split_whitespace()
            .find(|word| {
                EXTENSIONS
                    .iter()
                    .any(|extension| word.ends_with(&format!(".{extension}")))
            })
            .map(|word| word.trim_start_matches("./").to_owned());
        return Some(Start {
            command: run,
            entrypoint,
            from: package.document.from(&["scripts", "start"]),
            note: format!("runs `{script}`"),
        });
    }
    let main = package
        .document
        .text(&["main"])
        .map(|main| main.trim_start_matches("./"));
    let (file, from) = if let Some(main) = main.filter(|main| sources.has(main)) {
        (main.to_owned(), package.document.from(&["main"]))
    } else {
        let file = sources.first_of(&USUAL_FILES)?.to_owned();
        (file.clone(), file)
    };
    Some(Start {
        command: format!("node {}", shell_quoted(&file)),
        note: format!("package.json has no start script; {file} is the program"),
        entrypoint: Some(file),
        from,
    })
}

/// Asks with what every Node has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    // A JSON string is a JavaScript string.
    let path = serde_json::Value::from(probe.path);
    let port = if probe.port_variable {
        format!("process.env.PORT || {}", probe.port)
    } else {
        probe.port.to_string()
    };
    let script = format!(
        "require('http').get({{host: '127.0.0.1', port: {port}, path: {path}, timeout: 3000}}, \
         r => process.exit(r.statusCode < 400 ? 0 : 1)).on('error', () => process.exit(1))\
         .on('timeout', () => process.exit(1))"
    );
    vec!["node".to_owned(), "-e".to_owned(), script]
}
