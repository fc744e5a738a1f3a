//! What code for Deno says: what it imports, the port it listens on, the variables it reads.

use serde_json::Value;

use crate::document::Document;
use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["//", "*", "/*"];
const QUOTES: &[char] = &['"', '\'', '`'];

/// Something that is imported.
pub(super) struct Import {
    /// By which name: `$fresh/`, `@oak/oak`, `cowsay`.
    pub name: String,
    pub version: Option<String>,
    /// `file:line`
    pub from: String,
    /// It comes from elsewhere.
    pub is_fetched: bool,
}

impl Import {
    /// As its package would be called for Node.
    pub fn package(&self) -> &str {
        match self.name.split_once('/') {
            Some((scope, name)) if scope.starts_with('@') && !name.is_empty() => name,
            _ => &self.name,
        }
    }
}

/// The line by which a file is for Deno and nothing else.
pub(super) fn is_for_deno(path: &str, text: &str) -> Option<String> {
    let api = Scan::behind(text, "Deno", COMMENT).find(|scan| {
        scan.rest().strip_prefix('.').is_some_and(|rest| {
            [
                "serve", "env", "listen", "args", "read", "write", "exit", "open", "Command",
                "test", "run", "stdin", "stdout",
            ]
            .iter()
            .any(|name| rest.starts_with(name))
        })
    });
    let imported = || {
        [
            "\"https://deno.land/",
            "'https://deno.land/",
            "\"jsr:",
            "'jsr:",
            "\"npm:",
            "'npm:",
        ]
        .iter()
        .find_map(|from| {
            Scan::behind(text, from, COMMENT).find(|scan| {
                let before = scan.line_before();
                before.contains("from") || before.contains("import")
            })
        })
    };
    let scan = api.or_else(imported)?;
    Some(format!("{path}:{}", scan.line()))
}

