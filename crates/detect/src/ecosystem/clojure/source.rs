//! What Clojure says: where it begins, its routes and ports, the variables that it reads.

use crate::ecosystem::Port;
use crate::ecosystem::java::source::Main;
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::Text;

const COMMENT: &[&str] = &[";"];
const QUOTES: &[char] = &['"'];

/// The namespaces with a `-main`.
pub(super) fn mains(texts: &[Text<'_>]) -> Vec<Main> {
    let found = texts.iter().filter_map(|(path, text)| {
        let scan = Scan::behind(text, "-main", COMMENT)
            .find(|scan| scan.line_before().trim_start().starts_with("(defn"))?;
        let mut namespace = Scan::behind(text, "(ns", COMMENT).next()?;
        namespace.skip_space();
        let name = namespace
            .rest()
            .trim_start_matches("^:gen-class ")
            .split(|c: char| c.is_whitespace() || "()[]{}".contains(c))
            .next()?;
        let plain = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-*!?".contains(c));
        plain.then(|| Main {
            class: name.to_owned(),
            file: (*path).to_owned(),
            from: format!("{path}:{}", scan.line()),
        })
    });
    found.collect()
}

/// Every variable that the text reads; Environ calls them by keywords.
pub(super) fn environment(path: &str, text: &str, environ: bool) -> Vec<Read> {
    let mut reads = Vec::new();
    for scan in Scan::behind(text, "System/getenv", COMMENT) {
        let mut inside = scan;
        if let Some(name) = inside.string(QUOTES) {
            let before = scan.line_before();
            let before = before[..before.len() - "System/getenv".len()].trim_end_matches('(');
            inside.eat(")");
            let default = before
                .trim_end()
                .ends_with("(or")
                .then(|| literal(inside))
                .flatten();
            reads.push(Read {
                name: name.to_owned(),
                need: default.map_or(Need::Optional, Need::Default),
                from: format!("{path}:{}", scan.line()),
            });
        }
    }
    if environ {
        for scan in Scan::behind(text, "(env", COMMENT) {
            let mut inside = scan;
            if inside.eat(":") {
                let name = inside
                    .rest()
                    .split(|c: char| c.is_whitespace() || "()[]{}".contains(c))
                    .next()
                    .unwrap_or("");
                let variable = name.to_ascii_uppercase().replace('-', "_");
                let default = literal_behind(inside, name.len());
                reads.push(Read {
                    name: variable,
                    need: default.map_or(Need::Optional, Need::Default),
                    from: format!("{path}:{}", scan.line()),
                });
            }
        }
    }
    reads
}

/// The literal that stands next: `"3000"`, `3000`.
fn literal(mut scan: Scan<'_>) -> Option<String> {
    if let Some(text) = scan.string(QUOTES) {
        return Some(text.to_owned());
    }
    scan.number().map(str::to_owned)
}

fn literal_behind(scan: Scan<'_>, length: usize) -> Option<String> {
    let rest = scan.rest().get(length..)?.trim_start();
    let rest = rest.strip_prefix(')').unwrap_or(rest).trim_start();
    let quoted = rest
        .strip_prefix('"')
        .and_then(|rest| rest.split('"').next());
    let number = || {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    };
    quoted.or_else(number).map(str::to_owned)
}

/// The port that a server is told: `{:port 3000}`.
pub(super) fn port(path: &str, text: &str) -> Option<Port> {
    Scan::behind(text, ":port", COMMENT).find_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        let number = scan.number()?;
        let port = scan::port(number).filter(|port| *port >= 80)?;
        Some(Port::written(port, from))
    })
}

/// The paths that are answered to GET: `(GET "/health" …)`, `["/health" {:get …}]`.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let compojure = Scan::behind(text, "(GET", COMMENT);
    let reitit = Scan::behind(text, "[\"/", COMMENT);
    let found = compojure.filter_map(|scan| {
        let mut inside = scan;
        Some((scan.line(), inside.string(QUOTES)?.to_owned()))
    });
    let more = reitit.filter_map(|scan| {
        let (route, rest) = scan.rest().split_once('"')?;
        // With more routes inside it is only the beginning of a path.
        let answers = rest.trim_start().starts_with('{');
        answers.then(|| (scan.line(), format!("/{route}")))
    });
    found
        .chain(more)
        .filter(|(_, route)| route.starts_with('/') && !route.contains([':', '*', '{', '\n']))
        .map(|(line, route)| Route {
            path: route,
            from: format!("{path}:{line}"),
        })
        .collect()
}
