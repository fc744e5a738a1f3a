//! What Python source says: the object that is served, its routes, its port, the variables it reads.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{Route, Scan, port as port_number};
use crate::sources::Sources;

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];

/// The object that a server serves.
#[derive(Debug)]
pub(super) struct AppObject {
    pub file: String,
    pub line: usize,
    /// The variable, or the function that makes it.
    pub name: String,
    pub factory: bool,
    /// The folder that imports start from, where it is not the root.
    pub folder: Option<String>,
    module: String,
}

impl AppObject {
    pub fn from(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// `main:app`
    pub fn target(&self) -> String {
        format!("{}:{}", self.module, self.name)
    }

    /// As `flask --app` wants it: it finds `app` and `create_app` by itself.
    pub fn flask_target(&self) -> String {
        let path = match &self.folder {
            Some(folder) => format!("{folder}/{}", self.module.replace('.', "/")),
            None => self.module.clone(),
        };
        if matches!(self.name.as_str(), "app" | "application" | "create_app") {
            path
        } else {
            format!("{path}:{}", self.name)
        }
    }
}

/// Finds where `constructor` makes the object that a server serves.
pub(super) fn app_object(
    sources: &Sources<'_>,
    package: &str,
    constructor: &str,
) -> Option<AppObject> {
    let mut texts = sources.program_texts(&["py"]);
    texts.retain(|(_, text)| text.contains(package) && text.contains(constructor));
    texts.sort_by_key(|(path, _)| (path.matches('/').count(), usual_place(path)));
    let of_kind = |wanted_factory: bool| {
        texts.iter().find_map(|(path, text)| {
            let objects = Scan::behind(text, constructor, COMMENT)
                .filter_map(|scan| object(path, text, scan));
            objects
                .filter(|object| object.factory == wanted_factory)
                .find_map(|object| importable(sources, object))
        })
    };
    of_kind(false).or_else(|| of_kind(true))
}

/// How early in the list of usual names a file's is.
fn usual_place(path: &str) -> usize {
    let stem = path
        .rsplit('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".py");
    let usual = [
        "main",
        "app",
        "server",
        "asgi",
        "wsgi",
        "application",
        "api",
        "__init__",
        "run",
        "index",
    ];
    usual
        .iter()
        .position(|name| *name == stem)
        .unwrap_or(usual.len())
}

fn object(path: &str, text: &str, mut scan: Scan<'_>) -> Option<AppObject> {
    let line = scan.line();
    let before = scan.line_before();
    if !scan.eat("(") {
        return None;
    }
    let object = |name: &str, line, factory| AppObject {
        file: path.to_owned(),
        line,
        name: name.to_owned(),
        factory,
        folder: None,
        module: String::new(),
    };
    let (name, _) = before.split_once('=')?;
    if !before.starts_with([' ', '\t']) {
        let name = name.split(':').next()?.trim();
        return is_identifier(name).then(|| object(name, line, false));
    }
    // Within a function without arguments that makes it.
    let above = text.lines().take(line).enumerate().collect::<Vec<_>>();
    let (index, definition) = above.into_iter().rev().find(|(_, line)| {
        !line.starts_with([' ', '\t', '#', ')', ']']) && !line.trim().is_empty()
    })?;
    let rest = definition
        .strip_prefix("def ")
        .or_else(|| definition.strip_prefix("async def "))?;
    let (name, arguments) = rest.split_once('(')?;
    let makes = name.contains("app") || name.contains("create") || name.contains("make");
    let callable = arguments.starts_with(')') || arguments.contains('=');
    (makes && callable && is_identifier(name)).then(|| object(name, index + 1, true))
}

/// Adds the module that the object is imported from.
fn importable(sources: &Sources<'_>, mut object: AppObject) -> Option<AppObject> {
    let path = object.file.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    let inside_src = path.strip_prefix("src/").filter(|_| {
        let names_src = |text: &str| {
            ["from src", "import src"]
                .iter()
                .any(|import| text.contains(import))
        };
        !sources.has("src/__init__.py")
            && !sources
                .program_texts(&["py"])
                .iter()
                .any(|(_, text)| names_src(text))
    });
    object.folder = inside_src.map(|_| "src".to_owned());
    let parts: Vec<_> = inside_src.unwrap_or(path).split('/').collect();
    object.module = parts.join(".");
    parts
        .iter()
        .all(|part| is_identifier(part))
        .then_some(object)
}

pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character == '_' || character.is_ascii_alphanumeric())
}

