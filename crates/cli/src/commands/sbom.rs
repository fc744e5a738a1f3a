//! Sbom: what is in an image.

use clap::{Args, ValueEnum};
use ergon_oci::referrers::artifact_contents;
use ergon_pack::attest::envelope::{Envelope, Signed};
use ergon_pack::attest::{self, About, Format, PUBLIC_FILE, PublicKey, Statement, inventory};
use serde_json::Value;

use super::arguments::OnePlatform;
use super::image::{Found, find};
use super::packing;
use crate::failure::{Failure, Outcome};
use crate::{folders, output, style};

/// Bytes of a document that others signed: in memory it takes up to sixteen times as much.
const MOST_OF_OTHERS: usize = 16 << 20;
/// So many bills of materials of one image are looked at.
const MOST_LOOKED_AT: usize = 16;

/// Print what is in an image: every package of its system and of its languages
#[derive(Debug, Args)]
pub struct Sbom {
    /// A tag or digest that is held here, oci:DIR, docker-archive:FILE, or an image in a registry
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The form of the document
    #[arg(long, value_enum, default_value_t = Form::Cyclonedx)]
    format: Form,
    #[command(flatten)]
    platform: OnePlatform,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// CycloneDX 1.6, JSON
    Cyclonedx,
    /// SPDX 2.3, JSON
    Spdx,
}

impl From<Form> for Format {
    fn from(form: Form) -> Self {
        match form {
            Form::Cyclonedx => Self::CycloneDx,
            Form::Spdx => Self::Spdx,
        }
    }
}

impl Sbom {
    pub async fn run(self) -> Outcome {
        let cache = packing::cache()?;
        let found = find(&self.image, &self.platform, &cache).await?;
        let format = self.format.into();
        let reading = tokio::task::spawn_blocking(move || document(&found, format, &cache));
        let document = reading
            .await
            .map_err(|error| Failure::new(format!("the image was not read: {error}")))??;
        output::print_json(&document)
    }
}

/// What is attached, since whoever built the image also had the source; else what the image tells.
fn document(found: &Found, format: Format, cache: &ergon_pack::Cache) -> Outcome<Value> {
    let key = folders::data(None).map(|data| PublicKey::read(&data.join(PUBLIC_FILE)));
    let key = key.ok().and_then(Result::ok);
    let wanted = Some(format.predicate_type());
    let attached = found.referrers.iter();
    let attached = attached.filter(|referrer| attest::predicate(referrer) == wanted);
    let mut by_others = None;
    for referrer in attached.take(MOST_LOOKED_AT) {
        let Ok(documents) = artifact_contents(cache.blobs(), referrer) else {
            continue;
        };
        for (_, document) in documents {
            match read(&document, format, found, key.as_ref()) {
                Some((Signed::Good, predicate)) => return Ok(predicate),
                Some((Signed::ByOthers(_), predicate)) => by_others = Some(predicate),
                // What was changed after it was signed tells nothing.
                Some((Signed::Wrong, _)) | None => {}
            }
        }
    }
    if let Some(predicate) = by_others {
        if key.is_some() {
            output::note(&format!(
                "{} it is attached to the image, and signed by another key than this stack's; who signed it: ergon verify --key FILE",
                style::warning("note:")
            ));
        }
        return Ok(predicate);
    }
    let inventory = inventory(&found.image, cache)
        .map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))?;
    Ok(format.write(&About::of(&found.image, &found.name), &inventory))
}

/// The document in something attached, if it is one about this very image, and what the stack's key says of it.
fn read(
    document: &[u8],
    format: Format,
    found: &Found,
    key: Option<&PublicKey>,
) -> Option<(Signed, Value)> {
    let envelope: Envelope = serde_json::from_slice(document).ok()?;
    let signed = key.map_or_else(
        || Signed::ByOthers(Vec::new()),
        |key| envelope.signed_by(key),
    );
    if signed != Signed::Good && document.len() > MOST_OF_OTHERS {
        return None;
    }
    let statement = Statement::of(&envelope).ok()?;
    let is_it = statement.is_about(&found.image.digest)
        && statement.predicate_type == format.predicate_type()
        && format.is_form_of(&statement.predicate);
    is_it.then_some((signed, statement.predicate))
}
