//! The registry over HTTP, clause by clause of the OCI Distribution specification 1.1, and what it does with bad
//! input and faults. The tests of a file are one chapter; a test's name says the clause.

mod discovery;
mod faults;
mod full_disk;
mod management;
mod pull;
mod push;
pub mod refusals;
mod uploads;

use std::collections::BTreeMap;

use ergon_oci::{Algorithm, ContentDigest};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::world::Door;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub const BYTES: &str = "application/octet-stream";

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&self.body)))
    }

    /// The answer, which has to have this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Refused with this status and code, in the specification's words.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let reply = self.with(status);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let body = reply.json();
        let errors = body["errors"].as_array().unwrap();
        assert!(!errors.is_empty());
        for error in errors {
            assert_eq!(error["code"], code, "{body:#}");
            assert!(!error["message"].as_str().unwrap().is_empty(), "{body:#}");
        }
        body
    }

    /// Where an upload goes on, or where what was pushed is found; a path, whatever way it was said.
    #[track_caller]
    pub fn location(&self) -> String {
        let location = self.header("location").expect("a Location");
        match location.split_once("://") {
            Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
            None => location.to_owned(),
        }
    }
}

pub fn sha256(content: &[u8]) -> String {
    ContentDigest::of(Algorithm::Sha256, content).to_string()
}

pub fn sha512(content: &[u8]) -> String {
    ContentDigest::of(Algorithm::Sha512, content).to_string()
}

/// Bytes that no other seed has.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
    .collect()
}

pub fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(content), "size": content.len() })
}

/// With a parameter more, whether there is one already or not.
pub fn with(location: &str, parameter: &str) -> String {
    let mark = if location.contains('?') { '&' } else { '?' };
    format!("{location}{mark}{parameter}")
}

/// A manifest of this configuration and these layers.
pub fn manifest(config: &[u8], layers: &[&[u8]]) -> Value {
    let layers: Vec<Value> = layers.iter().map(|it| descriptor(LAYER, it)).collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, config),
        "layers": layers,
    })
}

pub fn index(manifests: &[&[u8]]) -> Value {
    let manifests: Vec<Value> = manifests
        .iter()
        .map(|it| descriptor(MANIFEST, it))
        .collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
}

impl Door {
    /// A request to the registry as its owner.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path)
            .basic_auth("ergon", Some(&self.token))
    }

    pub async fn reply(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        Reply {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub async fn pull(&self, path: &str) -> Reply {
        self.reply(self.ask(Method::GET, path)).await
    }

    pub async fn head(&self, path: &str) -> Reply {
        self.reply(self.ask(Method::HEAD, path)).await
    }

    pub async fn remove(&self, path: &str) -> Reply {
        self.reply(self.ask(Method::DELETE, path)).await
    }

    /// Begins an upload and returns where it goes on.
    pub async fn begin(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.reply(self.ask(Method::POST, &path)).await.with(202);
        begun.location()
    }

    /// Sends the next piece of an upload.
    pub async fn piece(&self, location: &str, range: &str, content: &[u8]) -> Reply {
        let request = self.ask(Method::PATCH, location);
        let request = request
            .header("content-type", BYTES)
            .header("content-range", range);
        self.reply(request.body(content.to_vec())).await
    }

    /// Closes an upload.
    pub async fn close(&self, location: &str, digest: &str, rest: &[u8]) -> Reply {
        let request = self.ask(Method::PUT, &with(location, &format!("digest={digest}")));
        let request = request.header("content-type", BYTES);
        self.reply(request.body(rest.to_vec())).await
    }

    /// Pushes a blob and returns its digest.
    pub async fn blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = sha256(content);
        let location = self.begin(repository).await;
        self.close(&location, &digest, content).await.with(201);
        digest
    }

    pub async fn put_manifest(&self, repository: &str, reference: &str, content: &[u8]) -> Reply {
        let own: Value = serde_json::from_slice(content).unwrap_or_default();
        let kind = own["mediaType"].as_str().unwrap_or(MANIFEST);
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.ask(Method::PUT, &path).header("content-type", kind);
        self.reply(request.body(content.to_vec())).await
    }

    /// Pushes an image of one layer that holds this text, and returns its manifest.
    pub async fn image(&self, repository: &str, tag: &str, text: &str) -> Vec<u8> {
        self.image_with(repository, tag, text, &BTreeMap::new())
            .await
    }

    /// With more fields in its manifest.
    pub async fn image_with(
        &self,
        repository: &str,
        tag: &str,
        text: &str,
        more: &BTreeMap<&str, Value>,
    ) -> Vec<u8> {
        let config = format!("{{\"text\":\"{text}\"}}").into_bytes();
        self.blob(repository, &config).await;
        self.blob(repository, text.as_bytes()).await;
        let mut manifest = manifest(&config, &[text.as_bytes()]);
        for (name, value) in more {
            manifest[*name] = value.clone();
        }
        let manifest = manifest.to_string().into_bytes();
        let tag = if tag.is_empty() {
            sha256(&manifest)
        } else {
            tag.to_owned()
        };
        self.put_manifest(repository, &tag, &manifest)
            .await
            .with(201);
        manifest
    }
}
