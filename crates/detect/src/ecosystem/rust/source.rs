//! What Rust says: the port it listens on, its routes, the variables it reads.

use crate::ecosystem::{Port, Report};
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::Text;

const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"'];

/// The port: what the code falls back to where `PORT` is not set, else the address it binds.
pub(super) fn port(texts: &[Text<'_>], reads: &[Read], report: &mut Report) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some(Port::fallback(scan::port(default)?, &read.from))
        }
        _ => None,
    });
    if fallback.is_some() {
        return fallback;
    }
    let (port, from, only_local) = texts.iter().find_map(|(path, text)| {
        ["\"0.0.0.0:", "\"127.0.0.1:", "\"[::]:"]
            .iter()
            .find_map(|address| {
                Scan::behind(text, address, COMMENT).find_map(|mut scan| {
                    let port = scan.number().and_then(scan::port)?;
                    Some((
                        port,
                        format!("{path}:{}", scan.line()),
                        address.contains("127"),
                    ))
                })
            })
    })?;
    if only_local {
        report.ask(
            format!(
                "Who is to reach it? {from} listens on 127.0.0.1, which nothing outside the container reaches."
            ),
            format!("listen on 0.0.0.0 in {from}"),
        );
    }
    Some(Port::written(port, from))
}

/// The paths that are answered to GET.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let found = [".route", "#[get", ".service"]
        .into_iter()
        .flat_map(|call| {
            Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
                let line = scan.line();
                if !scan.eat("(") {
                    return None;
                }
                let answered = scan.string(QUOTES)?;
                let rest = scan.rest().lines().next().unwrap_or("");
                let by_get = call != ".route" || rest.contains("get(");
                let fixed = answered.starts_with('/') && !answered.contains(['{', ':', '<', '*']);
                (fixed && by_get).then(|| Route {
                    path: answered.to_owned(),
                    from: format!("{path}:{line}"),
                })
            })
        });
    found.collect()
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for call in ["env::var", "env::var_os"] {
        for scan in Scan::behind(text, call, COMMENT) {
            let mut inside = scan;
            if !inside.eat("(") {
                continue;
            }
            let Some(name) = inside.string(QUOTES) else {
                continue;
            };
            inside.eat(")");
            let need = need(inside);
            reads.push((
                scan.line(),
                Read {
                    name: name.to_owned(),
                    need,
                    from: format!("{path}:{}", scan.line()),
                },
            ));
        }
    }
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// What is done with a variable that is not set, up to the end of the statement.
fn need(behind: Scan<'_>) -> Need {
    let statement = behind.rest().split(';').next().unwrap_or("");
    let mut scan = behind;
    if scan.eat("?") || scan.eat(".expect(") || scan.eat(".unwrap()") {
        return Need::Required;
    }
    if let Some(at) = statement.find(".unwrap_or") {
        let rest = &statement[at..];
        let quoted = rest
            .split_once('"')
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(text, _)| text);
        let number = || {
            let inside = rest.split_once(['(', '|'])?.1;
            let digits: String = inside
                .trim_start_matches(['|', '_', ' '])
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            (!digits.is_empty()).then_some(digits)
        };
        if let Some(default) = quoted.map(str::to_owned).or_else(number) {
            return Need::Default(default);
        }
    }
    Need::Optional
}
