//! What each error of the rooms below means over HTTP. They know nothing of it.

use axum::http::StatusCode;
use ergon_companion::look::Refusal;
use ergon_engine::EngineError;
use ergon_hermes::{DirectoryError, SendError};
use ergon_store::{AuditError, StoreError};

use super::problem::Failure;
use crate::access::{RepositoryError, RobotError};
use crate::approvals::ApprovalError;
use crate::audit::AuditLogError;
use crate::companions::CompanionError;
use crate::containers::ContainerError;
use crate::distribution::DistributionError;
use crate::identity::{AuthorityError, CertificateError};
use crate::jobs::JobError;
use crate::mcp::GatewayError;
use crate::messages::MessageError;
use crate::people::{PeopleError, TooManyTries};
use crate::policies::PoliciesError;
use crate::projects::{CloneError, ProjectError, SaveError};
use crate::registry::RegistryError;
use crate::secrets::{SecretError, SecretKeyError, SecretValueError, VaultError};
use crate::sessions::SignInError;
use crate::sign_in::{PasskeyError, ProviderConfigError, ProviderError};
use crate::solutions::SolutionError;
use crate::upkeep::UpkeepError;
use crate::upstreams::UpstreamsError;

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::WrongCode => Self::new(StatusCode::UNAUTHORIZED, error.to_string())
                .with_remedy("ergon link prints a fresh one"),
            SignInError::WrongPassword => Self::new(StatusCode::UNAUTHORIZED, error.to_string())
                .with_remedy("an owner can give you a link: ergon person link NAME"),
            SignInError::Incomplete => Self::bad_request(error.to_string()),
            SignInError::TooManyTries(error) => error.into(),
            SignInError::Provider(error) => error.into(),
            SignInError::Passkey(error) => error.into(),
            SignInError::People(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<TooManyTries> for Failure {
    fn from(error: TooManyTries) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
            .with_remedy(
                "an owner can give you a link, which counts for itself: ergon person link NAME",
            )
            .retry_after(error.after)
    }
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        let status = match &error {
            PeopleError::NotFound { .. }
            | PeopleError::NoToken { .. }
            | PeopleError::NoSession { .. } => StatusCode::NOT_FOUND,
            PeopleError::Exists { .. } | PeopleError::Owner { .. } => StatusCode::CONFLICT,
            PeopleError::OldPassword
            | PeopleError::Disabled { .. }
            | PeopleError::Vouched { .. }
            | PeopleError::NoGroup => StatusCode::FORBIDDEN,
            PeopleError::Name { .. }
            | PeopleError::NoRoles
            | PeopleError::TooMuch { .. }
            | PeopleError::Role(_)
            | PeopleError::Password { .. }
            | PeopleError::NotTheirRole { .. } => StatusCode::BAD_REQUEST,
            PeopleError::Hash(_) => return Self::internal(&error),
            PeopleError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        match error {
            PeopleError::Store(error) => error.into(),
            error => Self::new(status, error.to_string()).with_optional_remedy(error.remedy()),
        }
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        let status = match &error {
            ProviderError::Unknown => StatusCode::NOT_FOUND,
            ProviderError::NotBegun
            | ProviderError::OtherBrowser
            | ProviderError::OtherIssuer
            | ProviderError::Code(_)
            | ProviderError::Token(_) => StatusCode::UNAUTHORIZED,
            ProviderError::Outgoing(_) | ProviderError::Metadata(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ProviderError::Seal => return Self::internal(&error),
        };
        Self::new(status, error.to_string()).with_remedy(error.remedy())
    }
}

impl From<PasskeyError> for Failure {
    fn from(error: PasskeyError) -> Self {
        let status = match error {
            PasskeyError::NoName { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            PasskeyError::NotBegun | PasskeyError::Wrong => StatusCode::UNAUTHORIZED,
            PasskeyError::Known => StatusCode::CONFLICT,
            PasskeyError::NotFound { .. } => StatusCode::NOT_FOUND,
            PasskeyError::NotOneself => StatusCode::FORBIDDEN,
            PasskeyError::Unreadable
            | PasskeyError::Refused(_)
            | PasskeyError::TooMuch { .. }
            | PasskeyError::About => StatusCode::BAD_REQUEST,
            PasskeyError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<ProviderConfigError> for Failure {
    fn from(error: ProviderConfigError) -> Self {
        let status = match error {
            ProviderConfigError::NotFound { .. } => StatusCode::NOT_FOUND,
            ProviderConfigError::Taken { .. } => StatusCode::CONFLICT,
            ProviderConfigError::Provider { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            ProviderConfigError::Name { .. }
            | ProviderConfigError::Issuer { .. }
            | ProviderConfigError::Empty { .. }
            | ProviderConfigError::TooMuch { .. }
            | ProviderConfigError::Unprintable { .. }
            | ProviderConfigError::NobodyComesIn
            | ProviderConfigError::Role(_) => StatusCode::BAD_REQUEST,
            ProviderConfigError::Seal => return Self::internal(&error),
            ProviderConfigError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<PoliciesError> for Failure {
    fn from(error: PoliciesError) -> Self {
        let status = match error {
            PoliciesError::NotFound { .. } => StatusCode::NOT_FOUND,
            PoliciesError::Shipped { .. } => StatusCode::CONFLICT,
            PoliciesError::Faults { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            PoliciesError::Name { .. }
            | PoliciesError::TooMuch { .. }
            | PoliciesError::Unknown { .. } => StatusCode::BAD_REQUEST,
            PoliciesError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<UpstreamsError> for Failure {
    fn from(error: UpstreamsError) -> Self {
        let status = match error {
            UpstreamsError::Name { .. } | UpstreamsError::Url { .. } | UpstreamsError::Login => {
                StatusCode::BAD_REQUEST
            }
            UpstreamsError::NotFound { .. } => StatusCode::NOT_FOUND,
            UpstreamsError::Taken { .. } | UpstreamsError::Mirrored { .. } => StatusCode::CONFLICT,
            UpstreamsError::Store(error) => return error.into(),
            UpstreamsError::Secret(_) | UpstreamsError::Task(_) => return Self::internal(&error),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSpace => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
                .with_optional_remedy(error.remedy()),
            StoreError::Exists { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        tracing::error!(%error, "a change was not made");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing is changed, for it cannot be written down in the audit log",
        )
        .with_remedy("what `ergon up` printed says why; a full disk is the most likely reason")
    }
}

impl From<AuditLogError> for Failure {
    fn from(error: AuditLogError) -> Self {
        match error {
            AuditLogError::Log(error) => error.into(),
            AuditLogError::Checkpoint(_) => Self::bad_request(error.to_string())
                .with_remedy("give it as `ergon audit checkpoint` printed it"),
            AuditLogError::Read(_) | AuditLogError::Task(_) => Self::internal(&error),
        }
    }
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        let status = match error {
            CertificateError::Name { .. } | CertificateError::Request(_) => StatusCode::BAD_REQUEST,
            CertificateError::NobodyThere(_) | CertificateError::NotFound(_) => {
                StatusCode::NOT_FOUND
            }
            CertificateError::NotTheirs { .. } => StatusCode::FORBIDDEN,
            CertificateError::Authority(AuthorityError::Expired) => StatusCode::SERVICE_UNAVAILABLE,
            CertificateError::Store(error) => return error.into(),
            CertificateError::Authority(_) => return Self::internal(&error),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<RobotError> for Failure {
    fn from(error: RobotError) -> Self {
        let status = match error {
            RobotError::NotFound { .. } => StatusCode::NOT_FOUND,
            RobotError::Exists { .. } => StatusCode::CONFLICT,
            RobotError::Store(error) => return error.into(),
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let status = match &error {
            SecretError::NotFound { .. }
            | SecretError::NoVersion { .. }
            | SecretError::NoProject { .. }
            | SecretError::NotGranted { .. } => StatusCode::NOT_FOUND,
            SecretError::Value(SecretValueError::TooLong) => StatusCode::PAYLOAD_TOO_LARGE,
            SecretError::Name { .. }
            | SecretError::Value(_)
            | SecretError::Note(_)
            | SecretError::Days(_)
            | SecretError::Kind { .. }
            | SecretError::NoPart
            | SecretError::NeedlessPart
            | SecretError::Part { .. } => StatusCode::BAD_REQUEST,
            SecretError::Current { .. }
            | SecretError::Wanted { .. }
            | SecretError::MayNot { .. }
            | SecretError::SameVariable { .. }
            | SecretError::NoText { .. }
            | SecretError::Elsewhere { .. }
            | SecretError::Expired { .. }
            | SecretError::Destroyed { .. }
            | SecretError::NoVault { .. }
            | SecretError::InVault
            | SecretError::Key(SecretKeyError::Closed { .. }) => StatusCode::CONFLICT,
            SecretError::Vault(error) if error.is_away() => StatusCode::SERVICE_UNAVAILABLE,
            SecretError::Vault(VaultError::Token { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            SecretError::Vault(_) => StatusCode::BAD_GATEWAY,
            SecretError::Store(_) => {
                return match error {
                    SecretError::Store(error) => error.into(),
                    error => Self::internal(&error),
                };
            }
            SecretError::Files { .. } | SecretError::Key(_) | SecretError::Task(_) => {
                return Self::internal(&error);
            }
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        let status = match error {
            RepositoryError::NotFound { .. } => StatusCode::NOT_FOUND,
            RepositoryError::Store(error) => return error.into(),
            RepositoryError::Name(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let status = match &error {
            EngineError::NotFound { .. } => StatusCode::NOT_FOUND,
            EngineError::NameTaken { .. }
            | EngineError::Conflict(_)
            | EngineError::PortTaken { .. } => StatusCode::CONFLICT,
            EngineError::Invalid(_) | EngineError::CommandNotStartable(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            EngineError::DiskFull(_) => StatusCode::INSUFFICIENT_STORAGE,
            EngineError::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            EngineError::Other(_) => StatusCode::BAD_GATEWAY,
            EngineError::NoEngine { .. }
            | EngineError::NotRunning { .. }
            | EngineError::PermissionDenied { .. }
            | EngineError::UnsupportedHost { .. }
            | EngineError::NoNamespaces { .. }
            | EngineError::Disconnected(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        let status = match error {
            DirectoryError::Registration(_) => StatusCode::BAD_REQUEST,
            DirectoryError::NotFound { .. } => StatusCode::NOT_FOUND,
            DirectoryError::NameTaken { .. }
            | DirectoryError::Own { .. }
            | DirectoryError::OtherLease { .. } => StatusCode::CONFLICT,
            DirectoryError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            DirectoryError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            DirectoryError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            DirectoryError::Closed => StatusCode::SERVICE_UNAVAILABLE,
            DirectoryError::Store(error) => return error.into(),
            DirectoryError::NotWritten | DirectoryError::Sealed { .. } => {
                return Self::internal(&error);
            }
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        let status = match error {
            ProjectError::NotFound { .. } => StatusCode::NOT_FOUND,
            ProjectError::Location(_) | ProjectError::Name { .. } => StatusCode::BAD_REQUEST,
            ProjectError::Folder { .. }
            | ProjectError::Unusable { .. }
            | ProjectError::Pack(_)
            | ProjectError::Clone(CloneError::Failed { .. })
            | ProjectError::Save(SaveError::Write { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            ProjectError::NameTaken { .. }
            | ProjectError::Known { .. }
            | ProjectError::Busy { .. }
            | ProjectError::Save(SaveError::Differs { .. }) => StatusCode::CONFLICT,
            ProjectError::Clone(CloneError::TooSlow { .. }) => StatusCode::GATEWAY_TIMEOUT,
            ProjectError::Clone(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ProjectError::Directory(error) => return error.into(),
            ProjectError::Store(error) => return error.into(),
            error @ ProjectError::Task(_) => return Self::internal(&error),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        let status = match error {
            JobError::NotFound { .. } => StatusCode::NOT_FOUND,
            JobError::Variable { .. } => StatusCode::BAD_REQUEST,
            JobError::NotBuilt { .. } | JobError::NoFolder { .. } => StatusCode::CONFLICT,
            JobError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let status = match error {
            RegistryError::NotFound { .. } | RegistryError::NotInCache { .. } => {
                StatusCode::NOT_FOUND
            }
            RegistryError::Ambiguous { .. } => StatusCode::CONFLICT,
            RegistryError::TooShort { .. } | RegistryError::Digest(_) => StatusCode::BAD_REQUEST,
            RegistryError::Store(error) => return error.into(),
            RegistryError::Distribution(error) => return error.into(),
            error @ (RegistryError::Oci(_) | RegistryError::Task(_)) => {
                return Self::internal(&error);
            }
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<SolutionError> for Failure {
    fn from(error: SolutionError) -> Self {
        let status = match error {
            SolutionError::NotFound { .. } => StatusCode::NOT_FOUND,
            SolutionError::Name(_) | SolutionError::Invalid { .. } => StatusCode::BAD_REQUEST,
            SolutionError::Exists { .. }
            | SolutionError::OtherKind { .. }
            | SolutionError::Unchanged { .. }
            | SolutionError::NotFinished { .. }
            | SolutionError::Needed { .. }
            | SolutionError::Missing { .. } => StatusCode::CONFLICT,
            SolutionError::Canonical(_) => StatusCode::UNPROCESSABLE_ENTITY,
            SolutionError::Project(error) => return error.into(),
            SolutionError::Registry(error) => return error.into(),
            SolutionError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<UpkeepError> for Failure {
    fn from(error: UpkeepError) -> Self {
        match error {
            UpkeepError::Busy => Self::new(StatusCode::CONFLICT, error.to_string())
                .with_optional_remedy(error.remedy()),
            UpkeepError::Store(error) => error.into(),
            error @ UpkeepError::Distribution(_) => Self::internal(&error),
        }
    }
}

impl From<DistributionError> for Failure {
    fn from(error: DistributionError) -> Self {
        match error {
            DistributionError::Refused(refusal) => {
                let status = StatusCode::from_u16(refusal.status);
                Self::new(status.unwrap_or(StatusCode::BAD_REQUEST), refusal.message)
            }
            DistributionError::Store(error) => error.into(),
            error @ DistributionError::NoSpace { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
                    .with_remedy("free some space on its disk; nothing of it was kept")
            }
            error => Self::internal(&error),
        }
    }
}

impl From<ApprovalError> for Failure {
    fn from(error: ApprovalError) -> Self {
        let status = match error {
            ApprovalError::NotFound { .. }
            | ApprovalError::NoGuardRail { .. }
            | ApprovalError::NotOverridden { .. }
            | ApprovalError::NoRule { .. } => StatusCode::NOT_FOUND,
            ApprovalError::Decided { .. }
            | ApprovalError::Changed { .. }
            | ApprovalError::Reviewed { .. }
            | ApprovalError::Unreadable { .. } => StatusCode::CONFLICT,
            ApprovalError::Expired { .. } => StatusCode::GONE,
            ApprovalError::NoPerson { .. } | ApprovalError::OwnReview { .. } => {
                StatusCode::FORBIDDEN
            }
            ApprovalError::Unnamed { .. }
            | ApprovalError::GuardRail { .. }
            | ApprovalError::NoReason { .. }
            | ApprovalError::Rule { .. } => StatusCode::BAD_REQUEST,
            ApprovalError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        let status = match error {
            GatewayError::NotFound { .. }
            | GatewayError::NoSession { .. }
            | GatewayError::NoTool { .. } => StatusCode::NOT_FOUND,
            GatewayError::Taken { .. }
            | GatewayError::Changed { .. }
            | GatewayError::Refused { .. }
            | GatewayError::Held { .. }
            | GatewayError::TooMany { .. } => StatusCode::CONFLICT,
            GatewayError::Busy { .. }
            | GatewayError::TooManyCalls { .. }
            | GatewayError::TooFast { .. }
            | GatewayError::Overrun { .. } => StatusCode::TOO_MANY_REQUESTS,
            GatewayError::Away { .. } | GatewayError::Answer { .. } => StatusCode::BAD_GATEWAY,
            GatewayError::Name(_) | GatewayError::Address(_) => StatusCode::BAD_REQUEST,
            GatewayError::Reach(_) => StatusCode::FORBIDDEN,
            GatewayError::Store(error) => return error.into(),
        };
        let failure = Self::new(status, error.to_string()).with_optional_remedy(error.remedy());
        match error.retry_after() {
            Some(after) => failure.retry_after(after),
            None => failure,
        }
    }
}

impl From<ContainerError> for Failure {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, error.to_string())
                .with_optional_remedy(error.remedy()),
            ContainerError::Engine(error) => error.into(),
            ContainerError::Directory(error) => error.into(),
            ContainerError::Store(error) => error.into(),
            ContainerError::Secret(error) => error.into(),
        }
    }
}

impl From<CompanionError> for Failure {
    fn from(error: CompanionError) -> Self {
        let status = match error {
            CompanionError::NotFound { .. }
            | CompanionError::NoExplanation
            | CompanionError::Look(Refusal::Missing(_)) => StatusCode::NOT_FOUND,
            CompanionError::Name { .. }
            | CompanionError::Wanted(_)
            | CompanionError::Look(Refusal::Path(_)) => StatusCode::BAD_REQUEST,
            CompanionError::Look(Refusal::Unseen | Refusal::Unreadable(_)) => StatusCode::CONFLICT,
            CompanionError::HasOne { .. } | CompanionError::NoContainer { .. } => {
                StatusCode::CONFLICT
            }
            CompanionError::Directory(error) => return error.into(),
            CompanionError::Engine(error) => return error.into(),
            CompanionError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}

impl From<MessageError> for Failure {
    fn from(error: MessageError) -> Self {
        let status = match &error {
            MessageError::NotFound { .. }
            | MessageError::UnknownTerminal { .. }
            | MessageError::NoForward { .. }
            | MessageError::NoMessage { .. }
            | MessageError::NotInInbox { .. }
            | MessageError::NoExchange { .. } => StatusCode::NOT_FOUND,
            MessageError::Empty
            | MessageError::Timeout { .. }
            | MessageError::Terminal { .. }
            | MessageError::Kind { .. }
            | MessageError::Path
            | MessageError::Sayer
            | MessageError::Key
            | MessageError::TwoKeys
            | MessageError::Purpose => StatusCode::BAD_REQUEST,
            MessageError::Circle | MessageError::TooFar(_) => StatusCode::LOOP_DETECTED,
            MessageError::Late => StatusCode::GATEWAY_TIMEOUT,
            MessageError::KeyUsed => StatusCode::UNPROCESSABLE_ENTITY,
            MessageError::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            MessageError::NoTerminal { .. }
            | MessageError::Forwarded { .. }
            | MessageError::NotDead { .. } => StatusCode::CONFLICT,
            MessageError::TooManyTerminals(_)
            | MessageError::TooManyPurposes(_)
            | MessageError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            MessageError::Send { error, .. } => match error {
                error if error.is_away() => StatusCode::SERVICE_UNAVAILABLE,
                SendError::TooSlow(_) => StatusCode::GATEWAY_TIMEOUT,
                SendError::NotAllowed { .. } => StatusCode::FORBIDDEN,
                _ => StatusCode::BAD_GATEWAY,
            },
            MessageError::Directory(_) | MessageError::Store(_) => {
                return match error {
                    MessageError::Directory(error) => error.into(),
                    MessageError::Store(error) => error.into(),
                    error => Self::internal(&error),
                };
            }
        };
        Self::new(status, error.to_string()).with_optional_remedy(error.remedy())
    }
}
