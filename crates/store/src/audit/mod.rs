//! The audit log: who did what, in an order that cannot be changed without being seen.
//!
//! Each entry holds the hash of the one before it; all of them are the leaves of a Merkle tree, and what the tree
//! says at a time is signed. The files are those of <https://c2sp.org/tlog-tiles>, so that other people's programs can
//! read and check them: `checkpoint`, `tile/<level>/<number>`, `tile/entries/<number>`. Entries of a bundle that is not
//! full yet are beside them, in `open/`, as lines.
//!
//! Nothing here knows what the entries are about.

mod bundle;
mod checkpoint;
mod entry;
mod files;
mod log;
mod opening;
mod read;
mod tree;
mod verify;

pub use checkpoint::{CheckpointError, CheckpointKey, CheckpointSigner, SignedCheckpoint};
pub use entry::{AuditEntry, NewAuditEntry};
pub use log::{AuditError, AuditLog};
pub use read::AuditReader;
pub use verify::{AuditProblem, AuditReport, verify_audit};

/// Entries in a full bundle, and hashes in a full tile.
pub const WIDTH: u64 = 256;
