//! Up: turns this machine into a stack.

use std::net::SocketAddr;

use clap::Args;

use super::arguments::Stack;
use crate::failure::Outcome;

/// Turn this machine into a stack, until Ctrl-C or SIGTERM
#[derive(Debug, Args)]
pub struct Up {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "ERGON_LISTEN",
        default_value = "127.0.0.1:7411",
        hide_env_values = true
    )]
    listen: SocketAddr,
    #[command(flatten)]
    stack: Stack,
}

impl Up {
    pub async fn run(self) -> Outcome {
        Ok(())
    }
}
