//! The story of a build: from what it was made, what it made, what runs, what depends on it, what changed.

use std::fmt::Write as _;

use ergon_server::api::{
    Build, BuildChanges, BuildSummary, ImageChange, InputChange, Lineage, PushedImage,
    RegistryEntry,
};
use jiff::Timestamp;

use super::{builds, differences};
use crate::style;
use crate::table::pad;
use crate::words;

/// So many changed fields, builds and layers are shown to people; `--json` has all.
const SHOWN: usize = 8;
/// So many columns of a value.
const LONGEST_VALUE: usize = 60;

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
        RegistryEntry::Source(lineage) => made_of("source", "of it", lineage, now),
        RegistryEntry::Commit(lineage) => made_of("commit", "of it", lineage, now),
        RegistryEntry::Base(lineage) => made_of("base", "depend on it", lineage, now),
        RegistryEntry::Layer(lineage) => made_of("layer", "have it", lineage, now),
        RegistryEntry::Pushed(image) => pushed(image, now),
        RegistryEntry::Blob(blob) => {
            let mut page = format!("blob {}\n", style::strong(&blob.digest));
            line(&mut page, "size", &words::size(blob.size));
            for repository in &blob.repositories {
                line(&mut page, "in", repository);
            }
            page
        }
    }
}

