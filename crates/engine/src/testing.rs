//! A tiny image and containers that clean up after themselves, for tests against a real engine.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;

use crate::{ContainerSpec, Engine};

/// The image the tests run: nothing but a static busybox and an empty `/tmp`.
pub const IMAGE: &str = "ergon-test/busybox:1";

/// The engine of this machine; without one the tests cannot say anything, and say so.
///
/// # Panics
/// Where there is no engine.
pub async fn engine() -> Engine {
    match Engine::connect().await {
        Ok(engine) => engine,
        Err(error) => panic!("these tests need a container engine; run dev/setup first: {error}"),
    }
}

/// Makes sure [`IMAGE`] is there.
///
/// # Panics
/// Where no static busybox is installed, or the engine refuses.
pub async fn busybox(engine: &Engine) -> &'static str {
    // Tests run at the same time, in processes of their own; one of them makes it.
    let lock = std::fs::File::create(std::env::temp_dir().join("ergon-test-busybox.lock"));
    let lock = lock.expect("a lock file can be made");
    lock.lock().expect("the lock can be taken");
    if engine
        .image_id(IMAGE)
        .await
        .expect("the engine answers")
        .is_some()
    {
        return IMAGE;
    }
    let program = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .map(Path::new)
        .find(|path| path.exists())
        .expect("these tests need a static busybox; run dev/setup first (apt-get install busybox-static)");
    let root = root_folder(&std::fs::read(program).expect("busybox can be read"));
    let changes = ["ENV PATH=/bin", "CMD [\"sh\"]"];
    engine
        .import_root(root, IMAGE, &changes)
        .await
        .expect("the engine imports the image");
    IMAGE
}

/// A tar with `/bin/busybox`, links for what it can, and `/tmp`.
fn root_folder(busybox: &[u8]) -> Bytes {
    let mut archive = tar::Builder::new(Vec::new());
    let header = |kind, mode, size| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header
    };
    for folder in ["bin/", "etc/", "tmp/", "www/"] {
        let mode = if folder == "tmp/" { 0o1777 } else { 0o755 };
        archive
            .append_data(
                &mut header(tar::EntryType::Directory, mode, 0),
                folder,
                &[][..],
            )
            .expect("in memory");
    }
    let size = busybox.len() as u64;
    archive
        .append_data(
            &mut header(tar::EntryType::Regular, 0o755, size),
            "bin/busybox",
            busybox,
        )
        .expect("in memory");
    for applet in [
        "sh", "sleep", "echo", "cat", "httpd", "nc", "kill", "ls", "true", "false", "dd", "tail",
        "head", "mkdir", "rm", "date", "wget", "env", "mkfifo", "touch", "ln",
    ] {
        archive
            .append_link(
                &mut header(tar::EntryType::Symlink, 0o777, 0),
                format!("bin/{applet}"),
                "busybox",
            )
            .expect("in memory");
    }
    let page = b"hello\n";
    archive
        .append_data(
            &mut header(tar::EntryType::Regular, 0o644, page.len() as u64),
            "www/index.html",
            &page[..],
        )
        .expect("in memory");
    archive.into_inner().expect("in memory").into()
}

/// A container that is removed when the test is over, also when it fails.
#[derive(Debug)]
pub struct TestContainer {
    pub id: String,
    pub name: String,
}

impl TestContainer {
    /// Creates a container of [`IMAGE`] under a name of its own that begins with `purpose`.
    ///
    /// # Panics
    /// Where the engine refuses.
    pub async fn create(engine: &Engine, purpose: &str, spec: ContainerSpec) -> Self {
        let name = unique(purpose);
        let image = if spec.image.is_empty() {
            busybox(engine).await.to_owned()
        } else {
            spec.image.clone()
        };
        let spec = ContainerSpec {
            name: name.clone(),
            image,
            ..spec
        };
        let id = engine
            .create_container(&spec)
            .await
            .expect("the container is created");
        Self { id, name }
    }

    /// Creates and starts one that runs a shell line.
    ///
    /// # Panics
    /// Where the engine refuses.
    pub async fn run(engine: &Engine, purpose: &str, line: &str) -> Self {
        let spec = ContainerSpec {
            cmd: shell(line),
            ..ContainerSpec::default()
        };
        let container = Self::create(engine, purpose, spec).await;
        engine
            .start(&container.id)
            .await
            .expect("the container starts");
        container
    }
}

impl Drop for TestContainer {
    fn drop(&mut self) {
        // Dropping cannot wait, and a failing test may have no runtime left: another process does it.
        let _ = Command::new("docker")
            .args(["rm", "-f", "-v", &self.id])
            .output();
    }
}

/// `sh -c line`.
pub fn shell(line: &str) -> Vec<String> {
    ["sh", "-c", line].map(str::to_owned).to_vec()
}

/// A name that no other test has.
pub fn unique(purpose: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let time = jiff::Timestamp::now().as_microsecond();
    format!(
        "ergon-test-{purpose}-{}-{count}-{}",
        std::process::id(),
        time % 1_000_000
    )
}
