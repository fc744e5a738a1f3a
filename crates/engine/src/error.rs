//! What can go wrong with an engine, said in one sentence each.

use std::io;

use bollard::errors::Error as ClientError;

/// Why the engine did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No socket was found anywhere.
    #[error("no container engine was found (looked at {})", tried.join(", "))]
    NoEngine { tried: Vec<String> },
    /// There is a socket or an address, but nothing answers.
    #[error("no container engine answers at {endpoint}: {reason}")]
    NotRunning { endpoint: String, reason: String },
    /// The socket may not be opened by this user.
    #[error("permission denied on the container engine's socket {endpoint}")]
    PermissionDenied { endpoint: String },
    /// `DOCKER_HOST` says something that cannot be used.
    #[error("DOCKER_HOST is `{host}`, which is neither unix:// nor tcp://")]
    UnsupportedHost { host: String },
    /// The engine knows no such container, image, network or path.
    #[error("there is no {kind} `{name}` in the engine")]
    NotFound { kind: &'static str, name: String },
    /// Another container has the name.
    #[error("the container name `{name}` is already taken by container {holder}")]
    NameTaken { name: String, holder: String },
    /// The thing is in a state, or in a use, that forbids it.
    #[error("{0}")]
    Conflict(String),
    /// The host's port is in use.
    #[error("port {address} of this machine is already taken{}", .holder.as_ref().map(|name| format!(" by container `{name}`")).unwrap_or_default())]
    PortTaken {
        address: String,
        holder: Option<String>,
    },
    /// The container's program does not exist in its image, or cannot be executed.
    #[error("the container's command cannot be started: {0}")]
    CommandNotStartable(String),
    /// The engine's disk is full.
    #[error("the container engine has no space left on its disk: {0}")]
    DiskFull(String),
    /// The engine took too long.
    #[error("the container engine did not answer in time")]
    TimedOut,
    /// There can be no sandbox of Linux namespaces.
    #[error("no sandbox of Linux namespaces can be made here: {reason}")]
    NoNamespaces { reason: String },
    /// Something was handed in that cannot be asked of an engine.
    #[error("{0}")]
    Invalid(String),
    /// The connection to the engine broke.
    #[error("lost the connection to the container engine: {0}")]
    Disconnected(String),
    /// Anything else, in the engine's own words.
    #[error("the container engine refused: {0}")]
    Other(String),
}

