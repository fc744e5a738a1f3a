//! The stack's own folder: one stack at a time, nobody else's eyes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ergon_store::SEAL_KEY;

use crate::entropy::Entropy;
use crate::sessions::Secret;
use crate::start_error::StartError;

/// The longest path a unix socket can have.
const LONGEST_SOCKET_PATH: usize = 107;

/// The data folder, held for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    /// Closing it gives the folder free.
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, makes it where there is none, and keeps other stacks out.
    pub fn open(root: &Path) -> Result<Self, StartError> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        if root.join("run/ci_0123456789ab.sock").as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(StartError::PathTooLong { folder: root });
        }
        private_folder(&root)?;
        let lock = lock(&root)?;
        let folder = Self { root, _lock: lock };
        for path in [
            folder.run(),
            folder.projects(),
            folder.blobs(),
            folder.uploads(),
            folder.upstreams(),
            folder.history(),
        ] {
            private_folder(&path)?;
        }
        Ok(folder)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn database(&self) -> PathBuf {
        self.root.join("ergon.db")
    }

    /// What the registry holds.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// What is being pushed to the registry and is not whole yet. On the disk of the blobs that come of it.
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// Content of the registry that was found to be damaged. Nothing is served from here.
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// The passwords for upstreams.
    pub fn upstreams(&self) -> PathBuf {
        self.root.join("upstreams")
    }

    /// What the model cost today.
    pub fn model_ledger(&self) -> PathBuf {
        self.root.join("model-spent.json")
    }

    /// Clones of git repositories.
    pub fn projects(&self) -> PathBuf {
        self.root.join("projects")
    }

    /// What containers used, a file for each.
    pub fn history(&self) -> PathBuf {
        self.root.join("history")
    }

    /// Who did what.
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// The companions' sockets.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The owner's token; made on the first start.
    pub fn token(&self, entropy: &Entropy) -> Result<Secret, StartError> {
        let path = self.root.join("token");
        let failed = |error| StartError::folder(&path, error);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
                Ok(Secret::received(text.trim()))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            // Absent, or cut short by a crash in its first moment.
            _ => {
                let token = Secret::new(entropy);
                replace(&path, format!("{}\n", token.reveal())).map_err(failed)?;
                Ok(token)
            }
        }
    }

    /// What secrets in the store are sealed with; made on the first start.
    pub fn seal_key(&self, entropy: &Entropy) -> Result<[u8; SEAL_KEY], StartError> {
        let path = self.root.join("seal.key");
        let failed = |error| StartError::folder(&path, error);
        let key = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Err(_) => {
                let key = entropy.bytes::<SEAL_KEY>();
                replace(&path, key).map_err(failed)?;
                return Ok(key);
            }
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        // Another key in its place would make what is sealed unreadable for good.
        key.try_into().map_err(|_| {
            let length = format!("a key of {SEAL_KEY} bytes is expected");
            failed(io::Error::new(io::ErrorKind::InvalidData, length))
        })
    }

    /// Tells clients on this machine where the stack listens, and which authority's certificate it shows there, unless
    /// it is one that the machine knows.
    pub fn write_endpoint(&self, url: &str, authority: Option<&str>) -> Result<(), StartError> {
        // Whoever finds the address finds what belongs to it.
        let path = self.root.join("endpoint.ca");
        let written = match authority {
            Some(pem) => replace(&path, pem),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        written.map_err(|error| StartError::folder(&path, error))?;
        let path = self.root.join("endpoint");
        replace(&path, format!("{url}\n")).map_err(|error| StartError::folder(&path, error))
    }

    /// Tells clients that nobody listens any more.
    pub fn remove_endpoint(&self) {
        if let Err(error) = fs::remove_file(self.root.join("endpoint")) {
            tracing::debug!(%error, "the endpoint file stays");
        }
        let _ = fs::remove_file(self.root.join("endpoint.ca"));
    }
}

fn private_folder(path: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| StartError::folder(path, error))
}

/// Takes the folder, or says who has it.
fn lock(root: &Path) -> Result<File, StartError> {
    let path = root.join("lock");
    let failed = |error| StartError::folder(&path, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| file.rewind())
                .map_err(failed)?;
            writeln!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            Err(StartError::InUse {
                folder: root.to_owned(),
                pid: text.trim().parse().ok(),
            })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Writes a file that only this user may read, whole or not at all.
pub fn replace(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Temporary files are readable by their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_stack_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        let error = DataFolder::open(folder.path()).unwrap_err();
        let pid = std::process::id();
        assert_eq!(
            error.to_string(),
            format!(
                "the data folder {} is in use by process {pid}",
                folder.path().display()
            )
        );
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn the_token_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let token = data.token(&Entropy::system()).unwrap();
        assert!(
            data.token(&Entropy::system())
                .unwrap()
                .matches(token.reveal())
        );
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path().join("token")), 0o600);
        assert_eq!(mode(data.run()), 0o700);
    }

    #[test]
    fn the_key_of_secrets_is_made_once_and_never_in_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let key = data.seal_key(&Entropy::system()).unwrap();
        assert_eq!(data.seal_key(&Entropy::system()).unwrap(), key);
        let path = folder.path().join("seal.key");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        fs::write(&path, "short").unwrap();
        assert!(data.seal_key(&Entropy::system()).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn a_path_too_long_for_sockets_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a".repeat(120));
        assert!(matches!(
            DataFolder::open(&deep),
            Err(StartError::PathTooLong { .. })
        ));
        assert!(!deep.exists());
    }
}
