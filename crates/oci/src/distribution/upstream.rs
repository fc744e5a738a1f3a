//! The client that a mirror asks its upstream with. What comes is handed on as it comes, and nothing of it is believed.
//!
//! Credentials go to the upstream and to where it says that tokens are given, over TLS or on this machine, and never
//! along with a redirect to somewhere else.

mod answers;
mod outward;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;

use super::{CONNECT_TIMEOUT, READ_TIMEOUT, chain, is_here, tokens};
use crate::content_digest::ContentDigest;
use crate::model::{DOCKER_LIST, DOCKER_MANIFEST, INDEX, LARGEST_DOCUMENT, MANIFEST};

pub use answers::{BlobBody, UpstreamError};
use answers::{content_digest, read_limited, refused};
use outward::{Outward, leads_inside};

/// A registry sends its blobs from somewhere else, and that from one more place, but not for ever.
const MOST_REDIRECTS: usize = 5;
/// A token of which nothing is said is good for so long.
const TOKEN_LIFE: u64 = 60;
/// Of so many repositories at most a token is kept.
const MOST_TOKENS: usize = 256;
/// Docker Hub answers here and not at its name.
const DOCKER_HUB_HOSTS: [&str; 2] = ["registry-1.docker.io", "index.docker.io"];

/// Who we are to an upstream. It never shows itself.
#[derive(Clone)]
pub struct UpstreamLogin {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for UpstreamLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UpstreamLogin(…)")
    }
}

/// A manifest as an upstream sent it.
#[derive(Debug)]
pub struct UpstreamManifest {
    pub content: Bytes,
    pub media_type: Option<String>,
    /// What the upstream says that its digest is.
    pub digest: Option<ContentDigest>,
}

/// One upstream registry.
#[derive(Debug)]
pub struct Upstream {
    root: Url,
    login: Option<UpstreamLogin>,
    client: OnceLock<Client>,
    proofs: Mutex<HashMap<String, Proof>>,
}

/// What shows a registry who we are, for one repository.
#[derive(Clone)]
struct Proof {
    header: HeaderValue,
    until: Instant,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(…)")
    }
}

/// Why a text is not the URL of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamUrlError {
    #[error(
        "it is no URL of a registry: write https://HOST or https://HOST:PORT and nothing after it"
    )]
    Malformed,
    #[error("a user and a password do not belong into a URL")]
    Credentials,
    #[error("a password would go to {0} without TLS, where anybody on the way could read it")]
    Plain(String),
}

/// Reads the URL of an upstream: a scheme, a host, perhaps a port. A password goes over TLS or stays on this machine.
pub fn upstream_url(text: &str, has_password: bool) -> Result<Url, UpstreamUrlError> {
    let url = Url::parse(text).map_err(|_| UpstreamUrlError::Malformed)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UpstreamUrlError::Credentials);
    }
    let is_root = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let Some(host) = url.host_str().filter(|_| is_root) else {
        return Err(UpstreamUrlError::Malformed);
    };
    match url.scheme() {
        "http" if has_password && !is_here(host) => Err(UpstreamUrlError::Plain(host.to_owned())),
        "https" | "http" => Ok(url),
        _ => Err(UpstreamUrlError::Malformed),
    }
}

/// The registry that an upstream is, as it stands in names of images.
pub fn registry_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        None if DOCKER_HUB_HOSTS.contains(&host) => crate::reference::DOCKER_HUB.to_owned(),
        None => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

impl Upstream {
    pub fn new(root: Url, login: Option<UpstreamLogin>) -> Self {
        Self {
            root,
            login,
            client: OnceLock::new(),
            proofs: Mutex::default(),
        }
    }

    /// The host, and the port where it is not the usual one.
    pub fn host(&self) -> String {
        registry_of(&self.root)
    }

