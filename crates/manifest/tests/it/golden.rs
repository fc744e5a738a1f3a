//! Digests that may never change: whoever has one must find the same manifest behind it.

use ergon_manifest::{Document, check, to_pretty_json};
use serde_json::json;

use crate::SEED_EXAMPLE;

#[test]
fn the_seed_examples_digest() {
    let digest = check(SEED_EXAMPLE).unwrap().digest();
    assert_eq!(
        digest.to_string(),
        "sha256:bd966a0f8991266bf31698f27c071487ffd42db46a2a464c81e7f49f971c41c0"
    );
}

/// `docs/evidence.md` tells outsiders this digest for the manifest that `docs/manifest.md` shows.
#[test]
fn the_documentations_example_has_the_digest_it_says() {
    let manual = include_str!("../../../../docs/manifest.md");
    let evidence = include_str!("../../../../docs/evidence.md");
    let (_, rest) = manual.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert!(evidence.contains(&check(example).unwrap().digest().to_string()));
}

#[test]
fn a_manifest_with_every_field() {
    let text = include_str!("every-field.json");
    let document = check(text).unwrap();
    assert_eq!(
        document.digest().to_string(),
        "sha256:93a1ce44104b41bacb27e54d30935b01d571e5d370688e66a85c0fd36a626930"
    );
    assert_eq!(to_pretty_json(&document.manifest), text);
}

#[test]
fn a_generated_manifest_has_the_digest_of_the_file_it_becomes() {
    let manifest = check(SEED_EXAMPLE).unwrap().manifest;
    let written = to_pretty_json(&manifest);
    assert_eq!(check(&written), Ok(Document::from_manifest(manifest)));
}

/// An absent field and its default are different texts; the digest is of the text.
#[test]
fn defaults_are_not_filled_in() {
    let text = r#"{ "manifest_version": "1.0", "applications": {}, "containers": {} }"#;
    let document = check(text).unwrap();
    assert_eq!(
        document.value,
        json!({ "manifest_version": "1.0", "applications": {}, "containers": {} })
    );
    assert_ne!(
        document.digest(),
        Document::from_manifest(document.manifest).digest()
    );
}
