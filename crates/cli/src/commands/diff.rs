//! Diff: in what two images differ.

use clap::Args;
use ergon_engine::Engine;
use ergon_pack::{Cache, ImageName, Side};

use super::arguments::{Format, OnePlatform};
use super::packing;
use crate::failure::{Code, Failure, Outcome};
use crate::output;
use crate::report::differences;

/// Say in what two images differ: which layer, which file, which bytes, and the likely cause
///
/// An image is named by its tag, digest or build hash, by what begins one of them, as a registry has it, or as
/// oci:PATH or docker-archive:PATH. Ends with 0 where they are the same and with 1 where they differ.
#[derive(Debug, Args)]
pub struct Diff {
    /// One image
    first: String,
    /// The other
    second: String,
    #[command(flatten)]
    platform: OnePlatform,
    #[command(flatten)]
    format: Format,
}

impl Diff {
    pub async fn run(self) -> Outcome {
        let cache = packing::cache()?;
        let engine = Engine::connect().await.ok();
        let first = find(&self.first, &self.platform, &cache, engine.as_ref()).await?;
        let second = find(&self.second, &self.platform, &cache, engine.as_ref()).await?;
        let compared = tokio::task::spawn_blocking(move || {
            let side = |image| Side {
                blobs: cache.blobs(),
                image,
            };
            ergon_pack::compare(side(&first), side(&second))
        });
        let comparison = match compared.await {
            Ok(compared) => compared.map_err(|error| packing::failure(&error))?,
            Err(error) => return Err(Failure::new(format!("they were not compared: {error}"))),
        };
        output::show(self.format.json, &comparison, || {
            differences::comparison(&comparison)
        })?;
        if comparison.equal {
            Ok(())
        } else {
            Err(Failure::Told(Code::Failed))
        }
    }
}

async fn find(
    name: &str,
    platform: &OnePlatform,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Outcome<ergon_oci::Image> {
    ergon_pack::find_image(
        &ImageName::parse(name),
        platform.wanted.as_ref(),
        cache,
        engine,
    )
    .await
    .map_err(|error| packing::failure(&error))
}
