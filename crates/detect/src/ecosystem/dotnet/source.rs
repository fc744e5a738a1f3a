//! What the program's own files say: variables, routes, where it listens.

use crate::ecosystem::loopback::{self, Listening};
use crate::ecosystem::{Port, Report};
use crate::environment::{Need, Read};
use crate::scan::{self, Route, Scan};
use crate::sources::{Sources, Text};

const COMMENTS: &[&str] = &["//", "*", "'"];

pub(super) fn variables(path: &str, text: &str) -> Vec<Read> {
    let found = Scan::behind(text, "GetEnvironmentVariable", COMMENTS);
    found
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            if !scan.eat("(") {
                return None;
            }
            let name = scan.string(&['"'])?.to_owned();
            let need = if scan.eat(")") && scan.eat("??") {
                scan.string(&['"'])
                    .map_or(Need::Optional, |default| Need::Default(default.to_owned()))
            } else {
                Need::Optional
            };
            Some(Read { name, need, from })
        })
        .collect()
}

pub(super) fn routes(path: &str, text: &str) -> Vec<Route> {
    let words = ["MapGet", "MapHealthChecks", "route"];
    words
        .into_iter()
        .flat_map(|word| Scan::behind(text, word, COMMENTS))
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let route = scan
                .eat("(")
                .then(|| scan.string(&['"']))
                .flatten()
                .or_else(|| scan.string(&['"']))?;
            Some(Route {
                path: route.to_owned(),
                from,
            })
        })
        .collect()
}

/// Asks who is to reach a program whose code or settings have it listen on 127.0.0.1.
pub(super) fn ask(sources: &Sources<'_>, texts: &[Text<'_>], report: &mut Report) {
    const LISTENING: Listening = Listening {
        comments: COMMENTS,
        calls: &["UseUrls(", "Run(", "RunAsync(", "Urls.Add("],
        by_url: true,
    };
    let before = report.questions.len();
    loopback::ask(sources, texts, &LISTENING, report);
    if report.questions.len() > before {
        return;
    }
    let settings = settings_files().find_map(|file| {
        let document = sources.document(file)?;
        let mut names = document.table(&["Kestrel", "Endpoints"]);
        names.find_map(|(name, _)| {
            let keys = ["Kestrel", "Endpoints", name, "Url"];
            let local = ["http://localhost", "http://127.0.0.1"];
            let url = document.text(&keys)?;
            let is_local = local.iter().any(|local| url.starts_with(local));
            is_local.then(|| document.from(&keys))
        })
    });
    if let Some(from) = settings {
        loopback::ask_of(sources, &from, report);
    }
}

/// A program's settings, those for production first.
fn settings_files() -> impl Iterator<Item = &'static str> {
    ["appsettings.Production.json", "appsettings.json"].into_iter()
}

/// Where a web program listens: its settings and its code go before what the image says.
pub(super) fn port(sources: &Sources<'_>, texts: &[Text<'_>], reads: &[Read]) -> Option<Port> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some(Port::fallback(scan::port(default)?, &read.from))
        }
        _ => None,
    });
    fallback
        .or_else(|| texts.iter().find_map(|(path, text)| in_code(path, text)))
        .or_else(|| in_settings(sources))
}

fn in_code(path: &str, text: &str) -> Option<Port> {
    // Saturn: `url "http://0.0.0.0:8085"`
    let said = Scan::behind(text, "url ", COMMENTS).find_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        let number = of_address(scan.string(&['"'])?)?;
        Some(Port::written(number, from))
    });
    if said.is_some() && path.ends_with(".fs") {
        return said;
    }
    let words = ["UseUrls", "Run", "RunAsync", "Urls.Add", "ListenAnyIP"];
    words.into_iter().find_map(|word| {
        Scan::behind(text, word, COMMENTS).find_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            if !scan.eat("(") {
                return None;
            }
            let number = match scan.string(&['"']) {
                Some(address) => of_address(address)?,
                None if word == "ListenAnyIP" => scan::port(scan.number()?)?,
                None => return None,
            };
            Some(Port::written(number, from))
        })
    })
}

fn in_settings(sources: &Sources<'_>) -> Option<Port> {
    settings_files().find_map(|file| {
        let document = sources.document(file)?;
        let endpoints = document
            .table(&["Kestrel", "Endpoints"])
            .find_map(|(name, _)| {
                let keys = ["Kestrel", "Endpoints", name, "Url"];
                let number = of_address(document.text(&keys)?)?;
                Some((number, document.from(&keys)))
            });
        let urls = || {
            ["Urls", "urls"].iter().find_map(|key| {
                let number = of_address(document.text(&[key])?)?;
                Some((number, document.from(&[key])))
            })
        };
        let (number, from) = endpoints.or_else(urls)?;
        Some(Port {
            number,
            from: Some(from),
            why: "the settings say so".to_owned(),
        })
    })
}

/// `http://*:5000;https://*:5001` is 5000.
fn of_address(addresses: &str) -> Option<u16> {
    addresses.split(';').find_map(|address| {
        let rest = address.trim().strip_prefix("http://")?;
        let (_, port) = rest.trim_end_matches('/').rsplit_once(':')?;
        scan::port(port)
    })
}
