//! A real registry: Debian's docker-registry, on a port and in a folder of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use ergon_oci::distribution::{
    BlobProgress, OnProgress, pull, pull_referrers, push, push_referrers,
};
use ergon_oci::{Blobs, Error, Image, Reference};

use crate::referrers::attach;
use crate::support::{PLATFORM, World, application, world};

struct Registry {
    process: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    fn reference(&self, name: &str) -> Reference {
        format!("{}/{name}", self.address).parse().unwrap()
    }
}

/// The address that a registry says it listens on.
fn address_in(log: &mut impl BufRead) -> Option<String> {
    log.lines().map_while(Result::ok).find_map(|line| {
        let (_, after) = line.split_once("listening on ")?;
        after.split(['"', ',', ' ']).next().map(str::to_owned)
    })
}

/// Starts the registry, or says loudly that it is not there.
fn registry(extra: &str) -> Option<Registry> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let binary = ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let Some(binary) = binary else {
        eprintln!("SKIPPED: no docker-registry here; apt-get install docker-registry");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("config.yml");
    let storage = folder.path().join("storage");
    let text = format!(
        "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:0\n{extra}",
        storage.display()
    );
    std::fs::write(
        &configuration,
        text.replace("FOLDER", folder.path().to_str().unwrap()),
    )
    .unwrap();
    std::fs::write(folder.path().join("htpasswd"), "").unwrap();
    let mut process = Command::new(binary)
        .arg("serve")
        .arg(&configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let address = address_in(&mut log).expect("the registry ended before it listened");
    // Keeps the pipe empty, so that the registry never waits for us.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Some(Registry {
        process,
        address,
        folder,
    })
}

fn silent() -> OnProgress {
    Arc::new(|_| {})
}

