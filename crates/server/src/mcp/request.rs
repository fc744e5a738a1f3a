//! From the arguments of a tool to the request of the operation behind it.

use axum::body::Body as Content;
use axum::http::{HeaderValue, Request, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rmcp::model::JsonObject;
use serde_json::Value;

use super::tools::{Answer, Body, Operation, WAIT};

/// What stands in a segment of a path as it is.
pub const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Why a tool cannot be called like that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    #[error("the tool takes no argument `{name}`; it takes {known}")]
    Unknown { name: String, known: String },
    #[error("the tool needs the argument `{0}`")]
    Missing(String),
    #[error("the argument `{name}` is {is}; it has to be {wanted}")]
    Type {
        name: String,
        is: &'static str,
        wanted: &'static str,
    },
    #[error("the arguments make no request: {0}")]
    Request(String),
}

/// The request that a call stands for.
pub fn request(operation: &Operation, arguments: &JsonObject) -> Result<Request<Content>, Misuse> {
    check_names(operation, arguments)?;
    let mut path = operation.path.clone();
    for name in &operation.in_path {
        let text = arguments
            .get(name)
            .map(|value| text(name, value))
            .transpose()?;
        let text = text
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Misuse::Missing(name.clone()))?;
        let segment = utf8_percent_encode(&text, SEGMENT).to_string();
        path = path.replace(&format!("{{{name}}}"), &segment);
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in &operation.in_query {
        match arguments.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => {
                query.append_pair(name, &text(name, value)?);
            }
        }
    }
    let query = query.finish();
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    let request = Request::builder()
        .method(operation.method.clone())
        .uri(path);
    let request = match &operation.body {
        Body::None => request.body(Content::empty()),
        Body::Fields(fields) => {
            let given = fields
                .iter()
                .filter_map(|name| Some((name.clone(), arguments.get(name)?.clone())));
            let body = Value::Object(given.collect());
            let json = HeaderValue::from_static("application/json");
            request
                .header(header::CONTENT_TYPE, json)
                .body(Content::from(body.to_string()))
        }
    };
    request.map_err(|error| Misuse::Request(error.to_string()))
}

/// Whether a call wants the job that it begins to be over before it is answered.
pub fn waits(operation: &Operation, arguments: &JsonObject) -> Result<bool, Misuse> {
    match arguments.get(WAIT) {
        _ if operation.answer != Answer::Job => Ok(false),
        None | Some(Value::Null) => Ok(true),
        Some(Value::Bool(wait)) => Ok(*wait),
        Some(other) => Err(Misuse::Type {
            name: WAIT.to_owned(),
            is: kind(other),
            wanted: "true or false",
        }),
    }
}

fn check_names(operation: &Operation, arguments: &JsonObject) -> Result<(), Misuse> {
    let takes = operation
        .tool
        .input_schema
        .get("properties")
        .and_then(Value::as_object);
    let takes = |name: &String| takes.is_some_and(|takes| takes.contains_key(name));
    let Some(name) = arguments.keys().find(|name| !takes(name)) else {
        return Ok(());
    };
    let known = operation
        .tool
        .input_schema
        .get("properties")
        .and_then(Value::as_object);
    let known: Vec<String> = known
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Err(Misuse::Unknown {
        name: name.clone(),
        known,
    })
}

/// A value as it stands in an address.
fn text(name: &str, value: &Value) -> Result<String, Misuse> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => Err(Misuse::Type {
            name: name.to_owned(),
            is: kind(other),
            wanted: "a text, a number, true or false",
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::json;

    use super::*;
    use crate::mcp::tools;

    fn made(tool: &str, arguments: Value) -> Result<Request<Content>, Misuse> {
        request(&tools::all()[tool], arguments.as_object().unwrap())
    }

    #[tokio::test]
    async fn arguments_go_to_path_query_and_body() {
        let history = made(
            "container_history",
            json!({ "name": "web", "metric": "memory", "points": 5 }),
        )
        .unwrap();
        assert_eq!(
            history.uri(),
            "/api/v1/containers/web/history?metric=memory&points=5"
        );
        let message = made(
            "send_message",
            json!({ "name": "web-ci", "content": "status" }),
        )
        .unwrap();
        assert_eq!(message.method(), "POST");
        assert_eq!(message.uri(), "/api/v1/companions/web-ci/message");
        assert_eq!(message.headers()[header::CONTENT_TYPE], "application/json");
        let body = message.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"content":"status"}"#);
    }

    #[test]
    fn no_name_leaves_its_segment() {
        for name in ["../jobs", "a/b", "x?y#z", "%2e%2e", "ü"] {
            let request = made("container", json!({ "name": name })).unwrap();
            let rest = request
                .uri()
                .path()
                .strip_prefix("/api/v1/containers/")
                .unwrap();
            assert!(
                !rest.contains('/') && request.uri().query().is_none(),
                "{rest}"
            );
        }
    }

    #[test]
    fn what_the_tool_does_not_take_is_said() {
        let unknown = made("container", json!({ "name": "web", "nmae": 1 })).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "the tool takes no argument `nmae`; it takes `name`"
        );
        assert_eq!(
            made("container", json!({})).unwrap_err(),
            Misuse::Missing("name".to_owned())
        );
        assert_eq!(
            made("container", json!({ "name": "" })).unwrap_err(),
            Misuse::Missing("name".to_owned())
        );
        let list = made("container", json!({ "name": ["web"] })).unwrap_err();
        assert_eq!(
            list.to_string(),
            "the argument `name` is a list; it has to be a text, a number, true or false"
        );
    }

    #[test]
    fn only_what_begins_a_job_waits() {
        let tools = tools::all();
        let waits =
            |tool: &str, arguments: Value| waits(&tools[tool], arguments.as_object().unwrap());
        assert_eq!(waits("run_folder", json!({})), Ok(true));
        assert_eq!(waits("run_folder", json!({ "wait": false })), Ok(false));
        assert!(waits("run_folder", json!({ "wait": "no" })).is_err());
        assert_eq!(waits("list_jobs", json!({})), Ok(false));
    }
}
