//! Sandboxes of Linux namespaces: a command over layers, with no engine.
//!
//! [`Sandbox::start`] starts this program again as the process around the sandbox ([`outer`]), which
//! unshares and starts it once more as the sandbox's first process ([`inner`]). That one mounts the
//! layers with overlayfs and what a container of the engine has over them ([`root`]), gives up what
//! such a container has not ([`confine`]), and becomes the command. [`directories`] are told in another
//! order where that is asked for. When it ends, the kernel ends
//! everything else in the sandbox; when whoever waits for it is gone, it is ended. Mounts are seen
//! in the sandbox only, so that none can stay behind.

mod cgroup;
#[cfg(target_arch = "x86_64")]
mod compat;
mod confine;
mod directories;
mod inner;
mod listing;
mod outer;
mod program;
mod root;
mod sandbox;
mod spec;

pub use program::take_part;
pub use sandbox::{Sandbox, available};
pub use spec::{SandboxEnd, SandboxSpec};
