//! A registry that is asked, and that answers as it is told: rightly or not.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What was asked: `GET /v2/app/manifests/1`.
#[derive(Clone, Debug)]
pub struct Question {
    pub line: String,
    pub headers: HeaderMap,
}

type Answer = Arc<dyn Fn(&Question) -> Option<Response> + Send + Sync>;

#[derive(Default)]
struct Known {
    asked: Mutex<Vec<Question>>,
    /// What is there, by path.
    things: Mutex<HashMap<String, (String, Vec<u8>)>>,
    /// Asked first; where it has nothing to say, what is there is given.
    instead: Mutex<Option<Answer>>,
}

/// A registry on this machine.
pub struct Upstream {
    pub address: SocketAddr,
    known: Arc<Known>,
    task: JoinHandle<()>,
}

/// An image with one layer.
pub struct Image {
    pub manifest: Vec<u8>,
    pub digest: String,
    pub config: String,
    pub layer: String,
    pub content: Vec<u8>,
}

pub fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

impl Upstream {
    pub async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn start_at(address: SocketAddr) -> Self {
        let known = Arc::<Known>::default();
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&known));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            known,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers like this, where it says anything.
    pub fn instead(&self, answer: impl Fn(&Question) -> Option<Response> + Send + Sync + 'static) {
        *self.known.instead.lock().unwrap() = Some(Arc::new(answer));
    }

    pub fn as_it_should(&self) {
        *self.known.instead.lock().unwrap() = None;
    }

    pub fn put(&self, path: &str, kind: &str, content: &[u8]) {
        let thing = (kind.to_owned(), content.to_vec());
        let mut things = self.known.things.lock().unwrap();
        things.insert(path.to_owned(), thing);
    }

    /// Has an image with a layer of so many bytes under a tag.
    pub fn image(&self, repository: &str, tag: &str, length: usize, seed: u8) -> Image {
        let config =
            br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let content: Vec<u8> = (0..length)
            .map(|at| (at as u8).wrapping_mul(31) ^ (at >> 8) as u8 ^ seed)
            .collect();
        let (config_digest, layer) = (digest(config), digest(&content));
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len() },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": length }],
        });
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let image = Image {
            digest: digest(&manifest),
            manifest,
            config: config_digest,
            layer,
            content,
        };
        let at = |kind: &str, name: &str| format!("/v2/{repository}/{kind}/{name}");
        self.put(&at("manifests", tag), MANIFEST, &image.manifest);
        self.put(&at("manifests", &image.digest), MANIFEST, &image.manifest);
        self.put(
            &at("blobs", &image.config),
            "application/octet-stream",
            config,
        );
        self.put(
            &at("blobs", &image.layer),
            "application/octet-stream",
            &image.content,
        );
        image
    }

    /// How often something was asked that begins like this.
    pub fn asked(&self, line: &str) -> usize {
        let asked = self.known.asked.lock().unwrap();
        asked
            .iter()
            .filter(|question| question.line.starts_with(line))
            .count()
    }

    /// Goes away: nobody answers at its address any more.
    pub async fn stop(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }
}

async fn answer(State(known): State<Arc<Known>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let question = Question {
        line: format!("{} {path}", request.method()),
        headers: request.headers().clone(),
    };
    known.asked.lock().unwrap().push(question.clone());
    let instead = known.instead.lock().unwrap().clone();
    if let Some(response) = instead.and_then(|instead| instead(&question)) {
        return response;
    }
    let thing = known.things.lock().unwrap().get(&path).cloned();
    let Some((kind, content)) = thing else {
        return status(404);
    };
    let response = Response::builder()
        .header("content-type", kind)
        .header("docker-content-digest", digest(&content))
        .header("content-length", content.len());
    let is_head = request.method() == Method::HEAD;
    let body = if is_head { Vec::new() } else { content };
    response.body(Body::from(body)).unwrap()
}

pub fn status(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// A body that is not said to be of any length.
pub fn pieces(
    pieces: impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static,
) -> Response {
    Response::new(Body::from_stream(pieces))
}
