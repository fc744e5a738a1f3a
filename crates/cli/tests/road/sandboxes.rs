//! The two sandboxes: the same bits from both, and nothing left of a step that goes wrong.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ergon_engine::Engine;
use ergon_oci::ConfigChange;
use ergon_pack::{
    Built, Cache, Limits, Options, PackError, Progress, ProgressEvent, SandboxKind, Silent, build,
    prepare,
};
use tokio_util::sync::CancellationToken;

use crate::world::{World, eventually, examples};

/// A base of one static program.
const BASE: &str = "synthetic.test/busybox:1";

/// A cache with the base in it, and the way its steps run.
pub struct Site {
    pub folder: tempfile::TempDir,
    pub cache: Cache,
    sandbox: SandboxKind,
    engine: Option<Engine>,
    limits: Limits,
}

impl Site {
    #[expect(clippy::print_stderr, reason = "a test that is passed over says so")]
    pub fn namespaces() -> Option<Self> {
        // Whoever is not root gets another answer than these tests ask for.
        if !rustix::process::geteuid().is_root() {
            eprintln!("SKIPPED: sandboxes of namespaces are tested as root");
            return None;
        }
        Some(Self::new(SandboxKind::Namespaces, None))
    }

    pub async fn engine() -> Self {
        let engine = Engine::connect().await.unwrap();
        Self::new(SandboxKind::Engine, Some(engine))
    }

