//! The digests that lock files name, whatever their format is.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Digests as bytes: of SHA-1, SHA-256, SHA-384 and SHA-512, and of Go's hash over a module.
#[derive(Debug, Default)]
pub struct Named {
    digests: HashSet<Vec<u8>>,
}

impl Named {
    /// Adds all digests that a text names: as hexadecimal digits, or in base64 behind its kind, as in `sha512-…`
    /// (npm, pnpm, Yarn) and `h1:…` (Go).
    pub fn add(&mut self, text: &str) {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+/=-_".contains(letter);
        for token in text.split(|letter| !is_part(letter)) {
            self.digests.extend(hexadecimal(token));
            for kind in ["sha512-", "sha384-", "sha256-", "sha1-"] {
                let encoded = token.strip_prefix(kind);
                self.digests
                    .extend(encoded.and_then(|encoded| BASE64_STANDARD.decode(encoded).ok()));
            }
        }
        for word in text.split_ascii_whitespace() {
            let encoded = word.strip_prefix("h1:");
            self.digests
                .extend(encoded.and_then(|encoded| BASE64_STANDARD.decode(encoded).ok()));
        }
    }

    /// Whether no digest is named at all.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    pub fn names(&self, digest: &[u8]) -> bool {
        self.digests.contains(digest)
    }
}

/// The bytes of a digest in hexadecimal digits.
fn hexadecimal(token: &str) -> Option<Vec<u8>> {
    if !matches!(token.len(), 40 | 64 | 96 | 128) {
        return None;
    }
    hex::decode(token).ok()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256, Sha512};

    use super::*;

    #[test]
    fn every_format_names_digests() {
        let sha256: Vec<u8> = Sha256::digest(b"wheel").to_vec();
        let sha512: Vec<u8> = Sha512::digest(b"tarball").to_vec();
        let hex: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let base64 = BASE64_STANDARD.encode(&sha512);
        let locks = [
            format!("flask==3.0.3 \\\n    --hash=sha256:{hex}\n"),
            format!("checksum = \"{hex}\"\n"),
            format!("{{\"integrity\": \"sha512-{base64}\"}}"),
            format!("  resolution: {{integrity: sha512-{base64}}}\n"),
            format!("  integrity sha512-{base64}\n"),
            format!(
                "golang.org/x/text v0.3.0 h1:{}\n",
                BASE64_STANDARD.encode(&sha256)
            ),
        ];
        for lock in locks {
            let mut named = Named::default();
            named.add(&lock);
            assert!(named.names(&sha256) != named.names(&sha512), "{lock}");
        }
        let mut named = Named::default();
        named.add("flask==3.0.3\nsha512-not*base64\n");
        assert!(named.is_empty());
    }
}
