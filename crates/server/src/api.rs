//! The types of the HTTP API: the one source of the OpenAPI document, and so of every client.

mod a2a;
mod access;
mod approvals;
mod audit;
mod certificates;
mod directory;
mod federated;
mod history;
mod lineage;
mod mcp;
mod messages;
mod model;
mod people;
mod secrets;
mod sign_in;
mod solutions;
mod tool_servers;
mod upkeep;

pub use a2a::*;
pub use access::{AddRobot, ChangeRepository, Repository, Robot, RobotSecret};
pub use approvals::*;
pub use audit::*;
pub use certificates::*;
pub use directory::*;
pub use ergon_companion::actions::Reason;
pub use ergon_companion::look::{Entry, Inside, InsideProcess, InsideSocket, Place};
pub use ergon_companion::model::{Sentence, Thought};
pub use ergon_companion::observation::LogDigest;
pub use ergon_companion::{Evidence, Explanation, Finding, FoundService, Offer, Reply};
pub use ergon_pack::KnownSecret;
pub use ergon_pack::{Comparison, Condition, Difference, ImageVerification, Verification, What};
pub use federated::*;
pub use history::*;
pub use lineage::*;
pub use mcp::*;
pub use messages::*;
pub use model::*;
pub use people::*;
pub use secrets::*;
use serde::{Deserialize, Serialize};
pub use sign_in::*;
pub use solutions::*;
pub use tool_servers::*;
pub use upkeep::*;
use utoipa::ToSchema;

/// An RFC 9457 problem document: what happened, and what to do next.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`, or a path into the documentation.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened, to what, and why.
    pub detail: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A source tree to be known.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddProject {
    /// An absolute folder on the stack's machine, or a git URL (`https://`, `ssh://`, `git@…`).
    pub location: String,
    /// The display name; absent: the folder's or repository's last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A source tree that Ergon knows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Project {
    pub id: String,
    pub name: String,
    /// The folder, or the git URL.
    pub location: String,
    /// The folder its files are in; for a git URL, the stack's clone.
    pub folder: String,
    /// `FastAPI`, … as last analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<String>,
    /// `Python 3.11`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// `main@1a2b3c4`, where the folder is a git work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// What went wrong when it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<String>,
    /// The Dockerfile settings of the last save or hand-off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker_config: Option<DockerConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_build: Option<BuildSummary>,
    /// A job that is queued or running for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_job: Option<Job>,
    pub containers: Vec<ContainerSummary>,
    /// Its companion, kind `project`.
    pub companion: String,
    /// RFC 3339.
    pub added_at: String,
}

/// What the project keeps of its last Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DockerConfig {
    /// SHA-256 of the Dockerfile's text.
    pub dockerfile_digest: String,
    /// Where it was saved; absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_to: Option<String>,
    pub base_images: Vec<String>,
    pub ports: Vec<u16>,
    /// RFC 3339.
    pub updated_at: String,
}

/// The answer to `POST /api/projects/{id}/docker/generate`. Nothing has been written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GeneratedDockerfile {
    pub dockerfile: String,
    pub dockerignore: String,
    pub project_id: String,
    pub project_name: String,
    /// Always null: saving is its own call.
    pub saved_to: Option<String>,
    /// The project's own Dockerfile, where it has one.
    pub existing_dockerfile: Option<String>,
    pub existing_dockerignore: Option<String>,
    /// The manifest as it would be written.
    #[schema(value_type = Object)]
    pub manifest: serde_json::Value,
    /// The answers to the six questions, in their order.
    pub answers: Vec<Answer>,
    pub questions: Vec<OpenQuestion>,
    /// For each Dockerfile line (from 1) that came from a fact: which.
    pub line_facts: Vec<LineFact>,
}

/// One of the six questions, answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// `language`, `dependencies`, `build`, `run`, `ports`, `environment`.
    pub topic: String,
    /// `Language and framework`, …
    pub title: String,
    pub facts: Vec<AnswerFact>,
}

/// One fact of an answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AnswerFact {
    /// Unique in this document, so that lines can point at it.
    pub id: u32,
    /// `framework`, `port`, …
    pub topic: String,
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `file:line`; empty where it is assumed.
    pub from: String,
    /// `certain`, `likely`, `assumed`.
    pub confidence: String,
}

