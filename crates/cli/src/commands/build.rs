//! Build: from a folder to images, on this machine, with no stack running.

use std::path::{Path, PathBuf};

use clap::Args;
use ergon_engine::Engine;
use ergon_manifest::PlatformName;
use ergon_pack::attest::Attached;
use ergon_pack::{BuildRecord, Built, Cache, ImageRecord, IndexRecord, Prepared, platform};
use ergon_server::api::{BuildSummary, RecordBuild};
use tokio_util::sync::CancellationToken;

use super::arguments::{Format, Platforms, Stack};
use super::attesting;
use super::built::{page, report};
use super::outputs::Output;
use super::packing;
use crate::failure::{Code, Failure, Outcome};
use crate::progress::Steps;
use crate::{folders, output, style};

/// Build a folder's images, the same bits every time; writes nothing into it
#[derive(Debug, Args)]
pub struct Build {
    /// The folder that holds the project
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    platforms: Platforms,
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

impl Build {
    pub async fn run(self) -> Outcome {
        let folder = folders::source(&self.folder)?;
        let wanted = Wanted {
            platforms: self.platforms.wanted.clone(),
            locked: self.locked,
            sandbox: self.sandbox,
            verify: self.verify,
            verbose: self.verbose,
        };
        let done = build_folder(&folder, wanted, &self.stack).await?;
        for output in &self.output {
            output.write(&done).await?;
        }
        for build in &done.builds {
            self.tell_the_stack(&folder, &build.built.record).await;
        }
        output::show(self.format.json, &report(&done)?, || page(&done))?;
        let is_proven = |build: &OneDone| {
            let verification = build.built.record.verification.as_ref();
            verification.is_none_or(ergon_pack::Verification::equal)
        };
        if self.verify && !done.builds.iter().all(is_proven) {
            return Err(Failure::Told(Code::Failed));
        }
        Ok(())
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

/// A folder's builds that are done, and where their images are.
pub struct Done {
    /// One for each platform, in their order.
    pub builds: Vec<OneDone>,
    /// What names the images of several platforms, by container.
    pub indexes: Vec<IndexRecord>,
    pub cache: Cache,
}

/// A build for one platform.
pub struct OneDone {
    pub built: Built,
    /// What is said of its images.
    pub attached: Vec<Attached>,
}

impl Done {
    /// The build for this machine's platform; else, where there is but one, that one.
    pub fn for_here(&self) -> Option<&OneDone> {
        let here = platform();
        let mut builds = self.builds.iter();
        match self.builds.as_slice() {
            [only] => Some(only),
            _ => builds.find(|build| build.built.record.inputs.platform == here),
        }
    }

    /// Every image, with what is said of it.
    pub fn images(&self) -> impl Iterator<Item = (&ImageRecord, Option<&Attached>)> {
        self.builds.iter().flat_map(|build| {
            let images = build.built.record.images.iter();
            images.map(|image| (image, build.attached_to(image)))
        })
    }
}

impl OneDone {
    /// What is said of one image.
    pub fn attached_to(&self, image: &ImageRecord) -> Option<&Attached> {
        let mut attached = self.attached.iter();
        attached.find(|attached| attached.image == image.digest)
    }
}

/// How a folder is to be built.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Instead of what the manifest names.
    pub platforms: Vec<PlatformName>,
    /// Refuse what is not pinned.
    pub locked: bool,
    /// Where its steps run.
    pub sandbox: packing::Sandbox,
    /// Build it twice.
    pub verify: bool,
    /// Show every line of every step.
    pub verbose: bool,
}

/// Builds a folder for every platform that is wanted, and has the local engine hold the images that run here.
pub async fn build_folder(folder: &Path, wanted: Wanted, stack: &Stack) -> Outcome<Done> {
    let cache = packing::cache_through(stack).await?;
    let named = ergon_pack::platforms_of(folder, &wanted.platforms);
    let platforms: Vec<Option<PlatformName>> = if named.is_empty() {
        vec![None]
    } else {
        named.into_iter().map(Some).collect()
    };
    // A build that is held already needs no engine.
    let engine = Engine::connect().await;
    let steps = Steps::start(wanted.verbose);
    steps.heading(&format!(
        "build {}",
        style::strong(&folders::display(folder))
    ));
    let work = Work {
        folder,
        wanted: &wanted,
        cache: &cache,
        engine: engine.as_ref().ok(),
        steps: &steps,
        cancel: packing::cancelled_by_signals(),
        is_one: platforms.len() == 1,
    };
    let done = Box::pin(work.carry_out(platforms)).await;
    steps.finish();
    let done = match (done, &engine) {
        (Ok(done), _) => done,
        (Err(Undone::Said(failure)), _) => return Err(failure),
        (Err(Undone::Failed(error)), Ok(_)) => return Err(packing::failure(&error)),
        (Err(Undone::Failed(error)), Err(missing)) => {
            return Err(packing::failure_without(missing, &error));
        }
    };
    let mut builds = Vec::new();
    let mut elsewhere = Vec::new();
    for (prepared, built) in done {
        let record = &built.record;
        if record.inputs.platform != platform() {
            elsewhere.push(record.inputs.platform.clone());
        } else if let Ok(engine) = &engine {
            load(engine, &cache, &record.images).await;
        }
        let attached = attesting::attach(&prepared, record, &cache, stack).await;
        builds.push(OneDone { built, attached });
    }
    if engine.is_ok() && !elsewhere.is_empty() {
        output::note(&format!(
            "{} the engine holds what is for {} only, and not what is for {}",
            style::warning("note:"),
            platform(),
            elsewhere.join(" and ")
        ));
    }
    let indexes = join(&mut builds, &cache)?;
    Ok(Done {
        builds,
        indexes,
        cache,
    })
}

/// Puts the images of several platforms under one digest for each container.
fn join(builds: &mut [OneDone], cache: &Cache) -> Outcome<Vec<IndexRecord>> {
    if builds.len() < 2 {
        return Ok(Vec::new());
    }
    let mut records: Vec<BuildRecord> = builds
        .iter()
        .map(|build| build.built.record.clone())
        .collect();
    let indexes =
        ergon_pack::index(&mut records, cache).map_err(|error| packing::failure(&error))?;
    for (build, record) in builds.iter_mut().zip(records) {
        build.built.record = record;
    }
    Ok(indexes)
}

/// Builds of one folder, under way.
struct Work<'a> {
    folder: &'a Path,
    wanted: &'a Wanted,
    cache: &'a Cache,
    engine: Option<&'a Engine>,
    steps: &'a Steps,
    cancel: CancellationToken,
    is_one: bool,
}

/// Why builds did not come to an end.
enum Undone {
    Failed(ergon_pack::PackError),
    Said(Failure),
}

impl From<ergon_pack::PackError> for Undone {
    fn from(error: ergon_pack::PackError) -> Self {
        Self::Failed(error)
    }
}

impl Work<'_> {
    /// What is refused for one platform is refused before anything is built for another.
    async fn carry_out(
        &self,
        platforms: Vec<Option<PlatformName>>,
    ) -> Result<Vec<(Prepared, Built)>, Undone> {
        let mut prepared = Vec::new();
        for platform in platforms {
            self.heading("for", platform.as_ref());
            let mut options =
                packing::options(self.wanted.locked, self.wanted.sandbox).map_err(Undone::Said)?;
            options.platform = platform;
            let (cache, engine) = (self.cache, self.engine);
            prepared
                .push(ergon_pack::prepare(self.folder, cache, engine, options, self.steps).await?);
        }
        let mut done = Vec::new();
        for prepared in prepared {
            self.heading("build for", prepared.options.platform.as_ref());
            let built = self.build(&prepared).await?;
            done.push((prepared, built));
        }
        Ok(done)
    }

    fn heading(&self, words: &str, platform: Option<&PlatformName>) {
        if let Some(platform) = platform.filter(|_| !self.is_one) {
            self.steps.heading(&format!("{words} {platform}"));
        }
    }

    async fn build(&self, prepared: &Prepared) -> Result<Built, ergon_pack::PackError> {
        let (cache, engine, steps) = (self.cache, self.engine, self.steps);
        let built = ergon_pack::build(prepared, cache, engine, steps, &self.cancel).await?;
        if !self.wanted.verify {
            return Ok(built);
        }
        steps.heading("again, under other conditions");
        ergon_pack::verify(prepared, built, cache, engine, steps, &self.cancel).await
    }
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

pub fn first_tag(image: &ImageRecord) -> &str {
    image.tags.first().map_or("", String::as_str)
}
