//! Passwords: what is kept of one, and whether somebody knows it.

use argon2::Argon2;
use argon2::password_hash::{
    PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash, phc::Salt,
};
use tokio::sync::Semaphore;

use super::PeopleError;

/// Fewer characters can be guessed by a machine that stole the hash.
pub const SHORTEST: usize = 12;
/// In characters; whoever sends more wants the machine to be busy.
pub const LONGEST: usize = 256;
/// Each takes 19 MiB and some 20 ms of a processor: no more are computed at once.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// Of no password anybody has: it takes as long to find out that somebody is not there as that they are.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether a text may be the password of `name`.
pub fn check(name: &str, password: &str) -> Result<(), PeopleError> {
    let length = password.chars().count();
    let plain: String = password
        .to_lowercase()
        .split(&name.to_lowercase())
        .collect();
    if !(SHORTEST..=LONGEST).contains(&length) || plain.chars().count() < SHORTEST / 2 {
        return Err(PeopleError::Password {
            least: SHORTEST,
            most: LONGEST,
        });
    }
    Ok(())
}

/// What is kept of a password.
pub async fn hash(password: String, salt: [u8; 16]) -> Result<String, PeopleError> {
    computed(move || {
        let salt = Salt::new(&salt).map_err(|error| PeopleError::Hash(error.to_string()))?;
        let hash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| PeopleError::Hash(error.to_string()))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether this was kept of it. Where nothing was kept, it takes as long to say no.
pub async fn is_right(password: String, kept: Option<String>) -> Result<bool, PeopleError> {
    if password.chars().count() > LONGEST {
        return Ok(false);
    }
    computed(move || {
        let is_somebodys = kept.is_some();
        let kept = kept.unwrap_or_else(|| NOBODYS.to_owned());
        let kept =
            PasswordHash::new(&kept).map_err(|error| PeopleError::Hash(error.to_string()))?;
        let is_right = Argon2::default()
            .verify_password(password.as_bytes(), &kept)
            .is_ok();
        Ok(is_right && is_somebodys)
    })
    .await
}

/// Computes beside everything else, so many at a time.
async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PeopleError> + Send + 'static,
) -> Result<T, PeopleError> {
    // The semaphore is never closed.
    let _turn = AT_ONCE.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(PeopleError::Hash(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_what_was_kept_of_it() {
        let kept = hash("a long sentence of mine".to_owned(), [7; 16])
            .await
            .unwrap();
        assert!(kept.starts_with("$argon2id$"));
        assert!(!kept.contains("sentence"));
        for (guess, right) in [
            ("a long sentence of mine", true),
            ("a long sentence of min", false),
            ("", false),
        ] {
            assert_eq!(
                is_right(guess.to_owned(), Some(kept.clone()))
                    .await
                    .unwrap(),
                right,
                "{guess}"
            );
        }
        let other = hash("a long sentence of mine".to_owned(), [8; 16])
            .await
            .unwrap();
        assert_ne!(kept, other);
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        assert!(
            !is_right("whatever it may be".to_owned(), None)
                .await
                .unwrap()
        );
        assert!(!is_right(String::new(), None).await.unwrap());
    }

    #[test]
    fn a_password_is_long_and_not_ones_name() {
        for (password, good) in [
            ("a long sentence", true),
            ("elf Zeichen", false),
            ("", false),
            ("ada.lada.lada.l1", false),
            ("ADA.LADA.LADA.Lxyz", false),
            ("ada.l likes machines", true),
        ] {
            assert_eq!(check("ada.l", password).is_ok(), good, "{password}");
        }
        assert!(check("ada", &"x".repeat(257)).is_err());
    }
}
