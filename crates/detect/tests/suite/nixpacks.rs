//! What another tool's public examples are, beside the plans it expects of them.
//!
//! They are read where they lie: `NIXPACKS_EXAMPLES` names the `examples` folder of its repository, beside which
//! `tests/snapshots` holds the plans. Nothing of either is part of this repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ergon_detect::disk::DiskTree;
use serde_json::Value;

/// What is expected of one example.
struct Expected {
    name: String,
    folder: PathBuf,
    provider: String,
    start: Option<String>,
}

#[test]
fn the_examples_of_nixpacks_are_known() {
    let Some(examples) = std::env::var_os("NIXPACKS_EXAMPLES").map(PathBuf::from) else {
        eprintln!(
            "SKIPPED: NIXPACKS_EXAMPLES does not name the examples folder of github.com/railwayapp/nixpacks"
        );
        return;
    };
    let all = expected(&examples);
    assert!(
        all.len() > 100,
        "{} is not the examples folder",
        examples.display()
    );
    let (mut providers, mut starts, mut wanted_starts) = (0, 0, 0);
    let mut differences = String::new();
    for one in &all {
        let tree = DiskTree::open(&one.folder).unwrap();
        let analysis = ergon_detect::analyse(&tree);
        let applications: Vec<_> = analysis.manifest.applications.values().collect();
        let provider = applications
            .iter()
            .any(|application| languages(&one.provider).contains(&application.language.as_str()));
        let found: Vec<_> = applications
            .iter()
            .filter_map(|application| application.run_command.as_deref())
            .collect();
        let start = one
            .start
            .as_ref()
            .is_none_or(|start| found.iter().any(|found| key(found) == key(start)));
        providers += usize::from(provider);
        wanted_starts += usize::from(one.start.is_some());
        starts += usize::from(start && one.start.is_some());
        if !provider || !start {
            let languages: Vec<_> = applications
                .iter()
                .map(|one| one.language.as_str())
                .collect();
            let _ = writeln!(
                differences,
                "{}: {} as {languages:?}, `{}` as {found:?}",
                one.name,
                one.provider,
                one.start.as_deref().unwrap_or("-"),
            );
        }
    }
    eprintln!(
        "{providers} of {} providers, {starts} of {wanted_starts} start commands\n{differences}",
        all.len()
    );
    assert!(providers * 100 >= all.len() * 98, "{differences}");
    assert!(starts * 100 >= wanted_starts * 92, "{differences}");
}

fn expected(examples: &Path) -> Vec<Expected> {
    let snapshots = examples.join("../tests/snapshots");
    let mut names: Vec<String> = std::fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let known = names.into_iter().filter_map(|name| {
        let file = format!("generate_plan_tests__{}.snap", name.replace('-', "_"));
        let text = std::fs::read_to_string(snapshots.join(file)).ok()?;
        let plan: Value = serde_json::from_str(text.splitn(3, "---\n").nth(2)?).ok()?;
        let said = plan["variables"]["NIXPACKS_METADATA"].as_str()?;
        let provider = said.split(',').next().unwrap_or(said).to_owned();
        let start = plan["start"]["cmd"].as_str().map(str::to_owned);
        // What is declared by a variable of the tool's own is not in the folder.
        (name != "config-from-environment-variables").then(|| Expected {
            folder: examples.join(&name),
            name,
            provider,
            start,
        })
    });
    known.collect()
}

/// A provider's languages, as a manifest names them.
fn languages(provider: &str) -> Vec<&str> {
    match provider {
        "node" => vec!["javascript", "typescript"],
        "c#" => vec!["csharp"],
        "f#" => vec!["fsharp"],
        "java" => vec!["java", "kotlin"],
        "staticfile" => vec!["static"],
        "lunatic" => vec!["rust"],
        other => vec![other],
    }
}

/// A start command without what tools write differently and mean alike.
fn key(command: &str) -> String {
    if command.contains("caddy run") || command.starts_with("[[ -z") {
        return "a site's server".to_owned();
    }
    if command.contains("php-fpm") || command.contains("apache2-foreground") {
        return "a PHP server".to_owned();
    }
    if command.contains(" -jar ") {
        return "java -jar".to_owned();
    }
    let mut words = Vec::new();
    let mut rest = command.split_whitespace();
    while let Some(word) = rest.next() {
        match word {
            "exec" | "2>&1" => {}
            "--bind" | "--host" | "--port" | "-b" | "-p" => {
                rest.next();
            }
            word => words.push(
                word.trim_end_matches(":application")
                    .replace("bin/rails", "rails")
                    .replace("0.0.0.0:", ""),
            ),
        }
    }
    words.join(" ")
}
