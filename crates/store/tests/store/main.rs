//! The same behaviour on SQLite and on PostgreSQL, and what is left after `kill -9`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says why by where it fails"
)]

mod access;
mod audit;
mod behaviour;
mod crash;
mod database;
mod messages;
mod people;
mod proposals;
mod secrets;
