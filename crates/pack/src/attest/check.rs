//! Whether what is said of an image holds, from the image's last byte up to its source.

use std::collections::BTreeSet;
use std::io::Read;

use ergon_manifest::Digest;
use ergon_oci::layer::decompress;
use ergon_oci::model::Descriptor;
use ergon_oci::referrers::{ENVELOPE, PREDICATE_TYPE, artifact_contents, artifact_manifest};
use ergon_oci::{Blobs, Image, Index};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::envelope::{Envelope, Signed};
use super::key::PublicKey;
use super::proof::{self, Proof};
use super::provenance::{self, Provenance};
use super::statement::Statement;
use super::{Format, MANIFEST};
use crate::hash::BuildHash;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub what: What,
    pub outcome: Outcome,
    /// One line: what holds, or what does not.
    pub detail: String,
}

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Every blob is what its digest says.
    Content,
    /// The digests that the image carries.
    Labels,
    Manifest,
    Provenance,
    Cyclonedx,
    Spdx,
    /// Of reproducibility.
    Proof,
    /// The folder it is said to be made of.
    Source,
    /// What names the images of several platforms.
    Index,
}

impl What {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Labels => "labels",
            Self::Manifest => "manifest",
            Self::Provenance => "provenance",
            Self::Cyclonedx => "cyclonedx",
            Self::Spdx => "spdx",
            Self::Proof => "proof",
            Self::Source => "source",
            Self::Index => "index",
        }
    }
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Holds,
    Broken,
    /// It can neither be confirmed nor denied with what is at hand.
    Absent,
}

/// What a folder's digests are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub manifest: Digest,
    pub source: Digest,
}

/// What is to be checked, and against what.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    pub image: &'a Image,
    pub blobs: &'a Blobs,
    pub referrers: &'a [Descriptor],
    pub key: &'a PublicKey,
    /// The sources, where they are at hand.
    pub source: Option<Claimed>,
}

/// Checks that an index is what its digest says, and its images are for the platforms and of the source it says.
pub fn index(index: &Index, blobs: &Blobs) -> Checked {
    let fits = |image: &Image| -> Result<String, String> {
        let mut listed = index.index.manifests.iter();
        let listed = listed.find(|listed| listed.digest == image.digest);
        let said = listed.and_then(|listed| listed.platform.clone());
        let platform = image.platform();
        if said.is_some_and(|said| said.normal() != platform.normal()) {
            return Err(format!("{} is for {platform}", image.digest));
        }
        for (name, said) in &index.index.annotations {
            let label = image.config.config.labels.get(name);
            if name.starts_with("dev.ergon.") && label != Some(said) {
                return Err(format!("{} is of another {name}", image.digest));
            }
        }
        Ok(platform.to_string())
    };
    let verified = blobs
        .verify(&index.digest)
        .map_err(|error| error.to_string());
    let platforms = verified.and_then(|()| {
        let platforms = index.images.iter().map(fits);
        platforms.collect::<Result<Vec<_>, _>>()
    });
    told(
        What::Index,
        platforms.map(|platforms| format!("images for {}", platforms.join(", "))),
    )
}

/// What the image says of itself.
#[derive(Clone, Copy, Debug, Default)]
struct Labels {
    manifest: Option<Digest>,
    source: Option<Digest>,
    build: Option<BuildHash>,
}

/// So many bytes of what is attached are looked at, in all: 256 MiB.
const MOST_READ: u64 = 256 << 20;

/// Something attached whose signature was looked at.
struct Looked {
    /// What the statement is about; where there is none, what is said of it from outside.
    predicate_type: String,
    read: Result<(Signed, Option<Statement>), String>,
}

/// Of a statement that the key did not sign nothing else is read: anybody may have written it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    predicate_type: String,
}

