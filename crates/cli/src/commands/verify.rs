//! Verify: whether what is said of an image holds.

use std::path::PathBuf;

use clap::Args;
use ergon_manifest::PlatformName;
use ergon_pack::attest::check::{self, Chain, Checked, Claimed, Outcome as Stands};
use ergon_pack::attest::{PUBLIC_FILE, PublicKey};
use serde::Serialize;

use super::arguments::{Format, OnePlatform, Stack};
use super::image::{Found, FoundAll, find, find_all};
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
    /// Check only the image of this platform, where there are several [default: all]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<PlatformName>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    image: &'a str,
    /// Of the index, where it is one of several platforms.
    image_digest: String,
    key: String,
    holds: bool,
    checks: &'a [Checked],
    /// The image of each platform, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<OneReport<'a>>,
}

#[derive(Serialize)]
struct OneReport<'a> {
    platform: String,
    image_digest: String,
    checks: &'a [Checked],
}

/// An image and what came of checking it.
struct Done {
    found: Found,
    checks: Vec<Checked>,
}

impl Verify {
    pub async fn run(self) -> Outcome {
        let cache = packing::cache()?;
        let key = self.key()?;
        let source = self.claimed(&cache)?;
        let found = self.find(&cache).await?;
        let (blobs, public) = (cache.blobs().clone(), key.clone());
        let checking = tokio::task::spawn_blocking(move || {
            let FoundAll { index, images } = found;
            let of_index = index.map(|index| (index.digest, check::index(&index, &blobs)));
            let images = images.into_iter().map(|found| {
                let chain = Chain {
                    image: &found.image,
                    blobs: &blobs,
                    referrers: &found.referrers,
                    key: &public,
                    source,
                };
                let checks = chain.check();
                Done { found, checks }
            });
            (of_index, images.collect::<Vec<Done>>())
        });
        let (of_index, images) = checking
            .await
            .map_err(|error| Failure::new(format!("the image was not checked: {error}")))?;
        let (digest, checks) = match (of_index, images.first()) {
            (Some((digest, check)), _) => (digest, vec![check]),
            (None, Some(one)) => (one.found.image.digest, one.checks.clone()),
            (None, None) => return Err(Failure::new(format!("{} has no image", self.image))),
        };
        let is_index = images.first().map(|one| one.found.image.digest) != Some(digest);
        let all = images.iter().flat_map(|one| &one.checks).chain(&checks);
        let holds = all.into_iter().all(|check| check.outcome != Stands::Broken);
        let report = Report {
            image: &self.image,
            image_digest: digest.to_string(),
            key: key.id().to_string(),
            holds,
            checks: &checks,
            images: if is_index {
                images.iter().map(one_report).collect()
            } else {
                Vec::new()
            },
        };
        output::show(self.format.json, &report, || page(&report))?;
        if holds {
            Ok(())
        } else {
            Err(Failure::Told(Code::Failed))
        }
    }

    async fn find(&self, cache: &ergon_pack::Cache) -> Outcome<FoundAll> {
        if self.platform.is_none() {
            return find_all(&self.image, cache).await;
        }
        let platform = OnePlatform {
            wanted: self.platform.clone(),
        };
        let images = vec![find(&self.image, &platform, cache).await?];
        Ok(FoundAll {
            index: None,
            images,
        })
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
            ergon_pack::identify(&folder, cache, None).map_err(|error| packing::failure(&error))?;
        Ok(Some(Claimed {
            manifest: identity.manifest_digest,
            source: identity.source_digest,
        }))
    }
}

fn one_report(done: &Done) -> OneReport<'_> {
    OneReport {
        platform: done.found.image.platform().normal().to_string(),
        image_digest: done.found.image.digest.to_string(),
        checks: &done.checks,
    }
}

fn page(report: &Report<'_>) -> String {
    let name = style::strong(&words::on_one_line(report.image));
    let mut rows = vec![
        ("image", format!("{name}   {}", report.image_digest)),
        ("key", report.key.clone()),
    ];
    rows.extend(report.checks.iter().map(row));
    for image in &report.images {
        let platform = style::strong(&image.platform);
        rows.push(("image", format!("{platform}   {}", image.image_digest)));
        rows.extend(image.checks.iter().map(row));
    }
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect();
    table::labelled(&rows)
}

fn row(check: &Checked) -> (&'static str, String) {
    let state = match check.outcome {
        Stands::Holds => style::good("ok"),
        Stands::Broken => style::bad("not ok"),
        Stands::Absent => style::faint("not at hand"),
    };
    let detail = words::on_one_line(&check.detail);
    (check.what.name(), format!("{state}   {detail}"))
}
