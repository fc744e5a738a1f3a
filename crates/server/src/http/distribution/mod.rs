//! The registry's face at `/v2/`: the OCI Distribution protocol over HTTP.
//!
//! One handler for all paths, since a repository's name may have any number of parts. It reads the path into an
//! [`Endpoint`], has the one decision point decide, and only then does anything.

mod access;
mod answer;
mod blobs;
mod listings;
mod manifests;
mod mirrors;
mod token;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::Response;
use axum::routing::any;
use ergon_oci::registry::{Code, Endpoint, Refusal, RepositoryName};
use ergon_store::AuditError;
use percent_encoding::percent_decode_str;

use self::access::Caller;
use super::recorded;
use crate::access::Lack;
use crate::audit::Asked as Asking;
use crate::authorize::{Action, Channel, Circumstances, Decision, Principal};
use crate::distribution::{DistributionError, not_pushed_to};
use crate::stack::Stack;

/// The routes of the registry.
pub fn router() -> Router<Stack> {
    Router::new()
        .route("/v2", any(handle))
        .route("/v2/", any(handle))
        .route("/v2/token", any(token::handle))
        .route("/v2/{*rest}", any(handle))
}

/// What a request is, once it may be done.
struct Asked {
    stack: Stack,
    principal: Principal,
    parts: axum::http::request::Parts,
}