impl Chain<'_> {
    /// Checks every link; reads the whole image.
    pub fn check(&self) -> Vec<Checked> {
        let (labels, said) = self.labels();
        let statements = self.statements();
        let mut checked = vec![self.content(), said, self.manifest(&labels)];
        checked.push(self.statement(&statements, What::Provenance, |statement| {
            provenance_holds(statement, &labels)
        }));
        for (what, format) in [
            (What::Cyclonedx, Format::CycloneDx),
            (What::Spdx, Format::Spdx),
        ] {
            checked
                .push(self.statement(&statements, what, |statement| sbom_holds(statement, format)));
        }
        checked.push(self.statement(&statements, What::Proof, |statement| {
            proof_holds(statement, &labels)
        }));
        checked.push(self.source(&labels));
        checked
    }

    fn content(&self) -> Checked {
        let verified = self
            .image
            .blobs()
            .try_for_each(|digest| self.blobs.verify(&digest))
            .map_err(|error| error.to_string())
            .and_then(|()| self.diff_ids());
        let count = self.image.blobs().count();
        let size = self.image.size() as f64 / 1e6;
        told(
            What::Content,
            verified.map(|()| format!("{count} blobs, {size:.1} MB, each as its digest says")),
        )
    }

    /// What is inside the layers is what the configuration says, which is what engines run.
    fn diff_ids(&self) -> Result<(), String> {
        for (layer, expected) in self.image.layers().iter().zip(self.image.diff_ids()) {
            let file = self
                .blobs
                .open_read(&layer.digest)
                .map_err(|error| error.to_string())?;
            let mut tar = decompress(file).map_err(|error| error.to_string())?;
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; 128 << 10];
            loop {
                match tar.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => hasher.update(&buffer[..read]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(format!("the layer {}: {error}", layer.digest)),
                }
            }
            let actual = Digest::from_bytes(hasher.finalize().into());
            if actual != expected {
                return Err(format!(
                    "the layer {} holds {actual}, and the configuration says {expected}",
                    layer.digest
                ));
            }
        }
        Ok(())
    }

    fn labels(&self) -> (Labels, Checked) {
        let labels = &self.image.config.config.labels;
        let annotations = &self.image.manifest.annotations;
        let mut wrong = Vec::new();
        let mut digest = |name: &str| {
            let name = format!("dev.ergon.{name}");
            let (label, annotation) = (labels.get(&name), annotations.get(&name));
            if label.is_some() && annotation.is_some() && label != annotation {
                wrong.push(format!("{name} is another as label than as annotation"));
            }
            let said = label.or(annotation)?;
            if said.parse::<BuildHash>().is_err() {
                wrong.push(format!("{name} is no digest"));
            }
            Some(said.clone())
        };
        let (manifest, source, build) = (
            digest("manifest.digest"),
            digest("source.digest"),
            digest("build.hash"),
        );
        let found = Labels {
            manifest: manifest.and_then(|said| said.parse().ok()),
            source: source.and_then(|said| said.parse().ok()),
            build: build.and_then(|said| said.parse().ok()),
        };
        let checked = match (wrong.is_empty(), found.build) {
            (false, _) => told(What::Labels, Err(wrong.join("; "))),
            (true, None) => absent(What::Labels, "the image does not say that Ergon built it"),
            (true, Some(build)) => told(What::Labels, Ok(format!("build {}", build.short()))),
        };
        (found, checked)
    }

    fn manifest(&self, labels: &Labels) -> Checked {
        let mut attached = self
            .referrers
            .iter()
            .filter(|known| known.artifact_type.as_deref() == Some(MANIFEST))
            .peekable();
        let (Some(_), Some(expected)) = (attached.peek(), labels.manifest) else {
            return absent(What::Manifest, "none is attached");
        };
        let mut reading = Reading::of(self.blobs);
        let mut unreadable = None;
        for known in attached {
            match reading.documents(known) {
                Ok(documents) => {
                    let is_it = |document: &Vec<u8>| Digest::of(document) == expected;
                    if documents.iter().any(is_it) {
                        return told(What::Manifest, Ok(expected.to_string()));
                    }
                }
                Err(error) => unreadable = Some(error),
            }
        }
        told(
            What::Manifest,
            Err(unreadable.unwrap_or_else(|| {
                format!("what is attached is not the manifest {expected} that the image names")
            })),
        )
    }

    /// Every signed statement, with what the key says of it.
    fn statements(&self) -> Vec<Looked> {
        let mut reading = Reading::of(self.blobs);
        let mut found = Vec::new();
        for known in self.referrers {
            if known.artifact_type.as_deref() != Some(ENVELOPE) {
                continue;
            }
            let said = known.annotations.get(PREDICATE_TYPE);
            let unreadable = |why: String| Looked {
                predicate_type: said.cloned().unwrap_or_default(),
                read: Err(why),
            };
            match reading.documents(known) {
                Ok(documents) => {
                    for document in documents {
                        found.push(self.look(&document).unwrap_or_else(unreadable));
                    }
                }
                Err(error) => found.push(unreadable(error)),
            }
        }
        found
    }

    fn look(&self, document: &[u8]) -> Result<Looked, String> {
        let envelope: Envelope = serde_json::from_slice(document)
            .map_err(|error| format!("it is no signed document: {error}"))?;
        let signed = envelope.signed_by(self.key);
        if signed == Signed::Good {
            let statement = Statement::of(&envelope)?;
            return Ok(Looked {
                predicate_type: statement.predicate_type.clone(),
                read: Ok((signed, Some(statement))),
            });
        }
        let payload = envelope.payload().ok_or("its payload is no base64")?;
        let head: Head = serde_json::from_slice(&payload)
            .map_err(|error| format!("it is no statement: {error}"))?;
        Ok(Looked {
            predicate_type: head.predicate_type,
            read: Ok((signed, None)),
        })
    }

    /// One kind of statement: by this key, about this image, and true as far as that can be seen.
    fn statement(
        &self,
        read: &[Looked],
        what: What,
        holds: impl Fn(&Statement) -> Result<String, String>,
    ) -> Checked {
        let wanted = predicate_type(what);
        let of_kind = || read.iter().filter(|read| read.predicate_type == wanted);
        let signed = || of_kind().filter_map(|read| read.read.as_ref().ok());
        let by_key = || signed().filter_map(|(_, statement)| statement.as_ref());
        // What the key once said of another image may be attached to this one, too.
        let about_this = by_key().find(|statement| statement.is_about(&self.image.digest));
        if let Some(statement) = about_this {
            let held = holds(statement).map(|detail| format!("{detail}, signed"));
            return told(what, held);
        }
        if by_key().next().is_some() {
            let why = "it is signed, and about another image";
            return told(what, Err(why.to_owned()));
        }
        if signed().any(|(signed, _)| *signed == Signed::Wrong) {
            return told(
                what,
                Err("it was changed after it was signed, or the key did not sign it".to_owned()),
            );
        }
        let by_others = signed().find_map(|(signed, _)| match signed {
            Signed::ByOthers(keys) => Some(listed(keys)),
            _ => None,
        });
        let unreadable = of_kind().find_map(|read| read.read.as_ref().err());
        let why = match (by_others, unreadable) {
            (Some(keys), _) => format!("it is signed by {keys}, not by this key"),
            (None, Some(why)) => {
                return told(what, Err(format!("what is attached cannot be read: {why}")));
            }
            (None, None) => "none is attached".to_owned(),
        };
        // Whoever takes all statements away must not get an image past this.
        if what == What::Provenance {
            told(
                what,
                Err(format!(
                    "nothing that this key signed says where it is from: {why}"
                )),
            )
        } else {
            absent(what, &why)
        }
    }

    fn source(&self, labels: &Labels) -> Checked {
        let Some(claimed) = self.source else {
            return absent(What::Source, "no folder was named");
        };
        let (Some(manifest), Some(source)) = (labels.manifest, labels.source) else {
            return absent(What::Source, "the image does not say what it is made of");
        };
        let outcome = if claimed.source != source {
            Err(format!(
                "the folder has {}, and the image is made of {source}",
                claimed.source
            ))
        } else if claimed.manifest != manifest {
            Err(format!(
                "the folder's manifest is {}, and the image's {manifest}",
                claimed.manifest
            ))
        } else {
            Ok(format!("the folder is {source}"))
        };
        told(What::Source, outcome)
    }
}

