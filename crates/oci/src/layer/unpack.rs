//! A layer as files in a folder, the way overlayfs wants to find it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, UTIME_OMIT, Uid,
    XattrFlags,
};
use rustix::io::Errno;

use super::is_portable_attribute;
use super::read::{Modified, read_dated_layer};
use super::{EntryKind, LayerEntry};
use crate::blobs::copy;
use crate::error::Error;

/// Which attribute tells overlayfs that a folder hides what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpaqueMark {
    /// `trusted.overlay.opaque`: what only a privileged mount can read and write.
    Trusted,
    /// `user.overlay.opaque`: for mounts with `userxattr`.
    User,
}

impl OpaqueMark {
    const fn name(self) -> &'static str {
        match self {
            Self::Trusted => "trusted.overlay.opaque",
            Self::User => "user.overlay.opaque",
        }
    }
}

/// Unpacks a layer into the empty folder `root`: owners, modes, times, attributes, hard links as they
/// are, whiteouts as overlayfs marks them.
///
/// No entry lands outside `root`: a link in the middle of a path is followed as a process whose root
/// directory is `root` would follow it.
pub fn unpack_layer(reader: impl Read, root: &Path, opaque: OpaqueMark) -> Result<(), Error> {
    let folder = rustix::fs::open(
        root,
        OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| Error::io("open", root)(errno.into()))?;
    let mut unpacking = Unpacking {
        root,
        folder,
        parent: None,
        folders: BTreeMap::new(),
        opaque,
    };
    read_dated_layer::<Error>(reader, |entry, modified, content| {
        unpacking.entry(&entry, modified, content)
    })?;
    unpacking.finish_folders()
}

struct Unpacking<'a> {
    root: &'a Path,
    folder: OwnedFd,
    /// The last folder something was put into: what follows is mostly put there too.
    parent: Option<(String, OwnedFd)>,
    /// Folders get their attributes at the end, when nothing is written into them any more.
    folders: BTreeMap<String, (LayerEntry<()>, Modified)>,
    opaque: OpaqueMark,
}

