//! Files of a running container, through the root of its process 1.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use jiff::Timestamp;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, fstatfs, open, openat2,
    readlinkat, statat,
};
use rustix::io::Errno;

use super::{Entry, Place, secret};
use crate::redact::{KeyLines, Redactor, hide_headless};
use crate::words;

/// So many entries of a folder are shown.
const MOST_ENTRIES: usize = 500;
/// So many bytes of a file are read, and so many lines of them shown, each no longer than this.
const MOST_BYTES: u64 = 64 << 10;
const MOST_LINES: usize = 200;
const LONGEST_LINE: usize = 1000;
/// File systems of the kernel's own, by their magic numbers: `/proc`, `/sys`, cgroups, debugging.
const OF_THE_KERNEL: [u64; 8] = [
    0x9fa0,
    0x6265_6572,
    0x6367_7270,
    0x0027_e0eb,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
];

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("`{0}` is no path of a container: it begins with / and is no longer than 4096 letters")]
    Path(String),
    #[error("nothing is at {0} in the container")]
    Missing(String),
    #[error("the container cannot be seen now")]
    Unseen,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// The container's root, which belongs to whoever is process 1 at this moment.
fn root(pid: u32) -> Result<OwnedFd, Errno> {
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(format!("/proc/{pid}/root"), folder, Mode::empty())
}

/// Whether we may look there: only root and the same user may.
pub(super) fn can_enter(pid: u32) -> bool {
    root(pid).is_ok_and(|root| fstat(root).is_ok())
}

/// What lies at a path.
pub(super) fn place(pid: u32, path: &str, redactor: &Redactor) -> Result<Place, Refusal> {
    let root = root(pid).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    place_below(root.as_fd(), path, redactor)
}

/// The kernel resolves the path below the root: neither `..` nor a link leads out, and no link of the kernel's own
/// (`/proc/1/root`) is followed.
fn resolve(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let below = path.trim_start_matches('/');
    let below = if below.is_empty() { "." } else { below };
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    openat2(
        root,
        below,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        how,
    )
}

pub(super) fn place_below(
    root: BorrowedFd<'_>,
    path: &str,
    redactor: &Redactor,
) -> Result<Place, Refusal> {
    let refused = |error: Errno| match error {
        Errno::NOENT | Errno::NOTDIR => Refusal::Missing(path.to_owned()),
        other => Refusal::Unreadable(other.to_string()),
    };
    // Only looked at first: to open a pipe or a device could wait, or do something.
    let found = resolve(root, path).map_err(refused)?;
    let stat = fstat(&found).map_err(refused)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let mut place = Place {
        path: path.to_owned(),
        kind: word(kind).to_owned(),
        ..Place::default()
    };
    let is_folder = kind == FileType::Directory;
    if kind == FileType::RegularFile {
        place.size = u64::try_from(stat.st_size).ok();
    } else if !is_folder {
        place.reason = Some("it is no file that could be read".to_owned());
        return Ok(place);
    }
    if of_the_kernel(&found) && !is_folder {
        place.reason =
            Some("it is the kernel's, and could hold the environment of a process".to_owned());
        return Ok(place);
    }
    let real = real_path(root, &found).unwrap_or_default();
    if !is_folder && (secret::is_one(path) || secret::is_one(&real)) {
        "hidden".clone_into(&mut place.kind);
        place.reason = Some("it looks like a secret by its name, and is not shown".to_owned());
        return Ok(place);
    }
    // The very thing that was looked at, now to be read, whatever lies at the path by now.
    let itself = format!("/proc/self/fd/{}", found.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = open(itself, flags, Mode::empty()).map_err(refused)?;
    if is_folder {
        folder(&opened, &mut place).map_err(refused)?;
    } else {
        head(opened, redactor, &mut place)
            .map_err(|error| Refusal::Unreadable(error.to_string()))?;
    }
    Ok(place)
}

/// Where a link has led, as the container sees it.
fn real_path(root: BorrowedFd<'_>, found: &OwnedFd) -> Option<String> {
    let of = |fd: BorrowedFd<'_>| {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()?;
        Some(link.to_string_lossy().into_owned())
    };
    let (root, found) = (of(root)?, of(found.as_fd())?);
    let below = found
        .strip_prefix(root.trim_end_matches('/'))
        .unwrap_or(&found);
    Some(below.to_owned())
}

