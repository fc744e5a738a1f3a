//! The client of registries: pull and push.
//!
//! Blobs travel as streams, three at a time, checked against their digests. Registries on this
//! machine are spoken to in plain HTTP, all others over TLS with what the system trusts; the
//! program must have installed a default `rustls` provider. Credentials are Docker's.

mod authorities;
mod indexes;
mod referrers;
mod through;
mod tokens;
pub mod upstream;

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ergon_manifest::Digest;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio_util::task::TaskTracker;

use crate::blobs::Blobs;
use crate::credentials::{self, Login};
use crate::error::{Error, quoted};
use crate::image::{Image, parse};
use crate::model::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, INDEX, ImageIndex, ImageManifest, MANIFEST, Platform,
};
use crate::reference::Reference;

pub use indexes::{pull_index, push_index};
pub use referrers::{pull_referrers, push_referrers};
pub use through::{Mirror, pull_through};

const AT_ONCE: usize = 3;
const CHUNK: usize = 128 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a registry may be silent.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// An index of platforms may name an index, but not for ever.
const DEEPEST: usize = 4;

/// How far the upload of one blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobProgress {
    pub digest: Digest,
    pub size: u64,
    pub sent: u64,
    /// The registry had it already.
    pub existed: bool,
}

/// Told of every step of an upload.
pub type OnProgress = Arc<dyn Fn(BlobProgress) + Send + Sync>;

/// Brings an image here: the one for `platform`, where there are several.
pub async fn pull(reference: &Reference, platform: &str, blobs: &Blobs) -> Result<Image, Error> {
    let registry = Registry::connect(reference, "pull", RegistryOperation::Pull).await?;
    registry.pull(platform, blobs).await
}

/// Sends an image to where `reference` says. What the registry has is not sent again.
pub async fn push(
    blobs: &Blobs,
    image: &Image,
    reference: &Reference,
    progress: OnProgress,
) -> Result<(), Error> {
    let registry = Registry::connect(reference, "push", RegistryOperation::Push).await?;
    let Some(tag) = reference.tag() else {
        return Err(registry.failed("a push needs a tag"));
    };
    let name = registry.name(tag);
    registry.send_image(image, &name, blobs, &progress).await
}

/// One repository of one registry, for one purpose.
struct Registry {
    client: Client,
    auth: RegistryAuth,
    reference: Reference,
    action: &'static str,
}

/// How a registry is spoken to.
struct Way {
    protocol: ClientProtocol,
    /// An authority to trust beside those that the machine knows, as PEM.
    authority: Option<String>,
}

/// What a manifest may be, before it is known which.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
}

/// What is said to a registry with every request.
async fn authenticate(
    login: Login,
    reference: &Reference,
    action: &'static str,
    operation: &RegistryOperation,
) -> Result<RegistryAuth, Error> {
    let identity = match login {
        Login::Direct(auth) => return Ok(auth),
        Login::Identity(identity) => identity,
    };
    let (registry, repository) = (reference.registry(), reference.repository());
    let host = oci_client::Reference::with_tag(registry.into(), repository.into(), "latest".into());
    let host = host.resolve_registry();
    match tokens::exchange(host, repository, operation, &identity.0).await {
        Ok(token) => Ok(RegistryAuth::Bearer(token)),
        Err(tokens::Failure::Unreachable(reason)) => Err(Error::Unreachable {
            registry: registry.to_owned(),
            reason,
        }),
        Err(tokens::Failure::Refused(reason)) => Err(Error::Denied {
            registry: registry.to_owned(),
            action,
            reference: reference.familiar(),
            reason,
        }),
    }
}

fn is_index(content: &[u8], digest: &Digest) -> Result<bool, Error> {
    let envelope: Envelope = parse(content, "the manifest", digest)?;
    Ok(envelope.manifests.is_some()
        || matches!(envelope.media_type.as_deref(), Some(INDEX | DOCKER_LIST)))
}

