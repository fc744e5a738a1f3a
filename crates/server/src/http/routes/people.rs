//! People: who may come in, with what, and from where they are signed in.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use ergon_store::{SessionRow, now};

use crate::api::{
    AddPerson, AddToken, AddedPerson, AddedToken, ChangePassword, ChangePerson, EndedSessions,
    List, Person, PersonAccount, PersonSession, PersonToken, SignInLink,
};
use crate::authorize::Principal;
use crate::http::authenticate::Credential;
use crate::http::extract::{Body, Name};
use crate::http::problem::Failure;
use crate::people::{self, Account, NewPerson, NewToken, PersonChange};
use crate::sessions::Patience;
use crate::stack::Stack;
use crate::words::rfc3339;

/// Everybody, by name.
#[utoipa::path(get, path = "/api/v1/people", operation_id = "list_people", tag = "people",
    responses((status = 200, body = List<Person>)))]
pub async fn list(State(stack): State<Stack>) -> Result<Json<List<Person>>, Failure> {
    let holders = stack.passkeys().holders().await?;
    let people = stack.people().list();
    let mut accounts = stack.people().accounts();
    let view = |person: &Arc<people::Person>| {
        let theirs = accounts.remove(&person.name);
        let has_passkey = holders.contains(&person.name);
        view(person, has_passkey, theirs.unwrap_or_default())
    };
    Ok(Json(List {
        items: people.iter().map(view).collect(),
    }))
}

/// Add somebody. The answer has a link with which they come in, once, within a day; 409 where there is somebody of the name.
#[utoipa::path(post, path = "/api/v1/people", operation_id = "add_person", tag = "people",
    request_body = AddPerson,
    responses((status = 201, body = AddedPerson)))]
pub async fn add(
    State(stack): State<Stack>,
    Body(body): Body<AddPerson>,
) -> Result<(StatusCode, Json<AddedPerson>), Failure> {
    let wanted = NewPerson {
        name: body.name,
        roles: body.roles,
    };
    let person = stack.people().add(&wanted).await?;
    let link = new_link(&stack, &person.name, Patience::Day).await?;
    let person = view_of(&stack, &person).await?;
    Ok((StatusCode::CREATED, Json(AddedPerson { person, link })))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/people/{name}", operation_id = "person", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = Person)))]
pub async fn read(State(stack): State<Stack>, Name(name): Name) -> Result<Json<Person>, Failure> {
    let person = stack.people().get(&name)?;
    Ok(Json(view_of(&stack, &person).await?))
}

/// Change what somebody is, or whether they may come in.
#[utoipa::path(patch, path = "/api/v1/people/{name}", operation_id = "change_person", tag = "people",
    params(("name" = String, Path)),
    request_body = ChangePerson,
    responses((status = 200, body = Person)))]
pub async fn change(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<ChangePerson>,
) -> Result<Json<Person>, Failure> {
    let wanted = PersonChange {
        roles: body.roles,
        is_disabled: body.disabled,
    };
    let person = stack.people().change(&name, &wanted).await?;
    Ok(Json(view_of(&stack, &person).await?))
}

/// Forget somebody. Their sessions end, their tokens open nothing.
#[utoipa::path(delete, path = "/api/v1/people/{name}", operation_id = "remove_person", tag = "people",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.people().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link with which somebody comes in, once, within a day: for whoever is new, or forgot their password.
#[utoipa::path(post, path = "/api/v1/people/{name}/link", operation_id = "person_link", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = SignInLink)))]
pub async fn link(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<SignInLink>, Failure> {
    let person = stack.people().get(&name)?;
    Ok(Json(new_link(&stack, &person.name, Patience::Day).await?))
}

/// Choose a password, or do without one. Their other sessions end. Who changes their own says the one until now; who
/// came with a link and has none, or does it for somebody else, need not.
#[utoipa::path(put, path = "/api/v1/people/{name}/password", operation_id = "change_password", tag = "people",
    params(("name" = String, Path)),
    request_body = ChangePassword,
    responses((status = 204)))]
