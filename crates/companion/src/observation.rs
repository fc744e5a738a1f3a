//! What was seen of a container at one moment. Data only; who looks is in `observe`.

mod drift;
mod logs;
mod signals;

use std::time::Duration;

use ergon_engine::{ContainerState, PortBinding};
use jiff::{SignedDuration, Timestamp};

use crate::{FoundService, History, Past, Subject};

pub use drift::{ChangedFile, Drift};
pub use logs::{LogDigest, LogLevel, LogTemplate, StackTrace};
pub use signals::{
    Certificate, Connection, ConnectionState, Descriptors, Disk, Machine, Neighbour, Pressure,
    Pressures, ProcessorUse, Signals, Tasks, Traffic,
};

/// What was seen of a container at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub time: Timestamp,
    pub subject: Subject,
    pub sight: Sight,
    pub memory: Option<Memory>,
    /// Nanoseconds of processor time since it started.
    pub processor: Option<u64>,
    pub processes: Vec<Process>,
    pub processes_from: ProcessSource,
    /// Absent where the container's sockets cannot be read.
    pub listeners: Option<Vec<Listener>>,
    pub services: Vec<FoundService>,
    pub probe: Option<Probe>,
    /// The last lines it wrote, oldest first, without secrets.
    pub log: Vec<LogRecord>,
    /// What all that it wrote amounts to; absent where nobody followed or read its log.
    pub log_digest: Option<LogDigest>,
    pub signals: Signals,
    /// Absent where its own layer cannot be read.
    pub drift: Option<Drift>,
    /// Containers that share a network with it.
    pub neighbours: Vec<Neighbour>,
    pub history: History,
    /// What it used until now.
    pub past: Past,
}

/// Whether the engine could be asked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    Seen(Box<ContainerState>),
    /// The engine has no such container any more.
    Gone,
    /// The engine could not be asked, and why.
    Blind(String),
}

/// A reading of a container's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use, without file cache that can be given back.
    pub used: u64,
    /// Bytes; absent: no limit.
    pub limit: Option<u64>,
    /// Processes the kernel killed for want of memory since the container started.
    pub oom_kills: Option<u64>,
    pub source: MemorySource,
    /// The reading as it was found: `memory.current 50331648`.
    pub raw: String,
}

/// Where a reading of memory came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemorySource {
    /// The container's cgroup folder.
    Cgroup(String),
    /// The engine's statistics.
    Engine,
}

/// A process of the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// As the host numbers it.
    pub pid: u32,
    pub parent: u32,
    /// `R`, `S`, `D`, `Z`, …
    pub state: char,
    /// The kernel's short name for it.
    pub name: String,
    /// Its arguments, without secrets; empty for a zombie.
    pub command: Vec<String>,
    /// Ports it listens on, as far as its sockets can be read.
    pub ports: Vec<u16>,
}

/// Where the list of processes came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessSource {
    #[default]
    Nowhere,
    /// This machine's `/proc`.
    Proc,
    /// The engine.
    Engine,
}

/// A TCP port the container listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub port: u16,
    /// Nobody outside the container can reach it.
    pub loopback: bool,
    /// The process, where it could be found.
    pub pid: Option<u32>,
    /// Connections that were made and that the program has not taken yet.
    pub waiting: u32,
}

/// A question to the container over the network, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub target: Target,
    pub outcome: Outcome,
    pub latency: Duration,
}

/// What is asked, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address that was asked; the host's where the port is published.
    pub address: String,
    /// The port that was asked.
    pub port: u16,
    /// The same port as the container numbers it.
    pub container_port: u16,
    /// Ask for this path by HTTP; absent: only connect.
    pub path: Option<String>,
    /// The manifest names the path, so that only 2xx and 3xx are good answers.
    pub declared: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took the connection; nothing more was asked.
    Connected,
    /// The HTTP status it answered with.
    Status(u16),
    Refused,
    TimedOut,
    /// It hung up or answered with something else than HTTP.
    NotHttp(String),
    /// There is no way there.
    Unreachable(String),
}

/// A line of the container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    pub time: Option<Timestamp>,
    pub stderr: bool,
    pub text: String,
}

/// How a container is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wellness {
    Well,
    Unwell,
    Stopped,
    /// It cannot be seen, or has only just started.
    Unknown,
}

impl Wellness {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Unwell => "unwell",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

impl Observation {
    /// An observation of nothing yet.
    pub fn empty(time: Timestamp, subject: Subject, sight: Sight, history: History) -> Self {
        Self {
            time,
            subject,
            sight,
            memory: None,
            processor: None,
            processes: Vec::new(),
            processes_from: ProcessSource::Nowhere,
            listeners: None,
            services: Vec::new(),
            probe: None,
            log: Vec::new(),
            log_digest: None,
            signals: Signals::default(),
            drift: None,
            neighbours: Vec::new(),
            history,
            past: Past::default(),
        }
    }

    pub fn state(&self) -> Option<&ContainerState> {
        match &self.sight {
            Sight::Seen(state) => Some(state),
            Sight::Gone | Sight::Blind(_) => None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.state().is_some_and(ContainerState::is_running)
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Option<SignedDuration> {
        let state = self.state().filter(|state| state.is_running())?;
        Some(
            self.time
                .duration_since(state.started_at?)
                .max(SignedDuration::ZERO),
        )
    }

    /// True in the first moments, when much is not there yet.
    pub fn is_starting(&self) -> bool {
        self.uptime()
            .is_some_and(|uptime| uptime < SignedDuration::from_secs(10))
            || self
                .state()
                .and_then(|state| state.health.as_ref())
                .is_some_and(|health| health.status == "starting")
    }

    /// The ports the container should listen on, if anybody said so.
    pub fn meant_ports(&self) -> Vec<u16> {
        self.subject
            .meant
            .as_ref()
            .map(crate::Meant::ports)
            .unwrap_or_default()
    }

    pub fn published(&self) -> &[PortBinding] {
        self.state().map_or(&[], |state| &state.ports)
    }
}

impl Target {
    /// `GET http://172.17.0.2:8000/`, or `connect 172.17.0.2:5432`.
    pub fn asked(&self) -> String {
        let host = if self.address.contains(':') {
            format!("[{}]", self.address)
        } else {
            self.address.clone()
        };
        match &self.path {
            Some(path) => format!("GET http://{host}:{}{path}", self.port),
            None => format!("connect {host}:{}", self.port),
        }
    }
}

impl Probe {
    /// Whether the answer is a good one.
    pub fn is_good(&self) -> bool {
        match self.outcome {
            Outcome::Connected => true,
            Outcome::Status(status) if self.target.declared => (200..400).contains(&status),
            // Where nobody said which path is good, any answer but a failure of the server is.
            Outcome::Status(status) => status < 500,
            _ => false,
        }
    }
}
