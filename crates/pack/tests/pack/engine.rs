//! Steps that run in a real engine. The engine is part of the machine: `dev/setup` provides it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use ergon_engine::{Engine, testing};
use ergon_manifest::Digest;
use ergon_oci::Image;
use ergon_pack::{
    Built, Limits, Options, PackError, Prepared, Progress, ProgressEvent, Silent, StepKind,
    StepOutcome, build, prepare,
};
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// Keeps what was reported.
#[derive(Default)]
pub struct Seen(Mutex<Vec<ProgressEvent>>);

impl Progress for Seen {
    fn report(&self, event: ProgressEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Seen {
    fn log(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event {
                ProgressEvent::Log { line, .. } => Some(line.clone()),
                _ => None,
            })
            .collect()
    }

    /// How the steps of this kind ended.
    fn outcomes(&self, wanted: StepKind) -> Vec<StepOutcome> {
        let events = self.0.lock().unwrap();
        let steps: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                ProgressEvent::Started { step, kind, .. } if *kind == wanted => Some(*step),
                _ => None,
            })
            .collect();
        events
            .iter()
            .filter_map(|event| match event {
                ProgressEvent::Ended { step, outcome, .. } if steps.contains(step) => {
                    Some(*outcome)
                }
                _ => None,
            })
            .collect()
    }
}

pub struct Site {
    pub world: World,
    pub engine: Engine,
    base: String,
}

impl Site {
    pub async fn new() -> Self {
        let engine = testing::engine().await;
        let base = testing::busybox(&engine).await.to_owned();
        Self {
            world: World::new(),
            engine,
            base,
        }
    }

    /// A project whose build runs `commands` on busybox.
    pub fn project(&self, name: &str, commands: &[&str]) -> PathBuf {
        let folder = self.world.project(name);
        let manifest = serde_json::json!({
            "manifest_version": "1.0",
            "applications": { "steps": {
                "type": "files", "language": "shell", "build_commands": commands, "run_command": "sh serve.sh"
            } },
            "containers": { "steps": { "base_image": self.base, "applications": ["steps"] } }
        });
        std::fs::write(folder.join("ergon.json"), manifest.to_string()).unwrap();
        folder
    }

    pub async fn build(&self, folder: &Path, seen: &Seen) -> Result<Built, PackError> {
        self.build_until(folder, seen, &CancellationToken::new())
            .await
    }

    pub async fn prepare(&self, folder: &Path) -> Result<Prepared, PackError> {
        prepare(
            folder,
            &self.world.cache,
            Some(&self.engine),
            Options::default(),
            &Silent,
        )
        .await
    }

