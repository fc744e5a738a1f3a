//! What something is done to.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What kind of thing is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, EnumString, IntoStaticStr)]
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
    Person,
    IdentityProvider,
    Policy,
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
    /// Which of its kind it is: what a companion is the companion of.
    pub group: Option<&'static str>,
}

impl Resource {
    #[must_use]
    pub fn public(self, is_public: bool) -> Self {
        Self { is_public, ..self }
    }

    #[must_use]
    pub fn of_group(self, group: Option<&'static str>) -> Self {
        Self { group, ..self }
    }
}

impl ResourceKind {
    /// The word for it in policies and in the audit log.
    pub fn word(self) -> &'static str {
        self.into()
    }
}