/// The one build that a source or a commit led to.
pub fn only_build(entry: &RegistryEntry) -> Option<&str> {
    match entry {
        RegistryEntry::Source(lineage) | RegistryEntry::Commit(lineage) => {
            match lineage.builds.as_slice() {
                [only] => Some(&only.build_hash),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a client pushed: where it is and what is attached to it.
fn pushed(image: &PushedImage, now: Timestamp) -> String {
    let mut page = format!("pushed {}\n", style::strong(&image.digest));
    let kind = image.artifact_type.as_ref().unwrap_or(&image.media_type);
    line(&mut page, "is", &words::on_one_line(kind));
    for place in &image.places {
        let tags = match place.tags.as_slice() {
            [] => style::faint("no tag"),
            tags => format!("tags {}", tags.join(", ")),
        };
        let when = words::ago(&place.pushed_at, now);
        line(
            &mut page,
            "in",
            &format!("{}  {tags}  {when}", place.repository),
        );
    }
    if let Some(subject) = &image.subject {
        line(&mut page, "about", subject);
    }
    for referrer in &image.attached {
        let kind = referrer.artifact_type.as_deref().unwrap_or("an index");
        line(
            &mut page,
            "has",
            &format!("{}  {}", words::on_one_line(kind), referrer.digest),
        );
    }
    line(
        &mut page,
        "from",
        &style::faint("a client pushed it; nothing is known of how it was made"),
    );
    page
}

/// What builds were made of, and what came of it.
fn made_of(what: &str, how: &str, lineage: &Lineage, now: Timestamp) -> String {
    let name = words::on_one_line(&lineage.name);
    let mut page = format!("{what} {}\n", style::strong(&name));
    for name in lineage.also.iter().take(SHOWN) {
        line(&mut page, "also", &words::on_one_line(name));
    }
    for container in &lineage.containers {
        let wellness = style::state(&container.wellness);
        line(
            &mut page,
            "runs",
            &format!("{} ({wellness})", container.name),
        );
    }
    let count = usize::try_from(lineage.count).unwrap_or(usize::MAX);
    let how = if count == 1 {
        how.replace("have", "has").replace("depend", "depends")
    } else {
        how.to_owned()
    };
    let _ = writeln!(page, "\n{} {how}\n", words::count(count, "build"));
    page.push_str(&builds::list(&lineage.builds, now, crate::output::width()));
    if lineage.builds.len() < count {
        let _ = writeln!(page, "and {} before", count - lineage.builds.len());
    }
    page
}

fn line(page: &mut String, label: &str, value: &str) {
    let _ = writeln!(page, "  {}{value}", pad(&style::faint(label), 10));
}

fn show(build: &Build, now: Timestamp) -> String {
    let mut page = headline(&build.summary, now) + "\n";
    origin(&mut page, build);
    for image in &build.summary.images {
        let (digest, tags) = (&image.image_digest, image.tags.join(", "));
        let made = format!("{digest}  {}  tags {tags}", words::size(image.size));
        line(&mut page, "made", &made);
    }
    if build.containers.is_empty() && build.summary.state == "succeeded" {
        line(&mut page, "runs", &style::faint("nowhere"));
    }
    for container in &build.containers {
        let since = container.started_at.as_deref();
        let since = since
            .map(|time| format!(", {}", words::ago(time, now).replace(" ago", "")))
            .unwrap_or_default();
        let wellness = style::state(&container.wellness);
        line(
            &mut page,
            "runs",
            &format!("{} ({wellness}{since})", container.name),
        );
    }
    evidence(&mut page, build);
    for reason in &build.unpinned {
        line(&mut page, "unpinned", &words::on_one_line(reason));
    }
    // Times in the image are the same in every build of it; this is when it really happened.
    let files = Timestamp::from_second(i64::try_from(build.epoch).unwrap_or(0)).unwrap_or_default();
    let built = format!("{}  files dated {files}", build.summary.started_at);
    line(&mut page, "built", &built);
    beside(
        &mut page,
        "likewise",
        "built from the same source",
        &build.same_source,
    );
    beside(&mut page, "base of", "", &build.dependents);
    if let Some(found) = &build.changes {
        let since = format!(
            "since build {}, {}",
            words::short(&found.before),
            words::ago(&found.before_started_at, now)
        );
        line(&mut page, "changed", &since);
        page.push_str(&changed(found));
    }
    if let Some(verification) = &build.verification {
        let took = words::duration(verification.milliseconds);
        let when = words::ago(&verification.at, now);
        line(
            &mut page,
            "proof",
            &format!("built again {when}, in {took}"),
        );
        page.push_str(&differences::verification(verification));
    }
    page
}

/// Of what it was made.
fn origin(page: &mut String, build: &Build) {
    let git = build.git.as_deref().map(|git| {
        let clean = match build.clean {
            Some(true) => ", clean",
            Some(false) => ", with changes that are in no commit",
            None => "",
        };
        format!("  (git {}{clean})", words::on_one_line(git))
    });
    let git = git.unwrap_or_default();
    let name = build.summary.project_name.as_deref();
    let place = match (&build.location, name) {
        (Some(location), Some(name)) if !location.ends_with(name) => format!("{name}, {location}"),
        (Some(location), _) => location.clone(),
        (None, name) => name.unwrap_or("a folder").to_owned(),
    };
    let place = words::on_one_line(&place);
    let source = words::glimpse(&build.source_digest);
    line(page, "from", &format!("{place}  source {source}{git}"));
    let manifest = words::glimpse(&build.manifest_digest);
    line(page, "", &format!("manifest {manifest}"));
    for base in &build.bases {
        let digest = words::glimpse(&base.digest);
        line(page, "on", &format!("{} @{digest}", base.reference));
    }
}

/// What is attached, as `sbom (62 packages) · provenance · proof`.
fn evidence(page: &mut String, build: &Build) {
    for image in &build.summary.images {
        let mut said: Vec<String> = Vec::new();
        for what in [
            "sbom",
            "provenance",
            "proof",
            "signature",
            "manifest",
            "other",
        ] {
            let mut of_kind = build
                .attached
                .iter()
                .filter(|attached| attached.what == what && attached.container == image.container);
            let packages = of_kind.clone().find_map(|attached| attached.packages);
            if of_kind.next().is_none() {
                continue;
            }
            said.push(match packages {
                Some(count) => {
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    format!("{what} ({})", words::count(count, "package"))
                }
                None => what.to_owned(),
            });
        }
        let of = match build.summary.images.len() {
            1 => String::new(),
            _ => format!("{}: ", image.container),
        };
        if !said.is_empty() {
            line(page, "has", &format!("{of}{}", said.join(" · ")));
        }
    }
}

/// Builds that have something to do with it, on one line.
fn beside(page: &mut String, label: &str, why: &str, others: &[BuildSummary]) {
    if others.is_empty() {
        return;
    }
    let mut names: Vec<String> = others
        .iter()
        .take(SHOWN)
        .map(|build| match build.images.first() {
            Some(image) => format!("{} ({})", words::short(&build.build_hash), image.container),
            None => format!("{} ({})", words::short(&build.build_hash), build.state),
        })
        .collect();
    if others.len() > SHOWN {
        names.push(format!("{} more", others.len() - SHOWN));
    }
    let why = if why.is_empty() {
        String::new()
    } else {
        format!("  {}", style::faint(why))
    };
    line(page, label, &format!("{}{why}", names.join(", ")));
}

/// What is different between two builds, each thing on a line.
pub fn changes(found: &BuildChanges, now: Timestamp) -> String {
    let mut page = format!(
        "build {} since build {}, {}\n",
        style::strong(words::short(&found.after)),
        style::strong(words::short(&found.before)),
        words::ago(&found.before_started_at, now)
    );
    page.push_str(&changed(found));
    page
}

fn changed(found: &BuildChanges) -> String {
    let mut page = String::new();
    for change in found.inputs.iter().take(SHOWN) {
        line(&mut page, "", &input(change));
    }
    if found.inputs.len() > SHOWN {
        let more = format!("{} more; --json has them", found.inputs.len() - SHOWN);
        line(&mut page, "", &more);
    }
    if found.inputs.is_empty() {
        line(&mut page, "", "nothing in its inputs");
    }
    for image in &found.images {
        for text in image_lines(image) {
            line(&mut page, "", &text);
        }
    }
    page
}

fn input(change: &InputChange) -> String {
    let value = |text: &Option<String>| match text {
        Some(commit) if change.what == "commit" => match commit.split_once(' ') {
            Some((id, and)) => format!("{} {and}", words::short(id)),
            None => words::short(commit).to_owned(),
        },
        Some(text) => crate::table::cut(&words::on_one_line(&words::glimpses(text)), LONGEST_VALUE),
        None => "none".to_owned(),
    };
    let what = words::on_one_line(&change.what);
    format!(
        "{what}  {} → {}",
        value(&change.before),
        value(&change.after)
    )
}

fn image_lines(image: &ImageChange) -> Vec<String> {
    let name = words::on_one_line(&image.container);
    match (&image.before, &image.after) {
        (None, Some(_)) => return vec![format!("image {name}  not there before")],
        (Some(_), None) => return vec![format!("image {name}  not there any more")],
        (before, after) if before == after => return vec![format!("image {name}  the same")],
        _ => {}
    }
    let size = |size: Option<u64>| words::size(size.unwrap_or(0));
    let mut lines = vec![format!(
        "image {name}  {} of {} new, {} → {}",
        image.new_layers.len(),
        words::count(usize::try_from(image.layers).unwrap_or(0), "layer"),
        size(image.size_before),
        size(image.size_after)
    )];
    for layer in image.new_layers.iter().take(SHOWN) {
        let step = words::on_one_line(layer.step.as_deref().unwrap_or_default());
        let step = crate::table::cut(&step, LONGEST_VALUE);
        let text = format!(
            "  layer {}  {}  {step}",
            layer.layer,
            words::size(layer.size)
        );
        lines.push(text.trim_end().to_owned());
    }
    lines
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
    use ergon_server::api::{Attachment, NewLayer};
    use insta::assert_snapshot;

    use super::*;
    use crate::report::examples::{self, now};
    use crate::style::plain;

    fn digest(start: &str) -> String {
        format!("sha256:{start:0<64}")
    }

    fn told() -> Build {
        let attached = |what: &str, packages| Attachment {
            container: "fastapi".into(),
            what: what.into(),
            digest: digest("aa"),
            format: "x".into(),
            packages,
        };
        let change = |what: &str, before: &str, after: Option<&str>| InputChange {
            what: what.into(),
            before: Some(before.into()),
            after: after.map(str::to_owned),
        };
        Build {
            commit: Some("1a2b3c4".repeat(6)),
            clean: Some(true),
            location: Some("/code/fastapi".into()),
            attached: vec![
                attached("sbom", Some(62)),
                attached("sbom", None),
                attached("provenance", None),
                attached("proof", None),
            ],
            changes: Some(BuildChanges {
                before: "77aa00".repeat(10),
                after: "4f1c09ab77e2".into(),
                before_started_at: "2026-01-01T10:00:00Z".into(),
                inputs: vec![
                    change("source", &digest("11"), Some(&digest("c66f21"))),
                    change("manifest /containers/fastapi/env/\u{1b}[2J", "old", None),
                ],
                images: vec![ImageChange {
                    container: "fastapi".into(),
                    before: Some(digest("01")),
                    after: Some(digest("8be2")),
                    size_before: Some(40_000_000),
                    size_after: Some(41_000_000),
                    layers: 7,
                    new_layers: vec![NewLayer {
                        layer: 7,
                        digest: digest("77"),
                        size: 2_100,
                        step: Some("COPY . .".into()),
                    }],
                }],
            }),
            same_source: vec![examples::build().summary],
            dependents: vec![examples::build().summary],
            unpinned: Vec::new(),
            ..examples::build()
        }
    }

    #[test]
    fn a_build_is_shown_with_the_chain_it_stands_in() {
        let entry = RegistryEntry::Build(Box::new(told()));
        assert_snapshot!(plain(&super::entry(&entry, now())), @r"
        build 4f1c09ab77e2   succeeded   unpinned   6 min ago   2.3 s
          from      /code/fastapi  source sha256:c66f2100…  (git main@1a2b3c4, clean)
                    manifest sha256:90ab3e00…
          on        python:3.11-slim @sha256:71ab0000…
          made      sha256:8be2000000000000000000000000000000000000000000000000000000000000  41 MB  tags fastapi:4f1c09ab77e2, fastapi:1a2b3c4
          runs      fastapi (unwell, 6 min)
          has       sbom (62 packages) · provenance · proof
          built     2026-01-02T14:03:00Z  files dated 1980-01-01T00:00:00Z
          likewise  4f1c09ab77e2 (fastapi)  built from the same source
          base of   4f1c09ab77e2 (fastapi)
          changed   since build 77aa0077aa00, 1 day ago
                    source  sha256:11000000… → sha256:c66f2100…
                    manifest /containers/fastapi/env/\u{1b}[2J  old → none
                    image fastapi  1 of 7 layers new, 40 MB → 41 MB
                      layer 7  2.1 kB  COPY . .
        ");
    }

    #[test]
    fn what_builds_were_made_of_is_shown_with_what_came_of_it() {
        let lineage = Lineage {
            name: digest("71ab"),
            also: vec!["python:3.11-slim".into()],
            builds: vec![examples::build().summary],
            count: 3,
            containers: vec![examples::container()],
        };
        let entry = RegistryEntry::Base(lineage);
        assert_snapshot!(plain(&super::entry(&entry, now())), @r"
        base sha256:71ab000000000000000000000000000000000000000000000000000000000000
          also      python:3.11-slim
          runs      fastapi (unwell)

        3 builds depend on it

        BUILD         PROJECT  STATE      REPRODUCIBILITY  WHEN       IMAGES
        4f1c09ab77e2  fastapi  succeeded  unpinned         6 min ago  fastapi:4f1c09ab77e2
        and 2 before
        ");
    }
}
