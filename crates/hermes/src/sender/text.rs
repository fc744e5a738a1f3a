//! What of an answer is its text. Pure.

use serde_json::Value;

/// The fields under which people put what they say, the plainest first.
const FIELDS: [&str; 8] = [
    "response", "content", "reply", "message", "answer", "text", "output", "result",
];
/// The longest reason that is passed on, in letters.
const LONGEST_REASON: usize = 300;
/// So deep is looked for the text.
const DEPTH: usize = 4;

/// The text of a whole answer; none where it has none.
pub fn said(value: &Value) -> Option<String> {
    said_within(value, DEPTH)
}

fn said_within(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // `{"message": {"role": "assistant", "content": …}}`, and lists of `{"type": "text", "text": …}`.
        Value::Object(object) if depth > 0 => FIELDS
            .iter()
            .filter_map(|field| object.get(*field))
            .find_map(|value| said_within(value, depth - 1)),
        Value::Array(parts) if depth > 0 => {
            let texts: Vec<String> = parts
                .iter()
                .filter_map(|part| said_within(part, depth - 1))
                .collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        }
        _ => None,
    }
}

/// The text of one piece of a stream.
pub fn piece(value: &Value) -> Option<String> {
    let choice = value.pointer("/choices/0");
    let delta = choice
        .and_then(|choice| choice.get("delta"))
        .or_else(|| value.get("delta"));
    match delta {
        Some(delta) => said(delta),
        None => said(choice.unwrap_or(value)),
    }
}

/// Why somebody says they do not answer, where they say so.
pub fn refusal(value: &Value) -> Option<String> {
    let error = value.get("error")?;
    let reason = match error {
        Value::Null | Value::Bool(false) => return None,
        Value::String(reason) => Some(reason.clone()),
        other => said(other),
    };
    Some(shortened(reason.as_deref().unwrap_or("it failed")))
}

/// The reason in the body of an answer that is a failure.
pub fn reason(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let reason = match &value {
        Some(value) => {
            let detail = value.get("detail").and_then(Value::as_str);
            detail
                .map(str::to_owned)
                .or_else(|| refusal(value))
                .or_else(|| said(value))?
        }
        // A page for browsers says nothing to anybody here.
        None if text.trim_start().starts_with('<') => return None,
        None => text.lines().next().unwrap_or_default().to_owned(),
    };
    let reason = shortened(&reason);
    (!reason.is_empty()).then_some(reason)
}

/// A text from outside as it may stand in a sentence of ours.
pub fn shortened(text: &str) -> String {
    let plain = text
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| !letter.is_control());
    let mut short: String = plain.take(LONGEST_REASON + 1).collect();
    if short.chars().count() > LONGEST_REASON {
        short = short.chars().take(LONGEST_REASON).collect();
        short.push('…');
    }
    short.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_found_under_the_names_that_people_use() {
        for answer in [
            json!("well"),
            json!({ "response": "well" }),
            json!({ "content": "well", "findings": [] }),
            json!({ "message": "well" }),
            json!({ "reply": "well" }),
            json!({ "message": { "role": "assistant", "content": "well" } }),
            json!({ "content": [{ "type": "text", "text": "well" }] }),
            json!({ "status": 7, "response": null, "text": "well" }),
        ] {
            assert_eq!(said(&answer).as_deref(), Some("well"), "{answer}");
        }
        for nothing in [
            json!(null),
            json!(7),
            json!({}),
            json!({ "ok": true }),
            json!([]),
        ] {
            assert_eq!(said(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_is_deeper_than_any_answer_is_none() {
        let deep = (0..100).fold(json!("deep"), |inner, _| json!({ "content": inner }));
        assert_eq!(said(&deep), None);
    }

    #[test]
    fn pieces_of_streams_are_found_in_their_forms() {
        for (value, text) in [
            (json!({ "choices": [{ "delta": { "content": "a" } }] }), "a"),
            (json!({ "delta": "a" }), "a"),
            (json!({ "delta": { "text": "a" } }), "a"),
            (json!({ "content": "a" }), "a"),
            (json!("a"), "a"),
        ] {
            assert_eq!(piece(&value).as_deref(), Some(text), "{value}");
        }
        // The first piece of some streams says who speaks only.
        let role = json!({ "choices": [{ "delta": { "role": "assistant" } }] });
        assert_eq!(piece(&role), None);
    }

    #[test]
    fn a_reason_is_short_and_plain() {
        let body = br#"{"detail":"no such\u001b[31m thing.\nreally"}"#;
        assert_eq!(reason(body).as_deref(), Some("no such[31m thing. really"));
        assert_eq!(reason(b"busy\nand more").as_deref(), Some("busy"));
        assert_eq!(reason(b"<html><h1>502</h1>"), None);
        assert_eq!(reason(b""), None);
        let long = reason("x".repeat(5000).as_bytes()).unwrap();
        assert_eq!(long.chars().count(), LONGEST_REASON + 1);
    }

    #[test]
    fn an_error_is_a_refusal_unless_it_is_none() {
        assert_eq!(refusal(&json!({ "error": "no" })).as_deref(), Some("no"));
        let object = json!({ "error": { "code": 1, "message": "no" } });
        assert_eq!(refusal(&object).as_deref(), Some("no"));
        assert_eq!(refusal(&json!({ "error": null, "content": "x" })), None);
        assert_eq!(refusal(&json!({ "content": "x" })), None);
    }
}
