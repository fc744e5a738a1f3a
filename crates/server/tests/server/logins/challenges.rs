//! What whoever is not known is told.

use reqwest::{Method, header};

use super::{As, Registry, challenge, digest};
use crate::world::read;

#[tokio::test]
async fn every_path_says_where_a_token_is_to_be_had_and_for_what() {
    let registry = Registry::new().await;
    let authority = registry.world.authority().to_owned();
    let digest = digest("x");
    let blob = format!("/v2/team/app/blobs/{digest}");
    let referrers = format!("/v2/team/app/referrers/{digest}");
    let (pull, push, delete) = (
        "repository:team/app:pull",
        "repository:team/app:pull,push",
        "repository:team/app:delete",
    );
    for (method, path, scope) in [
        (Method::GET, "/v2/", None),
        (Method::GET, "/v2", None),
        (Method::GET, "/v2/_catalog", Some("registry:catalog:*")),
        (Method::GET, "/v2/team/app/tags/list", Some(pull)),
        (Method::GET, "/v2/team/app/manifests/1", Some(pull)),
        (Method::HEAD, "/v2/team/app/manifests/1", Some(pull)),
        (Method::PUT, "/v2/team/app/manifests/1", Some(push)),
        (Method::DELETE, "/v2/team/app/manifests/1", Some(delete)),
        (Method::GET, &blob, Some(pull)),
        (Method::HEAD, &blob, Some(push)),
        (Method::DELETE, &blob, Some(delete)),
        (Method::GET, &referrers, Some(pull)),
        (Method::POST, "/v2/team/app/blobs/uploads/", Some(push)),
        (Method::PATCH, "/v2/team/app/blobs/uploads/x", Some(push)),
        (Method::PUT, "/v2/team/app/blobs/uploads/x", Some(push)),
        (Method::GET, "/v2/team/app/blobs/uploads/x", Some(push)),
        (Method::DELETE, "/v2/team/app/blobs/uploads/x", Some(push)),
        // What is no path of the registry tells nobody that it is none.
        (Method::GET, "/v2/nothing", None),
        (Method::GET, "/v2/Team/App/manifests/1", None),
        (Method::POST, "/v2/team/app/tags/list", None),
    ] {
        let expected = match scope {
            Some(scope) => format!(
                "Bearer realm=\"http://{authority}/v2/token\",service=\"{authority}\",scope=\"{scope}\""
            ),
            None => format!("Bearer realm=\"http://{authority}/v2/token\",service=\"{authority}\""),
        };
        let said = challenge(registry.request(method.clone(), path, As::Nobody)).await;
        assert_eq!(said, expected, "{method} {path}");
        let wrong = registry.request(method.clone(), path, As::Bearer("wrong"));
        let said = challenge(wrong).await;
        assert_eq!(
            said,
            format!("{expected},error=\"invalid_token\""),
            "{method} {path}"
        );
        let wrong = registry.request(method.clone(), path, As::Basic("ergon", "wrong"));
        challenge(wrong).await;
    }
    registry.world.end().await;
}

#[tokio::test]
async fn the_realm_is_where_the_client_came_to() {
    let registry = Registry::new().await;
    let port = registry
        .world
        .authority()
        .split(':')
        .nth(1)
        .unwrap()
        .to_owned();
    let named = |name: &str| {
        let host = format!("{name}:{port}");
        registry
            .request(Method::GET, "/v2/", As::Nobody)
            .header(header::HOST, host)
    };
    let said = challenge(named("localhost")).await;
    assert!(
        said.contains(&format!("realm=\"http://localhost:{port}/v2/token\"")),
        "{said}"
    );
    let said = challenge(named("localhost").header("x-forwarded-proto", "https")).await;
    assert!(
        said.contains(&format!("realm=\"https://localhost:{port}/v2/token\"")),
        "{said}"
    );
    registry.world.end().await;
}

#[tokio::test]
async fn a_wrong_name_or_secret_gets_no_token() {
    let registry = Registry::new().await;
    registry.robot("ci", &["*:*"]).await;
    for who in [
        As::Basic("ci", "wrong"),
        As::Basic("ergon", ""),
        As::Basic("ergon", "wrong"),
        As::Bearer("wrong"),
    ] {
        let path = "/v2/token?service=x&scope=repository:a:pull";
        let said = challenge(registry.request(Method::GET, path, who)).await;
        assert!(said.starts_with("Basic "), "{said}");
    }
    for form in [
        &[
            ("grant_type", "password"),
            ("username", "ci"),
            ("password", "wrong"),
        ][..],
        &[("grant_type", "password"), ("username", "ergon")],
        &[("grant_type", "refresh_token"), ("refresh_token", "wrong")],
    ] {
        let refused = registry.post(form).await;
        assert_eq!(refused.status, 401, "{form:?}");
        assert_eq!(refused.body["errors"][0]["code"], "UNAUTHORIZED");
    }
    for form in [&[("grant_type", "authorization_code")][..], &[]] {
        assert_eq!(registry.post(form).await.status, 400, "{form:?}");
    }
    let large = "x".repeat(100_000);
    assert_eq!(registry.post(&[("grant_type", &large)]).await.status, 400);
    let other = registry
        .status(Method::DELETE, "/v2/token", As::Nobody)
        .await;
    assert_eq!(other, 405);
    registry.world.end().await;
}

#[tokio::test]
async fn mounting_with_a_token_takes_one_for_both_repositories() {
    let registry = Registry::new().await;
    let content = "shared";
    let digest = digest(content);
    let upload = format!("/v2/base/blobs/uploads/?digest={digest}");
    let pushed = registry
        .request(Method::POST, &upload, registry.owner())
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(content);
    assert_eq!(read(pushed).await.status, 201);
    let narrow = registry
        .token("repository:app:pull,push", registry.owner())
        .await;
    let mount = format!("/v2/app/blobs/uploads/?mount={digest}&from=base");
    let said = challenge(registry.request(Method::POST, &mount, As::Bearer(&narrow))).await;
    let scopes = "repository:app:pull,push repository:base:pull";
    assert!(
        said.contains(&format!("scope=\"{scopes}\"")) && said.contains("insufficient_scope"),
        "{said}"
    );
    let asked = scopes.replace(' ', "%20");
    let both = registry.token(&asked, registry.owner()).await;
    let mounted = registry.status(Method::POST, &mount, As::Bearer(&both));
    assert_eq!(mounted.await, 201);
    // Where none is named, what the token's holder may pull counts.
    let anywhere = format!("/v2/other/blobs/uploads/?mount={digest}");
    let other = registry
        .token("repository:other:pull,push", registry.owner())
        .await;
    let mounted = registry.status(Method::POST, &anywhere, As::Bearer(&other));
    assert_eq!(mounted.await, 201);
    let secret = registry.robot("ci", &["mine:pull,push"]).await;
    let mine = registry
        .token("repository:mine:pull,push", As::Basic("ci", &secret))
        .await;
    let anywhere = format!("/v2/mine/blobs/uploads/?mount={digest}");
    let mounted = registry.status(Method::POST, &anywhere, As::Bearer(&mine));
    assert_eq!(mounted.await, 202);
    registry.world.end().await;
}
