//! What a model may call: the topics a companion speaks of, nothing else. A tool takes nothing and changes nothing;
//! it says what was seen when the question was asked.

use serde::Serialize;

use crate::{Observation, Reply, dialogue};

/// A function that a model may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    pub name: &'static str,
    pub description: &'static str,
    /// The question that it is.
    #[serde(skip)]
    question: &'static str,
}

pub const TOOLS: [Tool; 16] = [
    tool(
        "health",
        "Whether the container is well, and everything that is wrong with it.",
        "health",
    ),
    tool(
        "what_happened",
        "How the container ended or why it was restarted, and what happened to it lately.",
        "what happened?",
    ),
    tool(
        "services",
        "The services found among its processes, with their ports.",
        "services",
    ),
    tool(
        "ports",
        "The TCP ports it listens on and those the host publishes.",
        "ports",
    ),
    tool(
        "memory",
        "How much memory it uses, its limit, and what the kernel killed for want of it.",
        "memory",
    ),
    tool("processor", "How much processor time it uses.", "cpu"),
    tool(
        "disk",
        "The disks it writes to, and how full they are.",
        "disk",
    ),
    tool(
        "network",
        "What it sends and receives, and its connections.",
        "network traffic",
    ),
    tool(
        "uptime",
        "How long it has been running, and how often it was restarted.",
        "uptime",
    ),
    tool(
        "errors",
        "The lines of its log that read like errors.",
        "errors",
    ),
    tool("logs", "The last lines of its log.", "logs"),
    tool(
        "log_news",
        "What in its log was not there before the last deployment.",
        "what is new in the logs?",
    ),
    tool("changes", "What is not as it was.", "what changed?"),
    tool("drift", "Where it is not what it was meant to be.", "drift"),
    tool(
        "dependencies",
        "Whom it needs, and who needs it.",
        "dependencies",
    ),
    tool(
        "environment",
        "Which variables its program reads and which of them are set; never their values.",
        "environment",
    ),
];

const fn tool(name: &'static str, description: &'static str, question: &'static str) -> Tool {
    Tool {
        name,
        description,
        question,
    }
}

impl Tool {
    pub(super) fn named(name: &str) -> Option<Self> {
        TOOLS.into_iter().find(|tool| tool.name == name)
    }

    pub(super) fn call(self, observation: &Observation) -> Reply {
        dialogue::answer(self.question, observation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::{Intent, intents};

    #[test]
    fn every_tool_is_a_topic_of_its_own_that_only_tells() {
        let mut told = Vec::new();
        for tool in TOOLS {
            let topics = intents(tool.question);
            assert_eq!(topics.len(), 1, "{} asks for one thing", tool.name);
            assert!(!topics.contains(&Intent::Action), "{}", tool.name);
            assert!(!told.contains(&topics), "{} is new", tool.name);
            told.push(topics);
        }
    }
}
