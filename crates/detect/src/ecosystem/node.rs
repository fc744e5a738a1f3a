//! JavaScript and TypeScript, on Node or Bun, and the sites that their tools build.

mod beside;
mod file;
mod framework;
mod helpers;
pub(super) mod install;
mod listening;
mod lock;
mod missing;
mod native;
mod nx;
mod package;
mod preview;
mod prisma;
mod prune;
mod published;
mod routes;
mod runner;
mod scripts;
mod server;
mod site;
mod source;
mod version;
mod workspace;

use ergon_manifest::Application;

use self::lock::Lock;
use self::package::{Manager, Package};
use self::runner::Runner;
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
    looks_for: "JavaScript on Node: package.json, or server.js",
    markers: &["package.json", nx::PROJECT],
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
    // What was pruned after the build goes on alone.
    let commands = &program.application.build_commands;
    let pruned = commands.iter().any(|command| prune::is_one(command));
    // Nor has a compiler a place there.
    let system_packages = &program.application.system_packages;
    let compiles = system_packages.iter().any(|package| package == "g++");
    // Node needs none of them to start a file.
    let command = program.application.run_command.as_deref().unwrap_or("");
    let starts_with_manager = !command.starts_with("node ");
    Packing {
        toolchain: (pruned || compiles).then(|| Toolchain {
            image: program.base_image.to_owned(),
            ..toolchain
        }),
        brings_tool: starts_with_manager.then_some(install::brings_manager),
        only_builds: native::ONLY_BUILDS,
        env: image_env(program.application),
        probe: Some(if name == BUN { probe_by_bun } else { probe }),
        ..Packing::default()
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let package = Package::read(sources);
    let member = nx::Member::read(sources, package.as_ref())
        // A package of its own says more of itself than Nx of nothing.
        .filter(|member| package.is_none() || member.is_built(sources));
    match (member, package) {
        (Some(member), _) => Some(found(sources, &member.package, Some(&member))),
        (None, Some(package)) => Some(found(sources, &package, None)),
        (None, None) => file::detect(sources),
    }
}