    fn new(sandbox: SandboxKind, engine: Option<Engine>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        let change = ConfigChange {
            env: [("PATH", "/bin"), ("OF_THE_BASE", "kept")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..ConfigChange::default()
        };
        let bases = cache.bases();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let base = BASE.parse().unwrap();
        bases
            .import_rootfs(
                root_folder().as_slice(),
                &base,
                &change,
                0,
                &ergon_pack::platform(),
                now,
            )
            .unwrap();
        Self {
            folder,
            cache,
            sandbox,
            engine,
            limits: Limits::default(),
        }
    }

    /// A project whose build runs `commands` on the base.
    pub fn project(&self, commands: &[&str]) -> PathBuf {
        let folder = self.folder.path().join("project");
        std::fs::create_dir_all(folder.join("pages")).unwrap();
        std::fs::write(folder.join("pages/index.html"), "<h1>Hello</h1>\n").unwrap();
        let manifest = serde_json::json!({
            "manifest_version": "1.0",
            "applications": { "steps": {
                "type": "files", "language": "shell", "build_commands": commands, "run_command": "sh serve.sh"
            } },
            "containers": { "steps": { "base_image": BASE, "applications": ["steps"] } }
        });
        std::fs::write(folder.join("ergon.json"), manifest.to_string()).unwrap();
        folder
    }

    pub async fn build(&self, commands: &[&str]) -> Result<Built, PackError> {
        self.build_until(commands, &Silent, &CancellationToken::new())
            .await
    }

    async fn build_until(
        &self,
        commands: &[&str],
        seen: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Built, PackError> {
        let options = Options {
            sandbox: self.sandbox,
            sandbox_program: Some(env!("CARGO_BIN_EXE_ergon").into()),
            limits: self.limits,
            ..Options::default()
        };
        let folder = self.project(commands);
        let prepared = prepare(&folder, &self.cache, None, options, &Silent).await?;
        build(&prepared, &self.cache, self.engine.as_ref(), seen, cancel).await
    }

    /// What the steps print.
    pub async fn said(&self, commands: &[&str]) -> Vec<String> {
        let seen = Seen::default();
        self.build_until(commands, &seen, &CancellationToken::new())
            .await
            .unwrap();
        seen.0.into_inner().unwrap()
    }

    /// Nothing of a step is mounted, runs, or lies in the cache.
    fn has_nothing_left(&self) {
        let root = self.folder.path().to_str().unwrap();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(root), "{mounts}");
        assert_eq!(names(&self.cache.root().join("running")), [""; 0]);
        assert_eq!(names(&self.cache.root().join("builds")), [""; 0]);
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Progress for Seen {
    fn report(&self, event: ProgressEvent) {
        if let ProgressEvent::Log { line, .. } = event {
            self.0.lock().unwrap().push(line);
        }
    }
}

/// Cancels when a step says its first word.
struct CancelOnLog(CancellationToken);

impl Progress for CancelOnLog {
    fn report(&self, event: ProgressEvent) {
        if matches!(event, ProgressEvent::Log { .. }) {
            self.0.cancel();
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Processes whose command line holds `mark`.
fn processes(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(Path::new("/proc")) {
        let line = std::fs::read(format!("/proc/{name}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if name.parse::<u32>().is_ok() && line.contains(mark) {
            found.push(format!("{name} {line}"));
        }
    }
    found
}

/// A tar with a static busybox, links for what it can, and files to change.
fn root_folder() -> Vec<u8> {
    let program = ["/bin/busybox", "/usr/bin/busybox"].map(std::fs::read);
    let busybox = program
        .into_iter()
        .find_map(Result::ok)
        .expect("a static busybox is needed to test; dev/setup installs it (busybox-static)");
    let mut archive = tar::Builder::new(Vec::new());
    let mut put = |kind, path: &str, mode, content: &[u8], target: Option<&str>| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        match target {
            Some(target) => archive.append_link(&mut header, path, target).unwrap(),
            None => archive.append_data(&mut header, path, content).unwrap(),
        }
    };
    let folder = tar::EntryType::Directory;
    for (path, mode) in [
        ("bin/", 0o755),
        ("etc/", 0o755),
        ("tmp/", 0o1777),
        ("usr/", 0o755),
        ("usr/share/", 0o755),
        ("usr/share/deep/", 0o750),
    ] {
        put(folder, path, mode, b"", None);
    }
    let file = tar::EntryType::Regular;
    put(file, "bin/busybox", 0o755, &busybox, None);
    put(file, "etc/hosts", 0o600, b"of the image\n", None);
    put(
        file,
        "etc/passwd",
        0o644,
        b"root:x:0:0::/:/bin/sh\nuser:x:7:7::/:/bin/sh\n",
        None,
    );
    put(file, "tmp/of-the-image", 0o644, b"scratch\n", None);
    for name in ["a", "b", "c"] {
        put(
            file,
            &format!("usr/share/{name}"),
            0o644,
            name.as_bytes(),
            None,
        );
        put(
            file,
            &format!("usr/share/deep/{name}"),
            0o644,
            name.as_bytes(),
            None,
        );
    }
    let applets = [
        "sh", "sleep", "echo", "cat", "ls", "true", "false", "dd", "tail", "head", "mkdir", "rm",
        "env", "mkfifo", "touch", "ln", "id", "pwd", "hostname", "find", "stat", "chmod", "chown",
        "mv", "cp", "ip", "unshare", "wc", "mknod", "grep", "su", "tr", "mount", "sort", "ping",
    ];
    for applet in applets {
        put(
            tar::EntryType::Symlink,
            &format!("bin/{applet}"),
            0o777,
            b"",
            Some("busybox"),
        );
    }
    archive.into_inner().unwrap()
}

#[tokio::test]
async fn both_sandboxes_leave_the_same_bits() {
    let Some(namespaces) = Site::namespaces() else {
        return;
    };
    let engine = Site::engine().await;
    let commands = [
        // Hard links, empty folders, modes, owners, links that point nowhere.
        "mkdir -p made/empty && echo hello > made/file && ln made/file made/same && ln -s /nowhere made/link && touch made/setuid && chmod 4755 made/setuid && chown 7:7 made/file",
        // Whiteouts, a folder made anew, a folder moved, a file replaced by a folder.
        "rm /usr/share/a && rm -rf /usr/share/deep && mkdir /usr/share/deep && touch /usr/share/deep/new && rm /usr/share/b && mkdir /usr/share/b && mv made moved && chmod 700 /usr/share",
        // What the engine mounts or makes itself, and what is no file.
        "echo x >> /etc/hosts; echo y > /etc/resolv.conf; echo z > /etc/new; rm -f /etc/mtab; mkfifo pipe; mknod zero c 1 5; echo x > /dev/shm/x; echo x > /tmp/y; echo x > $HOME/z",
        // What a step can see.
        "env > environment; id > identity; hostname > name; umask > mask; stat -c '%A %t:%T %N' /dev/* > devices; cat /etc/hosts > hosts; grep -E 'Cap|NoNew|Groups|^Seccomp:' /proc/self/status > rights; ls -a / > root; ls /tmp > scratch; cat /proc/sys/kernel/hostname >> name; ls /proc/self/fd | wc -l > descriptors; echo $$ > number; cat /etc/mtab | wc -c",
    ];
    let by_engine = engine.build(&commands).await.unwrap();
    let by_namespaces = namespaces.build(&commands).await.unwrap();
    let layers = |site: &Site, built: &Built| {
        let image = ergon_oci::Image::load(site.cache.blobs(), &built.record.images[0].digest);
        listing(&site.cache, &image.unwrap())
    };
    pretty_equal(
        &layers(&engine, &by_engine),
        &layers(&namespaces, &by_namespaces),
    );
    assert_eq!(by_engine.record.images, by_namespaces.record.images);
    let left = names(&namespaces.cache.root().join("running"));
    assert_eq!(left, [""; 0]);
}

/// Every entry of an image's layers, with the content of small files, so that a difference has a name.
fn listing(cache: &Cache, image: &ergon_oci::Image) -> String {
    let mut text = String::new();
    for layer in image.layers() {
        text.push_str("layer\n");
        let blob = cache.blobs().open_read(&layer.digest).unwrap();
        ergon_oci::layer::read_layer::<ergon_oci::Error>(blob, |entry, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).unwrap();
            bytes.truncate(2000);
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            let content = if shown.contains('\0') { "" } else { &shown };
            text.extend([&format!("{entry:?} "), content, "\n"]);
            Ok(())
        })
        .unwrap();
    }
    text
}

fn pretty_equal(one: &str, other: &str) {
    let differing: Vec<String> = one
        .lines()
        .zip(other.lines())
        .filter(|(one, other)| one != other)
        .map(|(one, other)| format!("- {one}\n+ {other}\n"))
        .collect();
    assert!(differing.is_empty(), "{}", differing.concat());
}

#[tokio::test]
async fn a_failing_step_ends_with_its_code_and_last_lines() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let error = site
        .build(&["echo first; echo cause >&2; exit 3"])
        .await
        .unwrap_err();
    let PackError::StepFailed {
        exit_code, tail, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(exit_code, 3);
    assert!(tail.contains(&"cause".to_owned()));
    site.has_nothing_left();
}

#[tokio::test]
async fn a_step_has_its_share_of_the_machine_and_no_more() {
    let Some(mut site) = Site::namespaces() else {
        return;
    };
    site.limits = Limits {
        memory: Some(64 << 20),
        processes: 40,
        time: Duration::from_secs(20),
    };
    let error = site.build(&["tail /dev/zero"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "step `tail /dev/zero` needed more memory than the 64 MB it may have"
    );
    site.has_nothing_left();

    // Without end, were it not for the limit: each starts two more.
    let bomb = "f() { sleep 3017 & f | f; }; f; echo survived >&2; exit 9";
    let error = site.build(&[bomb]).await.unwrap_err();
    assert!(matches!(error, PackError::StepFailed { .. }), "{error}");
    assert_eq!(processes("sleep 3017"), [""; 0]);
    site.has_nothing_left();

    site.limits.time = Duration::from_secs(1);
    let error = site.build(&["sleep 3018 & sleep 3018"]).await.unwrap_err();
    assert!(matches!(error, PackError::StepTooLong { .. }), "{error}");
    assert_eq!(processes("sleep 3018"), [""; 0]);
    site.has_nothing_left();
}

#[tokio::test]
async fn what_a_step_starts_ends_with_it() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    site.build(&["sleep 3019 & echo kept > kept"])
        .await
        .unwrap();
    assert_eq!(processes("sleep 3019"), [""; 0]);
}

#[tokio::test]
async fn cancelling_takes_less_than_a_second_and_leaves_nothing() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let cancel = CancellationToken::new();
    let seen = CancelOnLog(cancel.clone());
    let began = Instant::now();
    let error = site
        .build_until(
            &["echo started; trap '' TERM INT; sleep 3020; while true; do :; done"],
            &seen,
            &cancel,
        )
        .await
        .unwrap_err();
    assert!(matches!(error, PackError::Cancelled), "{error}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "with the unpacking before it"
    );
    assert_eq!(processes("sleep 3020"), [""; 0]);
    site.has_nothing_left();
}

#[tokio::test]
async fn a_build_step_reaches_nothing_but_itself() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let said = site
        .said(&["ip -o link | wc -l; ping -c1 -W1 127.0.0.1 > /dev/null && echo itself; ls /proc/net/dev > /dev/null; find /proc -maxdepth 1 -name '[0-9]*' | wc -l"])
        .await;
    assert_eq!(said[..2], ["1", "itself"], "{said:?}");
    // The shell, find and wc: nobody else's processes are seen.
    assert_eq!(said[2], "3");
}

#[tokio::test]
async fn a_step_changes_nothing_outside_itself() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let outside = site.folder.path().join("outside");
    let climb = format!(
        "ln -s {outside} /link; mkdir -p {parent}; echo through > /link; cat /link",
        outside = outside.display(),
        parent = site.folder.path().display(),
    );
    let said = site
        .said(&[
            &climb,
            "echo x > /proc/sys/kernel/hostname || echo no-name; mount -t tmpfs x /mnt || echo no-mount; unshare -U true || echo no-namespaces; for place in /app /tmp /dev /dev/shm /etc; do mknod $place/device c 1 5; head -c1 $place/device > /dev/null && echo opened $place; done; head -c1 /dev/zero | wc -c; cd ../../../../..; pwd; hostname other || echo no-hostname; ls /sys/firmware | wc -l",
        ])
        .await;
    let answers: Vec<&str> = said
        .iter()
        .map(String::as_str)
        .filter(|line| !line.contains(": "))
        .collect();
    let expected = [
        "through",
        "no-name",
        "no-mount",
        "no-namespaces",
        "1",
        "/",
        "no-hostname",
        "0",
    ];
    assert_eq!(answers, expected, "{said:?}");
    assert!(!outside.exists());
}

#[tokio::test]
async fn a_layer_that_lies_about_its_paths_stays_in_its_tree() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let outside = site.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_link(&mut header, "way", &outside).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(1);
    archive
        .append_data(&mut header, "way/file", &b"x"[..])
        .unwrap();
    let bytes = archive.into_inner().unwrap();
    let root = site.folder.path().join("tree");
    std::fs::create_dir(&root).unwrap();
    let unpacked = ergon_oci::layer::unpack_layer(
        bytes.as_slice(),
        &root,
        ergon_oci::layer::OpaqueMark::Trusted,
    );
    assert!(unpacked.is_err() || root.join("way").is_symlink());
    assert_eq!(names(&outside), [""; 0]);
}