impl Registry {
    /// Sends what an image is made of, then its manifest under this name.
    async fn send_image(
        &self,
        image: &Image,
        name: &oci_client::Reference,
        blobs: &Blobs,
        progress: &OnProgress,
    ) -> Result<(), Error> {
        let parts = std::iter::once(&image.manifest.config).chain(image.layers());
        some_at_once(parts.map(|part| self.upload(part, blobs, progress))).await?;
        let manifest = blobs.read(&image.digest)?;
        self.put_manifest(name, manifest, image.media_type()).await
    }

    /// Brings the image for a platform here.
    async fn pull(&self, platform: &str, blobs: &Blobs) -> Result<Image, Error> {
        let platform = Platform::parse(platform)?;
        let (digest, manifest) = self.manifest(&platform).await?;
        let parsed: ImageManifest = parse(&manifest, "the manifest", &digest)?;
        self.download_all(&parsed, blobs).await?;
        let blobs = blobs.clone();
        blocking(move || {
            // Last, so that a manifest that is here has its parts.
            blobs.put(&manifest)?;
            Image::load(&blobs, &digest)
        })
        .await
    }

    async fn connect(
        reference: &Reference,
        action: &'static str,
        operation: RegistryOperation,
    ) -> Result<Self, Error> {
        let host = reference.registry().to_owned();
        let authority = authorities::of(&host, authorities::folders());
        // Who was given an authority for a registry of this machine has one that speaks TLS.
        let protocol = if is_here(&host) && authority.is_none() {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        };
        let way = Way {
            protocol,
            authority,
        };
        let login =
            blocking(move || credentials::find(&host, credentials::configuration_file())).await?;
        Self::connect_as(reference, action, operation, way, login).await
    }

    /// The same with a login that is known.
    async fn connect_as(
        reference: &Reference,
        action: &'static str,
        operation: RegistryOperation,
        way: Way,
        login: Login,
    ) -> Result<Self, Error> {
        let auth = authenticate(login, reference, action, &operation).await?;
        let authority = way.authority.map(|pem| Certificate {
            encoding: CertificateEncoding::Pem,
            data: pem.into_bytes(),
        });
        let config = ClientConfig {
            protocol: way.protocol,
            extra_root_certificates: authority.into_iter().collect(),
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            user_agent: concat!("ergon/", env!("CARGO_PKG_VERSION")),
            platform_resolver: None,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| Error::Unreachable {
            registry: reference.registry().to_owned(),
            reason: chain(&error),
        })?;
        let registry = Self {
            client,
            auth,
            reference: reference.clone(),
            action,
        };
        let name = registry.name(reference.tag().unwrap_or("latest"));
        registry
            .client
            .auth(&name, &registry.auth, operation)
            .await
            .map_err(|error| registry.explain(error))?;
        Ok(registry)
    }

    /// The manifest of the image for a platform, with its digest.
    async fn manifest(&self, platform: &Platform) -> Result<(Digest, Vec<u8>), Error> {
        let mut wanted = self.reference.digest().copied();
        for _ in 0..DEEPEST {
            let (digest, content) = self.content(wanted).await?;
            if !is_index(&content, &digest)? {
                return Ok((digest, content));
            }
            let index: ImageIndex = parse(&content, "the index", &digest)?;
            let chosen = index
                .select(platform)
                .ok_or_else(|| Error::NoSuchPlatform {
                    what: self.reference.familiar(),
                    wanted: platform.to_string(),
                    offered: index.platforms(),
                })?;
            wanted = Some(chosen.digest);
        }
        Err(self.failed("its indexes stand too deep inside one another"))
    }

