//! What is attached to an image by somebody who means harm: never `ok`, never a panic, never without end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ergon_manifest::{Digest, canonical_json};
use ergon_oci::model::Descriptor;
use ergon_oci::referrers::{Artifact, ENVELOPE, PREDICATE_TYPE};
use ergon_oci::{ConfigChange, Image, assemble};
use ergon_pack::Cache;
use ergon_pack::attest::check::{Chain, Checked, Outcome, What};
use ergon_pack::attest::envelope::Envelope;
use ergon_pack::attest::{Format, MANIFEST, PAYLOAD_TYPE, PROOF, PROVENANCE, StackKey, Statement};
use serde_json::{Value, json};

const EPOCH: u64 = 315_532_800;
const KINDS: [What; 4] = [What::Provenance, What::Cyclonedx, What::Spdx, What::Proof];

/// An image that says Ergon built it, and two keys.
struct Site {
    _folder: tempfile::TempDir,
    cache: Cache,
    image: Image,
    key: StackKey,
    other: StackKey,
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path().join("cache")).unwrap();
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    let labels = ["manifest.digest", "source.digest", "build.hash"];
    let labels = labels.map(|name| (format!("dev.ergon.{name}"), digest(name)));
    let change = ConfigChange {
        labels: labels.clone().into_iter().collect(),
        annotations: labels.into_iter().collect(),
        ..ConfigChange::default()
    };
    let image = assemble(None, &[], &change, EPOCH, "linux/amd64", cache.blobs()).unwrap();
    Site {
        key: StackKey::open(&folder.path().join("key")).unwrap(),
        other: StackKey::open(&folder.path().join("other")).unwrap(),
        _folder: folder,
        cache,
        image,
    }
}

const fn predicate_type(what: What) -> &'static str {
    match what {
        What::Cyclonedx => Format::CycloneDx.predicate_type(),
        What::Spdx => Format::Spdx.predicate_type(),
        What::Proof => PROOF,
        _ => PROVENANCE,
    }
}

impl Site {
    fn attach(&self, artifact_type: &str, said: &str, content: &[u8]) -> Descriptor {
        let artifact = Artifact {
            artifact_type,
            media_type: artifact_type,
            content,
            annotations: BTreeMap::from([(PREDICATE_TYPE.to_owned(), said.to_owned())]),
        };
        self.cache.referrers().add(&self.image, &artifact).unwrap()
    }

    fn check(&self, referrers: &[Descriptor]) -> Vec<Checked> {
        let chain = Chain {
            image: &self.image,
            blobs: self.cache.blobs(),
            referrers,
            key: self.key.public(),
            source: None,
        };
        chain.check()
    }

    /// What is said of each kind of statement where this envelope is attached as one.
    fn said(&self, document: &[u8]) -> Vec<(Outcome, String)> {
        KINDS
            .iter()
            .map(|what| {
                let attached = self.attach(ENVELOPE, predicate_type(*what), document);
                let checks = self.check(&[attached]);
                let check = checks.into_iter().find(|check| check.what == *what);
                check.map(|check| (check.outcome, check.detail)).unwrap()
            })
            .collect()
    }
}

fn signed(payload: &Value, key: &StackKey) -> Vec<u8> {
    let payload = serde_json::to_vec(payload).unwrap();
    canonical_json(&Envelope::sign(PAYLOAD_TYPE, &payload, key)).unwrap()
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn what_is_no_statement_is_said_to_be_none() {
    let site = site();
    let envelope = |payload: &str| {
        json!({
            "payload": payload, "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": site.key.public().id().to_string(), "sig": ""}],
        })
        .to_string()
    };
    let encoded = |payload: &str| envelope(&BASE64_STANDARD.encode(payload));
    let many = vec![json!({"keyid": "k\n\u{1b}[31mok".repeat(1000), "sig": "AA=="}); 2000];
    let documents = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
        "{\"payload\":1,\"payloadType\":[],\"signatures\":{}}".to_owned(),
        "{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":null}".to_owned(),
        nested(200_000),
        format!("{{\"payload\":{}}}", nested(200_000)),
        envelope("%%%"),
        envelope("AA"),
        envelope("===="),
        encoded(""),
        encoded("null"),
        encoded("\u{fffd}\0"),
        encoded(&nested(200_000)),
        encoded("{\"predicateType\":7}"),
        json!({"payload": "e30=", "payloadType": "text/plain", "signatures": many}).to_string(),
        json!({"payload": "e30=", "payloadType": "text/plain", "signatures": []}).to_string(),
    ];
    for document in &documents {
        let start: String = document.chars().take(80).collect();
        for (outcome, detail) in site.said(document.as_bytes()) {
            assert_eq!(outcome, Outcome::Broken, "{start}: {detail}");
            let is_clear = detail.contains("cannot be read: ");
            assert!(is_clear && detail.len() < 400, "{start}: {detail}");
        }
    }
}

