//! What a model is sent, in no format yet: every text in it is sealed.

use serde::Serialize;

use super::egress::Sealed;
use super::tools::{TOOLS, Tool};

/// Everything that one request says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// What the model is to do; the same for everybody.
    pub instructions: Sealed,
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    /// Otherwise it is to answer with what it has.
    pub may_call: bool,
    /// The longest answer, in tokens.
    pub most_tokens: u32,
}

/// One part of what was said so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Turn {
    /// What is asked, with what is known.
    Asked(Sealed),
    /// What the model wanted to know, and what it was told. Its own words are not kept.
    Called(Vec<Call>),
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Made here; the model's own is not sent back.
    pub id: String,
    /// One of [`TOOLS`], or `unknown`.
    pub name: &'static str,
    pub result: Sealed,
}

/// What a model said to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// Names of the tools it called, in order.
    pub calls: Vec<String>,
    /// It had more to say.
    pub cut_off: bool,
    pub usage: Usage,
}

/// What a request cost, as far as the other side tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: Option<u64>,
    pub output: Option<u64>,
}

impl Payload {
    pub(super) fn new(instructions: Sealed, asked: Sealed, most_tokens: u32) -> Self {
        Self {
            instructions,
            turns: vec![Turn::Asked(asked)],
            tools: TOOLS.to_vec(),
            may_call: true,
            most_tokens,
        }
    }

    /// How many bytes of text it has; formats add some around them.
    pub fn bytes(&self) -> usize {
        let turns = self.turns.iter().map(|turn| match turn {
            Turn::Asked(text) => text.as_str().len(),
            Turn::Called(calls) => calls
                .iter()
                .map(|call| call.result.as_str().len() + call.name.len() + call.id.len())
                .sum(),
        });
        let tools = self.tools.iter();
        let tools: usize = tools
            .map(|tool| tool.name.len() + tool.description.len())
            .sum();
        self.instructions.as_str().len() + turns.sum::<usize>() + tools
    }

    /// Tokens it is at most likely to be, where nobody has counted them.
    pub fn likely_tokens(&self) -> u64 {
        // English has about four bytes to a token, figures and digests hardly two.
        self.bytes() as u64 / 2
    }
}
