//! The variables that Elixir reads.

use crate::ecosystem::Port;
use crate::environment::{Need, Read};
use crate::scan::{self, Scan};

pub(super) fn variables(path: &str, text: &str) -> Vec<Read> {
    let comments: &[&str] = &["#"];
    let places = [
        ("System.get_env", Need::Optional),
        ("System.fetch_env!", Need::Required),
    ];
    let found = places.into_iter().flat_map(|(word, need)| {
        Scan::behind(text, word, comments).filter_map(move |mut scan| {
            let from = format!("{path}:{}", scan.line());
            scan.eat("(");
            let name = scan.string(&['"'])?.to_owned();
            let need = if scan.eat(",") {
                default(&mut scan).unwrap_or(Need::Optional)
            } else {
                scan.eat(")");
                otherwise(scan).unwrap_or_else(|| need.clone())
            };
            Some(Read { name, need, from })
        })
    });
    found.collect()
}

/// The port that a server is given where it is started: `{Plug.Cowboy, …, options: [port: 4001]}`.
pub(super) fn listens(path: &str, text: &str) -> Option<Port> {
    let servers = ["Plug.Cowboy", "Plug.Adapters.Cowboy", "Bandit"];
    let server = servers
        .iter()
        .find_map(|server| Scan::behind(text, server, &["#"]).next())?;
    let skipped = text.len() - server.rest().len();
    Scan::behind(text, "port", &["#"]).find_map(|mut scan| {
        let after = text.len() - scan.rest().len() > skipped;
        let from = format!("{path}:{}", scan.line());
        if !after || !scan.eat(":") {
            return None;
        }
        Some(Port::written(scan::port(scan.number()?)?, from))
    })
}

/// `|| raise "…"`, `|| "4000"`: what happens where it is not set.
fn otherwise(mut scan: Scan<'_>) -> Option<Need> {
    if !scan.eat("||") {
        return None;
    }
    if scan.eat("raise") {
        return Some(Need::Required);
    }
    default(&mut scan)
}

fn default(scan: &mut Scan<'_>) -> Option<Need> {
    let text = scan.string(&['"']).or_else(|| scan.number())?;
    Some(Need::Default(text.to_owned()))
}
