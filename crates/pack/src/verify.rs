//! Reproducibility, measured: a build is carried out a second time under other conditions, and compared.

use std::collections::BTreeSet;
use std::time::Duration;

use ergon_engine::Engine;
use ergon_oci::{Blobs, Image};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::builder::{Built, Work};
use crate::cache::Cache;
use crate::compare::{Comparison, Difference, Side, compare};
use crate::conditions::{Condition, Conditions, Place};
use crate::error::PackError;
use crate::prepare::{Prepared, Steps};
use crate::progress::{Progress, StepKind, StepOutcome};
use crate::record::{ImageRecord, Reproducibility};
use crate::sandbox::{SandboxKind, namespaces};
use crate::scratch_folder::ScratchFolder;

/// What came of building something a second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// When, RFC 3339.
    pub at: String,
    /// How long the second build took, and comparing it.
    pub milliseconds: u64,
    /// What differed between the two builds.
    pub conditions: Vec<Condition>,
    /// By container, in the order of the build's images.
    pub images: Vec<ImageVerification>,
    /// What differs only where something is changed that every build fixes, such as the umask: no other bits
    /// come of it, and whoever builds by other means would do well to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on_fixed: Vec<Difference>,
}

/// Of one container's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageVerification {
    pub container: String,
    /// The digest of the image that is kept.
    #[schema(value_type = String)]
    pub first: ergon_manifest::Digest,
    /// The digest of the image that was made again; it is not kept.
    #[schema(value_type = String)]
    pub second: ergon_manifest::Digest,
    pub comparison: Comparison,
}

impl Verification {
    /// Every image came out the same.
    pub fn equal(&self) -> bool {
        self.images.iter().all(|image| image.comparison.equal)
    }

    /// What differs, image by image.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        let images = self.images.iter();
        images.flat_map(|image| &image.comparison.differences)
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
    let mut steps = Steps { progress, next };
    let again = Again {
        prepared,
        first: &record.images,
        cache,
        engine,
        cancel,
    };
    let place = again.place().await;
    let conditions = Conditions::other(place.clone(), true);
    let mut images = again.build(&conditions, &mut steps).await?;
    let mut depends_on_fixed = Vec::new();
    if images.iter().any(|image| !image.comparison.equal) {
        // What every build fixes can make no other bits; only the rest counts.
        let everything = images;
        images = again
            .build(&Conditions::other(place, false), &mut steps)
            .await?;
        depends_on_fixed = only_in(&everything, &images);
    }
    let verification = Verification {
        at: begun.to_string(),
        milliseconds: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        conditions: conditions.list(apart),
        images,
        depends_on_fixed,
    };
    let equal = verification.equal();
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

/// A build that is carried out again.
struct Again<'a> {
    prepared: &'a Prepared,
    /// What came of it before.
    first: &'a [ImageRecord],
    cache: &'a Cache,
    engine: Option<&'a Engine>,
    cancel: &'a CancellationToken,
}

impl<'a> Again<'a> {
    /// In namespaces, where more can be changed, unless they cannot be had or the engine was asked for.
    async fn place(&self) -> Place {
        let options = &self.prepared.options;
        let first_in_engine = match options.sandbox {
            SandboxKind::Namespaces => false,
            SandboxKind::Engine => true,
            SandboxKind::Auto => self.engine.is_some(),
        };
        let program = options.sandbox_program.as_deref();
        let turned = namespaces::available(self.cache, program, true).await;
        let unturned = turned.err().map(|error| error.to_string());
        let stays = match &unturned {
            _ if options.sandbox == SandboxKind::Engine => {
                Some("the engine was asked for".to_owned())
            }
            Some(why) if first_in_engine => Some(why.clone()),
            _ => None,
        };
        let in_engine = stays.is_some();
        Place {
            first_in_engine,
            unturned: stays.clone().or(unturned),
            stays,
            local: !in_engine || self.engine.is_none_or(Engine::is_local),
        }
    }

    /// Builds under these conditions, in a place of its own that is gone afterwards, and compares.
    async fn build(
        &self,
        conditions: &Conditions,
        steps: &mut Steps<'a>,
    ) -> Result<Vec<ImageVerification>, PackError> {
        let place = self
            .unless_cancelled(Elsewhere::make(self.prepared, self.cache))
            .await??;
        let work = Work {
            prepared: self.prepared,
            source: &place.source,
            cache: &place.cache,
            bases: self.cache,
            engine: self.engine,
            conditions,
            sandbox: conditions.sandbox(self.prepared.options.sandbox),
            cancel: self.cancel,
            kept: false,
        };
        let (again, _) = work.carry_out(steps).await.map_err(|error| match error {
            PackError::Cancelled => PackError::Cancelled,
            error => PackError::OnlyOnce {
                error: Box::new(error),
            },
        })?;
        let step = steps.begin(StepKind::Verify, "compare");
        let pairs: Vec<_> = self
            .first
            .iter()
            .zip(&again)
            .map(|(first, second)| (first.container.clone(), first.digest, second.digest))
            .collect();
        let (ours, theirs) = (self.cache.blobs().clone(), place.cache.blobs().clone());
        let images = tokio::task::spawn_blocking(move || compare_all(&ours, &theirs, pairs));
        let images = self.unless_cancelled(images).await???;
        let equal = images.iter().all(|image| image.comparison.equal);
        let (outcome, said) = if equal {
            (StepOutcome::Done, "the same")
        } else {
            (StepOutcome::Failed, "not the same")
        };
        step.end(outcome, Some(said.to_owned()));
        Ok(images)
    }

    /// Does not wait for what only reads and copies; that ends by itself and takes its folder along.
    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, PackError> {
        tokio::select! {
            done = work => Ok(done),
            () = self.cancel.cancelled() => Err(PackError::Cancelled),
        }
    }
}

/// The differences of `everything` at places where `images` have none.
fn only_in(everything: &[ImageVerification], images: &[ImageVerification]) -> Vec<Difference> {
    let all = |images: &[ImageVerification]| -> Vec<(String, Difference)> {
        let with_container = |image: &ImageVerification| {
            let container = image.container.clone();
            let differences = image.comparison.differences.clone().into_iter();
            differences
                .map(move |difference| (container.clone(), difference))
                .collect::<Vec<_>>()
        };
        images.iter().flat_map(with_container).collect()
    };
    let counted: BTreeSet<(String, String)> = all(images)
        .into_iter()
        .map(|(container, difference)| (container, difference.path))
        .collect();
    all(everything)
        .into_iter()
        .filter(|(container, difference)| {
            !counted.contains(&(container.clone(), difference.path.clone()))
        })
        .map(|(_, difference)| difference)
        .collect()
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
    _folder: ScratchFolder,
}

impl Elsewhere {
    async fn make(prepared: &Prepared, cache: &Cache) -> Result<Self, PackError> {
        let (source, cache) = (prepared.source.clone(), cache.clone());
        let bases: Vec<_> = prepared.inputs.bases.values().copied().collect();
        tokio::task::spawn_blocking(move || {
            let folder = ScratchFolder::new(&cache.root().join("verifications"))
                .map_err(|(path, error)| PackError::Scratch { path, error })?;
            let place = folder.path.join("source");
            let source = source
                .copy_to(&place)
                .map_err(|(path, error)| PackError::ReadSource { path, error })?;
            let other = Cache::open(folder.path.join("cache"))?;
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
