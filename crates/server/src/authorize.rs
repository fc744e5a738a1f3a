//! The one place where it is decided who may do what.
//!
//! Every HTTP request, and every message to a companion's socket, is decided here before anything
//! else happens. Today there is one owner and one rule; policies will replace the rule, and
//! nothing else has to change.

mod companion;

use std::sync::Arc;

use crate::access::{Robot, Scopes, Verb};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody showed who they are.
    Nobody,
    /// The stack's owner, by token or by session.
    Owner,
    /// A process on this machine that opened a companion's socket.
    LocalUser { uid: u32 },
    /// A program with a name and a secret for the image registry.
    Robot(Arc<Robot>),
    /// A companion that showed a certificate of this stack's authority.
    Companion {
        /// In small letters.
        name: String,
    },
    /// Whoever was given a token of the token service, as far as the token goes.
    Bearer { of: Box<Self>, scopes: Scopes },
}

impl Principal {
    /// The name in answers and records.
    pub fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::LocalUser { uid } => format!("uid:{uid}"),
            Self::Robot(robot) => format!("robot:{}", robot.name),
            Self::Companion { name } => format!("companion:{name}"),
            Self::Bearer { of, .. } => of.name(),
        }
    }

    /// Who it is, whatever they have in hand.
    pub fn itself(&self) -> &Self {
        match self {
            Self::Bearer { of, .. } => of.itself(),
            other => other,
        }
    }
}

/// What kind of thing is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    Stack,
    Session,
    Project,
    Job,
    Build,
    Container,
    Companion,
    Solution,
    Repository,
    Robot,
    Upstream,
    Proposal,
    ToolServer,
    Audit,
    Message,
    Inbox,
    Secret,
    Certificate,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: ResourceKind,
    /// As it was asked for; absent: the whole kind.
    pub name: Option<String>,
    /// Whether its owner lets anybody read it.
    pub is_public: bool,
}

