//! Messages, as Anthropic has them.

use ergon_companion::model::{Payload, Said, Turn};
use serde_json::{Value, json};

use super::wire::{MOST_CALLS, Wrong, parameters, push};

/// The version of the format.
pub const VERSION: &str = "2023-06-01";

/// The body of a request.
pub fn body(payload: &Payload, model: &str) -> Value {
    let mut messages = Vec::new();
    for turn in &payload.turns {
        match turn {
            Turn::Asked(text) => messages.push(json!({ "role": "user", "content": text })),
            Turn::Called(calls) => {
                let made: Vec<Value> = calls
                    .iter()
                    .map(|call| json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": {} }))
                    .collect();
                let results: Vec<Value> = calls
                    .iter()
                    .map(|call| {
                        json!({ "type": "tool_result", "tool_use_id": call.id, "content": call.result })
                    })
                    .collect();
                messages.push(json!({ "role": "assistant", "content": made }));
                messages.push(json!({ "role": "user", "content": results }));
            }
        }
    }
    let tools: Vec<Value> = payload
        .tools
        .iter()
        .map(|tool| {
            json!({ "name": tool.name, "description": tool.description, "input_schema": parameters() })
        })
        .collect();
    json!({
        "model": model,
        "max_tokens": payload.most_tokens,
        "system": payload.instructions,
        "messages": messages,
        "tools": tools,
        "tool_choice": { "type": if payload.may_call { "auto" } else { "none" } },
        "stream": true,
    })
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
        let event: Value = serde_json::from_str(data).map_err(|_| Wrong::Json)?;
        match event["type"].as_str() {
            Some("message_start") => self.count(&event["message"]["usage"]),
            Some("content_block_start") => self.block(&event["content_block"])?,
            Some("content_block_delta") => {
                // What it thinks aloud, and the arguments of calls, are not looked at.
                if let Some(text) = event["delta"]["text"].as_str() {
                    push(&mut self.said.text, text)?;
                }
            }
            Some("message_delta") => {
                self.count(&event["usage"]);
                self.stop(&event["delta"]["stop_reason"]);
            }
            Some("message_stop") => {
                self.is_whole = true;
                return Ok(true);
            }
            Some("error") => return Err(Wrong::told(&event["error"])),
            // Pings, and what will be invented.
            Some(_) => {}
            None => return Err(Wrong::Format),
        }
        Ok(false)
    }

    /// Takes an answer that came in one piece.
    pub fn take_all(&mut self, answer: &Value) -> Result<(), Wrong> {
        if answer["type"] == "error" {
            return Err(Wrong::told(&answer["error"]));
        }
        let blocks = answer["content"].as_array().ok_or(Wrong::Format)?;
        for block in blocks {
            self.block(block)?;
        }
        self.count(&answer["usage"]);
        self.stop(&answer["stop_reason"]);
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

    fn block(&mut self, block: &Value) -> Result<(), Wrong> {
        match block["type"].as_str() {
            Some("tool_use") if self.said.calls.len() >= MOST_CALLS => Err(Wrong::TooLong),
            Some("tool_use") => {
                let mut name = String::new();
                push(&mut name, block["name"].as_str().unwrap_or_default())?;
                self.said.calls.push(name);
                Ok(())
            }
            Some("text") => push(
                &mut self.said.text,
                block["text"].as_str().unwrap_or_default(),
            ),
            _ => Ok(()),
        }
    }

    fn count(&mut self, usage: &Value) {
        let parts = [
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
        ];
        let input: Vec<u64> = parts
            .iter()
            .filter_map(|part| usage[part].as_u64())
            .collect();
        if !input.is_empty() {
            let input = input
                .iter()
                .fold(0_u64, |all, part| all.saturating_add(*part));
            self.said.usage.input = Some(input);
        }
        if let Some(output) = usage["output_tokens"].as_u64() {
            self.said.usage.output = Some(output);
        }
    }

    fn stop(&mut self, reason: &Value) {
        if let Some(reason) = reason.as_str() {
            self.said.cut_off = reason == "max_tokens";
        }
    }
}
