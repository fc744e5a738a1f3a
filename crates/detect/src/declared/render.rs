//! Files of platforms that name several services, each with its folder: `render.yaml`, `.do/app.yaml`.

use serde_json::Value;

use super::{Above, Declared, Said, plain, port};
use crate::document::Document;
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files::is_dotted;

/// How a platform calls what it is told of a service.
struct Words {
    file: &'static str,
    lists: &'static [&'static str],
    folder: &'static str,
    start: &'static str,
    build: &'static str,
    health: &'static [&'static str],
    variables: &'static str,
}

static PLATFORMS: [Words; 3] = [
    Words {
        file: "render.yaml",
        lists: &["services"],
        folder: "rootDir",
        start: "startCommand",
        build: "buildCommand",
        health: &["healthCheckPath"],
        variables: "envVars",
    },
    Words {
        file: ".do/app.yaml",
        lists: &["services", "workers"],
        folder: "source_dir",
        start: "run_command",
        build: "build_command",
        health: &["health_check", "http_path"],
        variables: "envs",
    },
    Words {
        file: ".do/deploy.template.yaml",
        lists: &["services", "workers"],
        folder: "source_dir",
        start: "run_command",
        build: "build_command",
        health: &["health_check", "http_path"],
        variables: "envs",
    },
];

/// Variables by which Render is told of versions.
const VERSIONS: [(&str, &str); 4] = [
    ("PYTHON_VERSION", "python"),
    ("NODE_VERSION", "node"),
    ("ELIXIR_VERSION", "elixir"),
    ("BUN_VERSION", "bun"),
];

/// What such files at a project's root say.
#[derive(Default)]
pub struct Blueprints {
    documents: Vec<(&'static Words, Document)>,
}

impl Blueprints {
    pub fn read(root: &Sources<'_>) -> Self {
        let documents = PLATFORMS
            .iter()
            .filter(|words| root.has(words.file))
            .filter_map(|words| Some((words, root.document(words.file)?)))
            .collect();
        Self { documents }
    }

    pub(super) fn declare(&self, sources: &Sources<'_>, declared: &mut Declared) {
        for (words, document) in &self.documents {
            read_services(document, words, &Above::of(sources), declared);
        }
    }
}

fn read_services(
    document: &Document,
    words: &'static Words,
    above: &Above<'_, '_>,
    declared: &mut Declared,
) {
    // One of them has everything below another key.
    let outer: &[&str] = if document.get(&["spec"]).is_some() {
        &["spec"]
    } else {
        &[]
    };
    let mut services: Vec<(Vec<String>, &Value)> = Vec::new();
    for list in words.lists {
        let keys: Vec<&str> = outer.iter().copied().chain([*list]).collect();
        let values = document.get(&keys).and_then(Value::as_array);
        for (index, service) in values.into_iter().flatten().enumerate() {
            let folder = service.get(words.folder).and_then(Value::as_str);
            if above.is_meant(folder.unwrap_or("")) {
                let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
                keys.push(index.to_string());
                services.push((keys, service));
            }
        }
    }
    // People talk to a web service; of the others it is the first.
    services.sort_by_key(|(_, service)| {
        service
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind != "web")
    });
    let Some((keys, service)) = services.first() else {
        return;
    };
    let from = |key: &str| {
        let keys: Vec<&str> = keys.iter().map(String::as_str).chain([key]).collect();
        above.place(&document.from(&keys))
    };
    let text = |key: &str| service.get(key).and_then(Value::as_str);
    if let Some(command) = text(words.start)
        && let Some(start) = declared.start(command, from(words.start), words.file)
    {
        start.serves = text("type").is_none_or(|kind| kind == "web");
    }
    if let Some(command) = text(words.build) {
        declared.build(vec![command.to_owned()], from(words.build), words.file);
    }
    if let Some(number) = service.get("http_port").and_then(port) {
        declared.ports.push(Said::new(number, from("http_port")));
    }
    let health = words
        .health
        .iter()
        .try_fold(*service, |value, key| value.get(key));
    if let Some(path) = health.and_then(Value::as_str) {
        declared.health.push(Said::new(path, from(words.health[0])));
    }
    let variables = service.get(words.variables).and_then(Value::as_array);
    for (index, variable) in variables.into_iter().flatten().enumerate() {
        if let Some(name) = variable.get("key").and_then(Value::as_str) {
            let value = variable.get("value").and_then(plain);
            let version = VERSIONS
                .iter()
                .filter(|_| words.file == "render.yaml")
                .find(|(known, _)| *known == name);
            if let Some((_, runtime)) = version {
                let index = index.to_string();
                let place = keys.iter().map(String::as_str);
                let place: Vec<&str> = place.chain([words.variables, &index, "value"]).collect();
                let claim = value
                    .filter(|value| is_dotted(value))
                    .map(|value| Claim::exactly(value, above.place(&document.from(&place))));
                let claim = claim.map(|claim| ((*runtime).to_owned(), claim));
                declared.versions.extend(claim);
                continue;
            }
            declared.variable(name, value, from(words.variables), words.file);
        }
    }
}
