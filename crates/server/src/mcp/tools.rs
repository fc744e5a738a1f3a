//! The tools: every operation of the API, as its document describes it. There is no second list that could say otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

use super::schema::Schemas;
use crate::authorize::Effect;
use crate::http::document;

/// What no tool is made of, and why.
pub const NO_TOOLS: &[(&str, &str)] = &[
    ("health", "whoever can ask knows already"),
    ("openapi", "tools/list says the same"),
    (
        "sign_in",
        "a program has its token; a session is a browser's",
    ),
    (
        "sign_out",
        "a program has its token; a session is a browser's",
    ),
    ("sign_in_ways", "a program has its token"),
    (
        "begin_sign_in",
        "a program has its token; a session is a browser's",
    ),
    (
        "begin_passkey_sign_in",
        "a program has its token; a session is a browser's",
    ),
    (
        "begin_passkey",
        "what signs somebody in is no model's to hold",
    ),
    (
        "add_passkey",
        "what signs somebody in is no model's to hold",
    ),
    (
        "put_identity_provider",
        "who may come in, and as what, people say",
    ),
    (
        "remove_identity_provider",
        "who may come in, and as what, people say",
    ),
    (
        "create_sign_in_code",
        "what signs somebody in is no model's to hold",
    ),
    ("add_person", "what signs somebody in is no model's to hold"),
    (
        "person_link",
        "what signs somebody in is no model's to hold",
    ),
    ("add_token", "what signs somebody in is no model's to hold"),
    (
        "change_password",
        "what signs somebody in is no model's to hold",
    ),
    (
        "override_proposal",
        "what cannot wait for people is for people to say",
    ),
    (
        "review_override",
        "what people did without waiting, people look at",
    ),
    ("put_approval_rule", "how many have to approve, people say"),
    (
        "remove_approval_rule",
        "how many have to approve, people say",
    ),
    ("change_person", "who may do what, people say"),
    ("remove_person", "who may do what, people say"),
    ("put_policy", "who may do what, people say"),
    ("remove_policy", "who may do what, people say"),
    ("export_images", "an archive of images is no message"),
    ("import_images", "an archive of images is no message"),
    (
        "register",
        "it may name programs of this machine to start, which no model may choose",
    ),
    ("directory", "list_companions says the same"),
    ("watch_directory", "what goes on for ever is no answer"),
    ("heartbeat", "a program sends its own, every few seconds"),
    ("federated_message", "other stacks pass messages on by it"),
    (
        "add_tool_server",
        "it starts programs of this machine, which no model may choose",
    ),
    (
        "approve_server_tool",
        "a model does not say yes to what another server tells it",
    ),
    ("tool_server", "it is what tools come through"),
    ("tool_server_listen", "it is what tools come through"),
    ("tool_server_end", "it is what tools come through"),
    (
        "export_audit",
        "a whole log is no message; list_audit shows it by the page",
    ),
    ("set_secret", "what a secret says is no model's to hold"),
    ("grant_secret", "a model does not say who may use a secret"),
    ("authority", "what a program trusts is no model's to choose"),
    (
        "request_certificate",
        "a certificate is for a key that a program holds, and no model does",
    ),
    (
        "agent_card",
        "whoever has tools here knows where the stack is",
    ),
    (
        "companion_agent_card",
        "list_companions says the same, and each companion is a tool",
    ),
    (
        "agent_message",
        "send_message is the same for whoever has tools",
    ),
    ("mcp", "it is what tools come through"),
    ("mcp_listen", "it is what tools come through"),
    ("mcp_end", "it is what tools come through"),
    ("mcp_tools", "tools/list says the same"),
    ("mcp_resources", "resources/list says the same"),
    ("mcp_prompts", "prompts/list says the same"),
];

/// Whether to wait for a job; every tool that begins one takes it.
pub const WAIT: &str = "wait";

/// A tool, and the operation behind it.
#[derive(Clone, Debug)]
pub struct Operation {
    pub tool: Tool,
    pub method: Method,
    /// With names in braces.
    pub path: String,
    pub in_path: Vec<String>,
    pub in_query: Vec<String>,
    pub body: Body,
    pub answer: Answer,
}

/// Where what a tool is given goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    None,
    /// An object of these fields.
    Fields(Vec<String>),
}

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A document, or nothing.
    Whole,
    /// A job that was begun, and can be waited for.
    Job,
    /// Events until it is over, the last of which is the answer.
    Events,
}

