//! What a test stands in: folders of its own, the two programs, a stack, Docker.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_mins(4);

/// Folders of one test, and the programs run in them.
pub struct World {
    folder: TempDir,
    cache: PathBuf,
    containers: Vec<String>,
}

/// The base of [`World::with_busybox_only`].
pub const BUSYBOX: &str = "road.test/busybox:1";

const PAGE: &str = r#"{
  "manifest_version": "1.0",
  "applications": {
    "page": { "type": "files", "language": "shell", "run_command": "sh serve.sh" }
  },
  "containers": {
    "page": { "base_image": "road.test/busybox:1", "applications": ["page"] }
  }
}
"#;

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// A world whose builds share the cache of all tests, so that bases are imported once.
    pub fn new() -> Self {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        Self {
            folder: tempfile::tempdir().unwrap(),
            cache,
            containers: Vec::new(),
        }
    }

    /// A world that has the bases of the shared cache and nothing else of it.
    pub fn with_own_cache() -> Self {
        let mut world = Self::new();
        let shared = world.cache.join("ergon");
        let own = world.path("cache");
        std::fs::create_dir_all(own.join("ergon")).unwrap();
        // The bases have to be there to be taken along.
        for base in [
            "python:3.11-slim",
            "node:18-slim",
            "golang:1.19-bookworm",
            "debian:bookworm-slim",
        ] {
            let held = shared.join("bases");
            if !held.exists() || !world.ergon(["base", "list"]).run().stdout.contains(base) {
                world.ergon(["base", "import", base]).succeeds();
            }
        }
        for part in ["blobs", "bases"] {
            link_all(&shared.join(part), &own.join("ergon").join(part));
        }
        world.cache = own;
        world
    }

    /// A world with nothing in its cache but one base, which is [`BUSYBOX`] and a shell.
    pub fn with_busybox_only() -> Self {
        let mut world = Self::new();
        world.cache = world.path("cache");
        let root = world.path("busybox/bin");
        std::fs::create_dir_all(&root).unwrap();
        let busybox = root.join("busybox");
        std::fs::copy("/bin/busybox", &busybox)
            .expect("busybox is needed to test; dev/setup --test installs it");
        for name in ["sh", "cat", "sleep"] {
            std::os::unix::fs::symlink("busybox", root.join(name)).unwrap();
        }
        let tar = world.path("busybox.tar");
        let made = Command::new("tar")
            .args([
                "--create",
                "--sort=name",
                "--owner=0",
                "--group=0",
                "--mtime=@0",
            ])
            .args(["--file".as_ref(), tar.as_os_str()])
            .arg("--directory")
            .arg(world.path("busybox"))
            .arg("bin")
            .status();
        assert!(made.unwrap().success());
        world
            .ergon(["base", "import", BUSYBOX, tar.to_str().unwrap()])
            .succeeds();
        world
    }

    /// A project over [`BUSYBOX`] that needs no step to run: one page with this text.
    pub fn page(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.path(&format!("pages/{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ergon.json"), PAGE).unwrap();
        std::fs::write(folder.join("page.txt"), text).unwrap();
        std::fs::write(folder.join("serve.sh"), "cat page.txt\n").unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// `ergon` with these arguments, in this world.
    pub fn ergon<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, arguments: I) -> Program {
        self.program(env!("CARGO_BIN_EXE_ergon"), arguments)
    }

    /// `aish` with these arguments, in this world.
    pub fn aish<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, arguments: I) -> Program {
        self.program(env!("CARGO_BIN_EXE_aish"), arguments)
    }

    /// The program at `path` with these arguments, in this world.
    pub fn program<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(
        &self,
        path: &str,
        arguments: I,
    ) -> Program {
        let mut command = Command::new(path);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if name.starts_with("ERGON_") || name.starts_with("XDG_") {
                command.env_remove(name);
            }
        }
        command
            .env("ERGON_DATA", self.data())
            .env("XDG_CACHE_HOME", &self.cache)
            .env("XDG_CONFIG_HOME", self.path("config"));
        Program(command)
    }

    /// A copy of an example whose containers and companions have names of this world.
    pub fn example(&mut self, name: &str) -> Project {
        let folder = self.path(&format!("projects/{name}"));
        Self::copy(&examples().join(name), &folder);
        self.adopt(folder)
    }

    /// A copy of a project that nobody wrote a manifest for: detection does.
    pub fn ecosystem(&mut self, name: &str) -> Project {
        let folder = self.path(&format!("projects/{name}"));
        Self::copy(&ecosystems().join(name), &folder);
        self.ergon(["manifest", "init", folder.to_str().unwrap()])
            .succeeds();
        self.adopt(folder)
    }

    /// A project of these files, `ergon.json` among them.
    pub fn written(&mut self, files: &[(&str, &str)]) -> Project {
        let folder = self.path("projects/written");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        self.adopt(folder)
    }

    /// Gives the container and the companion of a project names of this world.
    pub fn adopt(&mut self, folder: PathBuf) -> Project {
        let path = folder.join("ergon.json");
        let mut manifest: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let prefix = format!("road-{:x}", rand_suffix(self.folder.path()));
        let mut containers = serde_json::Map::new();
        let old = manifest["containers"].as_object().unwrap().clone();
        for (container, mut description) in old {
            let renamed = format!("{prefix}-{container}");
            if let Some(companion) = description.get("ci_name").and_then(Value::as_str) {
                description["ci_name"] = format!("{prefix}-{companion}").into();
            }
            self.containers.push(renamed.clone());
            containers.insert(renamed, description);
        }
        assert_eq!(containers.len(), 1, "the examples have one container each");
        let container = containers.keys().next().unwrap().clone();
        manifest["containers"] = containers.into();
        if let Some(packaging) = manifest.get_mut("packaging").and_then(Value::as_object_mut) {
            packaging.remove("build_order");
        }
        std::fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
        let companion = manifest["containers"][&container]["ci_name"]
            .as_str()
            .map_or_else(|| format!("{container}-ci"), str::to_owned);
        Project {
            folder,
            container,
            companion,
        }
    }

    /// A copy of an example as it is.
    pub fn plain_example(&self, name: &str) -> PathBuf {
        let folder = self.path(&format!("plain/{name}"));
        Self::copy(&examples().join(name), &folder);
        folder
    }

    pub fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        assert!(
            Command::new("cp")
                .arg("-r")
                .arg(from)
                .arg(to)
                .status()
                .unwrap()
                .success()
        );
    }

    /// Removes a container of this name when the world ends.
    pub fn will_remove(&mut self, container: &str) {
        self.containers.push(container.to_owned());
    }

    /// Starts a stack on a free port and waits until it says that it is up.
    pub fn up(&self) -> Stack<'_> {
        self.up_with(&[])
    }

    /// Like [`World::up`], with these variables.
    pub fn up_with(&self, variables: &[(&str, &str)]) -> Stack<'_> {
        let mut command = self.ergon(["up", "--listen", "127.0.0.1:0"]).0;
        command.envs(variables.iter().copied());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Next:") {
            if lines.read_line(&mut greeting).unwrap() == 0 {
                let mut said = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut said)
                    .unwrap();
                panic!("the stack did not come up: {greeting}{said}");
            }
        }
        Stack {
            world: self,
            child,
            greeting,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for container in &self.containers {
            let _ = docker_output(["rm", "--force", "--volumes", container]);
            let filter = format!("reference={container}");
            let images = [
                "images",
                "--filter",
                &filter,
                "--format",
                "{{.Repository}}:{{.Tag}}",
            ];
            for image in String::from_utf8_lossy(&docker_output(images).stdout).lines() {
                let _ = docker_output(["rmi", "--force", image]);
            }
        }
    }
}