/// A line of the Dockerfile and the facts it came from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LineFact {
    pub line: u32,
    pub facts: Vec<u32>,
}

/// What nothing in the project decides.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenQuestion {
    pub text: String,
    pub remedy: String,
}

/// What to save into the project.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SaveDockerfile {
    /// The text that was shown; what is saved is what was seen.
    pub dockerfile: String,
    pub dockerignore: String,
    /// Replace files that differ.
    #[serde(default)]
    pub overwrite: bool,
}

/// What was saved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SavedDockerfile {
    pub saved_to: String,
    /// File names that were written; a file that was the same already is not.
    pub written: Vec<String>,
}

/// Run a folder without writing into it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunFolder {
    /// An absolute folder on the stack's machine.
    pub folder: String,
    /// Environment variables for the containers.
    #[serde(default)]
    pub env: std::collections::BTreeMap<String, String>,
}

/// A durable piece of work: a hand-off, a run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Job {
    pub id: String,
    /// `handoff` (writes the manifest), `run` (does not) or `verify` (builds a second time and compares).
    pub kind: String,
    pub project_id: String,
    pub project_name: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`, `interrupted`.
    pub state: String,
    /// RFC 3339.
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// The cause in one sentence, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    pub steps: Vec<JobStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
}

/// A step of a job, in the order they were begun.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobStep {
    /// `source`, `base`, `install`, `build`, `image`, `verify`, `container`, `companion`, `health`, …
    pub name: String,
    /// `pip install -r requirements.txt`, `python:3.11-slim`, …
    pub detail: String,
    /// `running`, `done`, `cached`, `failed`.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// `sha256:… 41 MB`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// It belongs to a build that is made again, under other conditions; each ends in a step `verify`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// A line of a job's log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobLogLine {
    /// Counts from 1 within the job.
    pub number: u64,
    /// The index of the step it belongs to.
    pub step: u32,
    pub text: String,
}

/// What a run came to. `ergon run --json` prints this.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunResult {
    pub build_hash: String,
    pub image_digest: String,
    /// `fastapi:4f1c09ab77e2`.
    pub image: String,
    /// `unpinned`, `unproven`, `proven`, `failed`.
    pub reproducibility: String,
    pub cached: bool,
    /// The container's Docker name.
    pub container: String,
    pub companion: String,
    pub ports: Vec<PublishedPort>,
    /// `healthy`, `running` (nothing to ask), `unhealthy`, `exited`.
    pub state: String,
    /// Every container of the manifest, in build order; the first is repeated above.
    pub containers: Vec<StartedContainer>,
}

/// One container that was started.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StartedContainer {
    pub container: String,
    pub companion: String,
    pub image: String,
    pub image_digest: String,
    pub ports: Vec<PublishedPort>,
    pub state: String,
}

/// A container's port and where the host publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublishedPort {
    pub container: u16,
    /// `127.0.0.1`.
    pub address: String,
    pub host: u16,
}

/// A build, as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BuildSummary {
    pub build_hash: String,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    /// `running`, `succeeded`, `failed`, `cancelled`, `interrupted`.
    pub state: String,
    /// `unpinned`, `unproven`, `proven`, `failed`.
    pub reproducibility: String,
    /// Everything it depends on is fixed by a digest or an exact version; `unpinned` of the build says what is not.
    pub pinned: bool,
    /// When it really happened; RFC 3339. No time in the image says so: those are `epoch` of the build.
    pub started_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    pub cached: bool,
    pub images: Vec<BuiltImage>,
}

/// An image a build made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BuiltImage {
    pub container: String,
    pub image_digest: String,
    pub tags: Vec<String>,
    /// Bytes of all layers, compressed.
    pub size: u64,
}

/// A build and the chain of evidence it stands in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Build {
    #[serde(flatten)]
    pub summary: BuildSummary,
    pub manifest_digest: String,
    pub source_digest: String,
    pub platform: String,
    /// The time that files and the image's configuration carry, in seconds since 1970; not when it was built.
    pub epoch: u64,
    pub builder: String,
    pub bases: Vec<BaseReference>,
    /// `main@1a2b3c4`, where the folder was a git work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The full commit id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the folder held exactly what was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<bool>,
    /// The project's folder or git URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The job that built it; its log is what the steps wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// What came of building it a second time; absent: nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// The newest job that was to build it a second time, whatever came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_job_id: Option<String>,
    /// Why it is `unpinned`, one line each with how to pin it.
    pub unpinned: Vec<String>,
    /// Containers that run an image of it.
    pub containers: Vec<ContainerSummary>,
    /// What is attached to its images: bills of materials, provenance, proofs.
    pub attached: Vec<Attachment>,
    /// What changed since the build before, of the same project and platform; absent: it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<BuildChanges>,
    /// Other builds of the same source, newest first, at most 20.
    pub same_source: Vec<BuildSummary>,
    /// Builds that have one of its images as their base, newest first, at most 20.
    pub dependents: Vec<BuildSummary>,
    #[schema(value_type = Object)]
    pub manifest: serde_json::Value,
}

/// A base image and the manifest digest it had.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BaseReference {
    pub reference: String,
    pub digest: String,
}

/// A container that has a companion, as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ContainerSummary {
    /// The engine's id.
    pub id: String,
    /// The container's Docker name.
    pub name: String,
    /// `running`, `exited`, `restarting`, `paused`, `created`, `dead`.
    pub state: String,
    /// `well`, `unwell`, `stopped`, `unknown`.
    pub wellness: String,
    /// Its state in one sentence, by its companion.
    pub sentence: String,
    pub companion: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    pub ports: Vec<PublishedPort>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
}

/// A container with what its companion sees.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Container {
    #[serde(flatten)]
    pub summary: ContainerSummary,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes; absent: no limit.
    pub memory_limit: Option<u64>,
    pub restarts: u64,
    pub services: Vec<FoundService>,
    pub findings: Vec<Finding>,
    pub evidence: Vec<Evidence>,
    /// The last lines it wrote.
    pub log: Vec<String>,
    /// What all that it wrote amounts to: the weightiest kinds of line, and stack traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_digest: Option<LogDigest>,
}

/// Give a companion to a container that Ergon did not start.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LaunchCompanion {
    /// The container's name or id.
    pub container: String,
    /// Absent: `<container>-ci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One change of state, a CloudEvents 1.0 envelope.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    pub specversion: String,
    /// The cursor: grows by at least one with each event.
    pub id: String,
    pub source: String,
    /// `dev.ergon.project.added`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `project/<id>`, `container/<name>`, …: the resource that changed.
    pub subject: String,
    /// RFC 3339.
    pub time: String,
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// A list; items oldest or newest first as the route says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
}

