//! Which model, where, with whose key, and how much of it.

use std::fs;
use std::io::Read as _;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::sessions::Secret;

/// No key is longer, in bytes.
const LONGEST_KEY: u64 = 8 << 10;
/// Names that end so are names in a network of one's own.
const OWN_NETWORKS: [&str; 7] = [
    ".localhost",
    ".local",
    ".internal",
    ".lan",
    ".home.arpa",
    ".intranet",
    ".docker",
];

/// How a model is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModelFormat {
    /// Chat completions, as OpenAI, llama.cpp, vLLM, Ollama and others have them.
    #[default]
    Openai,
    /// Messages, as Anthropic has them.
    Anthropic,
}

impl FromStr for ModelFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "openai" => Ok(Self::Openai),
            "anthropic" => Ok(Self::Anthropic),
            _ => Err("it is `openai` or `anthropic`".to_owned()),
        }
    }
}

impl ModelFormat {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// What comes after the version.
    const fn path(self) -> &'static str {
        match self {
            Self::Openai => "chat/completions",
            Self::Anthropic => "messages",
        }
    }
}

/// What a million tokens cost, in any money.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelPrice {
    pub input: f64,
    pub output: f64,
}

impl FromStr for ModelPrice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || "it is two prices of a million tokens, read and written: 0.25,1.25".to_owned();
        let (input, output) = text.split_once(',').ok_or_else(wrong)?;
        let price = |text: &str| {
            let price: Option<f64> = text.trim().parse().ok();
            price
                .filter(|price| price.is_finite() && *price >= 0.0)
                .ok_or_else(wrong)
        };
        Ok(Self {
            input: price(input)?,
            output: price(output)?,
        })
    }
}

/// How much of a model is used, and how long it is waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelLimits {
    pub requests_a_day: u32,
    /// Read and written together.
    pub tokens_a_day: u64,
    pub price: Option<ModelPrice>,
    /// In the money of the price.
    pub money_a_day: Option<f64>,
    /// An answer waits so long for its explanation; what comes later is there the next time.
    pub wait: Duration,
    /// A request that takes longer is given up.
    pub deadline: Duration,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self {
            requests_a_day: 500,
            tokens_a_day: 500_000,
            price: None,
            money_a_day: None,
            wait: Duration::ZERO,
            deadline: Duration::from_mins(1),
        }
    }
}

/// A model that explains.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    pub(super) url: Url,
    pub(super) format: ModelFormat,
    pub(super) name: String,
    pub(super) key: Option<Secret>,
    pub(super) limits: ModelLimits,
}

/// Why a model cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum ModelConfigError {
    #[error("`{0}` is not the URL of a model: it begins with https:// or http:// and names a host")]
    Url(String),
    #[error(
        "the model's URL has a user or a password in it, and would be seen in lists of processes"
    )]
    Credentials,
    #[error("what is sent to {0} over http:// could be read by anybody on the way")]
    Plain(String),
    #[error("a model has a name of 1 to 200 printable characters")]
    Name,
    #[error("the model's key cannot be read from {}: {reason}", path.display())]
    KeyFile { path: PathBuf, reason: String },
    #[error("other users of this machine may read the model's key in {}", .0.display())]
    KeyForOthers(PathBuf),
    #[error("the model's key is empty, or has characters that no key has")]
    Key,
    #[error("the most money a day is of no use without a price")]
    NoPrice,
}

impl ModelConfigError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Url(_) => "name it like this: --model-url http://127.0.0.1:11434/v1".to_owned(),
            Self::Credentials => {
                "take them out of the URL, and put the key into a file: --model-key-file FILE"
                    .to_owned()
            }
            Self::Plain(_) => {
                "use https://, or a model on this machine or in a network of your own".to_owned()
            }
            Self::Name => "name it as its server does: --model NAME".to_owned(),
            Self::KeyFile { .. } => "name a file that holds the key and nothing else".to_owned(),
            Self::KeyForOthers(path) => format!("chmod 600 {}", path.display()),
            Self::Key => "put the key on one line, and nothing beside it".to_owned(),
            Self::NoPrice => {
                "say what a million tokens cost: --model-price READ,WRITTEN".to_owned()
            }
        }
    }
}

impl ModelConfig {
    pub fn new(
        url: &str,
        format: ModelFormat,
        name: &str,
        key: Option<String>,
        limits: ModelLimits,
    ) -> Result<Self, ModelConfigError> {
        if limits.money_a_day.is_some() && limits.price.is_none() {
            return Err(ModelConfigError::NoPrice);
        }
        let is_name = (1..=200).contains(&name.len()) && !name.chars().any(char::is_control);
        if !is_name {
            return Err(ModelConfigError::Name);
        }
        let key = key.map(|key| key.trim().to_owned());
        if let Some(key) = &key
            && (key.is_empty() || HeaderValue::from_str(key).is_err())
        {
            return Err(ModelConfigError::Key);
        }
        Ok(Self {
            url: endpoint(url, format)?,
            format,
            name: name.to_owned(),
            key: key.map(Secret::received),
            limits,
        })
    }

