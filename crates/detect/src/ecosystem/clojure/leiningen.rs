//! Leiningen: `project.clj`.

use super::Described;
use super::edn::{self, Node};
use crate::ecosystem::java::build::{Build, Launch, Start, Used};
use crate::ecosystem::java::source::Main;
use crate::ecosystem::{Claim, Port};
use crate::environment::{Need, Read};
use crate::names;
use crate::sources::Sources;

const FILE: &str = "project.clj";

pub(super) fn describe(sources: &Sources<'_>, mains: &[Main]) -> Option<Described> {
    let text = sources.text(FILE)?;
    let forms = edn::read(&text);
    let project = forms
        .iter()
        .find(|form| form.items().first().and_then(Node::atom) == Some("defproject"))?;
    let name = project.items().get(1)?.atom()?.to_owned();
    let version = project.items().get(2).and_then(Node::text);
    let artifact = name.rsplit('/').next().unwrap_or(&name);
    let listed = |key: &str| -> Vec<Used> {
        let list = project.get(key).map(Node::items).unwrap_or_default();
        list.iter().filter_map(library).collect()
    };
    let dependencies = listed(":dependencies");
    let plugins = listed(":plugins");
    let open = dependencies.iter().find(|used| {
        used.version.as_deref().is_some_and(|version| {
            version.ends_with("-SNAPSHOT") || matches!(version, "LATEST" | "RELEASE")
        })
    });
    let pinned = match open {
        Some(open) => (
            false,
            format!("another day may bring another {}", open.name),
        ),
        None => (
            true,
            "project.clj names each version, and released ones do not change".to_owned(),
        ),
    };
    let ring = project.get(":ring").filter(|_| {
        plugins
            .iter()
            .any(|plugin| plugin.name == "lein-ring:lein-ring")
    });
    let mut reads = Vec::new();
    let mut port = None;
    if let Some(ring) = ring {
        let said = ring
            .get(":port")
            .and_then(|node| Some((crate::scan::port(node.atom()?)?, node.line)));
        let (number, line) = said.unwrap_or((3000, ring.line));
        let from = format!("{FILE}:{line}");
        port = Some(match said {
            Some(_) => Port::fallback(number, &from),
            None => Port::usual(number, "lein-ring's default"),
        });
        reads.push(reads_port(number, from));
    }
    if let Some(luminus) = dependencies
        .iter()
        .find(|used| used.name.starts_with("luminus-"))
    {
        let config = "env/prod/resources/config.edn";
        let said = sources
            .has(config)
            .then(|| sources.text(config))
            .flatten()
            .and_then(|text| {
                let forms = edn::read(&text);
                let node = forms.first()?.get(":port")?;
                Some((
                    crate::scan::port(node.atom()?)?,
                    format!("{config}:{}", node.line),
                ))
            });
        port = Some(match &said {
            Some((number, from)) => Port::fallback(*number, from),
            None => Port::usual(3000, "Luminus's default"),
        });
        let (number, from) = said.unwrap_or((3000, luminus.from.clone()));
        reads.push(reads_port(number, from));
    }
    let launch = launch(project, artifact, version, ring.is_some(), mains);
    let build = Build {
        tool: "leiningen",
        label: "Leiningen",
        file: FILE.to_owned(),
        name: names::from_package(artifact),
        claims: Vec::<Claim>::new(),
        fetch: (!dependencies.is_empty()).then(|| "lein deps".to_owned()),
        pinned: Some(pinned),
        lock: None,
        dependencies,
        plugins,
    };
    Some(Described {
        build,
        launch,
        reads,
        port,
    })
}

fn reads_port(number: u16, from: String) -> Read {
    Read {
        name: "PORT".to_owned(),
        need: Need::Default(number.to_string()),
        from,
    }
}

/// `[group/artifact "1.0"]`
fn library(node: &Node) -> Option<Used> {
    let items = node.items();
    Some(Used {
        name: super::deps::coordinate(items.first()?.atom()?),
        version: items.get(1).and_then(Node::text).map(str::to_owned),
        from: format!("{FILE}:{}", node.line),
    })
}

/// The one file that holds all of it, in `target`.
fn launch(
    project: &Node,
    artifact: &str,
    version: Option<&str>,
    ring: bool,
    mains: &[Main],
) -> Option<Launch> {
    let main = project.get(":main");
    let of_profile = project
        .get(":profiles")
        .and_then(|profiles| profiles.get(":uberjar"));
    let is_false = main.is_some_and(|main| main.atom() == Some("nil"));
    let main_of_profile = of_profile.and_then(|profile| profile.get(":main"));
    let starts = (main.is_some() && !is_false) || main_of_profile.is_some() || ring;
    // Without a class to start there is none in the file.
    let (decided, question) = match (starts, mains.first()) {
        (true, _) => (
            main.or(main_of_profile)
                .map_or(project.line, |main| main.line),
            None,
        ),
        (false, Some(main)) => (
            project.line,
            Some((
                format!("Does {FILE} say :main? {} could be started.", main.class),
                format!(
                    "add :main {} to {FILE}, and (:gen-class) to its namespace",
                    main.class
                ),
            )),
        ),
        (false, None) => return None,
    };
    let named = of_profile
        .and_then(|profile| profile.get(":uberjar-name"))
        .or_else(|| project.get(":uberjar-name"))
        .and_then(Node::text);
    let plain = |name: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
    };
    let exact = match (named, version) {
        (Some(named), _) => Some(named.replace("%s", version.unwrap_or(""))),
        (None, Some(version)) => Some(format!("{artifact}-{version}-standalone.jar")),
        (None, None) => None,
    };
    let exact = exact.filter(|name| plain(name));
    let pattern = match named {
        Some(named) if !named.contains('%') && plain(named) => named.to_owned(),
        Some(_) => "*.jar".to_owned(),
        None => "*-standalone.jar".to_owned(),
    };
    let folder = project
        .get(":target-path")
        .and_then(Node::text)
        .unwrap_or("target")
        .trim_end_matches('/');
    let task = if ring {
        "lein ring uberjar"
    } else {
        "lein uberjar"
    };
    let (command, folder) = match folder.split_once("/%s") {
        // Each set of profiles has a folder of its own there, whose name is no one's business.
        Some((folder, _)) if plain(folder) => (
            format!(
                "{task} && find {folder} -mindepth 2 -name '{pattern}' -exec mv '{{}}' {folder}/ ';'"
            ),
            folder.to_owned(),
        ),
        None if folder
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c)) =>
        {
            (task.to_owned(), folder.to_owned())
        }
        _ => (task.to_owned(), "target".to_owned()),
    };
    let makes = format!("{folder}/{}", exact.as_deref().unwrap_or(&pattern));
    Some(Launch {
        command,
        start: Start::Java(format!("-jar {folder}/{pattern}")),
        artifacts: vec![if makes.contains('*') {
            folder
        } else {
            makes.clone()
        }],
        makes,
        from: format!("{FILE}:{decided}"),
        note: "Leiningen puts all of it into one file".to_owned(),
        question,
    })
}
