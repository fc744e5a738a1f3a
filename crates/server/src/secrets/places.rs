//! Where the files lie that containers read secrets from: in memory, for their program alone.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use ergon_detect::plan::RUN_USER;
use rustix::fs::statfs;

use super::value::SecretValue;

/// What a file system in memory calls itself.
const TMPFS: i64 = 0x0102_1994;
/// The folder of all stacks of a user.
const FOLDER: &str = "ergon-secrets";

/// The folders with the files, one for each container.
///
/// The folder above them is for the stack's user alone, so that on this machine nobody else gets to them. In a
/// container, they are its program's.
#[derive(Debug)]
pub struct Places {
    /// Absent: nothing on this machine is kept in memory only.
    root: Option<PathBuf>,
}

impl Places {
    /// In the first folder of the system's that is in memory and can be written to.
    pub fn find(stack: &str) -> Self {
        let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let systems = [PathBuf::from("/run"), PathBuf::from("/dev/shm")];
        let root = of_user
            .into_iter()
            .chain(systems)
            .filter(|folder| folder.is_absolute() && is_in_memory(folder))
            .find_map(|folder| {
                let user = rustix::process::geteuid().as_raw();
                let own = private(&folder.join(format!("{FOLDER}-{user}"))).ok()?;
                private(&own.join(stack)).ok()
            });
        Self { root }
    }

    #[cfg(test)]
    fn at(root: PathBuf) -> Self {
        Self { root: Some(root) }
    }

    /// Puts files where a container of this name finds them, and says in which folder. Files of before are replaced one
    /// by one: the folder stays the same for a container that has it already.
    pub fn put(&self, container: &str, files: &[(&str, &SecretValue)]) -> io::Result<PathBuf> {
        let folder = self.folder(container)?;
        create(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if files.iter().all(|(file, _)| name != *file) {
                fs::remove_file(entry.path())?;
            }
        }
        write(&folder, files)?;
        Ok(folder)
    }

    /// The folder that build steps are handed theirs below.
    pub fn for_steps(&self) -> io::Result<PathBuf> {
        self.root().map(Path::to_owned)
    }

    /// Whether a container's folder is there.
    #[cfg(test)]
    fn has(&self, container: &str) -> bool {
        self.folder(container).is_ok_and(|folder| folder.is_dir())
    }

    /// Removes what a container had.
    pub fn remove(&self, container: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.folder(container)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what is no container's any more, and what killed builds left.
    pub fn keep_only(&self, is_there: impl Fn(&str) -> bool) -> io::Result<()> {
        let Some(root) = &self.root else {
            return Ok(());
        };
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name.to_str().is_some_and(&is_there) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    fn root(&self) -> io::Result<&Path> {
        let nowhere = || {
            io::Error::new(
                io::ErrorKind::Unsupported,
                "this machine has no folder in memory: neither $XDG_RUNTIME_DIR, /run nor /dev/shm is one that can be written to",
            )
        };
        let root = self.root.as_deref().ok_or_else(nowhere)?;
        // What is in memory may be tidied up under a stack that has nothing there yet.
        if !root.exists() {
            if let Some(own) = root.parent() {
                private(own)?;
            }
            private(root)?;
        }
        Ok(root)
    }

    fn folder(&self, container: &str) -> io::Result<PathBuf> {
        let is_name = container.starts_with(|first: char| first.is_ascii_alphanumeric())
            && container
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_name {
            Ok(self.root()?.join(container))
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no name of a container",
            ))
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // Where nothing is in it, nothing is to be found again.
        if let Some(root) = &self.root {
            let _ = fs::remove_dir(root);
        }
    }
}

/// Writes each file whole, for the program alone, as far as this process may give files away.
fn write(folder: &Path, files: &[(&str, &SecretValue)]) -> io::Result<()> {
    let is_root = rustix::process::geteuid().is_root();
    // Who may not give files away leaves them to everybody who gets through the folder above.
    let (file_mode, folder_mode) = if is_root {
        (0o400, 0o500)
    } else {
        (0o444, 0o755)
    };
    for (name, value) in files {
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(folder)?;
        file.write_all(value.reveal())?;
        file.as_file()
            .set_permissions(Permissions::from_mode(file_mode))?;
        if is_root {
            chown(file.path(), Some(RUN_USER), Some(RUN_USER))?;
        }
        file.persist(folder.join(name))
            .map_err(|failed| failed.error)?;
    }
    if is_root {
        chown(folder, Some(RUN_USER), Some(RUN_USER))?;
    }
    fs::set_permissions(folder, Permissions::from_mode(folder_mode))
}

/// A folder that this user alone can look into, unless something is there already.
fn create(folder: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A folder for this user alone. What somebody else put there is not used: not a link, not their folder.
fn private(folder: &Path) -> io::Result<PathBuf> {
    create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    let is_ours = found.is_dir()
        && found.uid() == rustix::process::geteuid().as_raw()
        && found.mode().trailing_zeros() >= 6;
    if is_ours {
        Ok(folder.to_owned())
    } else {
        tracing::warn!(folder = %folder.display(), "a folder that is not this user's alone is not used for secrets");
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| found.f_type == TMPFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.as_bytes().to_vec()).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_folder_that_was_tidied_up_is_made_again() {
        let memory = tempfile::tempdir().unwrap();
        let own = private(&memory.path().join("ergon-secrets-0")).unwrap();
        let places = Places::at(own.join("stack"));
        fs::remove_dir(&own).unwrap();
        let folder = places.put("web", &[("a", &value("one"))]).unwrap();
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"one");
        assert_eq!(mode(folder.parent().unwrap()), 0o700);
    }

    #[test]
    fn a_container_finds_its_files_and_nobody_else_does() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::at(root.path().to_owned());
        let (a, b) = (value("one"), value("two"));
        let folder = places.put("web", &[("a", &a), ("b", &b)]).unwrap();
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"one");
        if rustix::process::geteuid().is_root() {
            assert_eq!((mode(&folder), mode(&folder.join("a"))), (0o500, 0o400));
            assert_eq!(fs::metadata(folder.join("a")).unwrap().uid(), RUN_USER);
        }
        let again = places.put("web", &[("b", &a)]).unwrap();
        assert_eq!(again, folder);
        assert!(!folder.join("a").exists());
        assert_eq!(fs::read(folder.join("b")).unwrap(), b"one");
        places.put("other", &[("a", &a)]).unwrap();
        places.keep_only(|name| name == "web").unwrap();
        assert!(places.has("web") && !places.has("other"));
        places.remove("web").unwrap();
        places.remove("web").unwrap();
        assert!(!places.has("web"));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::at(root.path().to_owned());
        for name in ["", ".", "..", "../x", "a/b", "/etc", ".step-1", "a\0"] {
            assert!(places.put(name, &[("a", &value("one"))]).is_err(), "{name}");
            assert!(places.remove(name).is_err(), "{name}");
        }
        let nowhere = Places { root: None };
        assert!(nowhere.put("web", &[]).is_err() && nowhere.keep_only(|_| true).is_ok());
    }

    #[test]
    fn what_somebody_else_put_there_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        let (link, open) = (root.path().join("link"), root.path().join("open"));
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        assert!(private(&link).is_err() && private(&open).is_err());
        assert!(private(&root.path().join("own")).is_ok());
    }
}
