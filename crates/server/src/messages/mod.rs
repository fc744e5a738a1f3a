//! Messages: from whoever says them to whom they are for, by whichever way leads there, and what came of it.
//!
//! [`Messages::prepare`] decides to whom a message goes and who says it; [`Messages::send`] has it brought there.
//! Whoever is away may have it later (`waiting`), a terminal keeps it (`inboxes`), a person may sit in for a companion
//! (`inboxes`), and a whole team may be asked at once (`team`). Other stacks pass messages on (`passed_on`). What came of each is recorded (`exchanges`),
//! also of what is said on a companion's own socket (`overheard`).

mod error;
pub mod exchanges;
pub mod inboxes;
mod overheard;
pub mod passed_on;
pub mod purposes;
pub mod team;
pub mod waiting;

use std::time::Duration;

use ergon_companion::Reply;
use ergon_companion::redact::{Cleaner, hide_known, hide_known_in};
use ergon_hermes::{Address, Answer, Kind, Letter, MessageFormat, Record};
use ergon_store::ForwardRow;
use tokio::sync::mpsc;

pub use error::MessageError;
use exchanges::{Begun, new_id};
pub use overheard::Overheard;

use crate::api::{self, Delivery, Sent};
use crate::authorize::Principal;
use crate::stack::Stack;

/// The longest message, in bytes; a companion's socket takes no longer line.
const LONGEST_MESSAGE: usize = 32 << 10;
/// An answer is waited for so long where nobody says how long.
const PATIENCE: u32 = 35;
/// Nobody may have it wait longer.
const LONGEST_PATIENCE: u32 = 600;

/// The stack's messages.
pub struct Messages<'a> {
    stack: &'a Stack,
}

/// A message of which is known whom it goes to.
pub struct Prepared {
    letter: Letter,
    record: Record,
    principal: String,
    later: bool,
    /// It waited for whom it is for, and is tried again.
    waited: bool,
    /// A person sits in for whom it is for.
    forward: Option<ForwardRow>,
    team: Option<String>,
}

impl<'a> Messages<'a> {
    pub fn new(stack: &'a Stack) -> Self {
        Self { stack }
    }

    /// Finds whom a message is for, and says who says it.
    pub async fn prepare(
        &self,
        principal: &Principal,
        name: &str,
        message: &api::Message,
    ) -> Result<Prepared, MessageError> {
        check(&message.content)?;
        let patience = patience(message.timeout_seconds, PATIENCE, LONGEST_PATIENCE)?;
        let (record, to) = self.recipient(name)?;
        let from = self.sender(principal, message.terminal.as_deref()).await?;
        let prepared = self.addressed(principal, &message.content, record, to, from);
        let mut prepared = prepared.await?;
        prepared.letter.patience = patience;
        prepared.later = message.later;
        Ok(prepared)
    }

    /// A message to somebody, with what is usual where nothing else is wanted.
    async fn addressed(
        &self,
        principal: &Principal,
        content: &str,
        record: Record,
        to: Option<String>,
        from: String,
    ) -> Result<Prepared, MessageError> {
        Ok(Prepared {
            letter: Letter {
                id: new_id(self.stack),
                from,
                // Nobody is told a secret, whoever says it to whom.
                content: hide_known(content).into_owned(),
                to,
                patience: Duration::from_secs(PATIENCE.into()),
                path: Vec::new(),
            },
            forward: self.stack.store().forward(&record.name).await?,
            record,
            principal: principal.name(),
            later: false,
            waited: false,
            team: None,
        })
    }

    /// Brings a message to whom it is for. `listener` hears the answer piece by piece, as far as it comes so.
    pub async fn send(
        &self,
        prepared: &Prepared,
        listener: Option<mpsc::Sender<String>>,
    ) -> Result<Sent, MessageError> {
        let exchanges = self.stack.exchanges();
        let mut begun = exchanges.begin(&new_id(self.stack), &prepared.letter.content);
        let result = self.bring(prepared, listener, &mut begun).await;
        if prepared.waited
            && matches!(&result, Err(MessageError::Send { error, .. }) if error.is_away())
        {
            // It goes on waiting, and that is recorded already.
            return result;
        }
        prepared.note(&mut begun, &result);
        let said = match &result {
            Ok(Sent::Answered(reply)) => Some(reply.content.as_str()),
            _ => None,
        };
        exchanges.end(begun, said);
        result
    }

