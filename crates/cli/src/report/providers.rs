//! Identity providers, as people read them.

use ergon_server::api::IdentityProvider;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(providers: &[IdentityProvider], width: Option<usize>) -> String {
    let mut table = Table::new(["PROVIDER", "ISSUER", "CLIENT", "GROUPS"]);
    for provider in providers {
        table.row([
            provider.name.clone(),
            words::on_one_line(&provider.issuer),
            words::on_one_line(&provider.client_id),
            who_comes_in(provider),
        ]);
    }
    if table.is_empty() {
        return "No identity providers.  Add one: ergon person provider set NAME --issuer URL --client-id ID --map GROUP=ROLE\n".to_owned();
    }
    table.render(width)
}

fn who_comes_in(provider: &IdentityProvider) -> String {
    let default = (!provider.default_roles.is_empty())
        .then(|| format!("everybody: {}", provider.default_roles.join(" ")));
    let groups = words::count(provider.roles.len(), "group");
    let parts = (!provider.roles.is_empty()).then_some(groups);
    parts
        .into_iter()
        .chain(default)
        .collect::<Vec<_>>()
        .join(", ")
}

pub fn show(provider: &IdentityProvider) -> String {
    let name = style::strong(&provider.name);
    let one_line = words::on_one_line;
    let client = format!(
        "{}, {}",
        one_line(&provider.client_id),
        if provider.has_secret {
            "with a secret"
        } else {
            "without a secret"
        }
    );
    let (title, issuer, claim) = (
        one_line(&provider.title),
        one_line(&provider.issuer),
        one_line(&provider.claim),
    );
    let scopes = format!("openid {}", one_line(&provider.scopes.join(" ")));
    let default = if provider.default_roles.is_empty() {
        "not let in".to_owned()
    } else {
        provider.default_roles.join(" ")
    };
    let mut rows = vec![
        ("provider", name),
        ("title", title),
        ("issuer", issuer),
        ("client", client),
        ("asks for", scopes.trim_end().to_owned()),
        ("groups in", claim),
    ];
    for (group, roles) in &provider.roles {
        rows.push((
            "group",
            format!("{} is {}", one_line(group), roles.join(" ")),
        ));
    }
    rows.push(("others", default));
    for address in &provider.return_addresses {
        rows.push(("returns to", one_line(address)));
    }
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect();
    labelled(&rows)
}

/// One that was just set, and what is left to do.
pub fn set(provider: &IdentityProvider) -> String {
    format!(
        "{}Next:  have the provider know the address that people return to\n",
        show(provider)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    #[test]
    fn what_a_provider_is_and_has_to_know_is_said() {
        let developer = vec!["developer".to_owned()];
        let provider = IdentityProvider {
            name: "corp".to_owned(),
            title: "Corp\u{1b}[2J".to_owned(),
            issuer: "https://login.example.com".to_owned(),
            client_id: "ergon".to_owned(),
            has_secret: true,
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            claim: "groups".to_owned(),
            roles: BTreeMap::from([("developers".to_owned(), developer)]),
            default_roles: Vec::new(),
            return_addresses: vec!["http://localhost:7411/signed-in".to_owned()],
            created_at: "2026-11-01T09:00:00Z".to_owned(),
            changed_at: "2026-11-01T09:00:00Z".to_owned(),
        };
        let shown = plain(&set(&provider));
        assert!(!shown.contains('\u{1b}'));
        assert_snapshot!(shown, @r"
        provider    corp
        title       Corp\u{1b}[2J
        issuer      https://login.example.com
        client      ergon, with a secret
        asks for    openid profile email
        groups in   groups
        group       developers is developer
        others      not let in
        returns to  http://localhost:7411/signed-in
        Next:  have the provider know the address that people return to
        ");
        let listed = plain(&list(&[provider], None));
        assert!(
            listed.lines().last().unwrap().ends_with("1 group"),
            "{listed}"
        );
        assert!(list(&[], None).contains("ergon person provider set"));
    }
}
