//! Identifiers that cannot be mistaken for one another.

use sqlx::any::{Any, AnyTypeInfo, AnyValueRef};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

/// Letters and digits that are not mistaken for each other, and without vowels spell no words.
const ALPHABET: &[u8; 30] = b"0123456789bcdfghjkmnpqrstvwxyz";

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A new identifier, made of random bytes.
            pub fn from_random(bytes: [u8; 12]) -> Self {
                let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
                Self(letters.collect())
            }

            /// An identifier as somebody wrote it; whether there is such a thing is another question.
            pub fn named(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Type<Any> for $name {
            fn type_info() -> AnyTypeInfo {
                <String as Type<Any>>::type_info()
            }
        }

        impl<'q> Encode<'q, Any> for $name {
            fn encode_by_ref(&self, buffer: &mut <Any as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<'q, Any>>::encode_by_ref(&self.0, buffer)
            }
        }

        impl<'r> Decode<'r, Any> for $name {
            fn decode(value: AnyValueRef<'r>) -> Result<Self, BoxDynError> {
                <String as Decode<'r, Any>>::decode(value).map(Self)
            }
        }
    };
}

id! {
    /// A project's identifier.
    ProjectId
}

id! {
    /// A job's identifier.
    JobId
}

id! {
    /// A message's identifier.
    MessageId
}

id! {
    /// A stack's identifier.
    StackId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_easy_to_say_and_to_type() {
        let id = ProjectId::from_random([0, 1, 9, 10, 11, 29, 30, 31, 254, 255, 100, 200]);
        assert_eq!(id.to_string(), "019bcz01ghbp");
    }
}
