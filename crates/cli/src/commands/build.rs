//! Build: from a folder to images, on this machine, with no stack running.

use std::path::{Path, PathBuf};

use clap::Args;
use ergon_engine::Engine;
use ergon_pack::attest::Attached;
use ergon_pack::{BuildRecord, Built, Cache, Difference, ImageRecord, Verification};
use ergon_server::api::{BuildSummary, RecordBuild};
use serde::Serialize;

use super::arguments::{Format, Stack};
use super::attesting::{self, Referrer};
use super::outputs::Output;
use super::packing;
use crate::failure::{Code, Failure, Outcome};
use crate::progress::Steps;
use crate::report::differences;
use crate::{folders, output, style, table, words};

/// Build a folder's images, the same bits every time; writes nothing into it
#[derive(Debug, Args)]
pub struct Build {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Also put the images elsewhere: oci:PATH (a layout), docker-archive:FILE, docker://NAME (a registry); may be repeated
    #[arg(long, value_name = "oci:PATH|docker-archive:FILE|docker://NAME")]
    output: Vec<Output>,
    /// Refuse to build what is not pinned
    #[arg(long)]
    locked: bool,
    /// Build it a second time under other conditions, and say whether the bits are the same
    #[arg(long)]
    verify: bool,
    /// Show every line the steps write
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    sandbox: packing::Sandbox,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    stack: Stack,
}

/// What `--json` prints. The fields of the first image stand at the top.
#[derive(Serialize)]
pub struct BuildReport<'a> {
    build_hash: String,
    image_digest: String,
    image: &'a str,
    reproducibility: &'static str,
    cached: bool,
    unpinned: &'a [String],
    /// What differed, of a build that was made a second time and did not come out the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<&'a Difference>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<&'a Verification>,
    images: Vec<ImageReport<'a>>,
}

#[derive(Serialize)]
struct ImageReport<'a> {
    container: &'a str,
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

impl Build {
    pub async fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let wanted = Wanted {
            locked: self.locked,
            sandbox: self.sandbox,
            verify: self.verify,
            verbose: self.verbose,
        };
        let done = build_folder(&folder, wanted, &self.stack).await?;
        for output in &self.output {
            output.write(&done).await?;
        }
        self.tell_the_stack(&folder, &done.built.record).await;
        output::show(self.format.json, &report(&done)?, || page(&done))?;
        let verification = done.built.record.verification.as_ref();
        match verification.filter(|_| self.verify) {
            Some(verification) if !verification.equal() => Err(Failure::Told(Code::Failed)),
            _ => Ok(()),
        }
    }

    /// A running stack remembers builds that were made without it; none running is as well.
    async fn tell_the_stack(&self, folder: &Path, record: &BuildRecord) {
        let Ok(client) = self.stack.client() else {
            return;
        };
        let build = RecordBuild {
            build_hash: record.build_hash.to_string(),
            folder: folder.to_string_lossy().into_owned(),
        };
        if let Err(failure) = client
            .post::<BuildSummary>(&["api", "v1", "builds"], &build)
            .await
        {
            tracing::info!(?failure, "the stack does not know of this build");
        }
    }
}

/// A build that is done, and where its images are.
pub struct Done {
    pub built: Built,
    pub cache: Cache,
    /// What is said of its images.
    pub attached: Vec<Attached>,
}

impl Done {
    /// What is said of one image.
    pub fn attached_to(&self, image: &ImageRecord) -> Option<&Attached> {
        let mut attached = self.attached.iter();
        attached.find(|attached| attached.image == image.digest)
    }
}

/// How a folder is to be built.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// Refuse what is not pinned.
    pub locked: bool,
    /// Where its steps run.
    pub sandbox: packing::Sandbox,
    /// Build it twice.
    pub verify: bool,
    /// Show every line of every step.
    pub verbose: bool,
}

