//! Looks at a container through this machine's own `/proc` and cgroup files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cgroup::{self, Folder, Membership, Mounts, Version};
use crate::observation::{Listener, Memory, MemorySource, Process};
use crate::proc::{self, Socket, Stat};
use crate::redact::Redactor;

/// More processes than this are not looked at one by one.
const MOST_PROCESSES: usize = 512;
/// Cgroups inside the container's own are followed so deep.
const DEPTH: usize = 4;

/// A running container of this machine, found by its first process.
#[derive(Clone, Debug)]
pub(crate) struct LocalContainer {
    proc: PathBuf,
    pid: u32,
    folder: Folder,
}

impl LocalContainer {
    /// Finds the container's cgroup; nothing where the process is not of this machine or not the container's.
    pub(crate) fn find(pid: u32, container_id: &str) -> Option<Self> {
        let proc = PathBuf::from("/proc");
        let membership = Membership::parse(&read(&proc.join(pid.to_string()).join("cgroup"))?);
        if !membership.names(container_id) {
            return None;
        }
        let mounts = Mounts::parse(&read(&proc.join("self/mountinfo"))?);
        let folder = membership.folder(&mounts)?;
        folder.path.is_dir().then_some(Self { proc, pid, folder })
    }

    /// Memory as the kernel counts it.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let version = self.folder.version;
        let file = |name: &str| read(&self.folder.path.join(name));
        let usage = cgroup::number(&file(version.usage_file())?)?;
        let cache = file("memory.stat")
            .and_then(|text| cgroup::value(&text, version.cache_key()))
            .unwrap_or(0);
        let mut raw = format!("{} {usage}", version.usage_file());
        if cache > 0 {
            raw.push_str(&format!(", of which {} {cache}", version.cache_key()));
        }
        Some(Memory {
            used: usage.saturating_sub(cache),
            limit: file(version.limit_file()).and_then(|text| cgroup::limit(&text)),
            oom_kills: file(version.oom_file()).and_then(|text| cgroup::value(&text, "oom_kill")),
            source: MemorySource::Cgroup(self.folder.path.display().to_string()),
            raw,
        })
    }

    /// Whether no process is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        let mut pids = BTreeSet::new();
        members(&self.folder.path, DEPTH, &mut pids);
        pids.is_empty()
    }

    /// Nanoseconds of processor time.
    pub(crate) fn processor(&self) -> Option<u64> {
        match self.folder.version {
            Version::V1 => {
                cgroup::number(&read(&self.folder.cpuacct.as_ref()?.join("cpuacct.usage"))?)
            }
            Version::V2 => cgroup::value(&read(&self.folder.path.join("cpu.stat"))?, "usage_usec")
                .map(|us| us * 1000),
        }
    }

    /// The container's processes, and who of them listens where.
    pub(crate) fn processes(&self, redactor: &Redactor) -> (Vec<Process>, Option<Vec<Listener>>) {
        let mut pids = BTreeSet::new();
        members(&self.folder.path, DEPTH, &mut pids);
        let mut processes: Vec<Process> = pids
            .into_iter()
            .take(MOST_PROCESSES)
            .filter_map(|pid| self.process(pid, redactor))
            .collect();
        let sockets = self.sockets();
        let listeners = sockets.map(|sockets| self.listeners(&sockets, &mut processes));
        (processes, listeners)
    }

    fn process(&self, pid: u32, redactor: &Redactor) -> Option<Process> {
        let folder = self.proc.join(pid.to_string());
        let stat = Stat::parse(&read(&folder.join("stat"))?)?;
        let command = std::fs::read(folder.join("cmdline"))
            .map(|bytes| proc::arguments(&bytes))
            .unwrap_or_default();
        Some(Process {
            pid: stat.pid,
            parent: stat.parent,
            state: stat.state,
            name: stat.name,
            command: command
                .iter()
                .map(|argument| redactor.clean(argument))
                .collect(),
            ports: Vec::new(),
        })
    }

    fn sockets(&self) -> Option<Vec<Socket>> {
        let net = self.proc.join(self.pid.to_string()).join("net");
        let mut sockets = proc::listening(&read(&net.join("tcp"))?);
        // A kernel without IPv6 has no such file.
        sockets.extend(
            read(&net.join("tcp6"))
                .map(|text| proc::listening(&text))
                .unwrap_or_default(),
        );
        Some(sockets)
    }

    /// Joins listening sockets to processes by what their descriptors point to.
    fn listeners(&self, sockets: &[Socket], processes: &mut [Process]) -> Vec<Listener> {
        let by_inode: BTreeMap<u64, &Socket> = sockets
            .iter()
            .map(|socket| (socket.inode, socket))
            .collect();
        let mut owners: BTreeMap<u64, u32> = BTreeMap::new();
        for process in processes.iter_mut() {
            let descriptors = self.proc.join(process.pid.to_string()).join("fd");
            // Only root and the same user may look.
            let Ok(entries) = std::fs::read_dir(descriptors) else {
                continue;
            };
            let mut ports = BTreeSet::new();
            for entry in entries.flatten() {
                let Ok(link) = std::fs::read_link(entry.path()) else {
                    continue;
                };
                let inode = link.to_str().and_then(proc::socket_inode);
                if let Some((inode, socket)) =
                    inode.and_then(|inode| by_inode.get_key_value(&inode))
                {
                    owners.entry(*inode).or_insert(process.pid);
                    ports.insert(socket.port);
                }
            }
            process.ports = ports.into_iter().collect();
        }
        // With the host's network the table holds everybody's sockets: those of others are none of ours.
        let shares_host = same_network(&self.proc, self.pid);
        let mut listeners: Vec<Listener> = sockets
            .iter()
            .map(|socket| Listener {
                port: socket.port,
                loopback: socket.address.is_loopback(),
                pid: owners.get(&socket.inode).copied(),
            })
            .filter(|listener| !shares_host || listener.pid.is_some())
            .collect();
        listeners.sort_by_key(|listener| (listener.port, listener.loopback, listener.pid));
        listeners.dedup();
        listeners
    }
}

/// Adds the processes of a cgroup and of those below it.
fn members(folder: &Path, depth: usize, pids: &mut BTreeSet<u32>) {
    pids.extend(
        read(&folder.join("cgroup.procs"))
            .map(|text| proc::pids(&text))
            .unwrap_or_default(),
    );
    if depth == 0 || pids.len() > MOST_PROCESSES {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            members(&entry.path(), depth - 1, pids);
        }
    }
}

fn same_network(proc: &Path, pid: u32) -> bool {
    let namespace = |name: &str| std::fs::read_link(proc.join(name).join("ns/net")).ok();
    match (namespace("self"), namespace(&pid.to_string())) {
        (Some(own), Some(theirs)) => own == theirs,
        _ => false,
    }
}

/// A file of the kernel's; none that cannot be read, or is no text.
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
