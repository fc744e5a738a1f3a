//! What JavaScript says: the port it listens on, its routes, the variables it reads.

use super::framework::{Framework, USUAL_PORT};
use super::listening;
use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{Scan, port as port_number};
use crate::sources::{Sources, Text};

pub(super) const COMMENT: &[&str] = &["//", "*", "/*"];
const QUOTES: &[char] = &['"', '\'', '`'];

/// The port: what the code falls back to where `PORT` is not set, else what it listens on, else what is usual.
pub(super) fn port(texts: &[Text<'_>], framework: Option<&Framework>) -> Option<Port> {
    let fallback = texts.iter().find_map(|(path, text)| {
        environment(path, text)
            .into_iter()
            .find_map(|read| match read.need {
                Need::Default(default) if read.name == "PORT" => {
                    Some(Port::fallback(port_number(&default)?, read.from))
                }
                _ => None,
            })
    });
    let listened = || texts.iter().find_map(listening::port);
    let usual = || match framework {
        Some(framework) => {
            let whose = format!("usual for {}", framework.label);
            Some(Port::usual(framework.port, &whose))
        }
        None if texts.iter().any(|(_, text)| text.contains(".listen(")) => {
            Some(Port::usual(USUAL_PORT, "usual for Node"))
        }
        None if texts
            .iter()
            .any(|(_, text)| text.contains("startStandaloneServer(")) =>
        {
            Some(Port::usual(4000, "Apollo's default"))
        }
        None if texts.iter().any(|(_, text)| listening::serves_by_bun(text)) => {
            Some(Port::usual(USUAL_PORT, "Bun's default"))
        }
        None => None,
    };
    fallback.or_else(listened).or_else(usual)
}

/// The port that a command names: `next start -p 4000`, `PORT=4000 node server.js`.
pub(super) fn port_of_command(command: &str, from: &str) -> Option<Port> {
    let mut words = command.split_whitespace().peekable();
    let written = |text: &str| Some(Port::written(port_number(text)?, from));
    while let Some(word) = words.next() {
        let value = match word {
            "-p" | "--port" | "-l" | "--listen" => words.peek().copied(),
            _ => ["--port=", "-p=", "--listen=", "PORT="]
                .iter()
                .find_map(|name| word.strip_prefix(name)),
        };
        let Some(value) = value.map(|value| value.trim_matches(QUOTES)) else {
            continue;
        };
        let fallback = value
            .strip_prefix("${PORT:-")
            .and_then(|rest| port_number(rest.strip_suffix('}')?));
        if let Some(number) = fallback {
            return Some(Port::fallback(number, from));
        }
        let number = value.rsplit(':').next().unwrap_or(value);
        if let Some(port) = written(number) {
            return Some(port);
        }
    }
    None
}

/// Where variables are found.
const ENVIRONMENTS: [&str; 3] = ["process.env", "import.meta.env", "Bun.env"];

/// What a build tool itself says beside the variables.
const OF_BUILD_TOOLS: [&str; 7] = [
    "MODE",
    "DEV",
    "PROD",
    "SSR",
    "BASE_URL",
    "SITE",
    "ASSETS_PREFIX",
];

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for environment in ENVIRONMENTS {
        for scan in Scan::behind(text, environment, COMMENT) {
            let from = format!("{path}:{}", scan.line());
            let mut inside = scan;
            let name = if inside.eat(".") || inside.eat("?.") {
                inside.word()
            } else if inside.eat("[") {
                inside.string(QUOTES).filter(|_| inside.eat("]"))
            } else {
                reads.extend(destructured(path, scan, environment));
                None
            };
            let Some(name) = name else {
                continue;
            };
            let assigned = inside.rest().trim_start().starts_with('=')
                && !inside.rest().trim_start().starts_with("==");
            let of_tool = environment == "import.meta.env" && OF_BUILD_TOOLS.contains(&name);
            if !assigned && !of_tool {
                reads.push(Read {
                    name: name.to_owned(),
                    need: need(scan, inside, environment),
                    from,
                });
            }
        }
    }
    reads
}

