//! What git knows of a folder. Everything here may be absent: a folder need not be a work tree.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long git may take to say something; then the folder counts as no work tree.
const PATIENCE: Duration = Duration::from_secs(20);

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
    ///
    /// A folder comes from anywhere, and its `.git/config` with it: no program that is named there runs.
    pub fn read(folder: &Path) -> Option<Self> {
        // Outside a work tree this spares the processes.
        folder
            .ancestors()
            .find(|ancestor| ancestor.join(".git").exists())?;
        // `git log` would also run what checks signatures.
        let head = git(
            folder,
            &["rev-list", "--max-count=1", "--timestamp", "HEAD"],
            &[],
        )?;
        let (time, commit) = head.trim().split_once(' ')?;
        let branch = git(folder, &["symbolic-ref", "--short", "-q", "HEAD"], &[]);
        Some(Self {
            commit: commit.to_owned(),
            branch: branch
                .map(|branch| branch.trim().to_owned())
                .filter(|branch| !branch.is_empty()),
            clean: is_clean(folder)?,
            committed_at: time.parse().ok()?,
        })
    }
}

/// Whether the folder holds what was committed and nothing else.
fn is_clean(folder: &Path) -> Option<bool> {
    let filters = filters(folder)?;
    let status = git(
        folder,
        &[
            "status",
            "--porcelain",
            "--untracked-files=normal",
            // Asking a submodule would take its configuration, too.
            "--ignore-submodules=dirty",
            "--",
            ".",
        ],
        &filters,
    )?;
    // What is in a submodule is not known; so nothing is promised about it.
    let has_submodules = || {
        git(folder, &["ls-files", "--stage", "--", "."], &[])
            .map(|files| files.lines().any(|line| line.starts_with("160000 ")))
    };
    Some(status.trim().is_empty() && !has_submodules()?)
}

/// The settings by which the repository, and not its user, names programs that `git status` would run.
fn filters(folder: &Path) -> Option<Vec<String>> {
    let listed = run(
        folder,
        &[
            "config",
            "--null",
            "--show-scope",
            "--name-only",
            "--get-regexp",
            r"^filter\.",
        ],
        &[],
    )?;
    // Exit code 1: there are none.
    if !listed.status.success() && listed.status.code() != Some(1) {
        return None;
    }
    let listed = String::from_utf8(listed.stdout).ok()?;
    let mut words = listed.split('\0');
    let mut found = Vec::new();
    while let (Some(scope), Some(key)) = (words.next(), words.next()) {
        if matches!(scope, "local" | "worktree") {
            found.push(key.to_owned());
        }
    }
    Some(found)
}

/// What git prints; the settings in `emptied` count as not set.
fn git(folder: &Path, arguments: &[&str], emptied: &[String]) -> Option<String> {
    let output = run(folder, arguments, emptied)?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(folder: &Path, arguments: &[&str], emptied: &[String]) -> Option<Output> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "safe.bareRepository=explicit",
        ])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        // Reading fetches nothing, by whatever program.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_CONFIG_COUNT", emptied.len().to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    for (index, key) in emptied.iter().enumerate() {
        let value = if key.ends_with(".required") {
            "false"
        } else {
            ""
        };
        command
            .env(format!("GIT_CONFIG_KEY_{index}"), key)
            .env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    // Inside a hook these name another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    output_within(PATIENCE, command)
}

/// What a command prints, where it ends in time; a repository may lie on a disk that is gone.
fn output_within(patience: Duration, mut command: Command) -> Option<Output> {
    let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
    let mut pipe = child.stdout.take()?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdout = Vec::new();
        let read = pipe.read_to_end(&mut stdout);
        let _ = sender.send(read.map(|_| stdout));
    });
    let Ok(Ok(stdout)) = receiver.recv_timeout(patience) else {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    };
    let status = child.wait().ok()?;
    Some(Output {
        status,
        stdout,
        stderr: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.py"), "a = 1\n").unwrap();
        for arguments in [
            &["init", "-q", "-b", "main"][..],
            &["config", "user.name", "t"],
            &["config", "user.email", "t@example.com"],
            &["add", "."],
            &["commit", "-qm", "one"],
        ] {
            set_up(folder.path(), arguments);
        }
        folder
    }

    fn set_up(folder: &Path, arguments: &[&str]) {
        let status = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    #[test]
    fn a_program_that_does_not_end_is_not_waited_for() {
        let mut endless = Command::new("sleep");
        endless.arg("600");
        assert!(output_within(Duration::from_millis(50), endless).is_none());
    }

    #[test]
    fn a_work_tree_is_at_a_commit_and_clean_or_not() {
        let folder = repository();
        let state = GitState::read(folder.path()).unwrap();
        assert_eq!((state.branch.as_deref(), state.clean), (Some("main"), true));
        assert!(state.commit.starts_with(state.short()) && state.committed_at > 1_500_000_000);
        fs::write(folder.path().join("new.py"), "").unwrap();
        set_up(
            folder.path(),
            &["config", "status.showUntrackedFiles", "no"],
        );
        assert!(!GitState::read(folder.path()).unwrap().clean);
        assert_eq!(GitState::read(tempfile::tempdir().unwrap().path()), None);
    }

    #[test]
    fn no_program_that_a_repository_names_is_run() {
        let folder = repository();
        let (program, trace) = (folder.path().join(".git/p"), folder.path().join(".git/ran"));
        fs::write(
            &program,
            format!("#!/bin/sh\ntouch {}\ncat\n", trace.display()),
        )
        .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let program = program.to_str().unwrap();
        // A commit with a signature that would have to be checked.
        let commit = git(folder.path(), &["cat-file", "commit", "HEAD"], &[]).unwrap();
        let signed = commit.replacen(
            "\n\n",
            "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\n",
            1,
        );
        fs::write(folder.path().join(".git/signed"), signed).unwrap();
        let id = git(
            folder.path(),
            &["hash-object", "-t", "commit", "-w", ".git/signed"],
            &[],
        )
        .unwrap();
        set_up(folder.path(), &["update-ref", "HEAD", id.trim()]);
        for (key, value) in [
            ("core.fsmonitor", program),
            ("log.showSignature", "true"),
            ("gpg.program", program),
            ("filter.a=b.clean", program),
            ("filter.a=b.required", "true"),
            ("filter.c.process", program),
        ] {
            set_up(folder.path(), &["config", key, value]);
        }
        fs::write(
            folder.path().join(".git/info/attributes"),
            "*.py filter=a=b\n*.txt filter=c\n",
        )
        .unwrap();
        // As long as before: git has to read it to see the difference.
        fs::write(folder.path().join("main.py"), "a = 2\n").unwrap();
        assert!(!GitState::read(folder.path()).unwrap().clean);
        assert!(!trace.exists(), "a program was run");
    }
}