fn fresh(world: &World, name: &str) -> Blobs {
    Blobs::open(world.folder.path().join(name)).unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_pulled_with_the_same_digest() {
    let Some(registry) = registry("") else { return };
    let world = world();
    let image = application(&world);
    let reference = registry.reference("team/app:1");
    let seen: Arc<Mutex<Vec<BlobProgress>>> = Arc::default();
    let (sink, again) = (Arc::clone(&seen), Arc::clone(&seen));
    push(
        &world.blobs,
        &image,
        &reference,
        Arc::new(move |progress| sink.lock().unwrap().push(progress)),
    )
    .await
    .unwrap();
    let told = std::mem::take(&mut *seen.lock().unwrap());
    assert!(told.iter().all(|progress| !progress.existed));
    assert_eq!(
        told.iter()
            .filter(|progress| progress.sent == progress.size)
            .count(),
        4
    );

    let blobs = fresh(&world, "pulled");
    let pulled = pull(&reference, PLATFORM, &blobs).await.unwrap();
    assert_eq!(pulled, image);
    assert!(pulled.is_whole(&blobs));
    for digest in pulled.blobs() {
        blobs.verify(&digest).unwrap();
    }
    let by_digest = reference.at_digest(image.digest);
    assert_eq!(
        pull(&by_digest, PLATFORM, &fresh(&world, "by-digest"))
            .await
            .unwrap(),
        image
    );

    push(
        &world.blobs,
        &image,
        &registry.reference("team/app:2"),
        Arc::new(move |progress| again.lock().unwrap().push(progress)),
    )
    .await
    .unwrap();
    let told = seen.lock().unwrap();
    assert!(
        told.len() == 4 && told.iter().all(|progress| progress.existed),
        "nothing is sent twice"
    );
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let Some(registry) = registry("") else { return };
    let world = world();
    let absent = pull(&registry.reference("absent:1"), PLATFORM, &world.blobs)
        .await
        .unwrap_err();
    let said = absent.to_string().replace(&registry.address, "REGISTRY");
    insta::assert_snapshot!(said, @"cannot pull REGISTRY/absent:1: the registry has no such image");

    let address = registry.address.clone();
    drop(registry);
    let gone: Reference = format!("{address}/app:1").parse().unwrap();
    let error = pull(&gone, PLATFORM, &world.blobs).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn a_registry_that_wants_credentials_says_how_to_give_them() {
    let Some(registry) =
        registry("auth:\n  htpasswd:\n    realm: test\n    path: FOLDER/htpasswd\n")
    else {
        return;
    };
    let world = world();
    let error = pull(&registry.reference("app:1"), PLATFORM, &world.blobs)
        .await
        .unwrap_err();
    let said =
        format!("{error}\n{}", error.remedy().unwrap()).replace(&registry.address, "REGISTRY");
    insta::assert_snapshot!(said, @r"
    REGISTRY did not let us pull REGISTRY/app:1: it wants credentials, and there are none for it
    log in: docker login REGISTRY
    ");
    let error = push(
        &world.blobs,
        &application(&world),
        &registry.reference("app:1"),
        silent(),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_that_lies_is_refused_and_leaves_nothing() {
    let Some(registry) = registry("") else { return };
    let world = world();
    let image = application(&world);
    let reference = registry.reference("app:1");
    push(&world.blobs, &image, &reference, silent())
        .await
        .unwrap();
    let hex = image.layers()[2].digest.hex();
    let stored = registry.folder.path().join(format!(
        "storage/docker/registry/v2/blobs/sha256/{}/{hex}/data",
        &hex[..2]
    ));
    let mut content = std::fs::read(&stored).unwrap();
    content[20] ^= 1;
    std::fs::write(&stored, content).unwrap();
    let blobs = fresh(&world, "pulled");
    pull(&reference, PLATFORM, &blobs).await.unwrap_err();
    let whole: Vec<_> = image.blobs().map(|digest| digest.hex()).collect();
    for left in std::fs::read_dir(blobs.root().join("sha256")).unwrap() {
        let name = left.unwrap().file_name().into_string().unwrap();
        assert!(whole.contains(&name) && name != hex, "{name} is left");
    }
    assert!(
        !blobs.contains(&image.digest),
        "a manifest is here only with its parts"
    );
}

/// Servers drive these from tasks that move between threads.
#[test]
fn pull_and_push_can_be_spawned() {
    fn is_send(_: impl Send) {}
    let world = world();
    let image: Image = application(&world);
    let reference: Reference = "a.invalid/b".parse().unwrap();
    is_send(pull(&reference, PLATFORM, &world.blobs));
    is_send(push(&world.blobs, &image, &reference, silent()));
}

#[tokio::test]
async fn what_is_attached_travels_with_the_image_where_the_registry_has_no_api_for_it() {
    let Some(registry) = registry("") else { return };
    let world = world();
    let image = application(&world);
    let reference = registry.reference("team/app:1");
    push(&world.blobs, &image, &reference, silent())
        .await
        .unwrap();
    let nothing = pull_referrers(&reference, &image.digest, &world.blobs).await;
    assert_eq!(nothing.unwrap(), []);

    let (_, first) = attach(&world, &image, "first");
    let (referrers, _) = attach(&world, &image, "second");
    // One after the other, as two builders would: none takes the place of the other.
    push_referrers(&world.blobs, &image, &[first], &reference)
        .await
        .unwrap();
    for _ in 0..2 {
        let listed = referrers.list(&image.digest).unwrap();
        push_referrers(&world.blobs, &image, &listed, &reference)
            .await
            .unwrap();
    }
    let blobs = fresh(&world, "pulled");
    let mut pulled = pull_referrers(&reference, &image.digest, &blobs)
        .await
        .unwrap();
    pulled.sort_by_key(|referrer| referrer.digest);
    let mut expected = referrers.list(&image.digest).unwrap();
    expected.sort_by_key(|referrer| referrer.digest);
    assert_eq!(pulled, expected);
    assert_eq!(pulled.len(), 2);

    // Where cosign looks: an image whose layers are the envelopes.
    let tag = format!("team/app:sha256-{}.att", image.digest.hex());
    let cosign = pull(&registry.reference(&tag), PLATFORM, &blobs)
        .await
        .unwrap();
    assert_eq!(cosign.layers().len(), 2);
    for layer in cosign.layers() {
        assert_eq!(
            layer.annotations["predicateType"],
            "https://example.test/predicate"
        );
        assert_eq!(layer.annotations["dev.cosignproject.cosign/signature"], "");
    }
}
