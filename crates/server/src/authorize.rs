//! The one place where it is decided who may do what.
//!
//! Every HTTP request, and every message to a companion's socket, is decided here before anything
//! else happens. Today there is one owner and one rule; policies will replace the rule, and
//! nothing else has to change.

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody showed who they are.
    Nobody,
    /// The stack's owner, by token or by session.
    Owner,
    /// A process on this machine that opened a companion's socket.
    LocalUser { uid: u32 },
}

impl Principal {
    /// The name in answers and records.
    pub fn name(&self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::LocalUser { uid } => format!("uid:{uid}"),
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
    Repository,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: ResourceKind,
    /// As it was asked for; absent: the whole kind.
    pub name: Option<String>,
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
    ListContainers,
    ReadContainer,
    StartContainer,
    StopContainer,
    RestartContainer,
    RemoveContainer,
    ListCompanions,
    LaunchCompanion,
    SendMessage,
    ReadEvents,
    UseRegistry,
    ListRepositories,
    PullImage,
    PushImage,
    DeleteImage,
}

impl Action {
    /// What kind of resource it is done to.
    pub const fn resource_kind(self) -> ResourceKind {
        match self {
            Self::ReadHealth | Self::ReadInterface | Self::ReadDocument | Self::ReadEvents => {
                ResourceKind::Stack
            }
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
            Self::ListContainers
            | Self::ReadContainer
            | Self::StartContainer
            | Self::StopContainer
            | Self::RestartContainer
            | Self::RemoveContainer => ResourceKind::Container,
            Self::ListCompanions | Self::LaunchCompanion | Self::SendMessage => {
                ResourceKind::Companion
            }
            Self::UseRegistry
            | Self::ListRepositories
            | Self::PullImage
            | Self::PushImage
            | Self::DeleteImage => ResourceKind::Repository,
        }
    }

    /// The thing of that name, or all of its kind.
    pub fn on(self, name: Option<String>) -> Resource {
        Resource {
            kind: self.resource_kind(),
            name,
        }
    }

    /// Whether anybody may, because it comes before one can show who one is.
    const fn is_open(self) -> bool {
        matches!(self, Self::ReadHealth | Self::ReadInterface | Self::SignIn)
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
    let decision = match principal {
        Principal::Owner => Decision::Allow,
        // The socket's folder can be entered by the stack's own user only; the peer is still asked for.
        Principal::LocalUser { uid } if action == Action::SendMessage && is_this_user(*uid) => {
            Decision::Allow
        }
        Principal::LocalUser { .. } => Decision::Deny,
        Principal::Nobody if action.is_open() => Decision::Allow,
        Principal::Nobody => Decision::Identify,
    };
    if decision != Decision::Allow {
        tracing::info!(principal = principal.name(), ?action, kind = ?resource.kind, name = resource.name, ?decision, "refused");
    }
    decision
}

/// The user the stack runs as, or root.
fn is_this_user(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(principal: &Principal, action: Action) -> Decision {
        authorize(principal, action, &action.on(None))
    }

    #[test]
    fn the_owner_may_do_everything() {
        assert_eq!(
            decide(&Principal::Owner, Action::RemoveContainer),
            Decision::Allow
        );
    }

    #[test]
    fn nobody_may_see_only_what_comes_before_signing_in() {
        assert_eq!(
            decide(&Principal::Nobody, Action::ReadHealth),
            Decision::Allow
        );
        assert_eq!(decide(&Principal::Nobody, Action::SignIn), Decision::Allow);
        assert_eq!(
            decide(&Principal::Nobody, Action::ListProjects),
            Decision::Identify
        );
        assert_eq!(
            decide(&Principal::Nobody, Action::ReadDocument),
            Decision::Identify
        );
    }

    #[test]
    fn a_local_user_may_only_speak_and_only_as_the_stacks_user() {
        let own = Principal::LocalUser {
            uid: rustix::process::geteuid().as_raw(),
        };
        assert_eq!(decide(&own, Action::SendMessage), Decision::Allow);
        assert_eq!(decide(&own, Action::ListProjects), Decision::Deny);
        assert_eq!(
            decide(
                &Principal::LocalUser { uid: 4_000_000_000 },
                Action::SendMessage
            ),
            Decision::Deny
        );
    }
}
