//! How much of the machine a sandbox may have, where this process may say so.
//!
//! The files are those of the kernel's documents `admin-guide/cgroup-v2.rst` and, for the first version,
//! `admin-guide/cgroup-v1/{memory,pids}.rst`. The first version is tried by the tests; the second is written after
//! its document only: no machine with it was at hand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A control group that is to be made, and what it limits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// The folder in which it is made.
    parent: PathBuf,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One hierarchy for everything.
    Unified,
    /// A hierarchy of the first version, for memory.
    Memory,
    /// A hierarchy of the first version, for the number of processes.
    Processes,
}

/// The control groups of a sandbox; gone when it is.
#[derive(Debug, Default)]
pub struct Groups {
    folders: Vec<(Kind, PathBuf)>,
}

impl Groups {
    /// Makes them under this process's own. What cannot be limited is said, not an error.
    pub fn make(name: &str, memory: Option<u64>, processes: u32) -> (Self, Vec<String>) {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let places = places(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        let mut groups = Self::default();
        let (mut has_memory, mut has_processes) = (memory.is_none(), false);
        for place in places {
            let folder = place.parent.join(format!("ergon-{name}"));
            let limits = limits(place.kind, memory, processes);
            match make(&place, &folder, &limits) {
                Ok(()) => {
                    has_memory |= place.kind != Kind::Processes;
                    has_processes |= place.kind != Kind::Memory;
                    groups.folders.push((place.kind, folder));
                }
                Err(_) => {
                    let _ = fs::remove_dir(&folder);
                }
            }
        }
        let mut unlimited = Vec::new();
        if !has_memory {
            unlimited.push("memory".to_owned());
        }
        if !has_processes {
            unlimited.push("processes".to_owned());
        }
        (groups, unlimited)
    }

    pub fn folders(&self) -> Vec<PathBuf> {
        self.folders.iter().map(|(_, path)| path.clone()).collect()
    }

    /// Whether the kernel ended a process for want of memory.
    pub fn ran_out_of_memory(&self) -> bool {
        self.folders.iter().any(|(kind, folder)| {
            let file = match kind {
                Kind::Unified => "memory.events",
                Kind::Memory => "memory.oom_control",
                Kind::Processes => return false,
            };
            fs::read_to_string(folder.join(file)).is_ok_and(|text| kills(&text) > 0)
        })
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for (_, folder) in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes this process a member of each group.
pub fn join(folders: &[PathBuf]) -> io::Result<()> {
    folders
        .iter()
        .try_for_each(|folder| fs::write(folder.join("cgroup.procs"), "0"))
}

fn make(place: &Place, folder: &Path, limits: &[(&str, String, bool)]) -> io::Result<()> {
    if place.kind == Kind::Unified {
        // At the root of the hierarchy nobody else may have done it; elsewhere it is not ours to do.
        let _ = fs::write(place.parent.join("cgroup.subtree_control"), "+memory +pids");
    }
    fs::create_dir(folder)?;
    for (file, value, needed) in limits {
        let written = fs::write(folder.join(file), value);
        if *needed {
            written?;
        }
    }
    Ok(())
}

/// The files to write, what into each, and whether there is no limit without it.
fn limits(kind: Kind, memory: Option<u64>, processes: u32) -> Vec<(&'static str, String, bool)> {
    let processes = processes.to_string();
    let bytes = memory.map(|bytes| bytes.to_string());
    match (kind, bytes) {
        (Kind::Unified, Some(bytes)) => vec![
            ("memory.max", bytes, true),
            ("memory.swap.max", "0".to_owned(), false),
            ("pids.max", processes, true),
        ],
        (Kind::Memory, None) => Vec::new(),
        (Kind::Memory, Some(bytes)) => vec![
            ("memory.limit_in_bytes", bytes.clone(), true),
            // There only where the kernel counts swap.
            ("memory.memsw.limit_in_bytes", bytes, false),
        ],
        (Kind::Unified, None) | (Kind::Processes, _) => vec![("pids.max", processes, true)],
    }
}

/// Where groups can be made: below this process's own in the first version; beside it in the
/// second, where a group with processes has no groups below it.
fn places(own: &str, mounts: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let kind = match controllers {
            "" => Kind::Unified,
            list if list.split(',').any(|name| name == "memory") => Kind::Memory,
            list if list.split(',').any(|name| name == "pids") => Kind::Processes,
            _ => continue,
        };
        let Some(folder) = folder(mounts, controllers, path) else {
            continue;
        };
        let parent = match kind {
            Kind::Unified if path != "/" => folder.parent().map(Path::to_owned).unwrap_or(folder),
            _ => folder,
        };
        places.push(Place { parent, kind });
    }
    places
}

/// Where the group `path` of a hierarchy is seen, by what `/proc/self/mountinfo` says.
fn folder(mounts: &str, controllers: &str, path: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let mut fields = filesystem.split(' ');
        let (kind, options) = (fields.next()?, fields.nth(1)?);
        let fits = if controllers.is_empty() {
            kind == "cgroup2"
        } else {
            kind == "cgroup"
                && controllers
                    .split(',')
                    .all(|name| options.split(',').any(|option| option == name))
        };
        // A container sees only a part of the hierarchy.
        let rest = Path::new(path).strip_prefix(root).ok().filter(|_| fits)?;
        Some(if rest.as_os_str().is_empty() {
            PathBuf::from(point)
        } else {
            Path::new(point).join(rest)
        })
    })
}

/// The number behind `oom_kill`.
fn kills(text: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(own: &str, mounts: &str) -> Vec<String> {
        places(own, mounts)
            .iter()
            .map(|place| format!("{:?} {}", place.kind, place.parent.display()))
            .collect()
    }

    #[test]
    fn in_the_first_version_groups_are_made_below_ones_own() {
        let own = "8:pids:/\n4:memory:/service/x\n2:cpu,cpuacct:/\n0::/\n";
        let mounts = "\
29 26 0:27 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
30 26 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 26 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
        let expected = [
            "Processes /sys/fs/cgroup/pids",
            "Memory /sys/fs/cgroup/memory/service/x",
            "Unified /sys/fs/cgroup/unified",
        ];
        assert_eq!(shown(own, mounts), expected);
    }

    #[test]
    fn in_the_second_version_groups_are_made_beside_ones_own() {
        let own = "0::/user.slice/app.scope\n";
        let mounts = "31 26 0:29 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        assert_eq!(shown(own, mounts), ["Unified /sys/fs/cgroup/user.slice"]);
    }

    #[test]
    fn a_container_sees_its_own_part() {
        let own = "4:memory:/docker/abc/inner\n";
        let mounts = "30 26 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        assert_eq!(shown(own, mounts), ["Memory /sys/fs/cgroup/memory/inner"]);
        assert_eq!(shown("4:memory:/elsewhere\n", mounts), [""; 0]);
    }

    #[test]
    fn kills_are_counted_in_both_versions() {
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2);
        assert_eq!(kills("low 0\noom 1\noom_kill 1\noom_group_kill 0\n"), 1);
        assert_eq!(kills(""), 0);
    }
}
