//! The scripts of a package, read as far as detection needs.

use super::package::Package;
use crate::sources::Sources;

/// How many scripts may lead to one another.
const DEEPEST: usize = 8;

/// The name of the script that a command only runs: `dev` of `npm run dev`.
fn led_to(command: &str) -> Option<&str> {
    let words: Vec<_> = command
        .split_whitespace()
        .skip_while(|word| word.contains('=') || *word == "cross-env")
        .collect();
    match words.as_slice() {
        [
            "npm" | "pnpm" | "yarn" | "bun",
            "run" | "run-script",
            name,
            ..,
        ]
        | ["yarn" | "pnpm", name, ..]
        | ["npm", name @ "start", ..]
        | ["node", "--run", name, ..] => (!name.starts_with('-')).then_some(*name),
        _ => None,
    }
}

/// What a script does at last, whichever other scripts it leads to.
pub(super) fn last<'p>(package: &'p Package, script: &'p str) -> &'p str {
    let mut script = script;
    for _ in 0..DEEPEST {
        let next = commands(script)
            .last()
            .and_then(|command| package.script(led_to(command)?));
        match next {
            Some(next) => script = next,
            None => break,
        }
    }
    script
}

/// These scripts, and all that they lead to.
pub(super) fn all<'p>(package: &'p Package, names: &[&str]) -> Vec<&'p str> {
    let mut found: Vec<&'p str> = Vec::new();
    let mut next: Vec<&'p str> = names
        .iter()
        .filter_map(|name| package.script(name))
        .collect();
    while let Some(script) = next.pop() {
        if !found.contains(&script) {
            found.push(script);
            next.extend(commands(script).filter_map(|command| package.script(led_to(command)?)));
        }
    }
    found
}

/// The program's own file that a script starts.
pub(super) fn file(sources: &Sources<'_>, script: &str) -> Option<String> {
    let words = commands(script).last()?.split_whitespace();
    let mut files = words
        .map(|word| word.trim_matches(['"', '\'']).trim_start_matches("./"))
        .filter(|word| {
            let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending);
            super::EXTENSIONS.contains(&ending) && !word.contains(".config.")
        });
    files.find(|file| sources.has(file)).map(str::to_owned)
}

/// Whether a script starts its program anew when a file changes.
pub(super) fn watches(script: &str) -> bool {
    let words: Vec<_> = commands(script)
        .last()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    words.iter().any(|word| {
        matches!(
            *word,
            "nodemon" | "ts-node-dev" | "tsnd" | "node-dev" | "--watch" | "--hot"
        )
    }) || words.windows(2).any(|pair| pair == ["tsx", "watch"])
}

/// Whether a script starts a framework's own server, which finds nothing where the build left a site.
pub(super) fn starts_framework(script: &str) -> bool {
    let command = commands(script).last().unwrap_or("");
    let mut words = command
        .split_whitespace()
        .filter(|word| !word.contains('=') && !matches!(*word, "npx" | "cross-env"));
    match words.next() {
        Some("react-router-serve" | "remix-serve") => true,
        Some("next" | "nuxt" | "nuxi") => words.next() == Some("start"),
        _ => false,
    }
}

/// The commands of a script.
pub(super) fn commands(script: &str) -> impl Iterator<Item = &str> {
    let commands = script.split(['&', ';', '|']).map(str::trim);
    commands.filter(|command| !command.is_empty())
}

/// Whether a start script only serves while one works on the project.
pub(super) fn is_for_development(script: &str) -> bool {
    let last = commands(script).last();
    let words: Vec<_> = last
        .unwrap_or("")
        .split_whitespace()
        .filter(|word| !word.contains('=') && !matches!(*word, "npx" | "cross-env" | "bunx"))
        .collect();
    match words.as_slice() {
        [
            "vite" | "parcel" | "webpack-dev-server" | "slidev",
            rest @ ..,
        ] => rest.first() != Some(&"build"),
        ["eleventy" | "@11ty/eleventy", rest @ ..] => rest.contains(&"--serve"),
        ["stencil", "build", rest @ ..] => rest.contains(&"--serve") || rest.contains(&"--watch"),
        ["expo"]
        | ["storybook" | "start-storybook", ..]
        | ["react-router" | "remix" | "vinxi", "dev" | "vite:dev", ..] => true,
        [tool, verb, ..] => FOR_DEVELOPMENT
            .iter()
            .any(|(tools, verbs)| tools.contains(tool) && verbs.contains(verb)),
        _ => false,
    }
}

/// Tools, and the words with which they serve what is being worked on.
const FOR_DEVELOPMENT: [(&[&str], &[&str]); 7] = [
    (
        &[
            "react-scripts",
            "react-app-rewired",
            "craco",
            "preact",
            "rsbuild",
        ],
        &["start", "watch", "dev", "preview"],
    ),
    (
        &[
            "ng",
            "nx",
            "ember",
            "webpack",
            "vue-cli-service",
            "ionic",
            "hexo",
        ],
        &["serve", "server", "s"],
    ),
    (
        &["astro", "vitepress", "vuepress", "next", "nuxt", "nuxi"],
        &["dev", "preview"],
    ),
    (&["gatsby"], &["develop", "start", "serve"]),
    (
        &[
            "vike",
            "qwik",
            "analog",
            "solid-start",
            "quasar",
            "rspress",
            "waku",
            "nitro",
            "nitropack",
        ],
        &["dev", "preview"],
    ),
    (&["docusaurus"], &["start", "serve"]),
    (&["expo", "astro", "elm-app"], &["start"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_serve_while_one_works() {
        for script in [
            "vite",
            "vite --port 3000",
            "react-scripts start",
            "PORT=3000 react-scripts start",
            "ng serve",
            "npx astro dev",
            "astro preview --host",
            "gatsby develop",
            "npm run x && vite preview",
        ] {
            assert!(is_for_development(script), "{script}");
        }
        for script in [
            "node server.js",
            "next start",
            "vite build",
            "serve -s build",
            "",
            "astro build",
        ] {
            assert!(!is_for_development(script), "{script}");
        }
    }
}
