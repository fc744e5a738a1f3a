//! How a package is started that has no start script of its own for it.

use super::framework::REDWOOD;
use super::package::{self, Package};
use super::runner::Runner;
use super::{preview, scripts, site, version};
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// How what a framework's build leaves is started.
enum Leaves {
    /// A file that answers requests.
    File(&'static str),
    /// Something for a program that the framework brings.
    Tool(&'static str),
}

use Leaves::{File, Tool};

/// What a framework's build leaves, and how that is started.
const BUILT: [(&str, Leaves, &str); 12] = [
    (
        "@react-router/serve",
        Tool("react-router-serve ./build/server/index.js"),
        "React Router's own server",
    ),
    (
        "@remix-run/serve",
        Tool("remix-serve ./build/server/index.js"),
        "Remix's own server",
    ),
    (
        "@astrojs/node",
        File("./dist/server/entry.mjs"),
        "what Astro's adapter for Node leaves",
    ),
    (
        "nuxt",
        File(".output/server/index.mjs"),
        "what Nuxt's build leaves",
    ),
    (
        "@tanstack/react-start",
        File(".output/server/index.mjs"),
        "what TanStack Start's build leaves",
    ),
    (
        "@tanstack/solid-start",
        File(".output/server/index.mjs"),
        "what TanStack Start's build leaves",
    ),
    (
        "@solidjs/start",
        File(".output/server/index.mjs"),
        "what SolidStart's build leaves",
    ),
    (
        "@analogjs/platform",
        File("dist/analog/server/index.mjs"),
        "what Analog's build leaves",
    ),
    (
        "nitropack",
        File(".output/server/index.mjs"),
        "what Nitro's build leaves",
    ),
    (
        "nitro",
        File(".output/server/index.mjs"),
        "what Nitro's build leaves",
    ),
    (
        "@nestjs/core",
        File("dist/main"),
        "what Nest's build leaves",
    ),
    (
        "next",
        Tool("next start"),
        "Next.js serves what it has built",
    ),
];

/// How the package is started.
pub(super) struct Start {
    pub command: String,
    pub entrypoint: Option<String>,
    pub from: String,
    pub note: String,
    /// Read off the framework or the file, not said by the package.
    pub guessed: bool,
    /// What should be settled, and how.
    pub question: Option<(String, String)>,
    /// What builds it in place of the package's own script.
    pub build: Option<Vec<String>>,
}

/// The server that a framework's build leaves.
pub(super) fn built(sources: &Sources<'_>, package: &Package, runner: Runner) -> Option<Start> {
    package.script("build")?;
    let start = |command: String, from: String, note: &str| Start {
        command,
        entrypoint: None,
        from,
        note: format!("package.json has no start script for it; {note}"),
        guessed: true,
        question: None,
        build: None,
    };
    if package.depends_on("@sveltejs/kit") {
        return svelte(sources, package, runner, start);
    }
    if let Some(shown) = preview::of(package, runner, start) {
        return Some(shown);
    }
    if package.depends_on("@angular/ssr")
        && let Some((output, from)) = site::angular_output(sources)
        && let Some(output) = output.strip_suffix("/browser")
    {
        let server = runner.file(&format!("{output}/server/server.mjs"));
        return Some(start(server, from, "what Angular's build leaves"));
    }
    if package.depends_on("next")
        && let Some((output, from)) = site::configured(sources, &["next.config"], "output")
        && output == "standalone"
        && package::outer(sources).is_none()
    {
        let note = "Next.js leaves a server of its own";
        // What browsers get as it is has to be put beside it.
        let mut build = vec![
            runner.script("build"),
            "cp -r .next/static .next/standalone/.next/static".to_owned(),
        ];
        if sources.has_folder("public") {
            build.push("cp -r public .next/standalone/public".to_owned());
        }
        return Some(Start {
            build: Some(build),
            ..start(runner.file(".next/standalone/server.js"), from, note)
        });
    }
    let (name, leaves, note) = BUILT.iter().find(|(name, ..)| package.depends_on(name))?;
    let command = match leaves {
        File(file) => runner.file(file),
        // Before it built with Vite.
        Tool(_) if *name == "@remix-run/serve" && !package.depends_on("vite") => {
            runner.tool("remix-serve ./build/index.js")
        }
        Tool(tool) => runner.tool(tool),
    };
    Some(start(command, package.place_of(name), note))
}

/// What SvelteKit leaves depends on its adapter.
fn svelte(
    sources: &Sources<'_>,
    package: &Package,
    runner: Runner,
    start: impl Fn(String, String, &str) -> Start,
) -> Option<Start> {
    let adapter = "@sveltejs/adapter-node";
    if package.depends_on(adapter) {
        let said = site::configured(sources, &["svelte.config"], "out");
        let from = package.place_of(adapter);
        let (output, from) = said.unwrap_or_else(|| ("build".to_owned(), from));
        let note = "what SvelteKit's adapter for Node leaves";
        return Some(start(runner.file(&output), from, note));
    }
    let has_vite = package.depends_on("vite");
    has_vite.then(|| {
        let question = (
            "What serves it? SvelteKit's adapter here leaves nothing that a server of one's own starts; \
             Vite's preview is taken."
                .to_owned(),
            "npm install -D @sveltejs/adapter-node, and name it in svelte.config.js".to_owned(),
        );
        let from = package.place_of("@sveltejs/kit");
        preview::previewed(runner, question, from, start)
    })
}

/// Frameworks whose build leaves the package anew in a folder of its own, from which it is started.
const MOVED: [(&str, &str, &str); 2] = [
    ("@adonisjs/core", "ace build", "build"),
    ("@medusajs/medusa", "medusa build", ".medusa/server"),
];

/// The start script of what the build leaves in a folder.
pub(super) fn moved(sources: &Sources<'_>, package: &Package, runner: Runner) -> Option<Start> {
    let script = package.script("start")?;
    let last = scripts::last(package, script);
    let (_, _, folder) = MOVED.iter().find(|(name, builds, _)| {
        let build = package.script("build");
        package.depends_on(name) && build.is_some_and(|build| build.contains(builds))
    })?;
    // A file that is there already needs no such build.
    let starts = last.starts_with("medusa start")
        || (last.starts_with("node ") && scripts::file(sources, last).is_none());
    let stays = !last.contains(folder);
    (starts && stays).then(|| Start {
        command: format!("cd {folder} && {}", runner.script("start")),
        entrypoint: None,
        from: package.document.from(&["scripts", "start"]),
        note: format!("the build leaves the package in {folder}, where the script is to run"),
        guessed: true,
        question: None,
        build: None,
    })
}

/// Redwood's own commands, where no script starts it.
pub(super) fn redwood(package: &Package, runner: Runner) -> Option<Start> {
    (package.depends_on(REDWOOD) && package.script("start").is_none()).then(|| Start {
        command: runner.tool("rw serve"),
        entrypoint: None,
        from: package.place_of(REDWOOD),
        note: "Redwood serves what it has built".to_owned(),
        guessed: true,
        question: None,
        build: Some(vec![runner.tool("rw build")]),
    })
}

/// Scripts that are called as those are that start what was built.
const FOR_PRODUCTION: [&str; 7] = [
    "start:prod",
    "start:production",
    "start-prod",
    "serve:prod",
    "prod",
    "production",
    "serve",
];

/// A script beside `start` that starts what was built.
pub(super) fn production(package: &Package, runner: Runner) -> Option<Start> {
    let name = FOR_PRODUCTION.iter().find(|name| {
        // Beside no other, that may be anything.
        let counts = **name != "serve" || package.script("start").is_some();
        let script = package.script(name).filter(|_| counts);
        script.is_some_and(|script| {
            let last = scripts::last(package, script);
            !scripts::is_for_development(last) && !scripts::watches(last)
        })
    })?;
    Some(Start {
        command: runner.script(name),
        entrypoint: None,
        from: package.document.from(&["scripts", name]),
        note: format!("runs `{}`", package.script(name).unwrap_or("")),
        guessed: true,
        question: None,
        build: None,
    })
}

/// Where a program usually begins.
const USUAL_FILES: [&str; 22] = [
    "index.js",
    "index.mjs",
    "index.cjs",
    "index.ts",
    "server.js",
    "server.mjs",
    "server.ts",
    "app.js",
    "app.mjs",
    "app.ts",
    "main.js",
    "main.ts",
    "src/index.js",
    "src/index.mjs",
    "src/index.ts",
    "src/server.js",
    "src/server.ts",
    "src/app.js",
    "src/main.js",
    "src/main.ts",
    "index.tsx",
    "bot.js",
];

/// The file that `main` names, else one that is called as a program's first usually is, else the one that is
/// started while one works on it.
pub(super) fn file(sources: &Sources<'_>, package: &Package, runner: Runner) -> Option<Start> {
    if is_library(package) {
        return None;
    }
    let named = ["main", "module"].iter().find_map(|field| {
        let main = package.document.text(&[*field])?;
        let main = main.trim_start_matches("./").trim_end_matches('/');
        let with_ending = ["", ".js", "/index.js"]
            .iter()
            .map(|ending| format!("{main}{ending}"))
            .find(|path| sources.has(path))?;
        Some((with_ending, package.document.from(&[*field])))
    });
    let usual = || {
        let usual = USUAL_FILES.iter().find(|file| sources.has(file))?;
        Some(((*usual).to_owned(), (*usual).to_owned()))
    };
    let worked_on = || {
        ["serve", "server", "dev", "develop", "watch"]
            .iter()
            .find_map(|name| {
                let last = scripts::last(package, package.script(name)?);
                let file = scripts::file(sources, last)?;
                Some((file, package.document.from(&["scripts", name])))
            })
    };
    let start = |command: String, file: &str, from: String| Start {
        command,
        note: format!("package.json has no start script; {file} is the program"),
        entrypoint: Some(file.to_owned()),
        from,
        guessed: true,
        question: None,
        build: None,
    };
    if named.is_none()
        && let Some((file, from)) = made_by_build(sources, package)
    {
        return Some(start(runner.file(&file), &file, from));
    }
    let (file, from) = named.or_else(usual).or_else(worked_on)?;
    if !is_typescript(&file) || runner.takes_typescript() {
        return Some(start(runner.file(&file), &file, from));
    }
    let with_tool = |tool: &str| runner.tool(&format!("{tool} {}", shell_quoted(&file)));
    let compiled = compiled(sources, &file);
    let builds = scripts::all(package, &["build"]).join(" ");
    if let Some(compiled) = &compiled
        && builds.split_whitespace().any(|word| word == "tsc")
    {
        return Some(start(runner.file(compiled), &file, from));
    }
    if let Some(tool) = ["tsx", "ts-node"]
        .iter()
        .find(|tool| package.depends_on(tool))
    {
        return Some(start(with_tool(tool), &file, from));
    }
    if let Some(compiled) = compiled.filter(|_| package.depends_on("typescript")) {
        return Some(Start {
            build: Some(vec![runner.tool("tsc")]),
            ..start(runner.file(&compiled), &file, from)
        });
    }
    version::takes_typescript(sources, package).then(|| start(runner.file(&file), &file, from))
}

/// The TypeScript file that would be the program if something here could run it.
pub(super) fn only_typescript(sources: &Sources<'_>) -> Option<&'static str> {
    let file = USUAL_FILES.iter().find(|file| sources.has(file))?;
    is_typescript(file).then_some(*file)
}

pub(super) fn is_typescript(file: &str) -> bool {
    [".ts", ".tsx", ".mts", ".cts"]
        .iter()
        .any(|ending| file.ends_with(ending))
}

/// The TypeScript file that Node itself is to run, where a start does that.
pub(super) fn typescript_as_it_is<'s>(package: &'s Package, start: &'s Start) -> Option<&'s str> {
    let command = match package.script("start") {
        Some(script) if !start.guessed => scripts::last(package, script),
        _ => &start.command,
    };
    let command = scripts::commands(command).last()?;
    let mut words = command
        .split_whitespace()
        .skip_while(|word| word.contains('='));
    if words.next() != Some("node") {
        return None;
    }
    let loads = |word: &str| {
        let options = [
            "-r",
            "--require",
            "--loader",
            "--import",
            "--experimental",
            "--watch",
        ];
        options.iter().any(|option| word.starts_with(option))
    };
    let file = words.find(|word| loads(word) || !word.starts_with('-'))?;
    (!loads(file) && is_typescript(file) && !file.ends_with('x')).then_some(file)
}

/// What a package says of itself that is there for other packages.
const LIBRARY_FIELDS: [&str; 5] = ["types", "typings", "exports", "files", "peerDependencies"];

/// Whether a package is there for others alone: it says what they get of it, and depends on nothing.
pub(super) fn is_library(package: &Package) -> bool {
    let says = |field: &str| package.document.get(&[field]).is_some();
    says("exports")
        && (says("files") || says("peerDependencies"))
        && package.places().next().is_none()
        && package.script("dev").is_none()
}

/// The `main` that is only there when the package is built.
fn made_by_build(sources: &Sources<'_>, package: &Package) -> Option<(String, String)> {
    package.script("build")?;
    let main = package.document.text(&["main"])?.trim_start_matches("./");
    let below = main.split_once('/')?;
    let is_made = ["dist", "build", "out", "lib", "output", ".output"].contains(&below.0)
        && !below.1.contains("..")
        && [".js", ".cjs", ".mjs"]
            .iter()
            .any(|end| main.ends_with(end));
    // What is there for other packages says more of itself.
    let is_library = LIBRARY_FIELDS
        .iter()
        .any(|field| package.document.get(&[*field]).is_some());
    (is_made && !is_library && !sources.has(main))
        .then(|| (main.to_owned(), package.document.from(&["main"])))
}

/// How many settings of the compiler may stand on one another.
const MOST_SETTINGS: usize = 4;

/// What a TypeScript file is when the compiler has been there; none where it is told to leave nothing.
fn compiled(sources: &Sources<'_>, file: &str) -> Option<String> {
    let mut settings = Vec::new();
    let mut next = Some("tsconfig.json".to_owned());
    while let Some(name) = next.take().filter(|_| settings.len() < MOST_SETTINGS) {
        let document = sources.has(&name).then(|| sources.document(&name))??;
        next = document
            .text(&["extends"])
            .and_then(|base| base.strip_prefix("./"))
            .map(|base| format!("{}.json", base.trim_end_matches(".json")))
            .filter(|base| sources.has(base));
        settings.push(document);
    }
    let said = |name: &str| {
        let mut settings = settings.iter();
        settings.find_map(|one| one.get(&["compilerOptions", name]).cloned())
    };
    let folder = |name: &str| {
        let text = said(name)?;
        let text = text.as_str()?.trim_start_matches("./");
        Some(text.trim_end_matches('/').to_owned())
    };
    if said("noEmit").is_some_and(|value| value == true) {
        return None;
    }
    let (stem, ending) = file.rsplit_once('.')?;
    let ending = match ending {
        "mts" => "mjs",
        "cts" => "cjs",
        _ => "js",
    };
    let stays = |output: &String| {
        !output.is_empty() && output != "." && !output.starts_with('/') && !output.contains("..")
    };
    let Some(output) = folder("outDir").filter(stays) else {
        return Some(format!("{stem}.{ending}"));
    };
    // The compiler leaves out what all sources have in common.
    let root = folder("rootDir").unwrap_or_else(|| "src".to_owned());
    let inside = stem.strip_prefix(&format!("{root}/")).unwrap_or(stem);
    Some(format!("{output}/{inside}.{ending}"))
}