    async fn bring(
        &self,
        prepared: &Prepared,
        listener: Option<mpsc::Sender<String>>,
        begun: &mut Begun,
    ) -> Result<Sent, MessageError> {
        if let Some(terminal) = prepared.terminal() {
            let delivery = self.put_into_inbox(&prepared.letter, &prepared.record, terminal);
            return delivery.await.map(Sent::Delivered);
        }
        let name = &prepared.record.name;
        if prepared.later && self.stack.store().first_waiting(name).await?.is_some() {
            // Whoever waits already comes first.
            return self.wait(prepared, "others wait before it").await;
        }
        let sent = self.stack.sender();
        let headers = self.stack.directory().headers(name)?;
        let (listener, cleaning) = secrets_hidden(listener);
        let way = sent.send(&prepared.record, headers, &prepared.letter, listener);
        let answer = way.await;
        // What was held back is heard before the whole is.
        cleaning.await;
        match answer {
            Ok(answer) => {
                begun.received(answer.bytes);
                Ok(Sent::Answered(Box::new(
                    self.reply(&prepared.record, answer),
                )))
            }
            Err(error) if prepared.later && error.is_away() => {
                self.wait(prepared, &error.to_string()).await
            }
            Err(error) => Err(MessageError::Send {
                name: name.clone(),
                error,
            }),
        }
    }

    /// What somebody answered, in the form that every face shows. Companions of this stack fill all of it; of others
    /// only the words are taken, and who they are is what they are called here.
    fn reply(&self, record: &Record, answer: Answer) -> Reply {
        let own = answer
            .whole
            .filter(|_| self.stack.sockets().listens(&record.name))
            .and_then(|mut whole| {
                hide_known_in(&mut whole);
                serde_json::from_value::<Reply>(whole).ok()
            });
        Reply {
            cut: answer.cut.map(|cut| cut.to_string()),
            ..own.unwrap_or_else(|| Reply {
                from: record.name.clone(),
                content: hide_known(&answer.content).into_owned(),
                ..Reply::default()
            })
        }
    }

    /// Who has a name, in any case.
    fn find(&self, name: &str) -> Option<Record> {
        let present = self.stack.directory().find(name)?;
        Some(present.record().clone())
    }

    fn everybody(&self) -> Vec<Record> {
        let present = self.stack.directory().list();
        present.iter().map(|one| one.record().clone()).collect()
    }

    /// Whom a name means; behind a slash stands whom it means there.
    fn recipient(&self, name: &str) -> Result<(Record, Option<String>), MessageError> {
        if let Some(record) = self.find(name) {
            return Ok((record, None));
        }
        if let Some((stack, to)) = name.split_once('/')
            && let Some(record) = self.find(stack)
            && matches!(record.kind, Kind::Tekton | Kind::External)
        {
            return Ok((record, Some(to.to_owned())));
        }
        let there = self.everybody();
        Err(MessageError::NotFound {
            name: name.to_owned(),
            there: there.into_iter().map(|record| record.name).collect(),
        })
    }

    /// Who says something: the terminal it is said at, else who asks.
    async fn sender(
        &self,
        principal: &Principal,
        terminal: Option<&str>,
    ) -> Result<String, MessageError> {
        match terminal {
            // Whoever showed a certificate speaks for itself, and at nobody else's terminal.
            _ if let Principal::Companion { name } = principal => Ok(name.clone()),
            Some(terminal) => Ok(self.terminal(terminal).await?.name),
            None => Ok(principal.name()),
        }
    }
}

impl Prepared {
    /// The terminal in whose inbox it ends.
    fn terminal(&self) -> Option<&str> {
        match (&self.forward, self.record.details.address()) {
            (Some(forward), _) => Some(&forward.terminal),
            (None, Address::Inbox) if self.record.kind == Kind::Terminal => Some(&self.record.name),
            _ => None,
        }
    }

