//! The gateway's decisions: what tools of others are called here, and which of them may be used. Nothing here connects
//! to anything.

mod address;
mod review;

pub use address::{Address, AddressError, ServerName, ServerNameError};
pub use review::{Offered, Reviewed, Standing, fingerprint, review};
