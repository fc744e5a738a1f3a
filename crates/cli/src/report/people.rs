//! People, as people read them.

use ergon_server::api::{AddedPerson, AddedToken, Passkey, Person, PersonSession, PersonToken};
use jiff::Timestamp;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(people: &[Person], width: Option<usize>) -> String {
    let mut table = Table::new(["PERSON", "ROLES", "SIGNS IN WITH", "ADDED"]);
    for person in people {
        table.row([
            person.name.clone(),
            person.roles.join(" "),
            comes_in(person),
            person.created_at.clone(),
        ]);
    }
    table.render(width)
}

pub fn show(person: &Person) -> String {
    let (name, roles, comes_in) = (
        style::strong(&person.name),
        person.roles.join(" "),
        comes_in(person),
    );
    let accounts = person.accounts.iter();
    let accounts: Vec<String> = accounts
        .map(|account| words::on_one_line(&format!("{} at {}", account.subject, account.issuer)))
        .collect();
    let mut rows = vec![
        ("person", name.as_str()),
        ("roles", &roles),
        ("signs in with", &comes_in),
    ];
    rows.extend(accounts.iter().map(|account| ("account", account.as_str())));
    rows.push(("added", &person.created_at));
    labelled(&rows)
}

fn comes_in(person: &Person) -> String {
    if person.disabled {
        return style::bad("nothing: disabled");
    }
    let ways = [
        (person.has_password, "password"),
        (person.has_passkey, "passkey"),
        (!person.accounts.is_empty(), "account"),
        (true, "link"),
    ];
    let ways = ways.into_iter().filter_map(|(has, way)| has.then_some(way));
    ways.collect::<Vec<_>>().join(", ")
}

/// Somebody who was added, with the link they need.
pub fn added(added: &AddedPerson) -> String {
    format!(
        "{}Next:  send them this link; it is good once, for a day\n       {}\n",
        show(&added.person),
        style::link(&added.link.url)
    )
}

pub fn sessions(
    name: &str,
    sessions: &[PersonSession],
    now: Timestamp,
    width: Option<usize>,
) -> String {
    let mut table = Table::new(["SESSION", "FROM", "WITH", "OPENED", "LAST USED"]);
    for session in sessions {
        table.row([
            session.id.clone(),
            session.address.clone(),
            words::on_one_line(&session.agent),
            words::ago(&session.created_at, now),
            words::ago(&session.last_used_at, now),
        ]);
    }
    if table.is_empty() {
        return format!("{} is signed in nowhere.\n", words::harmless(name));
    }
    table.render(width)
}

pub fn tokens(name: &str, tokens: &[PersonToken], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["TOKEN", "FOR", "ROLES", "ENDS", "LAST USED"]);
    for token in tokens {
        let used = token.last_used_at.as_ref();
        table.row([
            token.id.clone(),
            words::on_one_line(&token.about),
            roles(token),
            ends(token),
            used.map_or_else(|| "never".to_owned(), |time| words::ago(time, now)),
        ]);
    }
    if table.is_empty() {
        let name = words::harmless(name);
        return format!("No tokens yet.  Add one: ergon person token add {name} --days 90\n");
    }
    table.render(width)
}

pub fn passkeys(name: &str, passkeys: &[Passkey], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["PASSKEY", "CALLED", "FOR", "MADE", "LAST USED"]);
    for passkey in passkeys {
        let used = passkey.last_used_at.as_ref();
        table.row([
            words::on_one_line(&passkey.id),
            words::on_one_line(&passkey.about),
            passkey.host.clone(),
            words::ago(&passkey.created_at, now),
            used.map_or_else(|| "never".to_owned(), |time| words::ago(time, now)),
        ]);
    }
    if table.is_empty() {
        let name = words::harmless(name);
        return format!(
            "{name} has no passkey.  One is added in the browser, on the page of one's account.\n"
        );
    }
    table.render(width)
}

/// A token that is seen this once.
pub fn token(name: &str, added: &AddedToken, url: &str) -> String {
    let (secret, ends, roles) = (
        style::strong(&added.secret),
        ends(&added.token),
        roles(&added.token),
    );
    let rows = [
        ("token", added.token.id.as_str()),
        ("of", name),
        ("roles", &roles),
        ("ends", &ends),
        ("secret", &secret),
    ];
    let url = url.trim_end_matches('/');
    let next = style::link(&format!("ERGON_URL={url} ERGON_TOKEN=… ergon status"));
    format!(
        "{}The secret is kept nowhere and not shown again.\nNext:  {next}\n",
        labelled(&rows)
    )
}

fn roles(token: &PersonToken) -> String {
    match &token.roles {
        Some(roles) => roles.join(" "),
        None => "all of theirs".to_owned(),
    }
}

fn ends(token: &PersonToken) -> String {
    match &token.expires_at {
        None => "never".to_owned(),
        Some(time) if token.expired => style::bad(&format!("ended {time}")),
        Some(time) => time.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn person(name: &str) -> Person {
        Person {
            name: name.to_owned(),
            roles: vec!["developer".to_owned(), "viewer".to_owned()],
            has_password: false,
            disabled: false,
            has_passkey: false,
            accounts: Vec::new(),
            created_at: "2026-11-01T09:00:00Z".to_owned(),
        }
    }

    #[test]
    fn how_somebody_comes_in_is_said() {
        let people = [
            person("ada"),
            Person {
                has_password: true,
                ..person("bob")
            },
            Person {
                disabled: true,
                ..person("eve")
            },
        ];
        assert_snapshot!(plain(&list(&people, None)), @r"
        PERSON  ROLES             SIGNS IN WITH      ADDED
        ada     developer viewer  link               2026-11-01T09:00:00Z
        bob     developer viewer  password, link     2026-11-01T09:00:00Z
        eve     developer viewer  nothing: disabled  2026-11-01T09:00:00Z
        ");
    }

    #[test]
    fn what_a_browser_says_of_itself_steers_no_terminal() {
        let session = PersonSession {
            id: "1".to_owned(),
            agent: "Mozilla\u{1b}[2J\nsession".to_owned(),
            address: "192.0.2.7".to_owned(),
            created_at: "2026-11-01T09:00:00Z".to_owned(),
            last_used_at: "2026-11-01T09:30:00Z".to_owned(),
            expires_at: "2026-12-01T09:00:00Z".to_owned(),
            current: false,
        };
        let now = "2026-11-01T10:00:00Z".parse().unwrap();
        let text = plain(&sessions("ada", &[session], now, None));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
