//! A container's cgroup: where it is, and what its files say. Nothing here opens a file.
//!
//! Three layouts are in use: v2 alone, v1 alone, and the hybrid in which memory is counted by v1 and
//! an empty v2 tree stands beside it.

use std::path::{Path, PathBuf};

/// Where cgroups are mounted, read from `/proc/self/mountinfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mounts {
    unified: Option<PathBuf>,
    memory: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
}

/// The cgroup of one process, read from `/proc/<pid>/cgroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    unified: Option<String>,
    memory: Option<String>,
    cpuacct: Option<String>,
}

/// The folder to read, and in which dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub path: PathBuf,
    pub version: Version,
    /// Where v1 counts processor time.
    pub cpuacct: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// A limit as large as v1's "none" is none.
const NO_LIMIT: u64 = 1 << 60;

impl Mounts {
    pub(crate) fn parse(mountinfo: &str) -> Self {
        let mut mounts = Self::default();
        for line in mountinfo.lines() {
            // `… root mount-point options [optional…] - type source super-options`
            let Some((before, after)) = line.split_once(" - ") else {
                continue;
            };
            let before: Vec<&str> = before.split(' ').collect();
            let after: Vec<&str> = after.split(' ').collect();
            let ([_, _, _, "/", point, ..], [kind, _, options, ..]) = (&before[..], &after[..])
            else {
                continue;
            };
            let point = PathBuf::from(point);
            match *kind {
                "cgroup2" => mounts.unified = mounts.unified.or(Some(point)),
                "cgroup" => {
                    for option in options.split(',') {
                        match option {
                            "memory" => mounts.memory = Some(point.clone()),
                            "cpuacct" => mounts.cpuacct = Some(point.clone()),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        mounts
    }
}

impl Membership {
    pub(crate) fn parse(text: &str) -> Self {
        let mut membership = Self::default();
        for line in text.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(number), Some(controllers), Some(path)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            // A path that climbs out of what we see cannot be followed.
            if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
                continue;
            }
            if number == "0" && controllers.is_empty() {
                membership.unified = Some(path.to_owned());
            }
            for controller in controllers.split(',') {
                match controller {
                    "memory" => membership.memory = Some(path.to_owned()),
                    "cpuacct" => membership.cpuacct = Some(path.to_owned()),
                    _ => {}
                }
            }
        }
        membership
    }

    /// Whether this is the container's own cgroup, so that a process number of another machine, or one
    /// that was given away again, is not mistaken for it.
    pub(crate) fn names(&self, container_id: &str) -> bool {
        !container_id.is_empty()
            && [&self.memory, &self.unified]
                .into_iter()
                .flatten()
                .any(|path| path.contains(container_id))
    }

    /// The folder that counts the container's memory.
    pub(crate) fn folder(&self, mounts: &Mounts) -> Option<Folder> {
        if let (Some(mount), Some(path)) = (&mounts.memory, &self.memory) {
            let cpuacct = mounts.cpuacct.as_ref().zip(self.cpuacct.as_ref());
            return Some(Folder {
                path: below(mount, path),
                version: Version::V1,
                cpuacct: cpuacct.map(|(mount, path)| below(mount, path)),
            });
        }
        let (mount, path) = (mounts.unified.as_ref()?, self.unified.as_ref()?);
        Some(Folder {
            path: below(mount, path),
            version: Version::V2,
            cpuacct: None,
        })
    }
}

fn below(mount: &Path, path: &str) -> PathBuf {
    mount.join(path.trim_start_matches('/'))
}

impl Version {
    pub(crate) const fn usage_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.usage_in_bytes",
            Self::V2 => "memory.current",
        }
    }

    pub(crate) const fn limit_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.limit_in_bytes",
            Self::V2 => "memory.max",
        }
    }

    pub(crate) const fn oom_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.oom_control",
            Self::V2 => "memory.events",
        }
    }

    /// The line of `memory.stat` with the file cache that can be given back.
    pub(crate) const fn cache_key(self) -> &'static str {
        match self {
            Self::V1 => "total_inactive_file",
            Self::V2 => "inactive_file",
        }
    }
}

/// A file that holds one number; `max` and v1's huge number are none.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// A limit; nothing where there is none.
pub(crate) fn limit(text: &str) -> Option<u64> {
    number(text).filter(|bytes| *bytes < NO_LIMIT)
}

/// The value of a line `key value`.
pub(crate) fn value(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| number(value))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6e6a564c2e5b6bffeba362ae7b76323ba7f8e2f33d360deab817a2d724522416";
    const HYBRID_MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
    const V2_MOUNTS: &str =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn folder(mounts: &str, membership: &str) -> Option<Folder> {
        Membership::parse(membership).folder(&Mounts::parse(mounts))
    }

    #[test]
    fn the_hybrid_layout_counts_memory_by_v1() {
        let membership = format!(
            "9:name=systemd:/docker/{ID}\n4:memory:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n0::/docker/{ID}\n"
        );
        let folder = folder(HYBRID_MOUNTS, &membership).expect("a folder");
        assert_eq!(
            folder.path,
            Path::new("/sys/fs/cgroup/memory/docker").join(ID)
        );
        assert_eq!(folder.version, Version::V1);
        assert_eq!(
            folder.cpuacct,
            Some(Path::new("/sys/fs/cgroup/cpu,cpuacct/docker").join(ID))
        );
        assert!(Membership::parse(&membership).names(ID));
        assert!(!Membership::parse(&membership).names("ffff"));
        assert!(!Membership::parse(&membership).names(""));
    }

    #[test]
    fn the_unified_layout_is_v2() {
        let folder =
            folder(V2_MOUNTS, &format!("0::/system.slice/docker-{ID}.scope\n")).expect("a folder");
        assert_eq!(
            folder.path,
            Path::new("/sys/fs/cgroup/system.slice").join(format!("docker-{ID}.scope"))
        );
        assert_eq!(folder.version, Version::V2);
    }

    #[test]
    fn a_path_that_climbs_is_not_followed() {
        assert_eq!(folder(V2_MOUNTS, "0::/../../docker/x\n"), None);
        assert_eq!(folder(V2_MOUNTS, "0::relative\n"), None);
    }

    #[test]
    fn what_makes_no_sense_gives_nothing() {
        for text in ["", "::", "4:memory", "\n\n", "x - y", "a b c / d - cgroup2"] {
            assert_eq!(folder(text, text), None, "{text}");
        }
        assert_eq!(number("12\n"), Some(12));
        assert_eq!(number("twelve"), None);
        assert_eq!(number("-1"), None);
    }

    #[test]
    fn no_limit_is_no_number() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit("67108864\n"), Some(64 << 20));
    }

    #[test]
    fn values_are_found_by_their_whole_name() {
        let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!(value(control, "oom_kill"), Some(3));
        assert_eq!(value(control, "oom"), None);
        assert_eq!(
            value("low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\n", "oom_kill"),
            Some(2)
        );
    }
}
