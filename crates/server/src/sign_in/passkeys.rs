//! Passkeys: signing in with what one's own device keeps.
//!
//! The secret half never leaves the device, which asks its person each time: for a finger, a face or a PIN. What is
//! signed is a challenge of this stack's, under the name that the browser has it by, so that no other page can have it
//! signed. A challenge counts once, and not for long.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ergon_store::{NewEvent, PasskeyRow, Store, StoreError, now};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde_json::{Value, json};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle64,
    Username,
};
use webauthn_rp::request::{AsciiDomain, ExtensionInfo, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication64, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

/// Whoever takes longer begins again; authenticators are told so, too.
const PATIENCE: Duration = Duration::from_mins(5);
/// Whoever begins after so many others finds those gone that began first.
const MOST_OPEN: u64 = 10_000;
/// Nobody has more.
const MOST_PASSKEYS: usize = 20;
const LONGEST_ABOUT: usize = 80;
/// What nobody calls otherwise.
const ABOUT: &str = "passkey";

/// A key of the forms that are kept.
type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// Why a passkey is not added, or lets nobody in.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    #[error("a passkey is for a name, and `{host}` is none")]
    NoName { host: String },
    #[error("this was not begun here, was used already, or took longer than five minutes")]
    NotBegun,
    #[error("this is not what an authenticator answers")]
    Unreadable,
    #[error("this passkey cannot be added: {0}")]
    Refused(String),
    /// Whether it is known, and what is wrong with it, is nobody's business.
    #[error("this passkey lets nobody in here")]
    Wrong,
    #[error("this passkey is known already")]
    Known,
    #[error("{what} is too much: at most {most}")]
    TooMuch { what: &'static str, most: usize },
    #[error("what a passkey is called cannot be shown on one line")]
    About,
    #[error("`{name}` has no passkey `{id}`")]
    NotFound { name: String, id: String },
    #[error("a passkey is added by whoever it is for, signed in in a browser")]
    NotOneself,
    #[error(transparent)]
    Store(StoreError),
}

impl PasskeyError {
    /// What a person can do about it.
    pub fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NoName { .. } => {
                "open the stack as `localhost`, or under a name it was given with `ergon up --host NAME`"
            }
            Self::NotBegun => "begin again",
            Self::Wrong => {
                "sign in with a password or a link, and see which passkeys there are on the page of your account"
            }
            Self::Known => "use it to sign in",
            Self::TooMuch { .. } => "remove one that you do not use any more",
            Self::NotFound { name, .. } => {
                return Some(format!(
                    "ergon person passkey list {name} says which there are"
                ));
            }
            Self::NotOneself => "sign in in a browser, and add it on the page of your account",
            Self::Store(error) => return error.remedy(),
            Self::Unreadable | Self::Refused(_) | Self::About => return None,
        };
        Some(text.to_owned())
    }
}

impl From<StoreError> for PasskeyError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { .. } => Self::Known,
            error => Self::Store(error),
        }
    }
}

/// Where a browser has the stack: a name that passkeys can be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `https://ergon.example.com`, as the browser says it.
    origin: String,
    /// `ergon.example.com`.
    host: String,
}

impl Place {
    /// Of an origin that is the stack's own. Addresses are no names: browsers refuse them, too.
    pub fn of(origin: &str) -> Result<Self, PasskeyError> {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let no_name = || PasskeyError::NoName {
            host: host.to_owned(),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() || AsciiDomain::try_from(host.to_owned()).is_err() {
            return Err(no_name());
        }
        Ok(Self {
            origin: origin.to_owned(),
            host: host.to_owned(),
        })
    }

    fn party(&self) -> Result<RpId, PasskeyError> {
        let domain = AsciiDomain::try_from(self.host.clone());
        Ok(RpId::Domain(domain.map_err(|_| PasskeyError::NoName {
            host: self.host.clone(),
        })?))
    }
}

/// A challenge that is out, and where and for whom.
struct Open<T> {
    state: T,
    place: Place,
    person: String,
}

/// Challenges that are out, by themselves. Each is taken once.
type Opened<T> = Cache<u128, Arc<Mutex<Option<Open<T>>>>>;

/// The passkeys of everybody. Cheap to clone.
#[derive(Clone)]
pub struct Passkeys {
    store: Store,
    adding: Opened<RegistrationServerState<64>>,
    signing_in: Opened<DiscoverableAuthenticationServerState>,
}

fn opened<T: Send + 'static>() -> Opened<T> {
    Cache::builder()
        .max_capacity(MOST_OPEN)
        .time_to_live(PATIENCE)
        .eviction_policy(EvictionPolicy::lru())
        .build()
}

