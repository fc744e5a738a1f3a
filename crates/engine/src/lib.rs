//! The engine: where containers run.
//!
//! [`Engine`] talks to a Docker Engine or to Podman's Docker-compatible socket, whichever is there,
//! in the newest API version that both sides speak. It creates, starts, stops, watches and looks
//! into containers; it loads, saves, tags and removes images; it runs nothing by itself and
//! decides nothing. What it reports is in this room's own types, so that no other room names the
//! client library, and every error is one sentence with a remedy where a person has one.
//!
//! Where there is no engine, [`namespaces`] runs a command over layers with what the kernel has.
//!
//! Nothing here knows of manifests, builds or companions.

mod archive;
mod connect;
mod container;
mod engine;
mod error;
mod event;
mod image;
mod name;
pub mod namespaces;
mod network;
mod output;
mod spec;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
mod usage;

pub use archive::ByteStream;
pub use container::ContainerSummary;
pub use engine::{Engine, EngineInfo};
pub use error::EngineError;
pub use event::{EngineEvent, EventStream};
pub use image::ImageInfo;
pub use output::{LogLine, LogQuery, LogSource, LogStream};
pub use spec::{Bind, ContainerSpec, NamedVolume, Network, Publish, RestartPolicy};
pub use state::{Attachment, ContainerState, HealthState, PortBinding, Status};
pub use usage::{ProcessRow, Usage};
