//! A stack: where it is, and asking it something.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::presence::Presence;
use crate::registration::Registration;
use crate::tls;

/// A stack that takes longer to answer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// A stack whose directory one wants to be in.
#[derive(Clone)]
pub struct Stack(Place);

#[derive(Clone)]
enum Place {
    Address(Spot),
    /// The data folder of a stack on this machine: it may be somewhere else after it was started again.
    Folder(PathBuf),
}

/// Where a stack is, and what opens it.
#[derive(Clone)]
struct Spot {
    authority: String,
    token: String,
    is_secure: bool,
    /// The certificate of the authority that vouches for it: PEM.
    trusted: Option<String>,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) enum As<'a> {
    /// Whoever has the token.
    Owner,
    /// The companion itself.
    Companion(&'a Certificate),
}

impl Stack {
    /// The stack that `ERGON_URL` and `ERGON_TOKEN` name, else the one of this user on this machine.
    pub fn find() -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(url) = variable("ERGON_URL") {
            let stack = Self::at(&url, &variable("ERGON_TOKEN").unwrap_or_default())?;
            return match variable("ERGON_CA") {
                Some(file) => {
                    let pem = std::fs::read_to_string(&file);
                    stack.trusting(
                        &pem.map_err(|error| Error::Authority(format!("{file}: {error}")))?,
                    )
                }
                None => Ok(stack),
            };
        }
        let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let data = || variable("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
        let folder = variable("ERGON_DATA")
            .map(PathBuf::from)
            .or_else(|| Some(data()?.join("ergon")))
            .unwrap_or_default();
        let stack = Self::of_folder(&folder);
        stack.place().map(|_| stack)
    }

    /// The stack at `http://HOST:PORT` or `https://HOST:PORT`, with what `ergon token` prints there. For the latter,
    /// [`Stack::trusting`] says who vouches for it.
    pub fn at(url: &str, token: &str) -> Result<Self, Error> {
        let is_secure = url.starts_with("https://");
        let authority = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))
            .map(|rest| rest.trim_end_matches('/'));
        let is_plain = |authority: &&str| {
            !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' '])
        };
        match authority.filter(is_plain) {
            Some(authority) => Ok(Self(Place::Address(Spot {
                authority: authority.to_owned(),
                token: token.to_owned(),
                is_secure,
                trusted: None,
            }))),
            None => Err(Error::Address(url.to_owned())),
        }
    }

    /// The same, vouched for by the authority with this certificate (PEM), as `ergon ca certificate` prints it there.
    pub fn trusting(mut self, pem: &str) -> Result<Self, Error> {
        tls::roots(pem)?;
        if let Place::Address(spot) = &mut self.0 {
            spot.trusted = Some(pem.to_owned());
        }
        Ok(self)
    }

    /// The stack that was started with this data folder.
    pub fn of_folder(folder: &Path) -> Self {
        Self(Place::Folder(folder.to_owned()))
    }

    /// Registers somebody, and keeps them in the directory for as long as the answer lives.
    pub async fn register(self, registration: Registration) -> Result<Presence, Error> {
        Presence::begin(self, registration).await
    }

    /// Where it is right now, and what opens it.
    fn place(&self) -> Result<Spot, Error> {
        match &self.0 {
            Place::Address(spot) => Ok(spot.clone()),
            Place::Folder(folder) => {
                let read = |name: &str| std::fs::read_to_string(folder.join(name));
                let no_stack = || Error::NoStack(folder.display().to_string());
                let url = read("endpoint").map_err(|_| no_stack())?;
                let token = read("token").map_err(|_| no_stack())?;
                let (scheme, authority) = url.trim().split_once("://").ok_or_else(no_stack)?;
                Ok(Spot {
                    authority: authority.to_owned(),
                    token: token.trim().to_owned(),
                    is_secure: scheme == "https",
                    trusted: read("endpoint.ca").ok(),
                })
            }
        }
    }

    /// Whether what is said to it is for nobody else on the way; then it gives certificates, too.
    pub(crate) fn is_secure(&self) -> bool {
        self.place().is_ok_and(|spot| spot.is_secure)
    }

    /// Asks something, and reads the answer; a connection of its own for each, as questions are seconds apart.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        who: As<'_>,
    ) -> Result<Value, Error> {
        let Spot {
            authority,
            token,
            is_secure,
            trusted,
        } = self.place()?;
        let away = |reason: String| Error::Away {
            address: authority.clone(),
            reason,
        };
        let body = body.map(Value::to_string);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &authority);
        let shown = match who {
            As::Companion(certificate) => Some(certificate),
            As::Owner => {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
                None
            }
        };
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| away(error.to_string()))?;
        let roots = match trusted {
            Some(pem) if is_secure => Some(tls::roots(&pem)?),
            None if is_secure => return Err(Error::NoAuthority(authority)),
            _ => None,
        };
        let asked = async {
            let stream = TcpStream::connect(&authority).await;
            let stream = stream.map_err(|error| error.to_string())?;
            match roots {
                Some(roots) => {
                    let stream = tls::shake(stream, &authority, roots, shown).await?;
                    exchange(stream, request).await
                }
                None => exchange(stream, request).await,
            }
        };
        let answered = tokio::time::timeout(PATIENCE, asked).await;
        let answered = answered.map_err(|_| away("it does not answer".to_owned()))?;
        let (status, body) = answered.map_err(away)?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let detail = answer.get("detail").and_then(Value::as_str);
        let detail = detail.map_or_else(|| format!("the stack answers {status}"), str::to_owned);
        Err(Error::Refused { status, detail })
    }
}

/// Sends a request, and reads the answer.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| error.to_string())?;
    let asking = async {
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok::<_, String>((status, body))
    };
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => answer,
        ended = connection => match ended {
            // What was read last may have come with the end.
            Ok(()) => asking.await,
            Err(error) => Err(error.to_string()),
        },
    }
}

/// The token is nobody's to see.
impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Address(spot) => f.debug_tuple("Stack").field(&spot.authority).finish(),
            Place::Folder(folder) => f.debug_tuple("Stack").field(folder).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_never_shows_its_token() {
        for url in ["http://127.0.0.1:7411/", "https://127.0.0.1:7411"] {
            let stack = Stack::at(url, "secret").unwrap();
            assert_eq!(format!("{stack:?}"), "Stack(\"127.0.0.1:7411\")");
        }
        for url in [
            "",
            "127.0.0.1:7411",
            "ftp://a",
            "https://",
            "http://",
            "http://a/b",
            "http://u@a",
        ] {
            assert!(
                matches!(Stack::at(url, ""), Err(Error::Address(_))),
                "{url}"
            );
        }
    }
}
