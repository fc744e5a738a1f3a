//! What a container writes to, and how full that is.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, fstat, fstatvfs, open, openat2};

use crate::observation::Disk;

/// More mounts are not looked at.
const MOST_DISKS: usize = 32;

/// A line of `/proc/<pid>/mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    point: String,
    kind: String,
    read_only: bool,
}

/// The disks of a container, as its own process 1 sees them. `process` is `/proc/<pid>`.
pub(crate) fn disks(process: &Path) -> Vec<Disk> {
    let Ok(mountinfo) = std::fs::read_to_string(process.join("mountinfo")) else {
        return Vec::new();
    };
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(root) = open(process.join("root"), folder, Mode::empty()) else {
        return Vec::new();
    };
    mounts(&mountinfo)
        .into_iter()
        .take(MOST_DISKS)
        .filter_map(|mount| disk(root.as_fd(), mount))
        .collect()
}

fn disk(root: BorrowedFd<'_>, mount: Mount) -> Option<Disk> {
    // The path is the container's: a link in it must not lead out of the container.
    let below = mount.point.trim_start_matches('/');
    let place = openat2(
        root,
        if below.is_empty() { "." } else { below },
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS,
    )
    .ok()?;
    // Single files (`/etc/hosts`) lie on the host's disk, and are not written to.
    let kind = fstat(&place).ok()?.st_mode;
    if rustix::fs::FileType::from_raw_mode(kind) != rustix::fs::FileType::Directory {
        return None;
    }
    let numbers = fstatvfs(&place).ok()?;
    Some(Disk {
        mount: mount.point,
        kind: mount.kind,
        size: numbers.f_blocks.saturating_mul(numbers.f_frsize),
        free: numbers.f_bavail.saturating_mul(numbers.f_frsize),
        files: numbers.f_files,
        files_free: numbers.f_favail,
        read_only: mount.read_only,
    })
}

/// Mounts a program keeps data on, each place once: whatever was mounted there last.
fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mut seen = BTreeSet::new();
    let mut mounts: Vec<Mount> = mountinfo
        .lines()
        .rev()
        .filter_map(mount)
        .filter(|mount| holds_data(mount) && seen.insert(mount.point.clone()))
        .collect();
    mounts.reverse();
    mounts
}

/// `id parent device root point options [optional…] - type source super-options`.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let (point, options) = (before.nth(4)?, before.next()?);
    let mut after = after.split(' ');
    let (kind, super_options) = (after.next()?, after.nth(1).unwrap_or_default());
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(Mount {
        point: plain(point),
        kind: kind.to_owned(),
        read_only: read_only(options) || read_only(super_options),
    })
}

fn holds_data(mount: &Mount) -> bool {
    // The root is this machine's own, whatever presents it.
    if mount.point == "/" {
        return true;
    }
    let below = |folder: &str| {
        mount
            .point
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if below("/proc") || below("/sys") || (below("/dev") && mount.point != "/dev/shm") {
        return false;
    }
    // Asking a file system whose server is away would never end.
    let far = ["nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs"];
    let unreal = ["proc", "sysfs", "cgroup", "devpts", "mqueue", "nsfs"];
    !far.iter()
        .chain(&unreal)
        .any(|kind| mount.kind.starts_with(kind))
}

/// The kernel writes a space as `\040`, and three other bytes likewise.
fn plain(text: &str) -> String {
    let [space, tab, newline, backslash] = ["\\040", "\\011", "\\012", "\\134"];
    text.replace(space, " ")
        .replace(tab, "\t")
        .replace(newline, "\n")
        .replace(backslash, "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = r"72 48 0:39 / / rw,relatime master:2 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d
73 72 0:42 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
74 72 0:43 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
76 72 0:45 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
77 76 0:46 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
88 74 0:47 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
89 72 254:0 /var/lib/docker/volumes/v/_data /my\040data rw,relatime master:1 - ext4 /dev/vda rw,discard
90 72 254:0 /x /etc/hosts rw,relatime - ext4 /dev/vda rw,discard
91 72 254:0 /x /config ro,relatime - ext4 /dev/vda rw
92 72 0:60 / /far rw,relatime - nfs4 host:/x rw
93 91 0:61 / /config rw,relatime - tmpfs tmpfs rw
";

    #[test]
    fn data_lies_on_the_root_shared_memory_and_volumes() {
        let found: Vec<(String, String, bool)> = mounts(MOUNTINFO)
            .into_iter()
            .map(|mount| (mount.point, mount.kind, mount.read_only))
            .collect();
        let expected = [
            ("/", "overlay", false),
            ("/dev/shm", "tmpfs", false),
            ("/my data", "ext4", false),
            // A single file, which only the disk knows.
            ("/etc/hosts", "ext4", false),
            ("/config", "tmpfs", false),
        ]
        .map(|(point, kind, read_only)| (point.to_owned(), kind.to_owned(), read_only));
        assert_eq!(found, expected);
    }

    #[test]
    fn our_own_disks_have_a_size() {
        let disks = disks(Path::new("/proc/self"));
        let root = disks.iter().find(|disk| disk.mount == "/");
        let root = root.expect("the root");
        assert!(root.size > root.free, "{root:?}");
        assert!(disks.iter().all(|disk| disk.mount != "/proc"));
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        for line in ["", " - ", "1 2 3 4 - ext4", "1 2 3 4 /x - "] {
            assert_eq!(mounts(line), [], "{line}");
        }
    }
}
