//! Chat completions, as OpenAI and most local servers have them.

use ergon_companion::model::{Payload, Said, Turn, Usage};
use serde_json::{Value, json};

use super::wire::{MOST_CALLS, Wrong, parameters, push};

/// The body of a request.
pub fn body(payload: &Payload, model: &str, host: &str) -> Value {
    let mut messages = vec![json!({ "role": "system", "content": payload.instructions })];
    for turn in &payload.turns {
        match turn {
            Turn::Asked(text) => messages.push(json!({ "role": "user", "content": text })),
            Turn::Called(calls) => {
                let made: Vec<Value> = calls
                    .iter()
                    .map(|call| {
                        json!({
                            "id": call.id,
                            "type": "function",
                            "function": { "name": call.name, "arguments": "{}" },
                        })
                    })
                    .collect();
                messages.push(json!({ "role": "assistant", "content": null, "tool_calls": made }));
                messages.extend(calls.iter().map(|call| {
                    json!({ "role": "tool", "tool_call_id": call.id, "content": call.result })
                }));
            }
        }
    }
    let tools: Vec<Value> = payload
        .tools
        .iter()
        .map(|tool| {
            json!({
                "type": "function",
                "function": { "name": tool.name, "description": tool.description, "parameters": parameters() },
            })
        })
        .collect();
    // Where the format was made, the older name is refused; elsewhere the newer one is often not known.
    let is_openai = host == "api.openai.com";
    let most = if is_openai {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    let mut body = json!({
        "model": model,
        "messages": messages,
        "tools": tools,
        "tool_choice": if payload.may_call { "auto" } else { "none" },
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    body[most] = payload.most_tokens.into();
    body
}

/// An answer as far as it has come.
#[derive(Debug, Default)]
pub struct Answer {
    said: Said,
    is_whole: bool,
}

impl Answer {
    /// Takes an event; true after the last one.
    pub fn take(&mut self, data: &str) -> Result<bool, Wrong> {
        if data.trim() == "[DONE]" {
            self.is_whole = true;
            return Ok(true);
        }
        let event: Value = serde_json::from_str(data).map_err(|_| Wrong::Json)?;
        self.read(&event, "delta")?;
        Ok(false)
    }

    /// Takes an answer that came in one piece.
    pub fn take_all(&mut self, answer: &Value) -> Result<(), Wrong> {
        self.read(answer, "message")?;
        self.is_whole = true;
        Ok(())
    }

    pub fn finish(self) -> Result<Said, Wrong> {
        if self.is_whole {
            Ok(self.said)
        } else {
            Err(Wrong::BrokenOff)
        }
    }

    fn read(&mut self, event: &Value, part: &str) -> Result<(), Wrong> {
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            return Err(Wrong::told(error));
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            self.said.usage = Usage {
                input: usage["prompt_tokens"].as_u64(),
                output: usage["completion_tokens"].as_u64(),
            };
        }
        let choices = event.get("choices").and_then(Value::as_array);
        if choices.is_none() && event.get("usage").is_none() {
            return Err(Wrong::Format);
        }
        let Some(choice) = choices.and_then(|choices| choices.first()) else {
            return Ok(());
        };
        if let Some(text) = choice[part]["content"].as_str() {
            push(&mut self.said.text, text)?;
        }
        for (place, call) in choice[part]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let index = call["index"].as_u64().unwrap_or(place as u64);
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            if index >= MOST_CALLS {
                return Err(Wrong::TooLong);
            }
            if self.said.calls.len() <= index {
                self.said.calls.resize(index + 1, String::new());
            }
            if let Some(name) = call["function"]["name"].as_str() {
                push(&mut self.said.calls[index], name)?;
            }
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.is_whole = true;
            self.said.cut_off = reason == "length";
        }
        Ok(())
    }
}
