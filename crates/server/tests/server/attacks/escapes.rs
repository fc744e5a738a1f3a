//! Texts that a terminal, a log or a page would take for orders.

use reqwest::Method;
use serde_json::json;

use super::By::{Developer, Nobody, Owner, Viewer};
use super::{Attack, Target, attack};
use crate::world::read;

/// Orders for terminals and pages, and lines that would be entries of their own.
const ORDERS: [&str; 12] = [
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\here\u{1b}]8;;\u{1b}\\",
    "\u{9b}31m",
    "\u{1b}P+q544e\u{1b}\\",
    "a\r\nb",
    "a\nallowed owner ChangePolicy",
    "\u{202e}gnp.exe",
    "\u{2066}x\u{2069}",
    "\u{2028}x",
    "a\0b",
    "</script><script>alert(1)</script>",
];

#[tokio::test]
async fn no_name_gives_a_terminal_orders() {
    let target = Target::new().await;
    let mut attacks: Vec<Attack> = Vec::new();
    for order in ORDERS {
        for (line, body) in [
            (
                "POST /api/v1/people",
                json!({ "name": order, "roles": ["viewer"] }),
            ),
            (
                "POST /api/v1/robots",
                json!({ "name": order, "allow": ["a:pull"] }),
            ),
            (
                "POST /api/registry/register",
                json!({ "name": order, "type": "external", "port": 80, "message_endpoint": "/x" }),
            ),
            (
                "POST /api/v1/tool-servers",
                json!({ "name": order, "url": "http://127.0.0.1:1/" }),
            ),
            (
                "POST /api/v1/upstreams",
                json!({ "name": order, "url": "http://127.0.0.1:1/" }),
            ),
            ("POST /api/v1/guard-rails", json!({ "name": order })),
        ] {
            attacks.push(attack("a name", Owner, line, &[400, 422]).json(&body));
        }
        let escaped: String = order.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for line in [
            format!("PUT /api/v1/secrets/{escaped}"),
            format!("PUT /api/v1/policies/{escaped}"),
            format!("PUT /api/v1/terminals/{escaped}"),
        ] {
            let body = json!({ "value": "x", "text": "permit(principal, action, resource);" });
            attacks.push(attack("a name", Owner, line, &[400, 404, 405, 422]).json(&body));
        }
    }
    target.withstands(attacks).await;
    target.world.end().await;
}

#[tokio::test]
async fn what_is_written_down_of_a_request_is_one_entry_and_nothing_but_text() {
    let target = Target::new().await;
    let world = &target.world;
    for order in ORDERS {
        let escaped: String = order.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for (by, line) in [
            (Viewer, format!("DELETE /api/v1/containers/{escaped}")),
            (Developer, format!("DELETE /api/v1/people/{escaped}")),
            (Nobody, format!("GET /api/v1/projects/{escaped}")),
        ] {
            let agent = format!(
                "user-agent: agent {}",
                order.replace(['\r', '\n', '\0'], " ")
            );
            let made = attack("", by, line, &[]).head(agent);
            let (status, text) = target.send(&made).await;
            assert!([400, 401, 403, 404].contains(&status), "{order:?}: {text}");
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{9b}'),
                "{order:?}: {text}"
            );
        }
    }
    let exported = world.request(Method::GET, "/api/v1/audit/export");
    let exported = exported.send().await.unwrap().text().await.unwrap();
    for (number, line) in exported.lines().enumerate() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["sequence"], number, "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    let checked = world.request(Method::POST, "/api/v1/audit/verification");
    let checked = read(checked.json(&json!({}))).await.success();
    assert_eq!(checked["problems"], json!([]), "{checked:#}");
    target.world.end().await;
}

#[tokio::test]
async fn what_a_page_is_told_is_no_page() {
    let target = Target::new().await;
    for path in [
        "/api/v1/projects/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/api/%3Cscript%3E",
        "/v2/%3Cscript%3E/manifests/1",
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/api/v1/audit?principal=%3Cscript%3E",
    ] {
        let request = target.world.request(Method::GET, path);
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let kind = headers["content-type"].to_str().unwrap();
        assert!(
            !kind.starts_with("text/html") || !text.contains("<script>alert"),
            "{path}: {text}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
    target.world.end().await;
}
