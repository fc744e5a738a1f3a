//! What goes wrong with solutions, and what a person can do about it.

use ergon_manifest::CanonicalError;
use ergon_store::StoreError;

use super::names::NameError;
use crate::api;
use crate::projects::ProjectError;
use crate::registry::RegistryError;

/// What went wrong with a solution.
#[derive(Debug, thiserror::Error)]
pub enum SolutionError {
    #[error("there is no solution `{name}`")]
    NotFound { name: String },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("{what}")]
    Invalid { what: String, remedy: String },
    #[error("{name} is kept already, and no version is ever modified")]
    Exists { name: String },
    #[error("`{name}` is a {kind} already")]
    OtherKind { name: String, kind: String },
    #[error("nothing changed: build {build} is {name} already")]
    Unchanged { build: String, name: String },
    #[error("project `{name}` has no build that succeeded")]
    NotFinished { name: String },
    #[error("{name} is needed: {}", in_words(dependents))]
    Needed {
        name: String,
        dependents: Vec<api::Dependent>,
    },
    #[error("{needed} is not kept here, and the solution is said to need it")]
    Missing { needed: String },
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SolutionError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } | Self::Missing { .. } => {
                Some("ergon solution list says which there are".to_owned())
            }
            Self::Invalid { remedy, .. } => Some(remedy.clone()),
            Self::Exists { .. } => Some("keep the change as a new version".to_owned()),
            Self::OtherKind { .. } => Some("choose another name".to_owned()),
            Self::Unchanged { .. } => {
                Some("say which version it is (--as) where it is to be kept once more".to_owned())
            }
            Self::NotFinished { name } => Some(format!("build it: ergon run, or Run of {name}")),
            Self::Needed { .. } => Some("remove what depends on it first".to_owned()),
            Self::Project(error) => error.remedy(),
            Self::Registry(error) => error.remedy(),
            Self::Store(error) => error.remedy(),
            Self::Name(_) | Self::Canonical(_) => None,
        }
    }
}

fn in_words(dependents: &[api::Dependent]) -> String {
    let each = dependents
        .iter()
        .map(|each| format!("{} {} {}", each.kind, each.name, each.how));
    each.collect::<Vec<_>>().join(", ")
}
