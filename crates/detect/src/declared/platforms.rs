//! Files of platforms that are for one program.

use serde_json::Value;

use super::{Declared, Said, plain, port, texts};
use crate::document::Document;
use crate::ecosystem::Claim;
use crate::sources::Sources;
use crate::version_files::is_dotted;

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    type Reader = fn(&Document, &'static str, &mut Declared);
    const FILES: [(&str, Reader); 11] = [
        ("railway.json", railway),
        ("railway.toml", railway),
        ("fly.toml", fly),
        ("heroku.yml", heroku),
        ("project.toml", buildpacks),
        ("app.yaml", app_engine),
        ("manifest.yml", cloud_foundry),
        ("manifest.yaml", cloud_foundry),
        ("app.json", app_json),
        ("apprunner.yaml", app_runner),
        (".platform.app.yaml", platform_app),
    ];
    for (file, reader) in FILES {
        if sources.has(file)
            && let Some(document) = sources.document(file)
        {
            reader(&document, file, declared);
        }
    }
}

fn railway(document: &Document, by: &'static str, declared: &mut Declared) {
    if let Some(command) = document.text(&["deploy", "startCommand"])
        && let Some(start) = declared.start(command, document.from(&["deploy", "startCommand"]), by)
    {
        let before = document.get(&["deploy", "preDeployCommand"]).map(texts);
        start.note = before
            .filter(|commands| !commands.is_empty())
            .map(|commands| format!("{by} wants `{}` to be run before", commands.join(" && ")));
    }
    if let Some(command) = document.text(&["build", "buildCommand"]) {
        let from = document.from(&["build", "buildCommand"]);
        declared.build(vec![command.to_owned()], from, by);
    }
    if let Some(path) = document.text(&["deploy", "healthcheckPath"]) {
        let from = document.from(&["deploy", "healthcheckPath"]);
        declared.health.push(Said::new(path, from));
    }
}

fn fly(document: &Document, by: &'static str, declared: &mut Declared) {
    let mut processes: Vec<_> = document.table(&["processes"]).collect();
    processes.sort_by_key(|(name, _)| match *name {
        "web" => 0,
        "app" => 1,
        _ => 2,
    });
    if let Some((name, command)) = processes.first()
        && let Some(command) = command.as_str()
        && let Some(start) = declared.start(command, document.from(&["processes", name]), by)
    {
        start.serves = document.get(&["http_service"]).is_some();
    }
    for keys in [
        &["http_service", "internal_port"][..],
        &["services", "0", "internal_port"],
        &["services", "internal_port"],
    ] {
        let value = match keys {
            ["services", "0", key] => document
                .get(&["services"])
                .and_then(|services| services.get(0)?.get(key)),
            keys => document.get(keys),
        };
        if let Some(number) = value.and_then(port) {
            declared.ports.push(Said::new(number, document.from(keys)));
        }
    }
    let checks = document
        .get(&["http_service", "checks"])
        .and_then(Value::as_array);
    let path = checks.and_then(|checks| checks.first()?.get("path")?.as_str());
    if let Some(path) = path {
        let from = document.from(&["http_service", "checks"]);
        declared.health.push(Said::new(path, from));
    }
    for (name, value) in document.table(&["env"]) {
        let from = document.from(&["env", name]);
        if name == "PORT" {
            declared
                .ports
                .extend(port(value).map(|number| Said::new(number, from.clone())));
        }
        declared.variable(name, plain(value), from, by);
    }
    let mounts = match document.get(&["mounts"]) {
        Some(Value::Array(mounts)) => mounts.first(),
        mounts => mounts,
    };
    if let Some(path) = mounts.and_then(|mount| mount.get("destination")?.as_str()) {
        let from = document.from(&["mounts"]);
        declared.volumes.push(Said::new(path, from));
    }
}

fn heroku(document: &Document, by: &'static str, declared: &mut Declared) {
    let web = ["web", "worker"].into_iter().find_map(|process| {
        let written = document.get(&["run", process])?;
        let command = written.get("command").unwrap_or(written);
        let command = texts(command).join(" && ");
        Some((process, command))
    });
    if let Some((process, command)) = web
        && let Some(start) = declared.start(&command, document.from(&["run", process]), by)
    {
        start.serves = process == "web";
    }
    for addon in texts_of(document, &["setup", "addons"], "plan") {
        addon_service(&addon, document.from(&["setup", "addons"]), declared);
    }
}

