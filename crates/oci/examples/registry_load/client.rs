//! One connection to a registry, which costs the machine little beside what the registry costs it.

use std::error::Error;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The sender of one connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

/// What a registry is asked to keep.
pub struct Blob {
    pub bytes: Bytes,
    pub digest: String,
}

impl Blob {
    pub fn new(bytes: Bytes) -> Self {
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        Self { bytes, digest }
    }

    /// The same bytes for the same seed, which nothing makes smaller.
    pub fn noise(length: usize, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ length as u64;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
        bytes.truncate(length);
        Self::new(bytes.into())
    }

    pub fn descriptor(&self, media_type: &str) -> serde_json::Value {
        serde_json::json!({ "mediaType": media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Client {
    /// Says the same to every registry: one that asks for no credential does not look at it.
    pub async fn connect(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let token = std::env::var("REGISTRY_TOKEN").unwrap_or_default();
        let basic = format!("Basic {}", STANDARD.encode(format!("ergon:{token}")));
        Ok(Self {
            sender,
            host: address.parse()?,
            authorization: basic.parse()?,
        })
    }

    pub async fn send(
        &mut self,
        method: Method,
        target: &str,
        kind: &'static str,
        body: Bytes,
    ) -> Outcome<Response<Incoming>> {
        self.sender.ready().await?;
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, &self.authorization)
            .header(hyper::header::ACCEPT, MANIFEST)
            .header(CONTENT_TYPE, kind)
            .body(Full::new(body))?;
        Ok(self.sender.send_request(request).await?)
    }

    /// An answer with this status, its body read and thrown away.
    pub async fn expect(
        &mut self,
        status: StatusCode,
        method: Method,
        target: &str,
        kind: &'static str,
        body: Bytes,
    ) -> Outcome<Response<()>> {
        let asked = format!("{method} {target}");
        let answer = self.send(method, target, kind, body).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        if parts.status != status {
            let said = String::from_utf8_lossy(&body);
            return Err(format!("{asked}: {} and not {status}: {said}", parts.status).into());
        }
        Ok(Response::from_parts(parts, ()))
    }

    /// As clients do it: is it there, begin, send, close.
    pub async fn push_blob(&mut self, repository: &str, blob: &Blob) -> Outcome<()> {
        const BYTES: &str = "application/octet-stream";
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let none = Bytes::new;
        self.expect(StatusCode::NOT_FOUND, Method::HEAD, &path, BYTES, none())
            .await?;
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = self
            .expect(StatusCode::ACCEPTED, Method::POST, &path, BYTES, none())
            .await?;
        let place = location(&begun)?;
        let sent = self
            .expect(
                StatusCode::ACCEPTED,
                Method::PATCH,
                &place,
                BYTES,
                blob.bytes.clone(),
            )
            .await?;
        let place = location(&sent)?;
        let mark = if place.contains('?') { '&' } else { '?' };
        let close = format!("{place}{mark}digest={}", blob.digest);
        self.expect(StatusCode::CREATED, Method::PUT, &close, BYTES, none())
            .await?;
        Ok(())
    }

    pub async fn push_manifest(
        &mut self,
        repository: &str,
        tag: &str,
        manifest: Bytes,
    ) -> Outcome<()> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.expect(StatusCode::CREATED, Method::PUT, &path, MANIFEST, manifest)
            .await?;
        Ok(())
    }

    /// Pulls a blob as fast as this machine reads, and looks at nothing but how much came.
    pub fn drain_blob(&self, address: &str, repository: &str, blob: &Blob) -> Outcome<()> {
        let mut stream = std::net::TcpStream::connect(address)?;
        let asked = format!(
            "GET /v2/{repository}/blobs/{} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
            blob.digest,
            self.authorization.to_str()?
        );
        stream.write_all(asked.as_bytes())?;
        let mut buffer = vec![0; 1 << 20];
        let mut came = 0;
        loop {
            match stream.read(&mut buffer)? {
                0 => break,
                read => came += read,
            }
        }
        // With its head, which is short.
        if (blob.bytes.len()..blob.bytes.len() + 4096).contains(&came) {
            Ok(())
        } else {
            Err(format!("{came} bytes came").into())
        }
    }

    /// Pulls a blob and compares it, piece by piece as it comes.
    pub async fn pull_blob(&mut self, repository: &str, blob: &Blob) -> Outcome<()> {
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let answer = self.send(Method::GET, &path, "", Bytes::new()).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("GET {path}: {}", answer.status()).into());
        }
        let mut body = answer.into_body();
        let mut rest = &blob.bytes[..];
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                rest = rest
                    .strip_prefix(&data[..])
                    .ok_or("what was pulled is not what was pushed")?;
            }
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(format!("{} bytes are missing", rest.len()).into())
        }
    }
}

/// Where an upload goes on; registries may say it as a path or with their own name before it.
fn location(answer: &Response<()>) -> Outcome<String> {
    let place = answer.headers().get(LOCATION).ok_or("no Location")?;
    let uri: Uri = place.to_str()?.parse()?;
    Ok(uri
        .path_and_query()
        .ok_or("no path in Location")?
        .to_string())
}
