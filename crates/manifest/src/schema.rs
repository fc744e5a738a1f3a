//! The JSON Schema of the manifest, derived from the model, for editors and other programs.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema as _, Schema};
use serde_json::Value;

use crate::model::Manifest;

/// The schema's name; also its version, because a manifest's version decides it.
const ID: &str = "urn:ergon:schema:manifest:1.0";

/// The JSON Schema (draft 2020-12) of a manifest.
///
/// It knows each field and its type. What needs more than one field (names that point at each other,
/// circles) and what needs more than a pattern (images) is left to [`check`](crate::check).
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<Manifest>();
    schema.insert("$id".to_owned(), ID.into());
    schema.insert(
        "title".to_owned(),
        format!("Ergon {}", Manifest::schema_name())
            .to_lowercase()
            .into(),
    );
    schema.into()
}

/// A field that may be absent is not one that may be null, and `uint16` is no format of JSON Schema.
fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = &choices[..] {
            let only = only.clone();
            schema.remove("anyOf");
            let Value::Object(only) = only else { return };
            for (keyword, value) in only {
                // The field's own description says more than its type's.
                schema
                    .as_object_mut()
                    .map(|fields| fields.entry(keyword).or_insert(value));
            }
        }
    }
}
