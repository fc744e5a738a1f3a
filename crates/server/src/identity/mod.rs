//! Who is who by certificate: the stack's own authority, what it gives to companions, and what is refused.
//!
//! `spiffe` reads and writes identities, `request` and `peer` decide about what others send, `template` says what a
//! certificate holds: all without I/O. `authority` keeps the keys in the data folder, `certificates` remembers what
//! was given.

mod authority;
mod certificates;
mod peer;
mod request;
mod spiffe;
mod template;

pub use authority::{Authority, AuthorityError, Issued};
pub use certificates::{CertificateError, Certificates};
pub use peer::PeerCertificate;

pub use spiffe::TrustDomain;
pub use template::{ServedName, Validity};