    async fn build_until(
        &self,
        folder: &Path,
        seen: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Built, PackError> {
        let prepared = self.prepare(folder).await?;
        build(
            &prepared,
            &self.world.cache,
            Some(&self.engine),
            seen,
            cancel,
        )
        .await
    }

    fn image(&self, digest: &Digest) -> Image {
        Image::load(self.world.cache.blobs(), digest).unwrap()
    }

    /// Containers that steps of this base left behind.
    async fn left_containers(&self) -> Vec<String> {
        let all = self
            .engine
            .list(&[(ergon_pack::STEP_LABEL, "true")], true)
            .await
            .unwrap();
        all.into_iter().map(|container| container.id).collect()
    }
}

#[tokio::test]
async fn a_step_leaves_the_same_layer_on_two_machines() {
    let commands = [
        "mkdir -p made && echo hello > made/file && ln made/file made/same && rm serve.sh && touch serve.sh",
    ];
    let (one, two) = (Site::new().await, Site::new().await);
    let first = one
        .build(&one.project("one", &commands), &Seen::default())
        .await
        .unwrap()
        .record;
    let second = two
        .build(&two.project("elsewhere", &commands), &Seen::default())
        .await
        .unwrap()
        .record;
    assert_eq!(first.images, second.images);
}

#[tokio::test]
async fn what_a_step_prints_is_reported_and_what_it_leaves_runs() {
    let site = Site::new().await;
    let seen = Seen::default();
    let folder = site.project(
        "one",
        &["echo building; busybox id -u; pwd; busybox hostname; umask; echo x > made"],
    );
    let built = site.build(&folder, &seen).await.unwrap();
    assert_eq!(seen.log(), ["building", "0", "/app", "ergon-build", "0022"]);
    let image = site.image(&built.record.images[0].digest);
    let id = site
        .engine
        .image_id(&built.record.images[0].tags[0])
        .await
        .unwrap();
    assert_eq!(
        id,
        Some(image.config_digest().to_string()),
        "the engine's id is the configuration's digest"
    );
    site.engine.remove_image(&id.unwrap(), true).await.unwrap();
}

#[tokio::test]
async fn a_changed_file_runs_the_step_again_and_an_unchanged_one_does_not() {
    let site = Site::new().await;
    let folder = site.project("one", &["cat pages/index.html > copy"]);
    site.build(&folder, &Seen::default()).await.unwrap();

    let unchanged = Seen::default();
    assert!(site.build(&folder, &unchanged).await.unwrap().cached);
    assert_eq!(unchanged.outcomes(StepKind::Build), []);

    std::fs::write(folder.join("pages/index.html"), "changed").unwrap();
    let changed = Seen::default();
    assert!(!site.build(&folder, &changed).await.unwrap().cached);
    assert_eq!(changed.outcomes(StepKind::Build), [StepOutcome::Done]);

    std::fs::write(folder.join("pages/index.html"), "<h1>Hello</h1>\n").unwrap();
    let back = Seen::default();
    site.build(&folder, &back).await.unwrap();
    assert_ne!(
        back.outcomes(StepKind::Build),
        [StepOutcome::Done],
        "what it left before is still held"
    );
}

#[tokio::test]
async fn a_failing_step_ends_the_build_with_its_last_lines() {
    let site = Site::new().await;
    let folder = site.project("one", &["echo first; echo cause >&2; exit 3"]);
    let error = site.build(&folder, &Seen::default()).await.unwrap_err();
    let PackError::StepFailed {
        exit_code, tail, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(exit_code, 3);
    assert!(tail.contains(&"cause".to_owned()));
}

#[tokio::test]
async fn a_step_has_its_share_of_the_machine_and_no_more() {
    let site = Site::new().await;
    let mut errors = Vec::new();
    for (name, command) in [("hog", "tail /dev/zero"), ("idler", "sleep 600")] {
        let folder = site.project(name, &[command]);
        let mut prepared = prepare(
            &folder,
            &site.world.cache,
            Some(&site.engine),
            Options::default(),
            &Silent,
        )
        .await
        .unwrap();
        prepared.options.limits = Limits {
            memory: Some(32 << 20),
            time: Duration::from_secs(if name == "idler" { 1 } else { 60 }),
            ..Limits::default()
        };
        let cancel = CancellationToken::new();
        let (cache, engine) = (&site.world.cache, Some(&site.engine));
        let built = build(&prepared, cache, engine, &Silent, &cancel).await;
        errors.push(built.unwrap_err().to_string());
    }
    assert_eq!(
        errors,
        [
            "step `tail /dev/zero` needed more memory than the 32 MB it may have",
            "step `sleep 600` did not end within 1 s",
        ]
    );
    assert!(Limits::default().memory.is_some());
}

#[tokio::test]
async fn a_build_step_has_no_network() {
    let site = Site::new().await;
    let seen = Seen::default();
    let folder = site.project("one", &["busybox ip -o link | busybox wc -l"]);
    site.build(&folder, &seen).await.unwrap();
    assert_eq!(seen.log(), ["1"], "only the loopback device");
}

#[tokio::test]
async fn scratch_space_never_lands_in_the_image() {
    let site = Site::new().await;
    let folder = site.project(
        "one",
        &["echo x > /tmp/scratch; echo x > $HOME/.cache-file; echo kept > kept"],
    );
    let built = site.build(&folder, &Seen::default()).await.unwrap();
    let image = site.image(&built.record.images[0].digest);
    let layer = image.blobs().last().unwrap();
    let mut paths = Vec::new();
    ergon_oci::layer::read_layer::<ergon_oci::Error>(
        site.world.cache.blobs().open_read(&layer).unwrap(),
        |entry, _| {
            paths.push(entry.path.clone());
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(paths, ["app", "app/kept"]);
}

#[tokio::test]
async fn cancelling_stops_a_step_and_leaves_nothing() {
    let site = Site::new().await;
    let cancel = CancellationToken::new();
    let stop_at_first_line = CancelOnLog(cancel.clone());
    let folder = site.project("one", &["echo started; while true; do :; done"]);
    let build = site.build_until(&folder, &stop_at_first_line, &cancel);
    let error = tokio::time::timeout(Duration::from_secs(30), build)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, PackError::Cancelled), "{error}");
    assert_eq!(
        std::fs::read_dir(site.world.cache.root().join("builds"))
            .unwrap()
            .count(),
        0
    );
    let left = site.left_containers().await;
    for id in left {
        let command = site
            .engine
            .inspect(&id)
            .await
            .map(|state| state.command.join(" "))
            .unwrap_or_default();
        assert!(!command.contains("while true; do :; done"), "{command}");
    }
}

struct CancelOnLog(CancellationToken);

impl Progress for CancelOnLog {
    fn report(&self, event: ProgressEvent) {
        if matches!(event, ProgressEvent::Log { .. }) {
            self.0.cancel();
        }
    }
}
