//! A look inside a container that needs no shell in it: what runs, what is connected, what lies where.
//!
//! Nothing is run in the container and nothing of it is changed. Paths are the container's own: they are opened
//! below its root by the kernel, which lets no link lead out of it. What looks like a secret is not shown.

mod archive;
mod files;
mod secret;

use ergon_engine::{ContainerState, Engine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Observation;
use crate::local::LocalContainer;
use crate::observation::{Connection, ConnectionState};
use crate::redact::Redactor;

pub use files::Refusal;

/// More connections than this are not shown.
const MOST_CONNECTIONS: usize = 500;
/// No path is longer.
const LONGEST_PATH: usize = 4096;

/// What is inside a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Inside {
    pub container: String,
    /// RFC 3339: when it was looked at.
    pub time: String,
    /// Where it was read: `proc` (this machine's own files) or `engine`.
    pub from: String,
    pub processes: Vec<InsideProcess>,
    pub sockets: Vec<InsideSocket>,
    /// Names of variables of its environment; the values are not shown.
    pub environment: Vec<String>,
    /// What lies at the path that was asked for.
    pub place: Place,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InsideProcess {
    /// As the host numbers it.
    pub pid: u32,
    pub parent: u32,
    /// `R`, `S`, `D`, `Z`, …
    pub state: String,
    /// Its arguments, without secrets.
    pub command: String,
    /// How deep it stands in the tree.
    pub depth: u32,
}

/// A TCP socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InsideSocket {
    /// `listen`, `established`, `syn-sent`, …
    pub state: String,
    pub local: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

/// What lies at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// As the container sees it.
    pub path: String,
    /// `folder`, `file`, or what else it is; `hidden` for what looks like a secret.
    pub kind: String,
    /// Bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What is in a folder, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
    /// The first lines of a file, without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// There is more than is shown.
    #[serde(default)]
    pub is_cut: bool,
    /// Why nothing of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something in a folder.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub struct Entry {
    pub name: String,
    /// `folder`, `file`, `link`, …
    pub kind: String,
    pub size: u64,
    /// `rwxr-xr-x`.
    pub mode: String,
    pub user: u32,
    pub group: u32,
    /// RFC 3339: when it was last changed.
    pub changed: String,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Looks inside a container that was just observed, and at what lies at a path in it.
///
/// # Errors
/// Where the path is none, or nothing is there, or it may not be read.
pub async fn look_inside(
    engine: &Engine,
    observation: &Observation,
    path: &str,
) -> Result<Inside, Refusal> {
    let path = absolute(path)?;
    let Some(state) = observation.state() else {
        return Err(Refusal::Unseen);
    };
    let redactor = Redactor::new(&state.env);
    let local = local(engine, state);
    let from = if local.is_some() { "proc" } else { "engine" };
    let place = match local {
        Some(pid) => {
            let work = move || files::place(pid, &path, &redactor);
            // A file system whose server is away answers nobody.
            tokio::task::spawn_blocking(work)
                .await
                .map_err(|error| Refusal::Unreadable(error.to_string()))??
        }
        None => archive::place(engine, &state.id, &path, &redactor).await?,
    };
    Ok(Inside {
        container: state.name.clone(),
        time: Timestamp::now().to_string(),
        from: from.to_owned(),
        processes: processes(observation),
        sockets: sockets(observation),
        environment: state.env.keys().cloned().collect(),
        place,
    })
}

/// Process 1, where its root can be reached through this machine's `/proc`.
fn local(engine: &Engine, state: &ContainerState) -> Option<u32> {
    let pid = state.pid.filter(|_| engine.is_local())?;
    LocalContainer::find(pid, &state.id)?;
    files::can_enter(pid).then_some(pid)
}

/// A path that begins at the container's root.
fn absolute(path: &str) -> Result<String, Refusal> {
    let path = if path.is_empty() { "/" } else { path };
    if !path.starts_with('/') || path.len() > LONGEST_PATH || path.contains('\0') {
        return Err(Refusal::Path(path.chars().take(100).collect()));
    }
    Ok(path.to_owned())
}

/// The tree, each process below its parent.
fn processes(observation: &Observation) -> Vec<InsideProcess> {
    let all = &observation.processes;
    let is_root = |pid: u32| all.iter().all(|other| other.pid != pid);
    let mut told = Vec::new();
    let mut waiting: Vec<(usize, u32)> = (0..all.len())
        .rev()
        .filter(|at| is_root(all[*at].parent) || all[*at].parent == all[*at].pid)
        .map(|at| (at, 0))
        .collect();
    let mut is_told = vec![false; all.len()];
    while let Some((at, depth)) = waiting.pop() {
        if std::mem::replace(&mut is_told[at], true) {
            continue;
        }
        let process = &all[at];
        let command = if process.command.is_empty() {
            format!("[{}]", process.name)
        } else {
            process.command.join(" ")
        };
        told.push(InsideProcess {
            pid: process.pid,
            parent: process.parent,
            state: process.state.to_string(),
            command,
            depth,
        });
        let children = (0..all.len())
            .rev()
            .filter(|child| all[*child].parent == process.pid);
        waiting.extend(children.map(|child| (child, depth + 1)));
    }
    told
}

fn sockets(observation: &Observation) -> Vec<InsideSocket> {
    let listeners = observation.listeners.iter().flatten();
    let listening = listeners.map(|listener| InsideSocket {
        state: "listen".to_owned(),
        local: format!(
            "{}:{}",
            if listener.loopback { "127.0.0.1" } else { "*" },
            listener.port
        ),
        remote: None,
        pid: listener.pid,
    });
    let connected = |connection: &Connection| InsideSocket {
        state: match connection.state {
            ConnectionState::Established => "established",
            ConnectionState::SynSent => "syn-sent",
            ConnectionState::SynReceived => "syn-received",
            ConnectionState::CloseWait => "close-wait",
            ConnectionState::TimeWait => "time-wait",
            ConnectionState::Other => "closing",
        }
        .to_owned(),
        local: std::net::SocketAddr::from(connection.local).to_string(),
        remote: Some(std::net::SocketAddr::from(connection.remote).to_string()),
        pid: connection.pid,
    };
    let connections = observation
        .signals
        .connections
        .iter()
        .take(MOST_CONNECTIONS);
    listening.chain(connections.map(connected)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Process, Sight};
    use crate::{History, Subject};

    #[test]
    fn only_a_whole_path_is_one() {
        assert_eq!(absolute("").ok().as_deref(), Some("/"));
        assert_eq!(absolute("/etc").ok().as_deref(), Some("/etc"));
        for path in ["etc", "../etc", "/a\0b", &format!("/{}", "x".repeat(5000))] {
            assert!(absolute(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn processes_stand_below_their_parents_and_no_circle_is_walked_twice() {
        let mut observation = Observation::empty(
            Timestamp::UNIX_EPOCH,
            Subject::default(),
            Sight::Gone,
            History::default(),
        );
        let process = |(pid, parent): (u32, u32)| Process {
            pid,
            parent,
            state: 'S',
            name: "it".to_owned(),
            ..Process::default()
        };
        let all = [
            (10, 1),
            (11, 10),
            (12, 10),
            (13, 11),
            (20, 21),
            (21, 20),
            (30, 30),
        ];
        observation.processes = all.map(process).to_vec();
        let told: Vec<(u32, u32)> = processes(&observation)
            .iter()
            .map(|process| (process.pid, process.depth))
            .collect();
        assert_eq!(told, [(10, 0), (11, 1), (13, 2), (12, 1), (30, 0)]);
    }
}
