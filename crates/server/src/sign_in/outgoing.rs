//! Requests to an identity provider: over TLS, within bounds, and followed nowhere.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Url;
use reqwest::redirect::Policy;

const CONNECT: Duration = Duration::from_secs(5);
/// A provider that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// More bytes are no answer.
const LONGEST_ANSWER: usize = 1 << 20;

/// Why a request to an identity provider came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    #[error("it cannot be reached: {0}")]
    Away(String),
    #[error("it took longer than {PATIENCE:?}")]
    TooSlow,
    #[error("its answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("it would have to be asked without TLS")]
    Plain,
    #[error("it sends requests on to somewhere else, and nobody is followed there")]
    Redirected,
}

/// Asks one identity provider.
#[derive(Clone, Debug)]
pub struct Outgoing {
    http: reqwest::Client,
    /// Whether it is on this machine, and may be asked in the clear.
    is_here: bool,
}

impl Outgoing {
    /// For the provider of this issuer.
    pub fn new(issuer: &Url) -> Result<Self, OutgoingError> {
        Self::with_patience(issuer, PATIENCE)
    }

    fn with_patience(issuer: &Url, patience: Duration) -> Result<Self, OutgoingError> {
        let is_here = issuer.scheme() == "http" && is_this_machine(issuer);
        let builder = reqwest::Client::builder()
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(patience);
        let builder = if is_here {
            // Reading the machine's certificates costs more than the whole request.
            builder.no_proxy().tls_certs_only([])
        } else {
            builder.https_only(true)
        };
        let http = builder.build().map_err(|error| away(&error))?;
        Ok(Self { http, is_here })
    }

    /// Whether it may be sent anything at all. What a provider says of itself may name any address: only one that is on
    /// this machine itself may send requests to others there.
    pub fn may_ask(&self, url: &Url) -> bool {
        url.scheme() == "https" || (self.is_here && url.scheme() == "http" && is_this_machine(url))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, OutgoingError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| OutgoingError::Away(error.to_string()))?;
        if !self.may_ask(request.url()) {
            return Err(OutgoingError::Plain);
        }
        let response = self.http.execute(request).await;
        let response = response.map_err(|error| away(&error))?;
        if response.status().is_redirection() {
            return Err(OutgoingError::Redirected);
        }
        let mut answer = HttpResponse::default();
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| away(&error))?;
            if answer.body().len() + piece.len() > LONGEST_ANSWER {
                return Err(OutgoingError::TooLong);
            }
            answer.body_mut().extend_from_slice(&piece);
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Outgoing {
    type Error = OutgoingError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

fn away(error: &reqwest::Error) -> OutgoingError {
    if error.is_timeout() {
        return OutgoingError::TooSlow;
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    OutgoingError::Away(reason.to_string())
}

/// Whether an address is this machine's own, by its number or as `localhost`.
pub fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// What comes of asking whoever answers with this, and goes on for as long as they are listened to.
    async fn asked(beginning: String, then: &'static [u8]) -> Result<HttpResponse, OutgoingError> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer: Url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(beginning.as_bytes()).await;
            while !then.is_empty() && stream.write_all(then).await.is_ok() {}
            std::future::pending::<()>().await;
        });
        let outgoing = Outgoing::with_patience(&issuer, Duration::from_millis(500)).unwrap();
        let mut request = HttpRequest::default();
        *request.uri_mut() = issuer.as_str().parse().unwrap();
        let answer = outgoing.ask(request).await;
        answering.abort();
        answer
    }

    #[tokio::test]
    async fn whoever_says_nothing_or_never_ends_is_not_listened_to_for_ever() {
        let begin = |head: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let silent = asked(String::new(), b"").await;
        assert_eq!(silent.unwrap_err(), OutgoingError::TooSlow);
        let half = asked(begin("content-length: 20") + "{\"issuer\":", b"").await;
        assert_eq!(half.unwrap_err(), OutgoingError::TooSlow);
        let endless = asked(begin("connection: close"), &[b' '; 1 << 14]).await;
        assert_eq!(endless.unwrap_err(), OutgoingError::TooLong);
        let elsewhere =
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let elsewhere = asked(elsewhere.to_owned(), b"").await;
        assert_eq!(elsewhere.unwrap_err(), OutgoingError::Redirected);
        let whole = asked(begin("content-length: 2") + "{}", b"").await;
        assert_eq!(whole.unwrap().body(), b"{}");
    }

    fn may_ask(issuer: &str, url: &str) -> bool {
        drop(rustls::crypto::ring::default_provider().install_default());
        let outgoing = Outgoing::new(&issuer.parse().unwrap()).unwrap();
        outgoing.may_ask(&url.parse().unwrap())
    }

    #[test]
    fn only_a_provider_of_this_machine_is_asked_in_the_clear_and_only_here() {
        let (elsewhere, here) = ("https://login.example.com", "http://127.0.0.1:8080");
        for (issuer, url, may) in [
            (elsewhere, "https://token.example.net/token", true),
            (elsewhere, "http://login.example.com/token", false),
            // It could have the stack ask whatever listens here.
            (elsewhere, "http://127.0.0.1:2375/containers", false),
            (elsewhere, "http://localhost/", false),
            (here, "http://localhost:8080/token", true),
            (here, "http://[::1]:8080/token", true),
            (here, "https://login.example.com/token", true),
            (here, "http://login.example.com/token", false),
            (here, "http://127.0.0.1.example.com/token", false),
            (here, "ftp://127.0.0.1/token", false),
        ] {
            assert_eq!(may_ask(issuer, url), may, "{issuer} {url}");
        }
    }
}
