//! What there is: tools, resources and prompts, under the names the suite knows them by.

use rmcp::model::{
    GetPromptRequestParams, GetPromptResult, Prompt, PromptMessage, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate, Tool,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// One red pixel, and a sound of no length.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
pub const SILENCE: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";

/// Tools that want nothing to be told, and what each is there for.
const PLAIN: [(&str, &str); 25] = [
    ("test_simple_text", "Answers with a text."),
    ("test_image_content", "Answers with a picture."),
    ("test_audio_content", "Answers with a sound."),
    ("test_embedded_resource", "Answers with a resource."),
    (
        "test_multiple_content_types",
        "Answers with a text, a picture and a resource.",
    ),
    ("test_error_handling", "Always fails."),
    ("test_tool_with_logging", "Tells what it does meanwhile."),
    ("test_logging_tool", "Tells what it does to whoever asks."),
    ("test_tool_with_progress", "Tells how far it has come."),
    ("test_reconnection", "Takes a moment."),
    (
        "test_elicitation_sep1034_defaults",
        "Asks a person for what has defaults.",
    ),
    (
        "test_elicitation_sep1330_enums",
        "Asks a person to choose, in every form there is.",
    ),
    (
        "test_trigger_tool_change",
        "Tells whoever listens that there are other tools.",
    ),
    (
        "test_trigger_prompt_change",
        "Tells whoever listens that there are other prompts.",
    ),
    (
        "test_missing_capability",
        "Is for those only who can ask a model.",
    ),
    (
        "test_streaming_elicitation",
        "Needs a value, and says so with its answer.",
    ),
    ("test_input_required_result_elicitation", "Needs a name."),
    (
        "test_input_required_result_sampling",
        "Needs what a model says.",
    ),
    (
        "test_input_required_result_list_roots",
        "Needs the folders of whoever asks.",
    ),
    (
        "test_input_required_result_request_state",
        "Needs a yes, and its state back.",
    ),
    (
        "test_input_required_result_tampered_state",
        "Needs a yes, and its own state back.",
    ),
    (
        "test_input_required_result_multiple_inputs",
        "Needs three things at once.",
    ),
    (
        "test_input_required_result_multi_round",
        "Needs two things, one after the other.",
    ),
    (
        "test_input_required_result_capabilities",
        "Needs what whoever asks can give.",
    ),
    ("add", "Adds nothing to nothing, as fast as can be."),
];

/// Reads what is written down here.
pub fn of<T: DeserializeOwned>(written: Value) -> T {
    serde_json::from_value(written).unwrap()
}

pub fn tools() -> Vec<Tool> {
    let plain = PLAIN.map(|(name, about)| {
        json!({ "name": name, "description": about, "inputSchema": { "type": "object", "properties": {} } })
    });
    let one_text = |name: &str, about: &str, argument: &str, schema: Value| {
        json!({ "name": name, "description": about, "inputSchema": {
            "type": "object", "properties": { argument: schema }, "required": [argument],
        } })
    };
    let text = json!({ "type": "string" });
    let others = [
        one_text("test_sampling", "Asks a model.", "prompt", text.clone()),
        one_text("test_elicitation", "Asks a person.", "message", text),
        one_text(
            "test_custom_header",
            "Wants its argument in a header, too.",
            "value",
            json!({ "type": "string", "x-mcp-header": "Value" }),
        ),
        json!({ "name": "json_schema_2020_12_tool", "description": "Has a schema with all there is.", "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": { "address": {
                "$anchor": "addressDef", "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            } },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        } }),
    ];
    let all = plain
        .into_iter()
        .chain(others)
        .chain(crate::tasks::offered());
    all.map(of).collect()
}

pub fn resources() -> Vec<Resource> {
    vec![
        Resource::new(TEXT, "A text").with_mime_type("text/plain"),
        Resource::new(BINARY, "A picture").with_mime_type("image/png"),
    ]
}

pub fn templates() -> Vec<ResourceTemplate> {
    let template = ResourceTemplate::new("test://template/{id}/data", "One of many");
    vec![template.with_mime_type("application/json")]
}

pub fn read(uri: &str) -> Option<ReadResourceResult> {
    let contents: ResourceContents = match uri {
        TEXT => of(json!({ "uri": uri, "mimeType": "text/plain", "text": "A text that stays." })),
        BINARY => of(json!({ "uri": uri, "mimeType": "image/png", "blob": PIXEL })),
        _ => {
            let id = uri.strip_prefix("test://template/")?;
            let id = id.strip_suffix("/data")?;
            let text = json!({ "id": id, "templateTest": true, "data": format!("of {id}") });
            of(json!({ "uri": uri, "mimeType": "application/json", "text": text.to_string() }))
        }
    };
    Some(ReadResourceResult::new(vec![contents]))
}

pub fn prompts() -> Vec<Prompt> {
    let plain = |name: &str, about: &str| json!({ "name": name, "description": about });
    let mut with_arguments = plain("test_prompt_with_arguments", "Says what it is told.");
    with_arguments["arguments"] = json!([
        { "name": "arg1", "description": "what it says first", "required": true },
        { "name": "arg2", "description": "what it says then", "required": true },
    ]);
    let mut with_resource = plain("test_prompt_with_embedded_resource", "Shows a resource.");
    with_resource["arguments"] =
        json!([{ "name": "resourceUri", "description": "which one", "required": true }]);
    let prompts = [
        plain("test_simple_prompt", "Says one thing."),
        with_arguments,
        with_resource,
        plain("test_prompt_with_image", "Shows a picture."),
        plain(
            "test_input_required_result_prompt",
            "Needs something to go by.",
        ),
    ];
    prompts.into_iter().map(of).collect()
}

pub fn prompt(request: &GetPromptRequestParams) -> Option<GetPromptResult> {
    let given = |name: &str| {
        let arguments = request.arguments.as_ref();
        let given = arguments.and_then(|arguments| arguments.get(name));
        given.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let says = |content: Value| of::<PromptMessage>(json!({ "role": "user", "content": content }));
    let text = |text: String| says(json!({ "type": "text", "text": text }));
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![text("One thing.".to_owned())],
        "test_prompt_with_arguments" => {
            vec![text(format!("{}, then {}", given("arg1"), given("arg2")))]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = match given("resourceUri") {
                none if none.is_empty() => TEXT.to_owned(),
                uri => uri,
            };
            let resource = json!({ "uri": uri, "mimeType": "text/plain", "text": "What it is." });
            vec![
                says(json!({ "type": "resource", "resource": resource })),
                text("Go by this.".to_owned()),
            ]
        }
        "test_prompt_with_image" => vec![
            says(json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" })),
            text("Look at this.".to_owned()),
        ],
        _ => return None,
    };
    Some(GetPromptResult::new(messages))
}