fn keep<T: Send + 'static>(opened: &Opened<T>, challenge: u128, open: Open<T>) {
    opened.insert(challenge, Arc::new(Mutex::new(Some(open))));
}

fn take<T: Send + 'static>(opened: &Opened<T>, challenge: u128) -> Result<Open<T>, PasskeyError> {
    let found = opened.remove(&challenge).ok_or(PasskeyError::NotBegun)?;
    let mut open = found.lock().unwrap_or_else(PoisonError::into_inner);
    open.take().ok_or(PasskeyError::NotBegun)
}

impl Passkeys {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            adding: opened(),
            signing_in: opened(),
        }
    }

    /// The passkeys of somebody, the oldest first.
    pub async fn list(&self, person: &str) -> Result<Vec<PasskeyRow>, PasskeyError> {
        Ok(self.store.passkeys_of(person).await?)
    }

    /// Whoever has one.
    pub async fn holders(&self) -> Result<BTreeSet<String>, PasskeyError> {
        let holders = self.store.passkey_holders().await?;
        Ok(holders.into_iter().collect())
    }

    /// What an authenticator is asked for, so that it makes a passkey for somebody at this place.
    pub async fn begin_adding(&self, person: &str, place: Place) -> Result<Value, PasskeyError> {
        let known = self.list(person).await?;
        if known.len() >= MOST_PASSKEYS {
            return Err(PasskeyError::TooMuch {
                what: "the number of passkeys",
                most: MOST_PASSKEYS,
            });
        }
        let handle = match known.first().map(handle_of) {
            Some(handle) => handle?,
            None => UserHandle64::new(),
        };
        let party = place.party()?;
        let user = PublicKeyCredentialUserEntity {
            name: Username::try_from(person)
                .map_err(|error| PasskeyError::Refused(error.to_string()))?,
            id: &handle,
            display_name: None,
        };
        // An authenticator makes no second one beside one that is known.
        let known = known.iter().filter(|row| row.host == place.host);
        let known = known.map(|row| {
            let id = CredentialId::decode(bytes(&row.id)?);
            Ok(PublicKeyCredentialDescriptor {
                id: id.map_err(|_| damaged())?,
                transports: AuthTransports::decode(0).map_err(|_| damaged())?,
            })
        });
        let known = known.collect::<Result<Vec<_>, PasskeyError>>()?;
        let mut options = PublicKeyCredentialCreationOptions::passkey(&party, user, known);
        // Asked for, and not insisted upon: many phones and computers know nothing of it, and who they are is asked here
        // each time in any case.
        options.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        let challenge = options.challenge.as_data();
        let begun = options.start_ceremony();
        let (state, asked) = begun.map_err(|error| PasskeyError::Refused(error.to_string()))?;
        let asked = serde_json::to_value(&asked).map_err(|_| PasskeyError::Unreadable)?;
        let person = person.to_owned();
        let open = Open {
            state,
            place,
            person,
        };
        keep(&self.adding, challenge, open);
        Ok(asked)
    }

    /// Keeps the passkey that an authenticator made.
    pub async fn add(
        &self,
        person: &str,
        about: Option<&str>,
        answer: &Value,
    ) -> Result<PasskeyRow, PasskeyError> {
        let about = checked_about(about.unwrap_or(ABOUT))?;
        let answer = answer.to_string();
        let registration = Registration::from_json_relaxed(answer.as_bytes());
        let registration = registration.map_err(|_| PasskeyError::Unreadable)?;
        let challenge = registration.challenge_relaxed();
        let challenge = challenge.map_err(|_| PasskeyError::Unreadable)?;
        let open = take(&self.adding, challenge.0)?;
        if open.person != person {
            return Err(PasskeyError::NotBegun);
        }
        let origins = [open.place.origin.as_str()];
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            ..RegistrationVerificationOptions::default()
        };
        let party = open.place.party()?;
        let made = open.state.verify(&party, &registration, &options);
        let made = made.map_err(|error| PasskeyError::Refused(error.to_string()))?;
        let fixed = made.static_state();
        let Ok(fixed) = fixed.encode();
        let row = PasskeyRow {
            id: URL_SAFE_NO_PAD.encode(made.id().inner()),
            person: person.to_owned(),
            handle: URL_SAFE_NO_PAD.encode(made.user_id().as_ref()),
            host: open.place.host,
            about,
            fixed: URL_SAFE_NO_PAD.encode(fixed),
            state: kept(made.dynamic_state()),
            created_at: now(),
            last_used_at: None,
        };
        let mut change = self.store.change(told("passkey-added", person)).await?;
        change.add_passkey(&row).await?;
        change.commit().await?;
        Ok(row)
    }

    /// What whichever authenticator is at hand is asked for. Whose it is, its answer says.
    pub fn begin_sign_in(&self, place: Place) -> Result<Value, PasskeyError> {
        let party = place.party()?;
        let options = DiscoverableCredentialRequestOptions::passkey(&party);
        let begun = options.start_ceremony();
        let (state, asked) = begun.map_err(|error| PasskeyError::Refused(error.to_string()))?;
        let challenge = {
            use std::borrow::Borrow as _;
            let challenge: &webauthn_rp::response::SentChallenge = state.borrow();
            challenge.0
        };
        let asked = serde_json::to_value(&asked).map_err(|_| PasskeyError::Unreadable)?;
        let person = String::new();
        let open = Open {
            state,
            place,
            person,
        };
        keep(&self.signing_in, challenge, open);
        Ok(asked)
    }

    /// Whose passkey answers a challenge.
    pub async fn sign_in(&self, answer: &Value) -> Result<String, PasskeyError> {
        let answer = answer.to_string();
        let shown = DiscoverableAuthentication64::from_json_relaxed(answer.as_bytes());
        let shown = shown.map_err(|_| PasskeyError::Unreadable)?;
        let challenge = shown.challenge_relaxed();
        let challenge = challenge.map_err(|_| PasskeyError::Unreadable)?;
        let open = take(&self.signing_in, challenge.0)?;
        let id = URL_SAFE_NO_PAD.encode(shown.raw_id().inner());
        let row = self.store.passkey(&id).await?.ok_or(PasskeyError::Wrong)?;
        if row.host != open.place.host {
            return Err(PasskeyError::Wrong);
        }
        let handle = handle_of(&row)?;
        let fixed = StaticState::<Key>::decode(&bytes(&row.fixed)?).map_err(|_| damaged())?;
        let state: [u8; 7] = bytes(&row.state)?.try_into().map_err(|_| damaged())?;
        let state = DynamicState::decode(state).map_err(|_| damaged())?;
        let known = AuthenticatedCredential::new(shown.raw_id(), &handle, fixed, state);
        let mut known = known.map_err(|_| damaged())?;
        let origins = [open.place.origin.as_str()];
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &origins,
            ..AuthenticationVerificationOptions::default()
        };
        let party = open.place.party()?;
        if let Err(error) = open.state.verify(&party, &shown, &mut known, &options) {
            tracing::warn!(person = row.person, %error, "a passkey is refused");
            return Err(PasskeyError::Wrong);
        }
        let after = kept(known.dynamic_state());
        let mut change = self.store.unobserved().await?;
        // Whoever used it at the same moment has a copy of it.
        if !change.use_passkey(&id, &row.state, &after, now()).await? {
            return Err(PasskeyError::Wrong);
        }
        change.commit().await?;
        Ok(row.person)
    }

    /// Calls a passkey of somebody's otherwise.
    pub async fn rename(
        &self,
        person: &str,
        id: &str,
        about: &str,
    ) -> Result<PasskeyRow, PasskeyError> {
        let about = checked_about(about)?;
        let mut change = self.store.change(told("passkey-renamed", person)).await?;
        if !change.rename_passkey(person, id, &about).await? {
            return Err(not_found(person, id));
        }
        change.commit().await?;
        let row = self.store.passkey(id).await?;
        row.ok_or_else(|| not_found(person, id))
    }

    /// Forgets a passkey of somebody's: it lets nobody in any more.
    pub async fn remove(&self, person: &str, id: &str) -> Result<(), PasskeyError> {
        let mut change = self.store.change(told("passkey-removed", person)).await?;
        if !change.remove_passkey(person, id).await? {
            return Err(not_found(person, id));
        }
        change.commit().await?;
        Ok(())
    }
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passkeys")
    }
}