impl Resource {
    #[must_use]
    pub fn public(self, is_public: bool) -> Self {
        Self { is_public, ..self }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ReadHealth,
    ReadInterface,
    SignIn,
    ReadSession,
    EndSession,
    CreateSignInCode,
    ReadDocument,
    ListProjects,
    AddProject,
    ReadProject,
    RemoveProject,
    GenerateDockerfile,
    SaveDockerfile,
    HandOffProject,
    RunFolder,
    ListJobs,
    ReadJob,
    CancelJob,
    ListBuilds,
    RecordBuild,
    ReadBuild,
    VerifyBuild,
    ListSolutions,
    AddSolution,
    ReadSolution,
    RemoveSolution,
    ListContainers,
    ReadContainer,
    ReadContainerHistory,
    StartContainer,
    StopContainer,
    RestartContainer,
    RemoveContainer,
    ListCompanions,
    LaunchCompanion,
    RegisterCompanion,
    /// To say that somebody is still there.
    Heartbeat,
    DeregisterCompanion,
    ReadCompanion,
    WatchDirectory,
    SendMessage,
    /// To say something to everybody.
    AskTeam,
    ReadExchanges,
    ListMessages,
    RetryMessage,
    DropMessage,
    OpenTerminal,
    CloseTerminal,
    ReadInbox,
    MarkInbox,
    ClearInbox,
    ListForwards,
    AddForward,
    RemoveForward,
    ReadPurpose,
    ChangePurpose,
    /// To see what a model would be sent.
    ReadPayload,
    ReadExplanation,
    /// To see processes, connections and files inside a container.
    LookInside,
    ReadEvents,
    /// To ask the image registry whether it is one.
    UseRegistry,
    /// To ask for a token of the image registry; what it opens is another question.
    RequestToken,
    ListRepositories,
    PullImage,
    PushImage,
    DeleteImage,
    ReadRepository,
    ChangeRepository,
    ExportImages,
    ImportImages,
    ListRobots,
    AddRobot,
    ReadRobot,
    ChangeRobot,
    RemoveRobot,
    CollectGarbage,
    CheckContent,
    ListUpstreams,
    AddUpstream,
    RemoveUpstream,
    ListProposals,
    ReadProposal,
    ApproveProposal,
    DenyProposal,
    ListGuardRails,
    AddGuardRail,
    RemoveGuardRail,
    /// To speak the Model Context Protocol; what is called through it is decided each time.
    UseMcp,
    ListToolServers,
    AddToolServer,
    RemoveToolServer,
    ApproveServerTool,
    /// To call a tool of a server, or to say something else to it.
    UseToolServer,
    ReadAuditLog,
    ForgetAuditEntries,
    ListSecrets,
    ReadSecret,
    SetSecret,
    RemoveSecret,
    DestroySecret,
    GrantSecret,
    RevokeSecret,
    ReadSecretKey,
    ChangeSecretKey,
    /// To have the public certificate of the stack's authority.
    ReadAuthority,
    ListCertificates,
    IssueCertificate,
    RevokeCertificate,
}

impl Action {
    /// What kind of resource it is done to.
    pub const fn resource_kind(self) -> ResourceKind {
        match self {
            Self::ReadHealth
            | Self::ReadInterface
            | Self::ReadDocument
            | Self::ReadEvents
            | Self::UseMcp => ResourceKind::Stack,
            Self::SignIn | Self::ReadSession | Self::EndSession | Self::CreateSignInCode => {
                ResourceKind::Session
            }
            Self::ListProjects
            | Self::AddProject
            | Self::ReadProject
            | Self::RemoveProject
            | Self::GenerateDockerfile
            | Self::SaveDockerfile
            | Self::HandOffProject
            | Self::RunFolder => ResourceKind::Project,
            Self::ListJobs | Self::ReadJob | Self::CancelJob => ResourceKind::Job,
            Self::ListBuilds | Self::RecordBuild | Self::ReadBuild | Self::VerifyBuild => {
                ResourceKind::Build
            }
            Self::ListSolutions | Self::AddSolution | Self::ReadSolution | Self::RemoveSolution => {
                ResourceKind::Solution
            }
            Self::ListContainers
            | Self::ReadContainer
            | Self::ReadContainerHistory
            | Self::StartContainer
            | Self::StopContainer
            | Self::RestartContainer
            | Self::RemoveContainer => ResourceKind::Container,
            Self::ListCompanions
            | Self::LaunchCompanion
            | Self::RegisterCompanion
            | Self::Heartbeat
            | Self::DeregisterCompanion
            | Self::ReadCompanion
            | Self::WatchDirectory
            | Self::SendMessage
            | Self::AskTeam
            | Self::ListForwards
            | Self::AddForward
            | Self::RemoveForward
            | Self::ReadPurpose
            | Self::ChangePurpose
            | Self::ReadPayload
            | Self::ReadExplanation
            | Self::LookInside => ResourceKind::Companion,
            Self::ReadExchanges | Self::ListMessages | Self::RetryMessage | Self::DropMessage => {
                ResourceKind::Message
            }
            Self::OpenTerminal
            | Self::CloseTerminal
            | Self::ReadInbox
            | Self::MarkInbox
            | Self::ClearInbox => ResourceKind::Inbox,
            Self::UseRegistry
            | Self::RequestToken
            | Self::ListRepositories
            | Self::PullImage
            | Self::PushImage
            | Self::DeleteImage
            | Self::ReadRepository
            | Self::ChangeRepository
            | Self::CollectGarbage
            | Self::CheckContent
            | Self::ExportImages
            | Self::ImportImages => ResourceKind::Repository,
            Self::ListRobots
            | Self::AddRobot
            | Self::ReadRobot
            | Self::ChangeRobot
            | Self::RemoveRobot => ResourceKind::Robot,
            Self::ListUpstreams | Self::AddUpstream | Self::RemoveUpstream => {
                ResourceKind::Upstream
            }
            Self::ListToolServers
            | Self::AddToolServer
            | Self::RemoveToolServer
            | Self::ApproveServerTool
            | Self::UseToolServer => ResourceKind::ToolServer,
            Self::ListProposals
            | Self::ReadProposal
            | Self::ApproveProposal
            | Self::DenyProposal
            | Self::ListGuardRails
            | Self::AddGuardRail
            | Self::RemoveGuardRail => ResourceKind::Proposal,
            Self::ReadAuditLog | Self::ForgetAuditEntries => ResourceKind::Audit,
            Self::ListSecrets
            | Self::ReadSecret
            | Self::SetSecret
            | Self::RemoveSecret
            | Self::DestroySecret
            | Self::GrantSecret
            | Self::RevokeSecret
            | Self::ReadSecretKey
            | Self::ChangeSecretKey => ResourceKind::Secret,
            Self::ReadAuthority
            | Self::ListCertificates
            | Self::IssueCertificate
            | Self::RevokeCertificate => ResourceKind::Certificate,
        }
    }

