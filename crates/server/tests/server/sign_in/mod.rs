//! Signing in with accounts of other systems: who gets in, as whom and as what, and who does not.

mod authenticator;
mod checks;
mod passkeys;
mod provider;

use reqwest::{Method, RequestBuilder, Response, header};
use serde_json::{Value, json};

use self::provider::{CLIENT, Provider, SECRET};
use crate::world::{Answer, Door, PATIENCE, World, read, read_response};

const PROVIDER: &str = "/api/v1/identity-providers/corp";

fn wanted(provider: &Provider) -> Value {
    json!({
        "title": "Corp", "issuer": provider.issuer(), "client_id": CLIENT, "client_secret": SECRET,
        "roles": { "dev": ["developer"], "ops": ["operator"], "boss": ["owner"] },
    })
}

async fn put(world: &World, body: &Value) -> Answer {
    read(world.request(Method::PUT, PROVIDER).json(body)).await
}

async fn with_provider() -> (World, Provider) {
    let (world, provider) = (World::new().await, Provider::start().await);
    put(&world, &wanted(&provider)).await.success();
    (world, provider)
}

/// Sends somebody to the provider: where they are sent, and what their browser keeps.
async fn begin(world: &Door) -> (String, String) {
    let request = world.anonymous(Method::POST, "/api/v1/sign-in/corp");
    let response = request.send().await.unwrap();
    let cookie = cookie(&response, "ergon_sign_in").unwrap();
    let begun = read_response(response).await.success();
    (begun["url"].as_str().unwrap().to_owned(), cookie)
}

/// `name=value`, of a cookie that an answer sets.
fn cookie(response: &Response, name: &str) -> Option<String> {
    let set = response.headers().get_all(header::SET_COOKIE).iter();
    let mut set = set.map(|cookie| cookie.to_str().unwrap());
    let cookie = set.find(|cookie| cookie.starts_with(&format!("{name}=")))?;
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    Some(cookie.split_once(';').unwrap().0.to_owned())
}

fn come_back(world: &Door, cookie: &str, back: &Value) -> RequestBuilder {
    world
        .anonymous(Method::POST, "/api/v1/session")
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .json(&json!({ "returned": back }))
}

/// The whole way there and back.
async fn sign_in(world: &Door, provider: &Provider) -> Response {
    let (url, cookie) = begin(world).await;
    come_back(world, &cookie, &provider.back(&url))
        .send()
        .await
        .unwrap()
}

async fn signed_in(world: &Door, provider: &Provider) -> Value {
    read_response(sign_in(world, provider).await)
        .await
        .success()
}

/// The same stack, asked from another address of this machine: tries are counted by address.
fn from_elsewhere(world: &Door, number: u8) -> Door {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(PATIENCE)
        .local_address(std::net::IpAddr::from([127, 0, 7, number]));
    Door {
        url: world.url.clone(),
        token: world.token.clone(),
        client: client.build().unwrap(),
    }
}

