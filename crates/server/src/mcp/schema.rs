//! The schemas of tools, out of those of the API. They are the same schemas, written as clients of tools take them.

use serde_json::{Map, Value, json};

const POINTER: &str = "#/components/schemas/";

/// The schemas that the API's document names.
pub struct Schemas<'a>(pub &'a Map<String, Value>);

impl Schemas<'_> {
    /// A schema with everything it refers to standing in it: models read what a tool takes, and follow no pointers.
    pub fn inlined(&self, schema: &Value) -> Value {
        self.inline(schema, &mut Vec::new())
    }

    fn inline(&self, schema: &Value, inside: &mut Vec<String>) -> Value {
        match schema {
            Value::Object(fields) => match self.referred(fields) {
                // What holds itself is written down once.
                Some((name, _)) if inside.contains(&name) => json!({ "type": "object" }),
                Some((name, target)) => {
                    inside.push(name);
                    let mut whole = self.inline(target, inside);
                    inside.pop();
                    // What is said where it is used says more than what is said of it in general.
                    if let Value::Object(whole) = &mut whole {
                        let said = kept(fields).filter(|(key, _)| *key != "$ref");
                        whole.extend(said.map(|(key, value)| (key.clone(), value.clone())));
                    }
                    whole
                }
                None => kept(fields)
                    .map(|(key, value)| (key.clone(), self.inline(value, inside)))
                    .collect::<Map<_, _>>()
                    .into(),
            },
            Value::Array(items) => {
                let items = items.iter().map(|item| self.inline(item, inside));
                items.collect::<Vec<_>>().into()
            }
            other => other.clone(),
        }
    }

    /// An object's schema with what it refers to beside it: programs read what a tool answers. Nothing, where the answer is
    /// no object.
    pub fn bundled(&self, schema: &Value) -> Option<Map<String, Value>> {
        let root = match self.referred(schema.as_object()?) {
            Some((_, target)) => target,
            None => schema,
        };
        let mut definitions = Map::new();
        let Value::Object(mut root) = self.bundle(root, &mut definitions) else {
            return None;
        };
        if root.get("type") != Some(&json!("object")) {
            return None;
        }
        if !definitions.is_empty() {
            root.insert("$defs".to_owned(), definitions.into());
        }
        Some(root)
    }

    fn bundle(&self, schema: &Value, definitions: &mut Map<String, Value>) -> Value {
        match schema {
            Value::Object(fields) => {
                if let Some((name, target)) = self.referred(fields)
                    && !definitions.contains_key(&name)
                {
                    definitions.insert(name.clone(), Value::Null);
                    let definition = self.bundle(target, definitions);
                    definitions.insert(name, definition);
                }
                let bundled = kept(fields).map(|(key, value)| match (key.as_str(), value) {
                    ("$ref", Value::String(pointer)) => {
                        let name = pointer.trim_start_matches(POINTER);
                        (key.clone(), json!(format!("#/$defs/{name}")))
                    }
                    _ => (key.clone(), self.bundle(value, definitions)),
                });
                bundled.collect::<Map<_, _>>().into()
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.bundle(item, definitions));
                items.collect::<Vec<_>>().into()
            }
            other => other.clone(),
        }
    }

    /// What a schema refers to, where it does.
    fn referred(&self, fields: &Map<String, Value>) -> Option<(String, &Value)> {
        let name = fields.get("$ref")?.as_str()?.strip_prefix(POINTER)?;
        Some((name.to_owned(), self.0.get(name)?))
    }
}

/// What of a schema is JSON Schema. `int32` and the like are the API document's own formats: validators complain of them.
fn kept(fields: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    fields.iter().filter(|(key, value)| match key.as_str() {
        "example" | "xml" | "discriminator" => false,
        "format" => !value.as_str().is_some_and(|format| {
            format.starts_with("int")
                || format.starts_with("uint")
                || format == "double"
                || format == "float"
        }),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Value {
        json!({
            "Port": { "type": "integer", "format": "int32", "description": "A port." },
            "Service": { "type": "object", "properties": {
                "port": { "$ref": "#/components/schemas/Port", "description": "Where it listens." },
                "beside": { "type": "array", "items": { "$ref": "#/components/schemas/Service" } },
            } },
        })
    }

    fn schemas(named: &Value) -> Schemas<'_> {
        Schemas(named.as_object().unwrap())
    }

    #[test]
    fn what_a_tool_takes_refers_to_nothing() {
        let named = named();
        let schema = json!({ "$ref": "#/components/schemas/Service" });
        assert_eq!(
            schemas(&named).inlined(&schema),
            json!({ "type": "object", "properties": {
                "port": { "type": "integer", "description": "Where it listens." },
                "beside": { "type": "array", "items": { "type": "object" } },
            } })
        );
    }

    #[test]
    fn what_a_tool_answers_has_what_it_refers_to_beside_it() {
        let named = named();
        let schema = json!({ "$ref": "#/components/schemas/Service" });
        let bundled = schemas(&named).bundled(&schema).unwrap();
        assert_eq!(bundled["type"], "object");
        assert_eq!(bundled["properties"]["port"]["$ref"], "#/$defs/Port");
        assert_eq!(
            bundled["$defs"]["Service"]["properties"]["beside"]["items"]["$ref"],
            "#/$defs/Service"
        );
        assert_eq!(
            bundled["$defs"]["Port"],
            json!({ "type": "integer", "description": "A port." })
        );
    }

    #[test]
    fn only_objects_are_structured_answers() {
        let named = named();
        assert_eq!(schemas(&named).bundled(&json!({ "type": "string" })), None);
    }
}
