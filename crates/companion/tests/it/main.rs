//! The companion from outside: what it says of what it sees, its socket, and real containers.

mod around;
mod dialogue;
mod fixtures;
mod logs;
mod measures;
mod model;
mod real;
mod signals;
mod socket;
mod waste;
mod watch;
