//! Secrets kept elsewhere: a vault that speaks HashiCorp's KV v2 API.
//!
//! Only the one server that was named is asked, directly, and it cannot send anybody on. What comes back is not taken
//! for what was kept until it says itself what it is for: a vault that answers with another version, or another
//! secret, is found out.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::key::Purpose;
use super::value::SecretValue;

const CONNECT: Duration = Duration::from_secs(5);
/// A vault that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// More bytes are no answer.
const LONGEST_ANSWER: usize = 1 << 20;
const LONGEST_TOKEN: u64 = 8 << 10;

/// Which vault keeps secrets.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// `https://vault.example.com:8200`; `http://` on this machine only.
    pub address: Url,
    /// Read anew with each request: whoever renews the token writes it there.
    pub token_file: PathBuf,
    /// Where the KV engine, version 2, is mounted.
    pub mount: String,
}

/// Why a vault is none, or does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("`{url}` cannot be a vault's address: {reason}")]
    Address { url: String, reason: &'static str },
    #[error("`{0}` cannot be where a vault's engine is mounted")]
    Mount(String),
    #[error("the vault's token cannot be read from {}: {reason}", path.display())]
    Token { path: PathBuf, reason: String },
    #[error("the vault cannot be reached: {0}")]
    Away(String),
    #[error("the vault took longer than {0:?}")]
    TooSlow(Duration),
    #[error("the vault is sealed, or not ready")]
    Sealed,
    #[error("the vault sends requests on to somewhere else, and nobody is followed there")]
    Redirected,
    #[error("the vault refuses the token, or what it was asked for with it")]
    Refused,
    #[error("the vault does not have version {version} of `{secret}`")]
    Gone { secret: String, version: i64 },
    #[error("the vault answered with status {0}")]
    Status(u16),
    #[error("the vault answered with something else than was asked for: {0}")]
    Answer(&'static str),
}

impl VaultError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address { .. } => "name https://HOST:PORT with --vault-address",
            Self::Mount(_) => "name the path of a KV engine, version 2, with --vault-mount",
            Self::Token { .. } => "write the token into the file of --vault-token-file",
            Self::Away(_) | Self::TooSlow(_) => {
                "see whether it runs, and whether --vault-address is right"
            }
            Self::Sealed => "unseal it: vault operator unseal",
            Self::Redirected => {
                "name the address of the vault itself, or of its active node, with --vault-address"
            }
            Self::Refused => {
                "give the stack a token with a policy for MOUNT/data/ergon/*, MOUNT/destroy/ergon/* and MOUNT/metadata/ergon/*"
            }
            Self::Gone { .. } => "set it anew: ergon secret set NAME",
            Self::Status(404) => "see whether --vault-mount is where a KV engine, version 2, is",
            Self::Status(_) | Self::Answer(_) => return None,
        })
    }

    /// Whether another time might be luckier.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away(_) | Self::TooSlow(_) | Self::Sealed => true,
            Self::Status(status) => *status >= 500,
            _ => false,
        }
    }
}

/// One vault, and where in it this stack keeps its secrets.
pub struct Vault {
    http: reqwest::Client,
    config: VaultConfig,
    /// `ergon/<stack>`.
    folder: String,
}

#[derive(Deserialize)]
struct Written {
    version: i64,
}

#[derive(Deserialize)]
struct Kept {
    data: Option<Value>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: i64,
    #[serde(default)]
    destroyed: bool,
    #[serde(default)]
    deletion_time: String,
}

#[derive(Deserialize)]
struct Answered<T> {
    data: T,
}

impl VaultConfig {
    /// Whether it is an address that a token may be sent to, and a path that is one.
    pub fn check(&self) -> Result<(), VaultError> {
        let refused = |reason| VaultError::Address {
            url: shown(&self.address),
            reason,
        };
        let address = &self.address;
        if !address.username().is_empty() || address.password().is_some() {
            return Err(refused("a user or password does not belong there"));
        }
        if address.query().is_some() || address.fragment().is_some() {
            return Err(refused("nothing may follow its path"));
        }
        let host = address.host_str().unwrap_or_default();
        match address.scheme() {
            "https" if !host.is_empty() => {}
            "http" if is_this_machine(host) => {}
            "http" => return Err(refused("without TLS it must be on this machine")),
            _ => return Err(refused("it is no https:// URL")),
        }
        let is_part = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if self.mount.split('/').all(is_part) && self.mount.len() <= 200 {
            Ok(())
        } else {
            Err(VaultError::Mount(self.mount.chars().take(80).collect()))
        }
    }
}

