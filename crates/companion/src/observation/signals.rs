//! What can be counted of a container at one moment. Data only; `signals` reads it.
//!
//! Shares of time are in hundredths of a percent, so that what was seen can be compared exactly.

use std::net::IpAddr;

use jiff::Timestamp;

/// Gauges and counters of a running container. What cannot be read is absent or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    pub processor: Option<ProcessorUse>,
    pub pressure: Pressures,
    pub tasks: Option<Tasks>,
    /// The processes with the most open files, the fullest first.
    pub descriptors: Vec<Descriptors>,
    /// What it writes to: its own layer, volumes, `/dev/shm`, `/tmp`.
    pub disks: Vec<Disk>,
    pub traffic: Option<Traffic>,
    /// TCP connections that are not only listening, from inside its network.
    pub connections: Vec<Connection>,
    /// Certificates its ports showed.
    pub certificates: Vec<Certificate>,
    /// What the machine has for it; limits aside.
    pub machine: Machine,
}

/// What the machine under a container has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Processors that process 1 may run on.
    pub processors: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// Processor time, as its cgroup counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessorUse {
    /// Nanoseconds since the start.
    pub used: u64,
    /// Nanoseconds in a second that it may use; absent: no limit.
    pub quota: Option<u64>,
    /// Periods in which it wanted to run.
    pub periods: u64,
    /// Those of them in which it was made to wait.
    pub throttled_periods: u64,
    /// Nanoseconds it was made to wait.
    pub throttled: u64,
    /// In the last seconds, hundredths of a percent of one processor; absent where only one reading is known.
    pub share: Option<u32>,
    /// In the last seconds, hundredths of a percent of its periods in which it was made to wait.
    pub throttled_share: Option<u32>,
    /// The folder it was read from.
    pub folder: String,
}

/// Time lost by waiting for a resource; absent where the kernel does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressures {
    pub processor: Option<Pressure>,
    pub memory: Option<Pressure>,
    pub disk: Option<Pressure>,
}

/// `some avg10` and `full avg10` of a pressure file, in hundredths of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    pub some: u32,
    pub full: u32,
}

/// Processes and threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    pub now: u64,
    /// Absent: no limit.
    pub limit: Option<u64>,
}

/// Open files of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    pub pid: u32,
    pub name: String,
    pub open: u64,
    /// The soft limit; absent: none.
    pub limit: Option<u64>,
}

/// A file system the container writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// As the container sees it: `/`, `/data`, `/dev/shm`.
    pub mount: String,
    /// `overlay`, `tmpfs`, `ext4`.
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// Bytes it can still write.
    pub free: u64,
    pub files: u64,
    pub files_free: u64,
    pub read_only: bool,
}

/// Bytes and packets since the start, all interfaces but the loopback together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub received: u64,
    pub sent: u64,
    pub errors: u64,
    pub dropped: u64,
    /// Segments that TCP sent again.
    pub retransmitted: u64,
}

/// A TCP connection, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub local: (IpAddr, u16),
    pub remote: (IpAddr, u16),
    pub state: ConnectionState,
    /// Bytes that wait to be sent, or to be read.
    pub send_queue: u64,
    pub receive_queue: u64,
    pub pid: Option<u32>,
}

/// As the kernel calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    Established,
    /// Asked for, and not answered yet.
    SynSent,
    SynReceived,
    /// The other side hung up, and the program has not.
    CloseWait,
    TimeWait,
    Other,
}

/// A certificate that a port of the container showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub port: u16,
    pub subject: String,
    pub names: Vec<String>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// Another container that shares a network with this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbour {
    pub name: String,
    pub id: String,
    /// How others call it: its name and aliases.
    pub names: Vec<String>,
    pub addresses: Vec<IpAddr>,
    pub running: bool,
    /// Since when it does not run.
    pub stopped_at: Option<Timestamp>,
    pub exit_code: Option<i64>,
    pub oom_killed: bool,
    /// Its companion, where it has one.
    pub companion: Option<String>,
    /// TCP ports it listens on, as far as they are known.
    pub ports: Vec<u16>,
}

impl Disk {
    /// Whether next to nothing can be written any more: less than a hundredth, or no further file.
    pub fn is_full(&self) -> bool {
        self.size > 0 && self.free < self.size / 100 || self.files > 0 && self.files_free == 0
    }
}
