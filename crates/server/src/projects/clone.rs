//! Clones a repository with `git`: by argument list, without questions, and by no other protocol
//! than those its URL can have.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// A clone that takes longer is given up.
const PATIENCE: Duration = Duration::from_mins(5);
/// So much of what git says is kept.
const LONGEST_REASON: usize = 600;

/// Where a clone comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// An address from outside.
    Url(String),
    /// A repository without a work tree, on this machine.
    Bare(PathBuf),
}

/// Why there is no clone.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    #[error("git is not installed")]
    NoGit,
    #[error("{url} could not be cloned: {reason}")]
    Failed { url: String, reason: String },
    #[error("{url} could not be cloned within {} minutes", PATIENCE.as_secs() / 60)]
    TooSlow { url: String },
    #[error("the clone of {url} cannot be kept: {error}")]
    Write { url: String, error: std::io::Error },
}

impl CloneError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NoGit => "install git, or clone the repository yourself and add the folder",
            Self::Failed { .. } => {
                "see whether `git ls-remote` of it works for the user who started the stack"
            }
            Self::TooSlow { .. } => "clone it yourself and add the folder",
            Self::Write { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// Clones the newest commit into `folder`, which is there afterwards whole or not at all.
pub async fn clone(source: &Source, folder: &Path) -> Result<(), CloneError> {
    let (url, protocol) = match source {
        Source::Url(url) => (url.clone(), "https:ssh"),
        // As a URL, because git ignores --depth for plain paths.
        Source::Bare(path) => (format!("file://{}", path.display()), "file"),
    };
    let write = |error| CloneError::Write {
        url: url.clone(),
        error,
    };
    let parent = folder.parent().unwrap_or(Path::new("."));
    let unfinished = tempfile::Builder::new()
        .prefix(".clone-")
        .tempdir_in(parent)
        .map_err(write)?;
    let mut command = Command::new("git");
    command
        .args(["-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=true"])
        .args([
            "clone",
            "--quiet",
            "--depth",
            "1",
            "--single-branch",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
        ])
        .arg(&url)
        .arg(unfinished.path())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "/bin/false")
        .env("SSH_ASKPASS", "/bin/false")
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
        .env("GIT_ALLOW_PROTOCOL", protocol)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => return Err(CloneError::TooSlow { url }),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CloneError::NoGit);
        }
        Ok(Err(error)) => return Err(write(error)),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        let reason = reason(&String::from_utf8_lossy(&output.stderr));
        return Err(CloneError::Failed { url, reason });
    }
    std::fs::rename(unfinished.keep(), folder).map_err(write)
}

/// A repository that has no work tree to open.
pub fn is_bare_repository(folder: &Path) -> bool {
    ["HEAD", "objects", "refs"]
        .iter()
        .all(|name| folder.join(name).exists())
        && !folder.join(".git").exists()
}

/// The last thing git said that is an error.
fn reason(said: &str) -> String {
    let mut errors = said.lines().filter_map(|line| {
        line.strip_prefix("fatal: ")
            .or_else(|| line.strip_prefix("remote: "))
    });
    let text: String = errors
        .next_back()
        .or(said.lines().next_back())
        .unwrap_or("git gave no reason")
        .trim()
        .to_owned();
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_REASON)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let status = std::process::Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    #[tokio::test]
    async fn a_repository_without_a_work_tree_is_cloned() {
        let folder = tempfile::tempdir().unwrap();
        let (work, bare) = (folder.path().join("work"), folder.path().join("bare.git"));
        std::fs::create_dir(&work).unwrap();
        std::fs::write(work.join("main.py"), "print()").unwrap();
        git(&work, &["init", "-q"]);
        git(&work, &["add", "."]);
        git(
            &work,
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@t",
                "commit",
                "-qm",
                "one",
            ],
        );
        git(
            folder.path(),
            &[
                "clone",
                "-q",
                "--bare",
                work.to_str().unwrap(),
                bare.to_str().unwrap(),
            ],
        );
        assert!(is_bare_repository(&bare) && !is_bare_repository(&work));
        let made = folder.path().join("made");
        clone(&Source::Bare(bare), &made).await.unwrap();
        assert!(made.join("main.py").exists());
    }

    #[tokio::test]
    async fn what_cannot_be_cloned_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let error = clone(&Source::Bare(folder.path().join("nowhere")), &made)
            .await
            .unwrap_err();
        assert!(matches!(error, CloneError::Failed { .. }), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_protocol_that_is_not_asked_for_is_not_spoken() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file://{}", folder.path().display());
        let error = clone(&Source::Url(url), &folder.path().join("made"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("not allowed"), "{error}");
    }
}
