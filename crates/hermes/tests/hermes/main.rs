//! Hermes against real sockets, servers and programs, also such as do not behave.

#![allow(clippy::unwrap_used, reason = "a test says why by where it fails")]

mod companions;
mod mcp;
mod programs;
mod servers;
mod sockets;
