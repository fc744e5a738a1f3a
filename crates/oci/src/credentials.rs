//! Who we are to a registry: what `docker login` and credential helpers keep.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use oci_client::secrets::RegistryAuth;

use crate::error::Error;
use crate::reference::DOCKER_HUB;

/// The key of Docker Hub in configurations, for historical reasons.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
pub(crate) fn configuration_file() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("DOCKER_CONFIG")
        .or_else(|| set("HOME").map(|home| home.join(".docker")))
        .map(|folder| folder.join("config.json"))
}

/// How to say who we are.
#[derive(Debug, PartialEq)]
pub(crate) enum Login {
    /// At once, or not at all.
    Direct(RegistryAuth),
    /// With a token for a token.
    Identity(IdentityToken),
}

/// What a registry gave for a password. It is never shown.
#[derive(PartialEq)]
pub(crate) struct IdentityToken(pub String);

impl std::fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityToken")
    }
}

/// The credentials for a registry; anonymous where there are none. Runs a helper, so it blocks.
pub(crate) fn find(registry: &str, configuration: Option<PathBuf>) -> Result<Login, Error> {
    const NOBODY: Login = Login::Direct(RegistryAuth::Anonymous);

    let wrong = |reason: String| Error::Credentials {
        registry: registry.to_owned(),
        reason,
    };
    let Some(path) = configuration else {
        return Ok(NOBODY);
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(NOBODY),
        Err(error) => return Err(wrong(format!("cannot read {}: {error}", path.display()))),
    };
    let key = if registry == DOCKER_HUB {
        DOCKER_HUB_KEY
    } else {
        registry
    };
    match get_credential_from_reader(BufReader::new(file), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Login::Direct(RegistryAuth::Basic(user, password)))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Login::Identity(IdentityToken(token))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(NOBODY),
        // Helpers have no other way to say that they know nothing of a registry.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.contains("credentials not found") =>
        {
            Ok(NOBODY)
        }
        Err(CredentialRetrievalError::HelperFailure {
            helper,
            stdout,
            stderr,
        }) => {
            // What it would have answered is no message, also where it failed after that.
            let message = if stdout.trim_start().starts_with('{') {
                ""
            } else {
                stdout.trim()
            };
            let said = format!("{message} {}", stderr.trim());
            Err(wrong(format!("{helper} failed: {}", said.trim())))
        }
        Err(CredentialRetrievalError::ConfigReadError) => {
            Err(wrong(format!("{} is not valid", path.display())))
        }
        Err(CredentialRetrievalError::HelperCommunicationError) => Err(wrong(format!(
            "the credential helper that {} names cannot be run",
            path.display()
        ))),
        Err(error) => Err(wrong(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_in(configuration: &str, registry: &str) -> Result<Login, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, configuration).unwrap();
        let shown = folder.path().to_str().unwrap();
        find(registry, Some(path.clone()))
            .map_err(|error| error.to_string().replace(shown, "~/.docker"))
    }

    #[test]
    fn a_login_is_found_by_its_registry() {
        let configuration = r#"{"auths": {
            "registry.example:5000": {"auth": "dXNlcjpwYXNz"},
            "https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldA=="}
        }}"#;
        let basic = |user: &str, password: &str| {
            Login::Direct(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
        };
        assert_eq!(
            find_in(configuration, "registry.example:5000").unwrap(),
            basic("user", "pass")
        );
        assert_eq!(
            find_in(configuration, "docker.io").unwrap(),
            basic("hub", "secret")
        );
        assert_eq!(
            find_in(configuration, "other.example").unwrap(),
            Login::Direct(RegistryAuth::Anonymous)
        );
    }

    #[test]
    fn an_identity_token_is_found_and_never_shown() {
        let configuration =
            r#"{"auths": {"a.example": {"auth": "MDA6", "identitytoken": "hidden"}}}"#;
        let login = find_in(configuration, "a.example").unwrap();
        assert_eq!(login, Login::Identity(IdentityToken("hidden".to_owned())));
        assert!(!format!("{login:?}").contains("hidden"));
    }

    #[test]
    fn without_a_configuration_we_are_nobody() {
        assert_eq!(
            find("a.example", None).unwrap(),
            Login::Direct(RegistryAuth::Anonymous)
        );
        assert_eq!(
            find("a.example", Some("/nowhere/config.json".into())).unwrap(),
            Login::Direct(RegistryAuth::Anonymous)
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let said: String = [
            "{",
            r#"{"credHelpers": {"a.example": "ergon-test-absent"}}"#,
            r#"{"auths": {"a.example": {"auth": "dXNlci1wYXNz"}}}"#,
            r#"{"auths": {"a.example": {"auth": "dXNlcjpwYXNz", "username": "user", "password": "other"}}}"#,
        ]
        .map(|configuration| find_in(configuration, "a.example").unwrap_err() + "\n")
        .concat();
        insta::assert_snapshot!(said, @r"
        cannot use the credentials for a.example: ~/.docker/config.json is not valid
        cannot use the credentials for a.example: the credential helper that ~/.docker/config.json names cannot be run
        cannot use the credentials for a.example: Unable to decode credential
        cannot use the credentials for a.example: auth field does not match username and password fields
        ");
    }
}
