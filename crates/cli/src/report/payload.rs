//! What a language model would be sent.

use std::fmt::Write as _;

use ergon_server::api::ModelPayload;

use crate::{style, words};

/// The request as it would go out, and what its pseudonyms stand for.
pub fn show(payload: &ModelPayload) -> String {
    let mut page = String::new();
    let to = match (&payload.model, &payload.url) {
        (Some(model), Some(url)) if payload.would_ask => {
            let model = words::harmless(model);
            format!("This would be sent to {model}:\n\nPOST {}", words::harmless(url))
        }
        (Some(model), Some(url)) => format!(
            "This would not be sent to {}: nothing is found that has to be explained.\n\nPOST {}",
            words::harmless(model),
            words::harmless(url)
        ),
        _ => "No model is configured, and nothing is sent anywhere. With `ergon up --model-url` it would be this:\n"
            .to_owned(),
    };
    let _ = writeln!(page, "{to}");
    for (name, value) in &payload.headers {
        let _ = writeln!(
            page,
            "{}: {}",
            words::harmless(name),
            words::harmless(value)
        );
    }
    let body = serde_json::to_string_pretty(&payload.body).unwrap_or_default();
    page.push('\n');
    for line in body.lines() {
        let _ = writeln!(page, "{}", words::harmless(line));
    }
    let _ = writeln!(page, "\n{} bytes", payload.bytes);
    if !payload.pseudonyms.is_empty() {
        let _ = writeln!(
            page,
            "\n{}",
            style::strong("Not sent: what stands for what")
        );
    }
    for (pseudonym, name) in &payload.pseudonyms {
        let _ = writeln!(page, "  {pseudonym}  {}", words::harmless(name));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_request_is_shown_as_it_would_go_out() {
        let payload = ModelPayload {
            model: Some("m at localhost".into()),
            url: Some("http://localhost/v1/chat/completions".into()),
            would_ask: true,
            bytes: 13,
            headers: BTreeMap::from([("authorization".into(), "(the key)".into())]),
            body: json!({ "model": "m" }),
            pseudonyms: BTreeMap::from([("NAME_1".into(), "shop\u{1b}[31m".into())]),
        };
        assert_snapshot!(style::plain(&show(&payload)));
    }
}
