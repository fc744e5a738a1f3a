//! What does not pass: tokens, providers and answers with one thing wrong with them.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::provider::{Fault, Provider};
use super::{
    begin, come_back, cookie, from_elsewhere, names, put, sign_in, signed_in, wanted, with_provider,
};
use crate::world::{Door, World, read, read_response};

#[tokio::test]
async fn what_is_wrong_with_a_token_is_found_and_nobody_is_let_in() {
    let (world, provider) = with_provider().await;
    let faults = [
        (Fault::Nonce, "this sign-in"),
        (Fault::NoNonce, "this sign-in"),
        (Fault::Audience, "somebody else"),
        (Fault::AnotherAudience, "somebody else"),
        (Fault::Party, "another client"),
        (Fault::Expired, "time"),
        (Fault::Old, "time"),
        (Fault::Future, "time"),
        (Fault::Issuer, "another issuer"),
        (Fault::NoSubject, "subject"),
        (Fault::AccessTokenHash, "access token"),
        (Fault::Unsigned, "not signed"),
        (Fault::HmacWithPublicKey, "proves nothing"),
        (Fault::HmacWithSecret, "proves nothing"),
        (Fault::ForeignKey, "signature is wrong"),
        (Fault::UnknownKey, "does not show"),
        (Fault::NoKeys, "does not show"),
        (Fault::BrokenSignature, "signature is wrong"),
        (Fault::Encrypted, ""),
        (Fault::NoIdToken, "no id token"),
        (Fault::Gibberish, "cannot be read"),
    ];
    for (number, (fault, why)) in (1..).zip(faults) {
        provider.does(fault);
        let refused = sign_in(&from_elsewhere(&world, number), &provider).await;
        assert!(cookie(&refused, "ergon_session").is_none(), "{fault:?}");
        let problem = read_response(refused).await.problem(401);
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{fault:?}: {problem}"
        );
    }
    assert_eq!(names(&world).await, ["owner"]);
    provider.does(Fault::None);
    signed_in(&world, &provider).await;
    world.end().await;
}

#[tokio::test]
async fn a_provider_that_is_none_is_not_taken_and_what_it_names_is_not_asked() {
    let (world, provider) = (World::new().await, Provider::start().await);
    let of_the_document = [
        (Fault::OtherIssuer, "another than was named"),
        (Fault::HugeDocument, "longer"),
        (Fault::DocumentElsewhere, "somewhere else"),
        (Fault::NoDocument, "discovery document"),
        (Fault::PlainAuthorization, "without TLS"),
        (Fault::OnlyHmac, "nothing that can be checked"),
    ];
    for (fault, why) in of_the_document {
        provider.does(fault);
        let refused = put(&world, &wanted(&provider)).await.problem(422);
        assert!(
            refused["detail"].as_str().unwrap().contains(why),
            "{fault:?}: {refused}"
        );
    }
    let nothing =
        json!({ "issuer": "http://127.0.0.1:9", "client_id": "a", "default_roles": ["viewer"] });
    put(&world, &nothing).await.problem(422);
    assert_eq!(
        world.get("/api/v1/identity-providers").await["items"],
        json!([])
    );

    provider.does(Fault::None);
    put(&world, &wanted(&provider)).await.success();
    // What it says later is as little believed.
    for (number, fault) in (1..).zip([
        Fault::PlainTokens,
        Fault::HugeToken,
        Fault::TokensElsewhere,
        Fault::OtherIssuer,
    ]) {
        provider.does(Fault::None);
        let door = from_elsewhere(&world, number);
        let (url, cookie) = begin(&door).await;
        let back = provider.back(&url);
        provider.does(fault);
        let refused = come_back(&door, &cookie, &back).send().await.unwrap();
        assert!(
            super::cookie(&refused, "ergon_session").is_none(),
            "{fault:?}"
        );
        read_response(refused).await.problem(503);
    }
    // And what it says of somebody only when asked.
    for (number, fault) in (10..).zip([
        Fault::UserInfoOfSomebodyElse,
        Fault::UserInfoGibberish,
        Fault::BadAccessToken,
    ]) {
        provider.says_late(json!({ "sub": "u-1", "groups": ["dev"] }));
        provider.does(fault);
        let refused = sign_in(&from_elsewhere(&world, number), &provider).await;
        assert!(cookie(&refused, "ergon_session").is_none(), "{fault:?}");
        read_response(refused).await.problem(401);
    }
    provider.end();
    let gone = world.anonymous(Method::POST, "/api/v1/sign-in/corp");
    // It was asked a moment ago; it is gone when its word is needed.
    let begun = read(gone).await;
    assert!(begun.status == 200 || begun.status == 503, "{begun:?}");
    world.end().await;
}

