//! What content there is: listed, removed, set aside.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ergon_oci::{Algorithm, ContentDigest};
use rustix::fs::{AtFlags, CWD, statx, StatxFlags};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::contents::Contents;
use super::error::DistributionError;

/// So many are listed at a time.
const BATCH: usize = 64;
/// What files that are being written are called, until they have the name of their content.
const UNFINISHED: &str = ".unfinished-";

/// Content that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldContent {
    pub digest: ContentDigest,
    /// Bytes.
    pub size: u64,
    /// When it came, was used or was changed last.
    pub used: SystemTime,
    /// Somebody else has the same file: removing it here frees nothing.
    pub is_shared: bool,
}

/// What a listing comes upon, a batch at a time.
pub type Listing = mpsc::Receiver<Result<Vec<HeldContent>, DistributionError>>;
