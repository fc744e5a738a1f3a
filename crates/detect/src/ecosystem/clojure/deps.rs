//! `deps.edn`, with tools.build or without anything that builds.

use super::Described;
use super::edn::{self, Node};
use crate::ecosystem::java::build::{Build, Launch, Start, Used};
use crate::ecosystem::java::source::Main;
use crate::sources::Sources;

const FILE: &str = "deps.edn";
const BUILD: &str = "build.clj";

/// `group/artifact` as `group:artifact`; a name alone stands for both.
pub(super) fn coordinate(name: &str) -> String {
    match name.split_once('/') {
        Some((group, artifact)) => format!("{group}:{artifact}"),
        None => format!("{name}:{name}"),
    }
}

pub(super) fn describe(sources: &Sources<'_>, mains: &[Main]) -> Option<Described> {
    let text = sources.text(FILE)?;
    let forms = edn::read(&text);
    let root = forms.first()?;
    let listed = root.get(":deps").into_iter().flat_map(Node::pairs);
    let dependencies: Vec<Used> = listed
        .filter_map(|(name, value)| {
            let version = value.get(":mvn/version").and_then(Node::text);
            let tag = value.get(":git/tag").and_then(Node::text);
            Some(Used {
                name: coordinate(name.atom()?),
                version: version.or(tag).map(str::to_owned),
                from: format!("{FILE}:{}", name.line),
            })
        })
        .collect();
    let launch = built(sources, root).or_else(|| started(root, mains));
    let build = Build {
        tool: "clojure",
        label: "Clojure CLI",
        file: FILE.to_owned(),
        name: None,
        fetch: (!dependencies.is_empty() && sources.has(BUILD)).then(|| "clojure -P".to_owned()),
        pinned: Some((
            true,
            "deps.edn names each version, and released ones do not change".to_owned(),
        )),
        dependencies,
        ..Build::default()
    };
    Some(Described {
        build,
        launch,
        reads: Vec::new(),
        port: None,
    })
}

/// What `build.clj` makes: one file with all of it.
fn built(sources: &Sources<'_>, root: &Node) -> Option<Launch> {
    let text = sources.has(BUILD).then(|| sources.text(BUILD)).flatten()?;
    let forms = edn::read(&text);
    let mut aliases = root.get(":aliases").into_iter().flat_map(Node::pairs);
    let alias = aliases.find_map(|(name, alias)| {
        let tool = alias.get(":ns-default").and_then(Node::atom) == Some("build")
            || alias.leaves().iter().any(|leaf| {
                leaf.atom()
                    .is_some_and(|atom| atom.ends_with("/tools.build"))
            });
        tool.then(|| name.atom()).flatten()
    })?;
    let defines = |name: &str| {
        forms.iter().find(|form| {
            let items = form.items();
            items.first().and_then(Node::atom) == Some("defn")
                && items.get(1).and_then(Node::atom) == Some(name)
        })
    };
    let (task, line) = ["uber", "uberjar", "ci", "all", "build", "jar"]
        .iter()
        .find_map(|name| Some((*name, defines(name)?.line)))?;
    let pattern = uber_file(&forms).unwrap_or_else(|| "target/*.jar".to_owned());
    Some(Launch {
        command: format!("clojure -T{alias} {task}"),
        start: Start::Java(format!("-jar {pattern}")),
        artifacts: vec![if pattern.contains('*') {
            pattern.split('/').next().unwrap_or("target").to_owned()
        } else {
            pattern.clone()
        }],
        makes: pattern,
        from: format!("{BUILD}:{line}"),
        note: format!("{task} in {BUILD} puts all of it into one file"),
        question: None,
    })
}

/// The file that `uber` is told to make, where the text names it: `(format "target/%s-standalone.jar" …)`.
fn uber_file(forms: &[Node]) -> Option<String> {
    let texts: Vec<&str> = forms
        .iter()
        .flat_map(Node::leaves)
        .filter_map(Node::text)
        .filter(|text| text.ends_with(".jar"))
        .collect();
    let named = texts
        .iter()
        .find(|text| text.contains("standalone") || text.contains("uber"))
        .or_else(|| texts.last())?;
    let mut pattern = named.replace("%s", "*").replace("%d", "*");
    while pattern.contains("*-*") {
        pattern = pattern.replace("*-*", "*");
    }
    let plain = pattern
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/*".contains(c));
    // A name without a folder is only the end of one.
    let pattern = if pattern.contains('/') {
        pattern
    } else {
        format!("target/*{}", pattern.trim_start_matches('*'))
    };
    (plain && !pattern.starts_with(['/', '*']) && !pattern.contains("..")).then_some(pattern)
}

/// A namespace that is started as it is, with all libraries beside it.
fn started(root: &Node, mains: &[Main]) -> Option<Launch> {
    let mut aliases = root.get(":aliases").into_iter().flat_map(Node::pairs);
    let of_alias = aliases.find_map(|(name, alias)| {
        let options = alias.get(":main-opts")?;
        let texts: Vec<&str> = options.items().iter().filter_map(Node::text).collect();
        let [.., "-m", namespace] = texts.as_slice() else {
            return None;
        };
        let own = mains.iter().any(|main| main.class == *namespace);
        own.then(|| ((*namespace).to_owned(), format!("{FILE}:{}", name.line)))
    });
    let of_code = || {
        mains
            .first()
            .map(|main| (main.class.clone(), main.from.clone()))
    };
    let (namespace, from) = of_alias.or_else(of_code)?;
    let paths = root.get(":paths").map(Node::items).unwrap_or_default();
    let mut artifacts: Vec<String> = paths
        .iter()
        .filter_map(Node::text)
        .filter(|path| !path.starts_with(['/', '.']))
        .map(str::to_owned)
        .collect();
    if artifacts.is_empty() {
        artifacts.push("src".to_owned());
    }
    Some(Launch {
        command: "clojure -Sdeps '{:mvn/local-repo \"libs\"}' -Spath > classpath".to_owned(),
        makes: "classpath, and the libraries in libs".to_owned(),
        start: Start::Java(format!(
            "-cp \"$(cat classpath)\" clojure.main -m {namespace}"
        )),
        artifacts: [artifacts, vec!["libs".to_owned(), "classpath".to_owned()]].concat(),
        from,
        note: format!("{namespace} has a -main, and nothing packs it"),
        question: None,
    })
}
