//! A stack of its own for each test, and a client that knows its token.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use ergon_pack::{ExtraAuthority, SandboxKind};
use ergon_server::{Config, ConnectionLimits, Ready, StartError};
use futures_util::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one stack that knows its token.
pub struct Door {
    pub url: String,
    pub token: String,
    pub client: Client,
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub ready: Ready,
    door: Door,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl Deref for World {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub kind: String,
    pub body: Value,
}

pub fn config(folder: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        hosts: Vec::new(),
        tls: None,
        limits: ConnectionLimits::default(),
        data: folder.join("data"),
        cache: folder.join("cache"),
        extra_authority: ExtraAuthority::Host,
        sandbox: SandboxKind::Auto,
        reach: Vec::new(),
        keep_messages: false,
        keep_events: ergon_server::KeepEvents::default(),
        model: None,
        secrets: ergon_server::SecretsConfig::default(),
    }
}

pub fn client() -> Client {
    client_trusting(None)
}

/// A client that trusts one authority.
pub fn client_trusting(authority: Option<&str>) -> Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let trusted = authority.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).unwrap());
    Client::builder()
        .no_proxy()
        .tls_certs_only(trusted)
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

impl World {
    pub async fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap()).await
    }

    /// A stack over folders of an earlier one.
    pub async fn over(folder: tempfile::TempDir) -> Self {
        let config = config(folder.path());
        Self::with(folder, config).await
    }

    /// A stack that other machines ask under these names.
    pub async fn named(hosts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts.iter().map(|name| name.parse().unwrap()).collect();
        let config = Config {
            hosts,
            ..config(folder.path())
        };
        Self::with(folder, config).await
    }

    pub async fn with(folder: tempfile::TempDir, config: Config) -> Self {
        let shutdown = CancellationToken::new();
        let (sender, receiver) = oneshot::channel();
        let stack = ergon_server::serve(config, shutdown.clone(), |ready| {
            drop(sender.send(ready));
        });
        let task = tokio::spawn(stack);
        let Ok(ready) = receiver.await else {
            panic!("the stack did not start: {:?}", task.await);
        };
        let door = Door::of(&folder.path().join("data"));
        Self {
            folder,
            ready,
            door,
            shutdown,
            task,
        }
    }

    /// Ends the stack in order; its folders stay.
    pub async fn end(self) -> tempfile::TempDir {
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        self.folder
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder with these files in it.
    pub fn folder(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (path, content) in files {
            std::fs::write(folder.join(path), content).unwrap();
        }
        folder.canonicalize().unwrap()
    }
}

impl Door {
    /// The stack that serves for a data folder.
    pub fn of(data: &Path) -> Self {
        let read = |name: &str| {
            std::fs::read_to_string(data.join(name))
                .unwrap()
                .trim()
                .to_owned()
        };
        Self {
            url: read("endpoint"),
            token: read("token"),
            client: client_trusting(
                std::fs::read_to_string(data.join("endpoint.ca"))
                    .ok()
                    .as_deref(),
            ),
        }
    }

    /// The same door for somebody else.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            url: self.url.clone(),
            token: token.to_owned(),
            client: self.client.clone(),
        }
    }

    /// The host and port, as a Host header names it.
    pub fn authority(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// A request without any credential.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A request of the owner.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Value {
        read(self.request(Method::GET, path)).await.success()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        read(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        read(self.request(Method::DELETE, path)).await
    }

    /// Adds a folder as a project and returns its id.
    pub async fn project(&self, folder: &Path) -> String {
        let project = self
            .post("/api/v1/projects", json!({ "location": folder }))
            .await
            .success();
        project["id"].as_str().unwrap().to_owned()
    }

    /// Asks after every event until the answer is as wanted, and returns it.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut events = self.stream("/api/v1/events", None).await.bytes_stream();
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            let event = tokio::time::timeout(PATIENCE, events.next()).await;
            assert!(
                // The stream itself ends after that time, and would tell of nothing again and again.
                matches!(event, Ok(Some(Ok(_)))),
                "{path} never became what was waited for: {answer:#}"
            );
        }
    }

    /// Follows a job until it has printed a text.
    pub async fn printed(&self, job: &Value, text: &str) {
        let path = format!("/api/v1/jobs/{}/follow", job["id"].as_str().unwrap());
        let mut stream = self.stream(&path, None).await.bytes_stream();
        let mut seen = String::new();
        while !seen.contains(text) {
            let chunk = tokio::time::timeout(PATIENCE, stream.next()).await;
            let chunk = chunk.expect("it prints in time").expect("it has not ended");
            seen.push_str(&String::from_utf8_lossy(&chunk.unwrap()));
        }
    }

    /// A stream of events, after one of them where it is given.
    pub async fn stream(&self, path: &str, last: Option<&str>) -> Response {
        let mut request = self
            .request(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.unwrap()
    }

    /// The job once it has ended.
    pub async fn ended(&self, job: &Value) -> Value {
        let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
        self.until(&path, |job| !job["finished_at"].is_null()).await
    }
}

impl Answer {
    /// The body of an answer that is a success.
    pub fn success(self) -> Value {
        assert!(self.status.is_success(), "{} {:#}", self.status, self.body);
        self.body
    }

    /// The body of an answer that must be a problem document with this status.
    pub fn problem(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        assert_eq!(self.kind, "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(
            self.body["title"].is_string() && self.body["type"] == "about:blank",
            "{:#}",
            self.body
        );
        assert!(!self.body["detail"].as_str().unwrap().is_empty());
        self.body
    }
}

pub async fn read(request: RequestBuilder) -> Answer {
    read_response(request.send().await.unwrap()).await
}

pub async fn read_response(response: Response) -> Answer {
    let status = response.status();
    let kind = response
        .headers()
        .get("content-type")
        .map_or("", |kind| kind.to_str().unwrap())
        .to_owned();
    let bytes = response.bytes().await.unwrap();
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Answer {
        status,
        kind,
        body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
    }
}