#[test]
fn what_the_key_did_not_sign_as_it_is_never_holds() {
    let site = site();
    let about = |what: What, digest: &Digest| -> Value {
        let predicate =
            json!({"bomFormat": "CycloneDX", "components": [], "packages": [], "equal": true});
        let statement = Statement::about("name", digest, predicate_type(what), predicate);
        serde_json::to_value(statement).unwrap()
    };
    for what in KINDS {
        let said = |document: &[u8]| {
            let attached = site.attach(ENVELOPE, predicate_type(what), document);
            let checks = site.check(&[attached]);
            let check = checks.into_iter().find(|check| check.what == what).unwrap();
            (check.outcome, check.detail)
        };
        // Another key, which calls itself what it likes.
        let statement = about(what, &site.image.digest);
        let others = signed(&statement, &site.other);
        let (outcome, detail) = said(&others);
        assert_ne!(outcome, Outcome::Holds);
        assert!(detail.contains("not by this key"), "{detail}");
        let mut named: Value = serde_json::from_slice(&others).unwrap();
        named["signatures"][0]["keyid"] = site.key.public().id().to_string().into();
        let (outcome, detail) = said(named.to_string().as_bytes());
        assert_eq!(outcome, Outcome::Broken);
        assert!(detail.contains("the key did not sign it"), "{detail}");
        named["signatures"][0]["keyid"] = "\n\u{1b}[32mok".repeat(50_000).into();
        let (outcome, detail) = said(named.to_string().as_bytes());
        assert!(outcome != Outcome::Holds && detail.len() < 400, "{detail}");
        // The key itself, of another image.
        let another = about(what, &Digest::of(b"another"));
        let (outcome, detail) = said(&signed(&another, &site.key));
        assert_eq!(outcome, Outcome::Broken);
        assert!(detail.contains("about another image"), "{detail}");
        // Cut off, or of another type than was signed.
        let own = signed(&statement, &site.key);
        let mut changed: Value = serde_json::from_slice(&own).unwrap();
        for (field, value) in [
            ("payloadType", json!("application/json")),
            ("payload", json!(BASE64_STANDARD.encode(b"{}"))),
        ] {
            let before = std::mem::replace(&mut changed[field], value);
            assert_eq!(said(changed.to_string().as_bytes()).0, Outcome::Broken);
            changed[field] = before;
        }
        assert_eq!(said(&own[..own.len() - 1]).0, Outcome::Broken);
    }
}

#[test]
fn what_the_key_signed_with_wrong_types_in_it_does_not_hold() {
    let site = site();
    let digest = site.image.digest.hex();
    for what in KINDS {
        for predicate in [
            json!(null),
            json!("text"),
            json!([]),
            json!({}),
            json!({"components": "x", "packages": {}, "equal": "true", "buildHash": 7}),
            json!({"buildDefinition": {"buildType": [], "externalParameters": null}}),
        ] {
            for subject in [
                json!([{"digest": {"sha256": digest}}]),
                json!([]),
                json!("image"),
                json!([{"digest": {"sha256": 7}}]),
            ] {
                let statement = json!({
                    "_type": "https://in-toto.io/Statement/v1", "subject": subject,
                    "predicateType": predicate_type(what), "predicate": predicate,
                });
                let document = signed(&statement, &site.key);
                let attached = site.attach(ENVELOPE, predicate_type(what), &document);
                let checks = site.check(&[attached]);
                let check = checks.iter().find(|check| check.what == what).unwrap();
                assert_eq!(
                    check.outcome,
                    Outcome::Broken,
                    "{statement}: {}",
                    check.detail
                );
            }
        }
    }
}

#[test]
fn much_that_is_attached_is_looked_at_once_and_not_for_long() {
    let site = site();
    let begun = Instant::now();
    // The same large document, attached as often as anybody likes.
    let payload = json!({"predicateType": PROVENANCE, "predicate": "a".repeat(4 << 20)});
    let document = signed(&payload, &site.other);
    let attached: Vec<Descriptor> = (0..200)
        .map(|number| site.attach(ENVELOPE, &format!("type {number}"), &document))
        .collect();
    let checks = site.check(&attached);
    assert!(
        checks
            .iter()
            .any(|check| check.detail.contains("not by this key"))
    );
    // Documents that are larger than anything that is attached, and more of them.
    let blobs = site.cache.blobs();
    let mut referrer = attached[0].clone();
    let said = (
        "in-toto.io/predicate-type".to_owned(),
        PROVENANCE.to_owned(),
    );
    referrer.annotations.extend([said]);
    let path = blobs.path(&Digest::of(b"large"));
    std::fs::File::create(path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    for layers in [1, 5000] {
        let layer = Descriptor::new(ENVELOPE, Digest::of(b"large"), 1 << 40);
        let mut manifest = ergon_oci::referrers::artifact_manifest(blobs, &attached[0]).unwrap();
        manifest.layers = vec![layer; layers];
        referrer.digest = blobs.put(&canonical_json(&manifest).unwrap()).unwrap();
        let checks = site.check(std::slice::from_ref(&referrer));
        let broken = checks.iter().find(|check| check.outcome == Outcome::Broken);
        let detail = &broken.unwrap().detail;
        assert!(detail.contains("are attached to the image"), "{detail}");
    }
    // A manifest of an artifact that is none.
    referrer.digest = Digest::of(b"large");
    assert!(
        site.check(&[referrer])
            .iter()
            .all(|check| check.what != What::Provenance
                || check.detail.contains("at most 4194304 are read"))
    );
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_manifest_that_is_not_the_images_does_not_hide_the_one_that_is() {
    let site = site();
    let wrong = site.attach(MANIFEST, "", b"{}");
    let says = |referrers: &[Descriptor]| {
        let checks = site.check(referrers);
        let check = checks.iter().find(|check| check.what == What::Manifest);
        check.map(|check| check.outcome).unwrap()
    };
    assert_eq!(says(std::slice::from_ref(&wrong)), Outcome::Broken);
    // Its digest is what the image's label says.
    let right = site.attach(MANIFEST, "", b"manifest.digest");
    assert_eq!(says(&[wrong, right]), Outcome::Holds);
}
