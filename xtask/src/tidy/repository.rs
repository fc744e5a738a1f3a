//! What the rules read: the files that git tracks or would track, and Cargo's packages.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Everything the rules look at.
pub struct Repository {
    pub root: PathBuf,
    pub files: Vec<TextFile>,
    /// Every file, also those that hold no text.
    pub paths: BTreeSet<String>,
    pub packages: Vec<Package>,
}

/// A file that holds text.
pub struct TextFile {
    /// Relative to the repository, `/`-separated.
    pub path: String,
    pub text: String,
}

/// A package of the workspace.
pub struct Package {
    pub name: String,
    /// Its folder, relative to the repository.
    pub folder: String,
    /// The text of its Cargo.toml.
    pub manifest: String,
    /// The workspace's packages that it depends on.
    pub uses: Vec<Use>,
}

/// One package depends on another of the workspace.
pub struct Use {
    pub name: String,
    pub is_dev: bool,
}

impl TextFile {
    pub fn extension(&self) -> &str {
        Path::new(&self.path)
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

impl Package {
    pub fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// Git or Cargo did not answer.
#[derive(Debug)]
pub struct ReadError(String);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repository {
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        let paths = listed(root)?;
        let text = |path: &String| {
            let bytes = std::fs::read(root.join(path)).ok()?;
            Some(TextFile {
                path: path.clone(),
                text: String::from_utf8(bytes).ok()?,
            })
        };
        let files = paths
            .iter()
            .filter_map(text)
            .filter(|file| !file.text.contains('\0'))
            .collect();
        Ok(Self {
            root: root.to_owned(),
            files,
            paths,
            packages: packages(root)?,
        })
    }

    /// The text file at `path`.
    pub fn file(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file, or a folder with files.
    pub fn holds(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.paths.contains(path)
            || self
                .paths
                .range(folder.clone()..)
                .next()
                .is_some_and(|next| next.starts_with(&folder))
    }
}

/// Every file that is tracked or would be by `git add --all`, and is there.
fn listed(root: &Path) -> Result<BTreeSet<String>, ReadError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .map_err(|error| ReadError(format!("git does not start: {error}")))?;
    if !output.status.success() {
        return Err(ReadError(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    let names = output
        .stdout
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    Ok(names
        .filter(|name| !name.is_empty() && root.join(&**name).symlink_metadata().is_ok())
        .map(std::borrow::Cow::into_owned)
        .collect())
}

fn packages(root: &Path) -> Result<Vec<Package>, ReadError> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .map_err(|error| ReadError(format!("cargo metadata: {error}")))?;
    let own: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let package = |package: &cargo_metadata::Package| {
        let path = package.manifest_path.as_std_path();
        let folder = path
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder
            .ok_or_else(|| ReadError(format!("{} is outside the repository", path.display())))?;
        let manifest = std::fs::read_to_string(path)
            .map_err(|error| ReadError(format!("{}: {error}", path.display())))?;
        let uses = package
            .dependencies
            .iter()
            .filter(|dependency| own.contains(&dependency.name))
            .map(|dependency| Use {
                name: dependency.name.clone(),
                is_dev: dependency.kind == DependencyKind::Development,
            })
            .collect();
        Ok(Package {
            name: package.name.to_string(),
            folder: folder.display().to_string(),
            manifest,
            uses,
        })
    };
    metadata.packages.iter().map(package).collect()
}
