//! How something is asked: through which door, and by what whoever asks showed who they are.

use strum::IntoStaticStr;

use super::principal::Principal;

/// Through which door something was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Channel {
    Http,
    /// A tool or resource of the Model Context Protocol, once more decided about.
    Mcp,
    Registry,
    Socket,
    /// The stack itself, in somebody's name or by a rule.
    Stack,
}

impl Channel {
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// By what whoever asks showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Means {
    /// By nothing.
    Nothing,
    /// A token or a secret that programs have.
    Token,
    /// Somebody who signed in in a browser.
    Session,
    /// A certificate of the stack's own authority.
    Certificate,
    /// A process of this machine, as the kernel says.
    Peer,
}

impl Means {
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Circumstances {
    pub channel: Channel,
    pub means: Means,
}

impl Circumstances {
    pub const fn new(channel: Channel, means: Means) -> Self {
        Self { channel, means }
    }

    /// A request to the image registry, by whoever asks.
    pub fn of_registry(principal: &Principal) -> Self {
        let means = match principal.itself() {
            Principal::Nobody => Means::Nothing,
            _ => Means::Token,
        };
        Self::new(Channel::Registry, means)
    }
}