async fn names(world: &World) -> Vec<String> {
    let people = world.get("/api/v1/people").await;
    let people = people["items"].as_array().unwrap().iter();
    people
        .map(|person| person["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn whoever_has_a_group_comes_in_as_what_it_is_and_stays_who_they_are() {
    let (world, provider) = with_provider().await;
    let ways = world.anonymous(Method::GET, "/api/v1/sign-in");
    let ways = read(ways).await.success();
    assert_eq!(
        ways["providers"],
        json!([{ "name": "corp", "title": "Corp" }])
    );

    let response = sign_in(&world, &provider).await;
    let session = cookie(&response, "ergon_session").unwrap();
    assert_eq!(
        cookie(&response, "ergon_sign_in").unwrap(),
        "ergon_sign_in=",
        "it is used up"
    );
    let me = read_response(response).await.success();
    assert_eq!(
        (&me["principal"], &me["roles"]),
        (&json!("ada"), &json!(["developer"]))
    );
    let ask = |path: &str| {
        let request = world.anonymous(Method::GET, path);
        request.header(header::COOKIE, &session)
    };
    read(ask("/api/v1/projects")).await.success();
    read(ask("/api/v1/people")).await.problem(403);
    let sessions = read(ask("/api/v1/people/ada/sessions")).await.success();
    let times = ["created_at", "expires_at"].map(|time| {
        let time = sessions["items"][0][time].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap().as_second()
    });
    assert_eq!(
        times[1] - times[0],
        12 * 60 * 60,
        "whoever is let go there is soon out here"
    );
    // What would let her in without anybody there being asked is not hers to have.
    let change = |method: Method, path: &str| {
        let request = world.anonymous(method, path);
        let request = request.header(header::COOKIE, &session);
        request.header("sec-fetch-site", "same-origin")
    };
    let password = change(Method::PUT, "/api/v1/people/ada/password");
    let password = password.json(&json!({ "new": "a sentence nobody guesses" }));
    read(password).await.problem(403);
    read(change(Method::POST, "/api/v1/session/code"))
        .await
        .problem(403);
    let person = world.get("/api/v1/people/ada").await;
    assert_eq!(
        person["accounts"],
        json!([{ "issuer": provider.issuer(), "subject": "u-1" }])
    );

    // She is called otherwise there now, and is something else.
    provider.says(json!({ "sub": "u-1", "preferred_username": "grace", "groups": ["ops", "x"] }));
    let me = signed_in(&world, &provider).await;
    assert_eq!(
        (&me["principal"], &me["roles"]),
        (&json!("ada"), &json!(["operator"]))
    );
    assert_eq!(names(&world).await, ["ada", "owner"]);

    // It is remembered.
    let world = World::over(world.end().await).await;
    provider.says_late(json!({ "sub": "u-1", "groups": ["boss"] }));
    let me = signed_in(&world, &provider).await;
    assert_eq!(
        (&me["principal"], &me["roles"]),
        (&json!("ada"), &json!(["owner"]))
    );
    world.end().await;
}

#[tokio::test]
async fn nobody_becomes_somebody_else_by_name_or_address() {
    let (world, provider) = with_provider().await;
    for name in ["grace", "bob"] {
        let wanted = json!({ "name": name, "roles": ["owner"] });
        world.post("/api/v1/people", wanted).await.success();
    }
    for (subject, claims, name) in [
        (
            "u-1",
            json!({ "preferred_username": "grace" }),
            "grace.corp",
        ),
        (
            "u-2",
            json!({ "preferred_username": "grace" }),
            "grace.corp-2",
        ),
        (
            "u-3",
            json!({ "email": "bob@example.com", "email_verified": true }),
            "bob.corp",
        ),
        (
            "u-4",
            json!({ "preferred_username": "owner" }),
            "owner.corp",
        ),
        (
            "u-5",
            json!({ "preferred_username": "nobody" }),
            "nobody.corp",
        ),
        (
            "u-6",
            json!({ "preferred_username": "robot:ci" }),
            "robotci",
        ),
        (
            "U-1",
            json!({ "preferred_username": "grace" }),
            "grace.corp-3",
        ),
        ("grace", json!({}), "somebody"),
    ] {
        let mut person = claims;
        (person["sub"], person["groups"]) = (json!(subject), json!(["dev"]));
        provider.says(person);
        let me = signed_in(&world, &provider).await;
        assert_eq!(me["principal"], name, "{subject}");
        assert_eq!(me["roles"], json!(["developer"]), "{subject}");
    }
    // The same subject of another issuer is somebody else.
    let other = Provider::start().await;
    put(&world, &wanted(&other)).await.success();
    let me = signed_in(&world, &other).await;
    assert_eq!(me["principal"], "ada");
    world.end().await;
}

#[tokio::test]
async fn nobody_without_a_group_comes_in_and_whoever_loses_it_is_out() {
    let (world, provider) = with_provider().await;
    for groups in [
        json!([]),
        json!(["Dev"]),
        json!("developer"),
        json!({ "dev": true }),
        json!(null),
    ] {
        provider.says(json!({ "sub": "u-9", "preferred_username": "eve", "groups": groups }));
        let refused = sign_in(&world, &provider).await;
        assert!(cookie(&refused, "ergon_session").is_none());
        read_response(refused).await.problem(403);
    }
    assert_eq!(
        names(&world).await,
        ["owner"],
        "nobody is added who is not let in"
    );

    provider.says(json!({ "sub": "u-1", "preferred_username": "ada", "groups": ["dev"] }));
    let session = cookie(&sign_in(&world, &provider).await, "ergon_session").unwrap();
    let token = world
        .post("/api/v1/people/ada/tokens", json!({}))
        .await
        .success();
    let with_token = |path| {
        let request = world.anonymous(Method::GET, path);
        request.bearer_auth(token["secret"].as_str().unwrap())
    };
    read(with_token("/api/v1/projects")).await.success();
    provider.says(json!({ "sub": "u-1", "preferred_username": "ada", "groups": [] }));
    read_response(sign_in(&world, &provider).await)
        .await
        .problem(403);
    let request = world.anonymous(Method::GET, "/api/v1/session");
    read(request.header(header::COOKIE, session))
        .await
        .problem(401);
    read(with_token("/api/v1/projects")).await.problem(403);

    // Unless everybody there is something.
    let mut wanted = wanted(&provider);
    wanted["default_roles"] = json!(["viewer"]);
    put(&world, &wanted).await.success();
    assert_eq!(
        signed_in(&world, &provider).await["roles"],
        json!(["viewer"])
    );

    // Whom an owner does not let in, no group lets in.
    let disable = world.request(Method::PATCH, "/api/v1/people/ada");
    read(disable.json(&json!({ "disabled": true })))
        .await
        .success();
    let refused = read_response(sign_in(&world, &provider).await)
        .await
        .problem(403);
    assert!(
        refused["detail"].as_str().unwrap().contains("ada"),
        "{refused}"
    );
    world.end().await;
}

#[tokio::test]
async fn the_client_secret_is_nowhere_to_be_read_and_goes_to_nobody_else() {
    let (world, provider) = with_provider().await;
    let shown = world.get(PROVIDER).await;
    assert_eq!(shown["has_secret"], true);
    assert!(!shown.to_string().contains("client secret,"), "{shown}");
    // It stays where the rest is said anew, and goes where the provider is another.
    let mut body = wanted(&provider);
    body.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(put(&world, &body).await.success()["has_secret"], true);
    signed_in(&world, &provider).await;
    let other = Provider::start().await;
    body["issuer"] = json!(other.issuer());
    assert_eq!(put(&world, &body).await.success()["has_secret"], false);
    put(&world, &wanted(&provider)).await.success();

    let events = world.get("/api/v1/events").await.to_string();
    assert!(
        events.contains("dev.ergon.identity-provider.set"),
        "{events}"
    );
    let folder = world.end().await;
    let mut files = vec![folder.path().join("data")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if let Ok(bytes) = std::fs::read(&path) {
            let is_there = bytes
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes());
            assert!(!is_there, "{}", path.display());
        }
    }
    // Sealed, it opens after a restart.
    let world = World::over(folder).await;
    signed_in(&world, &provider).await;
    world.end().await;
}

#[tokio::test]
async fn only_owners_say_whose_accounts_are_good_and_whoever_came_with_one_is_out_when_it_ends() {
    let (world, provider) = with_provider().await;
    provider.says(json!({ "sub": "u-1", "preferred_username": "ada", "groups": ["ops"] }));
    let session = cookie(&sign_in(&world, &provider).await, "ergon_session").unwrap();
    let ask = |method: Method, path: &str| {
        let request = world.anonymous(method, path);
        let request = request.header(header::COOKIE, &session);
        request.header("sec-fetch-site", "same-origin")
    };
    for (method, path) in [
        (Method::GET, "/api/v1/identity-providers"),
        (Method::GET, PROVIDER),
        (Method::PUT, PROVIDER),
        (Method::DELETE, PROVIDER),
    ] {
        let request = ask(method.clone(), path).json(&wanted(&provider));
        read(request).await.problem(403);
    }
    for (name, value) in [
        ("issuer", json!("http://login.example.com")),
        ("issuer", json!("https://a:b@login.example.com")),
        ("client_id", json!("")),
        ("roles", json!({})),
        ("roles", json!({ "dev": [] })),
        ("roles", json!({ "dev": ["No Role"] })),
        ("scopes", json!(["a b"])),
        ("claim", json!("\n")),
        ("client_secret", json!("")),
    ] {
        let mut body = wanted(&provider);
        body[name] = value;
        put(&world, &body).await.problem(400);
    }
    let again = world.request(Method::PUT, "/api/v1/identity-providers/twin");
    read(again.json(&wanted(&provider))).await.problem(409);
    read(ask(Method::GET, "/api/v1/session")).await.success();
    assert_eq!(world.delete(PROVIDER).await.status, 204);
    world.delete(PROVIDER).await.problem(404);
    read(ask(Method::GET, "/api/v1/session")).await.problem(401);
    assert_eq!(names(&world).await, ["ada", "owner"]);
    // Whoever it was stays it, should it be there again.
    put(&world, &wanted(&provider)).await.success();
    assert_eq!(signed_in(&world, &provider).await["principal"], "ada");
    world.end().await;
}