/// Reads what is attached: each document once, and not more than can be read in a moment.
struct Reading<'a> {
    blobs: &'a Blobs,
    seen: BTreeSet<Digest>,
    left: u64,
}

impl<'a> Reading<'a> {
    fn of(blobs: &'a Blobs) -> Self {
        Self {
            blobs,
            seen: BTreeSet::new(),
            left: MOST_READ,
        }
    }

    /// The documents of something attached that were not read before.
    fn documents(&mut self, known: &Descriptor) -> Result<Vec<Vec<u8>>, String> {
        let failed = |error: ergon_oci::Error| error.to_string();
        let layers = artifact_manifest(self.blobs, known).map_err(failed)?.layers;
        let mut is_new = false;
        let mut size = 0_u64;
        for layer in layers {
            is_new |= self.seen.insert(layer.digest);
            size = size.saturating_add(self.blobs.size(&layer.digest).map_err(failed)?);
        }
        if !is_new {
            return Ok(Vec::new());
        }
        self.left = self
            .left
            .checked_sub(size)
            .ok_or_else(|| format!("more than {MOST_READ} bytes are attached to the image"))?;
        let documents = artifact_contents(self.blobs, known).map_err(failed)?;
        Ok(documents
            .into_iter()
            .map(|(_, document)| document)
            .collect())
    }
}