/// A build that a client made with the shared cache and wants remembered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecordBuild {
    pub build_hash: String,
    /// The folder that was built.
    pub folder: String,
}

/// A registry elsewhere that the registry here is a mirror of. Its password is never shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Upstream {
    /// The first part of the names of its repositories here: `hub` of `hub/library/python`.
    pub name: String,
    pub url: String,
    /// The registry that it is in names of images: `docker.io`.
    pub registry: String,
    /// Who the mirror is there; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// For so many seconds a tag is not asked for again.
    pub fresh_seconds: u64,
    pub created_at: String,
    /// How many of its repositories something is held of.
    pub repositories: u64,
    /// How many of its tags are held.
    pub tags: u64,
    /// How long its blobs are that are held, those of each repository counted by themselves.
    pub bytes: u64,
    /// When it last said what a tag means; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
}

/// A registry elsewhere that the registry here is to be a mirror of.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AddUpstream {
    /// The first part of the names that its repositories have here: one part of a repository's name.
    pub name: String,
    /// `https://HOST` or `https://HOST:PORT`; `http://` for what is on this machine, or where there is no password.
    pub url: String,
    /// The registry that it is in names of images; absent: its host, and `docker.io` for Docker Hub's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// Who the mirror is there, with `password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// For so many seconds a tag is not asked for again [default: 300].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_seconds: Option<u64>,
}
