//! An identity provider as it is configured, and what can be one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ergon_store::IdentityProviderRow;
use reqwest::Url;

use super::error::ProviderConfigError;
use super::outgoing::is_this_machine;
use crate::access::account;
use crate::authorize::Role;

const LONGEST_TEXT: usize = 200;
const LONGEST_ISSUER: usize = 500;
const LONGEST_SECRET: usize = 4096;
const MOST_SCOPES: usize = 20;
const MOST_MAPPED: usize = 500;
const MOST_ROLES: usize = 20;
/// What is asked for where nothing else is said.
const SCOPES: [&str; 2] = ["profile", "email"];
/// Where groups are looked for where nothing else is said.
const CLAIM: &str = "groups";

/// Another system whose accounts sign in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    pub name: String,
    /// What people call it.
    pub title: String,
    pub issuer: String,
    pub client_id: String,
    /// Whether it wants a secret of the stack, too.
    pub has_secret: bool,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim names somebody's groups.
    pub claim: String,
    /// Which group is which roles.
    pub roles: BTreeMap<String, BTreeSet<Role>>,
    /// What somebody is of whom no group says anything; empty: not let in.
    pub default_roles: BTreeSet<Role>,
    /// Milliseconds since 1970, as the other times.
    pub created_at: i64,
    pub changed_at: i64,
}

/// What an identity provider is to be.
#[derive(Clone, Debug, Default)]
pub struct PutIdentityProvider {
    pub title: Option<String>,
    pub issuer: String,
    pub client_id: String,
    /// Absent: the one there was, where there was one for the same client of the same issuer.
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub claim: Option<String>,
    pub roles: BTreeMap<String, Vec<String>>,
    pub default_roles: Vec<String>,
}

impl PutIdentityProvider {
    /// What is kept of it under a name, but for its secret.
    pub fn checked(&self, name: &str) -> Result<IdentityProvider, ProviderConfigError> {
        account::check_name(name, &[]).map_err(|why| ProviderConfigError::Name {
            name: name.chars().take(account::LONGEST_NAME + 1).collect(),
            why,
        })?;
        let issuer = checked_issuer(&self.issuer)?;
        let title = self.title.as_deref().unwrap_or(name).trim();
        let claim = self.claim.as_deref().unwrap_or(CLAIM).trim();
        let client_id = self.client_id.trim();
        for (what, text) in [
            ("the title", title),
            ("the client's id", client_id),
            ("the claim", claim),
        ] {
            check_text(what, text)?;
        }
        if let Some(secret) = &self.client_secret {
            if secret.is_empty() {
                return Err(ProviderConfigError::Empty {
                    what: "the client secret",
                });
            }
            check_length("the client secret", secret.len(), LONGEST_SECRET)?;
        }
        let roles = self.roles.iter().map(|(group, roles)| {
            check_text("a group", group)?;
            if roles.is_empty() {
                return Err(ProviderConfigError::Empty {
                    what: "what a group is",
                });
            }
            Ok((group.clone(), checked_roles(roles)?))
        });
        check_length("the number of groups", self.roles.len(), MOST_MAPPED)?;
        let roles: BTreeMap<_, _> = roles.collect::<Result<_, _>>()?;
        let default_roles = checked_roles(&self.default_roles)?;
        if roles.is_empty() && default_roles.is_empty() {
            return Err(ProviderConfigError::NobodyComesIn);
        }
        Ok(IdentityProvider {
            name: name.to_owned(),
            title: title.to_owned(),
            issuer,
            client_id: client_id.to_owned(),
            has_secret: self.client_secret.is_some(),
            scopes: checked_scopes(self.scopes.as_deref())?,
            claim: claim.to_owned(),
            roles,
            default_roles,
            created_at: 0,
            changed_at: 0,
        })
    }
}

