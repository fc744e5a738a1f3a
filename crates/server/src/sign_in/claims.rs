//! What an identity provider says of somebody, and what that makes of them here. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::access::account;
use crate::authorize::Role;

/// Of more groups nobody is looked up.
const MOST_GROUPS: usize = 2_000;
/// A name that is asked for has so many letters at most: there is room for what tells it from another.
const LONGEST_WISH: usize = 32;

/// What was said of somebody, and by whom; it was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    pub issuer: String,
    /// Who it is there; never somebody else's.
    pub subject: String,
    pub claims: Map<String, Value>,
}

/// The groups that a claim names: `groups`, or `realm_access.roles` for one inside another.
pub fn groups(claims: &Map<String, Value>, claim: &str) -> Vec<String> {
    let found = match claims.get(claim) {
        Some(found) => Some(found),
        None => within(claims, claim),
    };
    match found {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => groups
            .iter()
            .take(MOST_GROUPS)
            .filter_map(|group| group.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether anything is said under a claim at all.
pub fn is_said(claims: &Map<String, Value>, claim: &str) -> bool {
    claims.contains_key(claim) || within(claims, claim).is_some()
}

fn within<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    let (outer, inner) = claim.split_once('.')?;
    let mut found = claims.get(outer)?;
    for part in inner.split('.') {
        found = found.get(part)?;
    }
    Some(found)
}

/// What somebody of these groups is; what somebody is of whom no group says anything. Groups are compared exactly.
pub fn roles(
    groups: &[String],
    of: &BTreeMap<String, BTreeSet<Role>>,
    default: &BTreeSet<Role>,
) -> BTreeSet<Role> {
    let found = groups.iter().filter_map(|group| of.get(group)).flatten();
    let found: BTreeSet<Role> = found.cloned().collect();
    if found.is_empty() {
        return default.clone();
    }
    found
}

/// What somebody might be called here. It is a wish and proves nothing: whoever has a name keeps it.
pub fn wished_name(claims: &Map<String, Value>) -> String {
    let said = |claim| claims.get(claim).and_then(Value::as_str);
    let wishes = [
        said("preferred_username"),
        said("email"),
        said("nickname"),
        said("name"),
    ];
    let mut wishes = wishes.into_iter().flatten().map(plain);
    let wish = wishes.find(|wish| !wish.is_empty());
    wish.unwrap_or_else(|| "somebody".to_owned())
}

/// As much of it as a name here can have: the part before `@`, in small letters.
fn plain(said: &str) -> String {
    let local = said.split('@').next().unwrap_or_default();
    let mut name = String::new();
    for letter in local.chars().take(4 * LONGEST_WISH) {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => name.push(letter),
            letter @ ('-' | '_' | '.') if !name.is_empty() => name.push(letter),
            ' ' if !name.is_empty() => name.push('.'),
            _ => {}
        }
        if name.len() == LONGEST_WISH {
            break;
        }
    }
    name.trim_end_matches(['-', '_', '.']).to_owned()
}

/// A name that is nobody's: as wished, else with the provider behind it, else with a number, too.
pub fn free_name(wish: &str, provider: &str, is_taken: impl Fn(&str) -> bool) -> Option<String> {
    let with_provider: String = format!("{wish}.{provider}")
        .chars()
        .take(account::LONGEST_NAME - 5)
        .collect();
    let numbered = (2..10_000).map(|number| format!("{with_provider}-{number}"));
    [wish.to_owned(), with_provider.clone()]
        .into_iter()
        .chain(numbered)
        .find(|name| !is_taken(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn groups_are_what_the_claim_names_and_nothing_else() {
        let claims = map(json!({
            "groups": ["ops", "dev", 7, null, ["ops"]], "hd": "example.com", "admin": true,
            "realm_access": { "roles": ["a"] }, "x.y": ["flat"], "x": { "y": ["deep"] },
        }));
        for (claim, found) in [
            ("groups", &["ops", "dev"][..]),
            ("hd", &["example.com"]),
            ("realm_access.roles", &["a"]),
            ("x.y", &["flat"]),
            ("admin", &[]),
            ("realm_access", &[]),
            ("realm_access.", &[]),
            ("missing", &[]),
            ("", &[]),
        ] {
            assert_eq!(groups(&claims, claim), found, "{claim}");
        }
    }

    #[test]
    fn a_group_is_a_role_only_where_it_was_said_letter_by_letter() {
        let role = |text: &str| text.parse::<Role>().unwrap();
        let of = BTreeMap::from([
            ("dev".to_owned(), BTreeSet::from([role("developer")])),
            ("ops".to_owned(), BTreeSet::from([role("operator")])),
        ]);
        let none = BTreeSet::new();
        let viewer = BTreeSet::from([role("viewer")]);
        let roles_of = |groups: &[&str], default: &BTreeSet<Role>| {
            let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
            let found = roles(&groups, &of, default);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            roles_of(&["dev", "ops", "x"], &none),
            ["developer", "operator"]
        );
        for group in ["Dev", "dev ", "*", "", "owner", "developer"] {
            assert!(roles_of(&[group], &none).is_empty(), "{group}");
        }
        assert_eq!(roles_of(&["x"], &viewer), ["viewer"]);
        assert_eq!(roles_of(&["dev"], &viewer), ["developer"]);
    }

    #[test]
    fn a_name_is_made_of_what_is_said() {
        for (said, name) in [
            (
                json!({ "preferred_username": "Ada.Lovelace@example.com" }),
                "ada.lovelace",
            ),
            (
                json!({ "preferred_username": "…", "email": "ada@example.com" }),
                "ada",
            ),
            (json!({ "name": "Ada Lovelace" }), "ada.lovelace"),
            (json!({ "preferred_username": "../../owner" }), "owner"),
            (json!({ "preferred_username": "a\u{1b}[2Jb" }), "a2jb"),
            (json!({ "preferred_username": 7 }), "somebody"),
            (json!({}), "somebody"),
        ] {
            let wished = wished_name(&map(said.clone()));
            assert_eq!(wished, name, "{said}");
            assert!(account::check_name(&wished, &[]).is_ok(), "{wished}");
        }
        let long = wished_name(&map(json!({ "name": "a".repeat(9000) })));
        assert_eq!(long.len(), LONGEST_WISH);
    }

    #[test]
    fn nobody_is_given_a_name_that_somebody_has() {
        let taken = ["ada", "ada.corp", "owner"];
        let free = |wish: &str| free_name(wish, "corp", |name| taken.contains(&name)).unwrap();
        assert_eq!(free("bob"), "bob");
        assert_eq!(free("owner"), "owner.corp");
        assert_eq!(free("ada"), "ada.corp-2");
        let long = free_name(&"a".repeat(32), &"p".repeat(63), |name| {
            !name.ends_with("-99")
        });
        assert!(account::check_name(&long.unwrap(), &[]).is_ok());
        assert_eq!(free_name("ada", "corp", |_| true), None);
    }
}
