//! What a pushed manifest is, and what it names.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::refusal::{Code, Refusal};
use crate::content_digest::ContentDigest;
use crate::model::{DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST};

/// What is to be known of a manifest to keep it, serve it and list it among referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedManifest {
    pub media_type: String,
    pub artifact_type: Option<String>,
    pub annotations: BTreeMap<String, String>,
    /// What it says something about; it need not be there.
    pub subject: Option<ContentDigest>,
    /// What it is made of; all of it has to be there.
    pub needs: Vec<Needs>,
}

/// A part of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    pub digest: ContentDigest,
    /// Bytes.
    pub size: u64,
    /// Whether it is a manifest itself, or else a blob.
    pub is_manifest: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Part>,
    layers: Option<Vec<Part>>,
    manifests: Option<Vec<Part>>,
    subject: Option<Part>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    media_type: String,
    digest: ContentDigest,
    size: u64,
}

impl PushedManifest {
    /// Reads a manifest or an index that came with this `Content-Type`.
    pub fn parse(content: &[u8], content_type: Option<&str>) -> Result<Self, Refusal> {
        let document: Document = serde_json::from_slice(content)
            .map_err(|error| invalid(format!("it is not a manifest: {error}")))?;
        // Parameters say nothing here (`; charset=utf-8`).
        let said = content_type
            .map(|text| text.split(';').next().unwrap_or(text).trim())
            .filter(|text| !text.is_empty() && *text != "application/json");
        let media_type = match (said, &document.media_type) {
            (Some(said), Some(own)) if said != own => {
                return Err(invalid(format!(
                    "it was sent as `{said}` and calls itself `{own}`"
                )));
            }
            (Some(said), _) => said.to_owned(),
            (None, Some(own)) => own.clone(),
            (None, None) => {
                return Err(invalid(
                    "it does not say what it is: send it with a Content-Type or a mediaType",
                ));
            }
        };
        if document.schema_version != 2 {
            return Err(invalid(format!(
                "its schemaVersion is {}, and has to be 2",
                document.schema_version
            )));
        }
        match media_type.as_str() {
            MANIFEST | DOCKER_MANIFEST => image(media_type, document),
            INDEX | DOCKER_LIST => index(media_type, document),
            other => Err(invalid(format!(
                "`{}` is no type of manifest that is kept here: {MANIFEST}, {INDEX}, {DOCKER_MANIFEST} and {DOCKER_LIST} are",
                other.chars().take(100).collect::<String>()
            ))),
        }
    }
}

fn image(media_type: String, document: Document) -> Result<PushedManifest, Refusal> {
    let Some(config) = document.config else {
        return Err(invalid("it has no config"));
    };
    if document.manifests.is_some() {
        return Err(invalid("it is an image and has `manifests`"));
    }
    let Some(layers) = document.layers else {
        return Err(invalid("it has no layers; none is `\"layers\": []`"));
    };
    let artifact_type = document
        .artifact_type
        .filter(|kind| !kind.is_empty())
        .unwrap_or_else(|| config.media_type.clone());
    let parts = std::iter::once(config).chain(layers);
    Ok(PushedManifest {
        media_type,
        artifact_type: Some(artifact_type),
        annotations: document.annotations.unwrap_or_default(),
        subject: document.subject.map(|subject| subject.digest),
        needs: parts
            .filter(|part| !is_kept_elsewhere(&part.media_type))
            .map(|part| Needs {
                digest: part.digest,
                size: part.size,
                is_manifest: false,
            })
            .collect(),
    })
}

fn index(media_type: String, document: Document) -> Result<PushedManifest, Refusal> {
    let Some(manifests) = document.manifests else {
        return Err(invalid("it has no manifests; none is `\"manifests\": []`"));
    };
    if document.config.is_some() || document.layers.is_some() {
        return Err(invalid("it is an index and has the parts of an image"));
    }
    Ok(PushedManifest {
        media_type,
        artifact_type: document.artifact_type.filter(|kind| !kind.is_empty()),
        annotations: document.annotations.unwrap_or_default(),
        subject: document.subject.map(|subject| subject.digest),
        needs: manifests
            .into_iter()
            .map(|part| Needs {
                is_manifest: matches!(
                    part.media_type.as_str(),
                    MANIFEST | DOCKER_MANIFEST | INDEX | DOCKER_LIST
                ),
                digest: part.digest,
                size: part.size,
            })
            .collect(),
    })
}