    /// What it is to somebody who may use the image registry; other actions are none of theirs.
    const fn verb(self) -> Option<Verb> {
        match self {
            Self::PullImage => Some(Verb::Pull),
            Self::PushImage => Some(Verb::Push),
            Self::DeleteImage => Some(Verb::Delete),
            _ => None,
        }
    }

    /// The thing of that name, or all of its kind.
    pub fn on(self, name: Option<String>) -> Resource {
        Resource {
            kind: self.resource_kind(),
            name,
            is_public: false,
        }
    }

    /// Whether it changes nothing, however it is asked for. Whatever is not named here and is no safe request is taken
    /// for a change, and written down.
    pub const fn only_reads(self) -> bool {
        matches!(
            self,
            Self::SendMessage
                | Self::ReadPayload
                | Self::GenerateDockerfile
                | Self::RequestToken
                | Self::ReadAuditLog
                | Self::Heartbeat
                // Most only renew, as heartbeats do; the others are written down where that is seen.
                | Self::RegisterCompanion
                | Self::UseMcp
        )
    }

    /// Whether a secret may be in its body, of which then no digest is written down: one could try what it might be.
    pub const fn brings_a_secret(self) -> bool {
        use Action::{AddUpstream, RegisterCompanion, SetSecret, SignIn};
        matches!(self, SetSecret | AddUpstream | RegisterCompanion | SignIn)
    }

    /// Whether anybody may, because it comes before one can show who one is.
    const fn is_open(self) -> bool {
        matches!(
            self,
            Self::ReadHealth
                | Self::ReadInterface
                | Self::SignIn
                | Self::RequestToken
                | Self::ReadAuthority
        )
    }
}

impl From<Verb> for Action {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Pull => Self::PullImage,
            Verb::Push => Self::PushImage,
            Verb::Delete => Self::DeleteImage,
        }
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// Perhaps, once one shows who one is.
    Identify,
    Deny,
}

/// Decides.
pub fn authorize(principal: &Principal, action: Action, resource: &Resource) -> Decision {
    let decision = decide(principal, action, resource);
    if decision != Decision::Allow {
        tracing::info!(principal = principal.name(), ?action, kind = ?resource.kind, name = resource.name, ?decision, "refused");
    }
    decision
}

/// The same without a word in the log, for whoever only wants to know.
pub fn would_allow(principal: &Principal, action: Action, resource: &Resource) -> bool {
    decide(principal, action, resource) == Decision::Allow
}

fn decide(principal: &Principal, action: Action, resource: &Resource) -> Decision {
    match principal {
        Principal::Owner => Decision::Allow,
        // The socket's folder can be entered by the stack's own user only; the peer is still asked for.
        Principal::LocalUser { uid } if action == Action::SendMessage && is_this_user(*uid) => {
            Decision::Allow
        }
        Principal::Robot(robot) if robot_may(robot, action, resource) => Decision::Allow,
        // A token goes as far as its scopes, and no further than whoever has it.
        Principal::Bearer { of, scopes } => match decide(of, action, resource) {
            Decision::Allow if reaches(scopes, action, resource) => Decision::Allow,
            // Another token would do.
            Decision::Allow => Decision::Identify,
            other => other,
        },
        Principal::Companion { name } if companion::may(name, action, resource) => Decision::Allow,
        Principal::Robot(_) | Principal::Companion { .. } | Principal::Nobody
            if may_anybody(action, resource) =>
        {
            Decision::Allow
        }
        Principal::LocalUser { .. } | Principal::Robot(_) | Principal::Companion { .. } => {
            Decision::Deny
        }
        Principal::Nobody => Decision::Identify,
    }
}

fn may_anybody(action: Action, resource: &Resource) -> bool {
    action.is_open() || action == Action::PullImage && resource.is_public
}

fn robot_may(robot: &Robot, action: Action, resource: &Resource) -> bool {
    match (action.verb(), &resource.name) {
        (Some(verb), Some(name)) => robot.may(name, verb),
        _ if action == Action::ListRepositories => robot.may_see_the_catalog(),
        _ => action == Action::UseRegistry,
    }
}

fn reaches(scopes: &Scopes, action: Action, resource: &Resource) -> bool {
    match (action.verb(), &resource.name) {
        (Some(verb), Some(name)) => scopes.allows(name, verb),
        _ if action == Action::ListRepositories => scopes.allows_catalog(),
        _ => action == Action::UseRegistry,
    }
}

/// The user the stack runs as, or root.
fn is_this_user(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests;
