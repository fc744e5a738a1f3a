//! Whatever stands in a project's files: the analysis ends, its manifest holds, and it can be planned and written down.
#![no_main]

#[path = "../../crates/detect/tests/suite/written_tree.rs"]
mod written_tree;

use ergon_detect::{analyse, dockerfile, plan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let tree = written_tree::read(text);
    let analysis = analyse(&tree);
    if !analysis.manifest.applications.is_empty() {
        let text = ergon_manifest::to_pretty_json(&analysis.manifest);
        ergon_manifest::check(&text).expect("what detection says is a manifest");
    }
    let containers = plan::plan(&analysis.manifest, &tree).expect("what detection says can be planned");
    for container in &containers {
        dockerfile::render(container);
    }
});
