//! Puts a load on a registry, the same bytes on each, and prints a figure a line; `benches/registry` compares them.
//!
//!     registry_load layer ADDRESS SEED MIB            push, pull: MiB/s
//!     registry_load images ADDRESS SEED COUNT         images of 20 small layers by 8 clients: images/s
//!     registry_load requests ADDRESS SEED SECONDS     HEAD by tag and GET by digest of those images: requests/s, p99 in µs
//!     registry_load fill ADDRESS COUNT                small manifests, each with a tag: manifests/s
//!
//! `REGISTRY_TOKEN` is the password of the user `ergon`.

mod client;

use std::cell::Cell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::try_join_all;
use hyper::{Method, StatusCode};

use client::{Blob, CONFIG, Client, LAYER, MANIFEST, Outcome};

const CLIENTS: usize = 8;
const LAYERS: u64 = 20;
const SMALL: usize = 16 << 10;
/// Manifests of one repository, where many are stored.
const SHELF: usize = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["layer", address, seed, mib] => layer(address, seed.parse()?, mib.parse()?).await,
        ["images", address, seed, count] => images(address, seed.parse()?, count.parse()?).await,
        ["requests", address, seed, seconds] => {
            let time = Duration::from_secs(seconds.parse()?);
            requests(address, seed.parse()?, time).await
        }
        ["fill", address, count] => fill(address, count.parse()?).await,
        _ => Err("registry_load layer|images|requests|fill ADDRESS …; see its first lines".into()),
    }
}

fn say(name: &str, figure: f64) -> Outcome<()> {
    writeln!(std::io::stdout(), "{name} {figure:.2}")?;
    Ok(())
}

async fn layer(address: &str, seed: u64, mib: usize) -> Outcome<()> {
    let repository = format!("bench/layer-{seed}");
    let blob = Blob::noise(mib << 20, seed);
    let mut client = Client::connect(address).await?;
    let begin = Instant::now();
    client.push_blob(&repository, &blob).await?;
    say("push", mib as f64 / begin.elapsed().as_secs_f64())?;
    let begin = Instant::now();
    client.drain_blob(address, &repository, &blob)?;
    say("pull", mib as f64 / begin.elapsed().as_secs_f64())?;
    client.pull_blob(&repository, &blob).await
}

fn image(seed: u64, number: u64) -> (Vec<Blob>, Blob, Bytes) {
    let layers: Vec<Blob> = (0..LAYERS)
        .map(|layer| Blob::noise(SMALL, (seed << 32) + number * LAYERS + layer))
        .collect();
    let config = serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| &layer.digest).collect::<Vec<_>>() },
    });
    let config = Blob::new(config.to_string().into());
    let manifest = manifest(&config, &layers, &number.to_string());
    (layers, config, manifest)
}

fn manifest(config: &Blob, layers: &[Blob], number: &str) -> Bytes {
    let layers: Vec<_> = layers.iter().map(|layer| layer.descriptor(LAYER)).collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(CONFIG),
        "layers": layers,
        "annotations": { "org.opencontainers.image.version": number },
    });
    manifest.to_string().into()
}

async fn images(address: &str, seed: u64, count: u64) -> Outcome<()> {
    // Made before the clock runs: it is the registry that is measured.
    let made: Vec<_> = (0..count).map(|number| image(seed, number)).collect();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(address).await?);
    }
    let next = Cell::new(0);
    let begin = Instant::now();
    try_join_all(clients.into_iter().map(async |mut client| {
        loop {
            let number = next.replace(next.get() + 1);
            let Some((layers, config, manifest)) = made.get(number) else {
                break Outcome::Ok(());
            };
            let repository = format!("bench/images-{seed}-{number}");
            for blob in layers.iter().chain([config]) {
                client.push_blob(&repository, blob).await?;
            }
            let manifest = manifest.clone();
            client.push_manifest(&repository, "v1", manifest).await?;
        }
    }))
    .await?;
    say("images", count as f64 / begin.elapsed().as_secs_f64())
}

async fn requests(address: &str, seed: u64, time: Duration) -> Outcome<()> {
    let mut first = Client::connect(address).await?;
    let (mut tags, mut digests) = (Vec::new(), Vec::new());
    for number in 0.. {
        let repository = format!("/v2/bench/images-{seed}-{number}/manifests");
        let tag = format!("{repository}/v1");
        let answer = first.send(Method::HEAD, &tag, "", Bytes::new()).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            break;
        }
        let digest = answer.headers().get("docker-content-digest");
        let digest = digest.ok_or("no Docker-Content-Digest")?.to_str()?;
        digests.push(format!("{repository}/{digest}"));
        tags.push(tag);
    }
    if tags.is_empty() {
        return Err("there are no images of that seed".into());
    }
    for (name, method, targets) in [
        ("head", Method::HEAD, &tags),
        ("get", Method::GET, &digests),
    ] {
        let begin = Instant::now();
        let taken = try_join_all((0..CLIENTS).map(async |number| {
            let mut client = Client::connect(address).await?;
            let mut taken = Vec::new();
            for target in targets
                .iter()
                .cycle()
                .skip(number * targets.len() / CLIENTS)
            {
                let asked = Instant::now();
                if asked - begin >= time {
                    break;
                }
                client
                    .expect(StatusCode::OK, method.clone(), target, "", Bytes::new())
                    .await?;
                taken.push(asked.elapsed());
            }
            Outcome::Ok(taken)
        }))
        .await?;
        let mut taken: Vec<Duration> = taken.into_iter().flatten().collect();
        taken.sort_unstable();
        say(name, taken.len() as f64 / begin.elapsed().as_secs_f64())?;
        let p99 = taken[taken.len() * 99 / 100];
        say(&format!("{name}-p99"), p99.as_secs_f64() * 1e6)?;
    }
    Ok(())
}

async fn fill(address: &str, count: usize) -> Outcome<()> {
    let begin = Instant::now();
    let shelves: Vec<usize> = (0..count.div_ceil(SHELF)).collect();
    let next = Cell::new(0);
    try_join_all((0..CLIENTS).map(async |_| {
        let mut client = Client::connect(address).await?;
        while let Some(shelf) = shelves.get(next.replace(next.get() + 1)) {
            let repository = format!("bench/shelf-{shelf}");
            let config = Blob::new(Bytes::from_static(b"{}"));
            let layer = Blob::noise(64, *shelf as u64);
            client.push_blob(&repository, &config).await?;
            client.push_blob(&repository, &layer).await?;
            let layer = [layer];
            for number in shelf * SHELF..count.min((shelf + 1) * SHELF) {
                let manifest = manifest(&config, &layer, &number.to_string());
                client
                    .push_manifest(&repository, &format!("v{number}"), manifest)
                    .await?;
            }
        }
        Outcome::Ok(())
    }))
    .await?;
    say("fill", count as f64 / begin.elapsed().as_secs_f64())
}
