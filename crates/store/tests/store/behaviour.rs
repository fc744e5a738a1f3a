//! What the store promises, whichever database is under it.

use ergon_store::{
    BuildName, BuildRow, CompanionRow, ImageRow, LEAST_EVENTS, NewEvent, Store, StoreError, now,
};
use serde_json::json;

use crate::database::on_both;

on_both!(
    a_change_and_its_event_are_one,
    a_change_that_is_dropped_never_was,
    cursors_grow_in_the_order_of_commits,
    watchers_are_woken_after_the_commit,
    a_name_is_taken_once,
    a_success_is_not_replaced_by_a_failure,
    a_build_found_in_the_cache_keeps_the_job_that_built_it,
    builds_are_found_by_any_prefix,
    a_name_or_the_beginning_of_one_leads_to_builds,
    a_sign_in_code_works_once_and_not_after_its_time,
    the_oldest_events_go_by_number_and_by_age_and_some_stay,
);

fn event(subject: &str) -> NewEvent {
    NewEvent::new("dev.ergon.test", subject, json!({}))
}

async fn register(store: &Store, name: &str) {
    let mut change = store.change(event(name)).await.unwrap();
    change
        .put_companion(&CompanionRow {
            name: name.to_owned(),
            kind: "container".to_owned(),
            record: json!({}),
            registered_at: now(),
            ..CompanionRow::default()
        })
        .await
        .unwrap();
    change.commit().await.unwrap();
}

async fn a_change_and_its_event_are_one(store: Store) {
    register(&store, "web-ci").await;
    assert_eq!(store.companions().await.unwrap()[0].name, "web-ci");
    let events = store.events_after(0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind.as_str(), events[0].subject.as_str()),
        ("dev.ergon.test", "web-ci")
    );
}

async fn a_change_that_is_dropped_never_was(store: Store) {
    let mut change = store.change(event("gone")).await.unwrap();
    change.remove_companion("nobody").await.unwrap();
    drop(change);
    register(&store, "kept").await;
    let subjects: Vec<_> = store
        .events_after(0, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.subject)
        .collect();
    assert_eq!(subjects, ["kept"]);
}

