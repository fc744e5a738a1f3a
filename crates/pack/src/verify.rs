//! Reproducibility, measured: a build is carried out a second time under other conditions, and compared.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ergon_engine::Engine;
use ergon_oci::{Blobs, Image};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::builder::{Built, Work};
use crate::cache::Cache;
use crate::compare::{Comparison, Side, compare};
use crate::conditions::{Condition, Conditions};
use crate::error::PackError;
use crate::prepare::{Prepared, Steps};
use crate::progress::{Progress, StepKind, StepOutcome};
use crate::record::Reproducibility;

/// What came of building something a second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When, RFC 3339.
    pub at: String,
    pub milliseconds: u64,
    /// What differed between the two builds.
    pub conditions: Vec<Condition>,
    /// By container, in the order of the build's images.
    pub images: Vec<ImageVerification>,
}

/// Of one container's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageVerification {
    pub container: String,
    pub first: ergon_manifest::Digest,
    pub second: ergon_manifest::Digest,
    pub comparison: Comparison,
}

impl Verification {
    /// Every image came out the same.
    pub fn equal(&self) -> bool {
        self.images.iter().all(|image| image.comparison.equal)
    }
}

/// Carries out a build again that is done, with none of its steps from cache, and remembers what came of it.
pub async fn verify(
    prepared: &Prepared,
    built: Built,
    cache: &Cache,
    engine: Option<&Engine>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Built, PackError> {
    let Built {
        mut record,
        cached,
        steps: next,
    } = built;
    let begun = jiff::Timestamp::now();
    let apart = record
        .started_at
        .parse::<jiff::Timestamp>()
        .map_or(Duration::ZERO, |first| {
            Duration::try_from(begun.duration_since(first)).unwrap_or_default()
        });
    let clock = std::time::Instant::now();
    let place = Elsewhere::make(prepared, cache).await?;
    let conditions = Conditions::other(engine.is_some_and(Engine::is_local));
    let mut steps = Steps { progress, next };
    let work = Work {
        prepared,
        source: &place.source,
        cache: &place.cache,
        engine,
        conditions: &conditions,
        cancel,
        kept: false,
    };
    let again = work
        .carry_out(&mut steps)
        .await
        .map_err(|error| match error {
            PackError::Cancelled => PackError::Cancelled,
            error => PackError::OnlyOnce {
                error: Box::new(error),
            },
        })?;
    let step = steps.begin(StepKind::Verify, "compare");
    let pairs: Vec<_> = record
        .images
        .iter()
        .zip(&again)
        .map(|(first, second)| (first.container.clone(), first.digest, second.digest))
        .collect();
    let (ours, theirs) = (cache.blobs().clone(), place.cache.blobs().clone());
    let images = tokio::task::spawn_blocking(move || compare_all(&ours, &theirs, pairs)).await??;
    let verification = Verification {
        at: begun.to_string(),
        milliseconds: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        conditions: conditions.list(apart),
        images,
    };
    let equal = verification.equal();
    step.end(
        if equal {
            StepOutcome::Done
        } else {
            StepOutcome::Failed
        },
        Some(if equal { "the same" } else { "not the same" }.to_owned()),
    );
    record.reproducibility = if equal {
        Reproducibility::Proven
    } else {
        Reproducibility::Failed
    };
    record.verification = Some(verification);
    cache.remember_build(&record)?;
    let next = steps.next;
    Ok(Built {
        record,
        cached,
        steps: next,
    })
}

fn compare_all(
    ours: &Blobs,
    theirs: &Blobs,
    pairs: Vec<(String, ergon_manifest::Digest, ergon_manifest::Digest)>,
) -> Result<Vec<ImageVerification>, PackError> {
    pairs
        .into_iter()
        .map(|(container, first, second)| {
            let (one, other) = (Image::load(ours, &first)?, Image::load(theirs, &second)?);
            let comparison = compare(
                Side {
                    blobs: ours,
                    image: &one,
                },
                Side {
                    blobs: theirs,
                    image: &other,
                },
            )?;
            Ok(ImageVerification {
                container,
                first,
                second,
                comparison,
            })
        })
        .collect()
}

/// A copy of the source and a cache that knows only the bases, in a folder of their own, gone with it.
struct Elsewhere {
    source: crate::source::Source,
    cache: Cache,
    _folder: tempfile::TempDir,
}

impl Elsewhere {
    async fn make(prepared: &Prepared, cache: &Cache) -> Result<Self, PackError> {
        let (source, cache) = (prepared.source.clone(), cache.clone());
        let bases: Vec<_> = prepared.inputs.bases.values().copied().collect();
        tokio::task::spawn_blocking(move || {
            let root = verifications(cache.root());
            let failed = |path: PathBuf| {
                move |error: std::io::Error| PackError::Scratch {
                    path: path.clone(),
                    error,
                }
            };
            std::fs::create_dir_all(&root).map_err(failed(root.clone()))?;
            remove_stale(&root);
            let folder = tempfile::Builder::new()
                .prefix(&format!("{}-", std::process::id()))
                .tempdir_in(&root)
                .map_err(failed(root.clone()))?;
            let place = folder.path().join("source");
            let source = source
                .copy_to(&place)
                .map_err(|(path, error)| PackError::ReadSource { path, error })?;
            let other = Cache::open(folder.path().join("cache"))?;
            for base in bases {
                let image = Image::load(cache.blobs(), &base)?;
                for blob in image.blobs() {
                    other.blobs().link_from(cache.blobs(), &blob)?;
                }
            }
            Ok(Self {
                source,
                cache: other,
                _folder: folder,
            })
        })
        .await?
    }
}

fn verifications(cache: &Path) -> PathBuf {
    cache.join("verifications")
}

/// Removes what verifications of processes left that are gone.
fn remove_stale(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.split('-').next())
            .filter(|process| process.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(process) = process
            && !Path::new("/proc").join(process).exists()
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "what an earlier verification left stays");
        }
    }
}