fn kept(state: DynamicState) -> String {
    let Ok(bytes) = state.encode();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &str) -> Result<Vec<u8>, PasskeyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())
}

fn handle_of(row: &PasskeyRow) -> Result<UserHandle64, PasskeyError> {
    let handle: [u8; 64] = bytes(&row.handle)?.try_into().map_err(|_| damaged())?;
    let Ok(handle) = UserHandle64::decode(handle);
    Ok(handle)
}

fn damaged() -> PasskeyError {
    PasskeyError::Store(StoreError::Malformed {
        entity: "passkey",
        reason: "it is not as it was kept".to_owned(),
    })
}

fn not_found(name: &str, id: &str) -> PasskeyError {
    PasskeyError::NotFound {
        name: name.to_owned(),
        id: id.chars().take(LONGEST_ABOUT).collect(),
    }
}

/// What a passkey is called: one line, and not all of the page.
fn checked_about(about: &str) -> Result<String, PasskeyError> {
    let about = about.trim();
    if about.chars().any(char::is_control) {
        return Err(PasskeyError::About);
    }
    if about.chars().count() > LONGEST_ABOUT {
        return Err(PasskeyError::TooMuch {
            what: "what it is called",
            most: LONGEST_ABOUT,
        });
    }
    Ok(if about.is_empty() { ABOUT } else { about }.to_owned())
}

