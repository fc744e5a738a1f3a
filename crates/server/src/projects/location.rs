//! Where a project's sources are: a folder of this machine, or a git repository. Parsed, so that
//! nothing else can get to `git`.

use std::path::{Path, PathBuf};

/// Where a project's sources are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    Git(GitUrl),
}

/// The address of a git repository that may be cloned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitUrl(String);

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("the location is empty")]
    Empty,
    #[error("`{0}` is a relative path, and the stack does not know where it starts")]
    Relative(String),
    #[error("the location holds a character that no path and no URL has")]
    Unprintable,
    #[error("the URL holds a password, which would be stored and shown")]
    Password,
    #[error("`{scheme}://` is not cloned from; https:// and ssh:// are")]
    Scheme { scheme: String },
    #[error("`{0}` is not the URL of a repository")]
    Malformed(String),
}

impl LocationError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::Empty | Self::Malformed(_) | Self::Unprintable => {
                "give a folder's absolute path, https://host/path, ssh://host/path or git@host:path"
            }
            Self::Relative(_) => "give the folder's absolute path",
            Self::Password => {
                "leave it out, and let git's credential helper or an ssh key of this machine answer"
            }
            Self::Scheme { .. } => "clone it yourself and add the folder",
        };
        text.to_owned()
    }
}

impl Location {
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(LocationError::Unprintable);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return GitUrl::with_scheme(text, scheme, rest).map(Self::Git);
        }
        if let Some(rest) = text.strip_prefix("git@") {
            return GitUrl::short(text, rest).map(Self::Git);
        }
        let path = Path::new(text);
        if path.is_absolute() {
            Ok(Self::Folder(path.to_owned()))
        } else {
            Err(LocationError::Relative(text.to_owned()))
        }
    }

    /// The last part, as a name for people.
    pub fn last_part(&self) -> String {
        let last = match self {
            Self::Folder(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            Self::Git(GitUrl(url)) => {
                let last = url.trim_end_matches('/').rsplit(['/', ':']).next();
                last.map(|name| name.strip_suffix(".git").unwrap_or(name).to_owned())
            }
        };
        last.filter(|name| !name.is_empty())
            .unwrap_or_else(|| "project".to_owned())
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Git(GitUrl(url)) => f.write_str(url),
        }
    }
}

impl GitUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn with_scheme(text: &str, scheme: &str, rest: &str) -> Result<Self, LocationError> {
        if !matches!(scheme, "https" | "ssh") {
            return Err(LocationError::Scheme {
                scheme: scheme.to_owned(),
            });
        }
        let malformed = || LocationError::Malformed(text.to_owned());
        let (authority, path) = rest.split_once('/').ok_or_else(malformed)?;
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        // Over https a user name alone is a token more often than not.
        // So does a query; the path of a repository has none.
        if user.is_some_and(|user| user.contains(':') || scheme == "https")
            || path.contains(['?', '#'])
        {
            return Err(LocationError::Password);
        }
        let (host, port) = host.split_once(':').unwrap_or((host, "1"));
        let sound = user.is_none_or(is_word)
            && is_host(host)
            && port.parse::<u16>().is_ok()
            && is_path(path);
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(malformed())
        }
    }

    /// `git@host:path`.
    fn short(text: &str, rest: &str) -> Result<Self, LocationError> {
        match rest.split_once(':') {
            Some((host, path)) if is_host(host) && is_path(path) => Ok(Self(text.to_owned())),
            _ => Err(LocationError::Malformed(text.to_owned())),
        }
    }
}

/// A host's name or address; never something that reads as an option.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    text.bytes().all(plain)
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_path(text: &str) -> bool {
    let text = text.trim_matches('/');
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains([' ', '\\', '"', '\'', '`', '$', ';', '|', '&', '<', '>'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_be_cloned_and_what_can_be_opened() {
        for (text, name) in [
            ("https://github.com/company/api.git", "api"),
            ("https://host:8443/api/", "api"),
            ("ssh://git@host:2222/team/api", "api"),
            ("git@github.com:company/api.git", "api"),
            ("/srv/my app", "my app"),
        ] {
            let location = Location::parse(text).unwrap();
            assert_eq!(
                (location.to_string().as_str(), location.last_part().as_str()),
                (text, name)
            );
        }
    }

    #[test]
    fn what_cannot_says_why() {
        let refused = |text| Location::parse(text).unwrap_err().to_string();
        insta::assert_snapshot!([
            "", "api", "-u", "http://host/a", "ext::sh -c x", "ext://sh", "file:///etc", "https://me:secret@host/a", "https://token@host/a", "https://host/a?token=x",
            "https://-oProxyCommand=x/a", "ssh://-oProxyCommand=x/a", "git@-oProxyCommand=x:a", "git@host:-x", "https://host", "https://host/a b",
            "/a\nb",
        ].map(refused).join("\n"), @r"
        the location is empty
        `api` is a relative path, and the stack does not know where it starts
        `-u` is a relative path, and the stack does not know where it starts
        `http://` is not cloned from; https:// and ssh:// are
        `ext::sh -c x` is a relative path, and the stack does not know where it starts
        `ext://` is not cloned from; https:// and ssh:// are
        `file://` is not cloned from; https:// and ssh:// are
        the URL holds a password, which would be stored and shown
        the URL holds a password, which would be stored and shown
        the URL holds a password, which would be stored and shown
        `https://-oProxyCommand=x/a` is not the URL of a repository
        `ssh://-oProxyCommand=x/a` is not the URL of a repository
        `git@-oProxyCommand=x:a` is not the URL of a repository
        `git@host:-x` is not the URL of a repository
        `https://host` is not the URL of a repository
        `https://host/a b` is not the URL of a repository
        the location holds a character that no path and no URL has
        ");
    }

    proptest! {
        #[test]
        fn nothing_that_is_cloned_reads_as_an_option(text in ".{0,80}") {
            if let Ok(Location::Git(url)) = Location::parse(&text) {
                prop_assert!(!url.as_str().starts_with('-'));
                prop_assert!(["https://", "ssh://", "git@"].iter().any(|start| url.as_str().starts_with(start)));
            }
        }
    }
}