impl IdentityProvider {
    /// As it is kept.
    pub fn row(&self, sealed: Option<String>) -> IdentityProviderRow {
        let texts = |roles: &BTreeSet<Role>| roles.iter().map(ToString::to_string).collect();
        let roles = self.roles.iter();
        IdentityProviderRow {
            name: self.name.clone(),
            title: self.title.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: sealed,
            scopes: self.scopes.clone(),
            claim: self.claim.clone(),
            roles: roles
                .map(|(group, roles)| (group.clone(), texts(roles)))
                .collect(),
            default_roles: texts(&self.default_roles),
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }

    /// As it was kept.
    pub fn of(row: IdentityProviderRow) -> Result<Self, ProviderConfigError> {
        let roles = row.roles.iter();
        let roles = roles.map(|(group, roles)| Ok((group.clone(), checked_roles(roles)?)));
        Ok(Self {
            roles: roles.collect::<Result<_, ProviderConfigError>>()?,
            default_roles: checked_roles(&row.default_roles)?,
            name: row.name,
            title: row.title,
            issuer: row.issuer,
            client_id: row.client_id,
            has_secret: row.client_secret.is_some(),
            scopes: row.scopes,
            claim: row.claim,
            created_at: row.created_at,
            changed_at: row.changed_at,
        })
    }
}

/// An issuer that can be asked who it is. It is compared letter by letter, so it stays as it was written.
fn checked_issuer(text: &str) -> Result<String, ProviderConfigError> {
    let text = text.trim();
    let refused = |why| ProviderConfigError::Issuer {
        // What is wrong with it may be the password in it.
        issuer: match text.split_once('@') {
            Some(_) => "https://…@…".to_owned(),
            None => text.chars().take(80).collect(),
        },
        why,
    };
    if text.len() > LONGEST_ISSUER {
        return Err(refused("it is too long"));
    }
    let url: Url = text.parse().map_err(|_| refused("it is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("a user or password does not belong there"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("nothing may follow its path"));
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(text.to_owned()),
        "http" if is_this_machine(&url) => Ok(text.to_owned()),
        "http" => Err(refused("without TLS it must be on this machine")),
        _ => Err(refused("it is no https:// URL")),
    }
}

fn checked_scopes(said: Option<&[String]>) -> Result<Vec<String>, ProviderConfigError> {
    let Some(said) = said else {
        return Ok(SCOPES.map(str::to_owned).to_vec());
    };
    check_length("the number of scopes", said.len(), MOST_SCOPES)?;
    let mut scopes = Vec::new();
    for scope in said {
        check_text("a scope", scope)?;
        if scope.contains(char::is_whitespace) {
            return Err(ProviderConfigError::Unprintable { what: "a scope" });
        }
        if scope != "openid" && !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    Ok(scopes)
}

fn checked_roles(roles: &[String]) -> Result<BTreeSet<Role>, ProviderConfigError> {
    check_length("the number of roles", roles.len(), MOST_ROLES)?;
    let roles = roles.iter().map(|role| role.parse());
    Ok(roles.collect::<Result<_, _>>()?)
}

fn check_text(what: &'static str, text: &str) -> Result<(), ProviderConfigError> {
    if text.is_empty() {
        return Err(ProviderConfigError::Empty { what });
    }
    if text.chars().any(char::is_control) {
        return Err(ProviderConfigError::Unprintable { what });
    }
    check_length(what, text.chars().count(), LONGEST_TEXT)
}

fn check_length(what: &'static str, is: usize, most: usize) -> Result<(), ProviderConfigError> {
    if is > most {
        return Err(ProviderConfigError::TooMuch { what, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(issuer: &str) -> PutIdentityProvider {
        PutIdentityProvider {
            issuer: issuer.to_owned(),
            client_id: "ergon".to_owned(),
            roles: BTreeMap::from([("dev".to_owned(), vec!["developer".to_owned()])]),
            ..PutIdentityProvider::default()
        }
    }

    #[test]
    fn an_issuer_has_tls_or_is_on_this_machine() {
        for good in [
            "https://login.example.com",
            "https://login.example.com/realms/a/",
            "http://127.0.0.1:8080",
            "http://localhost:8080/a",
            "http://[::1]:8080",
        ] {
            let kept = wanted(good).checked("corp").unwrap();
            assert_eq!(kept.issuer, good, "it is compared letter by letter");
        }
        for bad in [
            "",
            "login.example.com",
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "https://ada:hunter22@login.example.com",
            "https://login.example.com?a",
            "https://login.example.com#a",
            "file:///etc/passwd",
            "javascript:alert(1)",
        ] {
            let refused = wanted(bad).checked("corp").unwrap_err();
            assert!(
                matches!(refused, ProviderConfigError::Issuer { .. }),
                "{bad}"
            );
            assert!(!refused.to_string().contains("hunter22"), "{refused}");
        }
    }

    #[test]
    fn somebody_has_to_be_let_in_and_as_something() {
        let nobody = PutIdentityProvider {
            roles: BTreeMap::new(),
            ..wanted("https://a.example")
        };
        assert!(matches!(
            nobody.checked("corp"),
            Err(ProviderConfigError::NobodyComesIn)
        ));
        let everybody = PutIdentityProvider {
            default_roles: vec!["viewer".to_owned()],
            ..nobody
        };
        assert!(everybody.checked("corp").is_ok());
        for roles in [
            vec![],
            vec!["No Role".to_owned()],
            vec!["viewer".to_owned(); 21],
        ] {
            let wrong = PutIdentityProvider {
                roles: BTreeMap::from([("dev".to_owned(), roles)]),
                ..wanted("https://a.example")
            };
            assert!(wrong.checked("corp").is_err());
        }
    }

    #[test]
    fn what_is_said_of_it_can_be_shown_and_has_an_end() {
        let long = "a".repeat(201);
        for text in ["", " ", "a\nb", "\u{1b}[2J", &long] {
            let good = || wanted("https://a.example");
            let title = Some(text.to_owned());
            assert!(
                PutIdentityProvider { title, ..good() }
                    .checked("corp")
                    .is_err()
            );
            let client_id = text.to_owned();
            assert!(
                PutIdentityProvider {
                    client_id,
                    ..good()
                }
                .checked("corp")
                .is_err()
            );
            let scopes = Some(vec![text.to_owned()]);
            assert!(
                PutIdentityProvider { scopes, ..good() }
                    .checked("corp")
                    .is_err()
            );
        }
        for name in ["", "Corp", "a/b", "..", "a b"] {
            assert!(wanted("https://a.example").checked(name).is_err(), "{name}");
        }
        let kept = wanted("https://a.example").checked("corp").unwrap();
        assert_eq!(kept.scopes, ["profile", "email"]);
        assert_eq!(
            (kept.title.as_str(), kept.claim.as_str()),
            ("corp", "groups")
        );
    }

    #[test]
    fn it_is_kept_as_it_was_said() {
        let kept = wanted("https://a.example").checked("corp").unwrap();
        assert_eq!(IdentityProvider::of(kept.row(None)).unwrap(), kept);
    }
}
