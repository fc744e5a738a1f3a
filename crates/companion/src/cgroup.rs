//! A container's cgroup: where it is, and what its files say. Nothing here opens a file.
//!
//! Three layouts are in use: v2 alone, v1 alone, and the hybrid in which memory is counted by v1 and
//! an empty v2 tree stands beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::observation::Pressure;

/// Where cgroups are mounted, read from `/proc/self/mountinfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mounts {
    unified: Option<PathBuf>,
    /// v1's controllers: `memory`, `cpu`, …
    controllers: BTreeMap<String, PathBuf>,
}

/// The cgroup of one process, read from `/proc/<pid>/cgroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    unified: Option<String>,
    controllers: BTreeMap<String, String>,
}

/// A container's folders, each with the dialect of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folders {
    pub memory: Folder,
    /// Where processor time is counted.
    pub accounting: Option<Folder>,
    /// Where processor time is limited.
    pub processor: Option<Folder>,
    pub tasks: Option<Folder>,
    /// Where reads and writes of disks are counted.
    pub blocks: Option<Folder>,
    /// Where the time lost by waiting is told.
    pub pressure: Option<PathBuf>,
}

/// A folder to read, and in which dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    pub path: PathBuf,
    pub version: Version,
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
                    for controller in options.split(',') {
                        let known = mounts.controllers.entry(controller.to_owned());
                        known.or_insert_with(|| point.clone());
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
            for controller in controllers.split(',').filter(|name| !name.is_empty()) {
                let (controller, path) = (controller.to_owned(), path.to_owned());
                membership.controllers.insert(controller, path);
            }
        }
        membership
    }

    /// Whether this is the container's own cgroup, so that a process number of another machine, or one
    /// that was given away again, is not mistaken for it.
    pub(crate) fn names(&self, container_id: &str) -> bool {
        !container_id.is_empty()
            && self
                .controllers
                .get("memory")
                .into_iter()
                .chain(&self.unified)
                .any(|path| path.contains(container_id))
    }

    /// The container's folders; nothing where its memory is counted nowhere.
    pub(crate) fn folders(&self, mounts: &Mounts) -> Option<Folders> {
        let unified = mounts
            .unified
            .as_ref()
            .zip(self.unified.as_ref())
            .map(|(mount, path)| below(mount, path));
        let folder = |controller: &str| {
            let v1 = mounts
                .controllers
                .get(controller)
                .zip(self.controllers.get(controller))
                .map(|(mount, path)| Folder {
                    path: below(mount, path),
                    version: Version::V1,
                });
            let v2 = || {
                Some(Folder {
                    path: unified.clone()?,
                    version: Version::V2,
                })
            };
            v1.or_else(v2)
        };
        Some(Folders {
            memory: folder("memory")?,
            accounting: folder("cpuacct"),
            processor: folder("cpu"),
            tasks: folder("pids"),
            blocks: folder("blkio"),
            pressure: unified.clone(),
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

/// `some` and `full` of a pressure file, over the last ten seconds.
pub(crate) fn pressure(text: &str) -> Option<Pressure> {
    let share = |kind: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))?;
        let field = line
            .split(' ')
            .find_map(|field| field.strip_prefix("avg10="))?;
        hundredths(field)
    };
    Some(Pressure {
        some: share("some")?,
        // The kernel tells no `full` for the whole machine's processor.
        full: share("full").unwrap_or(0),
    })
}

/// `12.34` → 1234.
fn hundredths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.')?;
    let part = part
        .get(..2)
        .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
    whole
        .parse::<u32>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part.parse().ok()?)
}

/// Nanoseconds in a second out of v2's `cpu.max`: `50000 100000`, or `max 100000`.
pub(crate) fn quota(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    share_of_second(number(quota)?, number(period)?)
}

/// `quota` of every `period` as nanoseconds in a second.
pub(crate) fn share_of_second(quota: u64, period: u64) -> Option<u64> {
    let nanoseconds = u128::from(quota) * 1_000_000_000;
    u64::try_from(nanoseconds.checked_div(u128::from(period))?).ok()
}

