//! How a message reaches somebody, and the answer comes back.
//!
//! [`Sender`] picks the [`Way`] that a record's address asks for, waits as long as the letter says, tries again where
//! nothing can be done twice, and ends in an [`Answer`] or a plain reason. What comes back is data: bounded, never
//! read as anything but text and JSON.

mod answer;
mod command;
mod error;
mod federated;
mod http;
mod letter;
mod mcp;
mod pieces;
mod socket;
mod text;
mod way;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::address::{Address, MessageFormat};
use crate::directory::Record;
use crate::reach::Reach;

pub use answer::{Answer, Collected};
pub use error::{Cut, SendError};
pub use letter::{Letter, MOST_STACKS};
pub use way::Way;

/// How long is waited before it is tried again, each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(600)];

/// Brings letters on their way.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Whom requests may be sent to.
    reach: Reach,
    /// This stack, in the path of what goes to other stacks.
    stack_id: String,
}

impl Sender {
    pub fn new(reach: Reach, stack_id: impl Into<String>) -> Self {
        Self {
            reach,
            stack_id: stack_id.into(),
        }
    }

    /// Brings a letter to whom the record is of. `headers` are what they want to be shown with it, where they are a server; `listener` hears the answer piece by piece, as far as it comes so.
    pub async fn send(
        &self,
        record: &Record,
        headers: BTreeMap<String, String>,
        letter: &Letter,
        listener: Option<mpsc::Sender<String>>,
    ) -> Result<Answer, SendError> {
        let way = self.way(record, headers)?;
        deliver(way.as_ref(), letter, listener).await
    }

    /// The way to somebody. A terminal has none: its messages wait in an inbox.
    fn way(
        &self,
        record: &Record,
        headers: BTreeMap<String, String>,
    ) -> Result<Box<dyn Way>, SendError> {
        let details = &record.details;
        Ok(match details.address() {
            Address::Socket(path) => Box::new(socket::Socket::new(path)),
            Address::Command(arguments) => Box::new(command::Command::new(arguments)),
            Address::Inbox => return Err(SendError::NoWay),
            Address::Http(mut server) => {
                let format = details.message_format.unwrap_or_default();
                if format == MessageFormat::Mcp && details.message_endpoint.is_none() {
                    "/mcp".clone_into(&mut server.endpoint);
                }
                let door = http::Door::new(self.reach.clone(), server, headers);
                match format {
                    MessageFormat::JsonSimple => Box::new(http::Simple::new(door)),
                    MessageFormat::TektonFederated => {
                        Box::new(federated::Federated::new(door, self.stack_id.clone()))
                    }
                    MessageFormat::Mcp => Box::new(mcp::Mcp::new(door)),
                }
            }
        })
    }
}

/// Goes a way until there is an answer, the letter's patience is over, or it makes no sense any more.
pub async fn deliver(
    way: &dyn Way,
    letter: &Letter,
    listener: Option<mpsc::Sender<String>>,
) -> Result<Answer, SendError> {
    let deadline = Instant::now() + letter.patience;
    let mut collected = Collected::new(listener);
    let went = timeout_at(
        deadline,
        again_and_again(way, letter, deadline, &mut collected),
    )
    .await;
    match went {
        Ok(Ok(())) => Ok(collected.answer()),
        // What was said before it went wrong was said.
        Ok(Err(error)) => match error.cut() {
            Some(cut) if collected.has_text() => Ok(collected.cut_off(cut)),
            _ => Err(error),
        },
        Err(_) if collected.has_text() => Ok(collected.cut_off(Cut::TooSlow(letter.patience))),
        Err(_) => Err(SendError::TooSlow(letter.patience)),
    }
}

async fn again_and_again(
    way: &dyn Way,
    letter: &Letter,
    deadline: Instant,
    collected: &mut Collected,
) -> Result<(), SendError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match way.bring(letter, deadline, collected).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let is_safe = !collected.has_text() && may_try_again(way, &error);
        match pauses.next() {
            Some(pause) if is_safe && Instant::now() + pause < deadline => sleep(pause).await,
            _ => return Err(error),
        }
    }
}

/// Whether a letter may go again: it never arrived, or whoever got it knows it again.
fn may_try_again(way: &dyn Way, error: &SendError) -> bool {
    match error {
        SendError::Away { may_be_passing, .. } => *may_be_passing,
        SendError::Broken(_) => way.knows_letters_again(),
        SendError::Status { status, .. } => {
            way.knows_letters_again() && matches!(status, 502..=504)
        }
        _ => false,
    }
}
