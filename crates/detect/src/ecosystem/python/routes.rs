//! The paths that a program answers.

use crate::scan::{Route, Scan};
use crate::sources::Text;

const COMMENT: &[&str] = &["#"];
const QUOTES: &[char] = &['"', '\''];

/// A router that another file takes in.
struct Taken<'t> {
    /// As it is named there: `health.router`.
    name: &'t str,
    prefix: &'t str,
    file: &'t str,
    text: &'t str,
}

/// The paths that the application answers to GET: its own, and those of the routers that are taken in.
pub(super) fn routes(texts: &[Text<'_>], object: Option<&str>) -> Vec<Route> {
    let mut found = Vec::new();
    let mut taken = Vec::new();
    for (path, text) in texts {
        taken.extend(taken_in(path, text));
    }
    for (path, text) in texts {
        let routers = routers(text);
        for (variable, route) in decorated(path, text) {
            let router = routers.iter().find(|(name, _)| *name == variable);
            let Some((_, own)) = router else {
                if Some(*path) == object {
                    found.push(route);
                }
                continue;
            };
            if let Some(one) = taken.iter().find(|one| names(one, path, variable)) {
                found.push(Route {
                    path: format!("{}{own}{}", one.prefix, route.path),
                    from: route.from,
                });
            }
        }
    }
    found
}

/// The routes of decorators, each with what is decorated by: `app` of `@app.get("/")`.
fn decorated<'t>(path: &str, text: &'t str) -> Vec<(&'t str, Route)> {
    let found = [".get", ".route"].into_iter().flat_map(|method| {
        Scan::behind(text, method, COMMENT).filter_map(move |mut scan| {
            let before = scan.line_before().trim_start();
            let line = scan.line();
            let variable = before.strip_prefix('@')?.strip_suffix(method)?;
            if !scan.eat("(") {
                return None;
            }
            let answered = scan.string(QUOTES)?;
            let fixed = answered.is_empty()
                || (answered.starts_with('/') && !answered.contains(['{', '<', '(']));
            let rest = scan.rest().lines().next().unwrap_or("");
            let other_methods = rest.contains("methods") && !rest.contains("GET");
            let route = Route {
                path: answered.to_owned(),
                from: format!("{path}:{line}"),
            };
            (fixed && !other_methods).then_some((variable, route))
        })
    });
    found.collect()
}

/// The routers that a file makes, each with the prefix that it gives itself.
fn routers(text: &str) -> Vec<(&str, &str)> {
    let made = ["APIRouter", "Blueprint", "Router"].into_iter();
    let found = made.flat_map(|made| {
        Scan::behind(text, made, COMMENT).filter_map(|mut scan| {
            let (name, _) = scan.line_before().split_once('=')?;
            let name = name.split(':').next().unwrap_or(name).trim();
            scan.eat("(").then(|| (name, prefix(scan.rest())))
        })
    });
    found.collect()
}

/// The routers that a file takes in.
fn taken_in<'t>(path: &'t str, text: &'t str) -> Vec<Taken<'t>> {
    let calls = ["include_router", "register_blueprint"].into_iter();
    let found = calls.flat_map(|call| {
        Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
            if !scan.eat("(") {
                return None;
            }
            scan.skip_space();
            let rest = scan.rest();
            let end = rest.find([',', ')', '\n'])?;
            Some(Taken {
                name: rest[..end].trim(),
                prefix: prefix(rest),
                file: path,
                text,
            })
        })
    });
    found.collect()
}

/// `prefix="/x"` or `url_prefix="/x"` before the call's end.
fn prefix(rest: &str) -> &str {
    let call = &rest[..rest.find(')').unwrap_or(rest.len())];
    ["prefix", "url_prefix"]
        .iter()
        .find_map(|name| {
            Scan::behind(call, name, COMMENT)
                .find_map(|mut scan| scan.eat("=").then(|| scan.string(QUOTES)).flatten())
        })
        .unwrap_or("")
}

/// Whether what is taken in is `variable` of the file at `path`.
fn names(taken: &Taken<'_>, path: &str, variable: &str) -> bool {
    let module = path.trim_end_matches(".py").trim_end_matches("/__init__");
    let module = module.rsplit('/').next().unwrap_or(module);
    if let Some((module_of, name)) = taken.name.rsplit_once('.') {
        return name == variable && module_of.rsplit('.').next() == Some(module);
    }
    if taken.file == path {
        return taken.name == variable;
    }
    taken.text.lines().any(|line| {
        let Some((from, imported)) = line
            .trim_start()
            .strip_prefix("from ")
            .and_then(|rest| rest.split_once(" import "))
        else {
            return false;
        };
        from.trim().rsplit('.').next() == Some(module)
            && imported.trim_matches(['(', ')']).split(',').any(|one| {
                let (name, alias) = one.split_once(" as ").unwrap_or((one, one));
                name.trim() == variable && alias.trim() == taken.name
            })
    })
}