impl Vault {
    pub fn new(config: VaultConfig, stack: &str) -> Result<Self, VaultError> {
        config.check()?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("ergon/", env!("CARGO_PKG_VERSION")))
            // Neither the token nor a secret follows anybody to somewhere else, or takes a way around.
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE);
        if config.address.scheme() == "http" {
            // Reading the machine's certificates costs more than the whole request.
            builder = builder.tls_certs_only([]);
        } else {
            builder = builder.https_only(true);
        }
        Ok(Self {
            http: builder.build().map_err(|error| away(&error))?,
            config,
            folder: format!("ergon/{stack}"),
        })
    }

    /// The vault in one line.
    pub fn describe(&self) -> String {
        format!("{} at {}", self.config.mount, shown(&self.config.address))
    }

    /// Whether it takes the token.
    pub async fn check(&self) -> Result<(), VaultError> {
        let url = self.url(&["auth", "token", "lookup-self"])?;
        let response = self.ask(Method::GET, url, None).await?;
        succeeded(response).await.map(drop)
    }

    /// Keeps a value as the newest version of its secret, and says its number there.
    pub async fn keep(&self, purpose: Purpose<'_>, value: &SecretValue) -> Result<i64, VaultError> {
        let encoded = Zeroizing::new(STANDARD.encode(value.reveal()));
        let body = json!({ "data": { "id": purpose.id, "value": encoded.as_str() } });
        let url = self.at("data", purpose.secret)?;
        let response = self.ask(Method::POST, url, Some(body)).await?;
        let body = succeeded(response).await?;
        let written: Answered<Written> = parsed(&body)?;
        if written.data.version < 1 {
            return Err(VaultError::Answer("a version is no number"));
        }
        Ok(written.data.version)
    }

    /// What was kept as this version.
    pub async fn open(
        &self,
        purpose: Purpose<'_>,
        version: i64,
    ) -> Result<SecretValue, VaultError> {
        let gone = || VaultError::Gone {
            secret: purpose.secret.to_owned(),
            version,
        };
        let mut url = self.at("data", purpose.secret)?;
        url.query_pairs_mut()
            .append_pair("version", &version.to_string());
        let response = self.ask(Method::GET, url, None).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(gone());
        }
        let body = succeeded(response).await?;
        let kept: Answered<Kept> = parsed(&body)?;
        let Kept { data, metadata } = kept.data;
        if metadata.destroyed || !metadata.deletion_time.is_empty() {
            return Err(gone());
        }
        if metadata.version != version {
            return Err(VaultError::Answer("it is another version"));
        }
        let data = data.unwrap_or_default();
        if data["id"].as_str() != Some(purpose.id) {
            return Err(VaultError::Answer("it is another secret"));
        }
        let value = data["value"]
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok());
        let value = Zeroizing::new(value.ok_or(VaultError::Answer("it has no value"))?);
        SecretValue::new(value).map_err(|_| VaultError::Answer("its value is none"))
    }

    /// Forgets what a version says.
    pub async fn destroy(&self, secret: &str, version: i64) -> Result<(), VaultError> {
        let url = self.at("destroy", secret)?;
        let body = json!({ "versions": [version] });
        let response = self.ask(Method::POST, url, Some(body)).await?;
        forgotten(response).await
    }

    /// Forgets a secret with all its versions.
    pub async fn forget(&self, secret: &str) -> Result<(), VaultError> {
        let url = self.at("metadata", secret)?;
        let response = self.ask(Method::DELETE, url, None).await?;
        forgotten(response).await
    }

    fn at(&self, what: &str, secret: &str) -> Result<Url, VaultError> {
        let mount: Vec<&str> = self.config.mount.split('/').collect();
        let folder: Vec<&str> = self.folder.split('/').collect();
        self.url(&[&mount[..], &[what], &folder[..], &[secret]].concat())
    }

    /// `<address>/v1/<parts>`, each part as it may stand in a path.
    fn url(&self, parts: &[&str]) -> Result<Url, VaultError> {
        let mut url = self.config.address.clone();
        {
            let mut path = url
                .path_segments_mut()
                .map_err(|()| VaultError::Answer("its address takes no path"))?;
            path.pop_if_empty().push("v1").extend(parts);
        }
        Ok(url)
    }

    async fn ask(
        &self,
        method: Method,
        url: Url,
        body: Option<Value>,
    ) -> Result<Response, VaultError> {
        let token = self.token().await?;
        let mut value = HeaderValue::from_str(&token).map_err(|_| VaultError::Token {
            path: self.config.token_file.clone(),
            reason: "it holds what cannot be a token".to_owned(),
        })?;
        value.set_sensitive(true);
        let mut request = self
            .http
            .request(method, url)
            .header("x-vault-token", value)
            .header("x-vault-request", "true");
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| away(&error))?;
        match response.status() {
            status if status.is_redirection() => Err(VaultError::Redirected),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Err(VaultError::Refused),
            StatusCode::SERVICE_UNAVAILABLE => Err(VaultError::Sealed),
            _ => Ok(response),
        }
    }

    async fn token(&self) -> Result<Zeroizing<String>, VaultError> {
        let path = self.config.token_file.clone();
        let failed = |reason: String| VaultError::Token {
            path: self.config.token_file.clone(),
            reason,
        };
        let read = tokio::task::spawn_blocking(move || read_token(&path));
        let text = read
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(error.to_string()))?;
        let token = Zeroizing::new(text.trim().to_owned());
        if token.is_empty() {
            return Err(failed("it is empty".to_owned()));
        }
        Ok(token)
    }
}

