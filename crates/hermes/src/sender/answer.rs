//! What comes back, as it comes.

use serde_json::Value;
use tokio::sync::mpsc;

use super::error::{Cut, SendError};

/// The longest answer that is read, in bytes.
pub const LONGEST_ANSWER: usize = 1 << 20;

/// What somebody answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// In plain text. Empty: they took the message and said nothing.
    pub content: String,
    /// The whole answer, where it was one JSON document.
    pub whole: Option<Value>,
    /// Why it ends before its end.
    pub cut: Option<Cut>,
    /// How much came over the line.
    pub bytes: usize,
}

/// An answer that is being collected.
#[derive(Debug)]
pub struct Collected {
    text: String,
    whole: Option<Value>,
    bytes: usize,
    listener: Option<mpsc::Sender<String>>,
}

impl Collected {
    pub(super) fn new(listener: Option<mpsc::Sender<String>>) -> Self {
        Self {
            text: String::new(),
            whole: None,
            bytes: 0,
            listener,
        }
    }

    /// Counts what came over the line, however little of it is text.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), SendError> {
        self.bytes += bytes;
        if self.bytes > LONGEST_ANSWER {
            return Err(SendError::TooLong);
        }
        Ok(())
    }

    /// A piece of the text. Whoever listens hears it at once.
    pub(super) async fn push(&mut self, piece: &str) -> Result<(), SendError> {
        if piece.is_empty() {
            return Ok(());
        }
        self.text.push_str(piece);
        if let Some(listener) = &self.listener {
            let heard = listener.send(piece.to_owned()).await;
            // Nobody is left to answer to: whoever answers need not go on.
            heard.map_err(|_| SendError::Unheard)?;
        }
        Ok(())
    }

    /// The whole answer at once; whoever listens gets it with the end.
    pub(super) fn take_whole(&mut self, text: String, whole: Value) {
        self.text = text;
        self.whole = Some(whole);
    }

    pub(super) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    pub(super) fn answer(self) -> Answer {
        Answer {
            content: self.text,
            whole: self.whole,
            cut: None,
            bytes: self.bytes,
        }
    }

    pub(super) fn cut_off(self, cut: Cut) -> Answer {
        Answer {
            cut: Some(cut),
            ..self.answer()
        }
    }
}