#[test]
fn a_killed_build_leaves_nothing_that_runs_and_the_next_one_cleans_up() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let world = World::new();
    let folder = site.project(&["echo started; sleep 3021"]);
    let cache = site.folder.path().join("xdg");
    std::fs::create_dir(&cache).unwrap();
    std::fs::rename(site.cache.root(), cache.join("ergon")).unwrap();
    let mut child = world
        .ergon(["build", "--sandbox", "namespaces", folder.to_str().unwrap()])
        .env("XDG_CACHE_HOME", &cache)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .spawn();
    eventually("the step to run", || {
        (!processes("sleep 3021").is_empty()).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the step to end", || {
        processes("sleep 3021").is_empty().then_some(())
    });
    let running = cache.join("ergon/running");
    assert!(!names(&running).is_empty(), "there was no time to clean up");
    site.project(&["true"]);
    world
        .ergon(["build", "--sandbox", "namespaces", folder.to_str().unwrap()])
        .env("XDG_CACHE_HOME", &cache)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .succeeds();
    assert_eq!(names(&running), [""; 0]);
}

#[test]
fn the_examples_come_out_the_same_from_both_sandboxes() {
    if Site::namespaces().is_none() {
        return;
    }
    for example in ["fastapi", "express"] {
        let digests: Vec<String> = ["engine", "namespaces"]
            .into_iter()
            .map(|sandbox| {
                let world = World::with_own_cache();
                let folder = examples().join(example);
                let built = world
                    .ergon([
                        "build",
                        "--json",
                        "--sandbox",
                        sandbox,
                        folder.to_str().unwrap(),
                    ])
                    .json();
                assert_eq!(built["cached"], false);
                built["image_digest"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(digests[0], digests[1], "{example}");
    }
}