impl Unpacking<'_> {
    fn entry(
        &mut self,
        entry: &LayerEntry<()>,
        modified: Modified,
        content: &mut dyn Read,
    ) -> Result<(), Error> {
        let (parent, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        if entry.kind == EntryKind::OpaqueDirectory {
            let folder = self.below(&entry.path)?;
            return self.mark_opaque(&folder, &entry.path);
        }
        let parent = self.below(parent)?;
        let failed = |errno: Errno| self.failed(&entry.path, errno);
        if entry.kind == EntryKind::Directory {
            make_folder(&parent, name).map_err(failed)?;
            let key = entry.path.clone();
            self.folders.insert(key, (entry.clone(), modified));
            return Ok(());
        }
        remove(&parent, name).map_err(failed)?;
        // Where a folder was, nothing waits for a folder's attributes any more.
        if self.folders.remove(&entry.path).is_some() {
            let inside = format!("{}/", entry.path);
            while let Some((path, _)) = self.folders.range(inside.clone()..).next()
                && path.starts_with(&inside)
            {
                let path = path.clone();
                self.folders.remove(&path);
            }
            self.parent = None;
        }
        let failed = |errno: Errno| self.failed(&entry.path, errno);
        match &entry.kind {
            EntryKind::File { size, .. } => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = rustix::fs::openat(&parent, name, flags, Mode::RUSR | Mode::WUSR);
                let mut file = File::from(file.map_err(failed)?);
                let written = copy(
                    &mut content.take(*size),
                    &mut file,
                    "a layer",
                    self.root.join(&entry.path),
                )?;
                if written != *size {
                    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(Error::stream("read", "the layer")(error));
                }
                dress(&file, entry, modified).map_err(failed)
            }
            EntryKind::Symlink(target) => {
                rustix::fs::symlinkat(target.as_str(), &parent, name).map_err(failed)?;
                let owner = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::chownat(&parent, name, Some(owner.0), Some(owner.1), flags)
                    .and_then(|()| {
                        rustix::fs::utimensat(&parent, name, &timestamps(modified), flags)
                    })
                    .map_err(failed)
            }
            EntryKind::Hardlink(target) => {
                let (folder, target_name) = target.rsplit_once('/').unwrap_or(("", target));
                let target_parent = self.existing(folder).map_err(failed)?;
                let link = rustix::fs::linkat(
                    &target_parent,
                    target_name,
                    &parent,
                    name,
                    AtFlags::empty(),
                );
                match link {
                    Err(Errno::NOENT) => Err(Error::entry(
                        &entry.path,
                        format!("it is a hard link to `{target}`, which this layer does not hold"),
                    )),
                    link => link.map_err(failed),
                }
            }
            EntryKind::Whiteout => rustix::fs::mknodat(
                &parent,
                name,
                FileType::CharacterDevice,
                Mode::empty(),
                rustix::fs::makedev(0, 0),
            )
            .map_err(failed),
            EntryKind::Directory | EntryKind::OpaqueDirectory => Ok(()),
        }
    }

    /// The folder at `path`, made with its parents where the layer does not say what they are.
    fn below(&mut self, path: &str) -> Result<OwnedFd, Error> {
        let duplicate = |folder: &OwnedFd| {
            folder
                .try_clone()
                .map_err(Error::io("open", self.root.join(path)))
        };
        if let Some((known, folder)) = &self.parent
            && known == path
        {
            return duplicate(folder);
        }
        let folder = match self.existing(path) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => {
                let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
                let above = self.below(above)?;
                make_folder(&above, name)
                    .and_then(|()| self.existing(path))
                    .map_err(|errno| self.failed(path, errno))?
            }
            Err(errno) => return Err(self.failed(path, errno)),
        };
        self.parent = Some((path.to_owned(), duplicate(&folder)?));
        Ok(folder)
    }

    fn existing(&self, path: &str) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { "." } else { path };
        rustix::fs::openat2(
            &self.folder,
            path,
            OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    fn mark_opaque(&self, folder: &OwnedFd, path: &str) -> Result<(), Error> {
        reopen(folder.as_fd())
            .and_then(|folder| {
                rustix::fs::fsetxattr(&folder, self.opaque.name(), b"y", XattrFlags::empty())
            })
            .map_err(|errno| self.failed(path, errno))
    }

    /// Deepest first, so that no folder is written into after it got its time.
    fn finish_folders(&self) -> Result<(), Error> {
        for (path, (entry, modified)) in self.folders.iter().rev() {
            self.existing(path)
                .and_then(|folder| reopen(folder.as_fd()))
                .and_then(|folder| dress(&File::from(folder), entry, *modified))
                .map_err(|errno| self.failed(path, errno))?;
        }
        Ok(())
    }

    fn failed(&self, path: &str, errno: Errno) -> Error {
        match errno {
            Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::INVAL => {
                Error::entry(path, io::Error::from(errno).to_string())
            }
            errno => Error::io("unpack", self.root.join(path))(errno.into()),
        }
    }
}

/// A folder that can be changed, from one that only marks a place.
fn reopen(folder: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, ".", flags, Mode::empty())
}

/// Makes a folder, in the place of anything that is none.
fn make_folder(parent: &OwnedFd, name: &str) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(0o755);
    match rustix::fs::mkdirat(parent, name, mode) {
        Err(Errno::EXIST) => {
            let there = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(there.st_mode) == FileType::Directory {
                return Ok(());
            }
            remove(parent, name)?;
            rustix::fs::mkdirat(parent, name, mode)
        }
        made => made,
    }
}

/// Removes what an earlier entry of the same layer put there.
fn remove(parent: &OwnedFd, name: &str) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let folder = rustix::fs::openat(parent, name, flags, Mode::empty())?;
            for entry in rustix::fs::Dir::read_from(&folder)? {
                let entry = entry?;
                let inside = entry.file_name().to_string_lossy();
                if inside != "." && inside != ".." {
                    remove(&folder, &inside)?;
                }
            }
            rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
        }
        failed => failed,
    }
}

/// Owner, mode, attributes and time, in the order in which none undoes another.
fn dress(file: &File, entry: &LayerEntry<()>, modified: Modified) -> Result<(), Errno> {
    let owner = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    rustix::fs::fchown(file, Some(owner.0), Some(owner.1))?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(entry.mode))?;
    for (name, value) in &entry.xattrs {
        if is_portable_attribute(name) {
            rustix::fs::fsetxattr(file, name.as_str(), value, XattrFlags::empty())?;
        }
    }
    rustix::fs::futimens(file, &timestamps(modified))
}

fn timestamps(modified: Modified) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: modified.seconds,
            tv_nsec: modified.nanoseconds.into(),
        },
    }
}