fn told(what: &str, name: &str) -> NewEvent {
    let kind = match what {
        "passkey-added" => "dev.ergon.person.passkey-added",
        "passkey-renamed" => "dev.ergon.person.passkey-renamed",
        _ => "dev.ergon.person.passkey-removed",
    };
    NewEvent::new(kind, format!("person/{name}"), json!({ "name": name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_names_and_not_for_addresses() {
        for (origin, host) in [
            ("http://localhost:7411", "localhost"),
            ("https://ergon.example.com", "ergon.example.com"),
            ("https://node-1:80", "node-1"),
        ] {
            let place = Place::of(origin).unwrap();
            assert_eq!((place.origin.as_str(), place.host.as_str()), (origin, host));
        }
        for origin in [
            "http://127.0.0.1:7411",
            "http://[::1]:7411",
            "https://10.0.0.7",
            "http://",
            "http://a..b",
        ] {
            let refused = Place::of(origin).unwrap_err();
            assert!(matches!(refused, PasskeyError::NoName { .. }), "{origin}");
            assert!(refused.remedy().unwrap().contains("localhost"));
        }
    }

    #[test]
    fn a_passkey_is_called_something_on_one_line() {
        assert_eq!(checked_about(" phone ").unwrap(), "phone");
        assert_eq!(checked_about("").unwrap(), "passkey");
        for bad in ["a\nb", "\u{1b}[2J", &"x".repeat(81)] {
            assert!(checked_about(bad).is_err());
        }
    }
}
