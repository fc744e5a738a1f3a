//! Inputs at which fuzzing found something wrong: they stay, and must be taken from now on.

use std::path::Path;

use ergon_detect::{analyse, dockerfile, plan};

use crate::written_tree;

#[test]
fn what_fuzzing_found_is_taken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/found");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        eprintln!("{}", file.display());
        let tree = written_tree::read(&std::fs::read(&file).unwrap());
        let analysis = analyse(&tree);
        if !analysis.manifest.applications.is_empty() {
            let text = ergon_manifest::to_pretty_json(&analysis.manifest);
            ergon_manifest::check(&text).unwrap();
        }
        let containers = plan::plan(&analysis.manifest, &tree).unwrap();
        for container in &containers {
            dockerfile::render(container);
        }
    }
}
