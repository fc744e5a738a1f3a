//! `railpack.json`: steps, packages and how it is started.

use serde_json::Value;

use super::{Declared, Said, plain, texts};
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files::is_dotted;

const FILE: &str = "railpack.json";

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    if !sources.has(FILE) {
        return;
    }
    let Some(document) = sources.document(FILE) else {
        return;
    };
    for keys in [["deploy", "startCommand"], ["start", "cmd"]] {
        if let Some(command) = document.text(&keys) {
            declared.start(command, document.from(&keys), FILE);
        }
    }
    if let Some(provider) = document.text(&["provider"]) {
        declared.language = Some(Said::new(provider, document.from(&["provider"])));
    }
    let mut commands = Vec::new();
    let mut first = None;
    for step in ["install", "build"] {
        let keys = ["steps", step, "commands"];
        let list = document.get(&keys).and_then(Value::as_array);
        for value in list.into_iter().flatten() {
            let command = value.get("cmd").and_then(plain).or_else(|| plain(value));
            if let Some(command) = command {
                first.get_or_insert_with(|| document.from(&keys));
                commands.push(command);
            }
        }
    }
    if let Some(from) = first {
        declared.build(commands, from, FILE);
    }
    for keys in [&["deploy", "aptPackages"][..], &["buildAptPackages"]] {
        for package in document.get(keys).map(texts).unwrap_or_default() {
            if package != "..." {
                declared.package(&package, &document.from(keys));
            }
        }
    }
    for (name, value) in document.table(&["deploy", "variables"]) {
        let from = document.from(&["deploy", "variables", name]);
        declared.variable(name, plain(value), from, FILE);
    }
    for (tool, version) in document.table(&["packages"]) {
        let from = document.from(&["packages", tool]);
        if let Some(version) = plain(version).filter(|version| is_dotted(version)) {
            declared
                .versions
                .push((tool.to_owned(), Claim::exactly(version, from)));
        }
    }
}
