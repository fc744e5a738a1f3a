//! How a package is started that has no start script of its own for it.

use super::package::{Manager, Package};
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// What a framework's build leaves, and how that is started.
const BUILT: [(&str, &str, &str); 12] = [
    (
        "@react-router/serve",
        "react-router-serve ./build/server/index.js",
        "React Router's own server",
    ),
    (
        "@remix-run/serve",
        "remix-serve ./build/server/index.js",
        "Remix's own server",
    ),
    (
        "@sveltejs/adapter-node",
        "node build",
        "what SvelteKit's adapter for Node leaves",
    ),
    (
        "@astrojs/node",
        "node ./dist/server/entry.mjs",
        "what Astro's adapter for Node leaves",
    ),
    (
        "nuxt",
        "node .output/server/index.mjs",
        "what Nuxt's build leaves",
    ),
    (
        "@tanstack/react-start",
        "node .output/server/index.mjs",
        "what TanStack Start's build leaves",
    ),
    (
        "@tanstack/solid-start",
        "node .output/server/index.mjs",
        "what TanStack Start's build leaves",
    ),
    (
        "@solidjs/start",
        "node .output/server/index.mjs",
        "what SolidStart's build leaves",
    ),
    (
        "@analogjs/platform",
        "node dist/analog/server/index.mjs",
        "what Analog's build leaves",
    ),
    (
        "nitropack",
        "node .output/server/index.mjs",
        "what Nitro's build leaves",
    ),
    (
        "@nestjs/core",
        "node dist/main.js",
        "what Nest's build leaves",
    ),
    ("next", "next start", "Next.js serves what it has built"),
];

/// How the package is started.
pub(super) struct Start {
    pub command: String,
    pub entrypoint: Option<String>,
    pub from: String,
    pub note: String,
    /// Read off the framework or the file, not said by the package.
    pub guessed: bool,
}

/// The server that a framework's build leaves.
pub(super) fn built(package: &Package) -> Option<Start> {
    package.script("build")?;
    let (name, command, note) = BUILT.iter().find(|(name, ..)| package.depends_on(name))?;
    // A program of a dependency is on nobody's path.
    let command = if command.starts_with("node ") {
        (*command).to_owned()
    } else {
        format!("npx {command}")
    };
    Some(Start {
        command,
        entrypoint: None,
        from: package.place_of(name),
        note: format!("package.json has no start script; {note}"),
        guessed: true,
    })
}

/// What Nx builds of the project that it takes where none is named.
pub(super) fn of_nx(sources: &Sources<'_>) -> Option<Start> {
    let nx = sources.document("nx.json")?;
    let project = nx.text(&["defaultProject"])?;
    let file = ["apps", "packages"]
        .iter()
        .map(|folder| format!("{folder}/{project}/project.json"))
        .find(|file| sources.has(file))?;
    let document = sources.document(&file)?;
    let executor = document.text(&["targets", "build", "executor"])?;
    let is_program = ["node", "webpack", "esbuild", "js:tsc"]
        .iter()
        .any(|kind| executor.contains(kind));
    let keys = ["targets", "build", "options", "outputPath"];
    let output = document.text(&keys)?.trim_end_matches('/');
    is_program.then(|| Start {
        command: format!("node {}", shell_quoted(&format!("{output}/main.js"))),
        entrypoint: document
            .text(&["targets", "build", "options", "main"])
            .map(str::to_owned),
        from: document.from(&keys),
        note: format!("nx.json takes {project} where no project is named"),
        guessed: true,
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

/// The file that `main` names, else one that is called as a program's first usually is.
pub(super) fn file(sources: &Sources<'_>, package: &Package, manager: Manager) -> Option<Start> {
    let named = ["main", "module"].iter().find_map(|field| {
        let main = package.document.text(&[*field])?.trim_start_matches("./");
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
    let (file, from) = named.or_else(usual)?;
    let is_typescript = file.ends_with(".ts") || file.ends_with(".tsx");
    let runner = match manager {
        Manager::Bun => "bun",
        _ if is_typescript && package.depends_on("tsx") => "npx tsx",
        _ if is_typescript && package.depends_on("ts-node") => "npx ts-node",
        _ => "node",
    };
    Some(Start {
        command: format!("{runner} {}", shell_quoted(&file)),
        note: format!("package.json has no start script; {file} is the program"),
        entrypoint: Some(file),
        from,
        guessed: true,
    })
}
