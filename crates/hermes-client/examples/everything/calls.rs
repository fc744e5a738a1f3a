//! What the tools do that answer by themselves, or ask meanwhile as the older revision has it.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientResult, ContentBlock,
    LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::Everything;
use crate::offers::{PIXEL, SILENCE, of};

/// Between one thing that is told and the next.
const PACE: Duration = Duration::from_millis(50);

type Context = RequestContext<RoleServer>;

impl Everything {
    pub async fn call(
        &self,
        request: &CallToolRequestParams,
        context: &Context,
    ) -> Result<CallToolResult, ErrorData> {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let picture = json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" });
        let resource = json!({ "type": "resource", "resource": {
            "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "What is in it.",
        } });
        let given = |name: &str| {
            let given = request.arguments.as_ref().and_then(|all| all.get(name));
            given.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let content = match request.name.as_ref() {
            "add" => vec![text("0")],
            "test_simple_text" => vec![text("A text.")],
            "test_image_content" => vec![picture],
            "test_audio_content" => {
                vec![json!({ "type": "audio", "data": SILENCE, "mimeType": "audio/wav" })]
            }
            "test_embedded_resource" => vec![resource],
            "test_multiple_content_types" => vec![text("All of this:"), picture, resource],
            "test_error_handling" => {
                return Ok(CallToolResult::error(vec![ContentBlock::text(
                    "It fails, as it should.",
                )]));
            }
            "test_tool_with_logging" => {
                for said in ["begun", "half done", "done"] {
                    say(context, LoggingLevel::Info, said).await;
                    tokio::time::sleep(PACE).await;
                }
                vec![text("It told what it did.")]
            }
            "test_logging_tool" => {
                if let Some(level) = context.meta.log_level() {
                    say(context, level, "somebody wants to know").await;
                }
                vec![text("It told whoever asked.")]
            }
            "test_tool_with_progress" => {
                progress(context).await;
                vec![text("It told how far it had come.")]
            }
            "test_reconnection" => {
                tokio::time::sleep(PACE * 2).await;
                vec![text("A moment has passed.")]
            }
            "test_custom_header" => vec![text(&given("value"))],
            "json_schema_2020_12_tool" => vec![text("It took all of it.")],
            "test_trigger_tool_change" => {
                for sink in self.listening() {
                    drop(sink.notify_tool_list_changed().await);
                }
                vec![text("Whoever listens was told.")]
            }
            "test_trigger_prompt_change" => {
                for sink in self.listening() {
                    drop(sink.notify_prompt_list_changed().await);
                }
                vec![text("Whoever listens was told.")]
            }
            "test_missing_capability" => {
                let capabilities = context.meta.client_capabilities().unwrap_or_default();
                if capabilities.sampling.is_none() {
                    let needed = ClientCapabilities::builder().enable_sampling().build();
                    return Err(ErrorData::missing_required_client_capability(needed));
                }
                vec![text("A model can be asked.")]
            }
            "test_sampling" => {
                let asks = json!({ "role": "user", "content": text(&given("prompt")) });
                let asks = json!({ "messages": [asks], "maxTokens": 100 });
                vec![text(&asked(context, "sampling/createMessage", asks).await?)]
            }
            "test_elicitation" => {
                let word = json!({ "type": "string" });
                let wanted = json!({ "username": word, "email": word });
                let asks = form(&given("message"), wanted, &["username", "email"]);
                vec![text(&asked(context, "elicitation/create", asks).await?)]
            }
            "test_elicitation_sep1034_defaults" => {
                let asks = form("What is right for you?", defaults(), &[]);
                vec![text(&asked(context, "elicitation/create", asks).await?)]
            }
            "test_elicitation_sep1330_enums" => {
                let asks = form("Which of them?", choices(), &[]);
                vec![text(&asked(context, "elicitation/create", asks).await?)]
            }
            unknown => {
                let unknown = format!("there is no tool `{unknown}`");
                return Err(ErrorData::invalid_params(unknown, None));
            }
        };
        Ok(CallToolResult::success(of(json!(content))))
    }
}

async fn say(context: &Context, level: LoggingLevel, said: &str) {
    let said = LoggingMessageNotificationParam::new(level, json!(said));
    drop(context.peer.notify_logging_message(said).await);
}

async fn progress(context: &Context) {
    let Some(token) = context.meta.get_progress_token() else {
        return;
    };
    for come in [0.0, 50.0, 100.0] {
        let told = ProgressNotificationParam::new(token.clone(), come).with_total(100.0);
        drop(context.peer.notify_progress(told).await);
        tokio::time::sleep(PACE).await;
    }
}

/// Asks whoever calls something while the call goes on, and says what came back.
async fn asked(context: &Context, method: &str, params: Value) -> Result<String, ErrorData> {
    let question = of(json!({ "method": method, "params": params }));
    let answer = context.peer.send_request(question).await;
    let answer = answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let answer = match answer {
        ClientResult::CreateMessageResult(answer) => json!(answer),
        ClientResult::ElicitResult(answer) => json!(answer),
        _ => json!(null),
    };
    Ok(format!("The answer was {answer}"))
}

/// A form for a person.
pub fn form(message: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    json!({ "mode": "form", "message": message, "requestedSchema": schema })
}

fn defaults() -> Value {
    json!({
        "name": { "type": "string", "default": "John Doe" },
        "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 },
        "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
        "verified": { "type": "boolean", "default": true },
    })
}

fn choices() -> Value {
    let plain = ["option1", "option2", "option3"];
    let titled = json!([
        { "const": "value1", "title": "First" },
        { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" },
    ]);
    json!({
        "untitledSingle": { "type": "string", "enum": plain },
        "titledSingle": { "type": "string", "oneOf": titled },
        "legacyEnum": { "type": "string", "enum": plain, "enumNames": ["First", "Second", "Third"] },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
        "titledMulti": { "type": "array", "items": { "anyOf": titled } },
    })
}
