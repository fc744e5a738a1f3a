//! The files that are read every second. They are held open: opening costs ten times what reading does.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::network;
use crate::cgroup::{self, Folder, Folders, Version};
use crate::history::Reading;
use crate::observation::{Pressures, ProcessorUse, Tasks};

/// Longer files are read by the piece.
const PIECE: usize = 8 << 10;
/// No file of these is longer.
const LONGEST: usize = 256 << 10;

thread_local! {
    /// Every file is read into the same place.
    static PAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A container's files, held open.
#[derive(Debug)]
pub(crate) struct Gauges {
    memory: Counted,
    memory_limit: Held,
    memory_kinds: Held,
    out_of_memory: Held,
    accounting: Counted,
    /// How often it was made to wait.
    throttling: Counted,
    quota: Held,
    /// v1 only: what the quota is a part of.
    period: Held,
    tasks: Held,
    tasks_limit: Held,
    blocks: Counted,
    pressures: [Held; 3],
    interfaces: Held,
    folder: PathBuf,
}

/// A file that may not be there.
#[derive(Debug, Default)]
struct Held(Option<File>);

/// A file whose words depend on the version.
#[derive(Debug)]
struct Counted {
    file: Held,
    version: Version,
}

impl Gauges {
    /// Opens what there is. `network` is the container's own `/proc/<pid>/net`; absent where it shares another's.
    pub(crate) fn open(folders: &Folders, network: Option<&Path>) -> Self {
        let memory = &folders.memory;
        let version = memory.version;
        let none = Folder {
            path: PathBuf::new(),
            version,
        };
        let or_none = |folder: &Option<Folder>| folder.clone().unwrap_or_else(|| none.clone());
        let accounting = or_none(&folders.accounting);
        let processor = or_none(&folders.processor);
        let tasks = or_none(&folders.tasks).path;
        let pressure = folders.pressure.clone().unwrap_or_default();
        let quota = match processor.version {
            Version::V1 => "cpu.cfs_quota_us",
            Version::V2 => "cpu.max",
        };
        Self {
            memory: Counted::open(memory, version.usage_file(), version.usage_file()),
            memory_limit: Held::open(&memory.path, version.limit_file()),
            memory_kinds: Held::open(&memory.path, "memory.stat"),
            out_of_memory: Held::open(&memory.path, version.oom_file()),
            accounting: Counted::open(&accounting, "cpuacct.usage", "cpu.stat"),
            throttling: Counted::open(&processor, "cpu.stat", "cpu.stat"),
            quota: Held::open(&processor.path, quota),
            period: Held::open(&processor.path, "cpu.cfs_period_us"),
            tasks: Held::open(&tasks, "pids.current"),
            tasks_limit: Held::open(&tasks, "pids.max"),
            blocks: Counted::open(
                &or_none(&folders.blocks),
                "blkio.throttle.io_service_bytes_recursive",
                "io.stat",
            ),
            pressures: ["cpu.pressure", "memory.pressure", "io.pressure"]
                .map(|name| Held::open(&pressure, name)),
            interfaces: network.map_or_else(Held::default, |network| Held::open(network, "dev")),
            folder: processor.path,
        }
    }

    /// One reading of what is remembered; nothing where the container is gone.
    pub(crate) fn read(&self, time: Timestamp) -> Option<Reading> {
        let usage = self.memory.file.number()?;
        let version = self.memory.version;
        let cache = self
            .memory_kinds
            .read(|text| cgroup::value(text, version.cache_key()))
            .unwrap_or(0);
        let throttling = self.throttling().unwrap_or_default();
        let traffic = self
            .interfaces
            .read(|text| Some(network::interfaces(text)))
            .unwrap_or_default();
        let blocks = self
            .blocks
            .file
            .read(|text| Some(cgroup::blocks(text, self.blocks.version)))
            .unwrap_or_default();
        Some(Reading {
            time,
            memory: usage.saturating_sub(cache),
            memory_limit: self.memory_limit.read(cgroup::limit),
            oom_kills: self
                .out_of_memory
                .read(|text| cgroup::value(text, "oom_kill")),
            processor: self.processor_time(),
            periods: throttling.periods,
            throttled_periods: throttling.throttled_periods,
            tasks: self.tasks.number(),
            received: traffic.received,
            sent: traffic.sent,
            blocks_read: blocks.0,
            blocks_written: blocks.1,
        })
    }

    /// Nanoseconds since the start.
    pub(crate) fn processor_time(&self) -> Option<u64> {
        match self.accounting.version {
            Version::V1 => self.accounting.file.number(),
            Version::V2 => self
                .accounting
                .file
                .read(|text| cgroup::value(text, "usage_usec"))
                .map(|microseconds| microseconds.saturating_mul(1000)),
        }
    }

    pub(crate) fn processor(&self) -> Option<ProcessorUse> {
        let used = self.processor_time()?;
        let quota = match self.throttling.version {
            Version::V1 => self
                .quota
                .number()
                .zip(self.period.number())
                .and_then(|(quota, period)| cgroup::share_of_second(quota, period)),
            Version::V2 => self.quota.read(cgroup::quota),
        };
        Some(ProcessorUse {
            used,
            quota,
            folder: self.folder.display().to_string(),
            ..self.throttling().unwrap_or_default()
        })
    }

    fn throttling(&self) -> Option<ProcessorUse> {
        let version = self.throttling.version;
        self.throttling.file.read(|text| {
            let throttled = match version {
                Version::V1 => cgroup::value(text, "throttled_time"),
                Version::V2 => cgroup::value(text, "throttled_usec")
                    .map(|microseconds| microseconds.saturating_mul(1000)),
            };
            Some(ProcessorUse {
                periods: cgroup::value(text, "nr_periods")?,
                throttled_periods: cgroup::value(text, "nr_throttled")?,
                throttled: throttled.unwrap_or(0),
                ..ProcessorUse::default()
            })
        })
    }

    pub(crate) fn pressures(&self) -> Pressures {
        let [processor, memory, disk] = self
            .pressures
            .each_ref()
            .map(|file| file.read(cgroup::pressure));
        Pressures {
            processor,
            memory,
            disk,
        }
    }

    pub(crate) fn tasks(&self) -> Option<Tasks> {
        Some(Tasks {
            now: self.tasks.number()?,
            limit: self.tasks_limit.read(cgroup::limit),
        })
    }
}

impl Counted {
    fn open(folder: &Folder, v1: &str, v2: &str) -> Self {
        let name = match folder.version {
            Version::V1 => v1,
            Version::V2 => v2,
        };
        Self {
            file: Held::open(&folder.path, name),
            version: folder.version,
        }
    }
}

impl Held {
    fn open(folder: &Path, name: &str) -> Self {
        if folder.as_os_str().is_empty() {
            return Self(None);
        }
        Self(File::open(folder.join(name)).ok())
    }

    fn number(&self) -> Option<u64> {
        self.read(cgroup::number)
    }

    /// Reads the file from its beginning, and understands it.
    fn read<T>(&self, understand: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let file = self.0.as_ref()?;
        PAGE.with_borrow_mut(|page| {
            let mut length = 0;
            loop {
                if page.len() < length + PIECE {
                    page.resize(length + PIECE, 0);
                }
                let at = u64::try_from(length).ok()?;
                match file.read_at(&mut page[length..], at) {
                    Ok(0) => break,
                    Ok(read) => length += read,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => return None,
                }
                if length > LONGEST {
                    return None;
                }
            }
            understand(std::str::from_utf8(page.get(..length)?).ok()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Pressure;

    fn folder(root: &Path, name: &str, version: Version, files: &[(&str, &str)]) -> Folder {
        let path = root.join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        for (file, text) in files {
            std::fs::write(path.join(file), text).expect("a file");
        }
        Folder { path, version }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    const PRESSURE: &str = "some avg10=2.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.25 avg60=0.00 avg300=0.00 total=1\n";

    #[test]
    fn v2_is_read_from_one_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let all = folder(
            root.path(),
            "scope",
            Version::V2,
            &[
                ("memory.current", "5000\n"),
                ("memory.max", "max\n"),
                ("memory.stat", "anon 1\ninactive_file 1000\n"),
                ("memory.events", "low 0\noom 2\noom_kill 3\n"),
                (
                    "cpu.stat",
                    "usage_usec 7\nuser_usec 4\nnr_periods 10\nnr_throttled 4\nthrottled_usec 9\n",
                ),
                ("cpu.max", "50000 100000\n"),
                ("pids.current", "12\n"),
                ("pids.max", "max\n"),
                ("io.stat", "254:0 rbytes=4096 wbytes=512 rios=1 wios=1\n"),
                ("cpu.pressure", PRESSURE),
            ],
        );
        let folders = Folders {
            memory: all.clone(),
            accounting: Some(all.clone()),
            processor: Some(all.clone()),
            tasks: Some(all.clone()),
            blocks: Some(all.clone()),
            pressure: Some(all.path.clone()),
        };
        let gauges = Gauges::open(&folders, None);
        let reading = gauges.read(at(9)).expect("a reading");
        let expected = Reading {
            time: at(9),
            memory: 4000,
            memory_limit: None,
            oom_kills: Some(3),
            processor: Some(7000),
            periods: 10,
            throttled_periods: 4,
            tasks: Some(12),
            received: 0,
            sent: 0,
            blocks_read: 4096,
            blocks_written: 512,
        };
        assert_eq!(reading, expected);
        let processor = gauges.processor().expect("a processor");
        assert_eq!(
            (processor.quota, processor.throttled),
            (Some(500_000_000), 9000)
        );
        assert_eq!(gauges.tasks().expect("tasks").limit, None);
        let pressure = Pressure {
            some: 250,
            full: 125,
        };
        assert_eq!(gauges.pressures().processor, Some(pressure));
        assert_eq!(gauges.pressures().memory, None);

        // What is held open is read anew.
        std::fs::write(all.path.join("memory.current"), "9000\n").expect("written");
        assert_eq!(gauges.read(at(10)).expect("a reading").memory, 8000);
    }

    #[test]
    fn v1_is_read_from_a_folder_for_each_controller() {
        let root = tempfile::tempdir().expect("a folder");
        let v1 = |name: &str, files: &[(&str, &str)]| folder(root.path(), name, Version::V1, files);
        let folders = Folders {
            memory: v1(
                "memory",
                &[
                    ("memory.usage_in_bytes", "5000\n"),
                    ("memory.limit_in_bytes", "67108864\n"),
                    ("memory.stat", "inactive_file 1\ntotal_inactive_file 1000\n"),
                    (
                        "memory.oom_control",
                        "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
                    ),
                ],
            ),
            accounting: Some(v1("cpuacct", &[("cpuacct.usage", "7000\n")])),
            processor: Some(v1(
                "cpu",
                &[
                    (
                        "cpu.stat",
                        "nr_periods 18\nnr_throttled 6\nthrottled_time 22454414\n",
                    ),
                    ("cpu.cfs_quota_us", "-1\n"),
                    ("cpu.cfs_period_us", "100000\n"),
                ],
            )),
            tasks: Some(v1("pids", &[("pids.current", "2\n"), ("pids.max", "50\n")])),
            blocks: None,
            pressure: None,
        };
        let gauges = Gauges::open(&folders, None);
        let reading = gauges.read(at(9)).expect("a reading");
        assert_eq!(
            (reading.memory, reading.memory_limit),
            (4000, Some(64 << 20))
        );
        assert_eq!(
            (reading.oom_kills, reading.processor),
            (Some(1), Some(7000))
        );
        let processor = gauges.processor().expect("a processor");
        assert_eq!((processor.quota, processor.throttled_periods), (None, 6));
        assert_eq!(processor.throttled, 22_454_414);
        assert_eq!(gauges.tasks().expect("tasks").limit, Some(50));
        assert_eq!(gauges.pressures(), Pressures::default());
    }

    #[test]
    fn a_folder_without_files_gives_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let folders = Folders {
            memory: folder(root.path(), "memory", Version::V2, &[]),
            accounting: None,
            processor: None,
            tasks: None,
            blocks: None,
            pressure: None,
        };
        let gauges = Gauges::open(&folders, None);
        assert_eq!(gauges.read(at(1)), None);
        assert_eq!(gauges.processor(), None);
        assert_eq!(gauges.tasks(), None);
    }
}
