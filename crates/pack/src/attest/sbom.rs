//! What both forms of a bill of materials have in common.

use ergon_manifest::Digest;
use ergon_oci::Image;
use serde_json::Value;

use super::inventory::{Inventory, Package};
use super::{cyclonedx, spdx};

/// A form of a bill of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    CycloneDx,
    Spdx,
}

impl Format {
    pub const fn predicate_type(self) -> &'static str {
        match self {
            Self::CycloneDx => cyclonedx::PREDICATE_TYPE,
            Self::Spdx => spdx::PREDICATE_TYPE,
        }
    }

    /// Whether a document says of itself that it has this form.
    pub fn is_form_of(self, document: &Value) -> bool {
        let text = |field: &str| document.get(field).and_then(Value::as_str);
        match self {
            Self::CycloneDx => text("bomFormat") == Some("CycloneDX"),
            Self::Spdx => text("spdxVersion").is_some_and(|version| version.starts_with("SPDX-")),
        }
    }

    /// The document: of the image and its inventory alone, so that it is the same every time.
    pub fn write(self, about: &About, inventory: &Inventory) -> Value {
        match self {
            Self::CycloneDx => cyclonedx::write(about, inventory),
            Self::Spdx => spdx::write(about, inventory),
        }
    }
}

/// The image that a document is about.
#[derive(Clone, Debug)]
pub struct About {
    pub name: String,
    pub image: Digest,
    /// The image's own time, RFC 3339: the build's epoch.
    pub created: String,
}

impl About {
    pub fn of(image: &Image, name: &str) -> Self {
        let created = image
            .config
            .created
            .as_deref()
            .and_then(|time| time.parse::<jiff::Timestamp>().ok())
            .unwrap_or_default();
        Self {
            name: name.to_owned(),
            image: image.digest,
            // Whole seconds: SPDX knows no others.
            created: created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    /// A name that is unique like a random one, and the same for the same image.
    pub(super) fn uuid(&self, what: &str) -> String {
        let digest = Digest::of(format!("{what} {}", self.image).as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        uuid::Builder::from_custom_bytes(bytes)
            .into_uuid()
            .to_string()
    }
}

/// What is recorded as a package's licences, where it is an expression that SPDX knows.
pub(super) fn expression(package: &Package) -> Option<String> {
    let mut parts = package.licences.iter();
    let joined = match (parts.next(), parts.next()) {
        (Some(only), None) => only.clone(),
        (None, _) => return None,
        _ => {
            let all: Vec<String> = package
                .licences
                .iter()
                .map(|licence| format!("({licence})"))
                .collect();
            all.join(" AND ")
        }
    };
    spdx_expression(&joined).then_some(joined)
}

fn spdx_expression(text: &str) -> bool {
    // References to texts of its own would have to come with those texts.
    ::spdx::Expression::parse(text).is_ok()
        && !text.contains("LicenseRef")
        && !text.contains("DocumentRef")
}
