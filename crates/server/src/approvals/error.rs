//! Why a proposal is not decided over.

use ergon_store::StoreError;

/// Why a proposal is not decided over.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    #[error("there is no proposal `{code}`")]
    NotFound { code: String },
    #[error("proposal {code} is {state} already{by}")]
    Decided {
        code: String,
        state: String,
        by: String,
    },
    #[error("proposal {code} expired at {at}")]
    Expired { code: String, at: String },
    #[error("proposal {code} is not what was approved: its digest is {is}")]
    Changed { code: String, is: String },
    #[error("proposal {code} is destructive: who approves it says the container's name")]
    Unnamed { code: String, container: String },
    #[error("proposal {code} cannot be read as it is kept, so it is not carried out")]
    Unreadable { code: String },
    #[error(
        "a guard-rail is for one of {allowed} (or several with + between), 1 to 100 times within a minute or more"
    )]
    GuardRail { allowed: String },
    #[error("there is no guard-rail `{name}`")]
    NoGuardRail { name: String },
    #[error("proposal {code} needs several people; {by} is none")]
    NoPerson { code: String, by: String },
    #[error(
        "whoever does not wait says why, and whoever looks at it says what they saw: 1 to {most} characters"
    )]
    NoReason { most: usize },
    #[error("proposal {code} was not done without waiting")]
    NotOverridden { code: String },
    #[error("{by} has looked at {code} already")]
    Reviewed { code: String, by: String },
    #[error("whoever did not wait with {code} is not who looks at it afterwards")]
    OwnReview { code: String },
    #[error(
        "a rule is for `safe`, `disruptive`, `destructive` or all, and asks for 1 to {most} people"
    )]
    Rule { most: u32 },
    #[error("there is no rule for {class} of {container}")]
    NoRule { class: String, container: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApprovalError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => Some("ergon approvals list says which there are".to_owned()),
            Self::Decided { code, .. } => Some(format!(
                "ergon approvals show {code} says what came of it; an approval counts once"
            )),
            Self::Expired { .. } | Self::Unreadable { .. } => {
                Some("ask the companion again; it makes a new proposal".to_owned())
            }
            Self::Changed { code, .. } => {
                Some(format!("read it again: ergon approvals show {code}"))
            }
            Self::Unnamed { code, container } => Some(format!(
                "ergon approvals approve {code} --container {container}"
            )),
            Self::GuardRail { .. } => {
                Some("ergon guard-rail add start --container NAME --times 3 --within 1h".to_owned())
            }
            Self::NoGuardRail { .. } => {
                Some("ergon guard-rail list says which there are".to_owned())
            }
            Self::NoPerson { .. } => Some(
                "approve it under your own name: ergon person add NAME --role operator".to_owned(),
            ),
            Self::NoReason { .. } => None,
            Self::NotOverridden { .. } | Self::Reviewed { .. } => {
                Some("ergon approvals overrides says what there is".to_owned())
            }
            Self::OwnReview { .. } => Some("ask somebody else who may".to_owned()),
            Self::Rule { .. } => {
                Some("ergon approvals rule set 2 --class destructive --container NAME".to_owned())
            }
            Self::NoRule { .. } => {
                Some("ergon approvals rule list says which there are".to_owned())
            }
            Self::Store(error) => error.remedy(),
        }
    }
}
