//! Signing in with what is kept elsewhere: accounts at identity providers (OpenID Connect), and passkeys.
//!
//! A provider says who somebody is; who that is here, and what they are, is decided here. An account is known by its
//! issuer and its subject and by nothing else: names and addresses change hands. What a provider says comes from
//! outside, as everything it sends: it is read within bounds, and nothing of it is believed before it is checked.

mod claims;
mod coming;
mod error;
mod exchange;
mod outgoing;
mod passkeys;
mod provider;
mod providers;

pub use coming::come_back;
pub use error::{ProviderConfigError, ProviderError};
pub use passkeys::{PasskeyError, Passkeys, Place};
pub use provider::{IdentityProvider, PutIdentityProvider};
pub use providers::{IdentityProviders, Returned};
