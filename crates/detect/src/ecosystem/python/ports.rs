//! On which port a program listens, as its code says.

use super::reads;
use crate::ecosystem::Port;
use crate::environment::Need;
use crate::scan::{Scan, port as port_number};

const COMMENT: &[&str] = &["#"];
/// How much of a call's arguments is looked at.
const LONGEST_CALL: usize = 600;

/// Calls that start to listen, with the port by name.
const BY_NAME: [&str; 8] = [
    "run", "serve", "run_app", "launch", "start", "listen", "bind", "TCPSite",
];
/// Calls that take a host, and the port behind it.
const BY_HOST: [&str; 3] = ["run", "serve", "run_app"];
/// Calls that take an address, or nothing but a port.
const BY_PLACE: [&str; 10] = [
    "bind",
    "listen",
    "HTTPServer",
    "ThreadingHTTPServer",
    "TCPServer",
    "ThreadingTCPServer",
    "WSGIServer",
    "make_server",
    "start_server",
    "create_server",
];

/// The port that the code gives a server, and where.
pub(super) fn port(path: &str, text: &str) -> Option<Port> {
    BY_NAME
        .iter()
        .find_map(|call| {
            Scan::behind(text, call, COMMENT).find_map(|mut scan| {
                if !scan.eat("(") {
                    return None;
                }
                let arguments = arguments(scan.rest());
                let found = ["port", "server_port"].iter().find_map(|name| {
                    Scan::behind(arguments, name, COMMENT).find_map(|mut scan| {
                        (scan.eat("=") && !scan.rest().starts_with('=')).then_some(scan)
                    })
                })?;
                let line = scan.line() + found.line() - 1;
                value(path, text, found.rest(), line, 2)
            })
        })
        .or_else(|| {
            BY_PLACE.iter().find_map(|call| {
                Scan::behind(text, call, COMMENT).find_map(|mut scan| {
                    // A socket is told here how many may wait.
                    let backlog = *call == "listen" && text.contains("import socket");
                    if backlog || !scan.eat("(") {
                        return None;
                    }
                    let line = scan.line();
                    let mut words = arguments(scan.rest()).split([',', '(', ')']);
                    words.find_map(|word| value(path, text, word.trim(), line, 2))
                })
            })
        })
        .or_else(|| behind_host(path, text))
        .or_else(|| in_settings(path, text))
}

/// The port behind a host: `app.run("0.0.0.0", 5555)`, `serve(handler, "", 8765)`.
fn behind_host(path: &str, text: &str) -> Option<Port> {
    BY_HOST.iter().find_map(|call| {
        Scan::behind(text, call, COMMENT).find_map(|mut scan| {
            if !scan.eat("(") {
                return None;
            }
            let line = scan.line();
            let mut words = arguments(scan.rest()).split(',').map(str::trim);
            words.find(|word| is_host(word))?;
            value(path, text, words.next()?, line, 2)
        })
    })
}

fn is_host(word: &str) -> bool {
    let quoted = word.trim_matches(['"', '\'']);
    if quoted.len() + 2 == word.len() {
        return matches!(quoted, "" | "localhost" | "0.0.0.0" | "127.0.0.1" | "::");
    }
    matches!(word, "host" | "HOST" | "None")
}

/// The port of settings, or of an address in them: `"server.socket_port": 8080`, `"[::]:50051"`.
fn in_settings(path: &str, text: &str) -> Option<Port> {
    let setting = Scan::behind(text, "server.socket_port", COMMENT).find_map(|mut scan| {
        let _ = scan.eat("\"") || scan.eat("'");
        if !(scan.eat(":") || scan.eat("=")) {
            return None;
        }
        value(path, text, scan.rest(), scan.line(), 2)
    });
    let address = || {
        ["add_insecure_port", "add_secure_port"]
            .iter()
            .find_map(|call| {
                Scan::behind(text, call, COMMENT).find_map(|mut scan| {
                    let line = scan.line();
                    let call = scan.eat("(").then(|| arguments(scan.rest()))?;
                    of_address(path, text, call, line)
                })
            })
    };
    setting.or_else(address)
}

/// The port of an address in an expression: `"0.0.0.0:8080"`, `f"[::]:{port}"`, `":" + port`.
pub(super) fn of_address(path: &str, text: &str, expression: &str, line: usize) -> Option<Port> {
    let read = reads::environment(path, expression);
    if let Some(read) = read.iter().find(|read| read.name.contains("PORT")) {
        let Need::Default(default) = &read.need else {
            return None;
        };
        let from = format!("{path}:{line}");
        return Some(Port::fallback(port_number(default)?, from));
    }
    let (_, behind) = expression.rsplit_once(':')?;
    let behind = behind.trim_start_matches(['{', '"', '\'', ' ', '+']);
    let name = behind.strip_prefix("str(").unwrap_or(behind);
    value(path, text, name, line, 2)
}

/// Whether the program takes its port from `PORT` alone.
pub(super) fn is_told(text: &str) -> bool {
    reads::environment("", text)
        .iter()
        .any(|read| read.name == "PORT")
}

/// What stands between a call's parentheses, as far as it is looked at.
pub(super) fn arguments(rest: &str) -> &str {
    let mut depth = 0;
    for (index, character) in rest.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return &rest[..index],
            ')' => depth -= 1,
            _ => {}
        }
        if index >= LONGEST_CALL {
            return &rest[..index];
        }
    }
    rest
}

/// A port as an expression has it: a number, a variable of the environment, or a name for one of them.
fn value(path: &str, text: &str, expression: &str, line: usize, names: usize) -> Option<Port> {
    let expression = expression.trim_start();
    let from = || format!("{path}:{line}");
    let first = expression.lines().next().unwrap_or("");
    // A number may be written as text: `port = "50051"`.
    let quoted = ['"', '\''].iter().find_map(|quote| {
        let (inside, _) = first.strip_prefix(*quote)?.split_once(*quote)?;
        port_number(inside)
    });
    if let Some(number) = quoted {
        return Some(Port::written(number, from()));
    }
    let number = first
        .find(|character: char| !character.is_ascii_digit())
        .map_or(first, |end| &first[..end]);
    if !number.is_empty() {
        return port_number(number).map(|number| Port::written(number, from()));
    }
    // A call may go on for some lines.
    let call = expression.get(..expression.find("\n\n").unwrap_or(expression.len()))?;
    let name_end = first
        .find(|character: char| character != '_' && !character.is_alphanumeric())
        .unwrap_or(first.len());
    let name = &first[..name_end];
    let reads = ["os", "int", "environ", "getenv", "config", "env", "str"];
    if reads.contains(&name) {
        let read = reads::environment(path, call)
            .into_iter()
            .chain(reads::settings(path, call, true))
            .find(|read| read.name.contains("PORT"))?;
        let Need::Default(default) = &read.need else {
            return None;
        };
        let number = port_number(default)?;
        return Some(if read.name == "PORT" {
            Port::fallback(number, from())
        } else {
            Port::written(number, from())
        });
    }
    if names == 0 || name.is_empty() {
        return None;
    }
    let given = text.lines().enumerate().find_map(|(index, line)| {
        let (left, right) = line.split_once('=')?;
        let left = left.split(':').next().unwrap_or(left).trim();
        (left == name && !right.starts_with('=')).then_some((index + 1, right))
    });
    given.and_then(|(line, right)| value(path, text, right, line, names - 1))
}
