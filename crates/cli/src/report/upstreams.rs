//! Upstreams, as people read them.

use ergon_server::api::Upstream;
use jiff::Timestamp;

use crate::table::{Table, labelled};
use crate::{style, words};

pub fn list(upstreams: &[Upstream], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new(["MIRROR", "OF", "URL", "AS", "HOLDS", "ASKED"]);
    for upstream in upstreams {
        let asked = upstream.asked_at.as_deref();
        table.row([
            upstream.name.clone(),
            upstream.registry.clone(),
            upstream.url.clone(),
            who(upstream),
            holds(upstream),
            asked.map_or_else(|| "never".to_owned(), |time| words::ago(time, now)),
        ]);
    }
    if table.is_empty() {
        return "No mirrors yet.  Add one: ergon registry upstream add hub https://registry-1.docker.io\n"
            .to_owned();
    }
    table.render(width)
}

pub fn added(upstream: &Upstream) -> String {
    let name = style::strong(&upstream.name);
    let (who, fresh) = (
        who(upstream),
        format!(
            "{} s before they are asked for again",
            upstream.fresh_seconds
        ),
    );
    let rows = labelled(&[
        ("mirror", name.as_str()),
        ("of", &upstream.registry),
        ("url", &upstream.url),
        ("as", &who),
        ("tags", &fresh),
    ]);
    format!(
        "{rows}{}/REPOSITORY is now what {} has as REPOSITORY; builds take bases of {} through it.\n",
        upstream.name, upstream.url, upstream.registry
    )
}

fn who(upstream: &Upstream) -> String {
    let user = upstream.user.as_deref();
    user.map_or_else(|| "nobody".to_owned(), words::on_one_line)
}

fn holds(upstream: &Upstream) -> String {
    let size = words::size(upstream.bytes);
    let tags = usize::try_from(upstream.tags).unwrap_or(usize::MAX);
    format!("{} · {size}", words::count(tags, "tag"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::plain;
    use insta::assert_snapshot;

    fn upstream() -> Upstream {
        Upstream {
            name: "hub".to_owned(),
            url: "https://registry-1.docker.io".to_owned(),
            registry: "docker.io".to_owned(),
            user: Some("reader\u{1b}[2J".to_owned()),
            fresh_seconds: 300,
            created_at: "2026-11-20T12:00:00Z".to_owned(),
            repositories: 1,
            tags: 2,
            bytes: 52_428_800,
            asked_at: Some("2026-11-20T14:00:00Z".to_owned()),
        }
    }

    #[test]
    fn a_list_says_what_is_held_and_when_it_was_asked_for() {
        let now = "2026-11-20T14:06:00Z".parse().unwrap();
        let fresh = Upstream {
            name: "far".to_owned(),
            user: None,
            tags: 0,
            bytes: 0,
            asked_at: None,
            ..upstream()
        };
        assert_snapshot!(plain(&list(&[upstream(), fresh], now, None)), @r"
        MIRROR  OF         URL                           AS               HOLDS           ASKED
        hub     docker.io  https://registry-1.docker.io  reader\u{1b}[2J  2 tags · 52 MB  6 min ago
        far     docker.io  https://registry-1.docker.io  nobody           0 tags · 0 B    never
        ");
        assert!(list(&[], now, None).starts_with("No mirrors yet."));
    }

    #[test]
    fn one_that_was_added_says_what_it_is_for() {
        assert_snapshot!(plain(&added(&upstream())), @r"
        mirror  hub
        of      docker.io
        url     https://registry-1.docker.io
        as      reader\u{1b}[2J
        tags    300 s before they are asked for again
        hub/REPOSITORY is now what https://registry-1.docker.io has as REPOSITORY; builds take bases of docker.io through it.
        ");
    }
}