/// What buildpacks are told: their variables in `project.toml`.
fn buildpacks(document: &Document, by: &'static str, declared: &mut Declared) {
    const VERSIONS: [(&str, &str); 15] = [
        ("BP_NODE_VERSION", "node"),
        ("BP_CPYTHON_VERSION", "python"),
        ("BP_GO_VERSION", "go"),
        ("BP_JVM_VERSION", "java"),
        ("BP_MRI_VERSION", "ruby"),
        ("BP_PHP_VERSION", "php"),
        ("BP_DOTNET_FRAMEWORK_VERSION", "dotnet"),
        ("BP_DOTNET_SDK_VERSION", "dotnet"),
        ("GOOGLE_NODEJS_VERSION", "node"),
        ("GOOGLE_PYTHON_VERSION", "python"),
        ("GOOGLE_GO_VERSION", "go"),
        ("GOOGLE_JAVA_VERSION", "java"),
        ("GOOGLE_RUBY_VERSION", "ruby"),
        ("GOOGLE_PHP_VERSION", "php"),
        ("GOOGLE_DOTNET_SDK_VERSION", "dotnet"),
    ];
    for keys in [&["io", "buildpacks", "build", "env"][..], &["build", "env"]] {
        let list = document.get(keys).and_then(Value::as_array);
        for (index, entry) in list.into_iter().flatten().enumerate() {
            let (Some(name), Some(value)) = (
                entry.get("name").and_then(Value::as_str),
                entry.get("value").and_then(plain),
            ) else {
                continue;
            };
            let index = index.to_string();
            let place: Vec<&str> = keys.iter().copied().chain([index.as_str()]).collect();
            let from = document.from(&place);
            let version = VERSIONS.iter().find(|(known, _)| *known == name);
            if let Some((_, runtime)) = version {
                let value = value
                    .trim_start_matches(['~', '^', '='])
                    .trim_end_matches(".*")
                    .trim_end_matches(".x");
                if is_dotted(value) {
                    declared
                        .versions
                        .push(((*runtime).to_owned(), Claim::exactly(value, from)));
                }
            } else if name == "GOOGLE_ENTRYPOINT" {
                declared.start(&value, from, by);
            } else if name == "BP_LAUNCHPOINT" && value.ends_with("js") {
                let file = crate::plan::shell_quoted(value.trim_start_matches("./"));
                declared.start(&format!("node {file}"), from, by);
            }
        }
    }
}

/// `runtime: python311`, `entrypoint: gunicorn main:app`.
fn app_engine(document: &Document, by: &'static str, declared: &mut Declared) {
    let Some(runtime) = document.text(&["runtime"]) else {
        return;
    };
    if let Some(command) = document.text(&["entrypoint"])
        && let Some(start) = declared.start(command, document.from(&["entrypoint"]), by)
    {
        start.serves = true;
    }
    declared.versions.extend(runtime_of(runtime, document));
    for (name, value) in document.table(&["env_variables"]) {
        let from = document.from(&["env_variables", name]);
        declared.variable(name, plain(value), from, by);
    }
}

/// `python311` and `nodejs20` under `runtime`, as platforms of one process call them.
fn runtime_of(runtime: &str, document: &Document) -> Option<(String, Claim)> {
    let at = runtime
        .find(|character: char| character.is_ascii_digit())
        .unwrap_or(runtime.len());
    let (name, digits) = runtime.split_at(at);
    let name = match name {
        "nodejs" => "node",
        "corretto" => "java",
        name => name,
    };
    // Only a major version says no more than the name.
    if digits.len() < 2 && matches!(name, "python" | "go" | "php" | "ruby") {
        return None;
    }
    let version = match digits.char_indices().nth(1) {
        Some((at, _)) if matches!(name, "python" | "go" | "ruby" | "php") => {
            format!("{}.{}", &digits[..at], &digits[at..])
        }
        _ => digits.to_owned(),
    };
    let claim = Claim::exactly(version.as_str(), document.from(&["runtime"]));
    is_dotted(&version).then(|| (name.to_owned(), claim))
}

/// Platform.sh's: `type: "nodejs:18"`, `web: commands: start: …`.
fn platform_app(document: &Document, by: &'static str, declared: &mut Declared) {
    if let Some((name, version)) = document.text(&["type"]).and_then(|of| of.split_once(':')) {
        let name = match name {
            "nodejs" => "node",
            "golang" => "go",
            name => name,
        };
        if is_dotted(version) {
            let claim = Claim::exactly(version, document.from(&["type"]));
            declared.versions.push((name.to_owned(), claim));
        }
    }
    let keys = ["web", "commands", "start"];
    if let Some(command) = document.text(&keys)
        && let Some(start) = declared.start(command, document.from(&keys), by)
    {
        start.serves = true;
    }
    for (name, value) in document.table(&["variables", "env"]) {
        let from = document.from(&["variables", "env", name]);
        declared.variable(name, plain(value), from, by);
    }
}

