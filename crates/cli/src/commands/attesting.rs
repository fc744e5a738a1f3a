//! What the commands that build have in common about what they say of images.

use ergon_oci::model::Descriptor;
use ergon_pack::attest::{Attached, Format, PROOF, PROVENANCE, StackKey, attest, predicate};
use ergon_pack::{BuildRecord, Cache, Prepared};
use serde::Serialize;

use super::arguments::Stack;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, style};

/// Something that is attached to an image.
#[derive(Debug, Serialize)]
pub struct Referrer {
    digest: String,
    artifact_type: String,
    /// Of signed statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
}

impl From<&Descriptor> for Referrer {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            digest: descriptor.digest.to_string(),
            artifact_type: descriptor.artifact_type.clone().unwrap_or_default(),
            predicate_type: predicate(descriptor).map(str::to_owned),
        }
    }
}

/// Signs and attaches what is to be said of a build's images.
///
/// They are made and kept whether or not that works; where it does not, a person is told.
pub async fn attach(
    prepared: &Prepared,
    record: &BuildRecord,
    cache: &Cache,
    stack: &Stack,
) -> Vec<Attached> {
    let attached = async {
        let folder = folders::data(stack.data.as_deref())?;
        let failed =
            |error: ergon_pack::PackError| Failure::from_error(&error).with_remedy(error.remedy());
        let key = StackKey::open(&folder).map_err(|error| failed(error.into()))?;
        attest(prepared, record, cache, &key).await.map_err(failed)
    };
    let attached: Outcome<Vec<Attached>> = attached.await;
    match attached {
        Ok(attached) => attached,
        Err(Failure::Said {
            message, remedy, ..
        }) => {
            output::note(&format!(
                "{} the build is done, but nothing is attached to it: {message}{}",
                style::warning("note:"),
                remedy.map_or_else(String::new, |remedy| format!("; {remedy}"))
            ));
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// `sbom (62 packages) · provenance`; nothing where nothing is attached.
pub fn summary(attached: &Attached) -> Option<String> {
    let mut said = Vec::new();
    if attached.of(Format::CycloneDx.predicate_type()).is_some() {
        said.push(match attached.packages() {
            Some(1) => "sbom (1 package)".to_owned(),
            Some(count) => format!("sbom ({count} packages)"),
            None => "sbom".to_owned(),
        });
    }
    for (predicate_type, word) in [(PROVENANCE, "provenance"), (PROOF, "proof")] {
        if attached.of(predicate_type).is_some() {
            said.push(word.to_owned());
        }
    }
    (!said.is_empty()).then(|| said.join(" · "))
}
