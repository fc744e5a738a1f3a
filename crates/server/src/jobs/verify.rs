//! A build made a second time: only of the very folder that was built, and with what differs told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ergon_manifest::PlatformName;
use ergon_pack::{BuildInputs, PackError, Prepared, Verification, verify};
use ergon_store::{NewEvent, StoredBuild};
use serde_json::json;

use super::JobError;
use super::work::{Work, WorkError};
use crate::registry::record_of;

/// Why a build cannot be made a second time: what was built is not what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub folder: PathBuf,
    /// What changed, one clause each.
    pub changes: Vec<String>,
}

impl Moved {
    pub fn error(&self) -> String {
        let folder = self.folder.display();
        format!(
            "{folder} is no longer what was built: {}",
            self.changes.join("; ")
        )
    }

    pub fn remedy(&self) -> String {
        let folder = self.folder.display();
        format!(
            "build it as it is now and verify that build: `ergon build --verify {folder}`, or Run in the browser"
        )
    }
}

/// A second build that came out differently, in one sentence.
pub fn differs(verification: &Verification) -> String {
    let images = verification.images.iter();
    let different: u64 = images.map(|image| image.comparison.different).sum();
    let first = verification
        .differences()
        .next()
        .map_or_else(String::new, |first| {
            let cause = first.cause.as_ref().map(|cause| format!(" ({cause})"));
            format!("; the first: `{}`{}", first.path, cause.unwrap_or_default())
        });
    let noun = if different == 1 {
        "difference"
    } else {
        "differences"
    };
    format!("built again, it came out with {different} {noun}{first}")
}

/// What mends the first difference, where that is known.
pub fn mends(verification: &Verification) -> Option<String> {
    verification.differences().next()?.fix.clone()
}

/// What decides a build and is not now what it was. Nothing, where the hash moved for another reason.
fn moved(then: &BuildInputs, now: &BuildInputs) -> Vec<String> {
    let mut changes = Vec::new();
    let mut compare = |what: &str, then: Option<String>, now: Option<String>| {
        let change = match (then, now) {
            (then, now) if then == now => return,
            (Some(then), Some(now)) => format!("{what} was {then} and is {now}"),
            (Some(then), None) => format!("{what}, {then}, is gone"),
            (None, Some(now)) => format!("{what}, {now}, is new"),
            (None, None) => return,
        };
        changes.push(change);
    };
    compare(
        "its source",
        Some(glimpse(then.source)),
        Some(glimpse(now.source)),
    );
    compare(
        "its manifest",
        Some(glimpse(then.manifest)),
        Some(glimpse(now.manifest)),
    );
    for reference in names(&then.bases, &now.bases) {
        let of = |inputs: &BuildInputs| inputs.bases.get(reference).copied().map(glimpse);
        compare(&format!("the base {reference}"), of(then), of(now));
    }
    for application in names(&then.locks, &now.locks) {
        let of = |inputs: &BuildInputs| {
            inputs
                .locks
                .get(application)
                .copied()
                .flatten()
                .map(glimpse)
        };
        compare(&format!("the lock of {application}"), of(then), of(now));
    }
    compare(
        "the platform",
        Some(then.platform.clone()),
        Some(now.platform.clone()),
    );
    compare(
        "the time of its files",
        Some(then.epoch.to_string()),
        Some(now.epoch.to_string()),
    );
    changes
}

fn names<'m, T>(
    then: &'m BTreeMap<String, T>,
    now: &'m BTreeMap<String, T>,
) -> BTreeSet<&'m String> {
    then.keys().chain(now.keys()).collect()
}

fn glimpse(digest: ergon_manifest::Digest) -> String {
    format!("sha256:{}…", digest.short())
}

/// Refuses what cannot be built a second time by this stack.
pub(super) fn check(stored: &StoredBuild) -> Result<(), JobError> {
    let build = &stored.build;
    if build.state != "succeeded" {
        return Err(JobError::NotBuilt {
            hash: build.build_hash.clone(),
            state: build.state.clone(),
        });
    }
    Ok(())
}

