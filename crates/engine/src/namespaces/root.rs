//! The file system a sandbox sees: the layers, and over them what a container of the engine has.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};

use super::inner::{Refusal, failed};
use super::spec::{
    INIT, INIT_WORK, LOWER, NETWORK, ROOT, SCRATCH, SandboxSpec, UPPER, WORK, lower_names,
    overlay_options,
};

/// What of this machine's devices a command may use.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Where programs expect what `/proc` knows.
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// What tells of this machine and nothing of the sandbox.
const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What may be read and not changed.
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// What the engine puts over every image before a container starts, where the image has nothing
/// there; the files, whatever the image has.
const SKELETON: [(&str, Skeleton); 10] = [
    ("dev/pts", Skeleton::Folder),
    ("dev/shm", Skeleton::Folder),
    ("dev/console", Skeleton::File),
    ("proc", Skeleton::Folder),
    ("sys", Skeleton::Folder),
    (".dockerenv", Skeleton::File),
    ("etc/hosts", Skeleton::File),
    ("etc/hostname", Skeleton::File),
    ("etc/resolv.conf", Skeleton::File),
    ("etc/mtab", Skeleton::Link("/proc/mounts")),
];

#[derive(Clone, Copy)]
enum Skeleton {
    Folder,
    File,
    Link(&'static str),
}

/// File systems that are made and not yet seen anywhere: they are opened while this machine's paths
/// can still be named, and put in place when nothing but the sandbox's can.
pub struct Root {
    mounts: Vec<(OwnedFd, String, Place)>,
    scratch: Vec<(String, String)>,
}

/// What is to stand where a file system is put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Folder,
    /// A folder of this machine's disk.
    SharedFolder,
    File,
    ReadOnlyFile,
    ReadOnlyFolder,
}

impl Root {
    /// Mounts the layers below the sandbox's folder, which becomes the working directory.
    pub fn prepare(spec: &SandboxSpec) -> Result<Self, Refusal> {
        std::env::set_current_dir(&spec.folder).map_err(failed("enter the sandbox's folder"))?;
        for folder in [UPPER, INIT, WORK, INIT_WORK, ROOT, LOWER, SCRATCH, NETWORK] {
            fs::create_dir(folder).map_err(failed("make the sandbox's folders"))?;
        }
        for (number, lower) in spec.lower.iter().enumerate() {
            symlink(lower, format!("{LOWER}/{number}"))
                .map_err(failed("name the sandbox's layers"))?;
        }
        let below = lower_names(spec.lower.len());
        mount_overlay(&below, INIT, INIT_WORK)?;
        lay_skeleton(Path::new(ROOT)).map_err(failed("lay out the mount points"))?;
        rustix::mount::unmount(ROOT, UnmountFlags::empty())
            .map_err(failed("lay out the mount points"))?;
        let below = if below.is_empty() {
            INIT.to_owned()
        } else {
            format!("{INIT}:{below}")
        };
        mount_overlay(&below, UPPER, WORK)?;
        let mut root = Self {
            mounts: Vec::new(),
            scratch: Vec::new(),
        };
        root.open_kernel()?;
        root.open_devices()?;
        root.open_network_files(spec)?;
        for (number, path) in spec.scratch.iter().enumerate() {
            let folder = format!("{SCRATCH}/{number}");
            fs::create_dir(&folder).map_err(failed("make scratch space"))?;
            root.clone_of(&folder, path, Place::SharedFolder)?;
            root.scratch.push((folder, path.clone()));
        }
        for bind in &spec.binds {
            let folder = Path::new(&bind.host).is_dir();
            let place = match (folder, bind.readonly) {
                (true, true) => Place::ReadOnlyFolder,
                (true, false) => Place::SharedFolder,
                (false, true) => Place::ReadOnlyFile,
                (false, false) => Place::File,
            };
            root.clone_of(&bind.host, &bind.container, place)?;
        }
        Ok(root)
    }

    /// Makes the layers this process's root, and puts everything in its place.
    pub fn enter(self, spec: &SandboxSpec) -> Result<(), Refusal> {
        for (folder, path) in &self.scratch {
            copy_scratch(Path::new(ROOT), path, Path::new(folder))
                .map_err(failed("fill scratch space"))?;
        }
        let entered = || -> Result<(), Errno> {
            rustix::process::chdir(ROOT)?;
            // The old root ends up over the new one, from where it is taken away.
            rustix::process::pivot_root(".", ".")?;
            rustix::mount::unmount(".", UnmountFlags::DETACH)?;
            rustix::process::chdir("/")
        };
        entered().map_err(failed("make the layers its root"))?;
        for (mount, path, place) in self.mounts {
            put(&mount, &path, place).map_err(|error| failed(&format!("mount {path}"))(error))?;
            if path == "/dev" {
                for (link, target) in DEVICE_LINKS {
                    symlink(target, link).map_err(failed("lay out /dev"))?;
                }
            }
        }
        if !spec.network {
            raise_loopback().map_err(failed("raise the loopback device"))?;
        }
        let sealed = || -> Result<(), Errno> {
            let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
            remount_read_only("/sys", flags)?;
            for path in READ_ONLY
                .into_iter()
                .filter(|path| Path::new(path).exists())
            {
                rustix::mount::mount_bind_recursive(path, path)?;
                remount_read_only(path, flags)?;
            }
            for path in MASKED {
                mask(Path::new(path))?;
            }
            Ok(())
        };
        sealed().map_err(failed("seal /proc and /sys"))
    }

