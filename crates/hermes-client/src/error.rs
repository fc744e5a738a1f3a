//! Why somebody is not in the directory.

/// Why somebody is not in the directory.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no stack is named by ERGON_URL, and none was started in {0}: start one with `ergon up`"
    )]
    NoStack(String),
    #[error("`{0}` is no address of a stack: http://HOST:PORT or https://HOST:PORT")]
    Address(String),
    #[error(
        "nobody vouches for {0}: name the certificate of its authority with ERGON_CA, or Stack::trusting"
    )]
    NoAuthority(String),
    #[error("this is no certificate of an authority: {0}")]
    Authority(String),
    #[error("no key could be made for a certificate: {0}")]
    Key(String),
    #[error("the stack at {address} cannot be reached: {reason}")]
    Away { address: String, reason: String },
    /// What the stack says: its problem's status and detail.
    #[error("{detail}")]
    Refused { status: u16, detail: String },
}

impl Error {
    /// Whether the stack does not know whoever asks, or knows somebody else by the name.
    pub(crate) fn is_not_known(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 404 | 409,
                ..
            }
        )
    }
}
