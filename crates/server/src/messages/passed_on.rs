//! Messages that other stacks pass on to this one.
//!
//! They say which stacks they came through, so that none goes in a circle; how long their answer is waited for; and
//! what they are known again by, so that one that comes twice is not said twice.

use std::sync::Arc;
use std::time::Duration;

use ergon_hermes::MOST_STACKS;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::error::MessageError;
use super::exchanges::new_id;
use super::{LONGEST_PATIENCE, Messages, PATIENCE, Prepared, check};
use crate::api::{FederatedMessage, FederatedReply, Problem, Sent};
use crate::authorize::Principal;

/// The longest name of a stack or of who says something, in bytes.
const LONGEST_NAME: usize = 200;
/// So long is known what became of a message, and so many bytes of answers are kept for that.
const KNOWN_FOR: Duration = Duration::from_mins(10);
const KNOWN_BYTES: u64 = 16 << 20;
/// What a message costs to remember beside its answer.
const COST: u32 = 512;

/// What became of a message that was passed on.
#[derive(Clone, Debug)]
pub enum Outcome {
    Replied(FederatedReply),
    /// It may have arrived, and there is no answer: to say it again would be to say it twice.
    Failed(Problem),
}

impl Outcome {
    fn bytes(&self) -> usize {
        match self {
            Self::Replied(reply) => reply.response.len(),
            Self::Failed(problem) => problem.detail.len(),
        }
    }
}

/// What became of messages that were passed on lately, by who passed them on and what they are known by.
#[derive(Debug)]
pub struct PassedOn(Cache<(String, String), Arc<Slot>>);

#[derive(Debug)]
struct Slot {
    /// Of what was said to whom: the same key for something else is a mistake.
    digest: [u8; 32],
    outcome: OnceCell<Outcome>,
}

impl Default for PassedOn {
    fn default() -> Self {
        let weigh = |_: &(String, String), slot: &Arc<Slot>| {
            let bytes = slot.outcome.get().map_or(0, Outcome::bytes);
            u32::try_from(bytes)
                .unwrap_or(u32::MAX)
                .saturating_add(COST)
        };
        let cache = Cache::builder()
            .max_capacity(KNOWN_BYTES)
            .weigher(weigh)
            .time_to_live(KNOWN_FOR);
        Self(cache.build())
    }
}

impl PassedOn {
    /// Has a message brought, unless it was already: then says what became of it. Whoever comes while it is under way
    /// waits for the same end. What fails so that it cannot have arrived is forgotten, and may come again.
    pub async fn once<E>(
        &self,
        by: &str,
        key: &str,
        digest: [u8; 32],
        bring: impl Future<Output = Result<Outcome, E>>,
    ) -> Result<Outcome, E>
    where
        E: From<MessageError>,
    {
        let place = (by.to_owned(), key.to_owned());
        let slot = self.0.get_with(place.clone(), || {
            Arc::new(Slot {
                digest,
                outcome: OnceCell::new(),
            })
        });
        if slot.digest != digest {
            return Err(MessageError::KeyUsed.into());
        }
        let is_known = slot.outcome.initialized();
        let outcome = slot.outcome.get_or_try_init(|| bring).await?.clone();
        if !is_known {
            // It weighs more than it did.
            self.0.insert(place, slot);
        }
        Ok(outcome)
    }
}

/// What a message says to whom, in one number: neither the time that is left nor the way it came is of that.
pub fn digest(message: &FederatedMessage) -> [u8; 32] {
    let said = (&message.from, &message.to, &message.message);
    Sha256::digest(serde_json::to_vec(&said).unwrap_or_default()).into()
}

impl Messages<'_> {
    /// Finds whom a message is for that another stack passes on. `key` is what it is known again by.
    pub async fn prepare_passed_on(
        &self,
        principal: &Principal,
        message: &FederatedMessage,
        key: Option<&str>,
    ) -> Result<Prepared, MessageError> {
        check(&message.message)?;
        check_path(&message.path, self.stack.id().as_str())?;
        let from = match message.from.as_deref().filter(|from| !from.is_empty()) {
            // Whoever passes it on answers for who says it, and nobody speaks in the name of somebody here.
            Some(from) if is_plain(from) => format!("{}/{from}", principal.name()),
            Some(_) => return Err(MessageError::Sayer),
            None => principal.name(),
        };
        let to = message.to.as_deref().filter(|to| !to.is_empty());
        let (record, to) = self.recipient(self.named_here(to))?;
        let mut prepared = self
            .addressed(principal, &message.message, record, to, from)
            .await?;
        prepared.letter.path.clone_from(&message.path);
        prepared.letter.patience = patience(message.deadline_ms)?;
        if let Some(key) = key {
            key.clone_into(&mut prepared.letter.id);
        } else {
            prepared.letter.id = new_id(self.stack);
        }
        Ok(prepared)
    }

    /// Whom a message is for, by their name here: this stack's own name or id before it means this stack.
    pub fn named_here<'a>(&'a self, to: Option<&'a str>) -> &'a str {
        let stack = self.stack;
        let Some(to) = to else {
            return stack.name();
        };
        let is_here =
            |name: &str| name == stack.id().as_str() || name.eq_ignore_ascii_case(stack.name());
        match to.split_once('/') {
            Some((before, rest)) if is_here(before) => rest,
            None if is_here(to) => stack.name(),
            _ => to,
        }
    }

    /// Brings a message that was passed on. What cannot have arrived is an error, and may be passed on again.
    pub async fn send_passed_on(&self, prepared: &Prepared) -> Result<Outcome, MessageError> {
        let id = prepared.letter.id.clone();
        let stack_id = self.stack.id().to_string();
        let reply = match self.send(prepared, None).await? {
            Sent::Answered(reply) => FederatedReply {
                id,
                stack_id,
                state: if reply.cut.is_some() {
                    "cut"
                } else {
                    "answered"
                }
                .to_owned(),
                from: reply.from,
                response: reply.content,
                cut: reply.cut,
            },
            Sent::Delivered(delivery) => FederatedReply {
                id,
                stack_id,
                from: delivery.to,
                response: delivery.sentence,
                state: delivery.state,
                cut: None,
            },
        };
        Ok(Outcome::Replied(reply))
    }
}

