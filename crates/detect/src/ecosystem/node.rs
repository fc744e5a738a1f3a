//! JavaScript and TypeScript, on Node or Bun, and the sites that their tools build.

mod install;
mod lock;
mod package;
mod scripts;
mod server;
mod site;
mod source;
mod version;

use ergon_manifest::Application;

use self::lock::Lock;
use self::package::{Manager, Package};
use self::server::Start;
use self::site::Site;
use super::{
    Ecosystem, Found, Packed, Packing, Port, Probe, Report, Strength, Toolchain, UsualRuntime,
};
use crate::analysis::Topic;
use crate::sources::Sources;
use crate::{environment, names, services, web_server};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "node",
    label: "Node",
    version: "18",
    remedy: "echo 18 > .node-version",
};
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

fn packing(program: &Packed<'_>) -> Packing {
    let runtime = program.application.runtime.as_ref();
    let name = runtime.map_or(USUAL.name, |runtime| runtime.name.as_str());
    let toolchain = Toolchain {
        image: image(name, program.version(USUAL.version)),
        env: Vec::new(),
        source_only: &[],
    };
    if program.starts_from("caddy") {
        return web_server::packing(Some(toolchain));
    }
    // What was pruned after the build goes on alone; a manager that was installed would have to go along.
    let pruned = program
        .application
        .build_commands
        .iter()
        .any(|command| command.starts_with("npm prune"));
    Packing {
        toolchain: pruned.then(|| Toolchain {
            image: program.base_image.to_owned(),
            ..toolchain
        }),
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
const FRAMEWORKS: [Framework; 21] = [
    Framework {
        package: "next",
        kind: "next",
        label: "Next.js",
    },
    Framework {
        package: "nuxt",
        kind: "nuxt",
        label: "Nuxt",
    },
    Framework {
        package: "@react-router/dev",
        kind: "react-router",
        label: "React Router",
    },
    Framework {
        package: "@remix-run/node",
        kind: "remix",
        label: "Remix",
    },
    Framework {
        package: "@remix-run/serve",
        kind: "remix",
        label: "Remix",
    },
    Framework {
        package: "@sveltejs/kit",
        kind: "sveltekit",
        label: "SvelteKit",
    },
    Framework {
        package: "@tanstack/react-start",
        kind: "tanstack-start",
        label: "TanStack Start",
    },
    Framework {
        package: "@tanstack/solid-start",
        kind: "tanstack-start",
        label: "TanStack Start",
    },
    Framework {
        package: "@solidjs/start",
        kind: "solid-start",
        label: "SolidStart",
    },
    Framework {
        package: "astro",
        kind: "astro",
        label: "Astro",
    },
    Framework {
        package: "@builder.io/qwik-city",
        kind: "qwik",
        label: "Qwik City",
    },
    Framework {
        package: "@nestjs/core",
        kind: "nest",
        label: "Nest",
    },
    Framework {
        package: "@adonisjs/core",
        kind: "adonis",
        label: "AdonisJS",
    },
    Framework {
        package: "@strapi/strapi",
        kind: "strapi",
        label: "Strapi",
    },
    Framework {
        package: "@feathersjs/feathers",
        kind: "feathers",
        label: "Feathers",
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
        package: "elysia",
        kind: "elysia",
        label: "Elysia",
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

    let framework = FRAMEWORKS.iter().find(|framework| {
        package.production(framework.package)
                // Some frameworks build what runs without them.
                || (package.depends_on(framework.package) && package.script("build").is_some())
    });
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
    let manager = Manager::of(sources, &package);
    let runtime = version::runtime(sources, &package, manager, &mut report);
    let lock = Lock::read(sources, manager, &package);
    let workspace = package::workspace(sources, manager);
    let (start, site) = start(sources, &package, manager);
    let mut application = Application {
        kind: match (&site, framework) {
            (Some(site), _) => site.kind,
            (None, Some(framework)) => framework.kind,
            (None, None) => "node",
        }
        .to_owned(),
        language: language.to_owned(),
        dependencies: Some("package.json".to_owned()),
        build_commands: install::build_commands(
            sources,
            &package,
            manager,
            lock,
            site.is_some(),
            workspace.as_deref(),
        ),
        package_manager: Some(manager.name().to_owned()),
        ..Application::default()
    };
    let delegates = start
        .as_ref()
        .is_some_and(|start| delegates(sources, &package, start));
    install::report(
        &package,
        manager,
        lock,
        workspace.as_deref(),
        &application.build_commands,
        &mut report,
    );
    if let Some(site) = &site {
        serve(site, &package, &mut application, &mut report);
    }
    if site.is_none() {
        let texts: Vec<_> = sources
            .program_texts(EXTENSIONS)
            .into_iter()
            .filter(|(path, _)| !path.contains(".min.") && !path.contains(".config."))
            .collect();
        if let Some(start) = start {
            let fact = if start.guessed {
                report.likely(Topic::RunCommand, &start.command, &start.from)
            } else {
                report.certain(Topic::RunCommand, &start.command, &start.from)
            };
            fact.note(start.note);
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
        application.env = environment::told(&reads, &mut report);
    }
    application.services =
        services::of_dependencies(services::Packages::Node, package.places(), &mut report);

    let strength = match (
        &application.run_command,
        framework.is_some() || site.is_some(),
    ) {
        (None, _) => Strength::Sources,
        (Some(_), false) => Strength::Program,
        (Some(_), true) => Strength::Framework,
    };
    let base_image = if site.is_some() {
        web_server::BASE_IMAGE.to_owned()
    } else {
        image(&runtime.name, &runtime.version)
    };
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: package.name().and_then(names::from_package),
        application,
        base_image,
        delegates,
        report,
    })
}

/// What starts the package: its own script, a site's server, what a framework's build leaves, a file.
fn start(
    sources: &Sources<'_>,
    package: &Package,
    manager: Manager,
) -> (Option<Start>, Option<Site>) {
    let script = package.script("start");
    let serves =
        script.filter(|script| !scripts::is_for_development(scripts::last(package, script)));
    if serves.is_none() {
        if let Some(start) = server::of_nx(sources) {
            return (Some(start), None);
        }
        if let Some(site) = site::of(sources, package) {
            return (None, Some(site));
        }
        if let Some(start) = server::built(package) {
            return (Some(start), None);
        }
    }
    let Some(script) = script else {
        return (server::file(sources, package, manager), None);
    };
    let entrypoint = script
        .split_whitespace()
        .find(|word| {
            EXTENSIONS
                .iter()
                .any(|extension| word.ends_with(&format!(".{extension}")))
        })
        .map(|word| word.trim_start_matches("./").to_owned());
    let start = Start {
        command: format!("{} run start", manager.name()),
        entrypoint: entrypoint.filter(|file| sources.has(file)),
        from: package.document.from(&["scripts", "start"]),
        note: format!("runs `{script}`"),
        guessed: false,
    };
    (Some(start), None)
}

/// Whether a workspace's start only starts its packages, or there is nothing at its root to start.
fn delegates(sources: &Sources<'_>, package: &Package, start: &Start) -> bool {
    let is_workspace =
        package.document.get(&["workspaces"]).is_some() || sources.has("pnpm-workspace.yaml");
    let script = package.script("start").unwrap_or("");
    let all = [
        "turbo run start",
        "turbo start",
        "nx run-many",
        "lerna run",
        "pnpm -r ",
        "pnpm --recursive",
        "--workspaces",
        "workspaces foreach",
        "concurrently",
        "npm-run-all",
        "run-p",
    ];
    is_workspace && !start.guessed && all.iter().any(|words| script.contains(words))
}

/// Has a web server serve what the build leaves.
fn serve(site: &Site, package: &Package, application: &mut Application, report: &mut Report) {
    let from = site
        .from
        .clone()
        .unwrap_or_else(|| package.place_of(site.package));
    let configure = web_server::configure(&site.output, site.fallback);
    report
        .likely(Topic::BuildCommand, &configure, &from)
        .note(format!(
            "{} leaves its pages in {}",
            site.label, site.output
        ));
    web_server::serve(configure, application);
    application.artifacts = vec![site.output.clone(), web_server::CONFIG_FILE.to_owned()];
    report
        .likely(Topic::RunCommand, web_server::RUN_COMMAND, &from)
        .note(format!("{} leaves files for a web server", site.label));
    report.port(&Port::usual(web_server::PORT, "the web server's own"));
}

/// The image that a runtime is in.
fn image(runtime: &str, version: &str) -> String {
    match runtime {
        "bun" => format!("oven/bun:{version}-slim"),
        _ => format!("node:{version}-slim"),
    }
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
