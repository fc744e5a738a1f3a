//! Repositories of the image registry, as people read them.

use ergon_server::api::Repository;
use jiff::Timestamp;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(repositories: &[Repository], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["REPOSITORY", "PULLED BY", "TAGS", "SINCE"]);
    for repository in repositories {
        table.row([
            repository.name.clone(),
            pulled_by(repository).to_owned(),
            tags(repository).to_owned(),
            words::ago(&repository.created_at, now),
        ]);
    }
    if table.is_empty() {
        return "No repositories yet.  Pushing an image makes one.\n".to_owned();
    }
    table.render(width)
}

pub fn show(repository: &Repository) -> String {
    let name = style::strong(&repository.name);
    labelled(&[
        ("repository", &name),
        ("pulled by", pulled_by(repository)),
        ("tags", tags(repository)),
        ("since", &repository.created_at),
    ])
}

fn pulled_by(repository: &Repository) -> &'static str {
    if repository.anonymous_pull {
        "anybody"
    } else {
        "owner and robots"
    }
}

fn tags(repository: &Repository) -> &'static str {
    if repository.immutable_tags {
        "stay"
    } else {
        "move"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn repository(name: &str, anonymous_pull: bool, immutable_tags: bool) -> Repository {
        Repository {
            name: name.to_owned(),
            anonymous_pull,
            immutable_tags,
            created_at: "2026-11-20T14:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_list_says_how_each_is_kept() {
        let now = "2026-11-20T14:06:00Z".parse().unwrap();
        let all = [
            repository("team/app", false, false),
            repository("tools", true, true),
        ];
        assert_snapshot!(plain(&list(&all, now, None)), @r#"
        REPOSITORY  PULLED BY         TAGS  SINCE
        team/app    owner and robots  move  6 min ago
        tools       anybody           stay  6 min ago
        "#);
        assert!(list(&[], now, None).starts_with("No repositories yet."));
    }

    #[test]
    fn one_is_shown_with_all_that_is_known() {
        assert_snapshot!(plain(&show(&repository("tools", true, true))), @r#"
        repository  tools
        pulled by   anybody
        tags        stay
        since       2026-11-20T14:00:00Z
        "#);
    }
}
