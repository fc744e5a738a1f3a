//! Builds, and the chain of evidence each stands in.

use std::fmt::Write as _;

use ergon_server::api::{Build, BuildSummary, RegistryEntry};
use jiff::Timestamp;

use super::differences;
use crate::style;
use crate::table::{Table, pad};
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

pub fn entry(entry: &RegistryEntry, now: Timestamp) -> String {
    match entry {
        RegistryEntry::Build(build) => show(build, now),
        RegistryEntry::Manifest {
            manifest_digest,
            builds,
            ..
        } => {
            let mut page = format!("manifest {}\n", style::strong(manifest_digest));
            for build in builds {
                let _ = writeln!(page, "{}", headline(build, now));
            }
            page
        }
    }
}

fn show(build: &Build, now: Timestamp) -> String {
    let mut page = headline(&build.summary, now) + "\n";
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(page, "  {}{value}", pad(&style::faint(label), 10));
    };
    let git = build
        .git
        .as_deref()
        .map(|git| format!("  ({})", words::harmless(git)))
        .unwrap_or_default();
    let project = words::harmless(build.summary.project_name.as_deref().unwrap_or("a folder"));
    line(
        "from",
        &format!(
            "{project}  source {}{git}",
            words::glimpse(&build.source_digest)
        ),
    );
    line(
        "",
        &format!("manifest {}", words::glimpse(&build.manifest_digest)),
    );
    for base in &build.bases {
        line(
            "on",
            &format!("{} @{}", base.reference, words::glimpse(&base.digest)),
        );
    }
    for image in &build.summary.images {
        line(
            "made",
            &format!(
                "{}  {}  tags {}",
                image.image_digest,
                words::size(image.size),
                image.tags.join(", ")
            ),
        );
    }
    for container in &build.containers {
        line(
            "runs",
            &format!("{} ({})", container.name, style::state(&container.state)),
        );
    }
    for reason in &build.unpinned {
        line("unpinned", &words::on_one_line(reason));
    }
    // Times in the image are the same in every build of it; this is when it really happened.
    let files = Timestamp::from_second(i64::try_from(build.epoch).unwrap_or(0)).unwrap_or_default();
    line(
        "built",
        &format!("{}  files dated {files}", build.summary.started_at),
    );
    if let Some(verification) = &build.verification {
        let took = words::duration(verification.milliseconds);
        let when = words::ago(&verification.at, now);
        line("proof", &format!("built again {when}, in {took}"));
        page.push_str(&differences::verification(verification));
    }
    page
}

fn headline(build: &BuildSummary, now: Timestamp) -> String {
    let took = build.milliseconds.map(words::duration).unwrap_or_default();
    let line = format!(
        "build {}   {}   {}   {}   {took}",
        style::strong(words::short(&build.build_hash)),
        style::state(&build.state),
        style::state(&build.reproducibility),
        words::ago(&build.started_at, now)
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now, plain};

    #[test]
    fn a_build_is_shown_with_the_chain_it_stands_in() {
        let entry = RegistryEntry::Build(Box::new(examples::build()));
        assert_snapshot!(plain(&super::entry(&entry, now())), @r"
        build 4f1c09ab77e2   succeeded   unpinned   6 min ago   2.3 s
          from      fastapi  source sha256:c66f2100…  (main@1a2b3c4)
                    manifest sha256:90ab3e00…
          on        python:3.11-slim @sha256:71ab0000…
          made      sha256:8be2000000000000000000000000000000000000000000000000000000000000  41 MB  tags fastapi:4f1c09ab77e2, fastapi:1a2b3c4
          runs      fastapi (running)
          unpinned  the base python:3.11-slim floats; pin it: ergon lock
          built     2026-01-02T14:03:00Z  files dated 1980-01-01T00:00:00Z
        ");
    }

    #[test]
    fn builds_are_one_line_each() {
        assert_snapshot!(plain(&list(&[examples::build().summary], now(), None)), @r"
        BUILD         PROJECT  STATE      REPRODUCIBILITY  WHEN       IMAGES
        4f1c09ab77e2  fastapi  succeeded  unpinned         6 min ago  fastapi:4f1c09ab77e2
        ");
    }
}