async fn cursors_grow_in_the_order_of_commits(store: Store) {
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { register(&store, &format!("ci-{number}")).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let ids: Vec<_> = store
        .events_after(0, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    let after: Vec<_> = store
        .events_after(18, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(after, [19, 20]);
    assert_eq!(store.latest_events(1).await.unwrap()[0].id, 20);
}

async fn watchers_are_woken_after_the_commit(store: Store) {
    let mut watch = store.watch();
    register(&store, "web-ci").await;
    watch.changed().await.unwrap();
    let cursor = *watch.borrow();
    assert_eq!(
        store.events_after(0, 10).await.unwrap().last().unwrap().id,
        cursor
    );
}

async fn a_name_is_taken_once(store: Store) {
    let add = async |id: &str, location: &str| {
        let mut change = store.change(event(id)).await.unwrap();
        let added = change
            .add_project(&ergon_store::ProjectRow {
                id: ergon_store::ProjectId::named(id),
                name: "web".to_owned(),
                location: location.to_owned(),
                folder: location.to_owned(),
                companion: "web".to_owned(),
                manifest_digest: None,
                docker_config: None,
                added_at: now(),
            })
            .await;
        match added {
            Ok(()) => change.commit().await,
            Err(error) => Err(error),
        }
    };
    add("one", "/one").await.unwrap();
    let error = add("two", "/two").await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(store.projects().await.unwrap().len(), 1);
}

fn build(hash: &str, state: &str) -> BuildRow {
    BuildRow {
        build_hash: hash.to_owned(),
        project_id: None,
        job_id: None,
        state: state.to_owned(),
        manifest_digest: "sha256:aaaa".to_owned(),
        source_digest: "sha256:bbbb".to_owned(),
        record: None,
        cached: false,
        started_at: now(),
        finished_at: None,
    }
}

async fn put(store: &Store, build: &BuildRow, images: &[ImageRow]) {
    let mut change = store.change(event("build")).await.unwrap();
    change
        .put_manifest(
            &build.manifest_digest,
            &json!({ "manifest_version": "1.0" }),
            now(),
        )
        .await
        .unwrap();
    change.put_build(build, images).await.unwrap();
    change.commit().await.unwrap();
}

async fn a_success_is_not_replaced_by_a_failure(store: Store) {
    put(&store, &build("1234", "succeeded"), &[]).await;
    put(&store, &build("1234", "failed"), &[]).await;
    let builds = store.builds(None, 10).await.unwrap();
    assert_eq!(builds.len(), 1);
    assert_eq!(builds[0].build.state, "succeeded");
}

async fn a_build_found_in_the_cache_keeps_the_job_that_built_it(store: Store) {
    let by = |job: &str, cached| BuildRow {
        job_id: Some(ergon_store::JobId::named(job)),
        cached,
        ..build("1234", "succeeded")
    };
    let known = async || {
        let build = store.build("1234").await.unwrap().unwrap().build;
        (build.job_id.unwrap().to_string(), build.cached)
    };
    put(&store, &by("failed", false), &[]).await;
    put(&store, &by("built", false), &[]).await;
    assert_eq!(known().await, ("built".to_owned(), false));
    put(&store, &by("found", true), &[]).await;
    assert_eq!(known().await, ("built".to_owned(), false));
}

async fn builds_are_found_by_any_prefix(store: Store) {
    let image = ImageRow {
        digest: "sha256:cccc".to_owned(),
        container: "web".to_owned(),
        size: 7,
        tags: vec!["web:1234".to_owned(), "web:feed".to_owned()],
    };
    put(
        &store,
        &build("1234", "succeeded"),
        std::slice::from_ref(&image),
    )
    .await;
    put(&store, &build("1299", "succeeded"), &[]).await;
    for (text, found) in [
        ("123", 1),
        ("12", 2),
        ("sha256:1234", 1),
        ("cccc", 1),
        ("bbbb", 2),
        ("web:feed", 1),
        ("feed", 1),
        ("dddd", 0),
    ] {
        assert_eq!(
            store.builds_like(text).await.unwrap().len(),
            found,
            "{text}"
        );
    }
    assert_eq!(store.builds_like("1234").await.unwrap()[0].images, [image]);
    assert_eq!(store.manifests_like("aa").await.unwrap().len(), 1);
}

async fn a_name_or_the_beginning_of_one_leads_to_builds(store: Store) {
    let name = |role: &str, name: &str| BuildName {
        role: role.to_owned(),
        name: name.to_owned(),
    };
    put(&store, &build("1234", "succeeded"), &[]).await;
    put(&store, &build("1299", "succeeded"), &[]).await;
    assert_eq!(store.unnamed_builds(10).await.unwrap().len(), 2);
    let mut change = store.change(event("named")).await.unwrap();
    let base = name("base", "sha256:12aa");
    for hash in ["1234", "1299"] {
        let names = [name("build", hash), base.clone(), name("tag", "Web:V1_2")];
        change.put_build_names(hash, &names).await.unwrap();
        change.put_build_names(hash, &names).await.unwrap();
    }
    change.commit().await.unwrap();

    assert_eq!(
        store.names_beginning("12").await.unwrap(),
        [name("build", "1234"), name("build", "1299"), base.clone()]
    );
    assert_eq!(store.names_beginning("123").await.unwrap().len(), 1);
    assert_eq!(store.names_beginning("2").await.unwrap(), []);
    let (builds, count) = store.builds_named(&base, 1).await.unwrap();
    assert_eq!((builds.len(), count), (1, 2));
    let tag = name("tag", "Web:V1_2");
    assert_eq!(
        store.names_equal("Web:V1_2").await.unwrap(),
        std::slice::from_ref(&tag)
    );
    for beginning in ["Web:V", "V1_"] {
        let found = store.names_with_part("tag", beginning).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&tag), "{beginning}");
    }
    assert_eq!(store.names_with_part("tag", "V12").await.unwrap(), []);
    assert_eq!(store.unnamed_builds(10).await.unwrap(), []);
}

async fn a_sign_in_code_works_once_and_not_after_its_time(store: Store) {
    let mut change = store.unobserved().await.unwrap();
    change.add_sign_in_code("fresh", "ada", 2000).await.unwrap();
    change.add_sign_in_code("old", "ada", 1000).await.unwrap();
    change.commit().await.unwrap();
    for (hash, works) in [
        ("fresh", true),
        ("fresh", false),
        ("old", false),
        ("never", false),
    ] {
        let mut change = store.unobserved().await.unwrap();
        assert_eq!(
            change
                .use_sign_in_code(hash, 1500)
                .await
                .unwrap()
                .as_deref(),
            works.then_some("ada"),
            "{hash}"
        );
        change.commit().await.unwrap();
    }
}

/// Tells of so many things at once.
async fn tell(store: &Store, count: usize) {
    let mut change = store.change(event("first")).await.unwrap();
    for number in 1..count {
        change.tell(event(&number.to_string()));
    }
    change.commit().await.unwrap();
}

async fn trim(store: &Store, most: i64, before: i64) {
    loop {
        let mut change = store.unobserved().await.unwrap();
        let gone = change.trim_events(most, before).await.unwrap();
        change.commit().await.unwrap();
        if gone == 0 {
            return;
        }
    }
}

async fn the_oldest_events_go_by_number_and_by_age_and_some_stay(store: Store) {
    assert_eq!(store.forgotten_events().await.unwrap(), 0);
    trim(&store, 10, 0).await;
    tell(&store, 5_000).await;
    assert_eq!(
        store.forgotten_events().await.unwrap(),
        0,
        "nothing is gone"
    );
    trim(&store, 4_000, 0).await;
    assert_eq!(store.forgotten_events().await.unwrap(), 1_000);
    let kept = store.events_after(0, 1).await.unwrap();
    assert_eq!(kept[0].id, 1_001);
    // All of them are too old, and the last ones stay for whoever comes anew.
    trim(&store, 4_000, now() + 60_000).await;
    assert_eq!(
        store.forgotten_events().await.unwrap(),
        5_000 - LEAST_EVENTS
    );
    trim(&store, 10, 0).await;
    assert_eq!(store.forgotten_events().await.unwrap(), 4_990);
    tell(&store, 1).await;
    assert_eq!(
        store.events_after(4_999, 10).await.unwrap()[1].id,
        5_001,
        "cursors go on"
    );
}
