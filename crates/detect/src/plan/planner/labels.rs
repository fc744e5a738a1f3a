//! What the project says of itself, as an image's labels: nothing but its own words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Document;
use crate::plan::installer::plain_file;
use crate::tree::FileTree;

/// Longer texts are no labels.
const LONGEST: usize = 500;

/// A file in which a project says of itself, and the keys that lead to that.
struct Metadata {
    file: &'static str,
    table: &'static [&'static str],
    sources: &'static [&'static [&'static str]],
}

const METADATA: [Metadata; 5] = [
    Metadata {
        file: "package.json",
        table: &[],
        sources: &[&["repository"], &["repository", "url"]],
    },
    Metadata {
        file: "Cargo.toml",
        table: &["package"],
        sources: &[&["repository"]],
    },
    Metadata {
        file: "pyproject.toml",
        table: &["project"],
        sources: &[
            &["urls", "Repository"],
            &["urls", "repository"],
            &["urls", "Source"],
            &["urls", "source"],
            &["urls", "Source Code"],
        ],
    },
    Metadata {
        file: "pyproject.toml",
        table: &["tool", "poetry"],
        sources: &[&["repository"]],
    },
    Metadata {
        file: "composer.json",
        table: &[],
        sources: &[&["support", "source"]],
    },
];

/// The labels of a program whose root, relative to the project, is `root`; `file` lists its dependencies.
pub(super) fn of(tree: &dyn FileTree, root: &str, file: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let Some(metadata) = METADATA.iter().find(|known| known.file == file) else {
        return labels;
    };
    let path = match root {
        "" => file.to_owned(),
        root => format!("{root}/{file}"),
    };
    let document = plain_file(&path, tree).and_then(|text| Document::parse(file, &text).ok());
    let Some(document) = document else {
        return labels;
    };
    let tables = METADATA.iter().filter(|known| known.file == metadata.file);
    let Some(found) = tables
        .into_iter()
        .find(|known| known.table.is_empty() || document.get(known.table).is_some())
    else {
        return labels;
    };
    let text = |keys: &[&str]| {
        let keys: Vec<&str> = found.table.iter().chain(keys).copied().collect();
        document.text(&keys).map(|text| text.trim().to_owned())
    };
    let license = || {
        text(&["license"])
            .or_else(|| text(&["license", "text"]))
            .or_else(|| {
                let keys: Vec<&str> = found.table.iter().chain(&["license"]).copied().collect();
                let several = document.get(&keys)?.as_array()?.iter();
                let names: Option<Vec<&str>> = several.map(Value::as_str).collect();
                names
                    .filter(|names| !names.is_empty())
                    .map(|names| names.join(" OR "))
            })
            .filter(|license| is_license(license))
    };
    let source = || {
        let mut places = found.sources.iter();
        places.find_map(|keys| repository(&text(keys)?))
    };
    for (name, value) in [
        ("version", text(&["version"])),
        ("description", text(&["description"])),
        ("licenses", license()),
        ("source", source()),
    ] {
        let value = value.filter(|value| value.len() <= LONGEST);
        if let Some(value) = value.filter(|value| !value.contains(char::is_control)) {
            labels.insert(format!("org.opencontainers.image.{name}"), value);
        }
    }
    labels
}

/// Whether a text names licences, as SPDX writes them: no `SEE LICENSE IN …`.
fn is_license(text: &str) -> bool {
    text != "UNLICENSED"
        && text != "proprietary"
        && text.split_whitespace().all(|word| {
            let is_plain = word
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || ".-+()".contains(one));
            is_plain && !matches!(word, "SEE" | "LICENSE" | "IN")
        })
        && text.len() < 100
}

/// Where the sources are, as a browser finds them: `git+https://…/shop.git`, `github:team/shop`, `team/shop`.
///
/// None where it says as whom to sign in: an image is shown to everybody.
fn repository(text: &str) -> Option<String> {
    address(text).filter(|address| {
        let rest = address
            .split_once("://")
            .map_or(address.as_str(), |(_, rest)| rest);
        !rest.contains('@')
    })
}

fn address(text: &str) -> Option<String> {
    let text = text.strip_prefix("git+").unwrap_or(text);
    let text = text.strip_suffix(".git").unwrap_or(text);
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some(text.to_owned());
    }
    for (short, host) in [
        ("git://", "https://"),
        ("ssh://git@", "https://"),
        ("git@github.com:", "https://github.com/"),
        ("git@gitlab.com:", "https://gitlab.com/"),
        ("github:", "https://github.com/"),
        ("gitlab:", "https://gitlab.com/"),
    ] {
        if let Some(rest) = text.strip_prefix(short) {
            return Some(format!("{host}{rest}"));
        }
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "._-".contains(one))
    };
    let (owner, name) = text.split_once('/')?;
    (is_name(owner) && is_name(name)).then(|| format!("https://github.com/{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_and_never_as_whom() {
        for (text, address) in [
            (
                "git+https://example.com/team/shop.git",
                "https://example.com/team/shop",
            ),
            (
                "ssh://git@github.com/team/shop",
                "https://github.com/team/shop",
            ),
            (
                "git@github.com:team/shop.git",
                "https://github.com/team/shop",
            ),
            ("team/shop", "https://github.com/team/shop"),
        ] {
            assert_eq!(repository(text).as_deref(), Some(address), "{text}");
        }
        for text in [
            "https://somebody:secret@github.com/team/shop",
            "git+https://token@example.com/team/shop.git",
            "git://somebody:secret@example.com/team/shop",
        ] {
            assert_eq!(repository(text), None, "{text}");
        }
    }
}
