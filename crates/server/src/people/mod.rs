//! People: who they are, what lets them in, and how often somebody may try.
//!
//! They are few and asked for with every request, so all are kept in memory; only this process writes them. The owner
//! is there from the first start and cannot be removed.

mod accounts;
mod error;
mod known;
mod limits;
mod password;
mod tokens;

pub use accounts::{Account, ComingIn};
pub use error::PeopleError;
pub use known::{NewPerson, OWNER, People, Person, PersonChange};
pub use limits::{SignInLimits, TooManyTries};
pub use tokens::{NewToken, PersonToken};
