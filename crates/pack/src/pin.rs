//! Pinning: asks again what every moving part means now, and writes it down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ergon_detect::plan::plan;
use ergon_engine::Engine;
use ergon_manifest::{Digest, PlatformName};

use crate::bases::{platform, renew_base};
use crate::cache::Cache;
use crate::error::PackError;
use crate::lock::{Lock, LockChange, lock_states};
use crate::platforms::platforms;
use crate::prepare::{Steps, base_references, read_project};
use crate::progress::{Progress, StepKind, StepOutcome};
use crate::source::Source;

/// Writes a folder's `ergon.lock.json`, and says what moved.
///
/// A base is looked up where it came from, for every platform that is `wanted` or that the manifest names; what a
/// person imported on purpose means what it means. Pins of other platforms stay.
pub async fn lock(
    folder: &Path,
    wanted: &[PlatformName],
    cache: &Cache,
    engine: Option<&Engine>,
    progress: &dyn Progress,
) -> Result<Vec<LockChange>, PackError> {
    let project = read_project(folder)?;
    let source = Source::read(folder, &project.tree, Some(cache))?;
    let plans = plan(&project.document.manifest, &project.tree)?;
    let before = Lock::read(folder)?;
    let mut steps = Steps { progress, next: 0 };
    let named = platforms(wanted, &project.document.manifest);
    let mut platforms: Vec<String> = named.iter().map(ToString::to_string).collect();
    if platforms.is_empty() {
        platforms.push(platform());
    }
    let mut bases: BTreeMap<String, BTreeMap<String, Digest>> = BTreeMap::new();
    let mut imported = BTreeSet::new();
    for platform in &platforms {
        for reference in base_references(&plans) {
            let detail = match platforms.as_slice() {
                [_] => reference.clone(),
                _ => format!("{reference} ({platform})"),
            };
            let step = steps.begin(StepKind::Base, &detail);
            match renew_base(&reference, platform, cache, engine).await {
                Ok((base, how)) => {
                    step.end(
                        how.outcome(),
                        Some(format!("{} {}", base.digest, how.word())),
                    );
                    if base.source != ergon_oci::bases::Source::Registry {
                        imported.insert(reference.clone());
                    }
                    let of_platform = bases.entry(platform.clone()).or_default();
                    of_platform.insert(reference, base.digest);
                }
                Err(error) => {
                    step.end(StepOutcome::Failed, None);
                    return Err(error);
                }
            }
        }
    }
    let (applications, _) = lock_states(
        &project.document.manifest.applications,
        &project.tree,
        &source,
    );
    let mut after = Lock {
        lock_version: "1".to_owned(),
        bases: BTreeMap::new(),
        imported,
        applications,
    };
    if let Some(before) = &before {
        after.bases.clone_from(&before.bases);
        let asked: BTreeSet<&String> = bases.values().flat_map(BTreeMap::keys).collect();
        let elsewhere = |name: &&String| !asked.contains(*name);
        let imported = before.imported.iter().filter(elsewhere).cloned();
        after.imported.extend(imported);
    }
    after.bases.extend(bases);
    if before.as_ref() != Some(&after) {
        after.write(folder)?;
    }
    Ok(after.changes_since(&before.unwrap_or_default()))
}