    /// How it gets there, in one word.
    fn way(&self) -> &'static str {
        if self.terminal().is_some() {
            return "inbox";
        }
        match self.record.details.address() {
            Address::Socket(_) => "socket",
            Address::Command(_) => "command",
            Address::Inbox => "inbox",
            Address::Http(_) => match self.record.details.message_format.unwrap_or_default() {
                MessageFormat::JsonSimple => "http",
                MessageFormat::Mcp => "mcp",
                MessageFormat::TektonFederated => "federated",
            },
        }
    }

    /// Writes down who and what came of it.
    fn note(&self, begun: &mut Begun, result: &Result<Sent, MessageError>) {
        let row = &mut begun.row;
        row.sender.clone_from(&self.letter.from);
        row.principal.clone_from(&self.principal);
        row.recipient.clone_from(&self.record.name);
        self.way().clone_into(&mut row.way);
        row.team.clone_from(&self.team);
        outcome(result).clone_into(&mut row.outcome);
        row.reason = match result {
            Ok(Sent::Answered(reply)) => reply.cut.clone(),
            Ok(Sent::Delivered(_)) => None,
            Err(MessageError::Send { error, .. }) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        }
        .map(|reason| hide_known(&reason).into_owned());
    }
}

/// A listener that hears no secret, and what is to be awaited once nothing more is said.
fn secrets_hidden(
    listener: Option<mpsc::Sender<String>>,
) -> (Option<mpsc::Sender<String>>, impl Future<Output = ()>) {
    let (sender, cleaning) = match listener {
        None => (None, None),
        Some(listener) => {
            let (sender, pieces) = mpsc::channel(1);
            (Some(sender), Some(tokio::spawn(pass_on(pieces, listener))))
        }
    };
    let ended = async {
        if let Some(cleaning) = cleaning {
            let _ = cleaning.await;
        }
    };
    (sender, ended)
}

/// Passes an answer on, piece by piece, without secrets that lie in one piece or across several.
async fn pass_on(mut pieces: mpsc::Receiver<String>, listener: mpsc::Sender<String>) {
    let mut cleaner = Cleaner::new();
    let mut clean = Vec::new();
    while let Some(piece) = pieces.recv().await {
        cleaner.push(piece.as_bytes(), &mut clean);
        if !say(&mut clean, &listener).await {
            return;
        }
    }
    cleaner.finish(&mut clean);
    say(&mut clean, &listener).await;
}

/// Says what is decided as far as it is whole letters; false where nobody listens.
async fn say(clean: &mut Vec<u8>, listener: &mpsc::Sender<String>) -> bool {
    let whole = match std::str::from_utf8(clean) {
        Ok(text) => text.len(),
        // A letter may be held back in its middle; what is no letter at all is passed on as what is none.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => clean.len(),
    };
    if whole == 0 {
        return true;
    }
    let piece: Vec<u8> = clean.drain(..whole).collect();
    let piece = String::from_utf8_lossy(&piece).into_owned();
    listener.send(piece).await.is_ok()
}

/// What came of a message, in one word.
fn outcome(result: &Result<Sent, MessageError>) -> &str {
    match result {
        Ok(Sent::Answered(reply)) if reply.cut.is_some() => "cut",
        Ok(Sent::Answered(_)) => "answered",
        Ok(Sent::Delivered(Delivery { state, .. })) => state,
        Err(MessageError::Send { error, .. }) => error.word(),
        Err(_) => "failed",
    }
}

/// Whether something can be said.
fn check(content: &str) -> Result<(), MessageError> {
    if content.len() > LONGEST_MESSAGE {
        return Err(MessageError::TooLong);
    }
    if content.trim().is_empty() {
        return Err(MessageError::Empty);
    }
    Ok(())
}

fn patience(wanted: Option<u32>, usual: u32, most: u32) -> Result<Duration, MessageError> {
    let seconds = wanted.unwrap_or(usual);
    if !(1..=most).contains(&seconds) {
        return Err(MessageError::Timeout { least: 1, most });
    }
    Ok(Duration::from_secs(seconds.into()))
}