fn of_the_kernel(found: &OwnedFd) -> bool {
    // What cannot be told is not read either.
    fstatfs(found).map_or(true, |system| {
        let kind = u64::try_from(system.f_type).unwrap_or(0);
        OF_THE_KERNEL.contains(&kind)
    })
}

fn folder(opened: &OwnedFd, place: &mut Place) -> Result<(), Errno> {
    let mut entries = Dir::read_from(opened)?;
    while let Some(entry) = entries.read() {
        let Ok(entry) = entry else { break };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if place.entries.len() == MOST_ENTRIES {
            place.is_cut = true;
            break;
        }
        let Ok(stat) = statat(opened, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let target = (kind == FileType::Symlink)
            .then(|| readlinkat(opened, name, Vec::new()).ok())
            .flatten();
        place.entries.push(Entry {
            name: name.to_string_lossy().into_owned(),
            kind: word(kind).to_owned(),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode: rights(stat.st_mode),
            user: stat.st_uid,
            group: stat.st_gid,
            changed: changed(&stat),
            target: target.map(|target| target.to_string_lossy().into_owned()),
        });
    }
    place.entries.sort();
    Ok(())
}

fn head(opened: OwnedFd, redactor: &Redactor, place: &mut Place) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    File::from(opened)
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    show(&bytes, redactor, place);
    Ok(())
}

/// Shows the beginning of a file, as far as it is text.
pub(super) fn show(bytes: &[u8], redactor: &Redactor, place: &mut Place) {
    let most = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
    place.is_cut |= bytes.len() > most;
    let bytes = bytes.get(..most).unwrap_or(bytes);
    if bytes.contains(&0) {
        place.reason = Some("it is no text".to_owned());
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut keys = KeyLines::default();
    let mut lines: Vec<String> = text
        .lines()
        .take(MOST_LINES)
        .map(|line| words::cut(&redactor.clean(&keys.clean(line)), LONGEST_LINE))
        .collect();
    hide_headless(&mut lines);
    place.is_cut |= text.lines().count() > MOST_LINES;
    place.lines = lines;
}

const fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "folder",
        FileType::RegularFile => "file",
        FileType::Symlink => "link",
        FileType::Fifo => "pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Unknown => "unknown",
    }
}

/// `rwxr-xr-x`.
pub(super) fn rights(mode: u32) -> String {
    let bit = |shift: u32, letter: char| if mode >> shift & 1 == 1 { letter } else { '-' };
    (0..9)
        .rev()
        .map(|shift| bit(shift, ['x', 'w', 'r'][(shift % 3) as usize]))
        .collect()
}

