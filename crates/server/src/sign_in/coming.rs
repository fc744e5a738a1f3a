//! Letting in whoever comes back from an identity provider.

use std::sync::Arc;

use super::claims::{free_name, groups, roles, wished_name};
use super::providers::{IdentityProviders, Returned};
use crate::people::{Account, ComingIn, People, PeopleError, Person};
use crate::sessions::{Secret, SignInError};

/// So many groups of somebody who is not let in stand in the log.
const LOGGED: usize = 20;

/// Who it is that comes back, and as what. Whoever comes for the first time is added.
pub async fn come_back(
    providers: &IdentityProviders,
    people: &People,
    returned: Returned,
    browser: Option<&Secret>,
) -> Result<Arc<Person>, SignInError> {
    let (provider, verified) = providers.finish(returned, browser).await?;
    let groups = groups(&verified.claims, &provider.claim);
    let coming = ComingIn {
        roles: roles(&groups, &provider.roles, &provider.default_roles),
        account: Account {
            issuer: verified.issuer,
            subject: verified.subject,
        },
    };
    let wish = wished_name(&verified.claims);
    let name = |is_taken: &dyn Fn(&str) -> bool| free_name(&wish, &provider.name, is_taken);
    let person = people.with_account(&coming, name).await;
    if let Err(PeopleError::NoGroup) = &person {
        let (provider, subject) = (&provider.name, &coming.account.subject);
        let groups = groups.get(..LOGGED).unwrap_or(&groups);
        tracing::warn!(
            provider,
            ?subject,
            ?groups,
            "somebody is not let in: no group of theirs is a role"
        );
    }
    Ok(person?)
}
