//! Verify: whether what is said of an image holds.

use std::path::PathBuf;

use clap::Args;
use ergon_pack::attest::check::{Chain, Checked, Claimed, Outcome as Stands};
use ergon_pack::attest::{PUBLIC_FILE, PublicKey};
use serde::Serialize;

use super::arguments::{Format, Stack};
use super::image::{Found, find};
use super::packing;
use crate::failure::{Code, Failure, Outcome};
use crate::{folders, output, style, table, words};

/// Check an image's whole chain: content, signatures, provenance, source
#[derive(Debug, Args)]
pub struct Verify {
    /// A tag or digest that is held here, oci:DIR, docker-archive:FILE, or an image in a registry
    #[arg(value_name = "IMAGE")]
    image: String,
    /// The public key that must have signed; absent: the stack's own
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The folder the image is said to be made of
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    image: &'a str,
    image_digest: String,
    key: String,
    holds: bool,
    checks: &'a [Checked],
}

impl Verify {
    pub async fn run(self) -> Outcome {
        let cache = packing::cache()?;
        let key = self.key()?;
        let source = self.claimed(&cache)?;
        let found = find(&self.image, &cache).await?;
        let (blobs, public) = (cache.blobs().clone(), key.clone());
        let checking = tokio::task::spawn_blocking(move || {
            let chain = Chain {
                image: &found.image,
                blobs: &blobs,
                referrers: &found.referrers,
                key: &public,
                source,
            };
            let checks = chain.check();
            (found, checks)
        });
        let (found, checks) = checking
            .await
            .map_err(|error| Failure::new(format!("the image was not checked: {error}")))?;
        let holds = checks.iter().all(|check| check.outcome != Stands::Broken);
        let report = Report {
            image: &found.name,
            image_digest: found.image.digest.to_string(),
            key: key.id().to_string(),
            holds,
            checks: &checks,
        };
        output::show(self.format.json, &report, || page(&found, &key, &checks))?;
        if holds {
            Ok(())
        } else {
            Err(Failure::Told(Code::Failed))
        }
    }

    fn key(&self) -> Outcome<PublicKey> {
        let path = match &self.key {
            Some(path) => path.clone(),
            None => folders::data(self.stack.data.as_deref())?.join(PUBLIC_FILE),
        };
        PublicKey::read(&path).map_err(|error| {
            let remedy = match &self.key {
                Some(_) => error.remedy(),
                None => "name the public key of whoever built the image: --key FILE".to_owned(),
            };
            Failure::from_error(&error).with_remedy(remedy)
        })
    }

    fn claimed(&self, cache: &ergon_pack::Cache) -> Outcome<Option<Claimed>> {
        let Some(folder) = &self.source else {
            return Ok(None);
        };
        let folder = folders::source(folder)?;
        let identity =
            ergon_pack::identify(&folder, cache).map_err(|error| packing::failure(&error))?;
        Ok(Some(Claimed {
            manifest: identity.manifest_digest,
            source: identity.source_digest,
        }))
    }
}

fn page(found: &Found, key: &PublicKey, checks: &[Checked]) -> String {
    let mut rows = vec![
        (
            "image",
            format!(
                "{}   {}",
                style::strong(&words::harmless(&found.name)),
                found.image.digest
            ),
        ),
        ("key", key.id().to_string()),
    ];
    rows.extend(checks.iter().map(|check| {
        let state = match check.outcome {
            Stands::Holds => style::good("ok"),
            Stands::Broken => style::bad("not ok"),
            Stands::Absent => style::faint("not at hand"),
        };
        let detail = words::harmless(&check.detail);
        (check.what.name(), format!("{state}   {detail}"))
    }));
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect();
    table::labelled(&rows)
}
