//! Everybody there is, and what lets them in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use ergon_store::{NewEvent, PersonRow, Store, StoreError, TokenRow, now};
use serde_json::json;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::accounts::Account;
use super::tokens::{NewToken, PersonToken};
use super::{PeopleError, password};
use crate::access::account;
use crate::authorize::{Principal, Role};
use crate::entropy::Entropy;
use crate::sessions::Secret;

const MOST_ROLES: usize = 20;
pub(super) const MOST_PEOPLE: usize = 10_000;
const MOST_TOKENS: usize = 50;
const LONGEST_ABOUT: usize = 200;
/// Names that mean somebody else where a name is asked for.
const TAKEN: [&str; 4] = ["nobody", "ergon", "token", "me"];
/// Whoever is there from the first start.
pub const OWNER: &str = "owner";
/// What tokens begin with, so that they are found where they were left lying.
const MARK: &str = "ergon_";

/// Somebody, as far as anybody may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub roles: BTreeSet<Role>,
    pub has_password: bool,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    /// Since when they may not come in; absent: they may.
    pub disabled_at: Option<i64>,
    /// The id of the token they came with; absent: they came themselves.
    pub token: Option<String>,
    /// When another system said last that it is them, and as what; absent: who they are is said here.
    pub vouched_at: Option<i64>,
}

/// Who is to be added.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    pub name: String,
    pub roles: Vec<String>,
}

/// What is to be changed of somebody; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    pub roles: Option<Vec<String>>,
    pub is_disabled: Option<bool>,
}

/// Everybody. Cheap to clone.
#[derive(Clone, Debug)]
pub struct People {
    pub(super) store: Store,
    entropy: Entropy,
    known: Arc<RwLock<Known>>,
    /// Held by whoever lets in somebody with an account, so that it is nobody else's meanwhile.
    pub(super) coming_in: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) people: BTreeMap<String, Entry>,
    /// By the hash of the token.
    tokens: HashMap<String, PersonToken>,
    pub(super) accounts: BTreeMap<Account, String>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) person: Arc<Person>,
    password: Option<String>,
}

