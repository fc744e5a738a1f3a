//! Push: sends a folder's images where its manifest says.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Args;
use ergon_oci::distribution::{BlobProgress, push, push_referrers};
use ergon_oci::{Image, Reference};
use ergon_pack::ImageRecord;
use ergon_pack::attest::Attached;
use serde::Serialize;

use super::arguments::{Format, Stack};
use super::attesting::summary;
use super::build::{Wanted, build_folder};
use super::packing;
use crate::board::End;
use crate::failure::{Failure, Outcome};
use crate::progress::Steps;
use crate::{folders, output, style, words};

/// Build a folder and send its images to `packaging.registry`
#[derive(Debug, Args)]
pub struct Push {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Refuse to build what is not pinned
    #[arg(long)]
    locked: bool,
    #[command(flatten)]
    sandbox: packing::Sandbox,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// An image that was sent.
#[derive(Serialize)]
struct Pushed {
    container: String,
    reference: String,
    image_digest: String,
    bytes_sent: u64,
}

impl Push {
    pub async fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let project =
            ergon_pack::read_project(&folder).map_err(|error| packing::failure(&error))?;
        let Some(registry) = project.document.manifest.packaging.registry.clone() else {
            return Err(Failure::new("the manifest does not say where images go")
                .with_remedy("add \"packaging\": { \"registry\": \"registry.example.com/team\" } to ergon.json".to_owned()));
        };
        let wanted = Wanted {
            locked: self.locked,
            sandbox: self.sandbox,
            ..Wanted::default()
        };
        let done = build_folder(&folder, wanted, &self.stack).await?;
        let steps = Steps::start(false);
        steps.heading(&format!("push to {}", style::strong(&registry)));
        let mut pushed = Vec::new();
        let mut step = 0;
        for image in &done.built.record.images {
            for (index, reference) in destinations(&registry, image)?.into_iter().enumerate() {
                let sent = send(&done.cache, image, &reference, &steps, step).await?;
                step += 1;
                // They hang on the image's digest, which all its tags share.
                if let Some(attached) = done.attached_to(image).filter(|_| index == 0) {
                    attach(&done.cache, attached, &reference, &steps, step).await?;
                    step += 1;
                }
                pushed.push(Pushed {
                    container: image.container.clone(),
                    reference: reference.familiar(),
                    image_digest: image.digest.to_string(),
                    bytes_sent: sent,
                });
            }
        }
        steps.finish();
        output::show(
            self.format.json,
            &serde_json::json!({ "items": pushed }),
            || {
                let lines = pushed.iter().map(|image| {
                    format!(
                        "{}   {}\n",
                        style::strong(&image.reference),
                        image.image_digest
                    )
                });
                lines.collect()
            },
        )
    }
}

/// `<registry>/<container>:<tag>` for every tag of the image.
fn destinations(registry: &str, image: &ImageRecord) -> Outcome<Vec<Reference>> {
    let registry = registry.trim_end_matches('/');
    let parse = |tag: &String| {
        let name = format!("{registry}/{tag}");
        name.parse().map_err(|error| {
            Failure::new(format!("images cannot be sent to {name}: {error}"))
                .with_remedy("correct packaging.registry in ergon.json".to_owned())
        })
    };
    image.tags.iter().map(parse).collect()
}

/// Sends what is attached to an image.
pub async fn attach(
    cache: &ergon_pack::Cache,
    attached: &Attached,
    reference: &Reference,
    steps: &Steps,
    step: u32,
) -> Outcome {
    let failed = |error: ergon_oci::Error| Failure::from_error(&error).with_remedy(error.remedy());
    let begun = Instant::now();
    steps.begin(step, "attach", &reference.familiar());
    let image = Image::load(cache.blobs(), &attached.image).map_err(failed)?;
    let sent = push_referrers(cache.blobs(), &image, &attached.referrers, reference).await;
    let state = if sent.is_ok() { "done" } else { "failed" };
    steps.end(
        step,
        End {
            state: state.to_owned(),
            summary: summary(attached),
            milliseconds: u64::try_from(begun.elapsed().as_millis()).ok(),
        },
    );
    sent.map_err(failed)
}

/// Sends one image under one name; how many bytes the registry did not have.
pub async fn send(
    cache: &ergon_pack::Cache,
    image: &ImageRecord,
    reference: &Reference,
    steps: &Steps,
    step: u32,
) -> Outcome<u64> {
    let failed = |error: &ergon_oci::Error| Failure::from_error(error).with_remedy(error.remedy());
    let begun = Instant::now();
    let end = |state: &str, summary: Option<String>| {
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).ok();
        steps.end(
            step,
            End {
                state: state.to_owned(),
                summary,
                milliseconds,
            },
        );
    };
    steps.begin(step, "push", &reference.familiar());
    let loaded = Image::load(cache.blobs(), &image.digest).map_err(|error| failed(&error))?;
    let sent = Arc::new(Mutex::new(std::collections::BTreeMap::new()));
    let seen = Arc::clone(&sent);
    let watch = move |blob: BlobProgress| {
        let bytes = if blob.existed { 0 } else { blob.sent };
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(blob.digest, bytes);
    };
    if let Err(error) = push(cache.blobs(), &loaded, reference, Arc::new(watch)).await {
        end("failed", None);
        return Err(failed(&error));
    }
    let bytes = sent
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .values()
        .sum();
    if bytes == 0 {
        end("cached", Some("was there".to_owned()));
    } else {
        end("done", Some(words::size(bytes)));
    }
    Ok(bytes)
}
