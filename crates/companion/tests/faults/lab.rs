//! Containers that are broken on purpose, and one companion that looks at one of them.

use std::process::Command;
use std::time::Duration;

use ergon_companion::{
    Change, Diagnosis, Meant, Reply, Subject, WatchOptions, Watcher, diagnose, dialogue,
};
use ergon_engine::Engine;
use ergon_engine::testing::{engine, unique};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::Receiver;

/// The image with the servers that the tests break; `dev/base-images` makes it.
pub const SERVERS: &str = "ergon-test/servers:1";

/// A network, the containers on it, and who watches them.
pub struct Lab {
    name: String,
    engine: Engine,
    watcher: Watcher,
    _history: tempfile::TempDir,
    _changes: tokio::task::JoinHandle<()>,
    containers: Vec<String>,
    subject: Subject,
    /// What is started now runs as what Ergon builds does.
    as_built: bool,
}

impl Lab {
    /// A network of its own, and nobody on it yet.
    pub async fn new(purpose: &str) -> Self {
        let engine = engine().await;
        let name = unique(purpose);
        docker(&["network", "create", &name]);
        let history = tempfile::tempdir().expect("a folder");
        let options = WatchOptions {
            history_folder: Some(history.path().to_owned()),
            ..WatchOptions::default()
        };
        let (watcher, changes) = Watcher::start(engine.clone(), options);
        Self {
            name,
            engine,
            watcher,
            _history: history,
            _changes: tokio::spawn(drain(changes)),
            containers: Vec::new(),
            subject: Subject::default(),
            as_built: false,
        }
    }

    /// Starts a container that others on the network know as `alias`: options of `docker run`, and a shell line.
    pub fn start(&mut self, alias: &str, options: &[&str], line: &str) -> String {
        self.start_on(&self.name.clone(), alias, options, line)
    }

    /// The same on another network.
    pub fn start_on(&mut self, network: &str, alias: &str, options: &[&str], line: &str) -> String {
        let name = format!("{}-{alias}", self.name);
        // As what Ergon builds runs, unless a case wants it otherwise.
        let user = ["--user", "65532:65532"];
        let mut arguments = vec!["run", "-d", "--name", &name, "--network", network];
        if self.as_built {
            arguments.extend(user);
        }
        if network == self.name {
            arguments.extend(["--network-alias", alias]);
        }
        arguments.extend(options);
        arguments.extend([SERVERS, "sh", "-c", line]);
        // What cannot be started is there all the same, for the companion to look at.
        let _ = Command::new("docker").args(&arguments).output();
        let id = docker(&["inspect", "-f", "{{.Id}}", &name]);
        self.containers.push(name.clone());
        self.watcher.watch(&id, &name);
        id
    }

    /// Starts the container that the companion is for.
    pub fn subject(&mut self, options: &[&str], line: &str) {
        let id = self.start("web", options, line);
        self.speak_for(id);
    }

    /// The container that the companion is for.
    pub fn speak_for(&mut self, id: String) {
        self.subject = Subject {
            companion: "web-ci".to_owned(),
            container_id: id,
            container: format!("{}-web", self.name),
            ..Subject::default()
        };
    }

    /// Whatever is started from now on runs as what Ergon builds does.
    pub fn as_built(&mut self) {
        self.as_built = true;
    }

    /// What the container was meant to be: an application with that port, a page for its health, and a variable.
    pub fn meant(&mut self, port: u16, variable: Option<&str>) {
        let mut application = serde_json::json!({
            "type": "web", "language": "python", "ports": [port], "health": {"path": "/"},
        });
        if let Some(variable) = variable {
            application["env"] =
                serde_json::json!({ variable: {"required": true, "from": "main.py:9"} });
        }
        let manifest = serde_json::json!({
            "manifest_version": "1.0",
            "applications": {"web": application},
            "containers": {"web": {"base_image": "scratch", "applications": ["web"], "ports": [port]}},
        });
        self.subject.meant = Some(Meant {
            manifest: serde_json::from_value(manifest).expect("a manifest"),
            manifest_digest: None,
            container: "web".to_owned(),
            build_hash: "sha256:4f1c09ab77e2".to_owned(),
            image_digest: "sha256:8be2".to_owned(),
            image_id: None,
        });
    }

    /// `docker` with these arguments, where `NAME-` stands for the lab's own names.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| argument.replace("NAME-", &format!("{}-", self.name)))
            .collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        docker(&arguments)
    }

    /// What the companion answers.
    pub async fn ask(&self, question: &str) -> Reply {
        dialogue::answer(question, &self.watcher.observe(&self.subject).await)
    }

    pub async fn diagnose(&self) -> Diagnosis {
        diagnose(&self.watcher.observe(&self.subject).await)
    }

    /// Waits until the time is over in which a container may still be starting.
    pub async fn until_started(&self) {
        let started = |state: &ergon_engine::ContainerState| {
            let up = Timestamp::now().duration_since(state.started_at?);
            (up > SignedDuration::from_secs(12)).then_some(())
        };
        let state = self.engine.inspect(&self.subject.container_id).await;
        let state = state.expect("it is there");
        assert!(state.is_running(), "{:#?}", self.diagnose().await);
        if started(&state).is_none() {
            // tidy(sleep-in-test): the time to start is a time
            tokio::time::sleep(Duration::from_secs(12)).await;
        }
    }

    /// Every claim has evidence, every piece of evidence a time and a source, and every answer cites what there is.
    pub async fn holds_its_claims(&self) {
        let observation = self.watcher.observe(&self.subject).await;
        for question in [
            "How are you?",
            "what happened?",
            "health",
            "what should I do?",
        ] {
            let reply = dialogue::answer(question, &observation);
            for finding in &reply.findings {
                assert!(!finding.evidence.is_empty(), "{finding:#?}");
            }
            for evidence in &reply.evidence {
                assert!(!evidence.text.is_empty() && !evidence.time.is_empty());
                let cited = format!("[{}]", evidence.number);
                let by_finding = reply
                    .findings
                    .iter()
                    .any(|finding| finding.evidence.contains(&evidence.number));
                assert!(
                    reply.content.contains(&cited) || by_finding,
                    "{evidence:#?}\n{}",
                    reply.content
                );
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for container in &self.containers {
            let _ = Command::new("docker")
                .args(["rm", "-f", "-v", container])
                .output();
        }
        let _ = Command::new("docker")
            .args(["network", "rm", &self.name])
            .output();
    }
}

/// Somebody has to listen, or the watcher waits.
async fn drain(mut changes: Receiver<Change>) {
    while changes.recv().await.is_some() {}
}

/// What the command printed.
fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker can be started");
    assert!(
        output.status.success(),
        "docker {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
