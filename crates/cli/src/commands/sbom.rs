//! Sbom: what is in an image.

use clap::{Args, ValueEnum};
use ergon_oci::referrers::artifact_contents;
use ergon_pack::attest::envelope::Envelope;
use ergon_pack::attest::{About, Attached, Format, Statement, inventory};
use serde_json::Value;

use super::arguments::OnePlatform;
use super::image::{Found, find};
use super::packing;
use crate::failure::{Failure, Outcome};
use crate::output;

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
    let attached = Attached {
        image: found.image.digest,
        referrers: found.referrers.clone(),
    };
    let statement = attached
        .of(format.predicate_type())
        .and_then(|referrer| artifact_contents(cache.blobs(), referrer).ok())
        .and_then(|documents| {
            let (_, envelope) = documents.into_iter().next()?;
            let envelope: Envelope = serde_json::from_slice(&envelope).ok()?;
            Statement::of(&envelope).ok()
        })
        .filter(|statement| {
            statement.is_about(&found.image.digest)
                && statement.predicate_type == format.predicate_type()
        });
    if let Some(statement) = statement {
        return Ok(statement.predicate);
    }
    let inventory = inventory(&found.image, cache)
        .map_err(|error| Failure::from_error(&error).with_remedy(error.remedy()))?;
    Ok(format.write(&About::of(&found.image, &found.name), &inventory))
}
