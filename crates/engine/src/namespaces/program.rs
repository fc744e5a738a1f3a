//! How the running program becomes the processes of a sandbox.
//!
//! A process with several threads cannot enter namespaces. So the program starts itself again, with
//! an argument that nobody types; what it finds there it does before anything else.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{inner, outer};

/// The argument of the process around a sandbox.
pub(super) const OUTER: &str = "__sandbox";
/// The argument of the first process in it.
pub(super) const INNER: &str = "__sandbox-step";

/// Whether this program, started again, is a sandbox's process and not something else.
static TAKES_PART: AtomicBool = AtomicBool::new(false);

/// To be called first thing in `main`, while there is one thread: does what this process was started
/// for where that is a sandbox, and says how it went.
pub fn take_part() -> Option<ExitCode> {
    TAKES_PART.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    match first.to_str()? {
        OUTER => Some(outer::run()),
        INNER => Some(inner::run()),
        _ => None,
    }
}

pub(super) fn takes_part() -> bool {
    TAKES_PART.load(Ordering::Relaxed)
}