/// The paths that decorators say are answered to GET.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let found = [".get", ".route"].into_iter().flat_map(|method| {
        Scan::behind(text, method, COMMENT).filter_map(move |mut scan| {
            let decorates = scan.line_before().trim_start().starts_with('@');
            let line = scan.line();
            if !decorates || !scan.eat("(") {
                return None;
            }
            let answered = scan.string(QUOTES)?;
            let fixed = answered.starts_with('/') && !answered.contains(['{', '<', '(']);
            let rest = scan.rest().lines().next().unwrap_or("");
            let other_methods = rest.contains("methods") && !rest.contains("GET");
            (fixed && !other_methods).then(|| Route {
                path: answered.to_owned(),
                from: format!("{path}:{line}"),
            })
        })
    });
    found.collect()
}

/// The port that the code gives a server, and where.
pub(super) fn port(path: &str, text: &str) -> Option<Port> {
    let calls = [
        "uvicorn.run",
        "app.run",
        "application.run",
        "serve",
        "HTTPServer",
        "run_app",
        "web.run_app",
    ];
    calls.iter().find_map(|call| {
        Scan::behind(text, call, COMMENT).find_map(|mut scan| {
            if !scan.eat("(") {
                return None;
            }
            let arguments: String = scan.rest().chars().take(400).collect();
            // Another statement's port is not this call's.
            let arguments = arguments.split("\n\n").next().unwrap_or("");
            let mut found = Scan::behind(arguments, "port", COMMENT)
                .find_map(|mut scan| scan.eat("=").then_some(scan))?;
            let line = scan.line() + found.line() - 1;
            let number = match found.number() {
                Some(number) => port_number(number),
                None => environment(path, found.rest().lines().next().unwrap_or(""))
                    .iter()
                    .find_map(|read| {
                        let Need::Default(default) = &read.need else {
                            return None;
                        };
                        (read.name == "PORT")
                            .then(|| port_number(default))
                            .flatten()
                    }),
            };
            Some(Port::written(number?, format!("{path}:{line}")))
        })
    })
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for scan in Scan::behind(text, "environ", COMMENT) {
        reads.extend(environ(path, scan).map(|read| (scan.line(), read)));
    }
    for scan in Scan::behind(text, "getenv", COMMENT) {
        let mut inside = scan;
        if inside.eat("(") {
            reads.extend(lookup(path, scan.line(), inside).map(|read| (scan.line(), read)));
        }
    }
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

fn environ(path: &str, scan: Scan<'_>) -> Option<Read> {
    let line = scan.line();
    let mut inside = scan;
    if inside.eat("[") {
        let name = inside.string(QUOTES)?;
        let closed = inside.eat("]");
        let deleted = scan.line_before().trim_start().starts_with("del ");
        let assigned = inside.eat("=") && !inside.rest().starts_with('=');
        let need = Need::Required;
        return (closed && !deleted && !assigned).then(|| Read {
            name: name.to_owned(),
            need,
            from: format!("{path}:{line}"),
        });
    }
    if !inside.eat(".") || inside.word() != Some("get") || !inside.eat("(") {
        return None;
    }
    lookup(path, line, inside)
}

/// The arguments of a lookup that does not fail: a name and perhaps a default.
fn lookup(path: &str, line: usize, mut scan: Scan<'_>) -> Option<Read> {
    let name = scan.string(QUOTES)?;
    let mut default = None;
    if scan.eat(",") {
        scan.eat("default=");
        default = literal(&mut scan);
    }
    if default.is_none() && scan.eat(")") && scan.eat("or ") {
        default = literal(&mut scan);
    }
    let need = default.map_or(Need::Optional, |default| Need::Default(default.to_owned()));
    Some(Read {
        name: name.to_owned(),
        need,
        from: format!("{path}:{line}"),
    })
}

fn literal<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    if let Some(text) = scan.string(QUOTES) {
        return Some(text);
    }
    if let Some(number) = scan.number() {
        return Some(number);
    }
    ["True", "False"].into_iter().find(|word| scan.eat(word))
}
