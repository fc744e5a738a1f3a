//! What is attached to an image: that it is there once, that it holds, that others can read it.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ergon_manifest::Digest;
use ergon_oci::Image;
use ergon_oci::model::Descriptor;
use ergon_oci::referrers::{artifact_contents, artifact_manifest};
use ergon_pack::attest::check::{Chain, Checked, Claimed, Outcome, What};
use ergon_pack::attest::envelope::{Envelope, encode};
use ergon_pack::attest::{
    Attached, Format, MANIFEST, PROOF, PROVENANCE, PUBLIC_FILE, StackKey, Statement, attest,
};
use ergon_pack::{BuildRecord, Comparison, Condition, ImageVerification, Verification, identify};

use crate::world::World;

/// Python with `cyclonedx-python-lib[validation]` and `spdx-tools`.
const VALIDATORS: &str = "ERGON_SBOM_VALIDATORS";

/// A world with a build in it that has something to tell.
struct Site {
    world: World,
    folder: std::path::PathBuf,
    record: BuildRecord,
    key: StackKey,
}

impl Site {
    async fn new() -> Self {
        let world = World::new();
        let folder = world.project("told");
        for (path, content) in [
            (
                "lib/idna-3.7.dist-info/METADATA",
                "Name: idna\nVersion: 3.7\nLicense: BSD-3-Clause\n\nText\n",
            ),
            (
                "lib/odd-1.dist-info/METADATA",
                "Name: odd\nVersion: 1\nLicense: whatever they say\n",
            ),
            (
                "Cargo.lock",
                "version = 4\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"abababababababababababababababababababababababababababababababab\"\n",
            ),
        ] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let record = world.build(&folder).await.record;
        let key = StackKey::open(&world.cache.root().join("data")).unwrap();
        Self {
            world,
            folder,
            record,
            key,
        }
    }

    async fn attest(&self) -> Attached {
        let prepared = self.world.prepare(&self.folder).await;
        let attached = attest(&prepared, &self.record, &self.world.cache, &self.key).await;
        attached.unwrap().remove(0)
    }

    fn image(&self) -> Image {
        Image::load(self.world.cache.blobs(), &self.record.images[0].digest).unwrap()
    }

    fn check(&self, referrers: &[Descriptor], key: &StackKey) -> Vec<Checked> {
        let identity = identify(&self.folder, &self.world.cache, None).unwrap();
        let chain = Chain {
            image: &self.image(),
            blobs: self.world.cache.blobs(),
            referrers,
            key: key.public(),
            source: Some(Claimed {
                manifest: identity.manifest_digest,
                source: identity.source_digest,
            }),
        };
        chain.check()
    }

    fn document(&self, referrer: &Descriptor) -> Vec<u8> {
        let contents = artifact_contents(self.world.cache.blobs(), referrer).unwrap();
        contents.into_iter().next().unwrap().1
    }

    fn statement(&self, referrer: &Descriptor) -> Statement {
        let envelope: Envelope = serde_json::from_slice(&self.document(referrer)).unwrap();
        Statement::of(&envelope).unwrap()
    }
}

fn outcome(checks: &[Checked], what: What) -> Outcome {
    checks
        .iter()
        .find(|check| check.what == what)
        .unwrap()
        .outcome
}

#[tokio::test]
async fn a_build_is_attested_once_and_its_chain_holds() {
    let site = Site::new().await;
    let attached = site.attest().await;
    assert_eq!(attached.referrers.len(), 4);
    assert_eq!(attached.packages(), Some(3));
    let listed = || site.world.cache.referrers().list(&attached.image).unwrap();
    assert_eq!(site.attest().await.referrers, attached.referrers);
    assert_eq!(listed(), attached.referrers, "nothing is done twice");

    let manifest = attached
        .referrers
        .iter()
        .find(|known| known.artifact_type.as_deref() == Some(MANIFEST))
        .unwrap();
    assert_eq!(
        Digest::of(&site.document(manifest)),
        site.record.inputs.manifest
    );
    let artifact = artifact_manifest(site.world.cache.blobs(), manifest).unwrap();
    assert_eq!(artifact.subject.unwrap().digest, attached.image);

    let checks = site.check(&attached.referrers, &site.key);
    for check in &checks {
        let expected = if check.what == What::Proof {
            Outcome::Absent
        } else {
            Outcome::Holds
        };
        assert_eq!(check.outcome, expected, "{check:?}");
    }

    // Another key says the same of it, beside the first.
    let other = StackKey::open(&site.world.cache.root().join("other")).unwrap();
    let prepared = site.world.prepare(&site.folder).await;
    attest(&prepared, &site.record, &site.world.cache, &other)
        .await
        .unwrap();
    assert_eq!(listed().len(), 7);
    for key in [&site.key, &other] {
        let checks = site.check(&listed(), key);
        assert!(checks.iter().all(|check| check.outcome != Outcome::Broken));
    }
}

