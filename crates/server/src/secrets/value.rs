//! What a secret says: in memory for as long as it is needed, wiped afterwards, and never shown by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A longer secret is none.
pub const LONGEST_VALUE: usize = 64 << 10;

/// What a secret says. It has no form that is printed, written down or sent.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// Why something is nothing that a secret can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretValueError {
    #[error("a secret says something, and this is empty")]
    Empty,
    #[error("a secret is at most {} KiB, and this is more", LONGEST_VALUE >> 10)]
    TooLong,
    #[error("`value_base64` is no base64")]
    Base64,
    #[error("a secret is given as `value` or as `value_base64`, and as one of them only")]
    Both,
}

impl SecretValue {
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, SecretValueError> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(SecretValueError::Empty),
            length if length > LONGEST_VALUE => Err(SecretValueError::TooLong),
            _ => Ok(Self(bytes)),
        }
    }

    /// What it says, for the one who is to have it.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_something_and_not_too_much_and_never_shows_itself() {
        let value = SecretValue::new(b"hunter22\0\n".to_vec()).unwrap();
        assert_eq!(value.reveal(), b"hunter22\0\n");
        assert_eq!(format!("{value:?}"), "SecretValue(…)");
        assert_eq!(SecretValue::new(Vec::new()), Err(SecretValueError::Empty));
        assert!(SecretValue::new(vec![1; LONGEST_VALUE]).is_ok());
        assert_eq!(
            SecretValue::new(vec![1; LONGEST_VALUE + 1]),
            Err(SecretValueError::TooLong)
        );
    }
}