/// What is read by a site's pages, whose values the build writes into them.
pub(super) fn built_in(sources: &Sources<'_>) -> Vec<Read> {
    /// How names begin that tools let through to the pages, apart from those of `import.meta.env`.
    const LET_THROUGH: [&str; 6] = [
        "REACT_APP_",
        "NEXT_PUBLIC_",
        "GATSBY_",
        "VUE_APP_",
        "NUXT_",
        "VITE_",
    ];
    let mut reads = Vec::new();
    for (path, text) in sources.program_texts(super::EXTENSIONS) {
        let of_tools = path.contains(".config.");
        let is_built_in = |read: &Read| {
            let of_pages = [
                "import.meta.env.",
                "import.meta.env?.",
                "import.meta.env[\"",
                "import.meta.env['",
            ]
            .iter()
            .any(|before| text.contains(&format!("{before}{}", read.name)));
            let of_bundler = text.contains("} = import.meta.env");
            let is_let_through = LET_THROUGH.iter().any(|start| read.name.starts_with(start));
            (of_pages || of_bundler) && !of_tools || is_let_through
        };
        reads.extend(environment(path, &text).into_iter().filter(is_built_in));
        reads.extend(of_kit(path, &text));
    }
    reads.extend(of_components(sources));
    reads
}

/// What is read by the components of frameworks, which have files of their own kind.
pub(super) fn of_components(sources: &Sources<'_>) -> Vec<Read> {
    let texts = sources.program_texts(&["vue", "svelte", "astro"]);
    let mut reads = Vec::new();
    for (path, text) in &texts {
        reads.extend(environment(path, text));
        reads.extend(of_kit(path, text));
    }
    reads
}

/// What SvelteKit hands on: `import { KEY } from '$env/static/private'`.
pub(super) fn of_kit(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut read = |name: &str, line: usize| {
        reads.push(Read {
            name: name.to_owned(),
            need: Need::Optional,
            from: format!("{path}:{line}"),
        });
    };
    for place in ["$env/static/", "$env/dynamic/"] {
        for scan in Scan::behind(text, place, COMMENT) {
            let before = scan.line_before();
            let Some((_, names)) = before.rsplit_once('{') else {
                continue;
            };
            let names = names.split('}').next().unwrap_or(names);
            if place == "$env/static/" {
                for name in names.split(',') {
                    let name = name.split(" as ").next().unwrap_or(name).trim();
                    read(name, scan.line());
                }
                continue;
            }
            for mut scan in Scan::behind(text, "env", COMMENT) {
                let before = scan.line_before().trim_end_matches("env");
                if !before.ends_with('.') && scan.eat(".") {
                    let line = scan.line();
                    if let Some(name) = scan.word() {
                        read(name, line);
                    }
                }
            }
            break;
        }
    }
    reads
}

/// What happens where the variable is not set, by what stands around its name.
fn need(before: Scan<'_>, mut behind: Scan<'_>, environment: &str) -> Need {
    let line = before.line_before();
    let negated = line
        .trim_end()
        .strip_suffix(environment)
        .is_some_and(|line| line.trim_end().ends_with('!'));
    let next_lines: String = behind.rest().lines().take(3).collect::<Vec<_>>().join("\n");
    if negated
        && line.contains("if")
        && ["throw ", "process.exit("]
            .iter()
            .any(|end| next_lines.contains(end))
    {
        return Need::Required;
    }
    // `process.env.PORT)` of `Number(process.env.PORT) || 3000`
    behind.eat(")");
    if behind.eat("||") || behind.eat("??") {
        let default = behind
            .string(QUOTES)
            .filter(|text| !text.contains("${"))
            .or_else(|| behind.number());
        if let Some(default) = default {
            return Need::Default(default.to_owned());
        }
        if behind.rest().trim_start().starts_with("throw") {
            return Need::Required;
        }
    }
    Need::Optional
}

/// `const { A, B = "x", C: c } = process.env`
fn destructured(path: &str, scan: Scan<'_>, environment: &str) -> Vec<Read> {
    let before = scan
        .line_before()
        .trim_end()
        .trim_end_matches(environment)
        .trim_end();
    let Some(pattern) = before
        .strip_suffix('=')
        .and_then(|before| before.trim_end().strip_suffix('}'))
    else {
        return Vec::new();
    };
    let names = pattern.rsplit('{').next().unwrap_or("");
    let from = format!("{path}:{}", scan.line());
    let parts = names.split(',').filter_map(|part| {
        let (name, default) = match part.split_once('=') {
            Some((name, default)) => (name, Some(default.trim().trim_matches(QUOTES))),
            None => (part, None),
        };
        let name = name.split(':').next()?.trim();
        let need = default.map_or(Need::Optional, |default| Need::Default(default.to_owned()));
        (!name.is_empty() && !name.starts_with("...")).then(|| Read {
            name: name.to_owned(),
            need,
            from: from.clone(),
        })
    });
    parts.collect()
}