pub async fn change_password(
    State(stack): State<Stack>,
    Extension(principal): Extension<Principal>,
    Extension(credential): Extension<Credential>,
    Name(name): Name,
    Body(body): Body<ChangePassword>,
) -> Result<StatusCode, Failure> {
    let is_own = principal.name() == name;
    let stays = match &credential {
        Credential::Cookie(secret) if is_own => Some(secret.hash()),
        _ => None,
    };
    // The stack's token is more than a password.
    let must_know_old = is_own && matches!(credential, Credential::Cookie(_));
    if must_know_old && stack.people().get(&name)?.has_password {
        stack.sign_in_limits.count(Some(&name), None)?;
    }
    let people = stack.people();
    people
        .set_password(&name, body.old, body.new, stays.as_deref(), must_know_old)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// From where somebody is signed in, the newest first.
#[utoipa::path(get, path = "/api/v1/people/{name}/sessions", operation_id = "person_sessions", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = List<PersonSession>)))]
pub async fn sessions(
    State(stack): State<Stack>,
    Extension(credential): Extension<Credential>,
    Name(name): Name,
) -> Result<Json<List<PersonSession>>, Failure> {
    stack.people().get(&name)?;
    let current = match &credential {
        Credential::Cookie(secret) => stack.sessions().find(secret).await?,
        Credential::None | Credential::Token | Credential::Certificate => None,
    };
    let current = current.map(|session| session.id);
    let sessions = stack.sessions().list(&name).await?;
    let view = |row: SessionRow| PersonSession {
        current: current.as_ref() == Some(&row.id),
        id: row.id,
        agent: row.agent,
        address: row.address,
        created_at: rfc3339(row.created_at),
        last_used_at: rfc3339(row.last_used_at),
        expires_at: rfc3339(row.expires_at),
    };
    Ok(Json(List {
        items: sessions.into_iter().map(view).collect(),
    }))
}

/// End every session of somebody's, but the one that asks.
#[utoipa::path(delete, path = "/api/v1/people/{name}/sessions", operation_id = "end_sessions", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = EndedSessions)))]
pub async fn end_sessions(
    State(stack): State<Stack>,
    Extension(credential): Extension<Credential>,
    Name(name): Name,
) -> Result<Json<EndedSessions>, Failure> {
    stack.people().get(&name)?;
    let own = match &credential {
        Credential::Cookie(secret) => Some(secret),
        Credential::None | Credential::Token | Credential::Certificate => None,
    };
    let ended = stack.sessions().end_all_of(&name, own).await?;
    Ok(Json(EndedSessions { ended }))
}

/// End one session of somebody's.
#[utoipa::path(delete, path = "/api/v1/people/{name}/sessions/{id}", operation_id = "end_session", tag = "people",
    params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 204)))]
pub async fn end_session(
    State(stack): State<Stack>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    stack.sessions().end_of(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The tokens of somebody's programs, the oldest first.
#[utoipa::path(get, path = "/api/v1/people/{name}/tokens", operation_id = "person_tokens", tag = "people",
    params(("name" = String, Path)),
    responses((status = 200, body = List<PersonToken>)))]
pub async fn tokens(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<List<PersonToken>>, Failure> {
    let tokens = stack.people().tokens(&name)?;
    Ok(Json(List {
        items: tokens.into_iter().map(token_view).collect(),
    }))
}

/// Give somebody's programs a token. It is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/people/{name}/tokens", operation_id = "add_token", tag = "people",
    params(("name" = String, Path)),
    request_body = AddToken,
    responses((status = 201, body = AddedToken)))]
pub async fn add_token(
    State(stack): State<Stack>,
    Name(name): Name,
    Body(body): Body<AddToken>,
) -> Result<(StatusCode, Json<AddedToken>), Failure> {
    let wanted = NewToken {
        about: body.about,
        roles: body.roles,
        days: body.days,
    };
    let (token, secret) = stack.people().add_token(&name, &wanted).await?;
    let added = AddedToken {
        token: token_view(token),
        secret: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Take a token back. It opens nothing from then on.
#[utoipa::path(delete, path = "/api/v1/people/{name}/tokens/{id}", operation_id = "remove_token", tag = "people",
    params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 204)))]
pub async fn remove_token(
    State(stack): State<Stack>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    stack.people().remove_token(&name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link for somebody.
pub async fn new_link(
    stack: &Stack,
    name: &str,
    patience: Patience,
) -> Result<SignInLink, Failure> {
    let code = stack.sessions().new_code(name, patience).await?;
    let url = stack.sign_in_url(&code);
    Ok(SignInLink { code, url })
}

async fn view_of(stack: &Stack, person: &people::Person) -> Result<Person, Failure> {
    let has_passkey = !stack.passkeys().list(&person.name).await?.is_empty();
    let accounts = stack.people().accounts_of(&person.name);
    Ok(view(person, has_passkey, accounts))
}

fn view(person: &people::Person, has_passkey: bool, accounts: Vec<Account>) -> Person {
    Person {
        has_passkey,
        accounts: accounts
            .into_iter()
            .map(|account| PersonAccount {
                issuer: account.issuer,
                subject: account.subject,
            })
            .collect(),
        name: person.name.clone(),
        roles: person.roles.iter().map(ToString::to_string).collect(),
        has_password: person.has_password,
        disabled: person.disabled_at.is_some(),
        created_at: rfc3339(person.created_at),
    }
}

fn token_view(token: people::PersonToken) -> PersonToken {
    PersonToken {
        expired: token.has_ended(now()),
        id: token.id,
        about: token.about,
        roles: token
            .roles
            .map(|roles| roles.iter().map(ToString::to_string).collect()),
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
        last_used_at: token.last_used_at.map(rfc3339),
    }
}
