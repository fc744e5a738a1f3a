//! Writing into a project: only what was asked for, never over what somebody else wrote.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file that is to be in a project's folder.
#[derive(Clone, Copy, Debug)]
pub struct WantedFile<'a> {
    pub name: &'static str,
    pub content: &'a str,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("{} in {} {} different content, which would be lost", list(files), folder.display(), if files.len() == 1 { "has" } else { "have" })]
    Differs { folder: PathBuf, files: Vec<String> },
    #[error("{} cannot be written: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
}

impl SaveError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let text = match self {
            Self::Differs { .. } => "compare them, and save again with `overwrite` to replace them",
            Self::Write { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                "free some space on its disk"
            }
            Self::Write { .. } => "make the folder writable for the user who started the stack",
        };
        text.to_owned()
    }
}

/// Writes the files that are not there as wanted, and returns their names.
///
/// Where one differs and `overwrite` is not set, none is written.
pub fn save(
    folder: &Path,
    files: &[WantedFile<'_>],
    overwrite: bool,
) -> Result<Vec<String>, SaveError> {
    let mut missing = Vec::new();
    let mut differing = Vec::new();
    for file in files {
        let path = folder.join(file.name);
        match ergon_pack::read_own_file(folder, file.name) {
            Ok(Some(content)) if content == file.content.as_bytes() => {}
            Ok(Some(_)) => differing.push(file),
            Ok(None) => missing.push(file),
            // A link, a pipe: something of somebody else's.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => differing.push(file),
            Err(error) => return Err(SaveError::Write { path, error }),
        }
    }
    if !overwrite && !differing.is_empty() {
        let files = differing.iter().map(|file| file.name.to_owned()).collect();
        return Err(SaveError::Differs {
            folder: folder.to_owned(),
            files,
        });
    }
    let mut written = Vec::new();
    for file in missing {
        // What appeared meanwhile is not replaced either.
        write(folder, file, overwrite)?;
        written.push(file.name.to_owned());
    }
    for file in differing {
        write(folder, file, true)?;
        written.push(file.name.to_owned());
    }
    written.sort();
    Ok(written)
}

/// Writes one file, whole or not at all.
fn write(folder: &Path, file: &WantedFile<'_>, replace: bool) -> Result<(), SaveError> {
    let path = folder.join(file.name);
    let failed = |error| SaveError::Write {
        path: path.clone(),
        error,
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(".ergon-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(failed)?;
    temporary
        .write_all(file.content.as_bytes())
        .map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    let persisted = if replace {
        temporary.persist(&path)
    } else {
        temporary.persist_noclobber(&path)
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(SaveError::Differs {
                folder: folder.to_owned(),
                files: vec![file.name.to_owned()],
            })
        }
        Err(error) => Err(failed(error.error)),
    }
}

fn list(files: &[String]) -> String {
    files.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [WantedFile<'static>; 2] = [
        WantedFile {
            name: "Dockerfile",
            content: "FROM a\n",
        },
        WantedFile {
            name: ".dockerignore",
            content: "x\n",
        },
    ];

    #[test]
    fn what_is_the_same_already_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            save(folder.path(), &FILES, false).unwrap(),
            [".dockerignore", "Dockerfile"]
        );
        assert!(save(folder.path(), &FILES, false).unwrap().is_empty());
    }

    #[test]
    fn a_link_is_replaced_and_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let link = folder.path().join("Dockerfile");
        for target in [elsewhere.path(), Path::new("/dev/zero")] {
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(target, &link).unwrap();
            let error = save(folder.path(), &FILES, false).unwrap_err();
            assert!(matches!(error, SaveError::Differs { .. }), "{error}");
            save(folder.path(), &FILES, true).unwrap();
            assert!(link.symlink_metadata().unwrap().is_file());
        }
        assert_eq!(std::fs::read(elsewhere.path()).unwrap(), b"");
    }

    #[test]
    fn one_file_that_differs_keeps_both_from_being_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), "FROM mine\n").unwrap();
        let error = save(folder.path(), &FILES, false).unwrap_err();
        assert!(error.to_string().starts_with("Dockerfile in "), "{error}");
        assert!(!folder.path().join(".dockerignore").exists());
        assert_eq!(save(folder.path(), &FILES, true).unwrap().len(), 2);
        assert_eq!(
            std::fs::read_to_string(folder.path().join("Dockerfile")).unwrap(),
            "FROM a\n"
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            2,
            "no temporary file stays"
        );
    }
}