    /// `/proc` and `/sys`, which show the namespaces this process is in.
    fn open_kernel(&mut self) -> Result<(), Refusal> {
        let closed = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let proc = filesystem("proc", &[], closed).map_err(failed("make /proc"))?;
        self.add(proc, "/proc", Place::Folder);
        let sys = filesystem("sysfs", &[], closed).map_err(failed("make /sys"))?;
        self.add(sys, "/sys", Place::Folder);
        Ok(())
    }

    fn open_devices(&mut self) -> Result<(), Refusal> {
        let make = |kind, options: &[(&str, &str)], flags| {
            filesystem(kind, options, MountAttrFlags::MOUNT_ATTR_NOSUID | flags)
                .map_err(failed("make /dev"))
        };
        let no_programs = MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let no_devices = MountAttrFlags::MOUNT_ATTR_NODEV;
        let small = ("size", "65536k");
        // A device file that a command makes stays closed; those below are this machine's own.
        let dev = make("tmpfs", &[small, ("mode", "755")], no_devices)?;
        self.add(dev, "/dev", Place::Folder);
        let terminals = [
            ("newinstance", ""),
            ("ptmxmode", "0666"),
            ("mode", "0620"),
            ("gid", "5"),
        ];
        let pts = make("devpts", &terminals, no_programs)?;
        self.add(pts, "/dev/pts", Place::Folder);
        let shm = make(
            "tmpfs",
            &[small, ("mode", "1777")],
            no_programs | no_devices,
        )?;
        self.add(shm, "/dev/shm", Place::Folder);
        let queues = make("mqueue", &[], no_programs | no_devices)?;
        self.add(queues, "/dev/mqueue", Place::Folder);
        for device in DEVICES {
            let path = format!("/dev/{device}");
            self.clone_of(&path, &path, Place::File)?;
        }
        Ok(())
    }

    /// What the engine writes for each container, so that the image's own is not asked.
    fn open_network_files(&mut self, spec: &SandboxSpec) -> Result<(), Refusal> {
        let resolver = if spec.network {
            fs::read("/etc/resolv.conf").unwrap_or_default()
        } else {
            Vec::new()
        };
        let files = [
            ("hosts", hosts(spec).into_bytes()),
            ("hostname", format!("{}\n", spec.hostname).into_bytes()),
            ("resolv.conf", resolver),
        ];
        for (name, content) in files {
            let path = format!("{NETWORK}/{name}");
            fs::write(&path, content)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)))
                .map_err(failed("write the network's files"))?;
            self.clone_of(&path, &format!("/etc/{name}"), Place::File)?;
        }
        Ok(())
    }

    fn add(&mut self, mount: OwnedFd, path: &str, place: Place) {
        self.mounts.push((mount, path.to_owned(), place));
    }

    /// What is seen at `host`, to be seen at `path`.
    fn clone_of(&mut self, host: &str, path: &str, place: Place) -> Result<(), Refusal> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let mount = rustix::mount::open_tree(CWD, host, flags)
            .map_err(|errno| failed(&format!("bind {host}"))(errno))?;
        self.add(mount, path, place);
        Ok(())
    }
}

fn hosts(spec: &SandboxSpec) -> String {
    let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n".to_owned();
    if spec.network {
        hosts.extend(["127.0.1.1\t", &spec.hostname, "\n"]);
    }
    hosts
}

fn mount_overlay(lower: &str, upper: &str, work: &str) -> Result<(), Refusal> {
    // An overlay has something below, and an image may have no layers.
    let lower = if lower.is_empty() { SCRATCH } else { lower };
    let options = CString::new(overlay_options(lower, upper, work))
        .map_err(|error| failed("mount the layers")(std::io::Error::other(error)))?;
    // Whoever may make device files in a layer may not open them.
    let flags = MountFlags::NODEV;
    rustix::mount::mount("overlay", ROOT, "overlay", flags, options.as_c_str())
        .map_err(failed("mount the layers with overlayfs"))
}

