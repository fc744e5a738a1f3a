//! What a program's files say of programs that it talks to: addresses, and variables named for them.

use std::collections::BTreeSet;

use crate::members::Member;
use crate::scan;

/// Files that may hold addresses.
const EXTENSIONS: &[&str] = &[
    "js",
    "mjs",
    "cjs",
    "ts",
    "mts",
    "tsx",
    "jsx",
    "vue",
    "svelte",
    "astro",
    "html",
    "py",
    "go",
    "rb",
    "php",
    "java",
    "kt",
    "cs",
    "rs",
    "ex",
    "exs",
    "conf",
    "template",
    "properties",
    "yml",
    "yaml",
    "json",
    "toml",
];
/// How many files are looked into, the nearest first.
const MOST_FILES: usize = 300;
/// How many addresses are taken from one file.
const MOST: usize = 200;

/// One program is spoken of.
pub(super) struct Mention {
    pub what: What,
    /// `file:line`, as the program's folder has it.
    pub from: String,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
pub(super) enum What {
    /// `http://orders:8000`
    Host(String),
    /// `http://localhost:8000`
    Port(u16),
    /// `orders` of `ORDERS_URL`
    Variable(String),
}

impl Mention {
    pub fn why(&self) -> String {
        match &self.what {
            What::Host(host) => format!("{} calls {host}", self.from),
            What::Port(port) => format!("{} calls port {port}", self.from),
            What::Variable(stem) => format!("a variable is named for {stem}"),
        }
    }
}

pub(super) fn of(member: &Member<'_>) -> Vec<Mention> {
    let mut seen = BTreeSet::new();
    let mut mentions = Vec::new();
    let mut add = |what: What, from: String| {
        if seen.insert(what.clone()) {
            mentions.push(Mention { what, from });
        }
    };
    for (name, variable) in &member.found.application.env {
        let from = variable.from.clone().unwrap_or_default();
        if let Some(default) = &variable.default {
            for (what, _) in addresses(default) {
                add(what, from.clone());
            }
            if name.ends_with("_HOST") && is_host(default) {
                add(What::Host(default.to_ascii_lowercase()), from.clone());
            }
        }
        if let Some(stem) = stem(name) {
            add(What::Variable(stem), from);
        }
    }
    // Where a development server sends what it does not have itself.
    if member.sources.has("package.json")
        && let Some(package) = member.sources.document("package.json")
        && let Some(proxy) = package.text(&["proxy"])
    {
        for (what, _) in addresses(proxy) {
            add(what, package.from(&["proxy"]));
        }
    }
    let files = member.sources.program_files(EXTENSIONS);
    let settings = member
        .sources
        .names()
        .filter(|name| name.starts_with(".env"));
    for path in files.into_iter().take(MOST_FILES).chain(settings) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_lock = name.contains("lock") || name.contains(".min.");
        if is_lock || name.starts_with("package") || name.contains("compose") {
            continue;
        }
        let Some(text) = member.sources.searched_text(path) else {
            continue;
        };
        for (what, at) in addresses(&text) {
            let line = crate::document::line_of(&text, at);
            add(what, format!("{path}:{line}"));
        }
        if name.ends_with(".conf") || name.ends_with(".template") {
            for (host, line) in upstreams(&text) {
                add(What::Host(host), format!("{path}:{line}"));
            }
        }
        for (host, at) in quoted_addresses(&text) {
            let line = crate::document::line_of(&text, at);
            add(What::Host(host), format!("{path}:{line}"));
        }
        for (stem, at) in named_variables(&text) {
            let line = crate::document::line_of(&text, at);
            add(What::Variable(stem), format!("{path}:{line}"));
        }
        if name.starts_with(".env") {
            for (index, line) in text.lines().enumerate() {
                let stem = line.split_once('=').and_then(|(name, _)| stem(name.trim()));
                if let Some(stem) = stem {
                    add(What::Variable(stem), format!("{path}:{}", index + 1));
                }
            }
        }
    }
    mentions
}

/// `server orders:8000;` of a server that stands before others.
fn upstreams(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().enumerate().take(MOST * 10);
    lines
        .filter_map(|(index, line)| {
            let address = line.trim().split_once("server ")?.1;
            let host = address.split([':', ';', ' ']).next()?.to_ascii_lowercase();
            is_host(&host).then_some((host, index + 1))
        })
        .collect()
}

