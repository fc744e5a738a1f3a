//! Secrets, as people read them: everything but what they say.

use ergon_server::api::{Secret, SecretGrant, SecretKey, SecretVersion};
use jiff::Timestamp;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(secrets: &[Secret], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new([
        "SECRET",
        "VERSION",
        "CHANGED",
        "ENDS",
        "MAY BE USED BY",
        "NOTE",
    ]);
    for secret in secrets {
        table.row([
            secret.name.clone(),
            version(secret),
            words::ago(&secret.changed_at, now),
            ends(secret),
            whom(&secret.grants),
            words::on_one_line(&secret.note),
        ]);
    }
    if table.is_empty() {
        return "No secrets yet.  Add one: ergon secret set db-password --from-file FILE\n"
            .to_owned();
    }
    table.render(width)
}

pub fn show(secret: &Secret) -> String {
    let (name, version, ends) = (style::strong(&secret.name), version(secret), ends(secret));
    let changed = format!(
        "{} by {}",
        secret.changed_at,
        words::on_one_line(&secret.changed_by)
    );
    let note = words::on_one_line(&secret.note);
    let mut rows = vec![("secret", name.as_str()), ("version", &version)];
    if !note.is_empty() {
        rows.push(("note", &note));
    }
    let grants: Vec<String> = match secret.grants.as_slice() {
        [] => vec!["nobody".to_owned()],
        grants => grants.iter().map(grant).collect(),
    };
    rows.extend([("changed", changed.as_str()), ("ends", &ends)]);
    rows.extend(grants.iter().map(|text| ("used by", text.as_str())));
    labelled(&rows)
}

/// A secret that was just set, with what is to be done next.
pub fn set(secret: &Secret) -> String {
    let next = match secret.grants.as_slice() {
        [] => format!("ergon secret grant {} --project NAME", secret.name),
        // What runs has what it was started with.
        _ => "start the containers anew that use it: ergon run, ergon container restart".to_owned(),
    };
    format!(
        "{} says something new: version {}\nNext:  {}\n",
        secret.name,
        version(secret),
        style::link(&next)
    )
}

pub fn versions(versions: &[SecretVersion], width: Option<usize>) -> String {
    let mut table = Table::new(["VERSION", "STATE", "SET", "BY", "ENDS", "SEALED FOR"]);
    for version in versions {
        table.row([
            version.version.to_string(),
            version.state.clone(),
            version.created_at.clone(),
            words::on_one_line(&version.created_by),
            version
                .expires_at
                .clone()
                .unwrap_or_else(|| "never".to_owned()),
            version.sealed_for.clone(),
        ]);
    }
    table.render(width)
}

pub fn key(key: &SecretKey) -> String {
    let public = key.public.as_deref().unwrap_or("none yet");
    let (sealed, in_vault) = (key.sealed.to_string(), key.in_vault.to_string());
    let mut rows = vec![
        ("kept", key.kind.as_str()),
        ("public key", public),
        ("sealed", &sealed),
    ];
    if let Some(vault) = &key.vault {
        rows.push(("vault", vault));
    }
    if key.in_vault > 0 {
        rows.push(("in vault", &in_vault));
    }
    labelled(&rows)
}

fn version(secret: &Secret) -> String {
    secret
        .version
        .map_or_else(|| "destroyed".to_owned(), |version| version.to_string())
}

fn ends(secret: &Secret) -> String {
    match &secret.expires_at {
        None => "never".to_owned(),
        Some(time) if secret.expired => style::bad(&format!("ended {time}")),
        Some(time) => time.clone(),
    }
}

fn whom(grants: &[SecretGrant]) -> String {
    let grants: Vec<String> = grants.iter().map(grant).collect();
    match grants.as_slice() {
        [] => "nobody".to_owned(),
        grants => grants.join(", "),
    }
}

/// `shop`, `shop/web`, `builds of shop/api`.
fn grant(grant: &SecretGrant) -> String {
    let project = words::on_one_line(&grant.project);
    let place = match &grant.part {
        Some(part) => format!("{project}/{}", words::on_one_line(part)),
        None => project,
    };
    match grant.kind.as_str() {
        "build" => format!("builds of {place}"),
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn secret() -> Secret {
        let grant = |kind: &str, part: Option<&str>| SecretGrant {
            kind: kind.to_owned(),
            project: "shop".to_owned(),
            project_id: "0199".to_owned(),
            part: part.map(str::to_owned),
            granted_at: "2026-11-20T12:00:00Z".to_owned(),
            granted_by: "owner".to_owned(),
        };
        Secret {
            name: "db-password".to_owned(),
            note: "of the\u{1b}[2J shop".to_owned(),
            version: Some(3),
            created_at: "2026-11-20T12:00:00Z".to_owned(),
            changed_at: "2026-11-20T14:00:00Z".to_owned(),
            changed_by: "owner".to_owned(),
            expires_at: Some("2026-12-20T12:00:00Z".to_owned()),
            expired: false,
            grants: vec![
                grant("project", None),
                grant("container", Some("web")),
                grant("build", Some("api")),
            ],
        }
    }

    #[test]
    fn a_list_says_who_may_use_each() {
        let now = "2026-11-20T14:06:00Z".parse().unwrap();
        let ended = Secret {
            name: "old".to_owned(),
            version: None,
            note: String::new(),
            expired: true,
            grants: Vec::new(),
            ..secret()
        };
        assert_snapshot!(plain(&list(&[secret(), ended], now, None)), @r#"
        SECRET       VERSION    CHANGED    ENDS                        MAY BE USED BY                      NOTE
        db-password  3          6 min ago  2026-12-20T12:00:00Z        shop, shop/web, builds of shop/api  of the\u{1b}[2J shop
        old          destroyed  6 min ago  ended 2026-12-20T12:00:00Z  nobody
        "#);
        assert!(list(&[], now, None).starts_with("No secrets yet."));
    }

    #[test]
    fn one_is_shown_with_all_but_what_it_says() {
        assert_snapshot!(plain(&show(&secret())), @r#"
        secret   db-password
        version  3
        note     of the\u{1b}[2J shop
        changed  2026-11-20T14:00:00Z by owner
        ends     2026-12-20T12:00:00Z
        used by  shop
        used by  shop/web
        used by  builds of shop/api
        "#);
    }
}