/// What the settings map, an import map holds and the code imports.
pub(super) fn imports(
    sources: &Sources<'_>,
    settings: Option<&Document>,
    texts: &[Text<'_>],
) -> Vec<Import> {
    let mut imports = Vec::new();
    if let Some(settings) = settings {
        mapped(settings, &mut imports);
    }
    let map = settings.and_then(|settings| settings.text(&["importMap"]));
    let map = map.map_or("import_map.json", |map| map.trim_start_matches("./"));
    if sources.has(map)
        && let Some(document) = sources.document(map)
    {
        mapped(&document, &mut imports);
    }
    for (path, text) in texts {
        for start in ["https://", "jsr:", "npm:"] {
            for quote in ["\"", "'"] {
                let opening = format!("{quote}{start}");
                for scan in Scan::behind(text, &opening, COMMENT) {
                    let before = scan.line_before();
                    if !before.contains("from") && !before.contains("import") {
                        continue;
                    }
                    let rest = scan.rest();
                    let end = rest.find(['"', '\'', '\n']).unwrap_or(rest.len());
                    let specifier = format!("{start}{}", &rest[..end]);
                    let from = format!("{path}:{}", scan.line());
                    imports.extend(import(None, &specifier, from));
                }
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    imports.retain(|import: &Import| seen.insert(import.name.clone()));
    imports
}

fn mapped(document: &Document, imports: &mut Vec<Import>) {
    for (name, value) in document.table(&["imports"]) {
        let from = document.from(&["imports", name]);
        if let Value::String(specifier) = value {
            imports.extend(import(Some(name), specifier, from));
        }
    }
}

/// `jsr:@oak/oak@^17`, `npm:express@4`, `https://deno.land/x/fresh@1.0.0/`.
fn import(mapped: Option<&str>, specifier: &str, from: String) -> Option<Import> {
    let package = ["jsr:", "npm:", "https://deno.land/x/", "https://esm.sh/"]
        .iter()
        .find_map(|start| specifier.strip_prefix(start));
    let is_fetched = package.is_some() || specifier.starts_with("https://");
    let (name, version) = match package {
        Some(package) => {
            let package = package.trim_start_matches('/');
            let scope = usize::from(package.starts_with('@'));
            let (name, version) = match package[scope..].split_once('@') {
                Some((name, version)) => (&package[..scope + name.len()], Some(version)),
                None => (package, None),
            };
            let version =
                version.map(|version| version.split(['/', '?']).next().unwrap_or(version));
            let elements = if scope == 1 { 2 } else { 1 };
            let name: Vec<_> = name.split('/').take(elements).collect();
            (name.join("/"), version)
        }
        None => (mapped?.to_owned(), None),
    };
    // The name that it is mapped to says what it is where its address does not.
    let name = match mapped {
        Some(mapped) if mapped.starts_with('$') => mapped.to_owned(),
        _ => name,
    };
    let version = version
        .map(|version| version.trim_start_matches(['^', '~', '=', 'v']))
        .map(|version| version.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
        .filter(|version| version.starts_with(|first: char| first.is_ascii_digit()));
    (!name.is_empty()).then_some(Import {
        name,
        version,
        from,
        is_fetched,
    })
}

/// The port: what the code falls back to where `PORT` is not set, else what it listens on.
pub(super) fn port(texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some(Port::fallback(scan::port(default)?, &read.from))
        }
        _ => None,
    });
    let written = || {
        texts.iter().find_map(|(path, text)| {
            Scan::behind(text, "port", COMMENT).find_map(|mut scan| {
                let from = format!("{path}:{}", scan.line());
                let number = (scan.eat(":") || scan.eat("=")).then(|| scan.number())??;
                Some(Port::written(scan::port(number)?, from))
            })
        })
    };
    let listened = || {
        texts.iter().find_map(|(path, text)| {
            Scan::behind(text, ".listen", COMMENT).find_map(|mut scan| {
                let from = format!("{path}:{}", scan.line());
                let number = scan.eat("(").then(|| scan.number())??;
                Some(Port::written(scan::port(number)?, from))
            })
        })
    };
    fallback.or_else(written).or_else(listened)
}

/// The paths that are answered to GET.
pub(super) fn routes(texts: &[Text<'_>]) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, text) in texts {
        for mut scan in Scan::behind(text, ".get", COMMENT) {
            let from = format!("{path}:{}", scan.line());
            let object = scan.line_before().trim_end_matches(".get").trim_end();
            let answers = ["app", "router", "server"]
                .iter()
                .any(|name| object.ends_with(name))
                || object.is_empty();
            let Some(answered) = (answers && scan.eat("("))
                .then(|| scan.string(QUOTES))
                .flatten()
            else {
                continue;
            };
            if answered.starts_with('/')
                && !answered.contains([':', '*', '(', '$'])
                && scan.eat(",")
            {
                routes.push(Route {
                    path: answered.to_owned(),
                    from,
                });
            }
        }
    }
    routes
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let asked = Scan::behind(text, "Deno.env.get", COMMENT).filter_map(|scan| {
        let mut inside = scan;
        let name = inside.eat("(").then(|| inside.string(QUOTES))??;
        inside.eat(")").then_some((scan, name, inside))
    });
    let as_in_node = Scan::behind(text, "process.env", COMMENT).filter_map(|scan| {
        let mut inside = scan;
        let name = if inside.eat(".") {
            inside.word()?
        } else {
            let name = inside.eat("[").then(|| inside.string(QUOTES))??;
            inside.eat("]").then_some(name)?
        };
        Some((scan, name, inside))
    });
    asked
        .chain(as_in_node)
        .map(|(scan, name, mut behind)| {
            behind.eat(")");
            let need = if behind.eat("??") || behind.eat("||") {
                let default = behind
                    .string(QUOTES)
                    .or_else(|| behind.number())
                    .filter(|default| !default.contains("${"));
                default.map_or(Need::Optional, |default| Need::Default(default.to_owned()))
            } else {
                Need::Optional
            };
            Read {
                name: name.to_owned(),
                need,
                from: format!("{path}:{}", scan.line()),
            }
        })
        .collect()
}
