//! The hashes by which Poetry, PDM and Pipenv know what a lock file was written for.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::metadata::Metadata;

/// A key's text in the lock file's metadata.
fn key<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().rev().find_map(|line| {
        let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
        Some(rest.trim().trim_matches('"'))
    })
}

/// What Poetry always counts, whether it is there or not.
const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Whether Poetry's hash is that of what is listed; its first and its second version count differently.
pub(super) fn poetry(text: &str, metadata: &Metadata) -> Option<bool> {
    let wanted = key(text, "content-hash")?;
    let project = metadata.pyproject.as_ref()?;
    let tool = |key: &str| project.get(&["tool", "poetry", key]);
    let mut legacy = Map::new();
    let mut present = Map::new();
    for key in LEGACY.into_iter().chain(["group"]) {
        if let Some(value) = tool(key) {
            legacy.insert(key.to_owned(), value.clone());
            present.insert(key.to_owned(), value.clone());
        } else if key != "group" {
            legacy.insert(key.to_owned(), Value::Null);
        }
    }
    let mut standard = Map::new();
    for key in ["requires-python", "dependencies", "optional-dependencies"] {
        if let Some(value) = project.get(&["project", key]) {
            standard.insert(key.to_owned(), value.clone());
        }
    }
    let groups = project.get(&["dependency-groups"]);
    let mut candidates = vec![Value::Object(legacy)];
    if !standard.is_empty() || groups.is_some() {
        let mut content = Map::new();
        if !standard.is_empty() {
            content.insert("project".to_owned(), Value::Object(standard));
        }
        content.insert("tool".to_owned(), json!({ "poetry": present }));
        candidates.push(Value::Object(content.clone()));
        if let Some(groups) = groups {
            content.insert("dependency-groups".to_owned(), groups.clone());
            candidates.push(Value::Object(content));
        }
    }
    Some(
        candidates
            .iter()
            .any(|content| hash(content, ", ", ": ") == wanted),
    )
}

/// Whether PDM's hash is that of what is listed; none where it is not, since its versions count differently.
pub(super) fn pdm(text: &str, metadata: &Metadata) -> Option<bool> {
    let wanted = key(text, "content_hash")?.strip_prefix("sha256:")?;
    let project = metadata.pyproject.as_ref()?;
    let get = |keys: &[&str], empty: Value| project.get(keys).cloned().unwrap_or(empty);
    let mut groups = Map::new();
    for keys in [
        &["dependency-groups"][..],
        &["tool", "pdm", "dev-dependencies"],
    ] {
        for (name, value) in project.table(keys) {
            groups.insert(name.to_owned(), value.clone());
        }
    }
    let content = |more: &str, value: Value| {
        json!({
            "sources": get(&["tool", "pdm", "source"], json!([])),
            "dependencies": get(&["project", "dependencies"], json!([])),
            "dev-dependencies": groups,
            "optional-dependencies": get(&["project", "optional-dependencies"], json!({})),
            "requires-python": get(&["project", "requires-python"], json!("")),
            more: value,
        })
    };
    let resolution = get(&["tool", "pdm", "resolution"], json!({}));
    let overrides = get(&["tool", "pdm", "resolution", "overrides"], json!({}));
    [("overrides", overrides), ("resolution", resolution)]
        .into_iter()
        .any(|(more, value)| hash(&content(more, value), ", ", ": ") == wanted)
        .then_some(true)
}

/// Whether Pipenv's hash is that of its Pipfile.
pub(super) fn pipenv(text: &str, metadata: &Metadata) -> Option<bool> {
    // It stands before the packages, which need not be read for it.
    let (_, meta) = text.split_once("\"_meta\"")?;
    let (_, after) = meta.split_once("\"sha256\"")?;
    let wanted = after.split('"').nth(1)?;
    let pipfile = metadata.pipfile.as_ref()?.get(&[])?.as_object()?;
    let get = |key: &str, empty: Value| pipfile.get(key).cloned().unwrap_or(empty);
    let usual = json!([{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}]);
    let mut content = Map::new();
    let meta = json!({ "sources": get("source", usual), "requires": get("requires", json!({})) });
    content.insert("_meta".to_owned(), meta);
    content.insert("default".to_owned(), get("packages", json!({})));
    content.insert("develop".to_owned(), get("dev-packages", json!({})));
    for (name, value) in pipfile {
        let known = [
            "source",
            "packages",
            "dev-packages",
            "requires",
            "scripts",
            "pipfile",
            "pipenv",
        ];
        if !known.contains(&name.as_str()) {
            content.insert(name.clone(), value.clone());
        }
    }
    Some(hash(&Value::Object(content), ",", ":") == wanted)
}

/// SHA-256 of a value as Python's `json` writes it with sorted keys.
fn hash(value: &Value, comma: &str, colon: &str) -> String {
    let mut text = String::new();
    write(value, comma, colon, &mut text);
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn write(value: &Value, comma: &str, colon: &str, text: &mut String) {
    match value {
        Value::Object(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push_str(comma);
                }
                write_text(key, text);
                text.push_str(colon);
                write(value, comma, colon, text);
            }
            text.push('}');
        }
        Value::Array(all) => {
            text.push('[');
            for (index, value) in all.iter().enumerate() {
                if index > 0 {
                    text.push_str(comma);
                }
                write(value, comma, colon, text);
            }
            text.push(']');
        }
        Value::String(said) => write_text(said, text),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// A string with everything beyond ASCII escaped.
fn write_text(said: &str, text: &mut String) {
    let quoted = Value::from(said).to_string();
    for character in quoted.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
}
