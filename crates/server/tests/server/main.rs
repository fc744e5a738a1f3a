//! The server, asked over HTTP as clients ask it: a fresh stack for each test, on a free port, in
//! folders of its own. What runs containers runs them in the engine of this machine (`dev/setup`).

#![allow(clippy::unwrap_used, reason = "a test says why by where it fails")]

mod access;
mod agents;
mod approvals;
mod archives;
mod attacks;
mod audit;
mod certificates;
mod command_servers;
mod connections;
mod consent;
mod containers;
mod crash;
mod directory;
mod distribution;
mod doors;
mod events;
mod federated;
mod gateway;
mod lineage;
mod logins;
mod mcp;
mod messages;
mod mirrors;
mod people;
mod policies;
mod problems;
mod projects;
mod proposals;
mod runbooks;
mod secrets;
mod sign_in;
mod solutions;
mod start;
mod tls;
mod upkeep;
mod verify;
mod waiting;
mod world;
