//! Secrets that open the stack: the owner's token, one-time sign-in codes, sessions.
//!
//! The store holds hashes only; a secret itself is seen once, by whoever it was made for.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ergon_store::{Change, NewEvent, SessionRow, Store, StoreError, now};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::people::{PeopleError, TooManyTries};
use crate::sign_in::{PasskeyError, ProviderError};

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// Of whoever showed something of the stack's own.
    Long,
    /// Of whoever another system vouched for: who is let go there is soon out here.
    Short,
}

impl Lasts {
    pub const fn hours(self) -> i64 {
        match self {
            Self::Long => 30 * 24,
            Self::Short => 12,
        }
    }
}

/// How long a sign-in code can be used.
const CODE_MINUTES: i64 = 10;
const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// What a browser says of itself is kept so far.
const LONGEST_AGENT: usize = 200;

/// Something that opens the stack. It never shows itself by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret as it came in.
    pub fn received(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A new one, of 32 random bytes.
    pub fn new(entropy: &Entropy) -> Self {
        Self(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
    }

    /// The secret itself, for the one who is to have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether this is it, in a time that does not depend on how much of it was guessed.
    pub fn matches(&self, guess: &str) -> bool {
        self.has_hash(&Self::received(guess).hash())
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }

    /// Whether this was kept of it, likewise in a time that tells nothing.
    pub fn has_hash(&self, hash: &str) -> bool {
        let own = self.hash();
        let differences = own.bytes().zip(hash.bytes());
        own.len() == hash.len() && differences.fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("this sign-in code was used already, has expired, or never was one")]
    WrongCode,
    #[error("this is not somebody's name and password")]
    WrongPassword,
    #[error("a sign-in takes a code, a name and a password, a passkey, or what one came back with")]
    Incomplete,
    #[error(transparent)]
    TooManyTries(#[from] TooManyTries),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    entropy: Entropy,
}

/// From where somebody signs in.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// What the browser says of itself.
    pub agent: String,
    pub address: Option<IpAddr>,
}

/// How long a link may lie about before it is used.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// For whoever asked for it.
    Minutes,
    /// For somebody else, who has to be told first.
    Day,
}

impl Sessions {
    pub fn new(store: Store, entropy: Entropy) -> Self {
        Self { store, entropy }
    }

    /// A code for one sign-in of somebody's.
    pub async fn new_code(&self, person: &str, patience: Patience) -> Result<String, StoreError> {
        let code = Secret::new(&self.entropy);
        let lasts = match patience {
            Patience::Minutes => CODE_MINUTES * MINUTE,
            Patience::Day => DAY,
        };
        let mut change = self.store.unobserved().await?;
        change
            .add_sign_in_code(&code.hash(), person, now() + lasts)
            .await?;
        change.commit().await?;
        Ok(code.0)
    }

    /// Uses a code up and opens a session; says whose.
    pub async fn sign_in(
        &self,
        code: &str,
        from: &Origin,
        lasts: impl FnOnce(&str) -> Lasts,
    ) -> Result<(Secret, String), SignInError> {
        let mut change = self.store.unobserved().await?;
        let hash = Secret::received(code).hash();
        let person = change.use_sign_in_code(&hash, now()).await?;
        let Some(person) = person else {
            return Err(SignInError::WrongCode);
        };
        let lasts = lasts(&person);
        let secret = self.add(&mut change, &person, from, lasts).await?;
        change.commit().await?;
        Ok((secret, person))
    }

    /// Opens a session of somebody who showed who they are.
    pub async fn open(
        &self,
        person: &str,
        from: &Origin,
        lasts: Lasts,
    ) -> Result<Secret, StoreError> {
        let mut change = self.store.unobserved().await?;
        let secret = self.add(&mut change, person, from, lasts).await?;
        change.commit().await?;
        Ok(secret)
    }