fn changed(stat: &Stat) -> String {
    Timestamp::from_second(stat.st_mtime).map_or_else(|_| String::new(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A container's root, and something beside it that nobody may see.
    struct Container {
        keep: tempfile::TempDir,
        root: OwnedFd,
        folder: std::path::PathBuf,
    }

    fn container() -> Container {
        let keep = tempfile::tempdir().expect("a folder");
        std::fs::write(keep.path().join("outside.txt"), "of the host").expect("written");
        let folder = keep.path().join("root");
        for below in ["etc", "app", "run/secrets"] {
            std::fs::create_dir_all(folder.join(below)).expect("made");
        }
        std::fs::write(folder.join("etc/hostname"), "inside\n").expect("written");
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let root = open(&folder, flags, Mode::empty()).expect("opened");
        Container { keep, root, folder }
    }

    fn look(container: &Container, path: &str) -> Result<Place, Refusal> {
        place_below(container.root.as_fd(), path, &Redactor::default())
    }

    #[test]
    fn no_path_and_no_link_leads_out_of_the_container() {
        let container = container();
        let link =
            |target: &str, at: &str| symlink(target, container.folder.join(at)).expect("a link");
        link("../../outside.txt", "app/up");
        link("/etc/hostname", "app/name");
        link(
            container
                .keep
                .path()
                .join("outside.txt")
                .to_str()
                .expect("text"),
            "app/host",
        );
        link("/proc/self/root/etc/hostname", "app/magic");
        for path in [
            "/../outside.txt",
            "/../../outside.txt",
            "/app/up",
            "/app/host",
            "/app/../../outside.txt",
            "/app/magic",
        ] {
            assert!(
                matches!(look(&container, path), Err(Refusal::Missing(_))),
                "{path}"
            );
        }
        // An absolute link is one below the container's root.
        assert_eq!(
            look(&container, "/app/name").expect("read").lines,
            ["inside"]
        );
    }

    #[test]
    fn a_folder_is_listed_and_a_file_is_shown_from_its_beginning() {
        let container = container();
        symlink("hostname", container.folder.join("etc/name")).expect("a link");
        let etc = look(&container, "/etc").expect("read");
        let told: Vec<(&str, &str, Option<&str>)> = etc
            .entries
            .iter()
            .map(|entry| {
                (
                    entry.name.as_str(),
                    entry.kind.as_str(),
                    entry.target.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("hostname", "file", None),
                ("name", "link", Some("hostname"))
            ]
        );
        let long = "line\n".repeat(MOST_LINES + 1);
        std::fs::write(container.folder.join("app/long"), &long).expect("written");
        let shown = look(&container, "/app/long").expect("read");
        assert_eq!((shown.lines.len(), shown.is_cut), (MOST_LINES, true));
        std::fs::write(container.folder.join("app/binary"), b"\x7fELF\0\0").expect("written");
        let shown = look(&container, "/app/binary").expect("read");
        assert_eq!(
            (shown.lines.len(), shown.reason.as_deref()),
            (0, Some("it is no text"))
        );
    }

    #[test]
    fn secrets_are_not_shown_by_their_names_nor_by_what_they_say() {
        let container = container();
        let write = |path: &str, text: &str| {
            std::fs::write(container.folder.join(path), text).expect("written");
        };
        write("run/secrets/db", "hunter2hunter2");
        write(
            "app/config.ini",
            "[db]\npassword = hunter2hunter2\nhost = db\n",
        );
        write(
            "app/notes",
            "a\n-----BEGIN PRIVATE KEY-----\nQUJDREVG\n-----END PRIVATE KEY-----\nb\n",
        );
        symlink("/run/secrets/db", container.folder.join("app/innocent")).expect("a link");
        for path in ["/run/secrets/db", "/app/innocent"] {
            let place = look(&container, path).expect("found");
            assert_eq!(
                (place.kind.as_str(), place.lines.len()),
                ("hidden", 0),
                "{path}"
            );
        }
        assert_eq!(
            look(&container, "/app/config.ini").expect("read").lines,
            ["[db]", "password = •••", "host = db"]
        );
        assert_eq!(
            look(&container, "/app/notes").expect("read").lines,
            ["a", "•••", "•••", "•••", "b"]
        );
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let container = container();
        rustix::fs::mkfifoat(&container.root, "app/pipe", Mode::RWXU).expect("a pipe");
        let place = look(&container, "/app/pipe").expect("found");
        assert_eq!((place.kind.as_str(), place.lines.len()), ("pipe", 0));
    }

    #[test]
    fn what_the_kernel_tells_of_processes_is_not_read() {
        let root = open("/", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).expect("opened");
        let place = place_below(root.as_fd(), "/proc/self/environ", &Redactor::default());
        // Without magic links `/proc/self` is still a link to a number.
        let place = place.expect("found");
        assert_eq!(place.lines, [] as [&str; 0]);
        assert!(place.reason.is_some_and(|reason| reason.contains("kernel")));
    }

    #[test]
    fn rights_are_written_as_people_know_them() {
        assert_eq!(rights(0o755), "rwxr-xr-x");
        assert_eq!(rights(0o640), "rw-r-----");
    }
}
