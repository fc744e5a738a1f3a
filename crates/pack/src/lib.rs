//! Pack: manifest and sources become an image, the same bits every time.
//!
//! [`prepare`] reads a folder and computes what the build *is*: its manifest, its plan and its
//! build hash. [`build`] carries the plan out, from cache where it can, and returns a
//! [`BuildRecord`]; [`attest`] says of its images what they are, signed. What a step changed is captured and written by our own code; no daemon's
//! exporter is trusted with identity. Nothing here knows of HTTP or of the store.

pub mod attest;
mod authority;
mod bases;
mod build_secrets;
mod builder;
pub mod cache;
mod capture;
mod compare;
mod conditions;
mod engine_image;
mod environment;
mod error;
mod fetched;
mod find_image;
mod git;
mod hash;
mod known_files;
mod limits;
mod lock;
mod own_file;
mod pin;
mod platforms;
mod prepare;
mod progress;
mod record;
mod room;
mod sandbox;
mod scratch_folder;
mod scrub;
mod secrets;
mod source;
mod source_layer;
mod stage_files;
mod trees;
mod verify;

pub use authority::ExtraAuthority;
pub use bases::{platform, resolve_base};
pub use build_secrets::{BuildSecret, BuildSecrets};
pub use builder::{Built, build};
pub use cache::{Cache, CacheError, write_atomically};
pub use compare::{Comparison, Difference, Side, What, compare};
pub use conditions::Condition;
pub use engine_image::load_into_engine;
pub use error::PackError;
pub use fetched::{Fetched, FetchedPackage, Supply};
pub use find_image::{ImageName, find_image, find_images};
pub use git::GitState;
pub use hash::{BUILDER, BuildHash, BuildInputs};
pub use limits::Limits;
pub use lock::{LOCK_FILE, Lock, LockChange, write_dockerfile};
pub use own_file::read_own_file;
pub use pin::lock;
pub use platforms::{index, platforms_of};
pub use prepare::{Identity, MANIFEST_FILE, Options, Prepared, identify, prepare, read_project};
pub use progress::{Progress, ProgressEvent, Silent, StepKind, StepOutcome};
pub use record::{BuildRecord, ImageRecord, IndexRecord, IndexedImage, Reproducibility};
pub use sandbox::{STEP_LABEL, SandboxKind, remove_stale_steps};
pub use secrets::{KnownSecret, known_secrets, known_secrets_in};
pub use source::Source;
pub use verify::{ImageVerification, Verification, verify};
