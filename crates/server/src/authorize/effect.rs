//! What an action does to the world, for whoever has to decide whether it is allowed, or whether to ask a person first.

use rmcp::model::ToolAnnotations;
use strum::{EnumIter, IntoStaticStr};

use super::action::Action;

/// What an action does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Effect {
    /// Nothing.
    Reads,
    /// It adds something, or begins it.
    Adds,
    /// It brings something into a state; to ask for it twice is to ask for it once.
    Sets,
    /// It takes something away or interrupts it, or lets somebody do so.
    Destroys,
}

impl Effect {
    /// What an action does. There is no other case: whoever adds an action says it here.
    pub const fn of(action: Action) -> Self {
        match action {
        Action::ReadHealth
        | Action::ReadInterface
        | Action::ReadDocument
        | Action::ReadSession
        | Action::ReadSignIn
        | Action::ListProjects
        | Action::ReadProject
        | Action::GenerateDockerfile
        | Action::ListJobs
        | Action::ReadJob
        | Action::ListBuilds
        | Action::ReadBuild
        | Action::ListSolutions
        | Action::ReadSolution
        | Action::ListContainers
        | Action::ReadContainer
        | Action::ReadContainerHistory
        | Action::ListCompanions
        | Action::ReadCompanion
        | Action::WatchDirectory
        | Action::ReadExchanges
        | Action::ListMessages
        | Action::ReadInbox
        | Action::ListForwards
        | Action::ReadPurpose
        | Action::ReadPayload
        | Action::ReadExplanation
        | Action::LookInside
        | Action::ReadEvents
        | Action::UseRegistry
        | Action::ListRepositories
        | Action::PullImage
        | Action::ReadRepository
        | Action::ExportImages
        | Action::ListRobots
        | Action::ReadRobot
        | Action::ListUpstreams
        | Action::ListProposals
        | Action::ReadProposal
        | Action::ListGuardRails
        | Action::ListToolServers
        | Action::ListSecrets
        | Action::ReadSecret
        | Action::ReadSecretKey
        | Action::ReadAuthority
        | Action::ListCertificates
        | Action::ListOverrides
        | Action::ListApprovalRules
        | Action::ReadAuditLog
        | Action::ListPeople
        | Action::ReadPerson
        | Action::ListSessions
        | Action::ListTokens
        | Action::ListPasskeys
        | Action::ListIdentityProviders
        | Action::ReadIdentityProvider
        | Action::ListPolicies
        | Action::ReadPolicy
        | Action::ExplainDecision => Self::Reads,
        Action::SignIn
        | Action::BeginSignIn
        | Action::CreateSignInCode
        | Action::AddProject
        | Action::HandOffProject
        | Action::RunFolder
        | Action::RecordBuild
        | Action::VerifyBuild
        | Action::AddSolution
        | Action::SendMessage
        | Action::ReceiveMessage
        | Action::AskTeam
        | Action::RetryMessage
        | Action::LaunchCompanion
        | Action::RequestToken
        | Action::PushImage
        | Action::ImportImages
        | Action::AddRobot
        | Action::CheckContent
        | Action::AddUpstream
        // What it lets through passes the tools and approvals of its own.
        | Action::UseMcp
        | Action::UseToolServer
        | Action::IssueCertificate
        | Action::UseFolder
        | Action::AddPerson
        | Action::AddToken
        | Action::AddPasskey
        | Action::AddToolServer => Self::Adds,
        Action::StartContainer
        | Action::RegisterCompanion
        | Action::Heartbeat
        | Action::ChangeRepository
        | Action::DenyProposal
        | Action::OpenTerminal
        | Action::MarkInbox
        | Action::AddForward
        | Action::ReviewOverride
        | Action::ChangePurpose
        | Action::ChangePasskey
        | Action::SetSecret => Self::Sets,
        Action::EndSession
        | Action::RemoveProject
        | Action::ForgetAuditEntries
        | Action::SaveDockerfile
        | Action::CancelJob
        | Action::RemoveSolution
        | Action::StopContainer
        | Action::RestartContainer
        | Action::RemoveContainer
        | Action::DeregisterCompanion
        | Action::DropMessage
        | Action::RemoveForward
        | Action::CloseTerminal
        | Action::ClearInbox
        | Action::DeleteImage
        | Action::ChangeRobot
        | Action::RemoveRobot
        | Action::CollectGarbage
        | Action::RemoveUpstream
        | Action::ApproveProposal
        | Action::AddGuardRail
        | Action::RemoveGuardRail
        | Action::RemoveToolServer
        | Action::ChangePerson
        | Action::RemovePerson
        | Action::ChangePassword
        | Action::EndSessions
        | Action::RemoveToken
        | Action::RemovePasskey
        | Action::SetIdentityProvider
        | Action::RemoveIdentityProvider
        | Action::ChangePolicy
        | Action::RemovePolicy
        | Action::RemoveSecret
        | Action::DestroySecret
        | Action::GrantSecret
        | Action::RevokeSecret
        | Action::ChangeSecretKey
        | Action::OverrideProposal
        | Action::ChangeApprovalRule
        | Action::RevokeCertificate
        | Action::ApproveServerTool => Self::Destroys,
    }
    }

    /// The same in the protocol's words.
    pub fn annotations(self, title: &str, is_delete: bool) -> ToolAnnotations {
        ToolAnnotations::with_title(title)
            .read_only(self == Self::Reads)
            .destructive(self == Self::Destroys)
            .idempotent(matches!(self, Self::Reads | Self::Sets) || is_delete)
            // What a stack does stays in the stack, or says so.
            .open_world(false)
    }
}
