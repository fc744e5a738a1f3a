//! Builds that are made twice, in a real engine.

use ergon_pack::{Built, Difference, Reproducibility, Silent, verify};
use tokio_util::sync::CancellationToken;

use crate::engine::{Seen, Site};

async fn verified(name: &str, commands: &[&str]) -> Built {
    let site = Site::new().await;
    let folder = site.project(name, commands);
    let built = site.build(&folder, &Seen::default()).await.unwrap();
    let prepared = site.prepare(&folder).await.unwrap();
    let again = Box::pin(verify(
        &prepared,
        built,
        &site.world.cache,
        Some(&site.engine),
        &Silent,
        &CancellationToken::new(),
    ))
    .await
    .unwrap();
    // It is remembered, and nothing of the second build stays.
    let known = site.world.cache.build(&prepared.build_hash).unwrap();
    assert_eq!(known.reproducibility, again.record.reproducibility);
    let left = std::fs::read_dir(site.world.cache.root().join("verifications")).unwrap();
    assert_eq!(left.count(), 0);
    again
}

fn differences(built: &Built) -> Vec<&Difference> {
    let verification = built.record.verification.as_ref().unwrap();
    verification.differences().collect()
}

#[tokio::test]
async fn what_does_not_look_around_is_proven() {
    let built = Box::pin(verified(
        "steady",
        &[
            "mkdir made && echo hello > made/file && chmod 600 made/file && ln made/file made/same && rm -r pages",
            "date -u -d @$SOURCE_DATE_EPOCH > when",
        ],
    ))
    .await;
    assert_eq!(built.record.reproducibility, Reproducibility::Proven);
    assert!(differences(&built).is_empty());
}

#[tokio::test]
async fn what_looks_around_fails_and_is_named() {
    let built = Box::pin(verified(
        "looking",
        &[
            "date > when; umask > mask; echo $TZ > zone; mktemp -d > scratch; echo $TMPDIR > folder; head -c 12 /dev/urandom | sha1sum > random; touch build-$(date +%s)",
        ],
    ))
    .await;
    assert_eq!(built.record.reproducibility, Reproducibility::Failed);
    let found: Vec<(&str, Option<&str>)> = differences(&built)
        .into_iter()
        .filter(|difference| !difference.path.starts_with("app/build-"))
        .map(|difference| (difference.path.as_str(), difference.cause.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("app/random", Some("a random value")),
            ("app/scratch", Some("embedded build path")),
            ("app/when", Some("a time")),
        ]
    );
    let verification = built.record.verification.as_ref().unwrap();
    let fixed: Vec<(&str, Option<&str>)> = verification
        .depends_on_fixed
        .iter()
        .filter(|difference| !difference.path.starts_with("app/build-"))
        .map(|difference| (difference.path.as_str(), difference.cause.as_deref()))
        .collect();
    assert_eq!(
        fixed,
        [
            ("app/folder", Some("embedded build path")),
            ("app/mask", Some("the umask")),
            ("app/zone", Some("the time zone")),
        ]
    );
    let named = differences(&built)
        .into_iter()
        .filter(|difference| difference.cause.as_deref() == Some("a time in its name"))
        .count();
    assert_eq!(named, 2);
    let when = differences(&built)
        .into_iter()
        .find(|difference| difference.path == "app/when")
        .unwrap();
    assert_eq!(when.line, Some(1));
    assert!(when.step.as_deref().unwrap().starts_with("RUN date > when"));
    assert!(when.fix.as_deref().unwrap().contains("SOURCE_DATE_EPOCH"));
}

#[tokio::test]
async fn what_every_build_fixes_makes_no_other_bits_and_is_told() {
    let built = Box::pin(verified("fixed", &["umask > mask"])).await;
    assert_eq!(built.record.reproducibility, Reproducibility::Proven);
    let verification = built.record.verification.unwrap();
    assert_eq!(verification.depends_on_fixed.len(), 1);
    assert_eq!(verification.depends_on_fixed[0].path, "app/mask");
}
