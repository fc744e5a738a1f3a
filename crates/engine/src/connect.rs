//! Where the engine listens.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

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
            let socket = path.to_string_lossy();
            // An engine that is asked for its version asks its own programs for theirs, which takes it several
            // milliseconds; in the answer to a ping it stands as well.
            if let Ok(Some(version)) = pinged(path).await {
                return Docker::connect_with_unix(&socket, seconds, &version).map_err(wrong);
            }
            Docker::connect_with_unix(&socket, seconds, API_DEFAULT_VERSION)
        }
        Endpoint::Address(address) => {
            Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION)
        }
    }
    .map_err(wrong)?;
    client.negotiate_version().await.map_err(wrong)
}

/// The version of the API that an engine says it speaks when it is pinged, if we know it; none where it says none.
async fn pinged(socket: &Path) -> io::Result<Option<ClientVersion>> {
    let ask = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream
            .write_all(b"HEAD /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
            .await?;
        let mut head = Vec::new();
        stream.take(LONGEST_HEAD).read_to_end(&mut head).await?;
        Ok(version_in(&String::from_utf8_lossy(&head)))
    };
    tokio::time::timeout(PING_PATIENCE, ask)
        .await
        .unwrap_or_else(|elapsed| Err(elapsed.into()))
}

/// How long a ping may take before the engine is asked in the usual way, which says what is wrong.
const PING_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes.
const LONGEST_HEAD: u64 = 16 << 10;

/// The `Api-Version` of an answer, no newer than we know.
fn version_in(head: &str) -> Option<ClientVersion> {
    let (status, headers) = head.split_once("\r\n")?;
    if status.split(' ').nth(1) != Some("200") {
        return None;
    }
    let (_, version) = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("api-version"))?;
    let (major, minor) = version.trim().split_once('.')?;
    let (major_version, minor_version) = (major.parse().ok()?, minor.parse().ok()?);
    let known = (
        API_DEFAULT_VERSION.major_version,
        API_DEFAULT_VERSION.minor_version,
    );
    let (major_version, minor_version) = known.min((major_version, minor_version));
    Some(ClientVersion {
        major_version,
        minor_version,
    })
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
    fn the_version_is_the_older_of_the_two() {
        let version = |head: &str| {
            version_in(head).map(|version| (version.major_version, version.minor_version))
        };
        assert_eq!(
            version("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n"),
            Some((1, 41))
        );
        let ours = (
            API_DEFAULT_VERSION.major_version,
            API_DEFAULT_VERSION.minor_version,
        );
        assert_eq!(
            version("HTTP/1.1 200 OK\r\napi-version: 9.0\r\n\r\n"),
            Some(ours)
        );
        assert_eq!(
            version("HTTP/1.1 500 Oops\r\nApi-Version: 1.41\r\n\r\n"),
            None
        );
        assert_eq!(version("HTTP/1.1 200 OK\r\nApi-Version: x\r\n\r\n"), None);
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