fn predicate_type(what: What) -> &'static str {
    match what {
        What::Cyclonedx => Format::CycloneDx.predicate_type(),
        What::Spdx => Format::Spdx.predicate_type(),
        What::Proof => proof::PREDICATE_TYPE,
        _ => provenance::PREDICATE_TYPE,
    }
}

fn provenance_holds(statement: &Statement, labels: &Labels) -> Result<String, String> {
    let provenance: Provenance = serde_json::from_value(statement.predicate.clone())
        .map_err(|error| format!("it is none of Ergon's: {error}"))?;
    let parameters = &provenance.build_definition.external_parameters;
    let Some(build) = labels.build else {
        return Err("the image names no build hash to compare with".to_owned());
    };
    if provenance.build_definition.build_type != provenance::BUILD_TYPE {
        return Err("it is about another kind of build".to_owned());
    }
    if !provenance.is_consistent(&build) {
        return Err(format!("its inputs do not give the build hash {build}"));
    }
    if Some(parameters.manifest) != labels.manifest || Some(parameters.source) != labels.source {
        return Err("it names another manifest or source than the image".to_owned());
    }
    Ok("its inputs give the build hash".to_owned())
}

fn sbom_holds(statement: &Statement, format: Format) -> Result<String, String> {
    let list = match format {
        Format::CycloneDx => "components",
        Format::Spdx => "packages",
    };
    let listed = statement
        .predicate
        .get(list)
        .and_then(|list| list.as_array());
    // Both also list the system; SPDX the image itself.
    listed.map_or_else(
        || Err(format!("it has no list of {list}")),
        |listed| {
            let has_url = |entry: &&serde_json::Value| {
                entry.get("purl").is_some() || entry.get("externalRefs").is_some()
            };
            let count = listed.iter().filter(has_url).count();
            Ok(format!("{count} packages"))
        },
    )
}

fn proof_holds(statement: &Statement, labels: &Labels) -> Result<String, String> {
    let proof: Proof = serde_json::from_value(statement.predicate.clone())
        .map_err(|error| format!("it is none of Ergon's: {error}"))?;
    if Some(proof.build_hash) != labels.build {
        return Err("it is about another build".to_owned());
    }
    if proof.equal {
        // One that could not be changed is listed too, with the reason.
        let varied = proof.conditions.iter();
        let varied = varied
            .filter(|condition| condition.second.is_some())
            .count();
        Ok(format!(
            "built twice with the same digest, {varied} conditions varied"
        ))
    } else {
        Err(format!("two builds differ in {} paths", proof.differences))
    }
}

/// The names that others give their keys, as far as they are names.
fn listed(keys: &[String]) -> String {
    let is_name = |key: &&str| !key.is_empty() && key.len() <= 128;
    let named = keys.iter().map(String::as_str).filter(is_name);
    let named: Vec<&str> = named.take(4).collect();
    if named.is_empty() {
        "a key without a name".to_owned()
    } else {
        named.join(", ")
    }
}

fn told(what: What, outcome: Result<String, String>) -> Checked {
    let (outcome, detail) = match outcome {
        Ok(detail) => (Outcome::Holds, detail),
        Err(detail) => (Outcome::Broken, detail),
    };
    Checked {
        what,
        outcome,
        detail,
    }
}

fn absent(what: What, why: &str) -> Checked {
    Checked {
        what,
        outcome: Outcome::Absent,
        detail: why.to_owned(),
    }
}
