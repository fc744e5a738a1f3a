//! The stack for agents.

use clap::Args;

use super::arguments::Stack;
use crate::bridge::Bridge;
use crate::failure::Outcome;

/// Let an agent use the stack: the Model Context Protocol on standard input and output
#[derive(Debug, Args)]
pub struct Mcp {
    #[command(flatten)]
    stack: Stack,
}

impl Mcp {
    pub async fn run(self) -> Outcome {
        Bridge::new(self.stack.client()?).run().await
    }
}
