//! Variables that are read by what a framework has for it: `env('NAME')` of Strapi, `Env.schema` of AdonisJS.

use crate::environment::{Need, Read};
use crate::scan::Scan;
use crate::sources::Text;

const COMMENT: &[&str] = &["//", "*", "/*"];
const QUOTES: &[char] = &['"', '\'', '`'];

/// Every variable that the texts read so.
pub(super) fn environment(texts: &[Text<'_>], framework: &str) -> Vec<Read> {
    let of = match framework {
        "strapi" => of_strapi,
        "adonis" => of_adonis,
        _ => return Vec::new(),
    };
    texts
        .iter()
        .flat_map(|(path, text)| of(path, text))
        .collect()
}

/// Without these Strapi does not start.
const SECRETS: [&str; 4] = [
    "ADMIN_JWT_SECRET",
    "API_TOKEN_SALT",
    "APP_KEYS",
    "TRANSFER_TOKEN_SALT",
];

/// `env('HOST', '0.0.0.0')`, `env.int('PORT', 1337)`
fn of_strapi(path: &str, text: &str) -> Vec<Read> {
    if !path.starts_with("config/") {
        return Vec::new();
    }
    let found = Scan::behind(text, "env", COMMENT).filter_map(|mut scan| {
        let from = format!("{path}:{}", scan.line());
        if scan.eat(".") {
            scan.word()?;
        }
        let name = scan.eat("(").then(|| scan.string(QUOTES)).flatten()?;
        let default = scan.eat(",").then(|| {
            let said = scan.string(QUOTES).or_else(|| scan.number());
            said.or_else(|| scan.word().filter(|word| matches!(*word, "true" | "false")))
        });
        let need = match default.flatten() {
            Some(default) => Need::Default(default.to_owned()),
            None if SECRETS.contains(&name) => Need::Required,
            None => Need::Optional,
        };
        Some(Read {
            name: name.to_owned(),
            need,
            from,
        })
    });
    found.collect()
}

/// What the image says of itself.
const OF_IMAGE: [&str; 3] = ["HOST", "NODE_ENV", "PORT"];

/// `APP_KEY: Env.schema.string()`
fn of_adonis(path: &str, text: &str) -> Vec<Read> {
    let found = Scan::behind(text, "Env.schema", COMMENT).filter_map(|scan| {
        let before = scan.line_before().trim_end_matches("Env.schema").trim_end();
        let name = before.strip_suffix(':')?.trim().trim_matches(QUOTES);
        let rest = scan.rest().lines().next().unwrap_or("");
        let need = if rest.contains("optional") {
            Need::Optional
        } else {
            Need::Required
        };
        (!OF_IMAGE.contains(&name)).then(|| Read {
            name: name.to_owned(),
            need,
            from: format!("{path}:{}", scan.line()),
        })
    });
    found.collect()
}