/// Lays the mount points over the image, as the engine does, so that the layers come out the same.
fn lay_skeleton(root: &Path) -> std::io::Result<()> {
    for (path, kind) in SKELETON {
        let mut prefix = root.to_owned();
        for part in Path::new(path) {
            prefix.push(part);
            match fs::remove_file(&prefix) {
                Err(error)
                    if !matches!(
                        error.kind(),
                        std::io::ErrorKind::IsADirectory | std::io::ErrorKind::NotFound
                    ) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        if prefix.exists() {
            continue;
        }
        if let Some(parent) = prefix.parent() {
            fs::create_dir_all(parent)?;
        }
        match kind {
            Skeleton::Folder => fs::create_dir(&prefix)?,
            Skeleton::File => {
                File::create(&prefix)?.set_permissions(fs::Permissions::from_mode(0o755))?;
            }
            Skeleton::Link(target) => symlink(target, &prefix)?,
        }
    }
    Ok(())
}

/// A file system of its own, seen nowhere yet.
fn filesystem(
    kind: &str,
    options: &[(&str, &str)],
    flags: MountAttrFlags,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in options {
        if value.is_empty() {
            rustix::mount::fsconfig_set_flag(context.as_fd(), *name)?;
        } else {
            rustix::mount::fsconfig_set_string(context.as_fd(), *name, *value)?;
        }
    }
    rustix::mount::fsconfig_create(context.as_fd())?;
    rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, flags)
}

/// Puts a file system in its place, which is made where there is none.
fn put(mount: &OwnedFd, path: &str, place: Place) -> std::io::Result<()> {
    match place {
        Place::Folder | Place::SharedFolder | Place::ReadOnlyFolder => fs::create_dir_all(path)?,
        Place::File | Place::ReadOnlyFile => {
            if fs::symlink_metadata(path).is_err() {
                if let Some(parent) = Path::new(path).parent() {
                    fs::create_dir_all(parent)?;
                }
                File::create_new(path)?;
            }
        }
    }
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    rustix::mount::move_mount(mount, "", CWD, path, flags)?;
    match place {
        Place::Folder | Place::File => {}
        // A device file that a command makes there would open this machine's devices.
        Place::SharedFolder => {
            rustix::mount::mount_remount(path, MountFlags::BIND | MountFlags::NODEV, c"")?;
        }
        Place::ReadOnlyFile | Place::ReadOnlyFolder => {
            remount_read_only(path, MountFlags::NOSUID | MountFlags::NODEV)?;
        }
    }
    Ok(())
}

fn remount_read_only(path: &str, flags: MountFlags) -> Result<(), Errno> {
    let flags = MountFlags::BIND | MountFlags::RDONLY | flags;
    rustix::mount::mount_remount(path, flags, c"")
}

/// Hides a file behind an empty one, a folder behind an empty one that stays so.
fn mask(path: &Path) -> Result<(), Errno> {
    let Ok(there) = fs::metadata(path) else {
        return Ok(());
    };
    if there.is_dir() {
        let nothing = filesystem("tmpfs", &[("size", "0")], MountAttrFlags::MOUNT_ATTR_RDONLY)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        rustix::mount::move_mount(&nothing, "", CWD, path, flags)
    } else {
        rustix::mount::mount_bind("/dev/null", path)
    }
}

/// Brings up the loopback device of this process's network, with no IPv6: what the engine gives a
/// container that has no network.
fn raise_loopback() -> std::io::Result<()> {
    for device in ["all", "default", "lo"] {
        // A kernel without IPv6 has nothing to turn off.
        let _ = fs::write(
            format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6"),
            "1",
        );
    }
    let up_and_loopback = "0x9";
    File::options()
        .write(true)
        .open("/sys/class/net/lo/flags")?
        .write_all(up_and_loopback.as_bytes())
}

/// Gives scratch space what the image has at its path: mostly only an owner and a mode.
fn copy_scratch(root: &Path, path: &str, to: &Path) -> std::io::Result<()> {
    let from = {
        let root = rustix::fs::open(root, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        // A link is followed within the image, never out of it.
        let resolve = rustix::fs::ResolveFlags::IN_ROOT | rustix::fs::ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            Ok(from) => from,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    };
    let to = rustix::fs::open(
        to,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    copy_folder(&from, &to)?;
    Ok(())
}

fn copy_folder(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    for entry in rustix::fs::Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let there = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match FileType::from_raw_mode(there.st_mode) {
            FileType::Directory => {
                rustix::fs::mkdirat(to, name, Mode::RWXU)?;
                let folders = [from, to].map(|folder| {
                    rustix::fs::openat(folder, name, read | OFlags::DIRECTORY, Mode::empty())
                });
                let [inner_from, inner_to] = folders;
                copy_folder(&inner_from?, &inner_to?)?;
            }
            FileType::RegularFile => {
                let source = rustix::fs::openat(from, name, read, Mode::empty())?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let copy = rustix::fs::openat(to, name, flags, Mode::RUSR | Mode::WUSR)?;
                std::io::copy(
                    &mut File::from(source),
                    &mut File::from(copy.try_clone().map_err(|_| Errno::IO)?),
                )
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
                rustix::fs::fchown(
                    &copy,
                    Some(rustix::fs::Uid::from_raw(there.st_uid)),
                    Some(rustix::fs::Gid::from_raw(there.st_gid)),
                )?;
                rustix::fs::fchmod(&copy, Mode::from_raw_mode(there.st_mode & 0o7777))?;
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(target.as_c_str(), to, name)?;
            }
            _ => {}
        }
    }
    let like = rustix::fs::fstat(from)?;
    rustix::fs::fchown(
        to,
        Some(rustix::fs::Uid::from_raw(like.st_uid)),
        Some(rustix::fs::Gid::from_raw(like.st_gid)),
    )?;
    rustix::fs::fchmod(to, Mode::from_raw_mode(like.st_mode & 0o7777))
}
