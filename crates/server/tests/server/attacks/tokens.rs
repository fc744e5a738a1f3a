//! Tokens of the registry that say what was never signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use super::By::Nobody;
use super::{Attack, Target, attack};
use crate::world::{World, read};

const CLOSED: &str = "GET /v2/closed/app/manifests/1";

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read_part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap()
        .chain_update(&text);
    format!(
        "{text}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

/// A token that a robot was given for what it may do.
async fn given(world: &World) -> String {
    let secret = world
        .post("/api/v1/robots/puller/secret", json!({}))
        .await
        .success();
    let secret = secret["secret"].as_str().unwrap().to_owned();
    let asked = world
        .anonymous(
            Method::GET,
            "/v2/token?service=x&scope=repository:open/app:pull",
        )
        .basic_auth("puller", Some(secret));
    read(asked).await.success()["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn no_token_is_believed_that_was_not_signed_as_it_stands() {
    let target = Target::new().await;
    let world = &target.world;
    let token = given(world).await;
    let (signed_text, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed_text.split_once('.').unwrap();
    let (own, said) = (read_part(header), read_part(claims));
    let with = |name: &str, value: Value| {
        let mut changed = said.clone();
        changed[name] = value;
        changed
    };
    let everything =
        json!([{ "type": "repository", "name": "closed/app", "actions": ["pull", "push", "*"] }]);
    let more = with("access", everything.clone());
    let owner = json!({ "iss": said["iss"], "aud": said["aud"], "sub": "owner", "iat": said["iat"], "exp": said["exp"], "jti": "x", "purpose": "access", "access": everything });
    let authority = read(world.anonymous(Method::GET, "/api/v1/ca"))
        .await
        .body
        .to_string();

    let mut tokens: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| tokens.push((what.to_owned(), token));
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let head = json!({ "alg": algorithm, "typ": "JWT" });
        add(
            "an algorithm that is none",
            format!("{}.{}.", part(&head), part(&owner)),
        );
        add(
            "an algorithm that is none, signed",
            signed(&head, &owner, b""),
        );
    }
    for algorithm in ["HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "dir"] {
        let head = json!({ "alg": algorithm, "typ": "JWT" });
        add(
            "another algorithm",
            format!("{}.{claims}.{signature}", part(&head)),
        );
        add(
            "another algorithm, more claims",
            format!("{}.{}.{signature}", part(&head), part(&more)),
        );
    }
    for (what, key) in [
        ("signed with nothing", b"".to_vec()),
        ("signed with a word", b"secret".to_vec()),
        (
            "signed with the stack's name",
            said["iss"].as_str().unwrap().as_bytes().to_vec(),
        ),
        (
            "signed with what everybody can read",
            authority.clone().into_bytes(),
        ),
        ("signed with a signature", signature.as_bytes().to_vec()),
        ("signed with zeros", vec![0; 64]),
    ] {
        add(what, signed(&own, &owner, &key));
    }
    for (what, claims) in [
        ("more access", more.clone()),
        ("another subject", with("sub", json!("owner"))),
        ("another robot", with("sub", json!("robot:admin"))),
        ("nobody", with("sub", json!(""))),
        ("for ever", with("exp", Value::Null)),
        ("for long", with("exp", json!(99_999_999_999_i64))),
        ("another purpose", with("purpose", json!("refresh"))),
        ("another stack", with("aud", json!("other"))),
    ] {
        add(what, format!("{header}.{}.{signature}", part(&claims)));
    }
    for (what, head) in [
        (
            "a key named by a path",
            json!({ "alg": "HS256", "typ": "JWT", "kid": "../../../dev/null" }),
        ),
        (
            "a key named by a query",
            json!({ "alg": "HS256", "typ": "JWT", "kid": "' UNION SELECT 'x" }),
        ),
        (
            "a key elsewhere",
            json!({ "alg": "HS256", "typ": "JWT", "jku": "http://127.0.0.1:1/keys" }),
        ),
        (
            "a key brought along",
            json!({ "alg": "HS256", "typ": "JWT", "jwk": { "kty": "oct", "k": "" } }),
        ),
        (
            "a certificate elsewhere",
            json!({ "alg": "HS256", "typ": "JWT", "x5u": "http://127.0.0.1:1/cert" }),
        ),
        (
            "something critical",
            json!({ "alg": "HS256", "typ": "JWT", "crit": ["exp"] }),
        ),
        (
            "packed",
            json!({ "alg": "HS256", "typ": "JWT", "zip": "DEF" }),
        ),
    ] {
        add(what, signed(&head, &owner, b""));
    }
    add("no signature", format!("{signed_text}."));
    add("no signature and no dot", signed_text.to_owned());
    add(
        "half a signature",
        format!("{signed_text}.{}", &signature[..20]),
    );
    add(
        "a signature and more",
        format!("{signed_text}.{signature}AAAA"),
    );
    add(
        "a signature with padding",
        format!("{signed_text}.{signature}="),
    );
    add("five parts", format!("{token}.{token}"));
    add("only dots", "...".to_owned());
    add("an empty token", ".".to_owned());
    add("letters of the other alphabet", STANDARD.encode(&token));
    add(
        "claims twice",
        format!("{header}.{claims}.{claims}.{signature}"),
    );
    add(
        "claims that are a list",
        format!("{header}.{}.{signature}", part(&json!([said]))),
    );
    add(
        "claims of great depth",
        format!(
            "{header}.{}.{signature}",
            URL_SAFE_NO_PAD.encode("[".repeat(20_000))
        ),
    );
    add(
        "a very long token",
        format!("{header}.{}.{signature}", "A".repeat(100_000)),
    );

    let mut attacks: Vec<Attack> = tokens
        .into_iter()
        .map(|(what, token)| {
            attack(what, Nobody, CLOSED, &[0, 400, 401, 431])
                .head(format!("authorization: Bearer {token}"))
        })
        .collect();
    // The token itself opens what it was given for, and nothing else.
    for line in [
        CLOSED,
        "GET /v2/_catalog",
        "POST /v2/open/app/blobs/uploads/",
        "DELETE /v2/open/app/manifests/1",
        "GET /api/v1/projects",
        "GET /api/v1/session",
        "POST /mcp",
    ] {
        attacks.push(
            attack("a good token elsewhere", Nobody, line, &[400, 401, 403])
                .head(format!("authorization: Bearer {token}")),
        );
    }
    let form = format!("grant_type=refresh_token&service=x&client_id=x&refresh_token={token}");
    attacks.push(
        attack("access as refresh", Nobody, "POST /v2/token", &[400, 401])
            .text("application/x-www-form-urlencoded", form),
    );
    target.withstands(attacks).await;
    target.world.end().await;
}
