//! Faults: clients that stall and vanish, uploads nobody finishes, a full disk, a power cut in the middle of
//! anything. What was acknowledged is there, what is served matches its digest, and uploads go on where they were.

use std::path::Path;
use std::process::Child;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::refusals::head;
use super::{BYTES, manifest, noise, sha256, with};
use crate::crash::start;
use crate::world::{Door, PATIENCE, World};

/// Sends this much of a body that was announced to be longer, and keeps the connection.
async fn half(door: &Door, method: &str, path: &str, announced: usize, sent: &[u8]) -> TcpStream {
    let more = format!("Content-Type: {BYTES}\r\nContent-Length: {announced}\r\n");
    let mut stream = TcpStream::connect(door.authority()).await.unwrap();
    let head = head(door, method, path, &more);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream.flush().await.unwrap();
    stream
}

/// How much the registry has of an upload, once nobody writes to it any more.
async fn length_of(door: &Door, location: &str) -> usize {
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let reply = door.pull(location).await;
        if reply.status == 409 && tokio::time::Instant::now() < patience {
            // It has not noticed yet that the one who wrote is gone.
            tokio::task::yield_now().await;
            continue;
        }
        let reply = reply.with(204);
        let range = reply.header("range").unwrap();
        // Nothing and one byte are both `0-0`.
        let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
        break if last == 0 { 0 } else { last + 1 };
    }
}

#[tokio::test]
async fn a_client_that_stalls_is_in_nobodys_way() {
    let world = World::new().await;
    let content = noise(1 << 20, 1);
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let location = world.begin("team/app").await;
        let path = with(&location, &format!("digest={}", sha256(&content)));
        stalled.push(half(&world, "PUT", &path, content.len(), &content[..1000]).await);
        let path = format!("/v2/team/app/manifests/{}", stalled.len());
        stalled.push(half(&world, "PUT", &path, 1000, b"{").await);
    }
    let image = world.image("team/app", "1.0", "unhindered").await;
    let pulled = world.pull("/v2/team/app/manifests/1.0").await.with(200);
    assert_eq!(pulled.body, image);
    drop(stalled);
    world.end().await;
}

#[tokio::test]
async fn what_a_client_sent_before_it_vanished_is_not_lost() {
    let world = World::new().await;
    let content = noise(3 << 20, 2);
    let location = world.begin("team/app").await;
    let stream = half(
        &world,
        "PATCH",
        &location,
        content.len(),
        &content[..2 << 20],
    )
    .await;
    drop(stream);
    // It says how much it has, and goes on from there.
    let held = length_of(&world, &location).await;
    assert!(held <= 2 << 20);
    let range = format!("{held}-{}", content.len() - 1);
    let sent = world.piece(&location, &range, &content[held..]).await;
    let sent = sent.with(202);
    let put = world.close(&sent.location(), &sha256(&content), b"").await;
    let there = put.with(201).location();
    assert_eq!(world.pull(&there).await.with(200).body, content);
    world.end().await;
}

#[tokio::test]
async fn a_thousand_half_done_uploads_cost_little_and_all_go_on() {
    let world = World::new().await;
    let mut locations = Vec::new();
    for number in 0..1000 {
        let location = world.begin(&format!("team/app{}", number % 10)).await;
        let sent = world.piece(&location, "0-0", b"a").await.with(202);
        locations.push(sent.location());
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 300, "{open} files are held open");
    let world = World::over(world.end().await).await;
    let digest = sha256(b"ab");
    for location in locations.iter().step_by(97) {
        world.close(location, &digest, b"b").await.with(201);
    }
    for location in locations.iter().skip(1).step_by(97) {
        world.remove(location).await.with(204);
    }
    world.image("team/app", "1", "beside them").await;
    world.end().await;
}

/// The stack of a process of its own, which can be killed.
struct Victim {
    child: Child,
    door: Door,
}

