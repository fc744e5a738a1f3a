//! What is known of an installation before anything is decided about it.

use std::net::SocketAddr;
use std::path::PathBuf;

use ergon_server::api::{
    AuditReport, Authority, Companion, GuardRail, Repository, Robot, Session, ToolServer,
};

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

/// Something that is known, or why it is not.
pub type Known<T> = Result<T, Unknown>;

/// Everything that is looked at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub data: PathBuf,
    /// Seconds since 1970.
    pub now: i64,
    /// The data folder, and what is in it that is for nobody else.
    pub files: Vec<File>,
    /// When the token was made. Seconds since 1970.
    pub token_made: Known<i64>,
    /// The newest time of anything in the data folder. Seconds since 1970.
    pub newest: i64,
    /// Whether somebody keeps the clock right.
    pub clock_is_kept: Known<bool>,
    pub disk: Known<Disk>,
    pub engine_socket: Known<EngineSocket>,
    pub process: Known<Process>,
    /// Where the stack says it is.
    pub endpoint: Known<String>,
    pub audit: Known<AuditReport>,
    /// Whether a checkpoint of the audit log was shown that was kept elsewhere.
    pub has_checkpoint: bool,
    pub session: Known<Session>,
    pub robots: Known<Vec<Robot>>,
    pub guard_rails: Known<Vec<GuardRail>>,
    pub repositories: Known<Vec<Repository>>,
    pub companions: Known<Vec<Companion>>,
    pub tool_servers: Known<Vec<ToolServer>>,
    pub authority: Known<Authority>,
}

/// A file or folder that is for its owner alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    /// The lowest nine bits.
    pub mode: u32,
    pub owner: u32,
    /// What a secret in it opens.
    pub is_key: bool,
}

/// The disk that the data folder is on, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    pub free: u64,
    pub size: u64,
}

/// The socket of the container engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSocket {
    pub path: PathBuf,
    pub mode: u32,
    pub group: String,
    /// Who is in that group, root aside.
    pub members: Vec<String>,
}

/// The process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub user: u32,
    /// Where it can be reached.
    pub listens: Known<Vec<SocketAddr>>,
    pub has_memory_limit: Known<bool>,
    pub has_process_limit: Known<bool>,
    /// Names of environment variables that look as if they held secrets.
    pub secret_variables: Known<Vec<String>>,
}
