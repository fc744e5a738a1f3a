//! Looks at a container through this machine's own `/proc` and cgroup files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cgroup::{self, Folders, Membership, Mounts};
use crate::observation::{
    Connection, Descriptors, Listener, Machine, Memory, MemorySource, Process, Signals, Traffic,
};
use crate::proc::{self, Socket, Stat};
use crate::redact::Redactor;
use crate::signals::{self, Gauges};

/// More processes than this are not looked at one by one.
const MOST_PROCESSES: usize = 512;
/// Cgroups inside the container's own are followed so deep.
const DEPTH: usize = 4;
/// More connections than this are not listed.
const MOST_CONNECTIONS: usize = 4096;
/// So many processes are told with their open files.
const FULLEST: usize = 5;

/// A running container of this machine, found by its first process.
#[derive(Clone, Debug)]
pub(crate) struct LocalContainer {
    proc: PathBuf,
    pid: u32,
    folders: Folders,
    /// Its network is the host's.
    shares_network: bool,
}

/// What was seen inside a container.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub processes: Vec<Process>,
    pub listeners: Option<Vec<Listener>>,
    pub signals: Signals,
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
        let folders = membership.folders(&mounts)?;
        let is_there = folders.memory.path.is_dir();
        is_there.then_some(Self {
            shares_network: same_network(&proc, pid),
            proc,
            pid,
            folders,
        })
    }

    /// Memory as the kernel counts it.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let version = self.folders.memory.version;
        let file = |name: &str| read(&self.folders.memory.path.join(name));
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
            source: MemorySource::Cgroup(self.folders.memory.path.display().to_string()),
            raw,
        })
    }

    /// Whether no process is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        let mut pids = BTreeSet::new();
        members(&self.folders.memory.path, DEPTH, &mut pids);
        pids.is_empty()
    }

    /// The files that are read again and again, held open.
    pub(crate) fn gauges(&self) -> Gauges {
        let network = (!self.shares_network).then(|| self.folder(self.pid).join("net"));
        Gauges::open(&self.folders, network.as_deref())
    }

    /// The container's processes, who of them listens where, and what else can be counted.
    pub(crate) fn look(&self, redactor: &Redactor) -> Seen {
        let mut pids = BTreeSet::new();
        members(&self.folders.memory.path, DEPTH, &mut pids);
        self.add_ended(&mut pids);
        let mut processes: Vec<Process> = pids
            .into_iter()
            .take(MOST_PROCESSES)
            .filter_map(|pid| self.process(pid, redactor))
            .collect();
        let sockets = self.sockets();
        let by_inode: BTreeMap<u64, &Socket> = sockets
            .iter()
            .flatten()
            .filter(|socket| socket.inode != 0)
            .map(|socket| (socket.inode, socket))
            .collect();
        let mut owners: BTreeMap<u64, u32> = BTreeMap::new();
        let mut opened: Vec<(u64, usize)> = Vec::new();
        for (at, process) in processes.iter_mut().enumerate() {
            if let Some(open) = self.descriptors(process, &by_inode, &mut owners) {
                opened.push((open, at));
            }
        }
        let listeners = sockets
            .as_ref()
            .map(|sockets| self.listeners(sockets, &owners));
        let gauges = self.gauges();
        let signals = Signals {
            processor: gauges.processor(),
            pressure: gauges.pressures(),
            tasks: gauges.tasks(),
            descriptors: self.fullest(opened, &processes),
            disks: signals::disks(&self.folder(self.pid)),
            traffic: self.traffic(),
            connections: self.connections(sockets.as_deref().unwrap_or_default(), &owners),
            certificates: Vec::new(),
            machine: self.machine(),
        };
        Seen {
            processes,
            listeners,
            signals,
        }
    }

    /// The ports others can reach; nothing where they cannot be told from those of the host.
    pub(crate) fn ports(&self) -> Option<Vec<u16>> {
        if self.shares_network {
            return None;
        }
        let ports: BTreeSet<u16> = self
            .sockets()?
            .iter()
            .filter(|socket| socket.state.is_none() && !socket.local.0.is_loopback())
            .map(|socket| socket.local.1)
            .collect();
        Some(ports.into_iter().collect())
    }

    fn folder(&self, pid: u32) -> PathBuf {
        self.proc.join(pid.to_string())
    }

    /// Adds processes that ended and that nobody has collected: a cgroup does not list them any more.
    fn add_ended(&self, pids: &mut BTreeSet<u32>) {
        let mut ended = BTreeSet::new();
        for pid in pids.iter().take(MOST_PROCESSES) {
            let Ok(threads) = std::fs::read_dir(self.folder(*pid).join("task")) else {
                continue;
            };
            for thread in threads.flatten().take(MOST_PROCESSES) {
                let children = read(&thread.path().join("children")).unwrap_or_default();
                let children = children
                    .split_ascii_whitespace()
                    .filter_map(|child| child.parse().ok());
                ended.extend(
                    children
                        .filter(|child| !pids.contains(child))
                        .take(MOST_PROCESSES),
                );
            }
        }
        // Whoever was moved to another cgroup is alive, and none of this container's.
        ended.retain(|pid| {
            read(&self.folder(*pid).join("stat"))
                .and_then(|text| Stat::parse(&text))
                .is_some_and(|stat| stat.state == 'Z')
        });
        pids.extend(ended);
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
        let net = self.folder(self.pid).join("net");
        let mut sockets = proc::sockets(&read(&net.join("tcp"))?, MOST_CONNECTIONS);
        // A kernel without IPv6 has no such file.
        sockets.extend(
            read(&net.join("tcp6"))
                .map(|text| proc::sockets(&text, MOST_CONNECTIONS))
                .unwrap_or_default(),
        );
        Some(sockets)
    }

    /// Counts what a process has open, and notes which sockets are its own. Several may hold the same one.
    fn descriptors(
        &self,
        process: &mut Process,
        by_inode: &BTreeMap<u64, &Socket>,
        owners: &mut BTreeMap<u64, u32>,
    ) -> Option<u64> {
        // Only root and the same user may look.
        let entries = std::fs::read_dir(self.folder(process.pid).join("fd")).ok()?;
        let mut open = 0;
        let mut ports = BTreeSet::new();
        for entry in entries.flatten() {
            open += 1;
            let Ok(link) = std::fs::read_link(entry.path()) else {
                continue;
            };
            let inode = link.to_str().and_then(proc::socket_inode);
            if let Some((inode, socket)) = inode.and_then(|inode| by_inode.get_key_value(&inode)) {
                owners.entry(*inode).or_insert(process.pid);
                if socket.state.is_none() {
                    ports.insert(socket.local.1);
                }
            }
        }
        process.ports = ports.into_iter().collect();
        Some(open)
    }

    /// The processes that are nearest to their limit.
    fn fullest(&self, mut opened: Vec<(u64, usize)>, processes: &[Process]) -> Vec<Descriptors> {
        // Few have many; the limits of those with few matter little.
        opened.sort_unstable_by(|one, other| other.cmp(one));
        let mut fullest: Vec<Descriptors> = opened
            .into_iter()
            .take(4 * FULLEST)
            .filter_map(|(open, at)| {
                let process = processes.get(at)?;
                let limits = read(&self.folder(process.pid).join("limits"))?;
                Some(Descriptors {
                    pid: process.pid,
                    name: process.name.clone(),
                    open,
                    limit: proc::open_files_limit(&limits),
                })
            })
            .collect();
        let fullness = |process: &Descriptors| {
            let limit = process.limit.unwrap_or(u64::MAX).max(1);
            u128::from(process.open) * 10_000 / u128::from(limit)
        };
        fullest.sort_by_key(|process| std::cmp::Reverse((fullness(process), process.open)));
        fullest.truncate(FULLEST);
        fullest
    }

    /// What the machine has for it.
    fn machine(&self) -> Machine {
        let field = |path: PathBuf, name: &str| {
            let text = read(&path)?;
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        let memory = || {
            let kib = field(self.proc.join("meminfo"), "MemTotal:")?;
            let kib: u64 = kib.split(' ').next()?.parse().ok()?;
            kib.checked_mul(1024)
        };
        let status = self.folder(self.pid).join("status");
        Machine {
            processors: field(status, "Cpus_allowed_list:").and_then(|list| proc::count(&list)),
            memory: memory(),
        }
    }

    /// Bytes of its own network; with another's, they would be another's.
    fn traffic(&self) -> Option<Traffic> {
        if self.shares_network {
            return None;
        }
        let net = self.folder(self.pid).join("net");
        let snmp = read(&net.join("snmp")).unwrap_or_default();
        Some(signals::traffic(&read(&net.join("dev"))?, &snmp))
    }

    fn connections(&self, sockets: &[Socket], owners: &BTreeMap<u64, u32>) -> Vec<Connection> {
        sockets
            .iter()
            .filter_map(|socket| {
                Some(Connection {
                    local: socket.local,
                    remote: socket.remote,
                    state: socket.state?,
                    send_queue: socket.send_queue,
                    receive_queue: socket.receive_queue,
                    pid: owners.get(&socket.inode).copied(),
                })
            })
            // With the host's network the table holds everybody's connections.
            .filter(|connection| !self.shares_network || connection.pid.is_some())
            .collect()
    }

    fn listeners(&self, sockets: &[Socket], owners: &BTreeMap<u64, u32>) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = sockets
            .iter()
            .filter(|socket| socket.state.is_none())
            .map(|socket| Listener {
                port: socket.local.1,
                loopback: socket.local.0.is_loopback(),
                pid: owners.get(&socket.inode).copied(),
                waiting: u32::try_from(socket.receive_queue).unwrap_or(u32::MAX),
            })
            // With the host's network the table holds everybody's sockets: those of others are none of ours.
            .filter(|listener| !self.shares_network || listener.pid.is_some())
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
