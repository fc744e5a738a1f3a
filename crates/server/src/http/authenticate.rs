//! Who asks: by token, by session cookie, by certificate, or nobody. And whether a browser was tricked into asking.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::hosts::named_host;
use super::peer::Peer;
use super::problem::Failure;
use crate::authorize::{Means, Principal};
use crate::sessions::{Lasts, Secret};
use crate::stack::Stack;

/// The cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "ergon_session";

/// The cookie that ties a sign-in elsewhere to a browser, and the only place it is sent to.
const SIGN_IN_COOKIE: &str = "ergon_sign_in";
const SIGN_IN_PATH: &str = "/api/v1/session";

/// How one showed who one is.
#[derive(Clone, Debug)]
pub enum Credential {
    None,
    Token,
    Cookie(Secret),
    /// Of the stack's own authority, shown when the connection began.
    Certificate,
}

impl Credential {
    pub const fn means(&self) -> Means {
        match self {
            Self::None => Means::Nothing,
            Self::Token => Means::Token,
            Self::Cookie(_) => Means::Session,
            Self::Certificate => Means::Certificate,
        }
    }
}

/// Finds out who asks. A credential that is not good is nobody's.
pub async fn identify(
    stack: &Stack,
    headers: &HeaderMap,
    peer: Option<&Peer>,
) -> Result<(Principal, Credential), Failure> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let holder = token
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, token)| with_token(stack, token.trim()));
        // A wrong token is not made good by a cookie beside it.
        return Ok(match holder {
            Some(principal) => (principal, Credential::Token),
            None => (Principal::Nobody, Credential::None),
        });
    }
    let jar = CookieJar::from_headers(headers);
    if let Some(cookie) = jar.get(SESSION_COOKIE) {
        let secret = Secret::received(cookie.value());
        if let Some(session) = stack.sessions().find(&secret).await?
            && let Some(principal) = stack.people().principal(&session.principal)
        {
            return Ok((principal, Credential::Cookie(secret)));
        }
    }
    // A connection may outlive what it began with.
    if let Some(peer) = peer
        && let Some(shown) = &peer.certificate
    {
        if stack.certificates().is_good(shown) {
            let name = shown.name.clone();
            return Ok((Principal::Companion { name }, Credential::Certificate));
        }
        let (address, serial) = (peer.address, &shown.serial);
        tracing::info!(%address, serial, "refused: a certificate that is not good any more");
    }
    Ok((Principal::Nobody, Credential::None))
}

/// Whose token it is: the stack's own, which is its owner's, somebody's, or a robot's secret.
pub fn with_token(stack: &Stack, token: &str) -> Option<Principal> {
    if stack.token().matches(token) {
        return Some(Principal::Owner);
    }
    let secret = Secret::received(token);
    if let Some((principal, token)) = stack.people().with_token(&secret) {
        stack.people().used(&token);
        return Some(principal);
    }
    let robot = stack.robots().with_token(&secret)?;
    stack.robots().used(&robot);
    Some(Principal::Robot(robot))
}

/// The cookie of a session that was just opened; where it was opened over TLS, it is never sent without.
pub fn session_cookie(secret: &Secret, lasts: Lasts, is_secure: bool) -> String {
    cookie(secret.reveal().to_owned(), is_secure).max_age_hours(lasts.hours())
}

/// The cookie that takes a session's cookie away.
pub fn clear_cookie(is_secure: bool) -> String {
    cookie(String::new(), is_secure).max_age_hours(0)
}

/// The cookie that ties a sign-in elsewhere to the browser in which it was begun.
pub fn sign_in_cookie(secret: &Secret, is_secure: bool) -> String {
    let cookie = Cookie::build((SIGN_IN_COOKIE, secret.reveal().to_owned()))
        .path(SIGN_IN_PATH)
        .http_only(true)
        .secure(is_secure)
        .same_site(SameSite::Strict);
    format!("{}; Max-Age=600", cookie.build())
}