/// What a message is known again by: what stands in its header, else in itself.
pub fn key<'a>(
    header: Option<&'a str>,
    id: Option<&'a str>,
) -> Result<Option<&'a str>, MessageError> {
    let key = match (header, id) {
        (Some(header), Some(id)) if header != id => return Err(MessageError::TwoKeys),
        (header, id) => header.or(id),
    };
    let is_good = |key: &str| {
        (1..=LONGEST_NAME).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match key {
        Some(key) if !is_good(key) => Err(MessageError::Key),
        key => Ok(key),
    }
}

/// Whether a message may come this way.
fn check_path(path: &[String], here: &str) -> Result<(), MessageError> {
    if path.len() > MOST_STACKS {
        return Err(MessageError::TooFar(path.len()));
    }
    if path.iter().any(|stack| stack == here) {
        return Err(MessageError::Circle);
    }
    if !path.iter().all(|stack| is_plain(stack)) {
        return Err(MessageError::Path);
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

/// How long its answer is waited for.
fn patience(deadline: Option<u64>) -> Result<Duration, MessageError> {
    match deadline {
        None => Ok(Duration::from_secs(PATIENCE.into())),
        Some(0) => Err(MessageError::Late),
        Some(left) => {
            let most = Duration::from_secs(LONGEST_PATIENCE.into());
            Ok(Duration::from_millis(left).min(most))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn replied(response: &str) -> Outcome {
        Outcome::Replied(FederatedReply {
            id: "1".to_owned(),
            from: "a".to_owned(),
            response: response.to_owned(),
            state: "answered".to_owned(),
            cut: None,
            stack_id: "s".to_owned(),
        })
    }

    #[test]
    fn nothing_goes_in_a_circle_or_too_far() {
        let path = |stacks: &[&str]| {
            let path: Vec<String> = stacks.iter().map(|stack| (*stack).to_owned()).collect();
            check_path(&path, "here")
        };
        assert!(path(&[]).is_ok() && path(&["a", "b", "c"]).is_ok());
        assert!(matches!(path(&["a", "here"]), Err(MessageError::Circle)));
        assert!(matches!(
            path(&["a", "b", "c", "d"]),
            Err(MessageError::TooFar(4))
        ));
        for wrong in ["", "a\nb", &"x".repeat(201)] {
            assert!(
                matches!(path(&[wrong]), Err(MessageError::Path)),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_key_can_stand_in_a_header() {
        assert_eq!(key(None, Some("a")).unwrap(), Some("a"));
        assert_eq!(key(Some("a"), Some("a")).unwrap(), Some("a"));
        assert!(matches!(
            key(Some("a"), Some("b")),
            Err(MessageError::TwoKeys)
        ));
        for wrong in ["", "a b", "ü", "a\r\nb", &"x".repeat(201)] {
            assert!(
                matches!(key(None, Some(wrong)), Err(MessageError::Key)),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_deadline_is_passed_on_and_has_a_bound() {
        assert_eq!(patience(Some(250)).unwrap(), Duration::from_millis(250));
        assert_eq!(patience(Some(u64::MAX)).unwrap(), Duration::from_mins(10));
        assert!(matches!(patience(Some(0)), Err(MessageError::Late)));
    }

    #[tokio::test]
    async fn what_comes_twice_is_brought_once_also_at_the_same_time() {
        let passed_on = PassedOn::default();
        let brought = AtomicUsize::new(0);
        let come = |key: &'static str| {
            let bring = async {
                brought.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok::<_, MessageError>(replied("well"))
            };
            passed_on.once("west", key, [0; 32], bring)
        };
        let (one, two) = tokio::join!(come("k"), come("k"));
        assert!(one.is_ok() && two.is_ok() && come("k").await.is_ok());
        assert_eq!(brought.load(Ordering::Relaxed), 1);
        come("other").await.unwrap();
        assert_eq!(brought.load(Ordering::Relaxed), 2);
        let bring = async { Ok::<_, MessageError>(replied("well")) };
        let other = passed_on.once("west", "k", [1; 32], bring).await;
        assert!(matches!(other, Err(MessageError::KeyUsed)));
    }

    #[tokio::test]
    async fn what_cannot_have_arrived_may_come_again() {
        let passed_on = PassedOn::default();
        let away = passed_on.once("west", "k", [0; 32], async {
            Err::<Outcome, _>(MessageError::Empty)
        });
        assert!(away.await.is_err());
        let again = passed_on.once("west", "k", [0; 32], async {
            Ok::<_, MessageError>(replied("well"))
        });
        assert!(matches!(again.await, Ok(Outcome::Replied(_))));
    }

    #[tokio::test]
    async fn what_is_remembered_has_a_bound() {
        let passed_on = PassedOn::default();
        let long = "x".repeat(1 << 20);
        for number in 0..100 {
            let key = number.to_string();
            let bring = async { Ok::<_, MessageError>(replied(&long)) };
            passed_on.once("west", &key, [0; 32], bring).await.unwrap();
        }
        passed_on.0.run_pending_tasks();
        assert!(passed_on.0.weighted_size() <= KNOWN_BYTES);
    }
}
