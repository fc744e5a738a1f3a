//! A companion's own unix socket: one JSON object on a line in, one on a line out.
//!
//! `{"from": "you", "content": "how are you?", "type": "message"}` is answered with the same shape plus
//! `findings` and `evidence`; what cannot be answered gets `{"type": "error", "error": "…"}`.
//! The file is readable by its owner alone, the kernel says who calls, and nobody but the owner and
//! root gets past that; then the server's own decision is asked.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Reply;

/// A longer line is no message.
pub const LONGEST_LINE: usize = 64 << 10;
/// A guest who does not take an answer for so long, too.
const SLOWNESS: Duration = Duration::from_secs(10);
/// No answer takes longer.
const THINKING: Duration = Duration::from_secs(30);
/// The longest path a unix socket can have.
const LONGEST_PATH: usize = 107;

/// What guests may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// Guests at a time; more wait at the door.
    pub guests: usize,
    /// A guest who says nothing for so long, or takes longer to end a line, is shown out.
    pub silence: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            guests: 32,
            silence: Duration::from_secs(30),
        }
    }
}

/// Who calls, as the kernel tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    pub pid: Option<i32>,
}

/// A message as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it; for the answer's reader only, never a credential.
    #[serde(default)]
    pub from: String,
    pub content: String,
    /// `message`; absent is taken for it.
    #[serde(rename = "type", default = "message_type")]
    pub kind: String,
}

fn message_type() -> String {
    "message".to_owned()
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("the path of the socket is too long for the system: {}", .0.display())]
    PathTooLong(PathBuf),
    #[error("somebody else listens on {}", .0.display())]
    Taken(PathBuf),
    #[error("{} is in the way and is not a socket", .0.display())]
    NotASocket(PathBuf),
    #[error("cannot listen on {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl SocketError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::PathTooLong(_) => {
                "Use a data folder with a shorter path (`ergon up --data DIR`).".to_owned()
            }
            Self::Taken(_) => {
                "Stop the other stack, or use another data folder (`ergon up --data DIR`)."
                    .to_owned()
            }
            Self::NotASocket(path) => format!("Move {} away.", path.display()),
            Self::Io { .. } => return None,
        })
    }
}

/// A socket that is listened on; dropping it ends that and removes the file.
#[derive(Debug)]
pub struct CompanionSocket {
    path: PathBuf,
    inode: u64,
    task: JoinHandle<()>,
}

impl CompanionSocket {
    /// Listens at `path`, whose folder must be there and belong to the owner alone.
    ///
    /// `authorize` decides for each message, and says why where it denies.
    pub async fn listen<A, H, F>(path: &Path, authorize: A, handler: H) -> Result<Self, SocketError>
    where
        A: Fn(&Peer, &Message) -> Result<(), String> + Send + Sync + 'static,
        H: Fn(Peer, Message) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::listen_within(SocketLimits::default(), path, authorize, handler).await
    }

    /// The same within other limits.
    pub async fn listen_within<A, H, F>(
        limits: SocketLimits,
        path: &Path,
        authorize: A,
        handler: H,
    ) -> Result<Self, SocketError>
    where
        A: Fn(&Peer, &Message) -> Result<(), String> + Send + Sync + 'static,
        H: Fn(Peer, Message) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(SocketError::PathTooLong(path.to_owned()));
        }
        let failed = |source| SocketError::Io {
            path: path.to_owned(),
            source,
        };
        clear_the_way(path).await?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let inode = fs::symlink_metadata(path).map_err(failed)?.ino();
        let host = Arc::new(Host {
            limits,
            authorize,
            handler,
        });
        let task = tokio::spawn(welcome(listener, host));
        Ok(Self {
            path: path.to_owned(),
            inode,
            task,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CompanionSocket {
    fn drop(&mut self) {
        self.task.abort();
        // Somebody may have put another one in its place meanwhile.
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a socket's file could not be removed");
        }
    }
}

/// Removes a socket that nobody listens on any more.
async fn clear_the_way(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Io {
        path: path.to_owned(),
        source,
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_owned()));
    }
    if UnixStream::connect(path).await.is_ok() {
        return Err(SocketError::Taken(path.to_owned()));
    }
    fs::remove_file(path).map_err(failed)
}

