//! Servers that only the machine itself reaches: in a container, nobody.

use super::Report;
use crate::scan::Scan;
use crate::sources::{Sources, Text};

/// How much of a call is read.
const LONGEST: usize = 400;
const QUOTES: &[char] = &['"', '\'', '`'];

/// How a language's programs begin to listen.
pub(super) struct Listening {
    pub comments: &'static [&'static str],
    /// What is told where to listen: `.listen(`, `Addr:`.
    pub calls: &'static [&'static str],
    /// Whether they are told so as a URL.
    pub by_url: bool,
}

/// Asks who is to reach a program that listens on 127.0.0.1.
pub(super) fn ask(
    sources: &Sources<'_>,
    texts: &[Text<'_>],
    listening: &Listening,
    report: &mut Report,
) {
    if let Some(from) = texts.iter().find_map(|text| place(text, listening)) {
        ask_of(sources, &from, report);
    }
}

/// Asks it of one place.
pub(super) fn ask_of(sources: &Sources<'_>, from: &str, report: &mut Report) {
    let from = sources.place(from);
    report.ask(
        format!(
            "Who is to reach it? {from} listens on 127.0.0.1, which nothing outside the container reaches."
        ),
        format!("listen on 0.0.0.0 in {from}"),
    );
}

/// Where a text begins to listen for nobody from outside.
fn place((path, text): &Text<'_>, listening: &Listening) -> Option<String> {
    let text: &str = text;
    listening.calls.iter().find_map(|call| {
        Scan::behind(text, call, listening.comments).find_map(|scan| {
            let arguments = arguments(scan.rest());
            let line = scan.line();
            let mut pieces = arguments.split([',', '(', '{', '}', ')']).map(str::trim);
            let is_local = pieces.any(|piece| {
                // A name, as in `host: "…"` and `host="…"`.
                let value = piece
                    .split_once([':', '='])
                    .filter(|(name, _)| name.chars().all(is_name))
                    .map_or(piece, |(_, value)| value.trim_start_matches('=').trim());
                if let Some(inside) = value.strip_prefix(QUOTES) {
                    return is_loopback(inside, listening.by_url);
                }
                let end = value.find(|one| !is_name(one)).unwrap_or(value.len());
                is_named(&value[..end], text, listening)
            });
            is_local.then(|| format!("{path}:{line}"))
        })
    })
}

fn is_name(one: char) -> bool {
    one == '_' || one.is_alphanumeric()
}

/// What a call is given, without the functions among that.
fn arguments(rest: &str) -> &str {
    let mut depth = 0_u32;
    let end = rest.char_indices().find_map(|(at, one)| {
        match one {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' if depth == 0 => return Some(at),
            ')' | '}' | ']' => depth -= 1,
            ';' => return Some(at),
            '\n' if depth == 0 && !rest[..at].trim_end().ends_with(['(', ',', '{']) => {
                return Some(at);
            }
            _ => {}
        }
        (at > LONGEST).then_some(at)
    });
    let all = &rest[..end.unwrap_or(rest.len())];
    let functions = ["=>", "function", "func(", "lambda"];
    let end = functions.iter().filter_map(|word| all.find(word)).min();
    &all[..end.unwrap_or(all.len())]
}

/// Whether what begins a text is an address of the machine itself.
fn is_loopback(text: &str, by_url: bool) -> bool {
    let address = if by_url {
        text.strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"))
    } else {
        Some(text)
    };
    ["127.0.0.1", "localhost", "[::1]", "::1"]
        .iter()
        .filter_map(|name| address?.strip_prefix(name))
        .any(|rest| rest.starts_with([':', '/', '"', '\'', '`']) || rest.is_empty())
}

/// Whether a name stands for such an address: `const hostname = "127.0.0.1"`.
fn is_named(name: &str, text: &str, listening: &Listening) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && Scan::behind(text, name, listening.comments).any(|mut scan| {
            scan.eat(": string");
            scan.eat(": &str");
            scan.eat("string");
            let sets = scan.eat(":=") || scan.eat("=");
            sets && scan
                .string(QUOTES)
                .is_some_and(|said| is_loopback(said, listening.by_url))
        })
}
