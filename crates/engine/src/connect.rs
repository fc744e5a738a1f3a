//! Where the engine listens.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};

use crate::EngineError;

/// How long an ordinary request may take; builds of large images ask for more.
const PATIENCE: Duration = Duration::from_mins(2);

/// A place to look for an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Socket(PathBuf),
    Address(String),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Address(address) => f.write_str(address),
        }
    }
}

/// The places to look, in order: `DOCKER_HOST` alone, else Docker's socket, else Podman's.
pub(crate) fn candidates(
    docker_host: Option<&str>,
    runtime_directory: Option<&str>,
) -> Result<Vec<Endpoint>, EngineError> {
    if let Some(host) = docker_host.filter(|host| !host.is_empty()) {
        let endpoint = if let Some(path) = host.strip_prefix("unix://") {
            Endpoint::Socket(path.into())
        } else if host.starts_with("tcp://") || host.starts_with("http://") {
            Endpoint::Address(host.to_owned())
        } else {
            return Err(EngineError::UnsupportedHost {
                host: host.to_owned(),
            });
        };
        return Ok(vec![endpoint]);
    }
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(folder) = runtime_directory.filter(|folder| !folder.is_empty()) {
        sockets.push(Path::new(folder).join("podman/podman.sock"));
    }
    sockets.push(PathBuf::from("/run/podman/podman.sock"));
    Ok(sockets.into_iter().map(Endpoint::Socket).collect())
}

/// The first candidate that is there. Whether it answers is another question.
pub(crate) fn choose(candidates: &[Endpoint]) -> Result<&Endpoint, EngineError> {
    for candidate in candidates {
        let Endpoint::Socket(path) = candidate else {
            return Ok(candidate);
        };
        match std::fs::metadata(path) {
            Ok(_) => return Ok(candidate),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(EngineError::PermissionDenied {
                    endpoint: candidate.to_string(),
                });
            }
            Err(_) => {}
        }
    }
    Err(EngineError::NoEngine {
        tried: candidates.iter().map(ToString::to_string).collect(),
    })
}

/// A client for the endpoint that speaks what both sides know.
pub(crate) async fn open(endpoint: &Endpoint) -> Result<Docker, EngineError> {
    let wrong = |error| EngineError::from_client(error, &endpoint.to_string());
    let seconds = PATIENCE.as_secs();
    let client = match endpoint {
        Endpoint::Socket(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
        }
        Endpoint::Address(address) => {
            Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION)
        }
    }
    .map_err(wrong)?;
    client.negotiate_version().await.map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(docker_host: Option<&str>, runtime_directory: Option<&str>) -> Vec<String> {
        candidates(docker_host, runtime_directory)
            .expect("candidates")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn docker_host_is_the_only_place_when_it_is_set() {
        assert_eq!(
            names(Some("unix:///x.sock"), Some("/run/user/1")),
            ["/x.sock"]
        );
        assert_eq!(
            names(Some("tcp://10.0.0.1:2375"), None),
            ["tcp://10.0.0.1:2375"]
        );
        let error = candidates(Some("ssh://x"), None).expect_err("ssh is not spoken");
        assert!(error.to_string().contains("ssh://x"), "{error}");
    }

    #[test]
    fn docker_comes_before_podman() {
        assert_eq!(
            names(None, Some("/run/user/1000")),
            [
                "/var/run/docker.sock",
                "/run/user/1000/podman/podman.sock",
                "/run/podman/podman.sock"
            ]
        );
    }

    #[test]
    fn no_socket_at_all_says_where_it_looked() {
        let folder = "/nonexistent/one.sock";
        let error = choose(&[Endpoint::Socket(folder.into())]).expect_err("nothing there");
        insta::assert_snapshot!(error, @"no container engine was found (looked at /nonexistent/one.sock)");
        assert!(error.remedy().is_some());
    }
}
