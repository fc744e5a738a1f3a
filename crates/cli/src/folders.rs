//! Where a stack keeps what it knows, and how paths are shown.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// The data folder: as given, else `$XDG_DATA_HOME/ergon`, else `~/.local/share/ergon`.
pub fn data(given: Option<&Path>) -> Outcome<PathBuf> {
    match given {
        Some(folder) => Ok(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())),
        None => base("XDG_DATA_HOME", ".local/share").map(|base| base.join("ergon")),
    }
}

/// The configuration file: `$XDG_CONFIG_HOME/ergon/config.toml`, else under `~/.config`.
pub fn configuration() -> Outcome<PathBuf> {
    base("XDG_CONFIG_HOME", ".config").map(|base| base.join("ergon/config.toml"))
}

/// The cache all stacks and all builds of a user share.
pub fn cache() -> Outcome<PathBuf> {
    base("XDG_CACHE_HOME", ".cache").map(|base| base.join("ergon"))
}

/// What is kept between two runs and missed by nobody.
pub fn state() -> Outcome<PathBuf> {
    base("XDG_STATE_HOME", ".local/state").map(|base| base.join("ergon"))
}

fn base(variable: &str, under_home: &str) -> Outcome<PathBuf> {
    // The XDG specification has relative paths ignored.
    let named = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    named
        .or_else(|| home().map(|home| home.join(under_home)))
        .ok_or_else(|| {
            Failure::new(format!(
                "neither {variable} nor HOME says where Ergon may keep its files"
            ))
            .with_remedy("set HOME, or name a folder with --data".to_owned())
        })
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME")
        .map(PathBuf::from)
        .filter(|home| home.is_absolute())
}

/// A path as people write it: `~` for the home folder.
pub fn display(path: &Path) -> String {
    if let Some(rest) = home().and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        if rest.as_os_str().is_empty() {
            return "~".to_owned();
        }
        return format!("~/{}", rest.display());
    }
    path.display().to_string()
}

/// The folder a command was given, as an absolute path without links.
pub fn source(folder: &Path) -> Outcome<PathBuf> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "{} cannot be opened: {}",
            folder.display(),
            reason(&error)
        ))
        .with_remedy("name a folder that holds a project".to_owned())
    };
    let found = folder.canonicalize().map_err(failed)?;
    if !found.is_dir() {
        return Err(
            Failure::new(format!("{} is not a folder", folder.display()))
                .with_remedy("name the folder that holds the project".to_owned()),
        );
    }
    Ok(found)
}

/// What the system says, without its number.
pub fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error")
                .next()
                .unwrap_or(&text)
                .to_lowercase()
        }
    }
}