    /// The key that a file holds; nobody else may read it.
    pub fn key_in(path: &Path) -> Result<String, ModelConfigError> {
        let failed = |error: std::io::Error| ModelConfigError::KeyFile {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let file = fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(ModelConfigError::KeyForOthers(path.to_owned()));
        }
        let mut key = String::new();
        file.take(LONGEST_KEY)
            .read_to_string(&mut key)
            .map_err(failed)?;
        Ok(key)
    }

    /// `model at host`, for people.
    pub fn describe(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{} at {host}", self.name)
    }

    /// Whether the model is on this machine, where no proxy leads.
    pub(super) fn is_here(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
    }
}

/// Where requests go: `http://host:port`, `…/v1` and the whole path are all understood.
fn endpoint(text: &str, format: ModelFormat) -> Result<Url, ModelConfigError> {
    let wrong = || ModelConfigError::Url(shown(text));
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ModelConfigError::Credentials);
    }
    let host = url.host_str().ok_or_else(wrong)?.to_owned();
    match url.scheme() {
        "https" => {}
        "http" if is_near(&host) => {}
        "http" => return Err(ModelConfigError::Plain(host)),
        _ => return Err(wrong()),
    }
    url.set_fragment(None);
    let base = url.path().trim_end_matches('/').to_owned();
    let path = format.path();
    let whole = match base.as_str() {
        "" => format!("/v1/{path}"),
        base if base.ends_with(path) => base.to_owned(),
        base => format!("{base}/{path}"),
    };
    url.set_path(&whole);
    Ok(url)
}

/// A URL that was not understood, without what might be a password in it.
fn shown(text: &str) -> String {
    text.rsplit('@').next().unwrap_or_default().to_owned()
}

/// On this machine, or in a network of one's own.
fn is_near(host: &str) -> bool {
    match address(host) {
        Some(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        // A name of one word is known in one's own network only.
        None => !host.contains('.') || OWN_NETWORKS.iter().any(|end| host.ends_with(end)),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str, format: ModelFormat) -> String {
        match endpoint(text, format) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_model_is_named_by_its_host_its_version_or_its_whole_path() {
        use ModelFormat::{Anthropic, Openai};
        for (text, format, wanted) in [
            (
                "http://127.0.0.1:8080",
                Openai,
                "http://127.0.0.1:8080/v1/chat/completions",
            ),
            (
                "http://ollama:11434/v1/",
                Openai,
                "http://ollama:11434/v1/chat/completions",
            ),
            (
                "https://x.example/api/v1/chat/completions?v=1",
                Openai,
                "https://x.example/api/v1/chat/completions?v=1",
            ),
            (
                "https://api.anthropic.com",
                Anthropic,
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "http://10.1.2.3/v1/messages",
                Anthropic,
                "http://10.1.2.3/v1/messages",
            ),
            (
                "http://8.8.8.8",
                Openai,
                "what is sent to 8.8.8.8 over http:// could be read by anybody on the way",
            ),
            (
                "http://models.example.com",
                Openai,
                "what is sent to models.example.com over http:// could be read by anybody on the way",
            ),
            (
                "https://me:pw@x.example",
                Openai,
                "the model's URL has a user or a password in it, and would be seen in lists of processes",
            ),
            (
                "ftp://x",
                Openai,
                "`ftp://x` is not the URL of a model: it begins with https:// or http:// and names a host",
            ),
        ] {
            assert_eq!(url(text, format), wanted);
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "abc\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            ModelConfig::key_in(&path),
            Err(ModelConfigError::KeyForOthers(_))
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(ModelConfig::key_in(&path).unwrap(), "abc\n");
        let config = |key: &str| {
            let limits = ModelLimits::default();
            ModelConfig::new(
                "http://localhost",
                ModelFormat::Openai,
                "m",
                Some(key.to_owned()),
                limits,
            )
        };
        assert!(!format!("{:?}", config("very-secret").unwrap()).contains("very-secret"));
        assert!(matches!(config("a\nb"), Err(ModelConfigError::Key)));
        assert!(matches!(config(" \n"), Err(ModelConfigError::Key)));
    }

    #[test]
    fn a_price_is_two_figures() {
        assert_eq!(
            "0.25, 1.25".parse(),
            Ok(ModelPrice {
                input: 0.25,
                output: 1.25
            })
        );
        for wrong in ["1", "a,b", "1,-1", "inf,1"] {
            assert!(wrong.parse::<ModelPrice>().is_err(), "{wrong}");
        }
    }
}
