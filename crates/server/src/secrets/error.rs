//! What can go wrong with secrets, and what to do. Nothing here says what a secret says.

use ergon_store::StoreError;

use super::key::SecretKeyError;
use super::name::SecretNameError;
use super::value::SecretValueError;
use super::vault::VaultError;

/// Why something is not done with a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("`{name}` cannot be a secret's: {error}")]
    Name {
        name: String,
        error: SecretNameError,
    },
    #[error("the secret cannot be kept: {0}")]
    Value(SecretValueError),
    #[error("a note is at most {0} characters, all on one line")]
    Note(usize),
    #[error("a secret ends after 1 to {0} days, or not by itself")]
    Days(u32),
    #[error("there is no secret `{name}`")]
    NotFound { name: String },
    #[error("there is no version {version} of `{name}` that still says something")]
    NoVersion { name: String, version: u64 },
    #[error("version {version} of `{name}` is what it says now")]
    Current { name: String, version: u64 },
    #[error("`{kind}` is nothing that a secret is granted to: `project`, `container` or `build`")]
    Kind { kind: String },
    #[error("a grant to a container says which")]
    NoPart,
    #[error("a grant to a whole project says no part of it")]
    NeedlessPart,
    #[error("`{part}` can be no container or application")]
    Part { part: String },
    #[error("there is no project `{project}`")]
    NoProject { project: String },
    #[error("`{name}` is not granted there")]
    NotGranted { name: String },
    #[error("{user} needs the secret `{name}`, and there is none")]
    Wanted { user: String, name: String },
    #[error("{user} may not use the secret `{name}`")]
    MayNot {
        user: String,
        name: String,
        remedy: String,
    },
    #[error("`{one}` and `{other}` are both to be the variable {variable} of one container")]
    SameVariable {
        variable: String,
        one: String,
        other: String,
    },
    #[error("`{name}` cannot be the variable {variable}: it is no text, or has a zero byte in it")]
    NoText { name: String, variable: String },
    #[error("secrets cannot be put where `{container}` would find them: {error}")]
    Files {
        container: String,
        error: std::io::Error,
    },
    #[error(
        "the container engine is on another machine, where no files can be put for `{container}`"
    )]
    Elsewhere { container: String },
    #[error("the secret `{name}` has expired")]
    Expired { name: String },
    #[error("the secret `{name}` was destroyed")]
    Destroyed { name: String },
    #[error("`{name}` is kept in a vault, and none is named")]
    NoVault { name: String },
    #[error("what secrets say is kept in the vault, which has keys of its own")]
    InVault,
    #[error(transparent)]
    Key(#[from] SecretKeyError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a task ended without an answer: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl SecretError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { .. } => "ergon secret list says which there are",
            Self::NoVersion { name, .. } => {
                return Some(format!("ergon secret versions {name} says which there are"));
            }
            Self::Current { name, .. } => {
                return Some(format!(
                    "set another value first (ergon secret set {name}), or remove the whole secret (ergon secret remove {name})"
                ));
            }
            Self::NoPart => "name it: --container NAME",
            Self::NoProject { .. } => "ergon project list says which there are",
            Self::NotGranted { name } => {
                return Some(format!("ergon secret show {name} says where it is granted"));
            }
            Self::Wanted { name, .. } | Self::Expired { name } | Self::Destroyed { name } => {
                return Some(format!("ergon secret set {name} --from-file FILE"));
            }
            Self::SameVariable { .. } => "give one of them another `env` in ergon.json",
            Self::NoText { .. } => "leave `env` out in ergon.json: as a file it may hold anything",
            Self::Elsewhere { .. } => {
                "name a variable for it in ergon.json (`env`), or run the stack where the engine is"
            }
            Self::Files { .. } => {
                "see whether /run or /dev/shm is a file system in memory that can be written to"
            }
            Self::MayNot { remedy, .. } => return Some(remedy.clone()),
            Self::NoVault { .. } => {
                "start the stack with --vault-address and --vault-token-file, as when it was kept"
            }
            Self::InVault => "change its keys there: vault operator rotate",
            Self::Key(error) => return error.remedy(),
            Self::Vault(error) => return error.remedy().map(str::to_owned),
            Self::Store(error) => return error.remedy(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}
