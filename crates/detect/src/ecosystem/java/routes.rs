//! The paths that programs of Java's frameworks answer.

use super::source::{COMMENT, QUOTES};
use crate::scan::{Route, Scan};

/// The paths that are answered to GET.
pub fn routes(path: &str, text: &str) -> Vec<Route> {
    let class = text.find("class ").unwrap_or(text.len());
    let prefix = ["@RequestMapping", "@Path", "@Controller", "@RestController"]
        .iter()
        .find_map(|name| {
            Scan::behind(&text[..class], name, COMMENT).find_map(|scan| mapped(scan, &[]))
        })
        .unwrap_or_default();
    let mut found: Vec<Route> = Vec::new();
    let mut add = |scan: &Scan<'_>, route: String| {
        let fixed = !route.contains(['{', ':', '*', '$', '(', '"']);
        if fixed {
            found.push(Route {
                path: route,
                from: format!("{path}:{}", scan.line()),
            });
        }
    };
    let body = class.min(text.len());
    let in_body = |scan: &Scan<'_>| text.len() - scan.rest().len() > body;
    for name in ["@GetMapping", "@RequestMapping", "@Get"] {
        for scan in Scan::behind(text, name, COMMENT).filter(in_body) {
            if scan.rest().starts_with(|c: char| c.is_alphanumeric()) {
                continue;
            }
            let other = ["POST", "PUT", "DELETE", "PATCH"];
            if let Some(route) = mapped(scan, &other) {
                add(&scan, joined(&prefix, &route));
            }
        }
    }
    for scan in Scan::behind(text, "@GET", COMMENT).filter(in_body) {
        let annotations: Vec<_> = scan
            .rest()
            .lines()
            .take_while(|line| line.trim().is_empty() || line.trim().starts_with('@'))
            .collect();
        let own = annotations.iter().find_map(|line| {
            let inside = line.trim().strip_prefix("@Path(\"")?;
            inside.split('"').next()
        });
        let above = scan.line_before().trim().is_empty() || scan.line_before().trim() == "@GET";
        if above {
            add(&scan, joined(&prefix, own.unwrap_or("")));
        }
    }
    // What is inside of another path does not say all of its own.
    let nested = ["route(", "path(", "pathPrefix("]
        .iter()
        .any(|call| text.contains(call));
    if !nested {
        for scan in Scan::behind(text, "get", COMMENT) {
            let mut inside = scan;
            let called = inside.eat("(");
            if let Some(route) = called.then(|| inside.string(QUOTES)).flatten()
                && route.starts_with('/')
                && (inside.eat(",") || inside.eat(")"))
            {
                add(&scan, route.to_owned());
            }
        }
    }
    for scan in Scan::behind(text, "GET -> Root", COMMENT) {
        let line = scan.rest().lines().next().unwrap_or("");
        let (elements, _) = line.split_once("=>").unwrap_or((line, ""));
        let plain: Option<Vec<&str>> = elements
            .split('/')
            .map(str::trim)
            .filter(|element| !element.is_empty())
            .map(|element| element.strip_prefix('"')?.strip_suffix('"'))
            .collect();
        if let Some(elements) = plain {
            add(&scan, format!("/{}", elements.join("/")));
        }
    }
    found
}

/// The path in an annotation's parentheses, unless it is for one of `other` methods.
fn mapped(scan: Scan<'_>, other: &[&str]) -> Option<String> {
    let mut inside = scan;
    if !inside.rest().starts_with('(') {
        return Some(String::new());
    }
    let arguments = inside.rest().split(')').next().unwrap_or("");
    if other.iter().any(|method| arguments.contains(method)) {
        return None;
    }
    inside.eat("(");
    inside.eat("[");
    inside.eat("{");
    if let Some(path) = inside.string(QUOTES) {
        return Some(path.to_owned());
    }
    let named = ["path", "value"].iter().find_map(|name| {
        let (_, rest) = arguments.split_once(name)?;
        rest.split('"').nth(1)
    });
    Some(named.unwrap_or("").to_owned())
}

fn joined(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_matches('/');
    let path = path.trim_start_matches('/');
    match (prefix, path) {
        ("", path) => format!("/{path}"),
        (prefix, "") => format!("/{prefix}"),
        (prefix, path) => format!("/{prefix}/{path}"),
    }
}