fn read_token(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path)?;
    file.take(LONGEST_TOKEN).read_to_string(&mut text)?;
    Ok(text)
}

/// What is gone already is forgotten.
async fn forgotten(response: Response) -> Result<(), VaultError> {
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(());
    }
    succeeded(response).await.map(drop)
}

/// The body of an answer that is a success, as far as an answer goes.
async fn succeeded(response: Response) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    if !response.status().is_success() {
        return Err(VaultError::Status(response.status().as_u16()));
    }
    let mut body = Zeroizing::new(Vec::new());
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| away(&error))?;
        if body.len() + piece.len() > LONGEST_ANSWER {
            return Err(VaultError::Answer("it is too long"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn parsed<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, VaultError> {
    // What serde says of it may repeat a part of it.
    serde_json::from_slice(body).map_err(|_| VaultError::Answer("it is not what KV v2 says"))
}

fn away(error: &reqwest::Error) -> VaultError {
    if error.is_timeout() {
        return VaultError::TooSlow(PATIENCE);
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    VaultError::Away(reason.to_string())
}

/// An address without what may be secret in it.
fn shown(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port().map(|port| format!(":{port}"));
    format!("{}://{host}{}", address.scheme(), port.unwrap_or_default())
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(address: &str, mount: &str) -> VaultConfig {
        VaultConfig {
            address: address.parse().unwrap(),
            token_file: PathBuf::from("/none"),
            mount: mount.to_owned(),
        }
    }

    #[test]
    fn a_token_goes_over_tls_or_nowhere() {
        for good in [
            "https://vault.example.com",
            "https://vault.example.com:8200/behind/",
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
            "http://localhost:8200",
        ] {
            assert_eq!(config(good, "secret").check(), Ok(()), "{good}");
        }
        for bad in [
            "http://vault.example.com",
            "http://127.0.0.1.example.com",
            "https://user:hunter22@vault.example.com",
            "https://vault.example.com?x=1",
            "ftp://vault.example.com",
            "unix:/run/vault.sock",
        ] {
            let refused = config(bad, "secret").check().unwrap_err();
            assert!(matches!(refused, VaultError::Address { .. }), "{bad}");
            assert!(!refused.to_string().contains("hunter22"), "{refused}");
        }
        for bad in ["", "a//b", "..", "a/../b", "a b", "a?b", "/a", "a%2f"] {
            let refused = config("https://v.example", bad).check();
            assert!(matches!(refused, Err(VaultError::Mount(_))), "{bad}");
        }
    }
}
