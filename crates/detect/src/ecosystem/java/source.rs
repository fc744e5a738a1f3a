//! What Java, Kotlin and Scala say: where they begin, their routes and ports, the variables that they read.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{self, Scan};
use crate::sources::Text;

pub const COMMENT: &[&str] = &["//", "*", "/*"];
pub const QUOTES: &[char] = &['"'];

/// A class that can be started, and where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Main {
    /// With its package: `com.example.Main`.
    pub class: String,
    pub file: String,
    /// `file:line`
    pub from: String,
}

/// Where a program may begin.
pub fn mains(texts: &[Text<'_>]) -> Vec<Main> {
    texts
        .iter()
        .filter_map(|(path, text)| main(path, text))
        .collect()
}

fn main(path: &str, text: &str) -> Option<Main> {
    let (stem, extension) = file_name(path).rsplit_once('.')?;
    let (line, class) = match extension {
        "java" | "groovy" => {
            let scan = Scan::behind(text, "main", COMMENT).find(|scan| {
                let before = scan.line_before();
                let rest = scan.rest().trim_start();
                // Since Java 25 it may be as short as `void main()`.
                before.contains("void")
                    && (before.contains("static") || rest.starts_with("()"))
                    && rest.starts_with('(')
            })?;
            (scan.line(), stem.to_owned())
        }
        "kt" => {
            let scan = Scan::behind(text, "fun main", COMMENT)
                .find(|scan| scan.rest().trim_start().starts_with('('))?;
            let top_level = scan.line_before().starts_with("fun")
                || scan.line_before().starts_with("suspend fun");
            let class = if top_level {
                let mut first = stem.chars();
                let upper = first
                    .next()
                    .map(|letter| letter.to_ascii_uppercase())
                    .into_iter();
                let named = text
                    .lines()
                    .find_map(|line| line.strip_prefix("@file:JvmName(\""))
                    .and_then(|rest| rest.split('"').next());
                named.map_or_else(
                    || upper.chain(first).chain("Kt".chars()).collect(),
                    str::to_owned,
                )
            } else {
                stem.to_owned()
            };
            (scan.line(), class)
        }
        "scala" => scala_main(text)?,
        _ => return None,
    };
    let package = text.lines().find_map(|line| {
        let name = line.trim().strip_prefix("package ")?;
        Some(name.trim().trim_end_matches(';').trim().to_owned())
    });
    let is_name = |name: &String| {
        name.chars()
            .all(|c| c.is_alphanumeric() || "._".contains(c))
    };
    Some(Main {
        class: match package.filter(is_name) {
            Some(package) => format!("{package}.{class}"),
            None => class,
        },
        file: path.to_owned(),
        from: format!("{path}:{line}"),
    })
}

/// `object X extends App`, `@main def x`, or a `main` in an object.
fn scala_main(text: &str) -> Option<(usize, String)> {
    let annotated = Scan::behind(text, "@main def", COMMENT).find_map(|mut scan| {
        let line = scan.line();
        Some((line, scan.word()?.to_owned()))
    });
    let apps = [
        "extends App",
        "extends IOApp",
        "extends ZIOAppDefault",
        "def main",
    ];
    let found = || {
        apps.iter().find_map(|mark| {
            let scan = Scan::behind(text, mark, COMMENT).next()?;
            let before = &text[..text.len() - scan.rest().len()];
            let object = before.rfind("object ")? + "object ".len();
            let name = before[object..]
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()?;
            (!name.is_empty()).then(|| (scan.line(), name.to_owned()))
        })
    };
    annotated.or_else(found)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The port: what the code falls back to where `PORT` is not set, else what it listens on.
pub fn port(texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some(Port::fallback(scan::port(default)?, &read.from))
        }
        _ => None,
    });
    fallback.or_else(|| texts.iter().find_map(|(path, text)| listened(path, text)))
}

/// Calls and names before a port.
const LISTENS: [&str; 24] = [
    "port",
    "setPort",
    "withPort",
    "listen",
    "start",
    "InetSocketAddress",
    "ServerSocket",
    "HttpServer",
    "Server",
    "PORT",
    "httpPort",
    "serverPort",
    "bindHttp",
    "forPort",
    "newServerBuilderForPort",
    "newServerAt",
    "bind",
    "DEFAULT_PORT",
    "ApacheServer",
    "Jetty",
    "KtorCIO",
    "Netty",
    "SunHttp",
    "Undertow",
];

fn listened(path: &str, text: &str) -> Option<Port> {
    LISTENS.iter().find_map(|call| {
        Scan::behind(text, call, COMMENT).find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            // http4s: port"8080"
            if *call == "port" && scan.rest().starts_with('"') {
                return Some(Port::written(scan::port(scan.string(QUOTES)?)?, from));
            }
            // `val port: Int = 8080`, `port = 8080`, `.port(8080)`
            if scan.eat(":") {
                scan.word()?;
            }
            if !scan.eat("(") && !scan.eat("=") {
                return None;
            }
            if matches!(
                *call,
                "newServerAt" | "bind" | "bindHttp" | "InetSocketAddress"
            ) && scan.string(QUOTES).is_some()
            {
                scan.eat(",");
            }
            let number = scan.number()?;
            let port = scan::port(number).filter(|port| *port >= 80)?;
            Some(Port::written(port, from))
        })
    })
}
