//! What is said of an image, signed, and attached to it.
//!
//! A finished build gets its manifest, its provenance and two forms of a bill of materials; one
//! that was compared gets the proof. What is said is computed by pure code ([`provenance`],
//! [`proof`], [`cyclonedx`], [`spdx`]), put into a [`statement`], signed as an [`envelope`] with
//! the stack's [`key`], and kept with the image by [`ergon_oci::Referrers`]. [`check`] reads it
//! all back and says whether it holds.

pub mod check;
mod cyclonedx;
pub mod envelope;
mod inventory;
mod key;
mod proof;
mod provenance;
mod sbom;
mod spdx;
mod statement;

use std::collections::BTreeMap;
use std::io::Read as _;

use ergon_manifest::{Digest, canonical_json};
use ergon_oci::model::Descriptor;
use ergon_oci::referrers::{Artifact, ENVELOPE, PREDICATE_TYPE};
use ergon_oci::{Image, Referrers};
use serde_json::Value;

pub use inventory::{Inventory, Kind, Package, System};
pub use key::{KEY_FILE, KeyError, PUBLIC_FILE, PublicKey, StackKey};
pub use proof::{PREDICATE_TYPE as PROOF, Proof};
pub use provenance::{BUILD_TYPE, PREDICATE_TYPE as PROVENANCE, Provenance};
pub use sbom::{About, Format};
pub use statement::{PAYLOAD_TYPE, Resource, Statement};

use crate::cache::Cache;
use crate::error::PackError;
use crate::prepare::Prepared;
use crate::record::{BuildRecord, ImageRecord};
use crate::source::Source;
use inventory::LockFile;

/// A manifest of ours, in canonical JSON: its digest is the manifest digest.
pub const MANIFEST: &str = "application/vnd.ergon.manifest.v1+json";

/// When the builds were compared that a proof is about.
const VERIFIED_AT: &str = "dev.ergon.proof.verified-at";
/// Which key signed, in the annotations of an attestation. A hint, for finding it.
const KEY: &str = "dev.ergon.key";
/// How many packages a bill of materials lists, and by which rules they were found.
const PACKAGES: &str = "dev.ergon.sbom.packages";
const RULES: &str = "dev.ergon.sbom.rules";

/// What is attached to one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub image: Digest,
    pub referrers: Vec<Descriptor>,
}

impl Attached {
    /// How many packages the bill of materials lists.
    pub fn packages(&self) -> Option<u64> {
        let said = self
            .of(Format::CycloneDx.predicate_type())?
            .annotations
            .get(PACKAGES)?;
        said.parse().ok()
    }

    /// The signed statement with this predicate.
    pub fn of(&self, predicate_type: &str) -> Option<&Descriptor> {
        self.referrers
            .iter()
            .find(|referrer| predicate(referrer) == Some(predicate_type))
    }
}

/// The predicate type of a signed statement, as its annotation says.
pub fn predicate(referrer: &Descriptor) -> Option<&str> {
    let is_envelope = referrer.artifact_type.as_deref() == Some(ENVELOPE);
    let said = referrer.annotations.get(PREDICATE_TYPE)?;
    is_envelope.then_some(said.as_str())
}

/// Attaches manifest, provenance and bills of materials to every image of a build.
///
/// What is there already, of this key, is left as it is: a build from cache costs a look.
pub async fn attest(
    prepared: &Prepared,
    record: &BuildRecord,
    cache: &Cache,
    key: &StackKey,
) -> Result<Vec<Attached>, PackError> {
    let mut attached = Vec::with_capacity(record.images.len());
    for image in &record.images {
        let task = Task {
            cache: cache.clone(),
            key: key.clone(),
            image: image.clone(),
            proof: record.verification.as_ref().and_then(|verification| {
                Proof::of(record.build_hash, verification, &image.container)
            }),
        };
        if let Some(held) = task.held()? {
            attached.push(held);
            continue;
        }
        let locks = lock_files(prepared, &image.container);
        let record = record.clone();
        attached.push(tokio::task::spawn_blocking(move || task.complete(&record, &locks)).await??);
    }
    Ok(attached)
}

/// The packages of any image that is held, and of what its sources lock where they are at hand.
pub fn inventory(image: &Image, cache: &Cache) -> Result<Inventory, PackError> {
    inventory::read(image, cache)
}

fn unwritable(error: serde_json::Error) -> PackError {
    PackError::Attestation {
        what: "a statement".to_owned(),
        reason: error.to_string(),
    }
}

/// The lock files of the applications in a container, as they were when the source was hashed.
fn lock_files(prepared: &Prepared, container: &str) -> Vec<LockFile> {
    let manifest = &prepared.project.document.manifest;
    let Some(container) = manifest.containers.get(container) else {
        return Vec::new();
    };
    let folders: Vec<&str> = container
        .applications
        .iter()
        .filter_map(|name| manifest.applications.get(name))
        .map(|application| application.path.as_deref().unwrap_or(""))
        .map(|path| path.trim_start_matches("./").trim_end_matches('/'))
        .map(|path| if path == "." { "" } else { path })
        .collect();
    let source = &prepared.source;
    let is_wanted = |path: &str| {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        inventory::is_lock_file(path) && folders.contains(&folder)
    };
    source
        .files()
        .keys()
        .filter(|path| is_wanted(path))
        .filter_map(|path| lock_file(source, path))
        .collect()
}

fn lock_file(source: &Source, path: &str) -> Option<LockFile> {
    let mut content = Vec::new();
    let file = source.open(path)?;
    file.take(inventory::LARGEST_LOCK)
        .read_to_end(&mut content)
        .ok()?;
    source.held(path, &content).then(|| LockFile {
        path: path.to_owned(),
        content,
    })
}