fn cloud_foundry(document: &Document, by: &'static str, declared: &mut Declared) {
    let applications = document.get(&["applications"]).and_then(Value::as_array);
    let Some(application) = applications.and_then(|list| list.first()) else {
        return;
    };
    let from = |key: &str| document.from(&["applications", "0", key]);
    if let Some(command) = application.get("command").and_then(Value::as_str)
        && let Some(start) = declared.start(command, from("command"), by)
    {
        start.serves = application.get("no-route") != Some(&Value::Bool(true));
    }
    if let Some(path) = application
        .get("health-check-http-endpoint")
        .and_then(Value::as_str)
    {
        let from = from("health-check-http-endpoint");
        declared.health.push(Said::new(path, from));
    }
    let variables = application.get("env").and_then(Value::as_object);
    for (name, value) in variables.into_iter().flatten() {
        let from = document.from(&["applications", "0", "env", name]);
        declared.variable(name, plain(value), from, by);
    }
}

/// Heroku's `app.json`: what is set and what is added when somebody deploys it.
fn app_json(document: &Document, by: &'static str, declared: &mut Declared) {
    // Another tool has a file of the same name.
    if document.get(&["expo"]).is_some() {
        return;
    }
    for (name, value) in document.table(&["env"]) {
        let from = document.from(&["env", name]);
        let set = value.get("value").unwrap_or(value);
        let default = plain(set).filter(|text| !text.is_empty());
        let generated = value.get("generator").is_some();
        let required = value.get("required").map_or(
            value.is_object() && default.is_none() && !generated,
            |required| required != &Value::Bool(false) && required != "false",
        );
        declared.variable(name, default.clone(), from, by);
        if let Some(variable) = declared.variables.last_mut() {
            variable.required = required && default.is_none();
        }
    }
    for addon in texts_of(document, &["addons"], "plan") {
        addon_service(&addon, document.from(&["addons"]), declared);
    }
}

fn app_runner(document: &Document, by: &'static str, declared: &mut Declared) {
    if let Some(command) = document.text(&["run", "command"])
        && let Some(start) = declared.start(command, document.from(&["run", "command"]), by)
    {
        start.serves = true;
    }
    if let Some(number) = document.get(&["run", "network", "port"]).and_then(port) {
        let from = document.from(&["run", "network", "port"]);
        declared.ports.push(Said::new(number, from));
    }
    if let Some(runtime) = document.text(&["runtime"]) {
        let named = runtime_of(runtime, document);
        let exact = document
            .get(&["run", "runtime-version"])
            .and_then(plain)
            .filter(|version| is_dotted(version));
        let exactly = exact.map(|version| {
            let at = runtime.find(|one: char| one.is_ascii_digit());
            let name = match &runtime[..at.unwrap_or(runtime.len())] {
                "nodejs" => "node",
                "corretto" => "java",
                name => name,
            };
            let from = document.from(&["run", "runtime-version"]);
            (name.to_owned(), Claim::exactly(version, from))
        });
        declared.versions.extend(exactly.or(named));
    }
    if let Some(commands) = document.get(&["build", "commands", "build"]) {
        let from = document.from(&["build", "commands", "build"]);
        declared.build(texts(commands), from, by);
    }
}

/// The texts of a list, whose entries may hold them by a key.
fn texts_of(document: &Document, keys: &[&str], key: &str) -> Vec<String> {
    let list = document.get(keys).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|entry| plain(entry.get(key).unwrap_or(entry)))
        .collect()
}

/// `heroku-postgresql:mini`
fn addon_service(addon: &str, from: String, declared: &mut Declared) {
    const ADDONS: [(&str, &str); 10] = [
        ("heroku-postgresql", "postgresql"),
        ("cleardb", "mysql"),
        ("jawsdb", "mysql"),
        ("heroku-redis", "redis"),
        ("rediscloud", "redis"),
        ("mongolab", "mongodb"),
        ("cloudamqp", "rabbitmq"),
        ("heroku-kafka", "kafka"),
        ("bonsai", "elasticsearch"),
        ("memcachier", "memcached"),
    ];
    let name = addon.split(':').next().unwrap_or(addon);
    if let Some((_, service)) = ADDONS.iter().find(|(known, _)| *known == name) {
        declared.services.push(Said::new(*service, from));
    }
}
