//! What a build says when it is done.

use ergon_pack::attest::Attached;
use ergon_pack::{
    BuildRecord, Difference, ImageRecord, IndexRecord, Reproducibility, Supply, Verification,
};
use serde::Serialize;

use super::attesting::{self, Referrer};
use super::build::{Done, OneDone, first_tag};
use crate::failure::{Failure, Outcome};
use crate::report::differences;
use crate::{style, table, words};

/// What `--json` prints. The fields of the first image stand at the top; of several platforms, of this machine's.
#[derive(Serialize)]
pub struct BuildReport<'a> {
    build_hash: String,
    platform: &'a str,
    image_digest: String,
    image: &'a str,
    /// Of several platforms, what is worst.
    reproducibility: &'static str,
    cached: bool,
    unpinned: Vec<&'a str>,
    /// How the steps got what they need from elsewhere.
    supplies: Vec<&'a Supply>,
    /// What differed, of a build that was made a second time and did not come out the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<&'a Difference>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<&'a Verification>,
    /// Of every container, for every platform.
    images: Vec<ImageReport<'a>>,
    /// What names the images of several platforms, by container.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    indexes: &'a [IndexRecord],
}

#[derive(Serialize)]
struct ImageReport<'a> {
    container: &'a str,
    platform: &'a str,
    build_hash: String,
    image: &'a str,
    image_digest: String,
    tags: &'a [String],
    size: u64,
    /// In the bill of materials; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<u64>,
    /// What is attached to it.
    referrers: Vec<Referrer>,
}

fn image_report<'a>(build: &'a OneDone, image: &'a ImageRecord) -> ImageReport<'a> {
    let (record, attached) = (&build.built.record, build.attached_to(image));
    ImageReport {
        container: &image.container,
        platform: &record.inputs.platform,
        build_hash: record.build_hash.to_string(),
        image: first_tag(image),
        image_digest: image.digest.to_string(),
        tags: &image.tags,
        size: image.size,
        packages: attached.and_then(Attached::packages),
        referrers: attached
            .map(|attached| attached.referrers.iter().map(Referrer::from).collect())
            .unwrap_or_default(),
    }
}

pub fn report(done: &Done) -> Outcome<BuildReport<'_>> {
    let chosen = done.for_here().or_else(|| done.builds.first());
    let chosen = chosen.and_then(|build| Some((build, build.built.record.images.first()?)));
    let Some((chosen, first)) = chosen else {
        return Err(
            Failure::new("the manifest has no container, so there is no image")
                .with_remedy("add one to `containers` in ergon.json".to_owned()),
        );
    };
    let record = &chosen.built.record;
    let records = || done.builds.iter().map(|build| &build.built.record);
    let verified: Vec<&Verification> = records()
        .filter_map(|record| record.verification.as_ref())
        .collect();
    let differences = || verified.iter().flat_map(|one| one.differences()).collect();
    Ok(BuildReport {
        build_hash: record.build_hash.to_string(),
        platform: &record.inputs.platform,
        image_digest: first.digest.to_string(),
        image: first_tag(first),
        reproducibility: worst(records()).name(),
        cached: done.builds.iter().all(|build| build.built.cached),
        unpinned: unpinned(records()),
        supplies: records().flat_map(|record| &record.supplies).collect(),
        differences: (!verified.is_empty()).then(differences),
        verification: record.verification.as_ref(),
        images: done
            .builds
            .iter()
            .flat_map(|build| {
                let images = build.built.record.images.iter();
                images.map(|image| image_report(build, image))
            })
            .collect(),
        indexes: &done.indexes,
    })
}

/// What can be said of all of them.
fn worst<'a>(records: impl Iterator<Item = &'a BuildRecord>) -> Reproducibility {
    let rank = |reproducibility: &Reproducibility| match reproducibility {
        Reproducibility::Proven => 0,
        Reproducibility::Unproven => 1,
        Reproducibility::Unpinned => 2,
        Reproducibility::Failed => 3,
    };
    let known = records.map(|record| record.reproducibility);
    known.max_by_key(rank).unwrap_or(Reproducibility::Unproven)
}

/// Every reason once.
fn unpinned<'a>(records: impl Iterator<Item = &'a BuildRecord>) -> Vec<&'a str> {
    let mut reasons = Vec::new();
    for reason in records.flat_map(|record| &record.unpinned) {
        if !reasons.contains(&reason.as_str()) {
            reasons.push(reason.as_str());
        }
    }
    reasons
}

pub fn page(done: &Done) -> String {
    let mut rows = Vec::new();
    for index in &done.indexes {
        let tag = style::strong(index.tags.first().map_or("", String::as_str));
        let platforms: Vec<&str> = (index.images.iter())
            .map(|image| image.platform.as_str())
            .collect();
        let platforms = platforms.join(", ");
        rows.push(("index", format!("{tag}   {}   {platforms}", index.digest)));
    }
    for build in &done.builds {
        rows.extend(rows_of(build, done.builds.len() > 1));
    }
    let records = || done.builds.iter().map(|build| &build.built.record);
    let reasons = unpinned(records());
    rows.extend(
        reasons
            .iter()
            .map(|reason| ("unpinned", words::on_one_line(reason))),
    );
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect();
    let mut page = table::labelled(&rows);
    for verification in records().filter_map(|record| record.verification.as_ref()) {
        page.push_str(&differences::verification(verification));
    }
    page
}

fn rows_of(build: &OneDone, is_one_of_several: bool) -> Vec<(&'static str, String)> {
    let record = &build.built.record;
    let hash = record.build_hash.to_string();
    let platform = if is_one_of_several {
        format!("   {}", record.inputs.platform)
    } else {
        String::new()
    };
    let how = if build.built.cached {
        "   nothing had changed"
    } else {
        ""
    };
    let state = style::state(record.reproducibility.name());
    let hash = style::strong(words::short(&hash));
    let mut rows = vec![("build", format!("{hash}   {state}{platform}{how}"))];
    for image in &record.images {
        let (tag, size) = (style::strong(first_tag(image)), words::size(image.size));
        rows.push(("image", format!("{tag}   {}   {size}", image.digest)));
        if let Some(has) = build.attached_to(image).and_then(attesting::summary) {
            rows.push(("has", has));
        }
    }
    rows
}
