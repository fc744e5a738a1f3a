//! Builds, as lists show them.

use ergon_server::api::BuildSummary;
use jiff::Timestamp;

use crate::style;
use crate::table::Table;
use crate::words;

pub fn list(builds: &[BuildSummary], now: Timestamp, width: Option<usize>) -> String {
    let mut table = Table::new([
        "BUILD",
        "PROJECT",
        "STATE",
        "REPRODUCIBILITY",
        "WHEN",
        "IMAGES",
    ]);
    for build in builds {
        let images: Vec<&str> = build
            .images
            .iter()
            .filter_map(|image| image.tags.first())
            .map(String::as_str)
            .collect();
        table.row([
            words::short(&build.build_hash).to_owned(),
            words::harmless(build.project_name.as_deref().unwrap_or("—")),
            style::state(&build.state),
            style::state(&build.reproducibility),
            words::ago(&build.started_at, now),
            words::harmless(&images.join(" ")),
        ]);
    }
    if table.is_empty() {
        return "No builds yet.  Make one: ergon build <folder>\n".to_owned();
    }
    table.render(width)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    #[test]
    fn builds_are_one_line_each() {
        assert_snapshot!(plain(&list(&[examples::build().summary], now(), None)), @r"
        BUILD         PROJECT  STATE      REPRODUCIBILITY  WHEN       IMAGES
        4f1c09ab77e2  fastapi  succeeded  unpinned         6 min ago  fastapi:4f1c09ab77e2
        ");
    }
}