    /// The manifest or index with a digest, or under the reference's tag.
    async fn content(&self, wanted: Option<Digest>) -> Result<(Digest, Vec<u8>), Error> {
        let name = match wanted {
            Some(digest) => self.name_at(&digest),
            None => self.name(self.reference.tag().unwrap_or("latest")),
        };
        let known = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST];
        let (content, _) = self
            .client
            .pull_manifest_raw(&name, &self.auth, &known)
            .await
            .map_err(|error| self.explain(error))?;
        let digest = Digest::of(&content);
        if wanted.is_some_and(|wanted| wanted != digest) {
            return Err(self
                .failed("the registry served a manifest with another digest than was asked for"));
        }
        Ok((digest, content.into()))
    }

    /// Brings configuration and layers of an image here.
    async fn download_all(&self, manifest: &ImageManifest, blobs: &Blobs) -> Result<(), Error> {
        let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
        let writers = TaskTracker::new();
        let pulled = some_at_once(parts.map(|part| self.download(part, blobs, &writers))).await;
        // Where one failed, the writers of the others still have to take their unfinished files away.
        writers.close();
        writers.wait().await;
        pulled
    }

    async fn download(
        &self,
        part: &Descriptor,
        blobs: &Blobs,
        writers: &TaskTracker,
    ) -> Result<(), Error> {
        if blobs.holds(&part.digest, part.size) {
            return Ok(());
        }
        let name = self.name_at(&part.digest);
        let digest = part.digest.to_string();
        let mut body = self
            .client
            .pull_blob_stream(&name, digest.as_str())
            .await
            .map_err(|error| self.explain(error))?;

        // Files are written on a thread that may block; the channel holds the network back.
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(8);
        let (blobs, expected) = (blobs.clone(), part.digest);
        let writing = writers.spawn_blocking(move || -> Result<u64, Error> {
            let mut writer = blobs.writer()?;
            while let Some(chunk) = receiver.blocking_recv() {
                writer
                    .write_all(&chunk)
                    .map_err(Error::io("write into", writer.folder()))?;
            }
            // A body that broke off has another digest, so that nothing is left of it.
            writer.finish_as(&expected)
        });
        let mut arrived = 0;
        let mut broken = None;
        while let Some(chunk) = body.next().await {
            match chunk {
                Ok(chunk) => {
                    arrived += chunk.len() as u64;
                    if arrived > part.size {
                        broken = Some(self.failed(format!(
                            "the blob {digest} is longer than the manifest says"
                        )));
                        break;
                    }
                    if sender.send(chunk).await.is_err() {
                        break; // The writer failed, and says why.
                    }
                }
                Err(error) => {
                    broken = Some(
                        self.failed(format!("the blob {digest} broke off: {}", chain(&error))),
                    );
                    break;
                }
            }
        }
        drop(sender);
        let written = joined(writing).await;
        match broken {
            Some(error) => Err(error),
            None if written? == part.size => Ok(()),
            None => Err(self.failed(format!(
                "the blob {digest} is shorter than the manifest says"
            ))),
        }
    }

    async fn upload(
        &self,
        part: &Descriptor,
        blobs: &Blobs,
        progress: &OnProgress,
    ) -> Result<(), Error> {
        let name = self.name(self.reference.tag().unwrap_or("latest"));
        let digest = part.digest.to_string();
        let report = BlobProgress {
            digest: part.digest,
            size: part.size,
            sent: 0,
            existed: false,
        };
        if self
            .client
            .blob_exists(&name, &digest)
            .await
            .map_err(|error| self.explain(error))?
        {
            progress(BlobProgress {
                sent: part.size,
                existed: true,
                ..report
            });
            return Ok(());
        }
        progress(report);
        let file = tokio::fs::File::from_std(blobs.open_read(&part.digest)?);
        let body = chunks(file, report, Arc::clone(progress));
        self.client
            .push_blob_stream(&name, body, &digest, Some(part.size))
            .await
            .map_err(|error| self.explain(error))?;
        Ok(())
    }

    fn name(&self, tag: &str) -> oci_client::Reference {
        let (registry, repository) = (self.reference.registry(), self.reference.repository());
        oci_client::Reference::with_tag(registry.to_owned(), repository.to_owned(), tag.to_owned())
    }

    fn name_at(&self, digest: &Digest) -> oci_client::Reference {
        let (registry, repository) = (self.reference.registry(), self.reference.repository());
        oci_client::Reference::with_digest(
            registry.to_owned(),
            repository.to_owned(),
            digest.to_string(),
        )
    }

    fn failed(&self, reason: impl ToString) -> Error {
        Error::Registry {
            action: self.action,
            reference: self.reference.familiar(),
            reason: quoted(&reason.to_string()),
        }
    }

    fn denied(&self, reason: impl Into<String>) -> Error {
        Error::Denied {
            registry: self.reference.registry().to_owned(),
            action: self.action,
            reference: self.reference.familiar(),
            reason: quoted(&reason.into()),
        }
    }

    /// What happened, in words for the person who asked.
    fn explain(&self, error: OciDistributionError) -> Error {
        use OciDistributionError as Failure;
        let who = match &self.auth {
            RegistryAuth::Anonymous => "it wants credentials, and there are none for it",
            _ => "it does not accept the credentials there are for it",
        };
        match error {
            Failure::RequestError(error)
                if error.status().is_some_and(|status| status.as_u16() == 401) =>
            {
                self.denied(who)
            }
            // An answer to HEAD has no words.
            Failure::RequestError(error)
                if error.status().is_some_and(|status| status.as_u16() == 403) =>
            {
                self.denied("whoever has these credentials may not")
            }
            Failure::UnauthorizedError { .. } | Failure::ServerError { code: 401, .. } => {
                self.denied(who)
            }
            Failure::AuthenticationFailure(said) if said.trim().is_empty() => self.denied(who),
            Failure::AuthenticationFailure(said) => self.denied(first_line(&said)),
            Failure::ServerError {
                code: 403, message, ..
            } => self.denied(first_line(&message)),
            Failure::ServerError { code, message, .. } => self.failed(format!(
                "the registry answered {code}: {}",
                first_line(&message)
            )),
            Failure::RegistryError { envelope, .. } => {
                let code = envelope.errors.first().map(|error| &error.code);
                let said: Vec<&str> = envelope
                    .errors
                    .iter()
                    .map(|error| error.message.as_str())
                    .collect();
                match code {
                    Some(OciErrorCode::Unauthorized) => self.denied(who),
                    Some(OciErrorCode::Denied) => self.denied(said.join("; ")),
                    Some(
                        OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound,
                    ) => self.failed("the registry has no such image"),
                    _ => self.failed(format!("the registry said: {}", said.join("; "))),
                }
            }
            Failure::RequestError(error) if error.is_connect() || error.is_timeout() => {
                Error::Unreachable {
                    registry: self.reference.registry().to_owned(),
                    reason: chain(&error),
                }
            }
            other => self.failed(chain(&other)),
        }
    }
}