/// The program in a folder; of an Nx workspace's, only the workspace has a package.
fn found(sources: &Sources<'_>, package: &Package, member: Option<&nx::Member>) -> Found {
    let mut report = Report::default();
    let framework = framework::of(package).filter(|_| member.is_none());
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
    let manager = Manager::of(sources, package);
    beside::ask(sources, package, manager);
    let lock = Lock::read(sources, manager, package);
    let workspace = package::workspace(sources, manager);
    let runner = Runner::of(sources, manager);
    let (start, site) = match member {
        Some(member) => member.started(sources, runner),
        None => start(sources, package, runner),
    };
    let entrypoint = start.as_ref().and_then(|start| start.entrypoint.as_deref());
    let language = language(sources, package, entrypoint, &mut report);
    let as_it_is = start
        .as_ref()
        .and_then(|start| server::typescript_as_it_is(package, start));
    let runtime = version::runtime(sources, package, manager, as_it_is, &mut report);
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
            package,
            manager,
            lock,
            start.as_ref(),
            site.as_ref(),
            workspace.as_deref().filter(|_| member.is_none()),
        ),
        // An Nx workspace is built at its root.
        path: member.and_then(|member| {
            let root = sources.full(&member.workspace)?;
            Some(if root.is_empty() {
                ".".to_owned()
            } else {
                root
            })
        }),
        package_manager: Some(manager.name().to_owned()),
        ..Application::default()
    };
    let delegates = start
        .as_ref()
        .is_some_and(|start| delegates(sources, package, start));
    install::report(
        package,
        manager,
        lock,
        workspace.as_deref(),
        &application.build_commands,
        &mut report,
    );
    if let Some(site) = &site {
        serve(site, package, &mut application, &mut report);
    }
    if site.is_none() {
        let texts: Vec<_> = sources
            .program_texts(EXTENSIONS)
            .into_iter()
            .filter(|(path, _)| !path.contains(".min.") && !path.contains(".config."))
            .collect();
        let is_library = start.is_none() && server::is_library(package);
        if is_library {
            report
                .likely(
                    Topic::RunCommand,
                    "nothing",
                    package.document.from(&["exports"]),
                )
                .note("a library; nothing to start");
        }
        if start.is_none()
            && !is_library
            && let Some(file) = server::only_typescript(sources)
        {
            report.ask(
                format!("What runs {file}? Node takes TypeScript as it is only from 22.18 on."),
                format!("npm install tsx && npm pkg set scripts.start='tsx {file}'"),
            );
        }
        if let Some(start) = start {
            let fact = if start.guessed || start.question.is_some() {
                report.likely(Topic::RunCommand, &start.command, &start.from)
            } else {
                report.certain(Topic::RunCommand, &start.command, &start.from)
            };
            fact.note(start.note);
            if let Some((text, remedy)) = start.question {
                report.ask(text, remedy);
            }
            application.entrypoint = start.entrypoint;
            application.run_command = Some(start.command);
            let script = package.script("start").filter(|_| !start.guessed);
            let said = script.and_then(|script| {
                let from = package.document.from(&["scripts", "start"]);
                source::port_of_command(scripts::last(package, script), &from)
            });
            let port = said.or_else(|| source::port(&texts, framework));
            if let Some(port) = port {
                application.ports = vec![report.port(&port)];
                let kind = framework.map_or("", |framework| framework.kind);
                listening::ask(sources, &texts, kind, &mut report);
                let mut routes = routes::of(&texts, framework.map(|framework| framework.kind));
                routes.extend(
                    framework.and_then(|framework| routes::front_page(sources, framework.kind)),
                );
                application.health = report.health(&routes);
            }
        }
        let mut reads: Vec<_> = texts
            .iter()
            .flat_map(|(path, text)| {
                let mut reads = source::environment(path, text);
                reads.extend(source::of_kit(path, text));
                reads
            })
            .collect();
        reads.extend(prisma::reads(sources, package));
        let kind = framework.map_or("", |framework| framework.kind);
        reads.extend(helpers::environment(&texts, kind));
        reads.extend(source::of_components(sources));
        application.env = environment::told(&reads, &mut report);
    } else {
        let reads = source::built_in(sources);
        let ports = application.env.keys().cloned().collect::<Vec<_>>();
        let mut variables = environment::variables(&reads);
        variables.retain(|name, _| !ports.contains(name));
        for (name, variable) in &variables {
            let from = variable.from.clone().unwrap_or_default();
            let fact = report.certain(Topic::Environment, name, from);
            match &variable.default {
                Some(default) => fact.note(format!("read by the build; default \"{default}\"")),
                None => fact.note("read by the build"),
            }
        }
        application.env.extend(variables);
    }
    if site.is_none() {
        application.system_packages = native::system_packages(sources, package, &mut report);
    }
    application.services =
        services::of_dependencies(services::Packages::Node, package.places(), &mut report);
    prisma::service(sources, package, &mut application.services, &mut report);

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
    let name = match member {
        Some(member) => Some(member.name.as_str()),
        None => package.name(),
    };
    Found {
        strength,
        name: name.and_then(names::from_package),
        application,
        base_image,
        delegates,
        report,
    }
}

/// Says which of the two languages it is.
fn language(
    sources: &Sources<'_>,
    package: &Package,
    entrypoint: Option<&str>,
    report: &mut Report,
) -> &'static str {
    let (language, label, from) = if sources.has("tsconfig.json") {
        ("typescript", "TypeScript", "tsconfig.json")
    } else if package.depends_on("typescript") {
        ("typescript", "TypeScript", package.file.as_str())
    } else if let Some(file) = entrypoint.filter(|file| server::is_typescript(file)) {
        ("typescript", "TypeScript", file)
    } else {
        ("javascript", "JavaScript", package.file.as_str())
    };
    report.certain(Topic::Language, label, from);
    language
}

