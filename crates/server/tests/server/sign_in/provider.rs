//! An identity provider that does what it should, and on request one thing that it should not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use ring::{digest, hmac};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const CLIENT: &str = "ergon-at-work";
pub const SECRET: &str = "the client secret, which nobody else knows";

/// What it does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    Nonce,
    NoNonce,
    Audience,
    AnotherAudience,
    Party,
    Expired,
    Old,
    Future,
    Issuer,
    NoSubject,
    AccessTokenHash,
    /// `alg: none`, without a signature.
    Unsigned,
    /// HS256 under the public key, which everybody knows.
    HmacWithPublicKey,
    /// HS256 under the secret that both sides know.
    HmacWithSecret,
    ForeignKey,
    UnknownKey,
    BrokenSignature,
    Encrypted,
    NoIdToken,
    Gibberish,
    HugeToken,
    TokensElsewhere,
    UserInfoOfSomebodyElse,
    UserInfoGibberish,
    BadAccessToken,
    // Of the discovery document.
    OtherIssuer,
    HugeDocument,
    DocumentElsewhere,
    NoDocument,
    PlainTokens,
    PlainAuthorization,
    OnlyHmac,
    NoKeys,
}

/// What somebody was sent with.
#[derive(Clone, Debug)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
}

struct Inner {
    url: String,
    key: EcdsaKeyPair,
    foreign: EcdsaKeyPair,
    fault: Fault,
    /// What it says of whoever signs in.
    person: Value,
    /// Whether it says groups only to whoever asks with the access token.
    says_late: bool,
    codes: HashMap<String, Asked>,
    next: u32,
}

#[derive(Clone)]
pub struct Provider {
    inner: Arc<Mutex<Inner>>,
    task: Arc<JoinHandle<()>>,
}

fn key() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: key(),
            foreign: key(),
            fault: Fault::None,
            person: json!({ "sub": "u-1", "preferred_username": "ada", "groups": ["dev"] }),
            says_late: false,
            codes: HashMap::new(),
            next: 0,
        };
        let inner = Arc::new(Mutex::new(inner));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let task = Arc::new(task);
        Self { inner, task }
    }

    pub fn end(&self) {
        self.task.abort();
    }

    pub fn issuer(&self) -> String {
        self.inner.lock().unwrap().url.clone()
    }

    pub fn does(&self, fault: Fault) {
        self.inner.lock().unwrap().fault = fault;
    }

    /// What it says of whoever signs in from now on.
    pub fn says(&self, person: Value) {
        self.inner.lock().unwrap().person = person;
    }

    pub fn says_late(&self, person: Value) {
        let mut inner = self.inner.lock().unwrap();
        (inner.person, inner.says_late) = (person, true);
    }

    /// What a browser that was sent there comes back with, once its person has said yes.
    pub fn back(&self, url: &str) -> Value {
        let url: Url = url.parse().unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut inner = self.inner.lock().unwrap();
        assert!(
            url.as_str().starts_with(&format!("{}/auth?", inner.url)),
            "{url}"
        );
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        for secret in ["state", "nonce", "code_challenge"] {
            assert!(query[secret].len() >= 43, "{secret}");
        }
        inner.next += 1;
        let code = format!("code-{}", inner.next);
        let asked = Asked {
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            redirect: query["redirect_uri"].clone(),
        };
        inner.codes.insert(code.clone(), asked);
        json!({ "code": code, "state": query["state"], "iss": inner.url })
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

async fn document(State(inner): Shared) -> Response {
    let inner = inner.lock().unwrap();
    let url = &inner.url;
    let mut document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/auth"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "XX999"],
        "authorization_response_iss_parameter_supported": true,
    });
    match inner.fault {
        Fault::OtherIssuer => document["issuer"] = json!("https://login.example.com"),
        Fault::HugeDocument => document["more"] = json!("x".repeat(2 << 20)),
        Fault::DocumentElsewhere => {
            return (StatusCode::FOUND, [(header::LOCATION, "/keys")]).into_response();
        }
        Fault::NoDocument => return StatusCode::NOT_FOUND.into_response(),
        Fault::PlainTokens => document["token_endpoint"] = json!("http://192.0.2.1/token"),
        Fault::PlainAuthorization => {
            document["authorization_endpoint"] = json!("http://192.0.2.1/auth");
        }
        Fault::OnlyHmac => {
            document["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]);
        }
        _ => {}
    }
    Json(document).into_response()
}