fn chunks(
    file: tokio::fs::File,
    report: BlobProgress,
    progress: OnProgress,
) -> impl Stream<Item = Result<Bytes, OciDistributionError>> + Send + 'static {
    stream::try_unfold((file, report), move |(mut file, mut report)| {
        let progress = Arc::clone(&progress);
        async move {
            let mut buffer = BytesMut::with_capacity(CHUNK);
            if file.read_buf(&mut buffer).await? == 0 {
                return Ok(None);
            }
            report.sent += buffer.len() as u64;
            progress(report);
            Ok(Some((buffer.freeze(), (file, report))))
        }
    })
}

/// Whether a registry is on this machine, where TLS protects nothing.
fn is_here(registry: &str) -> bool {
    let host = match registry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address,
        None => registry.split(':').next().unwrap_or(registry),
    };
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or("nothing")
}

/// An error with its causes, since most say the point last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Drives transfers a few at a time, and stops all of them when one fails.
async fn some_at_once(
    transfers: impl Iterator<Item = impl Future<Output = Result<(), Error>>>,
) -> Result<(), Error> {
    // Collected, since a closure over borrowed parts inside a stream would not be `Send`.
    let transfers: Vec<_> = transfers.collect();
    stream::iter(transfers)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    joined(tokio::task::spawn_blocking(work)).await
}

async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(done) => done,
        // Only a bug panics there; let it be seen where it was asked for.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registries_on_this_machine_are_spoken_to_in_plain_http() {
        for here in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:5000",
        ] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in [
            "docker.io",
            "localhost.example:5000",
            "10.0.0.1:5000",
            "[2001:db8::1]:5000",
        ] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
