//! What a sandbox is to be, before it is one. Pure.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Bind;

/// A command over layers, with what it may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSpec {
    /// A folder of its own, empty, on a disk that overlayfs can write to. Its name names the sandbox.
    pub folder: PathBuf,
    /// What lies below, topmost first: unpacked layers.
    pub lower: Vec<PathBuf>,
    /// The program by its absolute path, and its arguments.
    pub command: Vec<String>,
    /// In the order in which the program sees it.
    pub env: Vec<(String, String)>,
    pub workdir: String,
    pub hostname: String,
    /// With this machine's network; without, there is a loopback device and nothing else.
    pub network: bool,
    /// Folders whose content is gone with the sandbox.
    pub scratch: Vec<String>,
    pub binds: Vec<Bind>,
    /// Bytes of memory, swap included; absent: no limit.
    pub memory: Option<u64>,
    /// The most processes at a time.
    pub processes: u32,
    /// Which processors it may use, as `0,2-3`; absent: all.
    pub processors: Option<String>,
    /// Directories tell their entries last first, whatever order their file system has.
    pub reversed: bool,
}

impl SandboxSpec {
    /// Where what the command changed lies.
    pub fn upper(&self) -> PathBuf {
        self.folder.join(UPPER)
    }

    /// What lies below the changes, topmost first: the mount points, then the layers.
    pub fn below(&self) -> Vec<PathBuf> {
        let mut below = vec![self.folder.join(INIT)];
        below.extend(self.lower.iter().cloned());
        below
    }
}

/// What is in the sandbox's folder.
pub(super) const UPPER: &str = "upper";
pub(super) const INIT: &str = "init";
pub(super) const WORK: &str = "work";
pub(super) const INIT_WORK: &str = "init-work";
pub(super) const ROOT: &str = "root";
pub(super) const LOWER: &str = "l";
pub(super) const SCRATCH: &str = "scratch";
pub(super) const NETWORK: &str = "network";

/// How a sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxEnd {
    /// As a shell gives it: 128 and the signal's number where a signal ended the command.
    pub exit_code: i64,
    /// It, or a process it started, needed more memory than it may have.
    pub out_of_memory: bool,
}

/// What the sandbox's process tells the one that waits for it, one a line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The sandbox cannot be made.
    Failed(String),
    /// The command cannot be started.
    NotStartable(String),
    Ended(SandboxEnd),
}

/// What the sandbox's first process, which becomes the command, needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Orders {
    pub spec: SandboxSpec,
    /// The control groups to join.
    pub groups: Vec<PathBuf>,
}

/// The options of an overlay, with names as they are seen from the sandbox's folder: the kernel
/// takes one page of them, and paths would be too long for many layers.
pub(super) fn overlay_options(lower: &str, upper: &str, work: &str) -> String {
    // What follows is how the container engines mount: each change is a file of its own.
    let features = "redirect_dir=off,metacopy=off,index=off";
    // Nothing of it outlives the step, so that nothing needs to be on the disk before the end.
    format!("lowerdir={lower},upperdir={upper},workdir={work},{features},volatile")
}

/// The layers as the overlay's options name them.
pub(super) fn lower_names(layers: usize) -> String {
    let names: Vec<String> = (0..layers)
        .map(|layer| format!("{LOWER}/{layer}"))
        .collect();
    names.join(":")
}

/// The processors that a list names.
pub(super) fn processors(list: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_numbers_and_ranges() {
        assert_eq!(processors("0"), Some(vec![0]));
        assert_eq!(processors("0,2-4"), Some(vec![0, 2, 3, 4]));
        assert_eq!(processors("x"), None);
    }

    #[test]
    fn five_hundred_layers_fit_into_one_page_of_options() {
        // As many as overlayfs stacks.
        let options = overlay_options(&lower_names(500), UPPER, WORK);
        assert!(options.len() < 4096, "{}", options.len());
        assert!(options.starts_with("lowerdir=l/0:l/1:"), "{options}");
    }

    #[test]
    fn changes_lie_over_the_mount_points_over_the_layers() {
        let spec = SandboxSpec {
            folder: "/cache/step".into(),
            lower: vec!["/trees/b".into(), "/trees/a".into()],
            ..SandboxSpec::default()
        };
        assert_eq!(spec.upper(), PathBuf::from("/cache/step/upper"));
        let below = ["/cache/step/init", "/trees/b", "/trees/a"].map(PathBuf::from);
        assert_eq!(spec.below(), below);
    }
}