/// The addresses in a text, and where each begins.
fn addresses(text: &str) -> Vec<(What, usize)> {
    let found = text.match_indices("://").take(MOST);
    found
        .filter_map(|(at, _)| {
            let scheme = text[..at]
                .rsplit(|one: char| !one.is_ascii_alphabetic())
                .next()
                .unwrap_or("");
            if !matches!(scheme, "http" | "https" | "ws" | "wss" | "grpc" | "tcp") {
                return None;
            }
            let rest = &text[at + 3..];
            let end = rest
                .find(|one: char| !(one.is_ascii_alphanumeric() || "-_.".contains(one)))
                .unwrap_or(rest.len());
            let host = rest[..end].to_ascii_lowercase();
            if !matches!(host.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0") {
                return (is_host(&host)).then(|| (What::Host(host.replace('_', "-")), at));
            }
            let behind = rest[end..].strip_prefix(':')?;
            let digits = behind
                .find(|one: char| !one.is_ascii_digit())
                .unwrap_or(behind.len());
            Some((What::Port(scan::port(&behind[..digits])?), at))
        })
        .collect()
}

/// Whether a name can be that of a container: no domain.
fn is_host(text: &str) -> bool {
    text.len() > 1
        && text
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_".contains(one))
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// How the names of variables end that say where a program is.
const ENDS: [&str; 11] = [
    "_BASE_URL",
    "_SERVICE_URL",
    "_SERVICE_HOST",
    "_SERVICE_ADDR",
    "_URL",
    "_URI",
    "_HOST",
    "_ADDR",
    "_ADDRESS",
    "_ENDPOINT",
    "_ORIGIN",
];

/// `orders` of `ORDERS_URL`, `api` of `VITE_API_BASE_URL`; none of a variable that names no program.
fn stem(name: &str) -> Option<String> {
    let mut rest = name;
    for prefix in [
        "VITE_",
        "NEXT_PUBLIC_",
        "REACT_APP_",
        "PUBLIC_",
        "NUXT_PUBLIC_",
        "NUXT_",
        "VUE_APP_",
        "EXPO_PUBLIC_",
    ] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let stem = ENDS.iter().find_map(|end| rest.strip_suffix(end))?;
    (stem.len() > 1).then(|| stem.to_ascii_lowercase().replace('_', "-"))
}

/// Hosts and ports in quotes, as clients are told that speak no HTTP: `"orders:50051"`.
fn quoted_addresses(text: &str) -> Vec<(String, usize)> {
    let found = text.match_indices(':').take(MOST * 10);
    found
        .filter_map(|(at, _)| {
            let behind = &text[at + 1..];
            let digits = behind.find(|one: char| !one.is_ascii_digit())?;
            scan::port(&behind[..digits])?;
            let start = text[..at]
                .rfind(|one: char| !(one.is_ascii_alphanumeric() || one == '-' || one == '_'))?;
            let quote = text[start..].chars().next()?;
            let host = text[start + quote.len_utf8()..at].to_ascii_lowercase();
            let is_quoted =
                matches!(quote, '"' | '\'' | '`') && behind[digits..].starts_with([quote, '/']);
            let is_other = is_host(&host) && host != "localhost";
            (is_quoted && is_other).then_some((host, at))
        })
        .collect()
}

/// Names of variables in quotes, whoever reads them, and behind a word for the environment:
/// `mustMap(&address, "CART_SERVICE_ADDR")`, `import.meta.env.VITE_API_URL`.
fn named_variables(text: &str) -> Vec<(String, usize)> {
    let ends = ["_ADDR", "_URL", "_HOST", "_URI", "_ENDPOINT"].into_iter();
    let found = ends.flat_map(|end| {
        text.match_indices(end)
            .take(MOST)
            .map(move |at| (end, at.0))
    });
    found
        .filter_map(|(end, at)| {
            let behind = text[at + end.len()..].chars().next();
            let start = text[..at].rfind(|one: char| {
                !(one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_')
            })?;
            let quote = text[start..].chars().next()?;
            let is_quoted = matches!(quote, '"' | '\'' | '`') && behind == Some(quote);
            let is_read = text[..start].ends_with("env")
                && quote == '.'
                && !behind.is_some_and(|one| one == '_' || one.is_alphanumeric());
            let name = &text[start + quote.len_utf8()..at + end.len()];
            (is_quoted || is_read).then(|| Some((stem(name)?, at)))?
        })
        .collect()
}
