//! What Go says: the port it listens on, its routes, the variables it reads.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::Text;

pub(super) const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"', '`'];

/// The port: what the code falls back to where `PORT` is not set, else what it listens on.
pub(super) fn port(texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => Some(Port::fallback(
            scan::port(default.trim_start_matches(':'))?,
            &read.from,
        )),
        _ => None,
    });
    let calls = [
        "ListenAndServe",
        "ListenAndServeTLS",
        ".Run",
        ".Start",
        ".Listen",
        "Addr",
    ];
    let listened = || {
        texts.iter().find_map(|(path, text)| {
            let places = calls
                .iter()
                .flat_map(|call| Scan::behind(text, call, COMMENT));
            let mut ports = places.filter_map(|mut scan| {
                if !scan.eat("(") && !scan.eat(":") {
                    return None;
                }
                let (_, port) = scan.string(QUOTES)?.rsplit_once(':')?;
                Some(Port::written(
                    scan::port(port)?,
                    format!("{path}:{}", scan.line()),
                ))
            });
            ports.next()
        })
    };
    fallback.or_else(listened)
}

/// The paths that are answered to GET.
pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let calls = ["HandleFunc", ".Handle", ".GET", ".Get"];
    let found = calls.into_iter().flat_map(|call| {
        Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
            let line = scan.line();
            if !scan.eat("(") {
                return None;
            }
            let pattern = scan.string(QUOTES)?;
            // Go 1.22: `GET /healthz`, `/{$}`.
            let pattern = pattern
                .strip_prefix("GET ")
                .unwrap_or(pattern)
                .trim_end_matches("{$}");
            let fixed = pattern.starts_with('/') && !pattern.contains(['{', ':', '*']);
            fixed.then(|| Route {
                path: pattern.to_owned(),
                from: format!("{path}:{line}"),
            })
        })
    });
    found.collect()
}

/// Every variable that the text reads from its environment.
pub(super) fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for call in ["os.Getenv", "os.LookupEnv"] {
        for scan in Scan::behind(text, call, COMMENT) {
            let mut inside = scan;
            if !inside.eat("(") {
                continue;
            }
            let Some(name) = inside.string(QUOTES) else {
                continue;
            };
            let need = need(scan, inside, call);
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

/// What the lines behind a read do where the variable is empty.
fn need(before: Scan<'_>, mut behind: Scan<'_>, call: &str) -> Need {
    // cmp.Or(os.Getenv("PORT"), "8080")
    if before
        .line_before()
        .trim_end_matches(call)
        .trim_end()
        .ends_with("cmp.Or(")
        && behind.eat(")")
        && behind.eat(",")
        && let Some(default) = behind.string(QUOTES)
    {
        return Need::Default(default.to_owned());
    }
    let assigned = before.line_before().trim_end_matches(call);
    let Some((variable, _)) = assigned.split_once('=') else {
        return Need::Optional;
    };
    let variable = variable
        .trim_end_matches(':')
        .trim()
        .trim_start_matches("var ");
    let (value, found) = variable
        .split_once(',')
        .map_or((variable, ""), |(value, found)| {
            (value.trim(), found.trim())
        });
    let value = value.trim_start_matches("if ").trim();
    let rest: Vec<_> = behind.rest().lines().take(6).collect();
    let empty = [
        format!("{value} == \"\""),
        format!("len({value}) == 0"),
        format!("!{found}"),
    ];
    let asked = rest.iter().position(|line| {
        line.contains("if ")
            && empty
                .iter()
                .any(|test| test.len() > 1 && line.contains(test.as_str()))
            || line.trim_start().starts_with(')') && line.contains(&empty[2]) && !found.is_empty()
    });
    let Some(asked) = asked else {
        return Need::Optional;
    };
    for line in rest.iter().skip(asked + 1).take(2) {
        let line = line.trim();
        if ["log.Fatal", "panic(", "os.Exit", "log.Panic"]
            .iter()
            .any(|end| line.starts_with(end))
        {
            return Need::Required;
        }
        let default = line
            .strip_prefix(value)
            .and_then(|rest| rest.trim_start().strip_prefix('='))
            .map(str::trim);
        if let Some(default) = default.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')) {
            return Need::Default(default.to_owned());
        }
    }
    Need::Optional
}
