//! Why something is not done to a person.

use ergon_store::StoreError;

use crate::authorize::ParseRoleError;

/// Why something is not done to a person.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("there is nobody called `{name}`")]
    NotFound { name: String },
    #[error("`{name}` cannot be the name of a person: {why}")]
    Name { name: String, why: &'static str },
    #[error("there is somebody called `{name}` already")]
    Exists { name: String },
    #[error("somebody without a role could do nothing")]
    NoRoles,
    #[error("{what} is too much: at most {most}")]
    TooMuch { what: &'static str, most: usize },
    #[error(transparent)]
    Role(#[from] ParseRoleError),
    #[error("the owner stays: {why}")]
    Owner { why: &'static str },
    #[error("a password has {least} to {most} characters, and is not one's name")]
    Password { least: usize, most: usize },
    #[error("the password there was until now is another")]
    OldPassword,
    #[error("`{name}` has no token `{id}`")]
    NoToken { name: String, id: String },
    #[error("`{name}` has no session `{id}`")]
    NoSession { name: String, id: String },
    #[error("a token cannot have the role `{role}`: `{name}` does not have it")]
    NotTheirRole { name: String, role: String },
    #[error("`{name}` may not come in")]
    Disabled { name: String },
    #[error(
        "`{name}` comes in with an account elsewhere, and with nothing that is theirs here alone"
    )]
    Vouched { name: String },
    #[error("nothing that is said of this account lets it in: none of its groups is a role here")]
    NoGroup,
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { name, .. } => Self::Exists { name },
            error => Self::Store(error),
        }
    }
}

impl PeopleError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { .. } => "ergon person list says who there is",
            Self::Name { .. } | Self::Exists { .. } => "choose another name, as `ada` or `ada.l`",
            Self::NoRoles => {
                "say what they are: --role developer (owner, operator, developer, viewer, or a role of your own policies)"
            }
            Self::Owner { .. } => "ergon person add NAME --role owner makes another one",
            Self::Password { .. } => {
                "choose a longer one; a sentence is easier to keep than a riddle"
            }
            Self::OldPassword => "whoever forgot it signs in with a link: ergon person link NAME",
            Self::NoToken { name, .. } => {
                return Some(format!(
                    "ergon person token list {name} says which there are"
                ));
            }
            Self::NoSession { name, .. } => {
                return Some(format!(
                    "ergon person session list {name} says which there are"
                ));
            }
            Self::NotTheirRole { .. } => {
                "a token may have fewer roles than its person, and no others"
            }
            Self::Disabled { .. } => {
                "an owner lets somebody in again: ergon person change NAME --enable"
            }
            Self::Vouched { .. } => {
                "sign in there; where that cannot be, an owner gives a link: ergon person link NAME"
            }
            Self::NoGroup => {
                "ask an owner: `ergon person provider show` says which groups are which roles"
            }
            Self::Role(_) | Self::TooMuch { .. } | Self::Hash(_) => return None,
            Self::Store(error) => return error.remedy(),
        };
        Some(text.to_owned())
    }
}