impl People {
    /// Reads who there is; the owner is there in any case.
    pub async fn open(store: Store, entropy: Entropy) -> Result<Self, StoreError> {
        let mut rows = store.people().await?;
        if !rows.iter().any(|row| row.name == OWNER) {
            let owner = PersonRow {
                name: OWNER.to_owned(),
                roles: vec![Role::OWNER.to_owned()],
                password: None,
                created_at: now(),
                disabled_at: None,
            };
            let mut change = store.change(told("added", OWNER)).await?;
            change.add_person(&owner).await?;
            change.commit().await?;
            rows.push(owner);
        }
        let mut known = Known::default();
        for row in rows {
            known.people.insert(row.name.clone(), entry(row)?);
        }
        for row in store.person_tokens().await? {
            known.tokens.insert(row.hash.clone(), token(row)?);
        }
        for row in store.accounts().await? {
            if let Some(entry) = known.people.get_mut(&row.person) {
                let person = Arc::make_mut(&mut entry.person);
                person.vouched_at = person.vouched_at.max(Some(row.last_used_at));
            }
            let (issuer, subject) = (row.issuer, row.subject);
            known
                .accounts
                .insert(Account { issuer, subject }, row.person);
        }
        Ok(Self {
            store,
            entropy,
            known: Arc::new(RwLock::new(known)),
            coming_in: Arc::default(),
        })
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everybody, in the order of their names.
    pub fn list(&self) -> Vec<Arc<Person>> {
        self.read(|known| {
            known
                .people
                .values()
                .map(|entry| Arc::clone(&entry.person))
                .collect()
        })
    }

    pub fn get(&self, name: &str) -> Result<Arc<Person>, PeopleError> {
        Ok(self.entry(name)?.person)
    }

    fn entry(&self, name: &str) -> Result<Entry, PeopleError> {
        let found = self.read(|known| known.people.get(name).cloned());
        found.ok_or_else(|| PeopleError::NotFound {
            name: name.chars().take(account::LONGEST_NAME + 1).collect(),
        })
    }

    /// Who somebody of this name is to the policies, where they may come in.
    pub fn principal(&self, name: &str) -> Option<Principal> {
        let person = self.get(name).ok()?;
        if person.disabled_at.is_some() {
            return None;
        }
        Some(if name == OWNER {
            Principal::Owner
        } else {
            Principal::Person(person)
        })
    }

    /// Whose token it is, and with which roles; a token never has more than its person.
    pub fn with_token(&self, secret: &Secret) -> Option<(Principal, PersonToken)> {
        if !secret.reveal().starts_with(MARK) {
            return None;
        }
        let token = self.read(|known| known.tokens.get(&secret.hash()).cloned())?;
        Some((self.holder(&token)?, token))
    }

    /// Who has the token of this id, as far as it is still good.
    pub fn with_token_id(&self, id: &str) -> Option<Principal> {
        let token = self.read(|known| {
            let mut tokens = known.tokens.values();
            tokens.find(|token| token.id == id).cloned()
        })?;
        self.holder(&token)
    }

    /// Its person, with the roles that both have.
    fn holder(&self, token: &PersonToken) -> Option<Principal> {
        let person = self.get(&token.person).ok()?;
        let now = now();
        if token.has_ended(now) || person.disabled_at.is_some() || person.is_forgotten(now) {
            return None;
        }
        let mut holder = Person::clone(&person);
        if let Some(wanted) = &token.roles {
            holder.roles.retain(|role| wanted.contains(role));
        }
        holder.token = Some(token.id.clone());
        Some(Principal::Person(Arc::new(holder)))
    }

    /// Whether this is somebody's name and password. What is wrong takes as long as what is right.
    pub async fn with_password(
        &self,
        name: &str,
        guess: String,
    ) -> Result<Option<Principal>, PeopleError> {
        let kept = self.entry(name).ok().and_then(|entry| entry.password);
        let is_right = password::is_right(guess, kept).await?;
        Ok(is_right.then(|| self.principal(name)).flatten())
    }

    /// Whether anybody is called so.
    pub fn is_known(&self, name: &str) -> bool {
        self.read(|known| known.people.contains_key(name))
    }

    /// Adds somebody. They come in with a link.
    pub async fn add(&self, wanted: &NewPerson) -> Result<Arc<Person>, PeopleError> {
        let name = checked_name(&wanted.name)?;
        if self.read(|known| known.people.len()) >= MOST_PEOPLE {
            return Err(PeopleError::TooMuch {
                what: "the number of people",
                most: MOST_PEOPLE,
            });
        }
        let row = PersonRow {
            name: name.to_owned(),
            roles: texts(&checked_roles(&wanted.roles)?),
            password: None,
            created_at: now(),
            disabled_at: None,
        };
        let mut change = self.store.change(told("added", name)).await?;
        change.add_person(&row).await?;
        change.commit().await?;
        Ok(self.remember(row)?)
    }

    /// Changes what somebody is. Whoever may not come in any more is out at once.
    pub async fn change(
        &self,
        name: &str,
        wanted: &PersonChange,
    ) -> Result<Arc<Person>, PeopleError> {
        let mut row = self.row(name)?;
        if let Some(roles) = &wanted.roles {
            let roles = checked_roles(roles)?;
            if name == OWNER && !roles.iter().any(Role::is_owner) {
                return Err(PeopleError::Owner {
                    why: "somebody has to be able to do everything",
                });
            }
            row.roles = texts(&roles);
        }
        match wanted.is_disabled {
            Some(true) if name == OWNER => {
                return Err(PeopleError::Owner {
                    why: "somebody has to be able to come in",
                });
            }
            Some(true) => row.disabled_at = row.disabled_at.or_else(|| Some(now())),
            Some(false) => row.disabled_at = None,
            None => {}
        }
        let mut change = self.store.change(told("changed", name)).await?;
        if !change.update_person(&row).await? {
            return Err(PeopleError::NotFound {
                name: name.to_owned(),
            });
        }
        if row.disabled_at.is_some() {
            change.end_sessions_of(name, None).await?;
        }
        change.commit().await?;
        Ok(self.remember(row)?)
    }

    /// Forgets somebody with their sessions and tokens.
    pub async fn remove(&self, name: &str) -> Result<(), PeopleError> {
        if name == OWNER {
            return Err(PeopleError::Owner {
                why: "somebody has to be able to do everything",
            });
        }
        let mut change = self.store.change(told("removed", name)).await?;
        if !change.remove_person(name).await? {
            return Err(PeopleError::NotFound {
                name: name.to_owned(),
            });
        }
        change.commit().await?;
        self.write(|known| {
            known.people.remove(name);
            known.tokens.retain(|_, token| token.person != name);
            known.accounts.retain(|_, person| person != name);
        });
        Ok(())
    }

    /// Gives somebody a password. `old` is asked for where there is one, unless they came with a link or somebody else
    /// who may does it for them. Their other sessions end.
    pub async fn set_password(
        &self,
        name: &str,
        old: Option<String>,
        new: Option<String>,
        stays: Option<&str>,
        must_know_old: bool,
    ) -> Result<(), PeopleError> {
        let mut row = self.row(name)?;
        if must_know_old && new.is_some() {
            self.get(name)?.check_means()?;
        }
        if must_know_old
            && row.password.is_some()
            && !password::is_right(old.unwrap_or_default(), row.password.clone()).await?
        {
            return Err(PeopleError::OldPassword);
        }
        row.password = match new {
            Some(new) => {
                password::check(name, &new)?;
                Some(password::hash(new, self.entropy.bytes()).await?)
            }
            None => None,
        };
        let mut change = self.store.change(told("password-changed", name)).await?;
        if !change.update_person(&row).await? {
            return Err(PeopleError::NotFound {
                name: name.to_owned(),
            });
        }
        change.end_sessions_of(name, stays).await?;
        change.commit().await?;
        self.remember(row)?;
        Ok(())
    }

    /// The tokens of somebody, the oldest first; those that have ended, too.
    pub fn tokens(&self, name: &str) -> Result<Vec<PersonToken>, PeopleError> {
        self.get(name)?;
        let mut tokens: Vec<PersonToken> = self.read(|known| {
            let theirs = known.tokens.values().filter(|token| token.person == name);
            theirs.cloned().collect()
        });
        tokens.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(tokens)
    }

    /// Gives somebody's programs a token; it is never to be had again.
    pub async fn add_token(
        &self,
        name: &str,
        wanted: &NewToken,
    ) -> Result<(PersonToken, Secret), PeopleError> {
        let person = self.get(name)?;
        if wanted.about.chars().count() > LONGEST_ABOUT {
            return Err(PeopleError::TooMuch {
                what: "what it is for",
                most: LONGEST_ABOUT,
            });
        }
        if !account::can_last(wanted.days) {
            return Err(PeopleError::TooMuch {
                what: "the number of days (one or more)",
                most: account::MOST_DAYS as usize,
            });
        }
        if self.tokens(name)?.len() >= MOST_TOKENS {
            return Err(PeopleError::TooMuch {
                what: "the number of tokens",
                most: MOST_TOKENS,
            });
        }
        let roles = match wanted.roles.as_slice() {
            [] => None,
            roles => Some(checked_roles(roles)?),
        };
        if let Some(role) = roles
            .iter()
            .flatten()
            .find(|role| !person.roles.contains(role))
        {
            return Err(PeopleError::NotTheirRole {
                name: name.to_owned(),
                role: role.to_string(),
            });
        }
        let now = now();
        let secret = Secret::received(format!("{MARK}{}", Secret::new(&self.entropy).reveal()));
        let row = TokenRow {
            id: Uuid::now_v7().to_string(),
            person: name.to_owned(),
            about: wanted.about.clone(),
            hash: secret.hash(),
            roles: roles.map(|roles| texts(&roles)),
            created_at: now,
            expires_at: account::end_after(wanted.days, now),
            last_used_at: None,
        };
        let mut change = self.store.change(told("token-added", name)).await?;
        change.add_token(&row).await?;
        change.commit().await?;
        let hash = row.hash.clone();
        let added = token(row)?;
        self.write(|known| known.tokens.insert(hash, added.clone()));
        Ok((added, secret))
    }

    /// Takes a token back.
    pub async fn remove_token(&self, name: &str, id: &str) -> Result<(), PeopleError> {
        let mut change = self.store.change(told("token-removed", name)).await?;
        if !change.remove_token(name, id).await? {
            return Err(PeopleError::NoToken {
                name: name.to_owned(),
                id: id.to_owned(),
            });
        }
        change.commit().await?;
        self.write(|known| known.tokens.retain(|_, token| token.id != id));
        Ok(())
    }

    /// Keeps that a token was used, to the minute. It is nothing that anybody waits for.
    pub fn used(&self, token: &PersonToken) {
        let now = now();
        if !account::is_used_anew(token.last_used_at, now) {
            return;
        }
        self.write(|known| {
            if let Some(known) = known.tokens.values_mut().find(|known| known.id == token.id) {
                known.last_used_at = Some(now);
            }
        });
        let (store, id) = (self.store.clone(), token.id.clone());
        tokio::spawn(async move {
            let kept = async {
                let mut change = store.unobserved().await?;
                change.touch_token(&id, now).await?;
                change.commit().await
            };
            if let Err(error) = kept.await {
                tracing::warn!(%error, "when a token was used last is not kept");
            }
        });
    }

    pub(super) fn row(&self, name: &str) -> Result<PersonRow, PeopleError> {
        let Entry { person, password } = self.entry(name)?;
        Ok(PersonRow {
            name: person.name.clone(),
            roles: person.roles.iter().map(ToString::to_string).collect(),
            password,
            created_at: person.created_at,
            disabled_at: person.disabled_at,
        })
    }

    pub(super) fn remember(&self, row: PersonRow) -> Result<Arc<Person>, StoreError> {
        let name = row.name.clone();
        let mut entry = entry(row)?;
        Ok(self.write(|known| {
            let before = known.people.get(&name);
            let vouched_at = before.and_then(|entry| entry.person.vouched_at);
            Arc::make_mut(&mut entry.person).vouched_at = vouched_at;
            let person = Arc::clone(&entry.person);
            known.people.insert(name, entry);
            person
        }))
    }
}

pub(super) fn told(what: &str, name: &str) -> NewEvent {
    let kind = match what {
        "added" => "dev.ergon.person.added",
        "changed" => "dev.ergon.person.changed",
        "removed" => "dev.ergon.person.removed",
        "password-changed" => "dev.ergon.person.password-changed",
        "token-added" => "dev.ergon.person.token-added",
        _ => "dev.ergon.person.token-removed",
    };
    NewEvent::new(kind, format!("person/{name}"), json!({ "name": name }))
}

/// A name that can be somebody's. Pure.
pub(super) fn checked_name(name: &str) -> Result<&str, PeopleError> {
    account::check_name(name, &TAKEN).map_err(|why| PeopleError::Name {
        name: name.chars().take(account::LONGEST_NAME + 1).collect(),
        why,
    })?;
    Ok(name)
}

fn checked_roles(roles: &[String]) -> Result<BTreeSet<Role>, PeopleError> {
    if roles.is_empty() {
        return Err(PeopleError::NoRoles);
    }
    if roles.len() > MOST_ROLES {
        return Err(PeopleError::TooMuch {
            what: "the number of roles",
            most: MOST_ROLES,
        });
    }
    Ok(roles
        .iter()
        .map(|role| role.parse())
        .collect::<Result<_, _>>()?)
}

pub(super) fn texts(roles: &BTreeSet<Role>) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}

fn entry(row: PersonRow) -> Result<Entry, StoreError> {
    let roles = row.roles.iter().map(|role| role.parse());
    let roles = roles.collect::<Result<_, _>>();
    let person = Person {
        vouched_at: None,
        roles: roles.map_err(malformed("person"))?,
        has_password: row.password.is_some(),
        name: row.name,
        created_at: row.created_at,
        disabled_at: row.disabled_at,
        token: None,
    };
    Ok(Entry {
        person: Arc::new(person),
        password: row.password,
    })
}

fn token(row: TokenRow) -> Result<PersonToken, StoreError> {
    let roles = row.roles.map(|roles| {
        let roles = roles.iter().map(|role| role.parse());
        roles.collect::<Result<Vec<Role>, _>>()
    });
    Ok(PersonToken {
        id: row.id,
        person: row.person,
        about: row.about,
        roles: roles.transpose().map_err(malformed("token"))?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    })
}

fn malformed<E: std::fmt::Display>(entity: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Malformed {
        entity,
        reason: error.to_string(),
    }
}
