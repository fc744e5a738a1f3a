//! From a tree to an analysis: every ecosystem is asked, the strongest answer is taken.

use std::collections::BTreeMap;

use ergon_manifest::{Application, Container, MANIFEST_VERSION, Manifest, Packaging, Project};

use crate::analysis::{Analysis, Fact, Question};
use crate::ecosystem::{self, Ecosystem, Found};
use crate::names;
use crate::sources::Sources;
use crate::tree::FileTree;

/// What a container's companion can do where nothing else is said.
const CAPABILITIES: [&str; 3] = ["monitor", "optimize", "debug"];

/// What Ergon makes of a tree, with where each claim was read.
pub fn analyse(tree: &dyn FileTree) -> Analysis {
    let sources = Sources::new(tree);
    let mut found: Vec<(&Ecosystem, Found)> = ecosystem::ALL
        .into_iter()
        .filter_map(|ecosystem| Some((ecosystem, (ecosystem.detect)(&sources)?)))
        .collect();
    // A stable sort: between equals, the one that stands first.
    found.sort_by_key(|(_, found)| std::cmp::Reverse(found.strength));
    let mut found = found.into_iter();
    let Some((_, taken)) = found.next() else {
        return unrecognised(sources);
    };
    let others: Vec<_> = found.map(|(ecosystem, _)| ecosystem.name).collect();
    recognised(taken, &others, sources)
}

fn recognised(found: Found, others: &[&str], sources: Sources<'_>) -> Analysis {
    let name = found
        .name
        .clone()
        .unwrap_or_else(|| names::NO_NAME.to_owned());
    let about = Some(name.clone());
    let mut facts: Vec<_> = found
        .report
        .facts
        .into_iter()
        .map(|fact| Fact {
            application: about.clone(),
            ..fact
        })
        .collect();
    // In the order of the topics, each topic as it was read.
    facts.sort_by_key(|fact| fact.topic);
    let mut questions: Vec<_> = found
        .report
        .questions
        .into_iter()
        .map(|question| Question {
            application: about.clone(),
            ..question
        })
        .collect();
    questions.extend(others.iter().map(|other| {
        Question::new(
            format!("A {other} program too? There are signs of one, but only `{name}` was taken."),
            "add it to applications in ergon.json".to_owned(),
        )
    }));
    for folder in ["node_modules", ".venv", "__pycache__"] {
        if sources.has_folder(folder) {
            questions.push(Question::new(
                format!(
                    "Is {folder} source? no ignore file leaves it out, so every build takes it in."
                ),
                format!("echo {folder} >> .gitignore"),
            ));
        }
    }
    questions.extend(sources.into_problems());
    if found.application.run_command.is_none() {
        questions.push(Question {
            application: about,
            text: "How is it started? nothing in the project says.".to_owned(),
            remedy: "write run_command into ergon.json".to_owned(),
        });
    }
    let container = Container {
        base_image: found.base_image,
        applications: vec![name.clone()],
        ports: found.application.ports.clone(),
        ci_name: Some(format!("{name}-ci")),
        ci_capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        ..Container::default()
    };
    let manifest = Manifest {
        project: found.name.map(|name| Project {
            name,
            repository: None,
        }),
        applications: BTreeMap::from([(name.clone(), found.application)]),
        containers: BTreeMap::from([(name.clone(), container)]),
        packaging: Packaging {
            build_order: vec![name],
            ..Packaging::default()
        },
        ..empty()
    };
    Analysis {
        manifest,
        facts,
        questions,
        looked_for: Vec::new(),
    }
}

fn unrecognised(sources: Sources<'_>) -> Analysis {
    let looked_for = ecosystem::ALL
        .into_iter()
        .map(|ecosystem| ecosystem.looks_for.to_owned())
        .collect();
    Analysis {
        manifest: empty(),
        facts: Vec::new(),
        questions: sources.into_problems(),
        looked_for,
    }
}

fn empty() -> Manifest {
    Manifest {
        manifest_version: MANIFEST_VERSION.to_owned(),
        project: None,
        applications: BTreeMap::new(),
        containers: BTreeMap::new(),
        packaging: Packaging::default(),
        lifecycle: None,
        federation: None,
    }
}

/// What an application is, in a few words: `a web service in Python 3.11`.
pub fn headline(application: &Application) -> String {
    let what = if application.ports.is_empty() {
        "a program"
    } else {
        "a web service"
    };
    let name = |text: &str| {
        ecosystem::of_language(text)
            .map_or_else(|| text.to_owned(), |ecosystem| ecosystem.name.to_owned())
    };
    let language = match application.language.as_str() {
        "javascript" => "JavaScript".to_owned(),
        "typescript" => "TypeScript".to_owned(),
        language => name(language),
    };
    match &application.runtime {
        Some(runtime) if name(&runtime.name) == language => {
            format!("{what} in {language} {}", runtime.version)
        }
        Some(runtime) => format!(
            "{what} in {language} on {} {}",
            name(&runtime.name),
            runtime.version
        ),
        None => format!("{what} in {language}"),
    }
}
