//! The stack, as agents meet it: the Model Context Protocol at `/mcp`.
//!
//! `tools` makes a tool of every operation of the API, out of the API's own document; `request` turns a call into the
//! request it stands for, and `inside` asks it through the same routes as any other. So nothing is allowed here that is
//! not allowed there, and nothing is said otherwise. `resources` and `prompts` stand on the same operations, `look` looks them
//! up, and `feed` tells what changed out of the one feed of events. `gateway` has the tools of other servers among them,
//! `companions` one for each companion. `server` answers the protocol's methods, `endpoint`
//! serves it.

mod call;
mod companions;
mod consent;
mod endpoint;
mod feed;
mod gateway;
mod inside;
mod look;
mod progress;
mod prompts;
mod request;
mod resources;
mod schema;
mod server;
mod tools;

pub use endpoint::Endpoint;
pub use gateway::{Gateway, GatewayError};
pub use inside::Inside;
pub use prompts::all as prompts;
pub use request::SEGMENT;