impl Work<'_> {
    /// What the build that is asked for was made for, which need not be this machine.
    pub(super) async fn platform_then(&self) -> Result<Option<PlatformName>, WorkError> {
        let wanted = self.job.build_hash.clone().unwrap_or_default();
        let stored = self.stack.store().build(&wanted).await?;
        let record = stored.and_then(|stored| record_of(&stored.build));
        Ok(record.and_then(|record| record.inputs.platform.parse().ok()))
    }

    /// Builds a second time what was asked for, if the folder is still what was built then.
    pub(super) async fn verify(
        &self,
        prepared: &Prepared,
        engine: Option<&ergon_engine::Engine>,
    ) -> Result<(), WorkError> {
        let wanted = self.job.build_hash.clone().unwrap_or_default();
        if prepared.build_hash.to_string() != wanted {
            return Err(WorkError::Moved(self.moved(prepared, &wanted).await?));
        }
        let subject = format!("build/{wanted}");
        self.stack
            .tell(NewEvent::new(
                "dev.ergon.build.verifying",
                subject,
                json!({}),
            ))
            .await?;
        let built = self.build(prepared, engine).await?;
        let again = self.reporter.again();
        let verified = Box::pin(verify(
            prepared,
            built,
            self.stack.cache(),
            engine,
            &again,
            self.cancel,
        ))
        .await?;
        self.stack.registry().verified(&verified.record).await?;
        self.attest(prepared, &verified).await;
        match verified.record.verification {
            Some(verification) if !verification.equal() => {
                Err(WorkError::Differs(Box::new(verification)))
            }
            Some(_) => Ok(()),
            None => Err(PackError::Compare {
                reason: "the second build left no comparison".to_owned(),
            }
            .into()),
        }
    }

    async fn moved(&self, prepared: &Prepared, wanted: &str) -> Result<Moved, WorkError> {
        let stored = self.stack.store().build(wanted).await?;
        let then = stored.and_then(|stored| record_of(&stored.build));
        let mut changes =
            then.map_or_else(Vec::new, |record| moved(&record.inputs, &prepared.inputs));
        if changes.is_empty() {
            changes.push(
                "the same files would be built otherwise by this version of Ergon".to_owned(),
            );
        }
        Ok(Moved {
            folder: prepared.project.folder.clone(),
            changes,
        })
    }
}

#[cfg(test)]
mod tests {
    use ergon_manifest::Digest;
    use ergon_pack::ImageVerification;

    use ergon_pack::{Comparison, Difference};

    use super::*;

    fn inputs() -> BuildInputs {
        BuildInputs {
            manifest: Digest::of(b"manifest"),
            source: Digest::of(b"source"),
            bases: [("busybox:1".to_owned(), Digest::of(b"base"))].into(),
            locks: [("web".to_owned(), None)].into(),
            platform: "linux/amd64".to_owned(),
            epoch: 315_532_800,
        }
    }

    #[test]
    fn what_moved_is_named_and_nothing_else() {
        assert!(moved(&inputs(), &inputs()).is_empty());
        let now = BuildInputs {
            source: Digest::of(b"another"),
            bases: [("busybox:2".to_owned(), Digest::of(b"base"))].into(),
            locks: [("web".to_owned(), Some(Digest::of(b"lock")))].into(),
            ..inputs()
        };
        let short = |content: &[u8]| Digest::of(content).short();
        assert_eq!(
            moved(&inputs(), &now),
            [
                format!(
                    "its source was sha256:{}… and is sha256:{}…",
                    short(b"source"),
                    short(b"another")
                ),
                format!("the base busybox:1, sha256:{}…, is gone", short(b"base")),
                format!("the base busybox:2, sha256:{}…, is new", short(b"base")),
                format!("the lock of web, sha256:{}…, is new", short(b"lock")),
            ]
        );
    }

    #[test]
    fn a_difference_is_told_with_its_cause_and_what_mends_it() {
        let comparison = |different| Comparison {
            equal: different == 0,
            compared: 3,
            different,
            differences: vec![
                Difference {
                    path: "app/when".to_owned(),
                    cause: Some("a time".to_owned()),
                    fix: Some("take SOURCE_DATE_EPOCH".to_owned()),
                    ..Difference::default()
                };
                usize::try_from(different).unwrap()
            ],
        };
        let image = |different| ImageVerification {
            container: "web".to_owned(),
            first: Digest::of(b"one"),
            second: Digest::of(b"two"),
            comparison: comparison(different),
        };
        let verification = |images| Verification {
            at: "2026-01-02T14:03:00Z".to_owned(),
            milliseconds: 1,
            conditions: Vec::new(),
            images,
            depends_on_fixed: Vec::new(),
        };
        let one = verification(vec![image(0), image(1)]);
        assert_eq!(
            differs(&one),
            "built again, it came out with 1 difference; the first: `app/when` (a time)"
        );
        assert_eq!(mends(&one).as_deref(), Some("take SOURCE_DATE_EPOCH"));
        assert_eq!(mends(&verification(vec![image(0)])), None);
    }
}
