//! `devcontainer.json`: the image that people work in, and the ports they look at.

use serde_json::Value;

use super::{Declared, Said, images, port};
use crate::ecosystem::Claim;
use crate::sources::Sources;

const FILES: [&str; 2] = [".devcontainer/devcontainer.json", ".devcontainer.json"];

/// Features by the end of their name, and the runtime they bring.
const FEATURES: [(&str, &str); 8] = [
    ("node", "node"),
    ("python", "python"),
    ("go", "go"),
    ("rust", "rust"),
    ("java", "java"),
    ("ruby", "ruby"),
    ("php", "php"),
    ("dotnet", "dotnet"),
];

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    let Some(document) = sources
        .first_of(&FILES)
        .and_then(|file| sources.document(file))
    else {
        return;
    };
    if let Some(image) = document.text(&["image"]) {
        let from = document.from(&["image"]);
        let claim = |version: String| Claim::exactly(version, from.clone());
        declared.versions.extend(
            images::runtime(image).map(|(runtime, version)| (runtime.to_owned(), claim(version))),
        );
    }
    for (feature, settings) in document.table(&["features"]) {
        let name = feature.split(':').next().unwrap_or(feature);
        let name = name.rsplit('/').next().unwrap_or(name);
        let Some((_, runtime)) = FEATURES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        let version = settings.get("version").and_then(super::plain);
        let Some(version) = version.filter(|version| crate::version_files::is_dotted(version))
        else {
            continue;
        };
        let from = document.from(&["features", feature]);
        declared
            .versions
            .push(((*runtime).to_owned(), Claim::exactly(version, from)));
    }
    let forwarded = document.get(&["forwardPorts"]).and_then(Value::as_array);
    for (index, value) in forwarded.into_iter().flatten().enumerate() {
        // `db:5432` is another container's.
        if let Some(number) = port(value) {
            let from = document.from(&["forwardPorts", &index.to_string()]);
            declared.forwarded.push(Said::new(number, from));
        }
    }
}