async fn keys(State(inner): Shared) -> Json<Value> {
    let inner = inner.lock().unwrap();
    let point = inner.key.public_key().as_ref();
    let key = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "kid": "one",
        "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
    });
    match inner.fault {
        Fault::NoKeys => Json(json!({ "keys": [] })),
        // What is not known here is in nobody's way.
        _ => Json(json!({ "keys": [{ "kty": "QQ", "kid": "two" }, key] })),
    }
}

async fn token(
    State(inner): Shared,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut inner = inner.lock().unwrap();
    let refused = |error: &str| {
        let body = json!({ "error": error, "error_description": "\u{1b}[2J no" });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let shown = STANDARD.encode(format!(
        "{CLIENT}:{}",
        SECRET.replace(' ', "+").replace(',', "%2C")
    ));
    if headers[header::AUTHORIZATION].to_str().unwrap() != format!("Basic {shown}") {
        return refused("invalid_client");
    }
    let Some(asked) = inner.codes.remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let digest = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
    if encoded(digest) != asked.challenge || form["redirect_uri"] != asked.redirect {
        return refused("invalid_grant");
    }
    let fault = inner.fault;
    let mut body = json!({ "access_token": "opens", "token_type": "Bearer", "expires_in": 60 });
    match fault {
        Fault::NoIdToken => return Json(body).into_response(),
        Fault::Gibberish => return "<html>".into_response(),
        Fault::HugeToken => body["more"] = json!("x".repeat(2 << 20)),
        Fault::TokensElsewhere => {
            return (
                StatusCode::TEMPORARY_REDIRECT,
                [(header::LOCATION, "/token")],
            )
                .into_response();
        }
        Fault::BadAccessToken => body["access_token"] = json!("opens\nX-Evil: 1"),
        _ => {}
    }
    body["id_token"] = json!(id_token(&inner, &asked.nonce));
    Json(body).into_response()
}

async fn me(State(inner): Shared, headers: HeaderMap) -> Response {
    let inner = inner.lock().unwrap();
    assert_eq!(headers[header::AUTHORIZATION], "Bearer opens");
    let mut said = inner.person.clone();
    match inner.fault {
        Fault::UserInfoOfSomebodyElse => said["sub"] = json!("somebody-else"),
        Fault::UserInfoGibberish => return "<html>".into_response(),
        _ => {}
    }
    Json(said).into_response()
}

fn id_token(inner: &Inner, nonce: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut claims = if inner.says_late {
        json!({ "sub": inner.person["sub"] })
    } else {
        inner.person.clone()
    };
    claims["iss"] = json!(inner.url);
    claims["aud"] = json!(CLIENT);
    claims["nonce"] = json!(nonce);
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 300));
    let mut header = json!({ "alg": "ES256", "kid": "one", "typ": "JWT" });
    match inner.fault {
        Fault::Nonce => claims["nonce"] = json!("another"),
        Fault::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
        Fault::Audience => claims["aud"] = json!("another-client"),
        Fault::AnotherAudience => claims["aud"] = json!([CLIENT, "another-client"]),
        Fault::Party => claims["azp"] = json!("another-client"),
        Fault::Expired => claims["exp"] = json!(now - 1),
        Fault::Old => claims["iat"] = json!(now - 7200),
        Fault::Future => claims["iat"] = json!(now + 7200),
        Fault::Issuer => claims["iss"] = json!("https://login.example.com"),
        Fault::NoSubject => claims["sub"] = json!(""),
        Fault::AccessTokenHash => claims["at_hash"] = json!(encoded([7; 16])),
        Fault::Unsigned => header = json!({ "alg": "none" }),
        Fault::HmacWithPublicKey | Fault::HmacWithSecret => header["alg"] = json!("HS256"),
        Fault::UnknownKey => header["kid"] = json!("three"),
        Fault::Encrypted => header = json!({ "alg": "RSA-OAEP", "enc": "A256GCM" }),
        _ => {}
    }
    let signed = format!(
        "{}.{}",
        encoded(header.to_string()),
        encoded(claims.to_string())
    );
    let hmac = |key: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        encoded(hmac::sign(&key, signed.as_bytes()))
    };
    let by = |key: &EcdsaKeyPair| {
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        signature.as_ref().to_vec()
    };
    let signature = match inner.fault {
        Fault::Unsigned => String::new(),
        Fault::HmacWithPublicKey => hmac(inner.key.public_key().as_ref()),
        Fault::HmacWithSecret => hmac(SECRET.as_bytes()),
        Fault::ForeignKey => encoded(by(&inner.foreign)),
        Fault::BrokenSignature => encoded([1; 64]),
        _ => encoded(by(&inner.key)),
    };
    format!("{signed}.{signature}")
}
