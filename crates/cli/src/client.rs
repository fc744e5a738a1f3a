//! The HTTP client: one method per verb, problems as failures with their remedy.

use std::time::Duration;

use ergon_server::api::Problem;
use futures_util::{Stream, StreamExt as _, stream};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::address::{Address, Origin};
use crate::failure::{Failure, Outcome};
use crate::folders;
use crate::sse::{EventReader, StreamEvent};

/// Cloning a repository and stopping a container take their time; this is for a stack that hangs.
const PATIENCE: Duration = Duration::from_mins(10);
const CONNECT: Duration = Duration::from_secs(5);

/// A client of one stack.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: Address,
}

impl Client {
    /// A client of the stack that [`Address::find`] finds. Connects when first used.
    pub fn find(
        data: Option<&std::path::Path>,
        authority: Option<&std::path::Path>,
    ) -> Outcome<Self> {
        Self::new(Address::find(data, authority)?)
    }

    pub fn new(address: Address) -> Outcome<Self> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")));
        if address.url.scheme() == "http" {
            // Reading the machine's certificates costs more than the whole request.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = &address.authority {
            let trusted =
                reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
                    Failure::from_error(&error).with_remedy(
                    "name the file that `ergon ca certificate` printed there, with --ca or ERGON_CA"
                        .to_owned(),
                )
                })?;
            builder = builder.tls_certs_only(trusted);
        }
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Failure::from_error(&error))?;
        Ok(Self { http, address })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Outcome<T> {
        self.read(self.request(Method::GET, path)).await
    }

    /// Like [`Client::get`], with a query.
    pub async fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Outcome<T> {
        let url = self.url_with(path, query);
        self.read(self.request_url(Method::GET, url)).await
    }

    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Outcome<T> {
        self.read(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Outcome<T> {
        self.read(self.request(Method::PATCH, path).json(body))
            .await
    }

    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Outcome<T> {
        self.read(self.request(Method::PUT, path).json(body)).await
    }

    /// A POST whose answer, if any, does not matter.
    pub async fn post_nothing(&self, path: &[&str], body: &impl Serialize) -> Outcome {
        let request = self.request(Method::POST, path).json(body);
        self.execute(request.timeout(PATIENCE)).await.map(drop)
    }

    /// A PUT whose answer has nothing in it.
    pub async fn put_unanswered(&self, path: &[&str], body: &impl Serialize) -> Outcome {
        let request = self.request(Method::PUT, path).json(body);
        self.execute(request.timeout(PATIENCE)).await.map(drop)
    }

    /// A PUT that says all in its path.
    pub async fn put_empty<T: DeserializeOwned>(&self, path: &[&str]) -> Outcome<T> {
        self.read(self.request(Method::PUT, path)).await
    }

    /// A DELETE that says in its answer what went.
    pub async fn delete_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Outcome<T> {
        let url = self.url_with(path, query);
        self.read(self.request_url(Method::DELETE, url)).await
    }

    /// A POST that says all in its path.
    pub async fn post_empty<T: DeserializeOwned>(&self, path: &[&str]) -> Outcome<T> {
        self.read(self.request(Method::POST, path)).await
    }

    /// Sends a request whose answer, if any, does not matter.
    pub async fn send(&self, method: Method, path: &[&str]) -> Outcome {
        self.execute(self.request(method, path).timeout(PATIENCE))
            .await
            .map(drop)
    }

    /// The body of an answer as it comes, however long that takes.
    pub async fn download(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Outcome<impl Stream<Item = Outcome<bytes::Bytes>> + Unpin + use<>> {
        let url = self.url_with(path, query);
        let response = self.execute(self.request_url(Method::GET, url)).await?;
        let pieces = response.bytes_stream();
        Ok(pieces.map(|piece| piece.map_err(|error| interrupted(&error))))
    }

    /// Sends a body as it is read, however long that takes.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        kind: &'static str,
        body: reqwest::Body,
    ) -> Outcome<T> {
        let url = self.url_with(path, query);
        let request = self.request_url(Method::POST, url);
        let request = request.header(CONTENT_TYPE, kind).body(body);
        let response = self.execute(request).await?;
        let body = response.bytes().await;
        let body = body.map_err(|error| interrupted(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            Failure::new(format!(
                "the stack's answer could not be understood: {error}"
            ))
        })
    }

    /// The events of a stream, until the server ends it.
    pub async fn stream(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        last_event: Option<&str>,
    ) -> Outcome<impl Stream<Item = Outcome<StreamEvent>> + Unpin + use<>> {
        let url = self.url_with(path, query);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_event.and_then(|id| HeaderValue::from_str(id).ok()) {
            headers.insert(HeaderName::from_static("last-event-id"), id);
        }
        self.events(self.request_url(Method::GET, url).headers(headers))
            .await
    }

    /// The events that come of a POST, until the server ends them.
    pub async fn post_stream<B: Serialize>(
        &self,
        path: &[&str],
        body: &B,
    ) -> Outcome<impl Stream<Item = Outcome<StreamEvent>> + Unpin + use<B>> {
        let accepted = HeaderValue::from_static("text/event-stream");
        let request = self.request(Method::POST, path).json(body);
        self.events(request.header(ACCEPT, accepted)).await
    }

    async fn events(
        &self,
        request: RequestBuilder,
    ) -> Outcome<impl Stream<Item = Outcome<StreamEvent>> + Unpin + use<>> {
        let response = self.execute(request).await?;
        let mut reader = EventReader::default();
        let events = response.bytes_stream().flat_map(move |bytes| {
            stream::iter(match bytes {
                Ok(bytes) => reader.push(&bytes).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(interrupted(&error))],
            })
        });
        Ok(events)
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Outcome<T> {
        let response = self.execute(request.timeout(PATIENCE)).await?;
        let body = response
            .bytes()
            .await
            .map_err(|error| interrupted(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            Failure::new(format!("the stack's answer could not be understood: {error}"))
                .with_remedy("the stack may be of another version; compare `ergon --version` with `ergon status --json`".to_owned())
        })
    }

    async fn execute(&self, request: RequestBuilder) -> Outcome<Response> {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Err(not_trusted(&error, &self.address.url)
                    .unwrap_or_else(|| self.address.nobody_listens()));
            }
            Err(error) => return Err(interrupted(&error)),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
        let body = response
            .bytes()
            .await
            .map_err(|error| interrupted(&error))?;
        let problem = is_problem
            .then(|| serde_json::from_slice::<Problem>(&body).ok())
            .flatten();
        Err(self.refused(status, problem))
    }

    fn refused(&self, status: StatusCode, problem: Option<Problem>) -> Failure {
        if status == StatusCode::UNAUTHORIZED {
            return self.unauthorized();
        }
        match problem {
            Some(problem) => Failure::new(problem.detail).with_remedy(problem.remedy),
            None => Failure::new(format!(
                "{} answered {status}, which no stack does",
                self.address.url
            ))
            .with_remedy("check that the address is a stack's and not another server's".to_owned()),
        }
    }

    fn unauthorized(&self) -> Failure {
        let url = &self.address.url;
        match (&self.address.origin, &self.address.token) {
            (Origin::Environment, None) => {
                Failure::new(format!("the stack at {url} wants a token"))
                    .with_remedy("set ERGON_TOKEN to what `ergon token` prints there".to_owned())
            }
            (Origin::Environment, Some(_)) => {
                Failure::new(format!("the stack at {url} does not know this token"))
                    .with_remedy("set ERGON_TOKEN to what `ergon token` prints there".to_owned())
            }
            (Origin::Data(data), _) => Failure::new(format!(
                "the stack at {url} does not know the token in {}",
                folders::display(data)
            ))
            .with_remedy(
                "another stack may use that port; start yours again with `ergon up`".to_owned(),
            ),
        }
    }

    /// A request that somebody else reads the answer of.
    pub fn raw(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request(method, path)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request_url(method, self.url(path))
    }

    fn request_url(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.address.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Names become path segments, so that none can change the path.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.address.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn url_with(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        // Without pairs there would be a `?` with nothing after it.
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// What to say where somebody answers whom nobody vouches for.
fn not_trusted(error: &reqwest::Error, url: &Url) -> Option<Failure> {
    let mut reason: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = reason {
        // Input and output hide what is inside them from `source`.
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let found = inside
            .and_then(|inside| inside.downcast_ref::<rustls::Error>())
            .or_else(|| error.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(why)) = found {
            let failure = Failure::new(format!(
                "the certificate shown at {url} is not trusted: {why}"
            ));
            return Some(failure.with_remedy(
                "have the stack's authority in a file (`ergon ca certificate` prints it there), and name it with --ca or ERGON_CA"
                    .to_owned(),
            ));
        }
        reason = inside
            .map(|inside| inside as &(dyn std::error::Error + 'static))
            .or_else(|| error.source());
    }
    None
}

fn interrupted(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::new("the stack did not answer in time")
            .with_remedy("look at what `ergon up` prints; it may be busy or stuck".to_owned());
    }
    Failure::new("the connection to the stack broke off")
        .with_remedy("it may have been stopped; `ergon status` says".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = Url::parse(url).unwrap();
        Client::new(Address {
            url,
            token: None,
            authority: None,
            origin: Origin::Environment,
        })
        .unwrap()
    }

    #[test]
    fn a_name_cannot_leave_its_path_segment() {
        let client = client("http://127.0.0.1:1/ergon/");
        let url = client.url(&["api", "v1", "containers", "../../x?y#z"]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/ergon/api/v1/containers/..%2F..%2Fx%3Fy%23z"
        );
    }

    #[test]
    fn a_name_of_two_dots_does_not_climb() {
        let url = client("http://127.0.0.1:1").url(&["api", "v1", "jobs", "..", "log"]);
        assert!(!url.as_str().contains("/v1/log"), "{url}");
    }

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address() {
        let failure = client("http://127.0.0.1:1")
            .get::<serde_json::Value>(&["healthz"])
            .await
            .unwrap_err();
        let Failure::Said { message, .. } = failure else {
            panic!()
        };
        assert_eq!(
            message,
            "no stack answers at http://127.0.0.1:1/ (ERGON_URL)"
        );
    }

    async fn refusal(answer: String) -> (String, Option<String>) {
        let client = crate::canned::client(vec![answer]).await;
        let failure = client.get::<serde_json::Value>(&["api"]).await.unwrap_err();
        let Failure::Said {
            message, remedy, ..
        } = failure
        else {
            panic!()
        };
        (
            message.replace(client.address().url.as_str(), "URL"),
            remedy,
        )
    }

    #[tokio::test]
    async fn a_problem_is_said_with_its_remedy() {
        let problem = r#"{"type":"about:blank","title":"t","status":404,"detail":"no job x","remedy":"look again"}"#;
        let answer = crate::canned::answer("404 Not Found", "application/problem+json", problem);
        assert_eq!(
            refusal(answer).await,
            ("no job x".to_owned(), Some("look again".to_owned()))
        );
    }

    #[tokio::test]
    async fn a_refused_token_is_said_with_where_to_get_one() {
        let (message, remedy) =
            refusal(crate::canned::answer("401 Unauthorized", "text/plain", "")).await;
        assert_eq!(message, "the stack at URL does not know this token");
        assert!(remedy.unwrap().contains("ergon token"));
    }

    #[tokio::test]
    async fn what_is_no_stack_is_said_to_be_none() {
        let (message, _) = refusal(crate::canned::answer(
            "502 Bad Gateway",
            "text/html",
            "<h1>",
        ))
        .await;
        assert_eq!(message, "URL answered 502 Bad Gateway, which no stack does");
        let (message, _) = refusal(crate::canned::answer("200 OK", "text/html", "<h1>")).await;
        assert!(message.contains("could not be understood"), "{message}");
    }
}