struct Host<A, H> {
    limits: SocketLimits,
    authorize: A,
    handler: H,
}

async fn welcome<A, H, F>(listener: UnixListener, host: Arc<Host<A, H>>)
where
    A: Fn(&Peer, &Message) -> Result<(), String> + Send + Sync + 'static,
    H: Fn(Peer, Message) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let seats = Arc::new(Semaphore::new(host.limits.guests));
    // Guests leave with the host: dropping the set ends their tasks.
    let mut guests = tokio::task::JoinSet::new();
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely; it passes, and must not spin.
                tracing::warn!(%error, "a companion's socket cannot take a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        while guests.try_join_next().is_some() {}
        let host = Arc::clone(&host);
        guests.spawn(async move {
            let _seat = seat;
            if let Err(error) = converse(stream, &host).await {
                tracing::debug!(%error, "a conversation on a companion's socket broke off");
            }
        });
    }
}

async fn converse<A, H, F>(stream: UnixStream, host: &Host<A, H>) -> io::Result<()>
where
    A: Fn(&Peer, &Message) -> Result<(), String>,
    H: Fn(Peer, Message) -> F,
    F: Future<Output = Reply>,
{
    let credentials = stream.peer_cred()?;
    let peer = Peer {
        uid: credentials.uid(),
        pid: credentials.pid(),
    };
    let (read, mut write) = stream.into_split();
    if !may_enter(peer.uid, rustix::process::geteuid().as_raw()) {
        return send_error(
            &mut write,
            &format!("user {} may not talk to this companion", peer.uid),
        )
        .await;
    }
    let mut lines = BufReader::new(read);
    loop {
        let line = match timeout(host.limits.silence, next_line(&mut lines)).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) | Err(_) => return Ok(()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                // Where such a line ends is not worth looking for.
                return send_error(
                    &mut write,
                    &format!("a line may have at most {LONGEST_LINE} bytes"),
                )
                .await;
            }
            Ok(Err(error)) => return Err(error),
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match answer(&line, &peer, host).await {
            Ok(reply) => {
                let answer = Answer {
                    kind: "message",
                    reply: &reply,
                };
                send(&mut write, &answer).await?;
            }
            Err(error) => send_error(&mut write, &error).await?,
        }
    }
}

async fn answer<A, H, F>(line: &[u8], peer: &Peer, host: &Host<A, H>) -> Result<Reply, String>
where
    A: Fn(&Peer, &Message) -> Result<(), String>,
    H: Fn(Peer, Message) -> F,
    F: Future<Output = Reply>,
{
    let message: Message = serde_json::from_slice(line).map_err(|error| {
        format!("not a message: {error}; send one line like {{\"from\": \"you\", \"content\": \"how are you?\", \"type\": \"message\"}}")
    })?;
    if message.kind != "message" {
        return Err(format!(
            "type `{}` is not known here; only `message` is",
            message.kind
        ));
    }
    (host.authorize)(peer, &message)?;
    timeout(THINKING, (host.handler)(*peer, message))
        .await
        .map_err(|_| "the answer took too long".to_owned())
}

/// Only the owner of the stack, and root who may do everything anyhow.
fn may_enter(caller: u32, owner: u32) -> bool {
    caller == owner || caller == 0
}

/// The next line without its end; nothing at the end of the stream.
async fn next_line(lines: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let limit = LONGEST_LINE as u64 + 1;
    lines.take(limit).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LONGEST_LINE {
        return Err(io::ErrorKind::InvalidData.into());
    } else if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(line))
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    reply: &'a Reply,
}

#[derive(Serialize)]
struct Refusal<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: &'a str,
}

async fn send_error(write: &mut OwnedWriteHalf, error: &str) -> io::Result<()> {
    send(
        write,
        &Refusal {
            kind: "error",
            error,
        },
    )
    .await
}

async fn send(write: &mut OwnedWriteHalf, answer: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    timeout(SLOWNESS, write.write_all(&line))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_and_root_may_enter() {
        assert!(may_enter(1000, 1000));
        assert!(may_enter(0, 1000));
        assert!(!may_enter(1001, 1000));
        assert!(!may_enter(1000, 0));
    }
}