#[tokio::test]
async fn what_was_changed_or_is_missing_does_not_hold() {
    let site = Site::new().await;
    let attached = site.attest().await;
    let blobs = site.world.cache.blobs();

    let nothing = site.check(&[], &site.key);
    assert_eq!(outcome(&nothing, What::Provenance), Outcome::Broken);
    let stranger = StackKey::open(&site.world.cache.root().join("stranger")).unwrap();
    let by_others = site.check(&attached.referrers, &stranger);
    assert_eq!(outcome(&by_others, What::Provenance), Outcome::Broken);
    assert_eq!(outcome(&by_others, What::Spdx), Outcome::Absent);

    // The signature stays, what it is over does not.
    let provenance = attached.of(PROVENANCE).unwrap();
    let text = String::from_utf8(site.document(provenance)).unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&text).unwrap();
    let payload = BASE64_STANDARD
        .decode(envelope["payload"].as_str().unwrap())
        .unwrap();
    let changed = String::from_utf8(payload)
        .unwrap()
        .replace("315532800", "315532801");
    let mut forged = envelope.clone();
    forged["payload"] = BASE64_STANDARD.encode(changed).into();
    let forged = forged.to_string().into_bytes();
    let mut manifest = artifact_manifest(blobs, provenance).unwrap();
    manifest.layers[0].digest = blobs.put(&forged).unwrap();
    manifest.layers[0].size = forged.len() as u64;
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let forged = Descriptor {
        digest: blobs.put(&manifest).unwrap(),
        ..provenance.clone()
    };
    let checks = site.check(&[forged], &site.key);
    assert_eq!(outcome(&checks, What::Provenance), Outcome::Broken);

    // Signed by the right key, and about another image.
    let other = world_image(&site).await;
    let moved = Chain {
        image: &other,
        blobs,
        referrers: &attached.referrers,
        key: site.key.public(),
        source: None,
    };
    let checks = moved.check();
    assert_eq!(outcome(&checks, What::Provenance), Outcome::Broken);
    assert_eq!(outcome(&checks, What::Spdx), Outcome::Broken);
    assert_eq!(
        outcome(&checks, What::Manifest),
        Outcome::Holds,
        "the same one"
    );

    // A source that moved on.
    std::fs::write(site.folder.join("serve.sh"), "#!/bin/sh\n# more\n").unwrap();
    let checks = site.check(&attached.referrers, &site.key);
    assert_eq!(outcome(&checks, What::Source), Outcome::Broken);
    assert_eq!(outcome(&checks, What::Provenance), Outcome::Holds);

    // One byte of one layer.
    let layer = site.image().layers().last().unwrap().digest;
    let mut bytes = std::fs::read(blobs.path(&layer)).unwrap();
    let last = bytes.len() - 9;
    bytes[last] ^= 1;
    std::fs::write(blobs.path(&layer), bytes).unwrap();
    let checks = site.check(&attached.referrers, &site.key);
    assert_eq!(outcome(&checks, What::Content), Outcome::Broken);
}

async fn world_image(site: &Site) -> Image {
    let folder = site.world.project("other");
    let digest = site.world.image_digest(&folder).await;
    Image::load(site.world.cache.blobs(), &digest).unwrap()
}

