//! Who asks.

use std::sync::Arc;

use super::role::Role;
use crate::access::{Robot, Scopes};
use crate::people::Person;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody showed who they are.
    Nobody,
    /// The stack's owner, by token or by session.
    Owner,
    /// A process on this machine that opened a companion's socket.
    LocalUser { uid: u32 },
    /// Somebody with a name of their own.
    Person(Arc<Person>),
    /// A program with a name and a secret.
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
            Self::Person(person) => person.name.clone(),
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

    /// Their roles; an owner's is one.
    pub fn roles(&self) -> Vec<Role> {
        match self {
            Self::Owner => vec![Role::owner()],
            Self::Person(person) => person.roles.iter().cloned().collect(),
            Self::Robot(robot) => robot.roles.clone(),
            Self::Nobody | Self::LocalUser { .. } | Self::Companion { .. } => Vec::new(),
            Self::Bearer { of, .. } => of.roles(),
        }
    }

    /// Whether they are one of those who may do everything.
    pub fn is_owner(&self) -> bool {
        match self {
            Self::Owner => true,
            Self::Person(person) => person.roles.iter().any(Role::is_owner),
            Self::Nobody
            | Self::LocalUser { .. }
            | Self::Robot(_)
            | Self::Companion { .. }
            | Self::Bearer { .. } => false,
        }
    }
}
