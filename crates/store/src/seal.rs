//! Secrets at rest: sealed under the stack's own key, and opened for one purpose only.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// A key has so many bytes.
pub const SEAL_KEY: usize = 32;
const NONCE: usize = 24;
/// What every sealed text begins with: another way to seal begins otherwise.
const MARK: &str = "sealed1:";

/// Seals secrets for the store, and opens them. Cheap to clone.
///
/// XChaCha20-Poly1305: its nonces are long enough to be drawn at random for as long as a key lives. What a secret is
/// for is sealed in with it, so that a sealed text that is put into another place does not open.
#[derive(Clone)]
pub struct Sealer {
    cipher: Arc<XChaCha20Poly1305>,
    nonces: Arc<dyn Fn() -> [u8; NONCE] + Send + Sync>,
}

/// A sealed text does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed secret does not open: it was sealed with another key or for something else, or it is damaged"
)]
pub struct SealError;

impl Sealer {
    /// Seals under `key`; `nonces` must never give the same bytes twice, as no good source of randomness does.
    pub fn new(
        key: [u8; SEAL_KEY],
        nonces: impl Fn() -> [u8; NONCE] + Send + Sync + 'static,
    ) -> Self {
        Self {
            cipher: Arc::new(XChaCha20Poly1305::new(&key.into())),
            nonces: Arc::new(nonces),
        }
    }

    /// Seals a secret for one purpose: `companion/<name>/headers`.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<String, SealError> {
        let nonce = XNonce::from((self.nonces)());
        let payload = Payload {
            msg: secret,
            aad: purpose.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&nonce, payload)
            .map_err(|_| SealError)?;
        let whole = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{MARK}{}", STANDARD_NO_PAD.encode(whole)))
    }

    /// Opens what was sealed for this purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let encoded = sealed.strip_prefix(MARK).ok_or(SealError)?;
        let whole = STANDARD_NO_PAD.decode(encoded).map_err(|_| SealError)?;
        let (nonce, sealed) = whole.split_first_chunk::<NONCE>().ok_or(SealError)?;
        let payload = Payload {
            msg: sealed,
            aad: purpose.as_bytes(),
        };
        let nonce = XNonce::from(*nonce);
        self.cipher.decrypt(&nonce, payload).map_err(|_| SealError)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    fn sealer(key: u8) -> Sealer {
        let count = AtomicU8::new(0);
        Sealer::new([key; SEAL_KEY], move || {
            [count.fetch_add(1, Ordering::Relaxed); NONCE]
        })
    }

    #[test]
    fn what_is_sealed_is_opened_for_the_same_purpose_only() {
        let sealer = sealer(1);
        let sealed = sealer.seal("companion/a/headers", b"Bearer x").unwrap();
        assert_eq!(
            sealer.open("companion/a/headers", &sealed).unwrap(),
            b"Bearer x"
        );
        assert_eq!(sealer.open("companion/b/headers", &sealed), Err(SealError));
    }

    #[test]
    fn another_key_opens_nothing() {
        let sealed = sealer(1).seal("p", b"secret").unwrap();
        assert_eq!(sealer(2).open("p", &sealed), Err(SealError));
    }

    #[test]
    fn the_same_secret_looks_different_each_time_and_never_like_itself() {
        let sealer = sealer(1);
        let (one, other) = (
            sealer.seal("p", b"secret").unwrap(),
            sealer.seal("p", b"secret").unwrap(),
        );
        assert_ne!(one, other);
        assert!(!one.contains("secret"));
        assert!(!format!("{sealer:?}").contains('1'));
    }

    #[test]
    fn what_is_damaged_does_not_open() {
        let sealer = sealer(1);
        let sealed = sealer.seal("p", b"secret").unwrap();
        let last = if sealed.ends_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{last}", &sealed[..sealed.len() - 1]);
        for text in [
            "",
            "sealed1:",
            "sealed1:AAAA",
            "sealed2:AAAA",
            "sealed1:ü",
            &changed,
            &sealed[..40],
        ] {
            assert_eq!(sealer.open("p", text), Err(SealError), "{text}");
        }
    }
}
