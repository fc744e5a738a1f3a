//! Whom tokens are given to, what they open, and when they end.

use reqwest::Method;
use serde_json::json;

use super::{As, Registry, challenge};
use crate::world::{World, read};

#[tokio::test]
async fn the_stacks_token_opens_everything_under_any_name() {
    let registry = Registry::new().await;
    let token = registry.world.token.clone();
    for who in [
        As::Basic("ergon", &token),
        As::Basic("somebody", &token),
        As::Basic("", &token),
        As::Bearer(&token),
    ] {
        for path in ["/v2/", "/v2/_catalog"] {
            assert_eq!(
                registry.status(Method::GET, path, who).await,
                200,
                "{who:?} {path}"
            );
        }
        assert_eq!(
            registry.put("app", "1", "x", who).await.status,
            201,
            "{who:?}"
        );
    }
    registry.world.end().await;
}

#[tokio::test]
async fn a_token_is_given_for_what_was_asked_and_opens_nothing_else() {
    let registry = Registry::new().await;
    registry
        .put("team/app", "1", "x", registry.owner())
        .await
        .success();
    let token = registry
        .token("repository:team/app:pull", registry.owner())
        .await;
    let who = As::Bearer(&token);
    let status = |method, path| registry.status(method, path, who);
    assert_eq!(status(Method::GET, "/v2/").await, 200);
    assert_eq!(status(Method::GET, "/v2/team/app/manifests/1").await, 200);
    for (method, path) in [
        (Method::POST, "/v2/team/app/blobs/uploads/"),
        (Method::DELETE, "/v2/team/app/manifests/1"),
        (Method::GET, "/v2/team/other/manifests/1"),
        (Method::GET, "/v2/_catalog"),
    ] {
        let said = challenge(registry.request(method, path, who)).await;
        assert!(
            said.ends_with("error=\"insufficient_scope\""),
            "{path}: {said}"
        );
    }
    // It is no token of the stack.
    let api = registry.request(Method::GET, "/api/v1/robots", who);
    read(api).await.problem(401);
    registry.world.end().await;
}

#[tokio::test]
async fn a_robot_gets_a_token_for_what_it_may_of_what_it_asked() {
    let registry = Registry::new().await;
    let secret = registry
        .robot("ci", &["team/*:pull,push", "base:pull"])
        .await;
    let who = As::Basic("ci", &secret);
    for (asked, given) in [
        (
            "scope=repository:team/app:pull,push",
            "repository:team/app:pull,push",
        ),
        (
            "scope=repository:team/app:*",
            "repository:team/app:pull,push",
        ),
        ("scope=repository:base:pull,push", "repository:base:pull"),
        ("scope=repository:other:pull,push", ""),
        ("scope=registry:catalog:*", ""),
        ("", ""),
        (
            "scope=repository:team/a:pull&scope=repository:base:pull",
            "repository:team/a:pull repository:base:pull",
        ),
        (
            "scope=repository:team/a:pull%20repository:other:pull",
            "repository:team/a:pull",
        ),
    ] {
        let answer = registry.ask(asked, who).await.success();
        assert_eq!(answer["scope"], given, "{asked}");
        assert!(answer["expires_in"].as_i64().unwrap() >= 60);
        assert!(answer.get("refresh_token").is_none());
    }
    registry.world.end().await;
}

#[tokio::test]
async fn a_robot_that_may_not_is_told_so_and_not_asked_who_it_is() {
    let registry = Registry::new().await;
    registry
        .put("base", "1", "x", registry.owner())
        .await
        .success();
    let secret = registry.robot("ci", &["base:pull"]).await;
    let token = registry
        .token("repository:base:pull,push", As::Basic("ci", &secret))
        .await;
    for who in [As::Basic("ci", &secret), As::Bearer(&token)] {
        assert_eq!(
            registry
                .status(Method::GET, "/v2/base/manifests/1", who)
                .await,
            200
        );
        let refused = registry.put("base", "2", "y", who).await;
        assert_eq!(refused.status, 403, "{who:?}");
        let error = &refused.body["errors"][0];
        assert_eq!(error["code"], "DENIED");
        assert!(error["message"].as_str().unwrap().contains("ci"), "{error}");
    }
    let wrong = registry.request(
        Method::GET,
        "/v2/base/manifests/1",
        As::Basic("ci", "wrong"),
    );
    challenge(wrong).await;
    registry.world.end().await;
}

#[tokio::test]
async fn a_refresh_token_stands_for_a_secret_as_long_as_that_is_good() {
    let registry = Registry::new().await;
    let secret = registry.robot("ci", &["a:pull"]).await;
    let password = |access| {
        [
            ("grant_type", "password"),
            ("username", "ci"),
            ("password", secret.as_str()),
            ("access_type", access),
            ("client_id", "test"),
            ("service", "x"),
            ("scope", "repository:a:pull"),
        ]
    };
    let online = registry.post(&password("online")).await.success();
    assert!(online.get("refresh_token").is_none());
    let offline = registry.post(&password("offline")).await.success();
    let refresh = offline["refresh_token"].as_str().unwrap().to_owned();
    let again = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("scope", "repository:a:pull,push"),
    ];
    let given = registry.post(&again).await.success();
    assert_eq!(given["scope"], "repository:a:pull");
    // A refresh token opens the token service only, and other tokens do not.
    let as_bearer = registry.request(Method::GET, "/v2/", As::Bearer(&refresh));
    challenge(as_bearer).await;
    let token = given["access_token"].as_str().unwrap();
    let mistaken = [("grant_type", "refresh_token"), ("refresh_token", token)];
    assert_eq!(registry.post(&mistaken).await.status, 401);
    // `docker login` asks for it so, and keeps the password where there is none for other clients to read.
    let asked = registry
        .ask("offline_token=true", registry.owner())
        .await
        .success();
    assert!(asked.get("refresh_token").is_none());

    let rotated = registry
        .world
        .post("/api/v1/robots/ci/secret", json!({}))
        .await;
    rotated.success();
    assert_eq!(registry.post(&again).await.status, 401);
    registry.world.end().await;
}

#[tokio::test]
async fn what_a_robot_has_ends_with_the_robot_and_not_with_the_stack() {
    let registry = Registry::new().await;
    registry
        .put("a", "1", "x", registry.owner())
        .await
        .success();
    let secret = registry.robot("ci", &["a:pull"]).await;
    let token = registry
        .token("repository:a:pull", As::Basic("ci", &secret))
        .await;
    let world = World::over(registry.world.end().await).await;
    let registry = Registry { world };
    let status = |who| registry.status(Method::GET, "/v2/a/manifests/1", who);
    assert_eq!(status(As::Basic("ci", &secret)).await, 200);
    assert_eq!(status(As::Bearer(&token)).await, 200);
    assert_eq!(registry.world.delete("/api/v1/robots/ci").await.status, 204);
    assert_eq!(status(As::Basic("ci", &secret)).await, 401);
    assert_eq!(status(As::Bearer(&token)).await, 401);
    registry.world.end().await;
}
