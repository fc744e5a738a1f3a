//! Secrets, their versions, and who may use them where.

use ergon_store::{
    NewEvent, ProjectId, SecretGrantRow, SecretRow, SecretVersionRow, Store, StoreError,
};
use serde_json::json;

use crate::database::on_both;

on_both!(
    a_secret_has_one_current_version,
    a_destroyed_version_says_nothing_and_is_still_known,
    a_removed_secret_leaves_nothing,
    a_grant_is_given_once_and_taken_back_once,
    grants_go_with_their_project,
);

fn event() -> NewEvent {
    NewEvent::new("dev.ergon.test", "test", json!({}))
}

fn secret(name: &str, last_version: i64) -> SecretRow {
    SecretRow {
        name: name.to_owned(),
        note: "tests".to_owned(),
        created_at: 1,
        changed_at: last_version,
        changed_by: "owner".to_owned(),
        last_version,
    }
}

fn version(secret: &str, version: i64) -> SecretVersionRow {
    SecretVersionRow {
        secret: secret.to_owned(),
        version,
        id: format!("{secret}-{version}"),
        state: "current".to_owned(),
        sealed: Some("YWdl".to_owned()),
        sealed_for: "age1".to_owned(),
        vault_version: None,
        created_at: version,
        created_by: "owner".to_owned(),
        expires_at: (version == 2).then_some(99),
    }
}

fn grant(secret: &str, kind: &str, project_id: &str, part: &str) -> SecretGrantRow {
    SecretGrantRow {
        secret: secret.to_owned(),
        kind: kind.to_owned(),
        project_id: project_id.to_owned(),
        part: part.to_owned(),
        granted_at: 1,
        granted_by: "owner".to_owned(),
    }
}

async fn set(store: &Store, name: &str, number: i64) -> Result<(), StoreError> {
    let mut change = store.change(event()).await?;
    change.put_secret(&secret(name, number)).await?;
    change.add_secret_version(&version(name, number)).await?;
    change.commit().await
}

async fn a_secret_has_one_current_version(store: Store) {
    set(&store, "a", 1).await.unwrap();
    set(&store, "a", 2).await.unwrap();
    set(&store, "b", 1).await.unwrap();
    let rows = store.secrets().await.unwrap();
    assert_eq!(rows, [secret("a", 2), secret("b", 1)]);
    assert_eq!(store.secret("a").await.unwrap(), Some(secret("a", 2)));
    assert_eq!(store.secret("c").await.unwrap(), None);
    let before = SecretVersionRow {
        state: "superseded".to_owned(),
        ..version("a", 1)
    };
    let of_a = [version("a", 2), before];
    assert_eq!(store.secret_versions(Some("a")).await.unwrap(), of_a);
    let all = store.secret_versions(None).await.unwrap();
    assert_eq!(all, [&of_a[..], &[version("b", 1)]].concat());
    // One number is given once.
    assert!(set(&store, "a", 2).await.is_err());
}

async fn a_destroyed_version_says_nothing_and_is_still_known(store: Store) {
    set(&store, "a", 1).await.unwrap();
    set(&store, "a", 2).await.unwrap();
    let mut change = store.change(event()).await.unwrap();
    assert!(change.destroy_secret_version("a", 1).await.unwrap());
    assert!(!change.destroy_secret_version("a", 1).await.unwrap());
    assert!(!change.destroy_secret_version("a", 7).await.unwrap());
    change
        .reseal_secret_version("a", 2, "bmV3", "age2")
        .await
        .unwrap();
    change.commit().await.unwrap();
    let versions = store.secret_versions(Some("a")).await.unwrap();
    let said: Vec<_> = versions
        .iter()
        .map(|row| {
            (
                row.state.as_str(),
                row.sealed.as_deref(),
                row.sealed_for.as_str(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("current", Some("bmV3"), "age2"),
            ("destroyed", None, "age1")
        ]
    );
}

async fn a_removed_secret_leaves_nothing(store: Store) {
    set(&store, "a", 1).await.unwrap();
    set(&store, "b", 1).await.unwrap();
    let mut change = store.change(event()).await.unwrap();
    change
        .grant_secret(&grant("a", "project", "p", ""))
        .await
        .unwrap();
    change
        .grant_secret(&grant("b", "project", "p", ""))
        .await
        .unwrap();
    assert!(change.remove_secret("a").await.unwrap());
    assert!(!change.remove_secret("a").await.unwrap());
    change.commit().await.unwrap();
    assert_eq!(store.secrets().await.unwrap(), [secret("b", 1)]);
    assert_eq!(
        store.secret_versions(None).await.unwrap(),
        [version("b", 1)]
    );
    let grants = store.secret_grants(None).await.unwrap();
    assert_eq!(grants, [grant("b", "project", "p", "")]);
    assert_eq!(store.secret_grants(Some("a")).await.unwrap(), []);
}

async fn a_grant_is_given_once_and_taken_back_once(store: Store) {
    let wanted = grant("a", "container", "p", "web");
    let mut change = store.change(event()).await.unwrap();
    change.grant_secret(&wanted).await.unwrap();
    let again = SecretGrantRow {
        granted_by: "somebody".to_owned(),
        ..wanted.clone()
    };
    change.grant_secret(&again).await.unwrap();
    change.commit().await.unwrap();
    let grants = store.secret_grants(Some("a")).await.unwrap();
    assert_eq!(grants, std::slice::from_ref(&wanted));
    let mut change = store.change(event()).await.unwrap();
    for other in [
        grant("b", "container", "p", "web"),
        grant("a", "build", "p", "web"),
        grant("a", "container", "q", "web"),
        grant("a", "container", "p", ""),
    ] {
        assert!(!change.revoke_secret(&other).await.unwrap(), "{other:?}");
    }
    assert!(change.revoke_secret(&wanted).await.unwrap());
    assert!(!change.revoke_secret(&wanted).await.unwrap());
    change.commit().await.unwrap();
    assert_eq!(store.secret_grants(None).await.unwrap(), []);
}

async fn grants_go_with_their_project(store: Store) {
    let id = ProjectId::named("p");
    let mut change = store.change(event()).await.unwrap();
    change
        .grant_secret(&grant("a", "project", "p", ""))
        .await
        .unwrap();
    change
        .grant_secret(&grant("a", "project", "q", ""))
        .await
        .unwrap();
    change.remove_project(&id).await.unwrap();
    change.commit().await.unwrap();
    let grants = store.secret_grants(None).await.unwrap();
    assert_eq!(grants, [grant("a", "project", "q", "")]);
}
