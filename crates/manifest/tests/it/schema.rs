//! The JSON Schema says yes to what `check` accepts, and knows every field.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ergon_manifest::{DIAGNOSTIC_CODES, check, json_schema};
use regex::Regex;
use serde_json::{Value, json};

use crate::{SEED_EXAMPLE, with_application, with_container};

/// Why `value` does not fit `schema`, by as much of draft 2020-12 as our schema uses.
///
/// A keyword that is not known here fails the test, so that none goes unchecked.
pub fn misfit(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let Value::Object(keywords) = schema else {
        return (schema == &json!(false)).then(|| format!("{value} is not allowed"));
    };
    keywords.iter().find_map(|(keyword, wanted)| {
        let number = || wanted.as_i64().unwrap();
        let fits = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "default" => true,
            "additionalProperties"
            | "properties"
            | "items"
            | "propertyNames"
            | "anyOf"
            | "oneOf"
            | "$ref" => {
                return nested(keyword, wanted, value, schema, root);
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                other => panic!("type {other}"),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "required" => wanted
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "pattern" => value
                .as_str()
                .is_none_or(|text| pattern(wanted.as_str().unwrap()).is_match(text)),
            "minLength" => value
                .as_str()
                .is_none_or(|text| i64::try_from(text.chars().count()).unwrap() >= number()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| i64::try_from(text.chars().count()).unwrap() <= number()),
            "minimum" => value.as_i64().is_none_or(|value| value >= number()),
            "maximum" => value.as_i64().is_none_or(|value| value <= number()),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                items
                    .iter()
                    .enumerate()
                    .all(|(index, item)| !items[..index].contains(item))
            }),
            other => panic!("the schema uses {other}, which this test does not know"),
        };
        (!fits).then(|| format!("{value}: {keyword} {wanted}"))
    })
}

/// A compiled pattern; compiling is slow and the schema has few.
fn pattern(text: &str) -> Regex {
    static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap();
    let entry = compiled.entry(text.to_owned());
    entry.or_insert_with(|| Regex::new(text).unwrap()).clone()
}

fn nested(
    keyword: &str,
    wanted: &Value,
    value: &Value,
    schema: &Value,
    root: &Value,
) -> Option<String> {
    let fields = || value.as_object().into_iter().flatten();
    match keyword {
        "properties" => fields().find_map(|(name, value)| misfit(value, wanted.get(name)?, root)),
        "additionalProperties" => fields()
            .filter(|(name, _)| schema["properties"].get(name).is_none())
            .find_map(|(_, value)| misfit(value, wanted, root)),
        "propertyNames" => fields().find_map(|(name, _)| misfit(&json!(name), wanted, root)),
        "items" => value
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|item| misfit(item, wanted, root)),
        "$ref" => misfit(
            value,
            root.pointer(&wanted.as_str().unwrap()[1..]).unwrap(),
            root,
        ),
        _ => {
            let misfits: Option<Vec<_>> = wanted
                .as_array()
                .unwrap()
                .iter()
                .map(|choice| misfit(value, choice, root))
                .collect();
            misfits.map(|misfits| misfits.join("; "))
        }
    }
}

fn check_against_schema(text: &str) -> Option<String> {
    let schema = json_schema();
    misfit(&serde_json::from_str(text).unwrap(), &schema, &schema)
}

#[test]
fn accepted_manifests_fit_the_schema() {
    for text in [SEED_EXAMPLE, include_str!("every-field.json")] {
        assert!(check(text).is_ok());
        assert_eq!(check_against_schema(text), None);
    }
}

#[test]
fn the_schema_refuses_what_check_refuses_where_a_schema_can() {
    for text in [
        with_container(r#""port": 8000"#),
        with_container(r#""ports": [0]"#),
        with_container(r#""ports": [80, 80]"#),
        with_container(r#""tier": null"#),
        with_container(r#""ci_name": "Eve""#),
        with_application(r#""path": "/srv""#),
        with_application(r#""env": { "A-B": {} }"#),
        with_application(r#""build_commands": ["a\nb"]"#),
        with_application(r#""volumes": ["data"]"#),
        SEED_EXAMPLE.replacen("1.0", "2.0", 1),
        "{}".to_owned(),
    ] {
        assert!(check(&text).is_err(), "{text}");
        assert!(check_against_schema(&text).is_some(), "{text}");
    }
}

/// Every field has words for the person who meets it in an editor, and nothing may be null.
#[test]
fn every_field_is_described() {
    let schema = json_schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["additionalProperties"], false);
    let objects = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .chain([&schema]);
    for (name, field) in objects
        .filter_map(|object| object["properties"].as_object())
        .flatten()
    {
        assert!(
            field["description"].is_string(),
            "{name} has no description"
        );
        assert!(!field.to_string().contains("null"), "{name} may be null");
    }
}

#[test]
fn the_documentation_lists_every_code() {
    let documentation = include_str!("../../../../docs/manifest.md");
    let unlisted: Vec<_> = DIAGNOSTIC_CODES
        .iter()
        .filter(|code| !documentation.contains(&format!("`{code}`")))
        .collect();
    assert_eq!(unlisted, Vec::<&&str>::new());
}
