//! Where the stack is that a command talks to.

use std::env;
use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::failure::{Failure, Outcome};
use crate::folders;

/// A stack's address and what opens it.
#[derive(Clone)]
pub struct Address {
    pub url: Url,
    pub token: Option<String>,
    /// The one authority to trust there, as PEM; absent: those that the machine knows.
    pub authority: Option<String>,
    pub origin: Origin,
}

/// Who said where the stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `ERGON_URL`.
    Environment,
    /// What `ergon up` left in this data folder.
    Data(PathBuf),
}

impl Address {
    /// The stack `ERGON_URL` names, else the one that runs for the data folder. `authority` is a file with the certificate
    /// of the authority to trust there, else `ERGON_CA` names one, else it is what the stack of the data folder left.
    pub fn find(data: Option<&Path>, authority: Option<&Path>) -> Outcome<Self> {
        let token = variable("ERGON_TOKEN");
        let authority = authority
            .map(Path::to_owned)
            .or_else(|| variable("ERGON_CA").map(PathBuf::from));
        let authority = authority.map(|file| read_authority(&file)).transpose()?;
        let left = |data: &Path| std::fs::read_to_string(data.join("endpoint.ca")).ok();
        if let Some(text) = variable("ERGON_URL") {
            let url = parse(&text).ok_or_else(|| {
                Failure::new(format!(
                    "ERGON_URL is `{text}`, which is no address of a stack"
                ))
                .with_remedy("write it like http://127.0.0.1:7411".to_owned())
            })?;
            // The data folder's token goes to this machine only, or a wrong ERGON_URL would
            // hand it to a stranger.
            let data = is_loopback(&url)
                .then(|| folders::data(data).ok())
                .flatten();
            let token = token.or_else(|| read_line(&data.as_ref()?.join("token")).ok());
            let authority = authority.or_else(|| left(data.as_ref()?));
            return Ok(Self {
                url,
                token,
                authority,
                origin: Origin::Environment,
            });
        }
        let data = folders::data(data)?;
        Self::beside(data, token, authority)
    }

    /// The stack that runs for a data folder, whatever the environment says.
    pub fn of_folder(data: &Path, authority: Option<&Path>) -> Outcome<Self> {
        let authority = authority.map(read_authority).transpose()?;
        Self::beside(data.to_owned(), None, authority)
    }

    /// What `ergon up` left in a data folder.
    fn beside(data: PathBuf, token: Option<String>, authority: Option<String>) -> Outcome<Self> {
        let endpoint = data.join("endpoint");
        let url = match read_line(&endpoint) {
            Ok(text) => parse(&text).ok_or_else(|| no_stack(&data))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(no_stack(&data));
            }
            Err(error) => return Err(unreadable(&endpoint, &error)),
        };
        let token = match token {
            Some(token) => token,
            None => read_token(&data)?,
        };
        Ok(Self {
            url,
            token: Some(token),
            authority: authority.or_else(|| std::fs::read_to_string(data.join("endpoint.ca")).ok()),
            origin: Origin::Data(data),
        })
    }

    /// Whether the stack is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// What to say when nobody listens there.
    pub fn nobody_listens(&self) -> Failure {
        match &self.origin {
            Origin::Data(data) => no_stack(data),
            Origin::Environment => {
                Failure::new(format!("no stack answers at {} (ERGON_URL)", self.url))
                    .with_remedy("start one there with `ergon up`, or unset ERGON_URL".to_owned())
            }
        }
    }
}

/// The certificate of an authority, from a file.
fn read_authority(file: &Path) -> Outcome<String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!(
            "the authority in {} cannot be read: {}",
            folders::display(file),
            folders::reason(&error)
        ))
    });
    let good = text.and_then(|text| {
        let is_certificate = text.contains("-----BEGIN CERTIFICATE-----");
        is_certificate.then_some(text).ok_or_else(|| {
            Failure::new(format!(
                "{} holds no certificate (PEM)",
                folders::display(file)
            ))
        })
    });
    good.map_err(|failure| {
        failure.with_remedy(
            "name the file that `ergon ca certificate` printed there, with --ca or ERGON_CA"
                .to_owned(),
        )
    })
}

/// The local user's token, from the data folder.
pub fn read_token(data: &Path) -> Outcome<String> {
    let path = data.join("token");
    read_line(&path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Failure::new(format!("there is no token in {}", folders::display(data)))
                .with_remedy("`ergon up` makes one when it starts".to_owned())
        } else {
            unreadable(&path, &error)
        }
    })
}

fn no_stack(data: &Path) -> Failure {
    Failure::new(format!(
        "no stack is running for {}; start one with `ergon up`",
        folders::display(data)
    ))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!(
        "{} may not be read: {}",
        folders::display(path),
        folders::reason(error)
    ))
    .with_remedy(
        "run as the user who started the stack, or set ERGON_URL and ERGON_TOKEN".to_owned(),
    )
}

fn read_line(path: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(path)?.trim().to_owned())
}

fn variable(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, expected) in [
            ("http://127.0.0.1:7411", true),
            ("http://[::1]:7411", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_speaks_http() {
        assert!(parse("http://127.0.0.1:1").is_some());
        for wrong in ["127.0.0.1:1", "unix:///run/x", "http://", ""] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_without_a_stack_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let Err(Failure::Said { message, .. }) = Address::find(Some(folder.path()), None) else {
            panic!()
        };
        assert_eq!(
            message,
            format!(
                "no stack is running for {}; start one with `ergon up`",
                folder.path().display()
            )
        );
    }
}
