//! Who asks the registry, and how one who is not known is told to show who they are.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use ergon_oci::registry::RepositoryName;

use super::Failure;
use crate::access::{Credential, Lack, Scope, Scopes, Verb, Verbs, bearer_challenge};
use crate::authorize::{Action, Circumstances, Principal, Resource};
use crate::distribution::DistributionError;
use crate::http::hosts::named_host;
use crate::http::peer::Peer;
use crate::sessions::Secret;
use crate::stack::Stack;

/// What somebody is told who showed nothing good.
pub const LOGIN: &str = "this needs a login: user `ergon` with what `ergon token` prints as the password, or a robot with its secret";

/// Who asks, and what was wrong with what they showed.
#[derive(Debug)]
pub struct Caller {
    pub principal: Principal,
    pub lack: Lack,
}

/// Finds out who asks. A credential that is not good is nobody's.
pub fn identify(stack: &Stack, headers: &HeaderMap) -> Caller {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Caller {
            principal: Principal::Nobody,
            lack: Lack::Nothing,
        };
    };
    let credential = value.to_str().ok().and_then(Credential::parse);
    match credential.and_then(|credential| recognise(stack, &credential)) {
        Some(principal) => Caller {
            principal,
            // Whatever it does not open, another may.
            lack: Lack::Insufficient,
        },
        None => Caller {
            principal: Principal::Nobody,
            lack: Lack::Invalid,
        },
    }
}

/// Whose credential it is: the stack's token opens everything, under whatever name.
pub fn recognise(stack: &Stack, credential: &Credential) -> Option<Principal> {
    match credential {
        Credential::Basic { user, password } => with_secret(stack, user, password),
        Credential::Bearer(token) if stack.token().matches(token) => Some(Principal::Owner),
        Credential::Bearer(token) => stack.tokens().bearer(token),
    }
}

/// Whose name and secret it is.
pub fn with_secret(stack: &Stack, user: &str, password: &str) -> Option<Principal> {
    if stack.token().matches(password) {
        return Some(Principal::Owner);
    }
    if let Some((principal, token)) = stack.people().with_token(&Secret::received(password)) {
        // A name beside a token that is somebody else's is a mistake, and not an attempt.
        if token.person != user {
            return None;
        }
        stack.people().used(&token);
        return Some(principal);
    }
    let robot = stack.robots().with_secret(user, password)?;
    stack.robots().used(&robot);
    Some(Principal::Robot(robot))
}

/// What is asked about. Whether it is public is looked up only where that decides.
pub async fn resource(
    stack: &Stack,
    principal: &Principal,
    action: Action,
    repository: Option<&RepositoryName>,
) -> Result<Resource, Failure> {
    let resource = action.on(repository.map(ToString::to_string));
    match repository {
        Some(name)
            if action == Action::PullImage
                && !stack.policy().would_allow(
                    principal,
                    action,
                    &resource,
                    Circumstances::of_registry(principal),
                ) =>
        {
            let is_public = stack.repositories().is_public(name).await;
            Ok(resource.public(is_public.map_err(DistributionError::from)?))
        }
        _ => Ok(resource),
    }
}

/// What somebody is told who is known, and may not.
pub fn denial(
    principal: &Principal,
    action: Action,
    repository: Option<&RepositoryName>,
) -> String {
    let done = match action {
        Action::PullImage => "pull from",
        Action::PushImage => "push to",
        Action::DeleteImage => "delete from",
        _ => "list the repositories of",
    };
    let name = principal.name();
    match repository {
        Some(repository) => format!("{name} may not {done} `{repository}`"),
        None => format!("{name} may not {done} this registry"),
    }
}

/// Where one gets a token, and for what.
pub fn challenge(
    parts: &Parts,
    repository: Option<&RepositoryName>,
    action: Action,
    lack: Lack,
) -> String {
    let verbs: Verbs = match action {
        // Whoever only asks whether a blob is there is about to push it, and not every client comes back for more.
        Action::PullImage if parts.method == Method::HEAD && is_blob(parts) => {
            PUSH.into_iter().collect()
        }
        Action::PushImage => PUSH.into_iter().collect(),
        Action::PullImage => Verb::Pull.into(),
        Action::DeleteImage => Verb::Delete.into(),
        _ => Verbs::NONE,
    };
    let scope = match repository {
        Some(name) => Some(Scope::repository(name.clone(), verbs)),
        None if action == Action::ListRepositories => Some(Scope::Catalog),
        None => None,
    };
    challenge_for(parts, &scope.into_iter().collect(), lack)
}

/// Where one gets a token that mounts a blob of another repository.
pub fn mount_challenge(parts: &Parts, to: &RepositoryName, from: &RepositoryName) -> String {
    let scopes = [
        Scope::repository(to.clone(), PUSH.into_iter().collect::<Verbs>()),
        Scope::repository(from.clone(), Verb::Pull),
    ];
    challenge_for(parts, &scopes.into_iter().collect(), Lack::Insufficient)
}

/// Whoever pushes looks first what is there already.
const PUSH: [Verb; 2] = [Verb::Pull, Verb::Push];

fn challenge_for(parts: &Parts, scopes: &Scopes, lack: Lack) -> String {
    // What ends TLS in front of us says so, and a client that says it itself misleads nobody else.
    let forwarded = parts.headers.get("x-forwarded-proto");
    let is_secure = Peer::of(&parts.extensions).is_some_and(|peer| peer.is_secure);
    let scheme = match forwarded {
        _ if is_secure => "https",
        Some(scheme) if scheme == "https" => "https",
        _ => "http",
    };
    let authority = named_host(&parts.headers, &parts.uri).unwrap_or_default();
    bearer_challenge(scheme, &authority, scopes, lack)
}

fn is_blob(parts: &Parts) -> bool {
    let mut path = parts.uri.path().rsplit('/');
    path.nth(1) == Some("blobs")
}
