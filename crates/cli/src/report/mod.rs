//! What commands print, as text: pure, so that a test is a picture.

pub mod analysis;
pub mod approvals;
pub mod audit;
pub mod builds;
pub mod certificates;
pub mod containers;
pub mod diagnostics;
pub mod differences;
pub mod doctor;
#[cfg(test)]
pub mod examples;
pub mod history;
pub mod inside;
pub mod jobs;
pub mod messages;
pub mod payload;
pub mod people;
pub mod policies;
pub mod projects;
pub mod providers;
pub mod replies;
pub mod repositories;
pub mod robots;
pub mod secrets;
pub mod solutions;
pub mod story;
pub mod upstreams;