/// A project of one container that is this test's own.
pub struct Project {
    pub folder: PathBuf,
    pub container: String,
    pub companion: String,
}

impl Project {
    pub fn path(&self) -> &str {
        self.folder.to_str().unwrap()
    }
}

/// A stack that runs. It is killed, not stopped, where a test does not stop it.
pub struct Stack<'world> {
    world: &'world World,
    child: Child,
    pub greeting: String,
}

impl Stack<'_> {
    /// The process's id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What the stack serves at `path`, without a token.
    pub fn get(&self, path: &str) -> (u16, String) {
        let endpoint = std::fs::read_to_string(self.world.data().join("endpoint")).unwrap();
        http_get(endpoint.trim().strip_prefix("http://").unwrap(), path)
    }

    /// Ends it as an init system does.
    pub fn terminate(mut self) -> Ended {
        signal(&self.child, "TERM");
        self.wait()
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn wait(&mut self) -> Ended {
        let status = eventually("the stack to end", || self.child.try_wait().unwrap());
        let mut stderr = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        Ended {
            code: status.code(),
            stdout: String::new(),
            stderr,
        }
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that is about to run.
pub struct Program(pub Command);

impl Program {
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn run(mut self) -> Ended {
        Ended::from(self.0.output().unwrap())
    }

    /// Runs it with `text` coming from a pipe.
    pub fn run_with_input(mut self, text: &str) -> Ended {
        self.0
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.0.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        Ended::from(child.wait_with_output().unwrap())
    }

    /// Starts it and lets it run.
    pub fn spawn(mut self) -> Child {
        self.0
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs it and expects exit code 0.
    pub fn succeeds(self) -> Ended {
        self.ends_with(0)
    }

    /// Runs it and expects this exit code.
    pub fn ends_with(self, code: i32) -> Ended {
        let shown = format!("{:?}", self.0);
        let ended = self.run();
        assert_eq!(
            ended.code,
            Some(code),
            "{shown}\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
        ended
    }

    /// Runs it, expects exit code 0, and reads what it prints as JSON.
    pub fn json(self) -> Value {
        self.succeeds().json()
    }
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The folder of the example projects.
/// The smallest project of each ecosystem whose toolchain Debian packages.
pub fn ecosystems() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/road/ecosystems")
}

pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .canonicalize()
        .unwrap()
}

/// Runs `docker`, expects it to work, and returns what it prints.
pub fn docker<'a>(arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = docker_output(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn docker_output<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new("docker")
        .args(arguments)
        .output()
        .expect("the docker command is needed to test; dev/setup installs it")
}

/// Asks `address` for `path`; the status and the body.
pub fn http_get(address: &str, path: &str) -> (u16, String) {
    let (status, answer) = http_answer(address, path);
    let body = answer
        .split_once("\r\n\r\n")
        .map_or(String::new(), |(_, body)| body.to_owned());
    (status, body)
}

/// Asks `address` for `path`; the status, and the whole answer with its head.
pub fn http_answer(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, answer)
}

/// Asks until there is an answer. What is waited for outside this process sends no event.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        // tidy(sleep-in-test): what is waited for happens in other processes
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signal to a child.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
}

/// Every file under a folder with its content and mode, to see that nothing was written.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt as _;

    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.symlink_metadata().unwrap().permissions().mode();
        if path.is_dir() {
            found.extend(contents(&path));
            found.insert(path, (mode, Vec::new()));
        } else {
            let content = std::fs::read(&path).unwrap();
            found.insert(path, (mode, content));
        }
    }
    found
}

/// Makes `to` hold the files of `from`. Other tests may be writing there: what is gone again when
/// its turn comes was unfinished.
fn link_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            link_all(&path, &target);
            continue;
        }
        let linked =
            std::fs::hard_link(&path, &target).or_else(|_| std::fs::copy(&path, &target).map(drop));
        assert!(
            linked.is_ok() || !path.exists(),
            "{}: {linked:?}",
            path.display()
        );
    }
}

/// A number that differs between worlds: their folders' names do.
fn rand_suffix(folder: &Path) -> u32 {
    folder
        .to_string_lossy()
        .bytes()
        .fold(2_166_136_261, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
        })
}