/// What starts the package: its own script, a site's server, what a framework's build leaves, a file.
fn start(
    sources: &Sources<'_>,
    package: &Package,
    runner: Runner,
) -> (Option<Start>, Option<Site>) {
    let own = server::redwood(package, runner).or_else(|| server::moved(sources, package, runner));
    if let Some(start) = own {
        return (Some(start), None);
    }
    let script = package.script("start");
    let last = script.map(|script| scripts::last(package, script));
    let only_root = is_only_root(sources, package);
    let serves = last.is_some_and(|last| {
        let finds_nothing =
            || scripts::starts_framework(last) && site::exported(sources, package).is_some();
        !scripts::is_for_development(last) && !finds_nothing()
    });
    if !serves {
        let of_nx = nx::of_root(sources, runner);
        if of_nx.0.is_some() || of_nx.1.is_some() {
            return of_nx;
        }
        if let Some(site) = site::of(sources, package, runner).filter(|_| !only_root) {
            return (None, Some(site));
        }
    }
    if !serves || last.is_some_and(scripts::watches) {
        let built = server::production(package, runner)
            .or_else(|| server::built(sources, package, runner).filter(|_| !only_root));
        if let Some(start) = built {
            return (Some(start), None);
        }
    }
    let (Some(script), Some(last)) = (script, last) else {
        let start = workspace::of_moon(sources, package, runner)
            .or_else(|| server::file(sources, package, runner));
        let site = if start.is_none() && !only_root {
            published::site(sources, package)
        } else {
            None
        };
        return (start, site);
    };
    let start = Start {
        command: runner.script("start"),
        entrypoint: scripts::file(sources, last),
        from: package.document.from(&["scripts", "start"]),
        note: format!("runs `{script}`"),
        guessed: false,
        question: None,
        build: None,
    };
    let start = missing::instead(sources, package, runner, start, last);
    (Some(start), None)
}

/// Whether a package only holds those of its workspace together, with nothing of its own to build.
fn is_only_root(sources: &Sources<'_>, package: &Package) -> bool {
    let own = ["src", "app", "pages", "public", "server"];
    let holds =
        package::is_workspace(sources, "", &package.document) || nx::is_root_of_several(sources);
    holds && !sources.has("index.html") && !own.iter().any(|folder| sources.has_folder(folder))
}

/// Whether a workspace's start only starts its packages, or there is nothing at its root to start.
fn delegates(sources: &Sources<'_>, package: &Package, start: &Start) -> bool {
    let is_workspace =
        package::is_workspace(sources, "", &package.document) || nx::is_root_of_several(sources);
    let script = package.script("start").unwrap_or("");
    let script = scripts::last(package, script);
    // One of them was chosen.
    let one = [" --filter=", " --filter "]
        .iter()
        .find_map(|option| script.split_once(option))
        .is_some_and(|(_, which)| !which.contains('*'));
    let all = [
        "turbo run start",
        "turbo start",
        "turbo run dev",
        "turbo dev",
        "moon run :",
        "--filter",
        "yarn workspaces run",
        "wsrun",
        "nx run-many",
        "nx serve",
        "lerna run",
        "pnpm -r ",
        "pnpm --recursive",
        "--workspaces",
        "workspaces foreach",
        "concurrently",
        "npm-run-all",
        "run-p",
    ];
    if start.guessed {
        return false;
    }
    if !is_workspace {
        return starts_in_folder(sources, package) || starts_several(sources, package, script);
    }
    !one && all.iter().any(|words| script.contains(words))
}