/// Tools by name.
pub type Tools = BTreeMap<String, Arc<Operation>>;

/// Every tool.
pub fn all() -> Tools {
    let document = serde_json::to_value(document::openapi()).unwrap_or_default();
    let nothing = Map::new();
    let named = document["components"]["schemas"].as_object();
    let schemas = Schemas(named.unwrap_or(&nothing));
    let mut tools = BTreeMap::new();
    for described in document::operations() {
        let item =
            &document["paths"][&described.path][described.method.as_str().to_ascii_lowercase()];
        if NO_TOOLS.iter().any(|(name, _)| *name == described.id) {
            continue;
        }
        let operation = operation(&described, item, &schemas);
        tools.insert(described.id, Arc::new(operation));
    }
    tools
}

fn operation(described: &document::Operation, item: &Value, schemas: &Schemas<'_>) -> Operation {
    let mut inputs = Inputs::default();
    let parameters = item["parameters"].as_array().into_iter().flatten();
    let (mut in_path, mut in_query) = (Vec::new(), Vec::new());
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let mut schema = schemas.inlined(&parameter["schema"]);
        if let (Some(text), Value::Object(schema)) =
            (parameter["description"].as_str(), &mut schema)
        {
            schema.insert("description".to_owned(), json!(text));
        }
        inputs.add(&name, schema, parameter["required"] == json!(true));
        match parameter["in"].as_str() {
            Some("path") => in_path.push(name),
            _ => in_query.push(name),
        }
    }
    let body = &item["requestBody"]["content"]["application/json"]["schema"];
    let body = match schemas.inlined(body) {
        Value::Object(body) => {
            let required = body.get("required").and_then(Value::as_array);
            let is_required =
                |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
            let fields = body.get("properties").and_then(Value::as_object);
            let fields = fields.into_iter().flatten();
            Body::Fields(
                fields
                    .map(|(name, schema)| {
                        inputs.add(name, schema.clone(), is_required(name));
                        name.clone()
                    })
                    .collect(),
            )
        }
        _ => Body::None,
    };
    let (answer, output) = answer(item, schemas);
    if answer == Answer::Job {
        let about = "Absent or true: the answer is the job once it has ended, and what it does meanwhile is told as progress. \
                     False: the answer is the job as it was taken on.";
        inputs.add(
            WAIT,
            json!({ "type": "boolean", "description": about }),
            false,
        );
    }
    Operation {
        tool: tool(described, item, inputs, output),
        method: described.method.clone(),
        path: described.path.clone(),
        in_path,
        in_query,
        body,
        answer,
    }
}

fn answer(item: &Value, schemas: &Schemas<'_>) -> (Answer, Option<Map<String, Value>>) {
    let responses = item["responses"].as_object().into_iter().flatten();
    let good: Vec<(&String, &Value)> = responses
        .filter(|(status, _)| status.starts_with('2'))
        .collect();
    let json = |response: &Value| response["content"]["application/json"]["schema"].clone();
    let mut forms: Vec<Value> = good.iter().map(|(_, response)| json(response)).collect();
    forms.retain(|form| !form.is_null());
    forms.dedup();
    for (status, response) in good {
        let content = &response["content"];
        let schema = &content["application/json"]["schema"];
        if !schema.is_null() {
            let is_job = status == "202" && schema["$ref"] == "#/components/schemas/Job";
            let answer = if is_job { Answer::Job } else { Answer::Whole };
            // An output has one form, or none is promised.
            let promised = (forms.len() == 1).then(|| schemas.bundled(schema));
            return (answer, promised.flatten());
        }
        if !content["text/event-stream"].is_null() {
            return (Answer::Events, None);
        }
    }
    (Answer::Whole, None)
}

fn tool(
    described: &document::Operation,
    item: &Value,
    inputs: Inputs,
    output: Option<Map<String, Value>>,
) -> Tool {
    let said = [&item["summary"], &item["description"]];
    let said: Vec<&str> = said.into_iter().filter_map(Value::as_str).collect();
    let said = said.join("\n\n");
    let title = title(&said);
    let annotations =
        Effect::of(described.action).annotations(&title, described.method == Method::DELETE);
    let mut tool = Tool::new(described.id.clone(), said, inputs.schema())
        .with_title(title)
        .with_annotations(annotations);
    if let Some(output) = output {
        tool = tool.with_raw_output_schema(Arc::new(output));
    }
    tool
}