/// Builds a folder, and has the local engine hold the images where there is one.
pub async fn build_folder(folder: &Path, wanted: Wanted, stack: &Stack) -> Outcome<Done> {
    let cancel = packing::cancelled_by_signals();
    let cache = packing::cache()?;
    let options = packing::options(wanted.locked, wanted.sandbox)?;
    // A build that is held already needs no engine.
    let engine = Engine::connect().await;
    let reachable = engine.as_ref().ok();
    let steps = Steps::start(wanted.verbose);
    steps.heading(&format!(
        "build {}",
        style::strong(&folders::display(folder))
    ));
    let work = async {
        let prepared = ergon_pack::prepare(folder, &cache, reachable, options, &steps).await?;
        let built = ergon_pack::build(&prepared, &cache, reachable, &steps, &cancel).await?;
        if !wanted.verify {
            return Ok((prepared, built));
        }
        steps.heading("again, under other conditions");
        let again = ergon_pack::verify(&prepared, built, &cache, reachable, &steps, &cancel);
        let built = again.await?;
        Ok((prepared, built))
    };
    let done = Box::pin(work).await;
    steps.finish();
    let (prepared, built) = match (done, &engine) {
        (Ok((prepared, built)), Ok(engine)) => {
            load(engine, &cache, &built.record.images).await;
            (prepared, built)
        }
        (Ok(done), Err(_)) => done,
        (Err(error), Ok(_)) => return Err(packing::failure(&error)),
        (Err(error), Err(missing)) => return Err(packing::failure_without(missing, &error)),
    };
    let attached = attesting::attach(&prepared, &built.record, &cache, stack).await;
    Ok(Done {
        built,
        cache,
        attached,
    })
}

/// The images are made and kept whether or not the engine takes them.
async fn load(engine: &Engine, cache: &Cache, images: &[ImageRecord]) {
    for image in images {
        if let Err(error) = ergon_pack::load_into_engine(engine, cache, image).await {
            let tag = image.tags.first().map_or("the image", String::as_str);
            output::note(&format!(
                "{} {tag} is built, but the engine does not hold it: {error}",
                style::warning("note:")
            ));
        }
    }
}

pub fn report(done: &Done) -> Outcome<BuildReport<'_>> {
    let (built, record) = (&done.built, &done.built.record);
    let images: Vec<ImageReport<'_>> = record
        .images
        .iter()
        .map(|image| ImageReport {
            container: &image.container,
            image: first_tag(image),
            image_digest: image.digest.to_string(),
            tags: &image.tags,
            size: image.size,
            packages: done.attached_to(image).and_then(Attached::packages),
            referrers: done
                .attached_to(image)
                .map(|attached| attached.referrers.iter().map(Referrer::from).collect())
                .unwrap_or_default(),
        })
        .collect();
    let Some(first) = images.first() else {
        return Err(
            Failure::new("the manifest has no container, so there is no image")
                .with_remedy("add one to `containers` in ergon.json".to_owned()),
        );
    };
    Ok(BuildReport {
        build_hash: record.build_hash.to_string(),
        image_digest: first.image_digest.clone(),
        image: first.image,
        reproducibility: record.reproducibility.name(),
        cached: built.cached,
        unpinned: &record.unpinned,
        differences: (record.verification.as_ref())
            .map(|verification| verification.differences().collect()),
        verification: record.verification.as_ref(),
        images,
    })
}

pub fn first_tag(image: &ImageRecord) -> &str {
    image.tags.first().map_or("", String::as_str)
}

fn page(done: &Done) -> String {
    let (built, record) = (&done.built, &done.built.record);
    let hash = record.build_hash.to_string();
    let how = if built.cached {
        "   nothing had changed"
    } else {
        ""
    };
    let state = style::state(record.reproducibility.name());
    let mut rows = vec![(
        "build",
        format!("{}   {state}{how}", style::strong(words::short(&hash))),
    )];
    for image in &record.images {
        let (tag, size) = (style::strong(first_tag(image)), words::size(image.size));
        rows.push(("image", format!("{tag}   {}   {size}", image.digest)));
        if let Some(has) = done.attached_to(image).and_then(attesting::summary) {
            rows.push(("has", has));
        }
    }
    rows.extend(
        record
            .unpinned
            .iter()
            .map(|reason| ("unpinned", words::harmless(reason))),
    );
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(label, value)| (*label, value.as_str()))
        .collect();
    let mut page = table::labelled(&rows);
    if let Some(verification) = &record.verification {
        page.push_str(&differences::verification(verification));
    }
    page
}
