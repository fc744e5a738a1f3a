//! What Python source says of the object that a server serves.

use crate::scan::Scan;
use crate::sources::{Sources, Text};

const COMMENT: &[&str] = &["#"];

/// Names of the files in which people keep what is served.
const USUAL: [&str; 10] = [
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

/// The object that a server serves.
#[derive(Debug)]
pub(super) struct AppObject {
    pub file: String,
    pub line: usize,
    /// The variable, or the function that makes it.
    pub name: String,
    pub factory: bool,
    /// It wants no arguments.
    callable: bool,
    /// The folder that imports start from, where it is not the root.
    pub folder: Option<String>,
    module: String,
}

impl AppObject {
    /// A variable of a file at the root.
    pub fn at_root(file: &str, line: usize, name: &str) -> Self {
        Self {
            module: file.trim_end_matches(".py").to_owned(),
            ..Self::variable(file, line, name)
        }
    }

    fn variable(file: &str, line: usize, name: &str) -> Self {
        Self {
            file: file.to_owned(),
            line,
            name: name.to_owned(),
            factory: false,
            callable: true,
            folder: None,
            module: String::new(),
        }
    }

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

/// Finds where one of `constructors` makes the object that a server serves.
pub(super) fn app_object(
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    module: &str,
    constructors: &[&str],
) -> Option<AppObject> {
    let mut usual: Vec<_> = texts
        .iter()
        .filter(|(_, text)| {
            text.contains(module) && constructors.iter().any(|made| text.contains(made))
        })
        .collect();
    usual.sort_by_key(|(path, _)| (path.matches('/').count(), usual_place(path)));
    let of_kind = |wanted: fn(&AppObject) -> bool| {
        usual.iter().find_map(|(path, text)| {
            let found = constructors.iter().find_map(|constructor| {
                Scan::behind(text, constructor, COMMENT)
                    .filter_map(|scan| object(path, text, scan))
                    .find(wanted)
            })?;
            importable(sources, texts, found)
        })
    };
    of_kind(|object| !object.factory)
        .map(|object| wrapped(texts, object))
        .or_else(|| {
            let factory = of_kind(|object| object.factory && object.callable)
                .or_else(|| of_kind(|object| object.factory))?;
            made_by(sources, texts, &factory).or_else(|| factory.callable.then_some(factory))
        })
}

/// What is put around an application is what is served: `app = CORSMiddleware(_app)`.
fn wrapped(texts: &[Text<'_>], object: AppObject) -> AppObject {
    let Some((path, text)) = texts.iter().find(|(path, _)| *path == object.file) else {
        return object;
    };
    let is_served = |name: &str| matches!(name, "app" | "application");
    let around = Scan::behind(text, &object.name, COMMENT).find_map(|scan| {
        let before = scan.line_before();
        let (name, made) = before.split_once('=')?;
        let name = name.split(':').next()?.trim_end();
        let (call, _) = made.trim().split_once('(')?;
        let wraps = ["Middleware", "ASGIApp", "WSGIApp"]
            .iter()
            .any(|ending| call.ends_with(ending));
        let ends = scan.rest().starts_with([',', ')', '\n']);
        (ends && is_identifier(name) && (wraps || is_served(name) && !is_served(&object.name)))
            .then(|| (scan.line(), name))
    });
    match around {
        Some((line, name)) => AppObject {
            folder: object.folder,
            module: object.module,
            ..AppObject::variable(path, line, name)
        },
        None => object,
    }
}

/// A file that keeps what a factory makes: `app = create_app()`. One at the root may have any name.
fn made_by(sources: &Sources<'_>, texts: &[Text<'_>], factory: &AppObject) -> Option<AppObject> {
    let mut usual: Vec<_> = texts
        .iter()
        .filter(|(path, _)| {
            !path.contains('/') || *path == factory.file || usual_place(path) < USUAL.len()
        })
        .collect();
    usual.sort_by_key(|(path, _)| (path.matches('/').count(), usual_place(path)));
    usual.into_iter().find_map(|(path, text)| {
        let found = Scan::behind(text, &factory.name, COMMENT).find_map(|mut scan| {
            let (line, before) = (scan.line(), scan.line_before());
            let (name, rest) = before.split_once('=')?;
            let name = name.split(':').next()?.trim_end();
            let plain = rest
                .trim()
                .trim_end_matches(&factory.name)
                .trim_end_matches('.');
            let called = is_identifier(name)
                && plain
                    .split('.')
                    .all(|part| part.is_empty() || is_identifier(part))
                && scan.eat("(");
            called.then(|| AppObject::variable(path, line, name))
        })?;
        importable(sources, texts, found)
    })
}

/// How early in the list of usual names a file's is.
fn usual_place(path: &str) -> usize {
    let stem = path
        .rsplit('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".py");
    USUAL
        .iter()
        .position(|name| *name == stem)
        .unwrap_or(USUAL.len())
}

fn object(path: &str, text: &str, mut scan: Scan<'_>) -> Option<AppObject> {
    let line = scan.line();
    let before = scan.line_before();
    if !scan.eat("(") {
        return None;
    }
    let name = || before.split_once('=').map(|(name, _)| name);
    if !before.starts_with([' ', '\t']) {
        // `app, rt = fast_app()`
        let name = name()?.split([':', ',']).next()?.trim();
        return is_identifier(name).then(|| AppObject::variable(path, line, name));
    }
    let returned = before.trim_start().starts_with("return ");
    if !returned && name().is_none() {
        return None;
    }
    // Within a function that makes it.
    let above = text.lines().take(line).enumerate().collect::<Vec<_>>();
    let (index, definition) = above.into_iter().rev().find(|(_, line)| {
        !line.starts_with([' ', '\t', '#', ')', ']']) && !line.trim().is_empty()
    })?;
    if definition.starts_with("with ") {
        let name = name()?.trim();
        return is_identifier(name).then(|| AppObject::variable(path, line, name));
    }
    let rest = definition
        .strip_prefix("def ")
        .or_else(|| definition.strip_prefix("async def "))?;
    let (name, arguments) = rest.split_once('(')?;
    let makes = name.contains("app") || name.contains("create") || name.contains("make");
    let callable = arguments.starts_with(')') || arguments.contains('=');
    (makes && is_identifier(name)).then(|| AppObject {
        factory: true,
        callable,
        ..AppObject::variable(path, index + 1, name)
    })
}

/// Adds the module that the object is imported from.
fn importable(
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    mut object: AppObject,
) -> Option<AppObject> {
    let path = object.file.strip_suffix(".py")?;
    let path = path.strip_suffix("/__init__").unwrap_or(path);
    let inside_src = path.strip_prefix("src/").filter(|_| {
        let names_src = |text: &str| {
            ["from src", "import src"]
                .iter()
                .any(|import| text.contains(import))
        };
        !sources.has("src/__init__.py") && !texts.iter().any(|(_, text)| names_src(text))
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
