//! The one place where it is decided who may do what.
//!
//! Every HTTP request, every call of an agent's tool, every request to the image registry and every message to a
//! companion's socket is decided here before anything else happens. What is decided is written in Cedar: what comes
//! with Ergon is in `shipped/`, what a stack adds is its own. Nothing is allowed that no policy allows.

mod action;
mod check;
mod compiled;
mod effect;
mod policy;
mod principal;
mod request;
mod resource;
mod role;
mod schema;

pub use action::Action;
pub use check::{Fault, check};
pub use compiled::{PolicyText, SHIPPED, broken, policy_of};
pub use effect::Effect;
pub use policy::{Decided, Decision, Explained, Policy};
pub use principal::Principal;
pub use request::{Channel, Circumstances, Means};
pub use resource::{Resource, ResourceKind};
pub use role::{ParseRoleError, Role};
pub use schema::text as schema_text;