/// Whether a package of no dependencies only starts another in a folder, for which it installs nothing.
fn starts_in_folder(sources: &Sources<'_>, package: &Package) -> bool {
    let hooks = [
        "preinstall",
        "install",
        "postinstall",
        "build",
        "prestart",
        "start",
    ];
    let scripts = scripts::all(package, &hooks);
    let installs = scripts
        .iter()
        .flat_map(|script| script.split_whitespace())
        .any(|word| matches!(word, "install" | "ci" | "i"));
    let words: Vec<_> = scripts::all(package, &["start"])
        .iter()
        .flat_map(|script| script.split_whitespace())
        .collect();
    let folder = words.windows(2).find_map(|pair| match pair {
        ["cd" | "--prefix" | "--cwd" | "-C", folder] => Some(*folder),
        _ => None,
    });
    let depends = ["dependencies", "devDependencies"]
        .iter()
        .any(|field| package.document.table(&[*field]).next().is_some());
    !installs
        && !depends
        && folder.is_some_and(|folder| {
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            sources.has(&format!("{folder}/package.json"))
        })
}

/// Whether a script only starts several packages side by side, each in its folder: `concurrently "npm:api" "npm:web"`.
fn starts_several(sources: &Sources<'_>, package: &Package, script: &str) -> bool {
    const STARTERS: [&str; 4] = ["concurrently", "npm-run-all", "run-p", "npm-run-all2"];
    let own = package.document.table(&["dependencies"]);
    let has_own = own.into_iter().any(|(name, _)| !STARTERS.contains(&name));
    let mut words = script
        .split([' ', '"', '\'', '\\'])
        .filter(|word| !word.is_empty());
    if has_own || !words.next().is_some_and(|first| STARTERS.contains(&first)) {
        return false;
    }
    let led_to: Vec<&str> = words
        .map(|word| word.strip_prefix("npm:").unwrap_or(word))
        .filter_map(|word| package.script(word))
        .collect();
    let mut folders: Vec<&str> = Vec::new();
    for text in led_to.into_iter().chain([script]) {
        let words = text.split([' ', '"', '\'', '\\', '=']);
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            if matches!(pair[0], "cd" | "--prefix" | "--cwd" | "-C") {
                let folder = pair[1].trim_start_matches("./").trim_end_matches('/');
                let known = folders.contains(&folder);
                if !known && sources.has(&format!("{folder}/package.json")) {
                    folders.push(folder);
                }
            }
        }
    }
    folders.len() > 1
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

/// What the image's environment says.
fn image_env(application: &Application) -> Vec<(&'static str, String)> {
    let mut env = vec![("NODE_ENV", "production".to_owned())];
    env.extend(native::image_env(
        &application.system_packages,
        &application.build_commands,
    ));
    // These listen for nobody from outside where nothing says so.
    if matches!(application.kind.as_str(), "astro" | "adonis" | "analog") {
        env.push(("HOST", "0.0.0.0".to_owned()));
    }
    // Its own check of the environment wants one.
    if application.kind == "adonis" {
        env.push(("PORT", "3333".to_owned()));
    }
    // Its command listens on 127.0.0.1 unless it takes the machine for a container.
    if application.kind == "fastify" {
        env.push(("FASTIFY_ADDRESS", "0.0.0.0".to_owned()));
    }
    // What an engine calls the container would be where Next's own server listens, and only there.
    if application.kind == "next" {
        env.push(("HOSTNAME", "0.0.0.0".to_owned()));
    }
    env
}

/// The name of the runtime that is not Node.
const BUN: &str = "bun";

/// The image that a runtime is in.
fn image(runtime: &str, version: &str) -> String {
    match runtime {
        BUN => format!("oven/bun:{version}-slim"),
        _ => format!("node:{version}-slim"),
    }
}

/// Asks as [`probe`] does, with what runs the program.
fn probe_by_bun(asked: &Probe<'_>) -> Vec<String> {
    let mut command = probe(asked);
    BUN.clone_into(&mut command[0]);
    command
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
        "require('http').get({{host: '127.0.0.1', port: {port}, path: {path}, headers: {{host: 'localhost'}}, timeout: 3000}}, \
         r => process.exit(r.statusCode < 400 ? 0 : 1)).on('error', () => process.exit(1))\
         .on('timeout', () => process.exit(1))"
    );
    vec!["node".to_owned(), "-e".to_owned(), script]
}
