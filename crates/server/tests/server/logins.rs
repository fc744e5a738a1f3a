//! Who may use the image registry: challenges, tokens, robots, anybody. Over HTTP, as clients do it.

use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Answer, World, read, read_response};

/// A registry, and what it takes to use it.
struct Registry {
    world: World,
}

/// How somebody shows who they are.
#[derive(Clone, Copy, Debug)]
enum As<'a> {
    Nobody,
    Basic(&'a str, &'a str),
    Bearer(&'a str),
}

impl Registry {
    async fn new() -> Self {
        let world = World::new().await;
        Self { world }
    }

    fn request(&self, method: Method, path: &str, who: As) -> RequestBuilder {
        let request = self.world.anonymous(method, path);
        match who {
            As::Nobody => request,
            As::Basic(user, password) => request.basic_auth(user, Some(password)),
            As::Bearer(token) => request.bearer_auth(token),
        }
    }

    async fn status(&self, method: Method, path: &str, who: As<'_>) -> StatusCode {
        let sent = self.request(method, path, who).send().await;
        sent.unwrap().status()
    }

    fn owner(&self) -> As<'_> {
        As::Basic("ergon", &self.world.token)
    }

    /// Adds a robot and returns its secret.
    async fn robot(&self, name: &str, allow: &[&str]) -> String {
        let wanted = json!({ "name": name, "allow": allow });
        let added = self.world.post("/api/v1/robots", wanted).await.success();
        added["secret"].as_str().unwrap().to_owned()
    }

    async fn set(&self, repository: &str, settings: Value) {
        let path = format!("/api/v1/repositories/{}", repository.replace('/', "%2F"));
        let request = self.world.request(Method::PATCH, &path).json(&settings);
        read(request).await.success();
    }

    /// Pushes a manifest that is made of nothing but its annotation; what it needs has to be there.
    async fn put(&self, repository: &str, reference: &str, text: &str, who: As<'_>) -> Answer {
        let manifest = manifest(text);
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self
            .request(Method::PUT, &path, who)
            .header(header::CONTENT_TYPE, INDEX)
            .body(manifest);
        read(request).await
    }

    /// The answer of the token service to a query.
    async fn ask(&self, query: &str, who: As<'_>) -> Answer {
        let path = format!("/v2/token?service=x&{query}");
        read(self.request(Method::GET, &path, who)).await
    }

    async fn token(&self, scope: &str, who: As<'_>) -> String {
        let given = self.ask(&format!("scope={scope}"), who).await.success();
        assert_eq!(given["token"], given["access_token"]);
        given["token"].as_str().unwrap().to_owned()
    }

    /// The answer of the token service to a form.
    async fn post(&self, form: &[(&str, &str)]) -> Answer {
        let request = self.world.anonymous(Method::POST, "/v2/token");
        let kind = "application/x-www-form-urlencoded";
        let body: Vec<String> = form
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        read(
            request
                .header(header::CONTENT_TYPE, kind)
                .body(body.join("&")),
        )
        .await
    }
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn manifest(text: &str) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": { "text": text } })
        .to_string()
}

fn digest(content: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

/// The challenge of an answer, which has to be a 401 with an error in the protocol's words.
async fn challenge(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401, "{}", response.url());
    let challenge = response.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .unwrap()
        .to_owned();
    let head = response.headers()[header::CONTENT_LENGTH] == "0";
    let body = read_response(response).await.body;
    assert!(
        head || body["errors"][0]["code"] == "UNAUTHORIZED",
        "{body:#}"
    );
    challenge
}

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
        (Method::HEAD, &blob, Some(pull)),
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
