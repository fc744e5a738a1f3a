//! Push in pieces: what an upload holds is known at every moment, and outlives the stack's end.

use reqwest::{Body, Method};

use super::{BYTES, noise, sha256, with};
use crate::world::{Door, World};

const SIZE: usize = 100_000;

/// Pushes all but the last piece, and returns where it goes on.
async fn begun(door: &Door, content: &[u8]) -> String {
    let mut location = door.begin("team/app").await;
    for (from, until) in [(0, 40_000), (40_000, 80_000)] {
        let range = format!("{from}-{}", until - 1);
        let sent = door.piece(&location, &range, &content[from..until]).await;
        let sent = sent.with(202);
        let said = format!("0-{}", until - 1);
        assert_eq!(sent.header("range"), Some(&*said));
        location = sent.location();
    }
    location
}

/// What the registry says it has of an upload.
async fn held(door: &Door, location: &str) -> (String, String) {
    let reply = door.pull(location).await.with(204);
    let range = reply.header("range").unwrap().to_owned();
    (range, reply.location())
}

#[tokio::test]
async fn a_blob_is_pushed_in_pieces_the_last_of_which_may_come_with_the_end() {
    let world = World::new().await;
    for last in [true, false] {
        let content = noise(SIZE, u64::from(last));
        let digest = sha256(&content);
        let location = begun(&world, &content).await;
        let rest = &content[80_000..];
        let put = if last {
            let request = world
                .ask(Method::PUT, &with(&location, &format!("digest={digest}")))
                .header("content-type", BYTES)
                .header("content-range", "80000-99999");
            world.reply(request.body(rest.to_vec())).await
        } else {
            let sent = world.piece(&location, "80000-99999", rest).await.with(202);
            world.close(&sent.location(), &digest, b"").await
        };
        let there = put.with(201).location();
        assert_eq!(world.pull(&there).await.with(200).body, content);
        // What is closed is no upload any more.
        world
            .pull(&location)
            .await
            .refused(404, "BLOB_UPLOAD_UNKNOWN");
        let again = world.close(&location, &digest, b"").await;
        again.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    world.end().await;
}

#[tokio::test]
async fn a_blob_is_streamed_without_saying_how_long_it_is() {
    let world = World::new().await;
    let content = noise(SIZE, 3);
    let location = world.begin("team/app").await;
    let pieces: Vec<_> = content.chunks(7000).map(<[u8]>::to_vec).collect();
    let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    let request = world
        .ask(Method::PATCH, &location)
        .header("content-type", BYTES);
    let sent = world
        .reply(request.body(Body::wrap_stream(pieces)))
        .await
        .with(202);
    assert_eq!(sent.header("range"), Some("0-99999"));
    let digest = sha256(&content);
    let put = world.close(&sent.location(), &digest, b"").await.with(201);
    assert_eq!(world.pull(&put.location()).await.with(200).body, content);
    world.end().await;
}

#[tokio::test]
async fn the_place_of_an_upload_holds_an_id_that_is_its_own() {
    let world = World::new().await;
    let (one, two) = (world.begin("team/app").await, world.begin("team/app").await);
    assert_ne!(one, two);
    let id = one.split(['/', '?']).find(|part| part.len() >= 32);
    let id = id.expect("an id").replace('-', "");
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    world.end().await;
}

#[tokio::test]
async fn a_piece_out_of_order_is_416_and_the_upload_says_where_it_is() {
    let world = World::new().await;
    let content = noise(SIZE, 4);
    let location = begun(&world, &content).await;
    for (range, piece) in [
        ("80001-99999", &content[80_001..]),
        ("79999-99999", &content[79_999..]),
        ("0-39999", &content[..40_000]),
        ("40000-79999", &content[40_000..80_000]),
    ] {
        world.piece(&location, range, piece).await.with(416);
        let request = world
            .ask(
                Method::PUT,
                &with(&location, &format!("digest={}", sha256(&content))),
            )
            .header("content-range", range)
            .body(piece.to_vec());
        world.reply(request).await.with(416);
        let (range, _) = held(&world, &location).await;
        assert_eq!(range, "0-79999", "nothing of it was kept");
    }
    let (_, location) = held(&world, &location).await;
    let put = world
        .close(&location, &sha256(&content), &content[80_000..])
        .await;
    let there = put.with(201).location();
    assert_eq!(world.pull(&there).await.body, content);
    // The first piece begins with 0.
    let fresh = world.begin("team/app").await;
    world.piece(&fresh, "1-5", &content[1..6]).await.with(416);
    let sent = world.piece(&fresh, "0-4", &content[..5]).await.with(202);
    assert_eq!(sent.header("range"), Some("0-4"));
    world.end().await;
}

#[tokio::test]
async fn a_range_that_does_not_fit_its_piece_is_refused() {
    let world = World::new().await;
    let content = noise(100, 5);
    let location = world.begin("team/app").await;
    for range in [
        "0-98",
        "0-100",
        "5-0",
        "-",
        "x",
        "0-",
        "0-18446744073709551615",
    ] {
        let reply = world.piece(&location, range, &content).await;
        let status = reply.status.as_u16();
        assert!(status == 400 || status == 416, "{range}: {reply:?}");
        let code = reply.json()["errors"][0]["code"].clone();
        let known = ["BLOB_UPLOAD_INVALID", "SIZE_INVALID"];
        assert!(known.contains(&code.as_str().unwrap()), "{range}: {code}");
    }
    // And nothing of it is in the way.
    let sent = world.piece(&location, "0-99", &content).await.with(202);
    let put = world.close(&sent.location(), &sha256(&content), b"").await;
    assert_eq!(world.pull(&put.with(201).location()).await.body, content);
    world.end().await;
}

#[tokio::test]
async fn an_upload_goes_on_after_the_stack_has_ended_and_come_back() {
    let world = World::new().await;
    let content = noise(SIZE, 6);
    let location = begun(&world, &content).await;
    let untouched = world.begin("team/app").await;
    let world = World::over(world.end().await).await;
    let (range, location) = held(&world, &location).await;
    assert_eq!(range, "0-79999");
    let sent = world
        .piece(&location, "80000-99999", &content[80_000..])
        .await
        .with(202);
    let put = world.close(&sent.location(), &sha256(&content), b"").await;
    let there = put.with(201).location();
    assert_eq!(world.pull(&there).await.with(200).body, content);
    world.close(&untouched, &sha256(b"x"), b"x").await.with(201);
    world.end().await;
}

#[tokio::test]
async fn a_cancelled_upload_is_gone() {
    let world = World::new().await;
    let content = noise(SIZE, 7);
    let location = begun(&world, &content).await;
    world.remove(&location).await.with(204);
    for reply in [
        world.pull(&location).await,
        world.remove(&location).await,
        world
            .piece(&location, "80000-99999", &content[80_000..])
            .await,
        world.close(&location, &sha256(&content), b"").await,
    ] {
        reply.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    let path = format!("/v2/team/app/blobs/{}", sha256(&content));
    world.pull(&path).await.with(404);
    world.end().await;
}

#[tokio::test]
async fn an_upload_is_its_repositorys_alone() {
    let world = World::new().await;
    let location = world.begin("team/app").await;
    let elsewhere = location.replace("team/app", "other");
    assert_ne!(location, elsewhere);
    for reply in [
        world.pull(&elsewhere).await,
        world.piece(&elsewhere, "0-0", b"x").await,
        world.close(&elsewhere, &sha256(b"x"), b"x").await,
        world.remove(&elsewhere).await,
    ] {
        reply.refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
    assert_eq!(held(&world, &location).await.1, location);
    world.close(&location, &sha256(b"x"), b"x").await.with(201);
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_was_closed_wrongly_does_not_come_to_be() {
    let world = World::new().await;
    let content = noise(SIZE, 8);
    let location = begun(&world, &content).await;
    let put = world.close(&location, &sha256(&content), b"").await;
    put.refused(400, "DIGEST_INVALID");
    let path = format!("/v2/team/app/blobs/{}", sha256(&content));
    world.pull(&path).await.with(404);
    world.end().await;
}

#[tokio::test]
async fn two_clients_push_the_same_blob_at_once() {
    let world = World::new().await;
    let content = noise(SIZE, 9);
    let digest = sha256(&content);
    let pushes = (0..8).map(async |number| {
        let repository = format!("team/app{}", number % 2);
        let location = world.begin(&repository).await;
        world.close(&location, &digest, &content).await.with(201)
    });
    futures_util::future::join_all(pushes).await;
    for repository in ["team/app0", "team/app1"] {
        let pulled = world
            .pull(&format!("/v2/{repository}/blobs/{digest}"))
            .await;
        assert_eq!(pulled.with(200).body, content);
    }
    world.end().await;
}
