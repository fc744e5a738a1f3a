//! For programs that want to be in a stack's directory: registered, kept there by heartbeats, gone with the program.
//!
//! ```no_run
//! use ergon_hermes_client::{Registration, Stack};
//!
//! # async fn example() -> Result<(), ergon_hermes_client::Error> {
//! let registration = Registration::new("numa", "external").port(8001).message_endpoint("/chat");
//! let presence = Stack::find()?.register(registration).await?;
//! // … serve; heartbeats are sent meanwhile …
//! presence.leave().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Where the stack speaks TLS, whoever is registered gets a certificate, shows it from then on instead of the token, and has it
//! renewed in time.
//!
//! Nothing of the stack's own code is in it: what goes over the wire is all they share.

mod certificate;
mod error;
mod presence;
mod registration;
mod stack;
mod tls;

pub use certificate::Certificate;
pub use error::Error;
pub use presence::{Presence, Standing};
pub use registration::Registration;
pub use stack::Stack;