/// The cookie that takes it away.
pub fn clear_sign_in_cookie() -> String {
    format!("{SIGN_IN_COOKIE}=; Path={SIGN_IN_PATH}; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// What the browser keeps of a sign-in that was begun in it.
pub fn signing_in(headers: &HeaderMap) -> Option<Secret> {
    let jar = CookieJar::from_headers(headers);
    let cookie = jar.get(SIGN_IN_COOKIE)?;
    Some(Secret::received(cookie.value()))
}

struct SessionCookie(Cookie<'static>);

fn cookie(value: String, is_secure: bool) -> SessionCookie {
    let cookie = Cookie::build((SESSION_COOKIE, value))
        .path("/")
        .http_only(true)
        .secure(is_secure)
        .same_site(SameSite::Strict);
    SessionCookie(cookie.build())
}

impl SessionCookie {
    fn max_age_hours(self, hours: i64) -> String {
        format!("{}; Max-Age={}", self.0, hours * 60 * 60)
    }
}

/// Refuses a change that a page of another site had the browser ask for.
pub fn check_origin(
    method: &Method,
    headers: &HeaderMap,
    uri: &Uri,
    credential: &Credential,
) -> Result<(), Failure> {
    if method.is_safe() || matches!(credential, Credential::Token) {
        return Ok(());
    }
    // Pages can set neither header. The first says more, but only newer browsers send it, and only
    // to addresses they trust; a page that sends no referrer may have `null` for an origin.
    let is_ours = match (headers.get(FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_origin(origin, named_host(headers, uri)),
        // Browsers say where every change comes from: this was sent by something else.
        (None, None) => matches!(credential, Credential::None | Credential::Certificate),
    };
    if is_ours {
        return Ok(());
    }
    let detail = "the request comes from a page of another site";
    Err(Failure::new(StatusCode::FORBIDDEN, detail)
        .with_remedy("programs send a token: Authorization: Bearer …"))
}

/// Refuses whatever a page of another site sends, also with a token: the protocol of agents asks for it.
pub fn check_origin_of_all(headers: &HeaderMap, uri: &Uri) -> Result<(), Failure> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    if is_origin(origin, named_host(headers, uri)) {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        "the request comes from a page of another site",
    )
    .with_remedy("agents send no Origin, or the address of the stack"))
}

/// Whether an origin is the host that the request is for.
fn is_origin(origin: &HeaderValue, host: Option<String>) -> bool {
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(&host),
        _ => false,
    }
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(origin: Option<&'static str>, credential: &Credential) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost:7411"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        check_origin(
            &Method::POST,
            &headers,
            &Uri::from_static("/api"),
            credential,
        )
        .is_ok()
    }

    #[test]
    fn what_a_browser_says_of_the_page_counts_before_its_origin() {
        let cookie = Credential::Cookie(Secret::received("x"));
        for (site, allowed) in [
            ("same-origin", true),
            ("same-site", false),
            ("cross-site", false),
            ("none", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:7411"));
            headers.insert(header::ORIGIN, HeaderValue::from_static("null"));
            headers.insert(FETCH_SITE, HeaderValue::from_static(site));
            let checked = check_origin(&Method::POST, &headers, &Uri::from_static("/api"), &cookie);
            assert_eq!(checked.is_ok(), allowed, "{site}");
        }
    }

    #[test]
    fn a_cookie_alone_changes_nothing_from_elsewhere() {
        let cookie = Credential::Cookie(Secret::received("x"));
        assert!(checked(Some("http://localhost:7411"), &cookie));
        assert!(!checked(Some("http://localhost:8080"), &cookie));
        assert!(!checked(Some("null"), &cookie));
        assert!(!checked(None, &cookie));
        assert!(checked(Some("http://elsewhere"), &Credential::Token));
        assert!(
            !checked(Some("http://elsewhere"), &Credential::None),
            "signing in is a change, too"
        );
        assert!(checked(None, &Credential::None));
    }
}
