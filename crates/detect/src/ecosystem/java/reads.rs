//! The environment variables that Java, Kotlin and Scala read.

use super::source::{COMMENT, QUOTES};
use crate::environment::{Need, Read};
use crate::scan::Scan;

/// Every variable that the text reads from its environment.
pub fn environment(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut add = |scan: &Scan<'_>, name: &str, need: Need| {
        let from = format!("{path}:{}", scan.line());
        reads.push((
            scan.line(),
            Read {
                name: name.to_owned(),
                need,
                from,
            },
        ));
    };
    let calls = [
        "System.getenv",
        "environment",
        "sys.env",
        "Properties.envOrElse",
        "Properties.envOrNone",
    ];
    for call in calls {
        for scan in Scan::behind(text, call, COMMENT) {
            if let Some((name, need)) = lookup(scan, call) {
                add(&scan, name, need);
            }
        }
    }
    for scan in Scan::behind(text, "@Value", COMMENT) {
        let mut inside = scan;
        let Some(value) = inside.eat("(").then(|| inside.string(QUOTES)).flatten() else {
            continue;
        };
        for (name, need) in placeholders(value) {
            add(&scan, name, need);
        }
    }
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// `("X")`, `().getOrDefault("X", "y")`, `().get("X")`, `.getOrElse("X", "y")`, `["X"]`.
fn lookup<'a>(mut scan: Scan<'a>, call: &str) -> Option<(&'a str, Need)> {
    if call == "Properties.envOrElse" {
        let name = argument(&mut scan)?;
        let default = scan.eat(",").then(|| literal(&mut scan)).flatten();
        return Some((name, default.map_or(Need::Optional, Need::Default)));
    }
    // The map of all variables; without parentheses only in Scala.
    let of_map = scan.eat("()") || call == "sys.env";
    if !of_map && call == "environment" {
        return None;
    }
    if scan.eat("[") || scan.rest().starts_with("(\"") {
        scan.eat("(");
        let name = scan.string(QUOTES)?;
        if !scan.eat("]") && !scan.eat(")") {
            return None;
        }
        let need = match default_behind(scan) {
            Some(default) => Need::Default(default),
            None if call == "sys.env" => Need::Required,
            None => Need::Optional,
        };
        return Some((name, need));
    }
    if !scan.eat(".") {
        return None;
    }
    match scan.word()? {
        "getOrDefault" | "getOrElse" => {
            let name = argument(&mut scan)?;
            let default = scan.eat(",").then(|| literal(&mut scan)).flatten();
            Some((name, default.map_or(Need::Optional, Need::Default)))
        }
        "get" | "containsKey" | "contains" => {
            let name = argument(&mut scan)?;
            scan.eat(")");
            let default = default_behind(scan);
            Some((name, default.map_or(Need::Optional, Need::Default)))
        }
        _ => None,
    }
}

fn argument<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    scan.eat("(").then(|| scan.string(QUOTES)).flatten()
}

/// What the rest of the statement falls back to: `?: "8080"`, `.orElse("8080")`, `.getOrElse(8080)`, `!= null ? … : 8080`.
fn default_behind(scan: Scan<'_>) -> Option<String> {
    let statement = scan.rest().split([';', '{', '}']).next().unwrap_or("");
    let statement: &str = statement.split("\n\n").next().unwrap_or("");
    let mut lines = statement.lines();
    // A chain goes on in the next line, another statement does not.
    let first = lines.next().unwrap_or("");
    let chained = lines.take_while(|line| line.trim_start().starts_with(['.', '?', ':']));
    let expression: String = std::iter::once(first).chain(chained).collect();
    let marks = ["?:", "orElse(", "getOrElse(", "fold("];
    let behind = marks
        .iter()
        .find_map(|mark| expression.split_once(mark))
        .map(|(_, rest)| rest)
        .or_else(|| {
            expression
                .split_once('?')?
                .1
                .rsplit_once(" : ")
                .map(|(_, rest)| rest)
        })?;
    value(behind)
}

/// The literal that an expression begins with, whatever turns it into a number.
fn value(expression: &str) -> Option<String> {
    let mut rest = expression.trim_start();
    for call in ["Integer.parseInt(", "Integer.valueOf(", "\"", "'"] {
        rest = rest.strip_prefix(call).unwrap_or(rest);
    }
    let quoted = expression.contains('"');
    let end = if quoted {
        rest.find('"')?
    } else {
        rest.find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len())
    };
    let found = &rest[..end];
    let plain = quoted || found.parse::<u32>().is_ok() || matches!(found, "true" | "false");
    (plain && !found.contains(['$', '\\'])).then(|| found.to_owned())
}

fn literal(scan: &mut Scan<'_>) -> Option<String> {
    if let Some(text) = scan.string(QUOTES) {
        return (!text.contains('$')).then(|| text.to_owned());
    }
    scan.number().map(str::to_owned)
}

/// The variables in `${NAME:default}`, as Spring, Micronaut and MicroProfile replace them; names of settings,
/// in small letters, are none.
pub fn placeholders(text: &str) -> Vec<(&str, Need)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("${") {
        rest = behind;
        let Some(end) = behind.find('}') else { break };
        let inside = &behind[..end];
        let optional = inside.starts_with('?');
        let inside = inside.trim_start_matches('?');
        let (name, default) = match inside.split_once(':') {
            // Dropwizard writes it as a shell does: `${PORT:-8080}`.
            Some((name, default)) => {
                let default = default.strip_prefix('-').unwrap_or(default);
                (name, Some(default.trim_matches('`')))
            }
            None => (inside, None),
        };
        let name = name.trim();
        let is_variable = name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !is_variable {
            continue;
        }
        let need = match default {
            Some(nested) if nested.contains("${") => Need::Optional,
            Some(default) => Need::Default(default.to_owned()),
            None if optional => Need::Optional,
            None => Need::Required,
        };
        found.push((name, need));
    }
    found
}
