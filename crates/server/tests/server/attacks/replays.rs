//! What was good once, shown again; and what is good in one place, shown in another.

use reqwest::Method;
use serde_json::json;

use super::By::{Nobody, Robot, Viewer};
use super::{Attack, Target, attack, person, session, token_of};
use crate::world::read;

fn bearer(what: &str, line: &str, token: &str) -> Attack {
    attack(what, Nobody, line, &[400, 401, 403]).head(format!("authorization: Bearer {token}"))
}

fn cookie(what: &str, line: &str, cookie: &str) -> Attack {
    attack(what, Nobody, line, &[400, 401, 403])
        .head(format!("cookie: {cookie}"))
        .head("sec-fetch-site: same-origin")
}

#[tokio::test]
async fn what_was_ended_is_worth_nothing_any_more() {
    let target = Target::new().await;
    let world = &target.world;
    let mut attacks = Vec::new();
    let session_path = "GET /api/v1/session";

    // A session that was left, one that somebody else ended, and those of somebody who left.
    let left = session(world, "viewer").await;
    let leaves = world
        .anonymous(Method::DELETE, "/api/v1/session")
        .header("cookie", &left)
        .header("sec-fetch-site", "same-origin");
    read(leaves).await.success();
    attacks.push(cookie("a session that was left", session_path, &left));
    let leaver = person(world, "operator").await;
    let theirs = session(world, "operator").await;
    let ended = world.delete("/api/v1/people/operator/sessions").await;
    ended.success();
    attacks.push(cookie("a session that was ended", session_path, &theirs));
    let again = session(world, "operator").await;
    let link = world
        .post("/api/v1/people/operator/link", json!({}))
        .await
        .success();
    assert_eq!(world.delete("/api/v1/people/operator").await.status, 204);
    attacks.push(cookie(
        "a session of somebody who left",
        session_path,
        &again,
    ));
    attacks.push(bearer(
        "a token of somebody who left",
        session_path,
        &leaver,
    ));
    let code = link["code"].as_str().unwrap();
    attacks.push(
        attack(
            "a link of somebody who left",
            Nobody,
            "POST /api/v1/session",
            &[401],
        )
        .json(&json!({ "code": code })),
    );

    // A link that was used, and one that another took the place of.
    let link = world
        .post("/api/v1/people/viewer/link", json!({}))
        .await
        .success();
    let body = json!({ "code": link["code"] });
    let first = world.anonymous(Method::POST, "/api/v1/session").json(&body);
    read(first).await.success();
    for (what, body) in [
        ("a link once more", body.clone()),
        ("a link as a list", json!({ "code": [link["code"]] })),
        ("no link", json!({ "code": null })),
        ("an empty link", json!({ "code": "" })),
        ("a link of stars", json!({ "code": "%" })),
        (
            "a link that is a question",
            json!({ "code": { "$ne": "" } }),
        ),
        (
            "a link beside a name",
            json!({ "code": link["code"], "name": "owner" }),
        ),
    ] {
        attacks.push(attack(what, Nobody, "POST /api/v1/session", &[400, 401, 422]).json(&body));
    }
    let code = link["code"].as_str().unwrap();
    attacks.push(bearer("a link as a token", session_path, code));
    attacks.push(cookie(
        "a link as a session",
        session_path,
        &format!("ergon_session={code}"),
    ));

    // A token that was taken back, and tokens and sessions each in the other's place.
    let taken = token_of(world, "viewer").await;
    let (id, secret) = (taken["id"].as_str(), taken["secret"].as_str().unwrap());
    let id = id.or(taken["token"]["id"].as_str()).unwrap();
    let gone = world
        .delete(&format!("/api/v1/people/viewer/tokens/{id}"))
        .await;
    assert_eq!(gone.status, 204);
    attacks.push(bearer("a token that was taken back", session_path, secret));
    attacks.push(bearer("the id of a token", session_path, id));
    let good = token_of(world, "viewer").await;
    let good = good["secret"].as_str().unwrap().to_owned();
    attacks.push(cookie(
        "a token as a session",
        session_path,
        &format!("ergon_session={good}"),
    ));
    let open = session(world, "viewer").await;
    let open = open.split_once('=').unwrap().1;
    attacks.push(bearer("a session as a token", session_path, open));
    attacks.push(
        attack("a token as a link", Nobody, "POST /api/v1/session", &[401])
            .json(&json!({ "code": good })),
    );
    attacks.push(
        attack(
            "a token as a password",
            Nobody,
            "POST /api/v1/session",
            &[401],
        )
        .json(&json!({ "name": "viewer", "password": good })),
    );

    // A robot's secret that was replaced, one that is gone, and a good one where robots have no business.
    let robot = json!({ "name": "gone", "allow": ["open/*:pull"] });
    let robot = world.post("/api/v1/robots", robot).await.success();
    let first = robot["secret"].as_str().unwrap().to_owned();
    let second = world
        .post("/api/v1/robots/gone/secret", json!({}))
        .await
        .success();
    let second = second["secret"].as_str().unwrap().to_owned();
    attacks.push(bearer(
        "a robot's secret that was replaced",
        "GET /v2/_catalog",
        &first,
    ));
    assert_eq!(world.delete("/api/v1/robots/gone").await.status, 204);
    attacks.push(bearer(
        "the secret of a robot that is gone",
        "GET /v2/_catalog",
        &second,
    ));
    for line in [
        "GET /api/v1/projects",
        "GET /api/v1/people",
        "POST /api/v1/runs",
        "POST /mcp",
        "GET /v2/_catalog",
        "GET /v2/closed/app/manifests/1",
        "POST /v2/open/app/blobs/uploads/",
        "DELETE /v2/open/app/manifests/1",
    ] {
        attacks.push(attack(
            "a robot where it has no business",
            Robot,
            line,
            &[400, 401, 403],
        ));
    }

    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn who_is_less_than_before_may_less_at_once() {
    let target = Target::new().await;
    let world = &target.world;
    let token = person(world, "operator").await;
    let open = session(world, "operator").await;
    let form = format!(
        "grant_type=password&access_type=offline&service=x&client_id=x&username=operator&password={token}"
    );
    let refreshed = world
        .anonymous(Method::POST, "/v2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let refreshed = read(refreshed).await.success();
    let refresh = refreshed["refresh_token"].as_str().unwrap_or_default();
    assert!(!refresh.is_empty(), "{refreshed:#}");
    let less = world.request(Method::PATCH, "/api/v1/people/operator");
    read(less.json(&json!({ "roles": ["viewer"] })))
        .await
        .success();
    let mut attacks = Vec::new();
    for line in [
        "DELETE /api/v1/containers/nobody",
        "POST /api/v1/proposals/nobody/approve",
        "POST /api/v1/registry-upkeep/collection",
        "GET /api/v1/audit",
        "GET /api/v1/secrets",
    ] {
        attacks.push(bearer("a token from better times", line, &token));
        attacks.push(cookie("a session from better times", line, &open));
    }
    let form = format!(
        "grant_type=refresh_token&service=x&client_id=x&scope=repository:open/app:push&refresh_token={refresh}"
    );
    let widened = attack(
        "a refresh token from better times",
        Nobody,
        "POST /v2/token",
        &[200, 400, 401],
    );
    attacks.push(widened.text("application/x-www-form-urlencoded", form.clone()));
    target.withstands(attacks).await;
    // What it is given for it opens no more than the person may.
    let given = world
        .anonymous(Method::POST, "/v2/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let given = read(given).await;
    if let Some(token) = given.body["access_token"].as_str() {
        let push = world.anonymous(Method::POST, "/v2/open/app/blobs/uploads/");
        let push = push.bearer_auth(token).send().await.unwrap();
        assert!(
            [401, 403].contains(&push.status().as_u16()),
            "{}",
            push.status()
        );
    }
    target.world.end().await;
}

#[tokio::test]
async fn guesses_end_in_waiting() {
    let target = Target::new().await;
    let world = &target.world;
    let password = json!({ "password": "correct horse battery staple" });
    let set = world.request(Method::PUT, "/api/v1/people/viewer/password");
    read(set.json(&password)).await.success();
    let mut said = Vec::new();
    for number in 0..40 {
        let guess = json!({ "name": "viewer", "password": format!("guess {number}") });
        let guess = attack("a guess", Nobody, "POST /api/v1/session", &[]).json(&guess);
        said.push(target.send(&guess).await.0);
        if said.last() == Some(&429) {
            break;
        }
    }
    assert_eq!(said.pop(), Some(429), "{said:?}");
    assert!(said.iter().all(|status| *status == 401), "{said:?}");
    // The right one waits as well, or a guess would be known by its answer; and who has another way in, is in.
    let right = json!({ "name": "viewer", "password": "correct horse battery staple" });
    let right = attack("", Nobody, "POST /api/v1/session", &[]).json(&right);
    assert_eq!(target.send(&right).await.0, 429);
    let by_token = attack("", Viewer, "GET /api/v1/session", &[]);
    assert_eq!(target.send(&by_token).await.0, 200);
    target.world.end().await;
}
