//! Where base images come from: what is held, the local engine, a registry — in that order.

use ergon_engine::Engine;
use ergon_oci::Reference;
use ergon_oci::bases::{Base, Source};
use ergon_oci::distribution::pull_through;
use ergon_oci::model::Platform;

use crate::cache::Cache;
use crate::error::PackError;
use crate::lock::Lock;
use crate::progress::StepOutcome;

/// How a base was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseOrigin {
    Held,
    Engine,
    Registry,
}

impl BaseOrigin {
    /// The word in progress lines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Engine => "imported from the local engine",
            Self::Registry => "pulled",
        }
    }

    pub const fn outcome(self) -> StepOutcome {
        match self {
            Self::Held => StepOutcome::Cached,
            Self::Engine | Self::Registry => StepOutcome::Done,
        }
    }
}

/// The platform of this machine, which images are built for where nobody says otherwise.
pub fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux/{architecture}")
}

/// Whether programs made for a platform run on this machine's processor.
pub fn runs_here(wanted: &str) -> bool {
    let architecture = |of: &str| of.split('/').nth(1).map(str::to_owned);
    architecture(wanted) == architecture(&platform())
}

/// The base that `reference` means for a platform, where it is held already.
pub fn held_base(
    reference: &str,
    platform: &str,
    lock: Option<&Lock>,
    cache: &Cache,
) -> Result<Option<Base>, PackError> {
    let parsed: Reference = reference.parse().map_err(ergon_oci::Error::from)?;
    let pinned = lock.and_then(|lock| lock.base(platform, reference));
    let bases = cache.bases();
    Ok(match pinned {
        Some(digest) => bases.find(&parsed, &digest)?,
        None => bases.resolve(&parsed, platform)?,
    })
}

/// Finds what `reference` is for a platform, and brings it here where it is not held.
pub async fn resolve_base(
    reference: &str,
    platform: &str,
    lock: Option<&Lock>,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<(Base, BaseOrigin), PackError> {
    if let Some(base) = held_base(reference, platform, lock, cache)? {
        return Ok((base, BaseOrigin::Held));
    }
    let parsed: Reference = reference.parse().map_err(ergon_oci::Error::from)?;
    let found = match import_from_engine(&parsed, platform, cache, engine).await? {
        Some(base) => (base, BaseOrigin::Engine),
        None => (
            pull_base(&parsed, platform, cache).await?,
            BaseOrigin::Registry,
        ),
    };
    match lock.and_then(|lock| lock.base(platform, reference)) {
        Some(pinned) if pinned != found.0.digest => Err(PackError::PinnedBaseMissing {
            reference: reference.to_owned(),
            pinned: pinned.to_string(),
            reason: format!("what was found under that name is {}", found.0.digest),
        }),
        _ => Ok(found),
    }
}

/// Takes a base out of its registry, if that has it for the platform.
async fn pull_base(
    reference: &Reference,
    platform: &str,
    cache: &Cache,
) -> Result<Base, PackError> {
    let held = cache.bases().named_for_any(reference)?;
    let held: Vec<String> = held.into_iter().map(|base| base.platform).collect();
    let not_for = |has: Vec<String>, registry: Option<String>| PackError::BasePlatform {
        reference: reference.familiar(),
        platform: platform.to_owned(),
        has,
        registry,
    };
    let mirror = cache.mirror_of(reference.registry());
    let pulled = match mirror {
        Some(mirror) => pull_through(reference, platform, cache.blobs(), mirror).await,
        None => ergon_oci::distribution::pull(reference, platform, cache.blobs()).await,
    };
    match pulled {
        // A name that stands for one image only gives that one to everybody.
        Ok(image) if !Platform::parse(platform)?.accepts(&image.platform()) => {
            Err(not_for(vec![image.platform().to_string()], None))
        }
        Ok(image) => {
            let via = mirror.map(|mirror| mirror.name.as_str());
            let bases = cache.bases();
            Ok(bases.hold_via(reference, &image, Source::Registry, via, now())?)
        }
        Err(ergon_oci::Error::NoSuchPlatform { offered, .. }) => Err(not_for(offered, None)),
        Err(error) if held.is_empty() && platform == crate::bases::platform() => {
            Err(PackError::BaseMissing {
                reference: reference.familiar(),
                registry: error.to_string(),
            })
        }
        Err(error) => Err(not_for(held, Some(error.to_string()))),
    }
}

/// Finds what `reference` means now, where it came from; what is held stays where that is gone.
pub async fn renew_base(
    reference: &str,
    platform: &str,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<(Base, BaseOrigin), PackError> {
    let Some(held) = held_base(reference, platform, None, cache)? else {
        return resolve_base(reference, platform, None, cache, engine).await;
    };
    let parsed: Reference = reference.parse().map_err(ergon_oci::Error::from)?;
    if parsed.digest().is_some() {
        return Ok((held, BaseOrigin::Held));
    }
    let renewed = match held.source {
        Source::Docker => import_from_engine(&parsed, platform, cache, engine).await?,
        Source::Registry => match pull_base(&parsed, platform, cache).await {
            Ok(base) => Some(base),
            Err(error) => {
                tracing::warn!(%reference, %error, "the registry cannot be asked; the base stays as it is held");
                None
            }
        },
        Source::Rootfs | Source::Layout => None,
    };
    let origin = if held.source == Source::Docker {
        BaseOrigin::Engine
    } else {
        BaseOrigin::Registry
    };
    Ok(renewed.map_or((held, BaseOrigin::Held), |base| (base, origin)))
}

/// Takes an image out of the local engine, with our own encoding, so that its digest depends on
/// its content only. An engine holds one image under a name: that of this machine's platform.
async fn import_from_engine(
    reference: &Reference,
    wanted: &str,
    cache: &Cache,
    engine: Option<&Engine>,
) -> Result<Option<Base>, PackError> {
    let Some(engine) = engine.filter(|_| wanted == platform()) else {
        return Ok(None);
    };
    let name = reference.to_string();
    if engine.image_id(&name).await?.is_none() {
        return Ok(None);
    }
    let saved = engine.save_image(&name).into_reader();
    let (bases, reference) = (cache.bases(), reference.clone());
    let base = tokio::task::spawn_blocking(move || {
        bases.import_docker_save(tokio_util::io::SyncIoBridge::new(saved), &reference, now())
    })
    .await??;
    Ok(Some(base))
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
