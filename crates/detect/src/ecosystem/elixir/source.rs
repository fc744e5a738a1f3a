//! The variables that Elixir reads.

use crate::environment::{Need, Read};
use crate::scan::Scan;

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