#[tokio::test]
async fn the_last_comparison_is_the_proof() {
    let mut site = Site::new().await;
    let image = site.record.images[0].clone();
    let verification = |at: &str, equal: bool| Verification {
        at: at.to_owned(),
        milliseconds: 1,
        conditions: vec![Condition {
            name: "clock".to_owned(),
            first: "now".to_owned(),
            second: Some("later".to_owned()),
            note: None,
            fixed: false,
        }],
        images: vec![ImageVerification {
            container: image.container.clone(),
            first: image.digest,
            second: image.digest,
            comparison: Comparison {
                equal,
                compared: 3,
                different: u64::from(!equal),
                differences: Vec::new(),
            },
        }],
        depends_on_fixed: Vec::new(),
    };
    for (at, equal, expected) in [
        ("2026-01-01T00:00:00Z", false, Outcome::Broken),
        ("2026-01-02T00:00:00Z", true, Outcome::Holds),
    ] {
        site.record.verification = Some(verification(at, equal));
        let attached = site.attest().await;
        let proofs = attached
            .referrers
            .iter()
            .filter(|known| ergon_pack::attest::predicate(known) == Some(PROOF));
        assert_eq!(proofs.count(), 1, "the last comparison counts");
        let statement = site.statement(attached.of(PROOF).unwrap());
        assert_eq!(statement.predicate["verifiedAt"], at);
        let checks = site.check(&attached.referrers, &site.key);
        assert_eq!(outcome(&checks, What::Proof), expected);
    }
}

#[tokio::test]
async fn the_same_image_and_key_give_the_same_bills_of_materials() {
    let (first, second) = (Site::new().await, Site::new().await);
    let second = Site {
        key: first.key.clone(),
        ..second
    };
    let (one, two) = (first.attest().await, second.attest().await);
    for format in [Format::CycloneDx, Format::Spdx] {
        let predicate = format.predicate_type();
        assert_eq!(
            one.of(predicate).unwrap().digest,
            two.of(predicate).unwrap().digest
        );
    }
}

/// An implementation that shares nothing with ours: OpenSSL.
#[tokio::test]
async fn openssl_verifies_what_was_signed() {
    let site = Site::new().await;
    let attached = site.attest().await;
    let document = site.document(attached.of(PROVENANCE).unwrap());
    let envelope: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let bytes =
        |value: &serde_json::Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    let folder = site.world.cache.root().join("data");
    let payload = bytes(&envelope["payload"]);
    let kind = envelope["payloadType"].as_str().unwrap();
    std::fs::write(folder.join("message"), encode(kind, &payload)).unwrap();
    std::fs::write(
        folder.join("signature"),
        bytes(&envelope["signatures"][0]["sig"]),
    )
    .unwrap();
    let verify = || {
        let ran = Command::new("openssl")
            .current_dir(&folder)
            .args([
                "pkeyutl",
                "-verify",
                "-pubin",
                "-rawin",
                "-inkey",
                PUBLIC_FILE,
            ])
            .args(["-in", "message", "-sigfile", "signature"])
            .output();
        if let Ok(output) = ran {
            return Some(output.status.success());
        }
        eprintln!("SKIPPED: no openssl here; apt-get install openssl");
        None
    };
    let Some(is_good) = verify() else { return };
    assert!(is_good);
    // The private half is one that it reads, too.
    let read = Command::new("openssl")
        .current_dir(&folder)
        .args(["pkey", "-in", "signing.key", "-pubout"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(read.stdout).unwrap(),
        site.key.public().pem()
    );
    std::fs::write(folder.join("message"), encode(kind, b"another")).unwrap();
    assert_eq!(verify(), Some(false));
}

/// The validators of those who make the formats.
#[tokio::test]
async fn others_accept_the_bills_of_materials() {
    let Ok(environment) = std::env::var(VALIDATORS) else {
        eprintln!(
            "SKIPPED: {VALIDATORS} does not name a Python environment with cyclonedx-python-lib[validation] and spdx-tools"
        );
        return;
    };
    let site = Site::new().await;
    let attached = site.attest().await;
    let script = r"
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
assert wrong is None, wrong
document = parse_file(sys.argv[2])
wrong = validate_full_spdx_document(document)
assert not wrong, wrong
assert len(document.packages) == 4, document.packages
";
    let folder = site.world.cache.root();
    let mut command = Command::new(Path::new(&environment).join("bin/python"));
    command.args(["-c", script]);
    for (format, name) in [
        (Format::CycloneDx, "bom.cdx.json"),
        (Format::Spdx, "bom.spdx.json"),
    ] {
        let statement = site.statement(attached.of(format.predicate_type()).unwrap());
        let path = folder.join(name);
        std::fs::write(&path, statement.predicate.to_string()).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
