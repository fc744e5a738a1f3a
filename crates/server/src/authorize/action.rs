//! What can be done, to what kind of thing, and before what it has to be decided.

use strum::{EnumIter, EnumString, IntoStaticStr};

use super::effect::Effect;
use super::resource::{Resource, ResourceKind};
use super::schema::OPEN;
use crate::access::Verb;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
pub enum Action {
    ReadHealth,
    ReadInterface,
    SignIn,
    /// To be told what one can sign in with.
    ReadSignIn,
    /// To be sent to an identity provider, or to be asked for a passkey.
    BeginSignIn,
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
    /// To pass on what is said at another stack; whom it is said to is decided each time.
    ReceiveMessage,
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
    /// To have the stack read a folder of its machine.
    UseFolder,
    ListPeople,
    AddPerson,
    ReadPerson,
    ChangePerson,
    RemovePerson,
    /// Of one person, as the next five: it is theirs to do, too.
    ChangePassword,
    ListSessions,
    EndSessions,
    ListTokens,
    AddToken,
    RemoveToken,
    /// Of one person, as the next three: it is theirs to do, too.
    ListPasskeys,
    AddPasskey,
    ChangePasskey,
    RemovePasskey,
    ListIdentityProviders,
    ReadIdentityProvider,
    /// To say whose accounts sign in here, and as what.
    SetIdentityProvider,
    RemoveIdentityProvider,
    ListPolicies,
    ReadPolicy,
    ChangePolicy,
    RemovePolicy,
    /// To be told whether somebody may, and why.
    ExplainDecision,
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
    /// To do what was proposed without waiting for whoever else should approve it.
    OverrideProposal,
    ListOverrides,
    ReviewOverride,
    ListApprovalRules,
    /// To say how many have to approve what.
    ChangeApprovalRule,
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
            Self::SignIn
            | Self::ReadSignIn
            | Self::BeginSignIn
            | Self::ReadSession
            | Self::EndSession
            | Self::CreateSignInCode => ResourceKind::Session,
            Self::ListProjects
            | Self::AddProject
            | Self::ReadProject
            | Self::RemoveProject
            | Self::GenerateDockerfile
            | Self::SaveDockerfile
            | Self::HandOffProject
            | Self::UseFolder
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
            Self::ReadExchanges
            | Self::ListMessages
            | Self::RetryMessage
            | Self::DropMessage
            | Self::ReceiveMessage => ResourceKind::Message,
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
            | Self::OverrideProposal
            | Self::ListOverrides
            | Self::ReviewOverride
            | Self::ListApprovalRules
            | Self::ChangeApprovalRule
            | Self::ListGuardRails
            | Self::AddGuardRail
            | Self::RemoveGuardRail => ResourceKind::Proposal,
            Self::ReadAuditLog | Self::ForgetAuditEntries => ResourceKind::Audit,
            Self::ListPeople
            | Self::AddPerson
            | Self::ReadPerson
            | Self::ChangePerson
            | Self::RemovePerson
            | Self::ChangePassword
            | Self::ListSessions
            | Self::EndSessions
            | Self::ListTokens
            | Self::AddToken
            | Self::RemoveToken
            | Self::ListPasskeys
            | Self::AddPasskey
            | Self::ChangePasskey
            | Self::RemovePasskey => ResourceKind::Person,
            Self::ListIdentityProviders
            | Self::ReadIdentityProvider
            | Self::SetIdentityProvider
            | Self::RemoveIdentityProvider => ResourceKind::IdentityProvider,
            Self::ListPolicies
            | Self::ReadPolicy
            | Self::ChangePolicy
            | Self::RemovePolicy
            | Self::ExplainDecision => ResourceKind::Policy,
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
    pub(crate) const fn verb(self) -> Option<Verb> {
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
            group: None,
        }
    }

    /// The word for it in policies and in the audit log.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Whether it changes nothing worth an entry, however it is asked for. Whatever is not named here and is no safe
    /// request is taken for a change, and written down.
    pub const fn only_reads(self) -> bool {
        match self {
            // What is said changes nothing; who does something because of it is asked again.
            Self::SendMessage
            | Self::ReceiveMessage
            | Self::RequestToken
            | Self::BeginSignIn
            | Self::Heartbeat
            // Most only renew, as heartbeats do; the others are written down where that is seen.
            | Self::RegisterCompanion
            | Self::UseMcp => true,
            action => matches!(Effect::of(action), Effect::Reads),
        }
    }

    /// Whether a secret may be in its body, of which then no digest is written down: one could try what it might be.
    pub const fn brings_a_secret(self) -> bool {
        matches!(
            self,
            Self::SetSecret
                | Self::AddUpstream
                | Self::RegisterCompanion
                | Self::SignIn
                | Self::ChangePassword
                | Self::SetIdentityProvider
        )
    }

    /// The groups it is in, as policies name them.
    pub fn groups(self) -> Vec<&'static str> {
        let mut groups = vec![Effect::of(self).into()];
        if self.is_open() {
            groups.push(OPEN);
        }
        groups
    }

    /// Whether anybody may, because it comes before one can show who one is.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::ReadHealth
                | Self::ReadInterface
                | Self::SignIn
                | Self::ReadSignIn
                | Self::BeginSignIn
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
