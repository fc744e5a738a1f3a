//! Secrets that open the stack: the owner's token, one-time sign-in codes, sessions.
//!
//! The store holds hashes only; a secret itself is seen once, by whoever it was made for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ergon_store::{NewEvent, SessionRow, Store, StoreError, now};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::entropy::Entropy;

/// How long a session lasts.
pub const SESSION_DAYS: i64 = 30;
/// How long a sign-in code can be used.
const CODE_MINUTES: i64 = 10;
const MINUTE: i64 = 60 * 1000;

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
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    entropy: Entropy,
}

impl Sessions {
    pub fn new(store: Store, entropy: Entropy) -> Self {
        Self { store, entropy }
    }

    /// A code for one sign-in.
    pub async fn new_code(&self) -> Result<String, StoreError> {
        let code = Secret::new(&self.entropy);
        let mut change = self.store.unobserved().await?;
        change
            .add_sign_in_code(&code.hash(), now() + CODE_MINUTES * MINUTE)
            .await?;
        change.commit().await?;
        Ok(code.0)
    }

    /// Uses a code up and opens a session.
    pub async fn sign_in(&self, code: &str) -> Result<Secret, SignInError> {
        let secret = Secret::new(&self.entropy);
        let now = now();
        let opened = NewEvent::new(
            "dev.ergon.session.opened",
            "session/owner",
            json!({ "principal": "owner" }),
        );
        let mut change = self.store.change(opened).await?;
        if !change
            .use_sign_in_code(&Secret::received(code).hash(), now)
            .await?
        {
            return Err(SignInError::WrongCode);
        }
        let session = SessionRow {
            principal: "owner".to_owned(),
            created_at: now,
            expires_at: now + SESSION_DAYS * 24 * 60 * MINUTE,
        };
        change.add_session(&secret.hash(), &session).await?;
        change.commit().await?;
        Ok(secret)
    }

    /// Whether this is the secret of a session that lasts.
    pub async fn is_open(&self, secret: &Secret) -> Result<bool, StoreError> {
        Ok(self.store.session(&secret.hash(), now()).await?.is_some())
    }

    pub async fn end(&self, secret: &Secret) -> Result<(), StoreError> {
        let ended = NewEvent::new(
            "dev.ergon.session.ended",
            "session/owner",
            json!({ "principal": "owner" }),
        );
        let mut change = self.store.change(ended).await?;
        change.end_session(&secret.hash()).await?;
        change.commit().await
    }
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
        let code = sessions.new_code().await.unwrap();
        let session = sessions.sign_in(&code).await.unwrap();
        assert!(matches!(
            sessions.sign_in(&code).await,
            Err(SignInError::WrongCode)
        ));
        assert!(sessions.is_open(&session).await.unwrap());
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
            .sign_in(&sessions.new_code().await.unwrap())
            .await
            .unwrap();
        sessions.end(&session).await.unwrap();
        assert!(!sessions.is_open(&session).await.unwrap());
    }
}
