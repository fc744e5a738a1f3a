//! People who come in with an account elsewhere: who that is here, and as what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ergon_store::{AccountRow, PersonRow, now};

use super::PeopleError;
use super::known::{MOST_PEOPLE, People, Person, checked_name, texts, told};
use crate::access::account;
use crate::authorize::Role;

/// After so many days without a word of whoever vouches for somebody their tokens open nothing.
const VOUCHED_DAYS: i64 = 30;

/// An account elsewhere. These two say whose it is, and nothing else does: names and addresses change hands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    pub issuer: String,
    pub subject: String,
}

/// Whoever comes in with an account that was just shown.
pub struct ComingIn {
    pub account: Account,
    /// What they are now, as the account's groups say; nothing: they do not come in.
    pub roles: BTreeSet<Role>,
}

impl People {
    /// Everybody's accounts, by whose they are.
    pub fn accounts(&self) -> BTreeMap<String, Vec<Account>> {
        let mut all = BTreeMap::<String, Vec<Account>>::new();
        self.read(|known| {
            for (account, person) in &known.accounts {
                all.entry(person.clone()).or_default().push(account.clone());
            }
        });
        all
    }

    /// The accounts of somebody.
    pub fn accounts_of(&self, name: &str) -> Vec<Account> {
        self.read(|known| {
            let accounts = known.accounts.iter();
            let theirs = accounts.filter(|(_, person)| *person == name);
            theirs.map(|(account, _)| account.clone()).collect()
        })
    }

    /// Who an account's holder is here. Whoever comes for the first time is added under a name that is nobody's, which
    /// `name` finds; whoever was here before stays who they are, and is what they are said to be now.
    pub async fn with_account(
        &self,
        coming: &ComingIn,
        name: impl FnOnce(&dyn Fn(&str) -> bool) -> Option<String>,
    ) -> Result<Arc<Person>, PeopleError> {
        let _alone = self.coming_in.lock().await;
        let found = self.read(|known| known.accounts.get(&coming.account).cloned());
        match found {
            Some(person) => self.come_again(&person, coming).await,
            None => self.come_first(coming, name).await,
        }
    }

    async fn come_again(&self, name: &str, coming: &ComingIn) -> Result<Arc<Person>, PeopleError> {
        let mut row = self.row(name)?;
        if row.disabled_at.is_some() {
            return Err(PeopleError::Disabled {
                name: name.to_owned(),
            });
        }
        let Account { issuer, subject } = &coming.account;
        let roles = texts(&coming.roles);
        let is_out = coming.roles.is_empty();
        if row.roles != roles {
            row.roles = roles;
            let mut change = self.store.change(told("changed", name)).await?;
            change.update_person(&row).await?;
            if is_out {
                change.end_sessions_of(name, None).await?;
            }
            change.commit().await?;
            self.remember(row)?;
        }
        if is_out {
            return Err(PeopleError::NoGroup);
        }
        let now = now();
        let mut change = self.store.unobserved().await?;
        change.touch_account(issuer, subject, now).await?;
        change.commit().await?;
        self.vouched(name, now);
        self.get(name)
    }

    /// Remembers that another system just said that it is them.
    fn vouched(&self, name: &str, now: i64) {
        self.write(|known| {
            if let Some(entry) = known.people.get_mut(name) {
                Arc::make_mut(&mut entry.person).vouched_at = Some(now);
            }
        });
    }

    async fn come_first(
        &self,
        coming: &ComingIn,
        name: impl FnOnce(&dyn Fn(&str) -> bool) -> Option<String>,
    ) -> Result<Arc<Person>, PeopleError> {
        if coming.roles.is_empty() {
            return Err(PeopleError::NoGroup);
        }
        let too_many = || PeopleError::TooMuch {
            what: "the number of people",
            most: MOST_PEOPLE,
        };
        if self.list().len() >= MOST_PEOPLE {
            return Err(too_many());
        }
        let is_taken = |name: &str| self.is_known(name) || checked_name(name).is_err();
        let name = name(&is_taken).ok_or_else(too_many)?;
        let now = now();
        let row = PersonRow {
            name: checked_name(&name)?.to_owned(),
            roles: texts(&coming.roles),
            password: None,
            created_at: now,
            disabled_at: None,
        };
        let account = AccountRow {
            issuer: coming.account.issuer.clone(),
            subject: coming.account.subject.clone(),
            person: name.clone(),
            created_at: now,
            last_used_at: now,
        };
        let mut change = self.store.change(told("added", &name)).await?;
        change.add_person(&row).await?;
        change.add_account(&account).await?;
        change.commit().await?;
        self.remember(row)?;
        self.vouched(&name, now);
        self.write(|known| known.accounts.insert(coming.account.clone(), name.clone()));
        self.get(&name)
    }
}

impl Person {
    /// Whether they may have what lets them in without whoever vouches for them being asked. Who is let go there would
    /// stay here.
    pub fn check_means(&self) -> Result<(), PeopleError> {
        match self.vouched_at {
            Some(_) => Err(PeopleError::Vouched {
                name: self.name.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Whether nobody vouched for them for so long that their programs are not let in any more.
    pub fn is_forgotten(&self, now: i64) -> bool {
        let vouched_at = self.vouched_at;
        vouched_at.is_some_and(|time| now - time > VOUCHED_DAYS * account::DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(vouched_at: Option<i64>) -> Person {
        Person {
            name: "ada".to_owned(),
            roles: BTreeSet::new(),
            has_password: false,
            created_at: 0,
            disabled_at: None,
            token: None,
            vouched_at,
        }
    }

    #[test]
    fn programs_of_whoever_is_not_vouched_for_any_more_are_not_let_in() {
        let now = 1_000 * account::DAY;
        for (vouched_at, is_forgotten) in [
            (None, false),
            (Some(now), false),
            (Some(now - 30 * account::DAY), false),
            (Some(now - 31 * account::DAY), true),
            (Some(0), true),
        ] {
            assert_eq!(
                person(vouched_at).is_forgotten(now),
                is_forgotten,
                "{vouched_at:?}"
            );
        }
    }

    #[test]
    fn only_whoever_is_somebody_here_has_what_lets_in_here() {
        assert!(person(None).check_means().is_ok());
        assert!(person(Some(0)).check_means().is_err());
    }
}