    async fn add(
        &self,
        change: &mut Change,
        person: &str,
        from: &Origin,
        lasts: Lasts,
    ) -> Result<Secret, StoreError> {
        let secret = Secret::new(&self.entropy);
        let now = now();
        let session = SessionRow {
            id: Uuid::now_v7().to_string(),
            principal: person.to_owned(),
            agent: from
                .agent
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST_AGENT)
                .collect(),
            address: from
                .address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            created_at: now,
            last_used_at: now,
            expires_at: now + lasts.hours() * HOUR,
        };
        change.tell(told("dev.ergon.session.opened", person));
        change.add_session(&secret.hash(), &session).await?;
        Ok(secret)
    }

    /// The session whose secret this is, while it lasts.
    pub async fn find(&self, secret: &Secret) -> Result<Option<SessionRow>, StoreError> {
        let now = now();
        let hash = secret.hash();
        let found = self.store.session(&hash, now).await?;
        // To the minute is enough, and costs little.
        if let Some(session) = &found
            && now - session.last_used_at >= MINUTE
        {
            let mut change = self.store.unobserved().await?;
            change.touch_session(&hash, now).await?;
            change.commit().await?;
        }
        Ok(found)
    }

    /// The sessions of somebody, the newest first.
    pub async fn list(&self, person: &str) -> Result<Vec<SessionRow>, StoreError> {
        self.store.sessions_of(person, now()).await
    }

    /// Ends the session whose secret this is.
    pub async fn end(&self, secret: &Secret) -> Result<(), StoreError> {
        let mut change = self.store.unobserved().await?;
        if let Some(session) = self.store.session(&secret.hash(), now()).await? {
            change.tell(told("dev.ergon.session.ended", &session.principal));
        }
        change.end_session(&secret.hash()).await?;
        change.commit().await
    }

    /// Ends one session of somebody's.
    pub async fn end_of(&self, person: &str, id: &str) -> Result<(), PeopleError> {
        let mut change = self
            .store
            .change(told("dev.ergon.session.ended", person))
            .await?;
        if !change.end_session_of(person, id).await? {
            return Err(PeopleError::NoSession {
                name: person.to_owned(),
                id: id.to_owned(),
            });
        }
        change.commit().await?;
        Ok(())
    }

    /// Ends every session of somebody's, but the one whose secret may be given. Says how many there were.
    pub async fn end_all_of(&self, person: &str, but: Option<&Secret>) -> Result<u64, StoreError> {
        let mut change = self
            .store
            .change(told("dev.ergon.session.ended", person))
            .await?;
        let hash = but.map(Secret::hash);
        let ended = change.end_sessions_of(person, hash.as_deref()).await?;
        change.commit().await?;
        Ok(ended)
    }
}

fn told(kind: &'static str, person: &str) -> NewEvent {
    NewEvent::new(
        kind,
        format!("session/{person}"),
        json!({ "principal": person }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_matched_whole_and_never_printed() {
        let secret = Secret::received("abc");
        assert!(secret.matches("abc"));
        assert!(!secret.matches("ab") && !secret.matches("abd") && !secret.matches(""));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_new_secret_is_long_enough_not_to_be_guessed() {
        assert_eq!(Secret::new(&Entropy::system()).reveal().len(), 43);
    }

    #[tokio::test]
    async fn a_code_opens_one_session_and_the_store_holds_neither() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ergon.db");
        let sessions = Sessions::new(Store::open(&file).await.unwrap(), Entropy::system());
        let code = sessions.new_code("ada", Patience::Minutes).await.unwrap();
        let (session, person) = sessions
            .sign_in(&code, &Origin::default(), |_| Lasts::Long)
            .await
            .unwrap();
        assert_eq!(person, "ada");
        assert!(matches!(
            sessions
                .sign_in(&code, &Origin::default(), |_| Lasts::Long)
                .await,
            Err(SignInError::WrongCode)
        ));
        assert_eq!(
            sessions.find(&session).await.unwrap().unwrap().principal,
            "ada"
        );
        sessions.store.close().await;
        let bytes = std::fs::read(&file).unwrap();
        for secret in [code.as_bytes(), session.reveal().as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }

    #[tokio::test]
    async fn a_session_that_was_ended_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(
            Store::open(&folder.path().join("ergon.db")).await.unwrap(),
            Entropy::system(),
        );
        let session = sessions
            .open("ada", &Origin::default(), Lasts::Long)
            .await
            .unwrap();
        sessions.end(&session).await.unwrap();
        assert!(sessions.find(&session).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn all_sessions_but_ones_own_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::new(
            Store::open(&folder.path().join("ergon.db")).await.unwrap(),
            Entropy::system(),
        );
        let own = sessions
            .open("ada", &Origin::default(), Lasts::Long)
            .await
            .unwrap();
        let other = sessions
            .open("ada", &Origin::default(), Lasts::Long)
            .await
            .unwrap();
        let bobs = sessions
            .open("bob", &Origin::default(), Lasts::Long)
            .await
            .unwrap();
        assert_eq!(sessions.list("ada").await.unwrap().len(), 2);
        assert_eq!(sessions.end_all_of("ada", Some(&own)).await.unwrap(), 1);
        assert!(sessions.find(&own).await.unwrap().is_some());
        assert!(sessions.find(&other).await.unwrap().is_none());
        let bobs = sessions.find(&bobs).await.unwrap().unwrap();
        assert!(
            sessions.end_of("ada", &bobs.id).await.is_err(),
            "it is not hers"
        );
        sessions.end_of("bob", &bobs.id).await.unwrap();
        assert!(sessions.list("bob").await.unwrap().is_empty());
    }
}
