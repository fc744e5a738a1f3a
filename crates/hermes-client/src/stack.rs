//! A stack: where it is, and asking it something.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::error::Error;
use crate::presence::Presence;
use crate::registration::Registration;

/// A stack that takes longer to answer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// A stack whose directory one wants to be in.
#[derive(Clone)]
pub struct Stack(Place);

#[derive(Clone)]
enum Place {
    Address {
        authority: String,
        token: String,
    },
    /// The data folder of a stack on this machine: it may be somewhere else after it was started again.
    Folder(PathBuf),
}

impl Stack {
    /// The stack that `ERGON_URL` and `ERGON_TOKEN` name, else the one of this user on this machine.
    pub fn find() -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(url) = variable("ERGON_URL") {
            return Self::at(&url, &variable("ERGON_TOKEN").unwrap_or_default());
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

    /// The stack at `http://HOST:PORT`, with what `ergon token` prints there.
    pub fn at(url: &str, token: &str) -> Result<Self, Error> {
        let authority = url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        let is_plain = |authority: &&str| {
            !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' '])
        };
        match authority.filter(is_plain) {
            Some(authority) => Ok(Self(Place::Address {
                authority: authority.to_owned(),
                token: token.to_owned(),
            })),
            None => Err(Error::Address(url.to_owned())),
        }
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
    fn place(&self) -> Result<(String, String), Error> {
        match &self.0 {
            Place::Address { authority, token } => Ok((authority.clone(), token.clone())),
            Place::Folder(folder) => {
                let read = |name: &str| std::fs::read_to_string(folder.join(name));
                let no_stack = || Error::NoStack(folder.display().to_string());
                let url = read("endpoint").map_err(|_| no_stack())?;
                let token = read("token").map_err(|_| no_stack())?;
                let authority = url.trim().strip_prefix("http://").ok_or_else(no_stack)?;
                Ok((authority.to_owned(), token.trim().to_owned()))
            }
        }
    }

    /// Asks something, and reads the answer; a connection of its own for each, as questions are seconds apart.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let (authority, token) = self.place()?;
        let away = |reason: String| Error::Away {
            address: authority.clone(),
            reason,
        };
        let body = body.map(Value::to_string);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &authority)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|error| away(error.to_string()))?;
        let asked = async {
            let stream = TcpStream::connect(&authority).await;
            let stream = stream.map_err(|error| error.to_string())?;
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

/// The token is nobody's to see.
impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Address { authority, .. } => f.debug_tuple("Stack").field(authority).finish(),
            Place::Folder(folder) => f.debug_tuple("Stack").field(folder).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_never_shows_its_token() {
        let stack = Stack::at("http://127.0.0.1:7411/", "secret").unwrap();
        assert_eq!(format!("{stack:?}"), "Stack(\"127.0.0.1:7411\")");
        for url in [
            "",
            "127.0.0.1:7411",
            "https://a",
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