    /// What a tag means there; `None` where it does not say. This costs no more than a question.
    pub async fn digest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<ContentDigest>, UpstreamError> {
        let path = ["manifests", reference];
        match self.ask(Method::HEAD, repository, &path, &[]).await {
            Ok(response) => Ok(content_digest(&response)),
            // Some know no HEAD; that they have to be asked in full is all that this says.
            Err(UpstreamError::Failed { status: 405, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A manifest under a tag or a digest; what it says has yet to be compared with that.
    pub async fn manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<UpstreamManifest, UpstreamError> {
        let path = ["manifests", reference];
        let response = self.ask(Method::GET, repository, &path, &[]).await?;
        let digest = content_digest(&response);
        let media_type = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .map(str::to_owned);
        let content = read_limited(response, LARGEST_DOCUMENT, &self.host()).await?;
        Ok(UpstreamManifest {
            content,
            media_type,
            digest,
        })
    }

    /// How long a blob is, in bytes, where it says.
    pub async fn blob_size(
        &self,
        repository: &str,
        digest: &ContentDigest,
    ) -> Result<Option<u64>, UpstreamError> {
        let path = ["blobs", &digest.to_string()];
        let response = self.ask(Method::HEAD, repository, &path, &[]).await?;
        let length = response.headers().get(reqwest::header::CONTENT_LENGTH);
        Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()))
    }

    /// A blob, as it comes.
    pub async fn blob(
        &self,
        repository: &str,
        digest: &ContentDigest,
    ) -> Result<BlobBody, UpstreamError> {
        let path = ["blobs", &digest.to_string()];
        let response = self.ask(Method::GET, repository, &path, &[]).await?;
        Ok(BlobBody::new(response, self.host()))
    }

    /// Tags of a repository after one; as many as it gives at once.
    pub async fn tags(
        &self,
        repository: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, UpstreamError> {
        #[derive(Deserialize)]
        struct Listed {
            tags: Option<Vec<String>>,
        }
        let limit = limit.to_string();
        let mut query = vec![("n", limit.as_str())];
        if !after.is_empty() {
            query.push(("last", after));
        }
        let path = ["tags", "list"];
        let response = self.ask(Method::GET, repository, &path, &query).await?;
        let content = read_limited(response, LARGEST_DOCUMENT, &self.host()).await?;
        let listed: Listed = serde_json::from_slice(&content)
            .map_err(|error| self.failed(format!("its list of tags is none: {error}")))?;
        Ok(listed.tags.unwrap_or_default())
    }

    /// The index of what is said about a manifest there.
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &ContentDigest,
    ) -> Result<Bytes, UpstreamError> {
        let path = ["referrers", &subject.to_string()];
        let response = self.ask(Method::GET, repository, &path, &[]).await?;
        read_limited(response, LARGEST_DOCUMENT, &self.host()).await
    }

    /// Asks, and once more with what the registry wants to be shown. What is not a success is an error.
    async fn ask(
        &self,
        method: Method,
        repository: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Response, UpstreamError> {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v2");
            segments.extend(repository.split('/')).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let known = self.known_proof(repository);
        let response = self.send(&method, &url, known).await?;
        // A login is for the upstream alone, whoever it sends us to.
        let is_own = response.url().origin() == self.root.origin();
        if response.status() != StatusCode::UNAUTHORIZED || !is_own {
            return refused(response, &self.host());
        }
        let said = response.headers().get(WWW_AUTHENTICATE).cloned();
        drop(response);
        let proof = self.prove(repository, said.as_ref()).await?;
        let response = self.send(&method, &url, Some(proof.header.clone())).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            self.remember(repository, proof);
        }
        refused(response, &self.host())
    }

    async fn send(
        &self,
        method: &Method,
        url: &Url,
        proof: Option<HeaderValue>,
    ) -> Result<Response, UpstreamError> {
        let mut request = self.client()?.request(method.clone(), url.clone());
        for kind in [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST] {
            request = request.header(ACCEPT, kind);
        }
        if let Some(proof) = proof {
            request = request.header(AUTHORIZATION, proof);
        }
        request.send().await.map_err(|error| self.explain(&error))
    }

    /// What a registry that wants to know who we are is shown.
    async fn prove(
        &self,
        repository: &str,
        said: Option<&HeaderValue>,
    ) -> Result<Proof, UpstreamError> {
        let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
        let Some(challenge) = tokens::challenge(said) else {
            let Some(login) = &self.login else {
                return Err(self.denied("it wants credentials, and there are none for it"));
            };
            let request = self.client()?.get(self.root.clone());
            let request = request.basic_auth(&login.user, Some(&login.password));
            let request = request.build().map_err(|error| self.explain(&error))?;
            let header = request.headers().get(AUTHORIZATION).cloned();
            let header = header.ok_or_else(|| self.denied("it cannot be shown the credentials"))?;
            let until = Instant::now() + Duration::from_hours(1);
            return Ok(Proof { header, until });
        };
        let place = challenge.realm.host_str().unwrap_or_default().to_owned();
        let is_safe = challenge.realm.scheme() == "https" || is_here(&place);
        if self.login.is_some() && !is_safe {
            return Err(self.denied(&format!(
                "it gives tokens at {place} without TLS, where anybody could read the password"
            )));
        }
        let mut realm = challenge.realm;
        let scope = format!("repository:{repository}:pull");
        realm.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = &challenge.service {
            realm.query_pairs_mut().append_pair("service", service);
        }
        let mut request = self.client()?.get(realm);
        if let Some(login) = &self.login {
            request = request.basic_auth(&login.user, Some(&login.password));
        }
        let answered = request.send().await.map_err(|error| self.explain(&error))?;
        let answered = refused(answered, &self.host())?;
        let content = read_limited(answered, tokens::LONGEST_ANSWER, &self.host()).await?;
        let answer: Option<tokens::Answer> = serde_json::from_slice(&content).ok();
        let life = answer.as_ref().and_then(|answer| answer.expires_in);
        let header = answer
            .and_then(tokens::Answer::token)
            .and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        let mut header = header.ok_or_else(|| self.denied("it answered with no token"))?;
        header.set_sensitive(true);
        // Taken anew before it ends, and not kept for longer than a day whatever is said of it.
        let life = Duration::from_secs(life.unwrap_or(TOKEN_LIFE).min(24 * 3600));
        let until = Instant::now() + life.mul_f32(0.8);
        Ok(Proof { header, until })
    }

    fn known_proof(&self, repository: &str) -> Option<HeaderValue> {
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        let proof = proofs.get(repository)?;
        (proof.until > Instant::now()).then(|| proof.header.clone())
    }

    fn remember(&self, repository: &str, proof: Proof) {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= MOST_TOKENS {
            proofs.clear();
        }
        proofs.insert(repository.to_owned(), proof);
    }

    /// Made when it is first needed: reading what the system trusts takes its time.
    fn client(&self) -> Result<&Client, UpstreamError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let is_within = self.root.host_str().is_some_and(is_here);
        let follow = Policy::custom(move |attempt| {
            let was_safe = attempt
                .previous()
                .last()
                .is_some_and(|before| before.scheme() == "https");
            if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("it redirects without end")
            } else if was_safe && attempt.url().scheme() != "https" {
                attempt.error("it redirects to where there is no TLS")
            } else if !is_within && attempt.url().host_str().is_some_and(leads_inside) {
                attempt.error("it redirects into this machine, or to where no server is")
            } else {
                attempt.follow()
            }
        });
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")))
            .redirect(follow);
        if is_within {
            builder = builder.no_proxy();
        } else {
            let own = self.root.host_str().unwrap_or_default().to_owned();
            builder = builder.dns_resolver(Arc::new(Outward { own }));
        }
        let client = builder.build().map_err(|error| self.explain(&error))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn explain(&self, error: &reqwest::Error) -> UpstreamError {
        let host = self.host();
        if error.is_connect() || error.is_timeout() {
            let reason = chain(error);
            return UpstreamError::Unreachable {
                host,
                reason,
                took_long: error.is_timeout(),
            };
        }
        self.failed(chain(error))
    }

    fn failed(&self, reason: String) -> UpstreamError {
        UpstreamError::Failed {
            host: self.host(),
            status: 0,
            reason,
        }
    }

    fn denied(&self, reason: &str) -> UpstreamError {
        UpstreamError::Denied {
            host: self.host(),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_host_and_its_password_is_not_for_everybody() {
        let registry = |text: &str| upstream_url(text, false).map(|url| registry_of(&url));
        assert_eq!(registry("https://ghcr.io").unwrap(), "ghcr.io");
        assert_eq!(
            registry("https://registry-1.docker.io/").unwrap(),
            "docker.io"
        );
        assert_eq!(registry("http://10.0.0.1:5000").unwrap(), "10.0.0.1:5000");
        for wrong in [
            "ghcr.io",
            "ftp://ghcr.io",
            "https://ghcr.io/v2",
            "https://ghcr.io/?x",
            "https://",
            "file:///etc",
        ] {
            assert_eq!(registry(wrong), Err(UpstreamUrlError::Malformed), "{wrong}");
        }
        assert_eq!(
            registry("https://user:password@ghcr.io"),
            Err(UpstreamUrlError::Credentials)
        );
        assert!(matches!(
            upstream_url("http://10.0.0.1:5000", true),
            Err(UpstreamUrlError::Plain(_))
        ));
        assert!(upstream_url("http://127.0.0.1:5000", true).is_ok());
    }

    #[test]
    fn what_is_kept_of_a_login_does_not_show_itself() {
        let login = UpstreamLogin {
            user: "reader".to_owned(),
            password: "hidden".to_owned(),
        };
        let url = upstream_url("https://ghcr.io", true).unwrap();
        let upstream = Upstream::new(url, Some(login));
        assert!(!format!("{upstream:?}").contains("hidden"));
    }
}
