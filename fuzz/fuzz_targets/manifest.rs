//! Whatever somebody wrote: it is a manifest, and then the same one when it is read again, or it is told why not.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match ergon_manifest::check(text) {
        Ok(document) => {
            let written = ergon_manifest::to_pretty_json(&document.manifest);
            let again = ergon_manifest::check(&written).expect("what is written can be read");
            assert_eq!(again.manifest, document.manifest);
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
});
