//! Push: sends a folder's images where its manifest says.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Args;
use ergon_manifest::Digest;
use ergon_oci::distribution::{BlobProgress, push, push_index, push_referrers};
use ergon_oci::{Image, Index, Reference};
use ergon_pack::attest::Attached;
use serde::Serialize;

use super::arguments::{Format, Platforms, Stack};
use super::attesting::summary;
use super::build::{Done, Wanted, build_folder};
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
    #[command(flatten)]
    platforms: Platforms,
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
            platforms: self.platforms.wanted.clone(),
            locked: self.locked,
            sandbox: self.sandbox,
            ..Wanted::default()
        };
        let done = build_folder(&folder, wanted, &self.stack).await?;
        let steps = Steps::start(false);
        steps.heading(&format!("push to {}", style::strong(&registry)));
        let mut pushed = Vec::new();
        let mut step = 0;
        for container in 0..containers(&done) {
            let (name, digest, tags) = called(&done, container);
            for (index, reference) in destinations(&registry, tags)?.into_iter().enumerate() {
                // What is attached hangs on digests, which all tags share.
                let is_first = index == 0;
                let sent =
                    send_all(&done, container, &reference, &steps, &mut step, is_first).await?;
                pushed.push(Pushed {
                    container: name.to_owned(),
                    reference: reference.familiar(),
                    image_digest: digest.to_string(),
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

fn containers(done: &Done) -> usize {
    let first = done.builds.first();
    first.map_or(0, |build| build.built.record.images.len())
}

/// What a container's images are called: by their index, where they are of several platforms.
fn called(done: &Done, container: usize) -> (&str, Digest, &[String]) {
    if let Some(index) = done.indexes.get(container) {
        return (&index.container, index.digest, &index.tags);
    }
    let image = &done.builds[0].built.record.images[container];
    (&image.container, image.digest, &image.tags)
}

/// `<registry>/<container>:<tag>` for every tag.
fn destinations(registry: &str, tags: &[String]) -> Outcome<Vec<Reference>> {
    let registry = registry.trim_end_matches('/');
    let parse = |tag: &String| {
        let name = format!("{registry}/{tag}");
        name.parse().map_err(|error| {
            Failure::new(format!("images cannot be sent to {name}: {error}"))
                .with_remedy("correct packaging.registry in ergon.json".to_owned())
        })
    };
    tags.iter().map(parse).collect()
}

/// Sends the images of one container for every platform under one name, and with it what is attached to them where
/// that is wanted; how many bytes the registry did not have.
pub async fn send_all(
    done: &Done,
    container: usize,
    reference: &Reference,
    steps: &Steps,
    step: &mut u32,
    with_attached: bool,
) -> Outcome<u64> {
    let (_, digest, _) = called(done, container);
    let sent = send(&done.cache, digest, reference, steps, *step).await?;
    *step += 1;
    let images = done.builds.iter().filter_map(|build| {
        let image = build.built.record.images.get(container)?;
        build.attached_to(image)
    });
    for attached in images.filter(|_| with_attached) {
        attach(&done.cache, attached, reference, steps, *step).await?;
        *step += 1;
    }
    Ok(sent)
}

/// Sends what is attached to an image.
async fn attach(
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

/// Sends one image, or those that an index names, under one name; how many bytes the registry did not have.
async fn send(
    cache: &ergon_pack::Cache,
    digest: Digest,
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
    let sent = Arc::new(Mutex::new(std::collections::BTreeMap::new()));
    let seen = Arc::clone(&sent);
    let watch = move |blob: BlobProgress| {
        let bytes = if blob.existed { 0 } else { blob.sent };
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(blob.digest, bytes);
    };
    let (blobs, watch) = (cache.blobs(), Arc::new(watch));
    let pushing = async {
        match Index::load(blobs, &digest) {
            Ok(index) if !index.images.is_empty() => {
                push_index(blobs, &index, reference, watch).await
            }
            // An image's manifest may not say what it is.
            _ => push(blobs, &Image::load(blobs, &digest)?, reference, watch).await,
        }
    };
    if let Err(error) = pushing.await {
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