/// One image that is to be attested.
struct Task {
    cache: Cache,
    key: StackKey,
    image: ImageRecord,
    /// What came of building it a second time, where that was done.
    proof: Option<Proof>,
}

impl Task {
    fn referrers(&self) -> Referrers {
        self.cache.referrers()
    }

    /// Statements with a predicate that this key signed.
    fn own(&self, among: &[Descriptor], predicate_type: &str) -> Vec<Descriptor> {
        let key = self.key.public().id().to_string();
        let of_key = among
            .iter()
            .filter(|known| predicate(known) == Some(predicate_type))
            .filter(|known| known.annotations.get(KEY) == Some(&key));
        of_key.cloned().collect()
    }

    /// Everything, if it is all there.
    fn held(&self) -> Result<Option<Attached>, PackError> {
        let referrers = self.referrers().list(&self.image.digest)?;
        let has_manifest = referrers
            .iter()
            .any(|known| known.artifact_type.as_deref() == Some(MANIFEST));
        let has_provenance = !self.own(&referrers, PROVENANCE).is_empty();
        let has_proof = self.has_proof(&referrers);
        let has_sboms = [Format::CycloneDx, Format::Spdx]
            .iter()
            .all(|format| !self.current(&referrers, *format).is_empty());
        let is_complete = has_manifest && has_provenance && has_proof && has_sboms;
        let image = self.image.digest;
        Ok(is_complete.then_some(Attached { image, referrers }))
    }

    /// Whether what came of the last comparison is there.
    fn has_proof(&self, among: &[Descriptor]) -> bool {
        self.proof.as_ref().is_none_or(|proof| {
            let own = self.own(among, PROOF);
            own.iter()
                .any(|known| known.annotations.get(VERIFIED_AT) == Some(&proof.verified_at))
        })
    }

    /// Bills of materials by this key and by today's rules.
    fn current(&self, among: &[Descriptor], format: Format) -> Vec<Descriptor> {
        let mut own = self.own(among, format.predicate_type());
        own.retain(|known| {
            known.annotations.get(RULES).map(String::as_str) == Some(inventory::RULES)
        });
        own
    }

    fn complete(&self, record: &BuildRecord, locks: &[LockFile]) -> Result<Attached, PackError> {
        let image = Image::load(self.cache.blobs(), &self.image.digest)?;
        let known = self.referrers().list(&image.digest)?;
        self.referrers().add(
            &image,
            &Artifact {
                artifact_type: MANIFEST,
                media_type: MANIFEST,
                content: &canonical_json(&record.manifest)?,
                annotations: BTreeMap::new(),
            },
        )?;
        if self.own(&known, PROVENANCE).is_empty() {
            let provenance = Provenance::of(record, &self.image, &self.key.public().id())?;
            let predicate = serde_json::to_value(provenance).map_err(unwritable)?;
            self.sign(&image, PROVENANCE, predicate, BTreeMap::new())?;
        }
        if let Some(proof) = self.proof.as_ref().filter(|_| !self.has_proof(&known)) {
            let predicate = serde_json::to_value(proof).map_err(unwritable)?;
            let at = BTreeMap::from([(VERIFIED_AT.to_owned(), proof.verified_at.clone())]);
            self.sign(&image, PROOF, predicate, at)?;
            // The last comparison counts.
            for old in self.own(&known, PROOF) {
                self.referrers().remove(&image.digest, &old.digest)?;
            }
        }
        let mut found = None;
        for format in [Format::CycloneDx, Format::Spdx] {
            if !self.current(&known, format).is_empty() {
                continue;
            }
            let inventory = match found.take() {
                Some(inventory) => inventory,
                None => self.inventory(&image, locks)?,
            };
            let about = About::of(&image, self.name());
            let annotations = BTreeMap::from([
                (PACKAGES.to_owned(), inventory.packages.len().to_string()),
                (RULES.to_owned(), inventory::RULES.to_owned()),
            ]);
            let document = format.write(&about, &inventory);
            self.sign(&image, format.predicate_type(), document, annotations)?;
            for old in self.own(&known, format.predicate_type()) {
                self.referrers().remove(&image.digest, &old.digest)?;
            }
            found = Some(inventory);
        }
        Ok(Attached {
            image: image.digest,
            referrers: self.referrers().list(&image.digest)?,
        })
    }

    fn inventory(&self, image: &Image, locks: &[LockFile]) -> Result<Inventory, PackError> {
        let mut inventory = inventory::read(image, &self.cache)?;
        for lock in locks {
            if let Some(packages) = inventory::packages_in(lock) {
                inventory.add_locked(packages);
            } else {
                let gap = format!("the lock file {} could not be read", lock.path);
                inventory.gaps.insert(gap);
            }
        }
        Ok(inventory)
    }

    /// `<container>:<first 12 of the build hash>`.
    fn name(&self) -> &str {
        self.image
            .tags
            .first()
            .map_or(self.image.container.as_str(), String::as_str)
    }

    fn sign(
        &self,
        image: &Image,
        predicate_type: &str,
        predicate: Value,
        mut annotations: BTreeMap<String, String>,
    ) -> Result<Descriptor, PackError> {
        annotations.insert(PREDICATE_TYPE.to_owned(), predicate_type.to_owned());
        annotations.insert(KEY.to_owned(), self.key.public().id().to_string());
        let statement = Statement::about(self.name(), &image.digest, predicate_type, predicate);
        let content = statement.sign(&self.key)?;
        let artifact = Artifact {
            artifact_type: ENVELOPE,
            media_type: ENVELOPE,
            content: &content,
            annotations,
        };
        Ok(self.referrers().add(image, &artifact)?)
    }
}
