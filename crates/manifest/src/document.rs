//! A manifest that was checked: as it is written, and as typed data.

use serde_json::Value;

use crate::canonical::canonical_json;
use crate::diagnostic::{Diagnostic, Path, Report};
use crate::digest::Digest;
use crate::model::Manifest;
use crate::{relations, structure, syntax, values};

/// A manifest, as written and as understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What is digested: the manifest as its author wrote it, defaults not filled in.
    pub value: Value,
    pub manifest: Manifest,
}

impl Document {
    /// The document that [`to_pretty_json`] would write for `manifest`.
    pub fn from_manifest(manifest: Manifest) -> Self {
        let value = serde_json::to_value(&manifest).expect("a manifest has only string keys");
        Self { value, manifest }
    }

    /// The manifest digest: SHA-256 of the canonical JSON of what is written.
    pub fn digest(&self) -> Digest {
        let canonical = canonical_json(&self.value).expect("a JSON value has a canonical form");
        Digest::of(&canonical)
    }
}

/// Checks the text of an `ergon.json`; every problem that can be found is reported, in order.
pub fn check(text: &str) -> Result<Document, Vec<Diagnostic>> {
    let mut report = Report::default();
    let document = read(text, &mut report);
    match document {
        Some(document) if report.is_empty() => Ok(document),
        _ => Err(report.into_diagnostics(text)),
    }
}

/// The manifest in `text`. Nothing it returns is to be used once something was reported.
fn read(text: &str, report: &mut Report) -> Option<Document> {
    let tree = syntax::parse(text)
        .map_err(|problem| report.push(problem))
        .ok()?;
    let value = values::plain(&tree, &Path::Root, report);
    let (manifest, names) = structure::read(&tree, text, &value, report)?;
    relations::check(&names, report);
    Some(Document { value, manifest })
}

/// The manifest as `ergon.json` holds it: two spaces, fields in a fixed order, a newline at the end.
pub fn to_pretty_json(manifest: &Manifest) -> String {
    let mut text = serde_json::to_string_pretty(manifest).expect("a manifest has only string keys");
    text.push('\n');
    text
}