impl EngineError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NoEngine { .. } => {
                "Install one (`dev/setup`, or apt-get install docker.io), start it, or point DOCKER_HOST at one."
            }
            Self::NotRunning { .. } => {
                "Start it: `sudo systemctl start docker`, or run `dockerd`. With an engine elsewhere, set DOCKER_HOST."
            }
            Self::PermissionDenied { .. } => {
                "Join the socket's group and sign in again: `sudo usermod -aG docker $USER`; or use rootless Podman."
            }
            Self::UnsupportedHost { .. } => {
                "Set it to unix:///path/to/the.sock or tcp://host:port, or unset it."
            }
            Self::NameTaken { name, .. } => {
                return Some(format!(
                    "Remove that container with `docker rm -f {name}`, or choose another name."
                ));
            }
            Self::PortTaken {
                holder: Some(holder),
                ..
            } => {
                return Some(format!(
                    "Stop it with `docker stop {holder}`, or choose another port."
                ));
            }
            Self::PortTaken {
                address,
                holder: None,
            } => {
                let port = address.rsplit(':').next().unwrap_or(address);
                return Some(format!(
                    "See who listens with `ss -ltnp sport = :{port}`, or choose another port."
                ));
            }
            Self::CommandNotStartable(_) => {
                "Correct the run command in ergon.json, or add the program to the image."
            }
            Self::DiskFull(_) => {
                "Free some: `docker system df` shows what is used, `docker image prune` removes unused images."
            }
            Self::NoNamespaces { .. } => {
                "Run as root on a disk that overlayfs can write to, or use a container engine (--sandbox engine)."
            }
            Self::TimedOut => "See whether the machine is busy or its disk full; then try again.",
            Self::NotFound { .. }
            | Self::Conflict(_)
            | Self::Invalid(_)
            | Self::Disconnected(_)
            | Self::Other(_) => return None,
        };
        Some(text.to_owned())
    }

    /// True where trying again later can help without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::NotRunning { .. }
                | Self::TimedOut
                | Self::Disconnected(_)
                | Self::NoEngine { .. }
        )
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    pub(crate) fn from_client(error: ClientError, endpoint: &str) -> Self {
        match error {
            ClientError::DockerResponseServerError {
                status_code,
                message,
            } => Self::from_answer(status_code, &message),
            ClientError::DockerStreamError { error } => Self::from_answer(500, &error),
            ClientError::RequestTimeoutError => Self::TimedOut,
            ClientError::SocketNotFoundError(path) => Self::NoEngine { tried: vec![path] },
            ClientError::UnsupportedURISchemeError { uri } => Self::UnsupportedHost { host: uri },
            other => Self::from_transport(&other, endpoint),
        }
    }

    /// Finds the I/O error below the client library's wrappers, which says what really happened.
    fn from_transport(error: &ClientError, endpoint: &str) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        let mut deepest = error.to_string();
        while let Some(current) = cause {
            if let Some(kind) = current.downcast_ref::<io::Error>().map(io::Error::kind) {
                match kind {
                    io::ErrorKind::PermissionDenied => {
                        return Self::PermissionDenied {
                            endpoint: endpoint.to_owned(),
                        };
                    }
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                        return Self::NotRunning {
                            endpoint: endpoint.to_owned(),
                            reason: current.to_string(),
                        };
                    }
                    io::ErrorKind::TimedOut => return Self::TimedOut,
                    _ => {}
                }
            }
            deepest = current.to_string();
            cause = current.source();
        }
        match error {
            ClientError::HyperLegacyError { err } if err.is_connect() => Self::NotRunning {
                endpoint: endpoint.to_owned(),
                reason: deepest,
            },
            ClientError::HyperLegacyError { .. }
            | ClientError::HyperResponseError { .. }
            | ClientError::IOError { .. } => Self::Disconnected(deepest),
            _ => Self::Other(deepest),
        }
    }

    /// Understands an engine's answer: Docker and Podman say in prose what went wrong.
    pub(crate) fn from_answer(status: u16, message: &str) -> Self {
        let message = message.trim();
        if let Some((name, holder)) = taken_name(message) {
            return Self::NameTaken { name, holder };
        }
        if message.contains("port is already allocated")
            || message.contains("address already in use")
        {
            return Self::PortTaken {
                address: host_address(message).unwrap_or_else(|| "asked for".to_owned()),
                holder: None,
            };
        }
        if message.contains("no space left on device") {
            return Self::DiskFull(message.to_owned());
        }
        if let Some(reason) = not_startable(message) {
            return Self::CommandNotStartable(reason);
        }
        if let Some((kind, name)) = missing(message) {
            return Self::NotFound { kind, name };
        }
        match status {
            409 => Self::Conflict(message.to_owned()),
            400 => Self::Invalid(message.to_owned()),
            _ if message.is_empty() => Self::Other(format!("HTTP status {status}")),
            _ => Self::Other(message.to_owned()),
        }
    }
}

