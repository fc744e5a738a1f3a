//! What git knows of a folder. Everything here may be absent: a folder need not be a work tree.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The commit a source was at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The full commit id.
    pub commit: String,
    /// Absent on a detached head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Whether the folder holds exactly what was committed.
    pub clean: bool,
    /// The committer's time, seconds since 1970.
    pub committed_at: u64,
}

impl GitState {
    /// The first seven digits of the commit.
    pub fn short(&self) -> &str {
        self.commit.get(..7).unwrap_or(&self.commit)
    }

    /// The state of `folder`; none where it is not a git work tree, or git is not installed.
    pub fn read(folder: &Path) -> Option<Self> {
        // Outside a work tree this spares two processes.
        folder
            .ancestors()
            .find(|ancestor| ancestor.join(".git").exists())?;
        let head = git(folder, &["log", "-1", "--format=%H %ct"])?;
        let (commit, time) = head.trim().split_once(' ')?;
        let branch = git(folder, &["symbolic-ref", "--short", "-q", "HEAD"]);
        let status = git(folder, &["status", "--porcelain", "--", "."])?;
        Some(Self {
            commit: commit.to_owned(),
            branch: branch
                .map(|branch| branch.trim().to_owned())
                .filter(|branch| !branch.is_empty()),
            clean: status.trim().is_empty(),
            committed_at: time.parse().ok()?,
        })
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        // Reading must not start hooks or file-system monitors that the folder names.
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
