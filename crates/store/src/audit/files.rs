//! Writing a log's files: whole or not at all, and for their owner's eyes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::bundle;

/// The file of a bundle that is not full yet.
pub fn open_file(folder: &Path, number: u64) -> io::Result<File> {
    let path = bundle::open(folder, number);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)?;
    sync_folder(&path)?;
    Ok(file)
}

/// Removes open bundles that are in their place already.
pub fn remove_older(folder: &Path, bundles: u64) -> io::Result<()> {
    for file in fs::read_dir(folder.join("open"))? {
        let file = file?;
        let number = file
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u64>().ok());
        if number.is_some_and(|number| number < bundles) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// Writes a file, whole or not at all, and durable.
pub fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

/// Writes a part of a tile, and removes the parts that were narrower.
pub fn place_part(path: &Path, bytes: &[u8]) -> io::Result<()> {
    place(path, bytes)?;
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if file != path {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// Removes the parts of a tile that is full now. What stays costs nothing but its place.
pub fn remove_parts(full: &Path) {
    let _ = fs::remove_dir_all(bundle::partials(full));
}

pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
