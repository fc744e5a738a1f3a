//! Rules of repositories: anybody pulls, what may be mounted, tags that stay.

use reqwest::{Method, header};
use serde_json::json;

use super::{As, Registry, digest, manifest};
use crate::world::read;

#[tokio::test]
async fn anybody_pulls_what_is_public_and_nothing_else() {
    let registry = Registry::new().await;
    for repository in ["open", "closed"] {
        registry
            .put(repository, "1", "x", registry.owner())
            .await
            .success();
    }
    registry
        .set("open", json!({ "anonymous_pull": true }))
        .await;
    let asked = "scope=repository:open:pull,push&scope=repository:closed:pull";
    let given = registry.ask(asked, As::Nobody).await.success();
    assert_eq!(given["scope"], "repository:open:pull");
    let token = given["token"].as_str().unwrap();
    for who in [As::Bearer(token), As::Nobody] {
        let status = |method, path| registry.status(method, path, who);
        assert_eq!(
            status(Method::GET, "/v2/open/manifests/1").await,
            200,
            "{who:?}"
        );
        assert_eq!(
            status(Method::GET, "/v2/open/tags/list").await,
            200,
            "{who:?}"
        );
        assert_eq!(
            status(Method::GET, "/v2/closed/manifests/1").await,
            401,
            "{who:?}"
        );
        assert_eq!(status(Method::GET, "/v2/_catalog").await, 401, "{who:?}");
        assert_eq!(
            status(Method::POST, "/v2/open/blobs/uploads/").await,
            401,
            "{who:?}"
        );
        assert_eq!(
            status(Method::DELETE, "/v2/open/manifests/1").await,
            401,
            "{who:?}"
        );
    }
    // A robot may what anybody may.
    let secret = registry.robot("ci", &["elsewhere:pull"]).await;
    let robot = As::Basic("ci", &secret);
    assert_eq!(
        registry
            .status(Method::GET, "/v2/open/manifests/1", robot)
            .await,
        200
    );
    assert_eq!(
        registry
            .status(Method::GET, "/v2/closed/manifests/1", robot)
            .await,
        403
    );
    // Once it is closed again, tokens that were given before open nothing.
    registry
        .set("open", json!({ "anonymous_pull": false }))
        .await;
    for who in [As::Bearer(token), As::Nobody] {
        let status = registry
            .status(Method::GET, "/v2/open/manifests/1", who)
            .await;
        assert_eq!(status, 401, "{who:?}");
    }
    registry.world.end().await;
}

#[tokio::test]
async fn a_blob_is_not_taken_from_a_repository_that_one_may_not_pull() {
    let registry = Registry::new().await;
    let content = "secret";
    let digest = digest(content);
    let upload = format!("/v2/closed/blobs/uploads/?digest={digest}");
    let pushed = registry
        .request(Method::POST, &upload, registry.owner())
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(content);
    assert_eq!(read(pushed).await.status, 201);
    let secret = registry.robot("ci", &["mine:pull,push"]).await;
    let mount = format!("/v2/mine/blobs/uploads/?mount={digest}&from=closed");
    let (robot, owner) = (As::Basic("ci", &secret), registry.owner());
    assert_eq!(registry.status(Method::POST, &mount, robot).await, 202);
    let anywhere = format!("/v2/mine/blobs/uploads/?mount={digest}");
    assert_eq!(registry.status(Method::POST, &anywhere, robot).await, 202);
    assert_eq!(registry.status(Method::POST, &mount, owner).await, 201);
    registry.world.end().await;
}

#[tokio::test]
async fn an_immutable_tag_stays_what_it_is() {
    let registry = Registry::new().await;
    registry.set("app", json!({ "immutable_tags": true })).await;
    let put = |tag, text| registry.put("app", tag, text, registry.owner());
    assert_eq!(put("1", "first").await.status, 201);
    assert_eq!(
        put("1", "first").await.status,
        201,
        "the same again is no change"
    );
    let refused = put("1", "second").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["errors"][0]["code"], "DENIED");
    // Under its digest and under another tag it is taken.
    let second = digest(&manifest("second"));
    assert_eq!(put(&second, "second").await.status, 201);
    assert_eq!(put("2", "second").await.status, 201);
    let delete = |reference: &str| {
        let path = format!("/v2/app/manifests/{reference}");
        read(registry.request(Method::DELETE, &path, registry.owner()))
    };
    for reference in ["1", &digest(&manifest("first"))] {
        let refused = delete(reference).await;
        assert_eq!(refused.status, 403, "{reference}");
        assert_eq!(refused.body["errors"][0]["code"], "DENIED");
    }
    let still = registry.request(Method::GET, "/v2/app/manifests/1", registry.owner());
    assert_eq!(read(still).await.body["annotations"]["text"], "first");
    registry
        .set("app", json!({ "immutable_tags": false }))
        .await;
    assert_eq!(put("1", "second").await.status, 201);
    assert_eq!(delete("1").await.status, 202);
    registry.world.end().await;
}