/// `…The container name "/web" is already in use by container "8f2c…"…`: name and short id.
fn taken_name(message: &str) -> Option<(String, String)> {
    let (before, after) = message.split_once(" is already in use by ")?;
    let name = before.rsplit('"').nth(1)?.trim_start_matches('/');
    let holder: String = after
        .trim_start_matches("container")
        .chars()
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take_while(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    Some((name.to_owned(), holder))
}

/// The first `address:port` in a message about binding one.
fn host_address(message: &str) -> Option<String> {
    message
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
        .map(|word| word.trim_matches([',', ';']).trim_end_matches(':'))
        .find_map(|word| {
            let mut parts: Vec<&str> = word.rsplitn(2, ':').collect();
            parts.reverse();
            let [address, port] = parts[..] else {
                return None;
            };
            let port: u16 = port.parse().ok()?;
            // `127.0.0.1:80:172.17.0.2` is how newer engines name both ends.
            let address = address.trim_start_matches('[').trim_end_matches(']');
            address.parse::<std::net::IpAddr>().ok()?;
            Some(format!("{address}:{port}"))
        })
        .or_else(|| {
            message.split_whitespace().find_map(|word| {
                let mut parts = word.split(':');
                let address = parts.next()?.parse::<std::net::IpAddr>().ok()?;
                let port = parts.next()?.parse::<u16>().ok()?;
                Some(format!("{address}:{port}"))
            })
        })
}

/// What runc says of a program that is not there, without the layers of wrapping.
fn not_startable(message: &str) -> Option<String> {
    let telling = [
        "executable file not found",
        "no such file or directory",
        "permission denied",
        "exec format error",
        "is a directory",
    ];
    let (_, rest) = message
        .split_once("exec: ")
        .or_else(|| message.split_once("exec "))?;
    telling.iter().find(|words| rest.contains(*words))?;
    Some(
        rest.trim_end_matches(": unknown")
            .trim_end_matches(": unknown.")
            .to_owned(),
    )
}

/// `No such container: web`, `No such image: x:1`, `network y not found`, …
fn missing(message: &str) -> Option<(&'static str, String)> {
    let lower = message.to_ascii_lowercase();
    for kind in ["container", "image", "network", "volume"] {
        let phrase = format!("no such {kind}: ");
        if let Some(at) = lower.find(&phrase) {
            let name = message[at + phrase.len()..].split_whitespace().next()?;
            return Some((
                kind,
                name.trim_matches('"')
                    .trim_end_matches([',', ':'])
                    .to_owned(),
            ));
        }
    }
    if let Some((_, rest)) = message.split_once("Could not find the file ") {
        return Some(("file", rest.split(" in container").next()?.to_owned()));
    }
    let words: Vec<&str> = message.split_whitespace().collect();
    if let Some([_, name, ..]) = words
        .windows(4)
        .find(|four| four[0] == "network" && four[2..] == ["not", "found"])
    {
        return Some(("network", name.trim_matches('"').to_owned()));
    }
    if let Some((name, _)) = lower.split_once(": image not known") {
        let name = name.rsplit(' ').next()?;
        return Some(("image", name.to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, message: &str) -> String {
        EngineError::from_answer(status, message).to_string()
    }

    #[test]
    fn a_taken_name_says_who_has_it() {
        insta::assert_snapshot!(
            answer(409, r#"Conflict. The container name "/web" is already in use by container "8f2c0a1b9d3e4f5061728394a5b6c7d8". You have to remove (or rename) that container to be able to reuse that name."#),
            @"the container name `web` is already taken by container 8f2c0a1b9d3e"
        );
        insta::assert_snapshot!(
            answer(500, r#"creating container storage: the container name "web" is already in use by 8f2c0a1b9d3e4f506172. You have to remove that container to be able to reuse that name: that name is already in use"#),
            @"the container name `web` is already taken by container 8f2c0a1b9d3e"
        );
    }

    #[test]
    fn a_taken_port_is_named_in_every_engines_words() {
        let wordings = [
            "driver failed programming external connectivity on endpoint web (8f2c): Bind for 127.0.0.1:18000 failed: port is already allocated",
            "driver failed programming external connectivity on endpoint web (8f2c): Error starting userland proxy: listen tcp4 127.0.0.1:18000: bind: address already in use",
            "failed to set up container networking: driver failed programming external connectivity on endpoint web (8f2c): failed to bind host port for 127.0.0.1:18000:172.17.0.2:8000/tcp: address already in use",
            "rootlessport listen tcp 127.0.0.1:18000: bind: address already in use",
        ];
        for wording in wordings {
            assert_eq!(
                answer(500, wording),
                "port 127.0.0.1:18000 of this machine is already taken"
            );
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        insta::assert_snapshot!(answer(404, "No such container: web"), @"there is no container `web` in the engine");
        insta::assert_snapshot!(answer(404, "No such image: web:1"), @"there is no image `web:1` in the engine");
        insta::assert_snapshot!(answer(404, "network house not found"), @"there is no network `house` in the engine");
        insta::assert_snapshot!(answer(404, "Could not find the file /x/y in container 8f2c"), @"there is no file `/x/y` in the engine");
    }

    #[test]
    fn a_command_that_cannot_start_is_told_without_the_wrapping() {
        insta::assert_snapshot!(
            answer(400, r#"failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown"#),
            @r#"the container's command cannot be started: "nope": executable file not found in $PATH"#
        );
    }

    #[test]
    fn a_full_disk_is_named() {
        let error =
            EngineError::from_answer(500, "write /var/lib/docker/tmp/x: no space left on device");
        assert!(matches!(error, EngineError::DiskFull(_)), "{error:?}");
        assert!(error.remedy().is_some());
    }

    #[test]
    fn other_answers_keep_the_engines_words() {
        insta::assert_snapshot!(answer(500, "something odd"), @"the container engine refused: something odd");
        insta::assert_snapshot!(answer(503, ""), @"the container engine refused: HTTP status 503");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100_u16..600, message in ".*") {
            let error = EngineError::from_answer(status, &message);
            let _ = (error.to_string(), error.remedy());
        }
    }
}
