//! Frameworks that were told of no server: what they build is shown by Vite.

use super::package::Package;
use super::runner::Runner;
use super::scripts;
use super::server::Start;

pub(super) fn of(
    package: &Package,
    runner: Runner,
    start: impl Fn(String, String, &str) -> Start + Copy,
) -> Option<Start> {
    qwik(package, runner, start)
        .or_else(|| tanstack_without_nitro(package, runner, start))
        .or_else(|| vike(package, runner, start))
}

/// What nothing but Vite serves.
pub(super) fn previewed(
    runner: Runner,
    question: (String, String),
    from: String,
    start: impl Fn(String, String, &str) -> Start,
) -> Start {
    let command = runner.tool("vite preview --host 0.0.0.0 --port ${PORT:-3000}");
    Start {
        question: Some(question),
        ..start(command, from, "Vite shows what was built")
    }
}

/// Qwik City leaves no server as long as no adapter is added, which then adds a script for it.
fn qwik(
    package: &Package,
    runner: Runner,
    start: impl Fn(String, String, &str) -> Start,
) -> Option<Start> {
    let router = ["@builder.io/qwik-city", "@qwik.dev/router"]
        .into_iter()
        .find(|router| package.depends_on(router))?;
    let only_shown = package.script("start").is_none_or(|script| {
        let last = scripts::last(package, script);
        scripts::is_for_development(last)
    });
    only_shown.then(|| {
        let question = (
            "What serves it? No adapter of Qwik City's is there; Vite's preview is taken."
                .to_owned(),
            "npm run qwik add express".to_owned(),
        );
        Start {
            build: Some(vec![runner.tool("qwik build preview")]),
            ..previewed(runner, question, package.place_of(router), start)
        }
    })
}

/// From this minor version on, TanStack Start leaves a server only where Nitro is added.
const TANSTACK_WITHOUT_NITRO: u32 = 132;

fn tanstack_without_nitro(
    package: &Package,
    runner: Runner,
    start: impl Fn(String, String, &str) -> Start,
) -> Option<Start> {
    let name = ["@tanstack/react-start", "@tanstack/solid-start"]
        .into_iter()
        .find(|name| package.depends_on(name))?;
    let minor = package
        .version(name)
        .and_then(|version| version.split('.').nth(1)?.parse::<u32>().ok());
    let is_older = minor.is_some_and(|minor| minor < TANSTACK_WITHOUT_NITRO);
    let nitro = [
        "nitro",
        "nitropack",
        "vinxi",
        "@tanstack/nitro-v2-vite-plugin",
    ];
    if is_older || nitro.iter().any(|nitro| package.depends_on(nitro)) {
        return None;
    }
    let question = (
        "What serves it? TanStack Start leaves no server without Nitro; Vite's preview is taken."
            .to_owned(),
        "npm install nitro, and add nitro() to the plugins in vite.config.ts".to_owned(),
    );
    Some(previewed(runner, question, package.place_of(name), start))
}

/// Vike answers requests only in a server that somebody writes.
fn vike(
    package: &Package,
    runner: Runner,
    start: impl Fn(String, String, &str) -> Start,
) -> Option<Start> {
    let servers = ["express", "fastify", "hono", "h3", "koa", "vike-server"];
    let has_server = servers.iter().any(|server| package.depends_on(server));
    (package.depends_on("vike") && !has_server).then(|| {
        let question = (
            "What serves it? No server is there for Vike; its preview is taken.".to_owned(),
            "npm install vike-photon, or write a server".to_owned(),
        );
        let command = runner.tool("vike preview --host 0.0.0.0 --port ${PORT:-3000}");
        Start {
            question: Some(question),
            ..start(
                command,
                package.place_of("vike"),
                "Vike shows what was built",
            )
        }
    })
}
