//! Whatever is attached to an image: nothing that the key did not sign holds, and nothing is a panic.
#![no_main]

mod written_files;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ergon_manifest::{Digest, canonical_json};
use ergon_oci::referrers::{Artifact, ENVELOPE, PREDICATE_TYPE};
use ergon_oci::{ConfigChange, Image, assemble};
use ergon_pack::Cache;
use ergon_pack::attest::check::{Chain, Outcome, What};
use ergon_pack::attest::envelope::Envelope;
use ergon_pack::attest::{MANIFEST, PAYLOAD_TYPE, StackKey, predicate};
use libfuzzer_sys::fuzz_target;

struct Site {
    _folder: tempfile::TempDir,
    cache: Cache,
    image: Image,
    key: StackKey,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::open(folder.path().join("cache")).expect("a cache");
    let labels = ["manifest.digest", "source.digest", "build.hash"]
        .map(|name| (format!("dev.ergon.{name}"), Digest::of(name.as_bytes()).to_string()));
    let change = ConfigChange {
        labels: labels.into_iter().collect(),
        ..ConfigChange::default()
    };
    let image = assemble(None, &[], &change, 0, "linux/amd64", cache.blobs());
    Site {
        image: image.expect("an image"),
        key: StackKey::open(folder.path()).expect("a key"),
        cache,
        _folder: folder,
    }
});

fuzz_target!(|text: &str| {
    let site = &*SITE;
    let mut is_signed = false;
    let referrers: Vec<_> = written_files::read(&text.replace("@image", &site.image.digest.hex()))
        .into_iter()
        .filter_map(|(name, content)| {
            // `sign …` is what the key itself says; all else is as somebody wrote it.
            let (content, name) = match name.strip_prefix("sign ") {
                Some(name) => {
                    is_signed = true;
                    let envelope = Envelope::sign(PAYLOAD_TYPE, &content, &site.key);
                    (canonical_json(&envelope).ok()?, name)
                }
                None => (content, name.as_str()),
            };
            let artifact = Artifact {
                artifact_type: if name == "manifest" { MANIFEST } else { ENVELOPE },
                media_type: ENVELOPE,
                content: &content,
                annotations: BTreeMap::from([(PREDICATE_TYPE.to_owned(), name.to_owned())]),
            };
            site.cache.referrers().add(&site.image, &artifact).ok()
        })
        .collect();
    let _ = referrers.iter().filter_map(predicate).count();
    let chain = Chain {
        image: &site.image,
        blobs: site.cache.blobs(),
        referrers: &referrers,
        key: site.key.public(),
        source: None,
    };
    for check in chain.check() {
        let is_of_image = matches!(check.what, What::Content | What::Labels | What::Manifest);
        assert!(is_signed || is_of_image || check.outcome != Outcome::Holds);
        assert!(check.detail.len() < 8192);
    }
    for referrer in &referrers {
        let _ = site.cache.referrers().remove(&site.image.digest, &referrer.digest);
        let _ = std::fs::remove_file(site.cache.blobs().path(&referrer.digest));
    }
});
