//! Randomness, handed in, so that nothing draws it on the quiet.

use std::sync::Arc;

/// Where random bytes come from.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

/// Fills bytes at random.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// The system's, good for secrets.
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            use rand::Rng as _;
            rand::rng().fill_bytes(bytes);
        }))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}