impl Victim {
    fn start(folder: &Path) -> Self {
        let child = start(folder);
        let door = Door::of(&folder.join("data"));
        Self { child, door }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn an_upload_cut_off_by_a_power_cut_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let content = noise(4 << 20, 3);
    let digest = sha256(&content);
    let victim = Victim::start(folder.path());
    let door = &victim.door;
    let location = door.begin("team/app").await;
    let acknowledged = 1 << 20;
    let range = format!("0-{}", acknowledged - 1);
    let sent = door
        .piece(&location, &range, &content[..acknowledged])
        .await;
    let location = sent.with(202).location();
    // In the middle of a piece.
    let rest = content.len() - acknowledged;
    let piece = &content[acknowledged..3 << 20];
    let _stream = half(door, "PATCH", &location, rest, piece).await;
    victim.kill();

    let victim = Victim::start(folder.path());
    let door = &victim.door;
    let held = length_of(door, &location).await;
    assert!((acknowledged..=3 << 20).contains(&held), "{held}");
    // In the middle of the end.
    let put = with(&location, &format!("digest={digest}"));
    let _stream = half(
        door,
        "PUT",
        &put,
        content.len() - held,
        &content[held..3 << 20],
    )
    .await;
    victim.kill();

    let victim = Victim::start(folder.path());
    let door = &victim.door;
    let blob = format!("/v2/team/app/blobs/{digest}");
    door.pull(&blob).await.with(404);
    let held = length_of(door, &location).await;
    assert!((acknowledged..=3 << 20).contains(&held), "{held}");
    let range = format!("{held}-{}", content.len() - 1);
    let sent = door
        .piece(&location, &range, &content[held..])
        .await
        .with(202);
    door.close(&sent.location(), &digest, b"").await.with(201);
    victim.kill();

    let victim = Victim::start(folder.path());
    assert_eq!(victim.door.pull(&blob).await.with(200).body, content);
    victim.kill();
}

/// One client that pushes image after image until nobody answers, and what it was told is kept.
async fn push_until_the_end(
    door: &Door,
    client: usize,
    round: usize,
    acknowledged: &UnboundedSender<()>,
) -> Vec<(String, Vec<u8>)> {
    let mut kept = Vec::new();
    let repository = format!("client{client}");
    let send = async |method: Method, path: &str, kind: &'static str, body: Vec<u8>| {
        let request = door.ask(method, path).header("content-type", kind);
        let response = request.body(body).send().await.ok()?;
        let status = response.status().as_u16();
        assert!([200, 201, 202].contains(&status), "{path}: {response:?}");
        let _ = acknowledged.send(());
        let location = response
            .headers()
            .get("location")?
            .to_str()
            .ok()?
            .to_owned();
        Some(location)
    };
    for number in 0.. {
        let seed = ((round * 100 + client) * 10_000 + number) as u64;
        let blobs = [noise(20_000, seed), seed.to_string().into_bytes()];
        for blob in &blobs {
            let digest = sha256(blob);
            let uploads = format!("/v2/{repository}/blobs/uploads/");
            let pushed = async {
                let place = send(Method::POST, &uploads, BYTES, Vec::new()).await?;
                let place = send(Method::PATCH, &place, BYTES, blob.clone()).await?;
                let end = with(&place, &format!("digest={digest}"));
                send(Method::PUT, &end, BYTES, Vec::new()).await
            };
            if pushed.await.is_none() {
                return kept;
            }
            kept.push((format!("/v2/{repository}/blobs/{digest}"), blob.clone()));
        }
        let image = manifest(&blobs[1], &[&blobs[0]]).to_string().into_bytes();
        let path = format!("/v2/{repository}/manifests/{round}-{number}");
        let put = send(Method::PUT, &path, super::MANIFEST, image.clone()).await;
        if put.is_none() {
            return kept;
        }
        kept.push((path, image.clone()));
        kept.push((
            format!("/v2/{repository}/manifests/{}", sha256(&image)),
            image,
        ));
    }
    kept
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_power_cut_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..6 {
        let victim = Victim::start(folder.path());
        // What was acknowledged before any of the power cuts.
        for (path, content) in &kept {
            let reply = victim.door.pull(path).await;
            assert!(
                reply.status == 200 && reply.body == *content,
                "{path}: {reply:?}"
            );
        }
        let door = Door::of(&folder.path().join("data"));
        let (acknowledged, mut heard) = unbounded_channel();
        let pushing = tokio::spawn(async move {
            let push = |client| push_until_the_end(&door, client, round, &acknowledged);
            futures_util::future::join_all((0..4).map(push)).await
        });
        // At another step every time: one client has just been answered, the others are in the middle of theirs.
        for _ in 0..31 + 17 * round {
            heard.recv().await.expect("the clients push on");
        }
        victim.kill();
        let pushed: Vec<_> = pushing.await.unwrap().into_iter().flatten().collect();
        assert!(pushed.len() > 2, "{pushed:?}");
        kept.extend(pushed);
    }
    let victim = Victim::start(folder.path());
    for (path, content) in &kept {
        assert_eq!(
            victim.door.pull(path).await.with(200).body,
            *content,
            "{path}"
        );
    }
    // And whatever else is served is what its name says, and complete.
    for client in 0..4 {
        let list = victim
            .door
            .pull(&format!("/v2/client{client}/tags/list"))
            .await
            .json();
        for tag in list["tags"].as_array().unwrap() {
            let path = format!("/v2/client{client}/manifests/{}", tag.as_str().unwrap());
            let reply = victim.door.pull(&path).await.with(200);
            let said = reply.header("docker-content-digest").unwrap();
            assert_eq!(said, sha256(&reply.body));
            let image = reply.json();
            for part in [&image["config"], &image["layers"][0]] {
                let digest = part["digest"].as_str().unwrap();
                let path = format!("/v2/client{client}/blobs/{digest}");
                assert_eq!(
                    sha256(&victim.door.pull(&path).await.with(200).body),
                    digest
                );
            }
        }
    }
    victim.kill();
}

#[tokio::test]
async fn what_does_not_match_its_digest_on_the_disk_is_not_served_as_if_it_did() {
    let world = World::new().await;
    let content = noise(200_000, 4);
    let digest = world.blob("team/app", &content).await;
    let file = world.data().join("blobs/sha256").join(&digest[7..]);
    // Cut short, as a disk that lost its last writes has it.
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(100_000)
        .unwrap();
    let mut stream = TcpStream::connect(world.authority()).await.unwrap();
    let path = format!("/v2/team/app/blobs/{digest}");
    let head = head(&world, "GET", &path, "Connection: close\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).unwrap();
    let whole = answer
        .to_ascii_lowercase()
        .contains("content-length: 100000\r\n");
    assert!(status != "200" || !whole, "a part is served as the whole");
    world.end().await;
}

#[tokio::test]
async fn a_push_takes_the_place_of_what_the_disk_has_changed() {
    let world = World::new().await;
    let layer = noise(70_000, 9);
    let digest = world.blob("app", &layer).await;
    let file = world
        .data()
        .join("blobs/sha256")
        .join(digest.strip_prefix("sha256:").unwrap());
    let mut damaged = layer.clone();
    damaged[7] ^= 1;
    let folder = world.end().await;
    std::fs::write(&file, &damaged).unwrap();
    let world = World::over(folder).await;
    world.blob("app", &layer).await;
    assert_eq!(std::fs::read(&file).unwrap(), layer);
    let pulled = world
        .pull(&format!("/v2/app/blobs/{digest}"))
        .await
        .with(200);
    assert_eq!(pulled.body, layer);
}