impl Asked {
    /// The values of a query parameter.
    fn query(&self, name: &str) -> Vec<String> {
        let query = self.parts.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// The first value of a query parameter.
    fn first(&self, name: &str) -> Option<String> {
        self.query(name).into_iter().next()
    }

    /// Whether who asks has what this tag stands for already.
    fn has(&self, etag: &str) -> bool {
        let known = self.header(header::IF_NONE_MATCH);
        known.is_some_and(|known| known.split(',').any(|known| known.trim() == etag))
    }

    fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Whether who asks may pull from another repository, too.
    async fn pulls_from(&self, other: &RepositoryName) -> Result<Decision, Failure> {
        let (stack, principal, action) = (&self.stack, &self.principal, Action::PullImage);
        let resource = access::resource(stack, principal, action, Some(other)).await?;
        let circumstances = Circumstances::of_registry(principal);
        let decided = stack
            .policy()
            .authorize(principal, action, &resource, circumstances);
        Ok(decided.decision)
    }

    /// Whether they may, whatever token they have in hand.
    async fn could_pull_from(&self, other: &RepositoryName) -> Result<bool, Failure> {
        let (stack, principal, action) = (&self.stack, self.principal.itself(), Action::PullImage);
        let resource = access::resource(stack, principal, action, Some(other)).await?;
        let circumstances = Circumstances::of_registry(principal);
        Ok(stack
            .policy()
            .would_allow(principal, action, &resource, circumstances))
    }
}

async fn handle(State(stack): State<Stack>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    let id = recorded::new_request_id();
    let mut response = match answer(stack, &id, request).await {
        Ok(response) => response,
        Err(failure) => answer::refused(failure, is_head),
    };
    recorded::name(&mut response, &id);
    response
}

/// Why a request is not answered: refused, or not yet allowed.
enum Failure {
    Refused(Refusal),
    /// With the challenge that says how one may show who one is.
    Unauthorized {
        challenge: String,
        message: &'static str,
    },
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DistributionError> for Failure {
    fn from(error: DistributionError) -> Self {
        Self::Refused(error.into_refusal())
    }
}

async fn answer(stack: Stack, id: &str, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let Caller { principal, lack } = access::identify(&stack, &parts.headers);
    let asked = percent_decode_str(parts.uri.path())
        .decode_utf8()
        .map_err(|_| Refusal::new(400, Code::NameInvalid, "the path is not UTF-8"))
        .and_then(|path| Endpoint::parse(&path))
        .and_then(|endpoint| mirrors::meant(&stack, &parts, endpoint))
        .and_then(|endpoint| action(&endpoint, &parts.method).map(|action| (endpoint, action)));
    let (endpoint, action) = match asked {
        Ok(asked) => asked,
        // Who is not known learns nothing of what is right or wrong here.
        Err(_) if *principal.itself() == Principal::Nobody => {
            return Err(Failure::Unauthorized {
                challenge: access::challenge(&parts, None, Action::UseRegistry, lack),
                message: access::LOGIN,
            });
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let repository = endpoint.repository();
    let resource = access::resource(&stack, &principal, action, repository).await?;
    let decided = stack.policy().authorize(
        &principal,
        action,
        &resource,
        Circumstances::of_registry(&principal),
    );
    let decision = decided.decision;
    let record = Asking {
        request: id,
        channel: Channel::Registry,
        principal: &principal,
        action,
        resource: &resource,
        is_change: is_change(&endpoint, &parts.method),
    };
    // Clients begin without a login, and are told how to have one: only one that is wrong is a denial.
    let is_told = decision != Decision::Identify || matches!(lack, Lack::Invalid);
    let begun = if is_told {
        stack
            .audit()
            .decided(record, &decided)
            .map_err(unrecorded)?
    } else {
        None
    };
    match decision {
        Decision::Allow => {}
        Decision::Identify => {
            return Err(Failure::Unauthorized {
                challenge: access::challenge(&parts, repository, action, lack),
                message: access::LOGIN,
            });
        }
        Decision::Deny => {
            let message = access::denial(&principal, action, repository);
            return Err(Refusal::new(403, Code::Denied, message).into());
        }
    }
    if action == Action::PushImage
        && let Some(name) = endpoint.repository()
        && let Some(mirrored) = stack.distribution().mirrors().of(name)
    {
        return Err(not_pushed_to(name, &mirrored).into());
    }
    let request = Request::from_parts(parts, body);
    let Some(begun) = begun else {
        return serve(stack, principal.clone(), endpoint, request).await;
    };
    let is_head = request.method() == Method::HEAD;
    let handler = async |request| {
        let served = serve(stack.clone(), principal.clone(), endpoint, request).await;
        served.unwrap_or_else(|failure| answer::refused(failure, is_head))
    };
    Ok(recorded::carry_out(&stack, record, begun, request, handler).await)
}

/// Does what was asked, once it may be done.
async fn serve(
    stack: Stack,
    principal: Principal,
    endpoint: Endpoint,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let asked = Asked {
        stack,
        principal,
        parts,
    };
    match endpoint {
        Endpoint::Base => Ok(answer::empty_object()),
        Endpoint::Catalog => listings::catalog(&asked).await,
        Endpoint::Tags(name) => listings::tags(&asked, &name).await,
        Endpoint::Referrers(name, subject) => listings::referrers(&asked, &name, &subject).await,
        Endpoint::Manifest(name, reference) => {
            manifests::handle(&asked, body, &name, &reference).await
        }
        Endpoint::Blob(name, digest) => blobs::handle(&asked, &name, &digest).await,
        Endpoint::Uploads(name) => blobs::begin(&asked, body, &name).await,
        Endpoint::Upload(name, id) => blobs::upload(&asked, body, &name, &id).await,
    }
}

/// Whether anybody can see a difference afterwards: content alone is none until a manifest names it.
fn is_change(endpoint: &Endpoint, method: &Method) -> bool {
    matches!(endpoint, Endpoint::Manifest(..) | Endpoint::Blob(..)) && !method.is_safe()
}

fn unrecorded(error: AuditError) -> Failure {
    tracing::error!(%error, "a change was not made");
    let message = "nothing is changed, for it cannot be written down in the audit log";
    Refusal::new(503, Code::Unknown, message).into()
}

/// What one must be allowed to do for this method at this endpoint.
fn action(endpoint: &Endpoint, method: &Method) -> Result<Action, Refusal> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let action = match endpoint {
        Endpoint::Base if is_read => Action::UseRegistry,
        Endpoint::Catalog if is_read => Action::ListRepositories,
        Endpoint::Tags(_)
        | Endpoint::Referrers(..)
        | Endpoint::Manifest(..)
        | Endpoint::Blob(..)
            if is_read =>
        {
            Action::PullImage
        }
        Endpoint::Manifest(..) if method == Method::PUT => Action::PushImage,
        Endpoint::Manifest(..) | Endpoint::Blob(..) if method == Method::DELETE => {
            Action::DeleteImage
        }
        Endpoint::Uploads(_) if method == Method::POST => Action::PushImage,
        Endpoint::Upload(..)
            if matches!(
                *method,
                Method::GET | Method::HEAD | Method::PATCH | Method::PUT | Method::DELETE
            ) =>
        {
            Action::PushImage
        }
        _ => {
            return Err(Refusal::new(
                405,
                Code::Unsupported,
                format!("{method} is not a method of this path"),
            ));
        }
    };
    Ok(action)
}
