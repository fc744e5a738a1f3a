//! The store: what a stack must not forget.
//!
//! SQL in one dialect that SQLite and PostgreSQL both take, one repository per entity, and one rule:
//! a change of state and the event that tells of it are one transaction ([`Change`]). The browser,
//! job followers and everything else that is live read that one feed of events by cursor; nothing
//! publishes any other way. What a caller was told is done survives `kill -9`.
//!
//! Nothing here knows what the entities mean; structured parts are JSON that only callers read.

mod accounts;
mod audit;
mod build_names;
mod builds;
mod certificates;
mod change;
mod companions;
mod containers;
mod error;
mod events;
mod exchanges;
mod guard_rails;
mod ids;
mod inboxes;
mod jobs;
mod passkeys;
mod people;
mod plain;
mod policies;
mod projects;
mod proposals;
mod pushed;
mod repositories;
mod repository_settings;
mod robots;
mod rows;
mod seal;
mod secrets;
mod sessions;
mod solutions;
mod stack;
mod store;
mod tool_servers;
mod upkeep;
mod upstreams;
mod votes;
mod waiting;

pub use accounts::{AccountRow, IdentityProviderRow};
pub use audit::WIDTH as AUDIT_BUNDLE;
pub use audit::{
    AuditEntry, AuditError, AuditLog, AuditProblem, AuditReader, AuditReport, CheckpointError,
    CheckpointKey, CheckpointSigner, NewAuditEntry, SignedCheckpoint, verify_audit,
};
pub use build_names::BuildName;
pub use builds::{BuildRow, ImageRow, StoredBuild};
pub use certificates::CertificateRow;
pub use change::Change;
pub use companions::CompanionRow;
pub use containers::ContainerRow;
pub use error::StoreError;
pub use events::{EventRow, LEAST_EVENTS, NewEvent};
pub use exchanges::{ExchangeFilter, ExchangeRow};
pub use guard_rails::GuardRailRow;
pub use ids::{JobId, MessageId, ProjectId, StackId};
pub use inboxes::{ForwardRow, InboxRow, PurposeRow};
pub use jobs::{JobRow, JobState, LogRow};
pub use passkeys::PasskeyRow;
pub use people::{PersonRow, TokenRow};
pub use plain::{plain_json, steers};
pub use policies::PolicyRow;
pub use projects::ProjectRow;
pub use proposals::ProposalRow;
pub use repositories::{BlobLink, RegistryManifestRow, RegistryTagRow, RepositoryRow};
pub use robots::RobotRow;
pub use seal::{SEAL_KEY, SealError, Sealer};
pub use secrets::{SecretGrantRow, SecretRow, SecretVersionRow};
pub use sessions::SessionRow;
pub use solutions::{SolutionNeed, SolutionRow};
pub use store::{Store, now};
pub use tool_servers::{ServerToolRow, ToolServerRow};
pub use upkeep::{HeldManifestRow, HeldRow};
pub use upstreams::{UpstreamHeldRow, UpstreamRow};
pub use votes::{ApprovalRuleRow, OverrideRow};
pub use waiting::{WaitingAmount, WaitingRow};