#[tokio::test]
async fn what_one_comes_back_with_counts_once_and_in_the_same_browser() {
    let (world, provider) = with_provider().await;
    let refused = async |door: &Door, cookie: &str, back: &Value| {
        let response = come_back(door, cookie, back).send().await.unwrap();
        assert!(
            super::cookie(&response, "ergon_session").is_none(),
            "{back}"
        );
        read_response(response).await.problem(401)
    };
    // Somebody else's link is nothing in this browser, and used up by the try.
    let door = from_elsewhere(&world, 1);
    let (url, cookie) = begin(&door).await;
    let back = provider.back(&url);
    refused(&door, "", &back).await;
    refused(&door, &cookie, &back).await;
    let (_, other) = begin(&door).await;
    let (url, _) = begin(&door).await;
    refused(&door, &other, &provider.back(&url)).await;

    let door = from_elsewhere(&world, 2);
    let (url, cookie) = begin(&door).await;
    let back = provider.back(&url);
    let come = come_back(&door, &cookie, &back).send().await.unwrap();
    read_response(come).await.success();
    refused(&door, &cookie, &back).await;

    // A code of another sign-in: the provider sees by the verifier that it is not this one's.
    let door = from_elsewhere(&world, 3);
    let (url, _) = begin(&door).await;
    let stolen = provider.back(&url)["code"].clone();
    let (url, cookie) = begin(&door).await;
    let mut back = provider.back(&url);
    back["code"] = stolen;
    refused(&door, &cookie, &back).await;

    // Another provider's answer, and one that does not say whose it is though it should.
    for issuer in [json!("https://login.example.com"), json!(null)] {
        let door = from_elsewhere(&world, 4);
        let (url, cookie) = begin(&door).await;
        let mut back = provider.back(&url);
        back["iss"] = issuer;
        refused(&door, &cookie, &back).await;
    }
    let door = from_elsewhere(&world, 5);
    let (_, cookie) = begin(&door).await;
    for state in ["", "x", &"x".repeat(5000)] {
        refused(&door, &cookie, &json!({ "state": state, "code": "x" })).await;
    }
    for mixed in [
        json!({ "returned": { "state": "x", "code": "y" }, "code": "z" }),
        json!({ "returned": { "state": "x", "code": "y" }, "name": "ada", "password": "z" }),
        json!({ "returned": { "state": "x" } }),
    ] {
        let request = world.anonymous(Method::POST, "/api/v1/session");
        let status = read(request.json(&mixed)).await.status;
        assert!(status == 400 || status == 422, "{mixed}: {status}");
    }
    // Whoever begins again and again is slowed down.
    let door = from_elsewhere(&world, 6);
    let mut last = 200;
    for _ in 0..30 {
        let request = door.anonymous(Method::POST, "/api/v1/sign-in/corp");
        last = request.send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
    world.end().await;
}

#[tokio::test]
async fn the_way_back_leads_here_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = ergon_server::Config {
        hosts: vec!["ergon.example.com".parse().unwrap()],
        ..crate::world::config(folder.path())
    };
    let (world, provider) = (World::with(folder, config).await, Provider::start().await);
    let kept = put(&world, &wanted(&provider)).await.success();
    let port = world.authority().split(':').nth(1).unwrap().to_owned();
    let addresses = ["localhost", "ergon.example.com"];
    let addresses = addresses.map(|host| format!("http://{host}:{port}/signed-in"));
    assert_eq!(kept["return_addresses"], json!(addresses));

    let ask = |host: &str, origin: Option<&str>, site: &str| {
        let request = world
            .anonymous(Method::POST, "/api/v1/sign-in/corp")
            .header(header::HOST, host)
            .header("sec-fetch-site", site);
        match origin {
            Some(origin) => request.header(header::ORIGIN, origin),
            None => request,
        }
    };
    for (host, origin, expected) in [
        ("localhost:9", None, "http://localhost:9/signed-in"),
        (
            "ergon.example.com",
            Some("https://ergon.example.com"),
            "https://ergon.example.com/signed-in",
        ),
        (
            "ergon.example.com",
            Some("https://evil.example"),
            "http://ergon.example.com/signed-in",
        ),
    ] {
        let begun = read(ask(host, origin, "same-origin")).await.success();
        let url: reqwest::Url = begun["url"].as_str().unwrap().parse().unwrap();
        let mut query = url.query_pairs();
        let (_, redirect) = query.find(|(name, _)| name == "redirect_uri").unwrap();
        assert_eq!(redirect, expected);
    }
    read(ask("evil.example", None, "same-origin"))
        .await
        .problem(421);
    read(ask("localhost", Some("https://evil.example"), "cross-site"))
        .await
        .problem(403);
    read(world.anonymous(Method::POST, "/api/v1/sign-in/nowhere"))
        .await
        .problem(404);
    world.end().await;
}
