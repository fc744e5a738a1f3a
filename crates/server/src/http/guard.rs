//! What every request passes before its handler: who asks, and whether they may.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::authenticate::{Credential, check_origin, identify};
use super::hosts::{host_of, named_host};
use super::peer::Peer;
use super::problem::Failure;
use super::recorded::{self, Recording};
use crate::audit::Asked;
use crate::authorize::{Action, Channel, Circumstances, Decided, Decision, Principal, Resource};
use crate::stack::Stack;

/// Refuses requests that name another host. Comes before everything.
pub async fn check_host(State(stack): State<Stack>, request: Request, next: Next) -> Response {
    match stack
        .allowed_hosts()
        .check(request.headers(), request.uri())
    {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// Who asks, as it was found out.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub credential: Credential,
}

/// Asks the one decision point, tells the handler who asks, and has written down what is to be.
pub async fn decide(
    State((stack, action)): State<(Stack, Action)>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let id = recorded::new_request_id();
    let mut response = match decided(&stack, action, &id, parameters, request, next).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    recorded::name(&mut response, &id);
    response
}

async fn decided(
    stack: &Stack,
    action: Action,
    id: &str,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let parameters = parameters.map_err(|_| Failure::bad_request("the path is not UTF-8"))?;
    // What is asked from inside was asked from outside before: nothing that comes over a connection can say this of itself.
    let inside = request.extensions_mut().remove::<Caller>();
    let (principal, credential) = match &inside {
        Some(caller) => (caller.principal.clone(), caller.credential.clone()),
        None => identify(stack, request.headers(), Peer::of(request.extensions())).await?,
    };
    let name = parameters.iter().next().map(|(_, value)| value.to_owned());
    let resource = stack.resource(action, name);
    let channel = if inside.is_some() {
        Channel::Mcp
    } else {
        Channel::Http
    };
    let circumstances = Circumstances::new(channel, credential.means());
    let asked = Asked {
        request: id,
        channel,
        principal: &principal,
        action,
        resource: &resource,
        is_change: !request.method().is_safe() && !action.only_reads(),
    };
    let decided = stack
        .policy()
        .authorize(&principal, action, &resource, circumstances);
    let (method, headers, uri) = (request.method(), request.headers(), request.uri());
    if decided.is_allowed()
        && inside.is_none()
        && let Err(failure) = check_origin(method, headers, uri, &credential)
    {
        stack
            .audit()
            .decided(asked, &Decided::without_policy(Decision::Deny))?;
        return Err(failure);
    }
    let begun = stack.audit().decided(asked, &decided)?;
    match decided.decision {
        Decision::Allow => {}
        Decision::Identify => {
            return Err(Failure::new(StatusCode::UNAUTHORIZED, "this needs a token or a session")
                .with_remedy("programs send `Authorization: Bearer <what ergon token prints>`; people open what `ergon link` prints"));
        }
        Decision::Deny => {
            return Err(denial(&principal, action, &resource, &decided));
        }
    }
    request.extensions_mut().insert(Caller {
        principal: principal.clone(),
        credential: credential.clone(),
    });
    request.extensions_mut().insert(principal.clone());
    request.extensions_mut().insert(credential);
    request.extensions_mut().insert(Recording {
        id: id.to_owned(),
        circumstances,
        decided,
    });
    if let Some(begun) = begun {
        let handler = async |request| next.run(request).await;
        Ok(recorded::carry_out(stack, asked, begun, request, handler).await)
    } else {
        Ok(next.run(request).await)
    }
}

/// Whether a shell takes it for one word and nothing else.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    !name.is_empty() && name.bytes().all(plain) && !name.starts_with('-')
}

/// Asks once more, about something that only the body of a request tells.
pub fn decide_also(
    stack: &Stack,
    principal: &Principal,
    recording: &Recording,
    action: Action,
    name: Option<String>,
) -> Result<(), Failure> {
    let resource = stack.resource(action, name);
    let policy = stack.policy();
    let decided = policy.authorize(principal, action, &resource, recording.circumstances);
    if decided.is_allowed() {
        return Ok(());
    }
    let asked = Asked {
        request: &recording.id,
        channel: recording.circumstances.channel,
        principal,
        action,
        resource: &resource,
        is_change: true,
    };
    stack.audit().decided(asked, &decided)?;
    Err(denial(principal, action, &resource, &decided))
}

/// What somebody is told who may not do it, and whom to ask.
pub fn denial(
    principal: &Principal,
    action: Action,
    resource: &Resource,
    decided: &Decided,
) -> Failure {
    let who = principal.name();
    let what = match &resource.name {
        Some(name) => format!("{} of `{name}`", action.word()),
        None => action.word().to_owned(),
    };
    let why = match decided.because() {
        Some(policies) => format!("it is forbidden by {policies}"),
        None => "no policy allows it".to_owned(),
    };
    Failure::new(
        StatusCode::FORBIDDEN,
        format!("{who} may not do this ({what}): {why}"),
    )
    .with_remedy(format!(
        "an owner sees why with: ergon policy explain {who} {}{}",
        action.word(),
        resource
            .name
            .as_deref()
            .filter(|name| is_plain(name))
            .map(|name| format!(" {name}"))
            .unwrap_or_default()
    ))
}

/// Carries out what was begun, also for a client that hangs up: memory and store must agree afterwards.
pub async fn carry_out(request: Request, next: Next) -> Result<Response, Failure> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let changed = tokio::spawn(next.run(request)).await;
    changed.map_err(|error| Failure::internal(&error))
}

/// What a browser must know of every answer.
pub async fn add_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What the API answers is true at this moment only; the UI's files say for themselves.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Tells browsers to never ask in the clear again, under names for which another authority vouches: under `localhost`
/// other programs of this machine would be meant, too.
pub async fn insist_on_tls(State(stack): State<Stack>, request: Request, next: Next) -> Response {
    let tls = stack.tls().filter(|tls| tls.has_files());
    let host = named_host(request.headers(), request.uri());
    let mut response = next.run(request).await;
    let host = host.as_deref().and_then(host_of);
    if let (Some(tls), Some(host)) = (tls, host)
        && host.parse::<std::net::IpAddr>().is_err()
        && !host.eq_ignore_ascii_case("localhost")
        && tls.is_vouched_for(host)
    {
        let always = HeaderValue::from_static("max-age=31536000");
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    response
}

/// The UI's own files and nothing else: no inline script, no other site, no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
