//! Pushing as clients do, and what upkeep tells.

use std::path::PathBuf;

use ergon_oci::model::{INDEX, MANIFEST};
use ergon_oci::{Algorithm, ContentDigest};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::world::Door;

pub fn digest(content: &[u8]) -> String {
    ContentDigest::of(Algorithm::Sha256, content).to_string()
}

/// Where content of a digest lies in a stack's folder.
pub fn path(folder: &std::path::Path, digest: &str) -> PathBuf {
    folder.join("blobs").join(digest.replace(':', "/"))
}

/// An image of these layers, as its manifest says it; the configuration is a blob too.
pub fn image(config: &[u8], layers: &[&[u8]], subject: Option<&str>) -> String {
    let part = |content: &[u8]| json!({ "mediaType": "application/x", "digest": digest(content), "size": content.len() });
    let layers: Vec<Value> = layers.iter().map(|layer| part(layer)).collect();
    let mut manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": part(config), "layers": layers });
    if let Some(subject) = subject {
        manifest["subject"] = json!({ "mediaType": MANIFEST, "digest": digest(subject.as_bytes()), "size": subject.len() });
    }
    manifest.to_string()
}

/// An index of these manifests.
pub fn index(manifests: &[&str]) -> String {
    let manifests: Vec<Value> = manifests
        .iter()
        .map(|manifest| json!({ "mediaType": MANIFEST, "digest": digest(manifest.as_bytes()), "size": manifest.len() }))
        .collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string()
}

impl Door {
    pub async fn status(&self, method: Method, path: &str) -> StatusCode {
        self.request(method, path).send().await.unwrap().status()
    }

    /// Pushes a blob, whether it is there or not.
    pub async fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = digest(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let request = self
            .request(Method::POST, &path)
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let answer = request.body(content.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        digest
    }

    /// Pushes a manifest under a tag, or under its digest.
    pub async fn try_push(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &str,
    ) -> StatusCode {
        let own = digest(manifest.as_bytes());
        let kind = if manifest.contains("\"manifests\"") {
            INDEX
        } else {
            MANIFEST
        };
        let path = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(&own));
        let request = self
            .request(Method::PUT, &path)
            .header(header::CONTENT_TYPE, kind);
        request
            .body(manifest.to_owned())
            .send()
            .await
            .unwrap()
            .status()
    }

    pub async fn push(&self, repository: &str, tag: Option<&str>, manifest: &str) -> String {
        assert_eq!(self.try_push(repository, tag, manifest).await, 201);
        digest(manifest.as_bytes())
    }

    /// Pushes an image with its blobs.
    pub async fn push_image(
        &self,
        repository: &str,
        tag: Option<&str>,
        config: &[u8],
        layers: &[&[u8]],
    ) -> String {
        for blob in layers.iter().chain([&config]) {
            self.push_blob(repository, blob).await;
        }
        self.push(repository, tag, &image(config, layers, None))
            .await
    }

    /// Whether a manifest is there with all that it is made of, each as its digest says.
    pub async fn is_whole(&self, repository: &str, reference: &str) -> bool {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self
            .request(Method::GET, &path)
            .header(header::ACCEPT, format!("{MANIFEST}, {INDEX}"));
        let answer = answer.send().await.unwrap();
        if answer.status() != 200 {
            return false;
        }
        let manifest: Value = answer.json().await.unwrap();
        let parts = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        for part in parts("manifests") {
            if !Box::pin(self.is_whole(repository, part["digest"].as_str().unwrap())).await {
                return false;
            }
        }
        let config = manifest.get("config").cloned();
        for part in parts("layers").into_iter().chain(config) {
            let wanted = part["digest"].as_str().unwrap();
            let answer = self.request(Method::GET, &format!("/v2/{repository}/blobs/{wanted}"));
            let answer = answer.send().await.unwrap();
            if answer.status() != 200 || digest(&answer.bytes().await.unwrap()) != wanted {
                return false;
            }
        }
        true
    }

    /// What upkeep tells, event by event.
    pub async fn upkeep(&self, what: &str, wanted: Value) -> Vec<(String, Value)> {
        let path = format!("/api/v1/registry-upkeep/{what}");
        let answer = self
            .request(Method::POST, &path)
            .json(&wanted)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        events(&answer.text().await.unwrap())
    }

    /// Collects, and returns what went. `grace` is in seconds.
    pub async fn collect(&self, grace: u64, dry_run: bool) -> Value {
        let wanted = json!({ "grace_seconds": grace, "dry_run": dry_run });
        let mut told = self.upkeep("collection", wanted).await;
        let (name, end) = told.pop().unwrap();
        assert_eq!(name, "end", "{end:#}");
        assert_eq!(told[0].0, "plan");
        end
    }

    /// Checks all content, and returns what it came to.
    pub async fn check(&self) -> Value {
        let (name, end) = self.upkeep("check", json!({})).await.pop().unwrap();
        assert_eq!(name, "end", "{end:#}");
        end
    }
}

pub fn events(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let data = serde_json::from_str(line("data: ")?).unwrap();
        Some((line("event: ")?.to_owned(), data))
    };
    text.split("\n\n").filter_map(event).collect()
}
