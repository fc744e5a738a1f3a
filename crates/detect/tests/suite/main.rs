//! Behaviour of detection, from trees to Dockerfiles.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod analysis;
mod beam;
mod claims;
mod clojure;
mod conflicts;
mod cpp;
mod declared;
mod declared_image;
mod deno;
mod disk;
mod dockerfile;
mod dotnet;
mod examples;
mod fetch;
mod found;
mod go;
mod java;
mod java_reads;
mod kept;
mod limits;
mod loopback;
mod nixpacks;
mod node;
mod node_install;
mod node_native;
mod node_reads;
mod node_stages;
mod node_start;
mod node_workspaces;
mod php;
mod plans;
mod plans_jvm;
mod plans_others;
mod ports;
mod python;
mod python_django;
mod python_install;
mod python_reads;
mod python_start;
mod remedies;
mod ruby;
mod rust;
mod rust_frameworks;
mod scala;
mod secrets;
mod several;
mod shell;
mod smaller;
mod static_site;
mod written_tree;

use ergon_detect::analysis::Analysis;
use ergon_detect::memory::MemoryTree;
use ergon_manifest::Application;

/// What detection says of a tree, as a short report.
fn report(tree: &MemoryTree) -> String {
    let analysis = ergon_detect::analyse(tree);
    let mut lines = Vec::new();
    for (name, application) in &analysis.manifest.applications {
        lines.push(format!("{name} · {}", ergon_detect::headline(application)));
    }
    for fact in &analysis.facts {
        let topic = serde_json::to_value(fact.topic).unwrap();
        let confidence = serde_json::to_value(fact.confidence).unwrap();
        let note = fact
            .note
            .as_deref()
            .map(|note| format!(" ({note})"))
            .unwrap_or_default();
        let from = if fact.from.is_empty() {
            "-"
        } else {
            &fact.from
        };
        lines.push(format!(
            "{}: {} [{from}, {}]{note}",
            topic.as_str().unwrap(),
            fact.value,
            confidence.as_str().unwrap()
        ));
    }
    for question in &analysis.questions {
        lines.push(format!("? {} → {}", question.text, question.remedy));
    }
    lines.join("\n")
}

/// The one application of an analysis.
fn application(analysis: &Analysis) -> &Application {
    let mut applications = analysis.manifest.applications.values();
    let application = applications.next().expect("something is recognised");
    assert!(applications.next().is_none());
    application
}

/// The one application that detection finds in files.
fn detected(files: &[(&str, &str)]) -> Application {
    let tree = MemoryTree::new(files.iter().copied());
    application(&ergon_detect::analyse(&tree)).clone()
}

/// The run command that detection finds in files.
fn run_command(files: &[(&str, &str)]) -> String {
    detected(files).run_command.expect("it can be started")
}
