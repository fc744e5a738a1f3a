//! People, what lets them in, and policies.

use ergon_store::{NewEvent, PersonRow, PolicyRow, SessionRow, Store, StoreError, TokenRow};
use serde_json::json;

use crate::database::on_both;

on_both!(
    a_person_goes_with_everything_that_lets_them_in,
    sessions_are_ended_one_by_one_or_all_but_one,
    a_policy_is_kept_in_place_of_what_was_there,
);

fn event() -> NewEvent {
    NewEvent::new("dev.ergon.test", "test", json!({}))
}

fn person(name: &str) -> PersonRow {
    PersonRow {
        name: name.to_owned(),
        roles: vec!["viewer".to_owned()],
        password: None,
        created_at: 1,
        disabled_at: None,
    }
}

fn session(id: &str, principal: &str) -> SessionRow {
    SessionRow {
        id: id.to_owned(),
        principal: principal.to_owned(),
        agent: "browser".to_owned(),
        address: "192.0.2.7".to_owned(),
        created_at: 1,
        last_used_at: 1,
        expires_at: 100,
    }
}

async fn a_person_goes_with_everything_that_lets_them_in(store: Store) {
    let token = TokenRow {
        id: "t".to_owned(),
        person: "ada".to_owned(),
        about: String::new(),
        hash: "token".to_owned(),
        roles: Some(vec!["viewer".to_owned()]),
        created_at: 1,
        expires_at: None,
        last_used_at: None,
    };
    let mut change = store.change(event()).await.unwrap();
    change.add_person(&person("ada")).await.unwrap();
    change.add_person(&person("bob")).await.unwrap();
    change.add_token(&token).await.unwrap();
    change.add_session("a", &session("1", "ada")).await.unwrap();
    change.add_session("b", &session("2", "bob")).await.unwrap();
    change.add_sign_in_code("code", "ada", 100).await.unwrap();
    change.commit().await.unwrap();
    let mut change = store.change(event()).await.unwrap();
    let taken = change.add_person(&person("ada")).await;
    assert!(matches!(taken, Err(StoreError::Exists { .. })));
    drop(change);
    assert_eq!(
        store.people().await.unwrap(),
        [person("ada"), person("bob")]
    );
    assert_eq!(store.person_tokens().await.unwrap(), [token]);
    let changed = PersonRow {
        roles: vec!["operator".to_owned()],
        password: Some("$argon2id$".to_owned()),
        disabled_at: Some(5),
        ..person("bob")
    };
    let mut change = store.change(event()).await.unwrap();
    assert!(change.update_person(&changed).await.unwrap());
    assert!(!change.update_person(&person("eve")).await.unwrap());
    assert!(change.remove_person("ada").await.unwrap());
    assert!(!change.remove_person("ada").await.unwrap());
    assert_eq!(change.use_sign_in_code("code", 50).await.unwrap(), None);
    change.commit().await.unwrap();
    assert_eq!(store.people().await.unwrap(), [changed]);
    assert_eq!(store.person_tokens().await.unwrap(), []);
    assert_eq!(store.session("a", 50).await.unwrap(), None);
    assert!(store.session("b", 50).await.unwrap().is_some());
}

async fn sessions_are_ended_one_by_one_or_all_but_one(store: Store) {
    let mut change = store.unobserved().await.unwrap();
    for id in ["1", "2", "3"] {
        change.add_session(id, &session(id, "ada")).await.unwrap();
    }
    change.add_session("4", &session("4", "bob")).await.unwrap();
    change.touch_session("2", 7).await.unwrap();
    assert!(
        !change.end_session_of("ada", "4").await.unwrap(),
        "it is bob's"
    );
    assert!(change.end_session_of("ada", "3").await.unwrap());
    change.commit().await.unwrap();
    let kept = store.session("2", 50).await.unwrap().unwrap();
    assert_eq!((kept.last_used_at, kept.agent.as_str()), (7, "browser"));
    assert_eq!(store.session("2", 100).await.unwrap(), None, "it is over");
    assert_eq!(store.sessions_of("ada", 50).await.unwrap().len(), 2);
    let mut change = store.unobserved().await.unwrap();
    assert_eq!(change.end_sessions_of("ada", Some("2")).await.unwrap(), 1);
    assert_eq!(change.end_sessions_of("bob", None).await.unwrap(), 1);
    change.commit().await.unwrap();
    assert_eq!(store.sessions_of("ada", 50).await.unwrap().len(), 1);
    // What is over goes with the next that is used.
    let mut change = store.unobserved().await.unwrap();
    change.touch_session("none", 100).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.sessions_of("ada", 50).await.unwrap(), []);
}

async fn a_policy_is_kept_in_place_of_what_was_there(store: Store) {
    let policy = |text: &str| PolicyRow {
        name: "nights".to_owned(),
        text: text.to_owned(),
        changed_at: 1,
        changed_by: "owner".to_owned(),
    };
    let mut change = store.change(event()).await.unwrap();
    change.put_policy(&policy("one")).await.unwrap();
    change.put_policy(&policy("two")).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(store.policies().await.unwrap(), [policy("two")]);
    let mut change = store.change(event()).await.unwrap();
    assert!(change.remove_policy("nights").await.unwrap());
    assert!(!change.remove_policy("nights").await.unwrap());
    change.commit().await.unwrap();
    assert_eq!(store.policies().await.unwrap(), []);
}