/// Bytes read and written, of all disks together: v2's `io.stat`, v1's `blkio.*_service_bytes*`.
pub(crate) fn blocks(text: &str, version: Version) -> (u64, u64) {
    let (mut read, mut written) = (0_u64, 0_u64);
    for line in text.lines() {
        let mut words = line.split(' ').skip(1);
        match version {
            Version::V1 => match (words.next(), words.next().and_then(number)) {
                (Some("Read"), Some(bytes)) => read = read.saturating_add(bytes),
                (Some("Write"), Some(bytes)) => written = written.saturating_add(bytes),
                _ => {}
            },
            Version::V2 => {
                for word in words {
                    match word.split_once('=') {
                        Some(("rbytes", bytes)) => {
                            read = read.saturating_add(number(bytes).unwrap_or(0));
                        }
                        Some(("wbytes", bytes)) => {
                            written = written.saturating_add(number(bytes).unwrap_or(0));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    (read, written)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6e6a564c2e5b6bffeba362ae7b76323ba7f8e2f33d360deab817a2d724522416";
    const HYBRID_MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
    const V2_MOUNTS: &str =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn folders(mounts: &str, membership: &str) -> Option<Folders> {
        Membership::parse(membership).folders(&Mounts::parse(mounts))
    }

    fn v1(path: &str) -> Folder {
        Folder {
            path: Path::new("/sys/fs/cgroup").join(path).join(ID),
            version: Version::V1,
        }
    }

    #[test]
    fn the_hybrid_layout_counts_by_v1_and_tells_of_pressure_by_v2() {
        let membership = format!(
            "9:name=systemd:/docker/{ID}\n5:pids:/docker/{ID}\n4:memory:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n0::/docker/{ID}\n"
        );
        let folders = folders(HYBRID_MOUNTS, &membership).expect("folders");
        assert_eq!(folders.memory, v1("memory/docker"));
        assert_eq!(folders.accounting, Some(v1("cpu,cpuacct/docker")));
        assert_eq!(folders.processor, Some(v1("cpu,cpuacct/docker")));
        assert_eq!(folders.tasks, Some(v1("pids/docker")));
        let unified = Path::new("/sys/fs/cgroup/unified/docker").join(ID);
        assert_eq!(folders.pressure, Some(unified));
        assert!(Membership::parse(&membership).names(ID));
        assert!(!Membership::parse(&membership).names("ffff"));
        assert!(!Membership::parse(&membership).names(""));
    }

    #[test]
    fn v1_alone_tells_nothing_of_pressure() {
        let mounts = HYBRID_MOUNTS
            .lines()
            .filter(|line| !line.contains("cgroup2") && !line.contains("pids"))
            .collect::<Vec<_>>()
            .join("\n");
        let folders = folders(
            &mounts,
            &format!("4:memory:/docker/{ID}\n2:cpuacct,cpu:/docker/{ID}\n"),
        )
        .expect("folders");
        assert_eq!(folders.memory, v1("memory/docker"));
        assert_eq!(folders.processor, Some(v1("cpu,cpuacct/docker")));
        assert_eq!((folders.tasks, folders.pressure), (None, None));
    }

    #[test]
    fn the_unified_layout_is_v2() {
        let folders =
            folders(V2_MOUNTS, &format!("0::/system.slice/docker-{ID}.scope\n")).expect("folders");
        let path = Path::new("/sys/fs/cgroup/system.slice").join(format!("docker-{ID}.scope"));
        let folder = Folder {
            path: path.clone(),
            version: Version::V2,
        };
        assert_eq!(folders.memory, folder);
        assert_eq!(folders.accounting, Some(folder.clone()));
        assert_eq!(folders.blocks, Some(folder));
        assert_eq!(folders.pressure, Some(path));
    }

    #[test]
    fn a_path_that_climbs_is_not_followed() {
        assert_eq!(folders(V2_MOUNTS, "0::/../../docker/x\n"), None);
        assert_eq!(folders(V2_MOUNTS, "0::relative\n"), None);
    }

    #[test]
    fn pressure_is_of_the_last_ten_seconds() {
        let text = "some avg10=12.34 avg60=0.00 avg300=0.00 total=857523\nfull avg10=1.05 avg60=0.00 avg300=0.00 total=852634\n";
        assert_eq!(
            pressure(text),
            Some(Pressure {
                some: 1234,
                full: 105
            })
        );
        assert_eq!(
            pressure("some avg10=100.00 avg60=0.00\n"),
            Some(Pressure {
                some: 10000,
                full: 0
            })
        );
        for text in [
            "",
            "some",
            "some avg10=",
            "some avg10=x.yz",
            "full avg10=1.00",
        ] {
            assert_eq!(pressure(text), None, "{text}");
        }
    }

    #[test]
    fn a_quota_is_a_share_of_a_second() {
        assert_eq!(quota("50000 100000\n"), Some(500_000_000));
        assert_eq!(quota("250000 100000\n"), Some(2_500_000_000));
        assert_eq!(quota("max 100000\n"), None);
        assert_eq!(quota("1 0\n"), None);
    }

    #[test]
    fn blocks_of_all_disks_count_in_both_dialects() {
        let v1 = "254:0 Read 4096\n254:0 Write 512\n254:0 Sync 4608\n8:0 Read 4\nTotal 4612\n";
        assert_eq!(blocks(v1, Version::V1), (4100, 512));
        let v2 = "254:0 rbytes=4096 wbytes=512 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=4 wbytes=8 rios=0\n";
        assert_eq!(blocks(v2, Version::V2), (4100, 520));
        assert_eq!(blocks("nonsense", Version::V2), (0, 0));
    }

    #[test]
    fn what_makes_no_sense_gives_nothing() {
        for text in ["", "::", "4:memory", "\n\n", "x - y", "a b c / d - cgroup2"] {
            assert_eq!(folders(text, text), None, "{text}");
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