/// Layers that may not be passed on: registries never have them.
fn is_kept_elsewhere(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, Code::ManifestInvalid, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn part(media_type: &str) -> serde_json::Value {
        json!({ "mediaType": media_type, "digest": DIGEST, "size": 7 })
    }

    fn reason(document: serde_json::Value, content_type: Option<&str>) -> String {
        let error = PushedManifest::parse(document.to_string().as_bytes(), content_type);
        error.unwrap_err().message
    }

    #[test]
    fn an_image_names_its_configuration_and_layers() {
        let document = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": part("application/x"),
            "layers": [part("application/y"), part("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")],
            "subject": part(MANIFEST), "annotations": { "a": "b" }, "unknown": [1],
        });
        let pushed = PushedManifest::parse(document.to_string().as_bytes(), None).unwrap();
        assert_eq!(pushed.artifact_type.as_deref(), Some("application/x"));
        assert_eq!(pushed.subject, Some(DIGEST.parse().unwrap()));
        assert_eq!(pushed.annotations["a"], "b");
        assert_eq!(
            pushed.needs.len(),
            2,
            "what may not be passed on is not needed"
        );
        assert!(
            pushed
                .needs
                .iter()
                .all(|part| part.size == 7 && !part.is_manifest)
        );
    }

    #[test]
    fn an_index_names_manifests() {
        let document =
            json!({ "schemaVersion": 2, "manifests": [part(MANIFEST), part("text/plain")] });
        let text = document.to_string();
        let pushed = PushedManifest::parse(
            text.as_bytes(),
            Some("application/vnd.oci.image.index.v1+json; charset=utf-8"),
        )
        .unwrap();
        assert_eq!(pushed.media_type, INDEX);
        assert_eq!(pushed.artifact_type, None);
        let kinds: Vec<bool> = pushed.needs.iter().map(|part| part.is_manifest).collect();
        assert_eq!(kinds, [true, false]);
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_reason() {
        assert!(reason(json!([]), Some(MANIFEST)).starts_with("it is not a manifest"));
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2 }), None), @"it does not say what it is: send it with a Content-Type or a mediaType");
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 1 }), Some(MANIFEST)), @"its schemaVersion is 1, and has to be 2");
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2, "mediaType": INDEX }), Some(MANIFEST)), @"it was sent as `application/vnd.oci.image.manifest.v1+json` and calls itself `application/vnd.oci.image.index.v1+json`");
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2, "layers": [] }), Some(MANIFEST)), @"it has no config");
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2, "config": part("x") }), Some(MANIFEST)), @r#"it has no layers; none is `"layers": []`"#);
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2, "config": part("x"), "layers": [], "manifests": [] }), Some(MANIFEST)), @"it is an image and has `manifests`");
        insta::assert_snapshot!(reason(json!({ "schemaVersion": 2 }), Some(INDEX)), @r#"it has no manifests; none is `"manifests": []`"#);
        assert!(
            reason(json!({ "schemaVersion": 2 }), Some("text/html"))
                .starts_with("`text/html` is no type of manifest")
        );
        let wrong = json!({ "schemaVersion": 2, "config": { "mediaType": "x", "digest": "md5:0", "size": 0 }, "layers": [] });
        assert!(reason(wrong, Some(MANIFEST)).contains("is not a digest"));
        let negative = json!({ "schemaVersion": 2, "config": { "mediaType": "x", "digest": DIGEST, "size": -1 }, "layers": [] });
        assert!(reason(negative, Some(MANIFEST)).starts_with("it is not a manifest"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(content in prop::collection::vec(any::<u8>(), 0..100), kind in ".{0,20}") {
            let _ = PushedManifest::parse(&content, Some(&kind));
        }
    }
}
