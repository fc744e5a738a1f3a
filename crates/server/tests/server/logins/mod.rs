//! Who may use the image registry: challenges, tokens, robots, anybody. Over HTTP, as clients do it.

mod challenges;
mod rules;
mod tokens;

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
