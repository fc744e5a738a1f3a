//! The token service at `/v2/token`, as Docker's token specifications describe it.
//!
//! `GET` with a name and a secret as Basic, or with nothing; `POST` with a password or a refresh token as in
//! OAuth 2. What is asked for and may not be done is left out of the token; the client sees by it what
//! it has not got.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use ergon_oci::registry::{Code, Refusal};
use serde::Serialize;

use super::access::{identify, resource, with_secret};
use super::{Failure, answer};
use crate::access::{Lack, Scope, Scopes, Verbs, basic_challenge};
use crate::authorize::{Action, Circumstances, Principal, Resource};
use crate::stack::Stack;

/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 64 * 1024;
/// Whoever takes longer to send it is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A token, as both specifications have it.
#[derive(Serialize)]
struct Given<'a> {
    token: &'a str,
    access_token: &'a str,
    /// Seconds. When it was given is left out, so that clients count by their own clock.
    expires_in: i64,
    /// What it is for.
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// What a client asks the token service for.
struct Wanted {
    by: Principal,
    scopes: Scopes,
    /// Whether it wants to come back without its secret.
    refresh: bool,
}

pub async fn handle(State(stack): State<Stack>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    match give(&stack, request).await {
        Ok(response) => response,
        Err(failure) => answer::refused(failure, is_head),
    }
}

async fn give(stack: &Stack, request: Request) -> Result<Response, Failure> {
    let wanted = match *request.method() {
        Method::GET | Method::HEAD => read_query(stack, &request)?,
        Method::POST => read_form(stack, request.into_body()).await?,
        _ => {
            let message = "a token is asked for with GET or POST";
            return Err(Refusal::new(405, Code::Unsupported, message).into());
        }
    };
    let action = Action::RequestToken;
    if !allows(stack, &wanted.by, action, &action.on(None)) {
        return Err(wrong("nobody"));
    }
    let scopes = granted(stack, &wanted.by, &wanted.scopes).await?;
    let token = stack.tokens().give(&wanted.by, &scopes);
    let refresh = wanted
        .refresh
        .then(|| stack.tokens().give_refresh(&wanted.by))
        .flatten();
    let given = Given {
        token: token.text.reveal(),
        access_token: token.text.reveal(),
        expires_in: token.expires_in,
        scope: scopes.to_string(),
        refresh_token: refresh.as_ref().map(crate::sessions::Secret::reveal),
    };
    let mut response = answer::json(serde_json::to_vec(&given).unwrap_or_default());
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// `GET /v2/token?service=…&scope=…&scope=…`
///
/// `offline_token` is let be: `docker login` would keep a refresh token instead of the password, and clients that read
/// what Docker keeps, and know passwords only, would find none.
fn read_query(stack: &Stack, request: &Request) -> Result<Wanted, Failure> {
    let caller = identify(stack, request.headers());
    if caller.lack == Lack::Invalid {
        return Err(wrong("somebody"));
    }
    let query = Form::read(request.uri().query().unwrap_or_default().as_bytes());
    Ok(Wanted {
        by: caller.principal,
        scopes: query.scopes(),
        refresh: false,
    })
}

/// `POST /v2/token` with `grant_type=password` or `grant_type=refresh_token`.
async fn read_form(stack: &Stack, body: Body) -> Result<Wanted, Failure> {
    let Ok(read) = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_FORM)).await else {
        return Err(Refusal::new(408, Code::Unknown, "the form did not arrive in time").into());
    };
    let Ok(bytes) = read else {
        let message = format!("the form broke off, or is larger than {LARGEST_FORM} bytes");
        return Err(Refusal::new(400, Code::Unsupported, message).into());
    };
    let form = Form::read(&bytes);
    let by = match form.first("grant_type") {
        Some("password") => {
            let user = form.first("username").unwrap_or_default();
            let password = form.first("password").unwrap_or_default();
            with_secret(stack, user, password).ok_or_else(|| wrong(user))?
        }
        Some("refresh_token") => {
            let token = form.first("refresh_token").unwrap_or_default();
            let found = stack.tokens().refreshing(token);
            found.ok_or_else(|| wrong("a refresh token"))?
        }
        _ => {
            let message = "`grant_type` has to be `password` or `refresh_token`";
            return Err(Refusal::new(400, Code::Unsupported, message).into());
        }
    };
    Ok(Wanted {
        by,
        scopes: form.scopes(),
        refresh: form.first("access_type") == Some("offline"),
    })
}

/// What of it may be done: the one decision point is asked about each.
async fn granted(stack: &Stack, by: &Principal, asked: &Scopes) -> Result<Scopes, Failure> {
    let mut granted = Scopes::default();
    for scope in asked.iter() {
        match scope {
            Scope::Catalog => {
                let action = Action::ListRepositories;
                if allows(stack, by, action, &action.on(None)) {
                    granted.add(Scope::Catalog);
                }
            }
            Scope::Repository { name, verbs } => {
                let mut allowed = Verbs::NONE;
                for verb in verbs.iter() {
                    let action = Action::from(verb);
                    let resource = resource(stack, by, action, Some(name)).await?;
                    if allows(stack, by, action, &resource) {
                        allowed = allowed.and(verb.into());
                    }
                }
                if !allowed.is_none() {
                    granted.add(Scope::repository(name.clone(), allowed));
                }
            }
        }
    }
    Ok(granted)
}

fn allows(stack: &Stack, by: &Principal, action: Action, resource: &Resource) -> bool {
    let circumstances = Circumstances::of_registry(by);
    let policy = stack.policy();
    policy
        .authorize(by, action, resource, circumstances)
        .is_allowed()
}

fn wrong(who: &str) -> Failure {
    tracing::info!(
        who,
        "refused: a name and a secret that do not belong together"
    );
    Failure::Unauthorized {
        challenge: basic_challenge().to_owned(),
        message: "the name and the secret do not belong together: user `ergon` has what `ergon token` prints, a robot what it was given when it was added",
    }
}

/// Names and values, as queries and forms have them.
struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(bytes).collect())
    }

    fn first(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        values.next()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.iter().filter(move |(key, _)| key == name);
        pairs.map(|(_, value)| &**value)
    }

    fn scopes(&self) -> Scopes {
        Scopes::parse(self.values("scope"))
    }
}
