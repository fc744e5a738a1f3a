//! The projects under `examples/` are what Ergon says they are.

use std::path::PathBuf;

use ergon_detect::disk::DiskTree;

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn generated(name: &str) -> String {
    let tree = DiskTree::open(&example(name)).unwrap();
    assert_eq!(tree.skipped(), []);
    ergon_manifest::to_pretty_json(&ergon_detect::analyse(&tree).manifest)
}

#[test]
fn the_committed_manifests_are_the_generated_ones() {
    for name in ["fastapi", "express", "go-hello"] {
        let committed = std::fs::read_to_string(example(name).join("ergon.json")).unwrap();
        assert_eq!(
            generated(name),
            committed,
            "write it again: ergon manifest init examples/{name}"
        );
    }
}

#[test]
fn the_committed_manifests_hold() {
    for name in ["fastapi", "express", "go-hello"] {
        let text = generated(name);
        let document = ergon_manifest::check(&text).unwrap();
        assert_eq!(ergon_manifest::to_pretty_json(&document.manifest), text);
    }
}

#[test]
fn what_cannot_be_made_sense_of_is_said_to_be_so() {
    let tree = DiskTree::open(&example("unknown")).unwrap();
    let analysis = ergon_detect::analyse(&tree);
    assert!(analysis.manifest.applications.is_empty());
    assert!(analysis.manifest.containers.is_empty());
    assert!(
        analysis
            .looked_for
            .iter()
            .any(|what| what.contains("package.json"))
    );
}
