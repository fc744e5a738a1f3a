//! Hermes: who is there, and how a message reaches them.
//!
//! The [`Directory`] lists companions and stacks by name; the [`Sender`] brings a message to one, by whichever way its
//! record asks for, and the answer back. For this stack the server registers and removes records
//! itself; what a companion answers, and who may ask, is not decided here.

mod address;
mod directory;
pub mod gateway;
mod name;
mod reach;
mod registration;
mod sender;

pub use address::{Address, Host, HostError, MessageFormat, Protocol, Server};
pub use directory::{
    Details, Directory, DirectoryError, Health, Kind, Limits, Pace, Parts, Present, Record,
    Registered, State,
};
pub use name::{Name, NameError, is_reserved_word};
pub use reach::{Allowance, AllowanceError, Pinned, Reach, ReachError};
pub use registration::{Capabilities, DEFAULT_TTL, Registration, RegistrationError};
pub use sender::{Answer, Cut, Letter, MOST_STACKS, SendError, Sender, Way, deliver};
