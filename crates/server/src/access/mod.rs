//! Who may use the image registry, and as whom: the owner, robots, whoever a token was given to, nobody.
//!
//! Clients of registries ask without a credential, are challenged, and come back with a token that
//! the [`token service`](TokenService) gave them for a name and a secret. What is decided here is who
//! somebody is and what a token is good for; what they may do, `authorize` decides.

pub mod account;
mod allowance;
mod challenge;
mod credential;
mod repositories;
mod robots;
mod scope;
mod token;
mod token_service;

pub use allowance::ParseAllowanceError;
pub use challenge::{Lack, basic_challenge, bearer_challenge};
pub use credential::Credential;
pub use repositories::{Repositories, RepositoryError};
pub use robots::{NewRobot, Robot, RobotError, Robots};
pub use scope::{Scope, Scopes, Verb, Verbs};
pub use token_service::TokenService;