/// The first thing that is said, on one line.
fn title(said: &str) -> String {
    let ends = [". ", ".\n", "; ", ": ", "\n\n"];
    let end = ends.iter().filter_map(|end| said.find(end)).min();
    let first = &said[..end.unwrap_or(said.len())];
    first
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_end_matches('.')
        .to_owned()
}

/// What a tool takes.
#[derive(Default)]
struct Inputs {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Inputs {
    fn add(&mut self, name: &str, schema: Value, is_required: bool) {
        self.properties.insert(name.to_owned(), schema);
        if is_required {
            self.required.push(json!(name));
        }
    }

    fn schema(self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), self.properties.into());
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        // A misspelt argument is said to be one.
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_a_tool_or_it_is_said_why_not() {
        let tools = all();
        let mut left_out: BTreeSet<&str> = NO_TOOLS.iter().map(|(name, _)| *name).collect();
        for operation in document::operations() {
            let is_left_out = left_out.remove(operation.id.as_str());
            assert_ne!(
                tools.contains_key(&operation.id),
                is_left_out,
                "{}",
                operation.id
            );
        }
        assert_eq!(left_out, BTreeSet::new(), "there is no such operation");
    }

    #[test]
    fn no_argument_of_a_tool_goes_to_two_places() {
        for (name, operation) in all() {
            let mut places: Vec<&String> = operation
                .in_path
                .iter()
                .chain(&operation.in_query)
                .collect();
            if let Body::Fields(fields) = &operation.body {
                places.extend(fields);
            }
            let once: BTreeSet<&String> = places.iter().copied().collect();
            assert_eq!(once.len(), places.len(), "{name}");
            assert!(!once.contains(&WAIT.to_owned()), "{name}");
            for place in &operation.in_path {
                assert!(
                    operation.path.contains(&format!("{{{place}}}")),
                    "{name}: {place}"
                );
            }
            assert_eq!(
                operation.path.matches('{').count(),
                operation.in_path.len(),
                "{name}"
            );
        }
    }

    #[test]
    fn every_tool_says_what_it_is_and_refers_to_nothing_outside() {
        for (name, operation) in all() {
            let tool = &operation.tool;
            assert!(
                tool.description
                    .as_ref()
                    .is_some_and(|text| !text.is_empty()),
                "{name}"
            );
            assert!(
                tool.title
                    .as_ref()
                    .is_some_and(|text| !text.is_empty() && !text.contains('\n')),
                "{name}"
            );
            let input = serde_json::to_string(&tool.input_schema).unwrap();
            assert!(!input.contains("$ref"), "{name}: {input}");
            let output = serde_json::to_string(&tool.output_schema).unwrap();
            assert!(!output.contains("#/components"), "{name}");
        }
    }

    #[test]
    fn what_reads_is_said_to_read_and_what_destroys_to_destroy() {
        let tools = all();
        for (name, operation) in &tools {
            let annotations = operation.tool.annotations.as_ref().unwrap();
            let reads = annotations.read_only_hint == Some(true);
            assert!(reads || operation.method != Method::GET, "{name} reads");
            assert!(
                !reads || operation.method != Method::DELETE,
                "{name} removes"
            );
            assert!(
                operation.method != Method::DELETE || annotations.is_destructive(),
                "{name} removes"
            );
        }
        let hints = |name: &str| tools[name].tool.annotations.clone().unwrap();
        for name in [
            "stop_container",
            "restart_container",
            "approve_proposal",
            "save_dockerfile",
            "collect_garbage",
        ] {
            assert_eq!(hints(name).destructive_hint, Some(true), "{name}");
        }
        for name in ["generate_dockerfile", "model_payload", "container"] {
            assert_eq!(hints(name).read_only_hint, Some(true), "{name}");
        }
    }

    #[test]
    fn what_begins_a_job_can_wait_for_it() {
        let tools = all();
        for name in ["run_folder", "hand_off_project", "verify_build"] {
            assert_eq!(tools[name].answer, Answer::Job, "{name}");
            assert!(
                tools[name].tool.input_schema["properties"][WAIT].is_object(),
                "{name}"
            );
        }
        assert_eq!(tools["collect_garbage"].answer, Answer::Events);
        assert_eq!(tools["list_projects"].answer, Answer::Whole);
    }

    #[test]
    fn a_title_is_the_first_thing_that_is_said() {
        assert_eq!(title("Keep it; 409 where it is there. More."), "Keep it");
        assert_eq!(title("One\nline. Two."), "One line");
        assert_eq!(title("Every project."), "Every project");
    }
}
