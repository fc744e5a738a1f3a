//! Who gets in, and how.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::world::{World, read};

/// The routes of the document with made-up parameters, and whether anybody may use them.
fn routes() -> Vec<(Method, String, bool)> {
    let document = serde_json::to_value(ergon_server::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let open = operation["security"] == json!([{}]);
            let path = path
                .split('/')
                .map(|part| {
                    if part.starts_with('{') {
                        "abcdef"
                    } else {
                        part
                    }
                })
                .collect::<Vec<_>>();
            routes.push((method.to_uppercase().parse().unwrap(), path.join("/"), open));
        }
    }
    assert!(routes.len() > 30, "{}", routes.len());
    routes
}

#[tokio::test]
async fn nothing_answers_without_a_credential_but_health_and_sign_in() {
    let world = World::new().await;
    let mut open = Vec::new();
    for (method, path, is_open) in routes() {
        if is_open {
            open.push(format!("{method} {path}"));
            continue;
        }
        for wrong in [
            None,
            Some("Bearer wrong"),
            Some("Basic x"),
            Some("Bearer"),
            Some(""),
        ] {
            let mut request = world.anonymous(method.clone(), &path).json(&json!({}));
            if let Some(wrong) = wrong {
                request = request.header(header::AUTHORIZATION, wrong);
            }
            let problem = read(request).await.problem(401);
            assert!(problem["remedy"].is_string(), "{method} {path}");
        }
        let cookie = world
            .anonymous(method.clone(), &path)
            .header(header::COOKIE, "ergon_session=wrong");
        read(cookie).await.problem(401);
    }
    assert_eq!(
        open,
        [
            "GET /api/v1/ca",
            "POST /api/v1/session",
            "GET /api/v1/sign-in",
            "POST /api/v1/sign-in",
            "POST /api/v1/sign-in/abcdef",
            "GET /healthz"
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn every_route_answers_the_owner_and_says_its_problems_as_documents() {
    let world = World::new().await;
    for (method, path, _) in routes() {
        // What goes on until it is left is followed elsewhere.
        let is_endless = path.ends_with("/follow") || path.ends_with("/watch");
        if is_endless || path == "/api/v1/session" {
            continue;
        }
        let answer = read(world.request(method.clone(), &path).json(&json!({}))).await;
        let status = answer.status;
        assert!(
            !status.is_server_error() || status == 503,
            "{method} {path}: {status} {:#}",
            answer.body
        );
        assert_ne!(status, 401, "{method} {path}");
        if !status.is_success() {
            answer.problem(status.as_u16());
        }
    }
    world.end().await;
}

#[tokio::test]
async fn a_request_under_another_hosts_name_is_refused() {
    let world = World::new().await;
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "",
    ] {
        let request = world
            .request(Method::GET, "/api/v1/projects")
            .header(header::HOST, host);
        read(request).await.problem(421);
        read(world.anonymous(Method::GET, "/").header(header::HOST, host))
            .await
            .problem(421);
    }
    let named = world.authority().replace("127.0.0.1", "localhost");
    read(
        world
            .request(Method::GET, "/api/v1/projects")
            .header(header::HOST, named),
    )
    .await
    .success();
    world.end().await;
}

fn code(world: &World) -> String {
    world
        .ready
        .sign_in_url
        .split_once("#code=")
        .unwrap()
        .1
        .to_owned()
}

async fn sign_in(world: &World, code: &str) -> (reqwest::StatusCode, Option<String>) {
    let request = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "code": code }));
    let response = request.send().await.unwrap();
    let cookie = response
        .headers()
        .get(header::SET_COOKIE)
        .map(|cookie| cookie.to_str().unwrap().to_owned());
    (response.status(), cookie)
}

#[tokio::test]
async fn a_code_signs_in_once_and_its_session_ends_when_told() {
    let world = World::new().await;
    let (status, cookie) = sign_in(&world, &code(&world)).await;
    assert_eq!(status, 200);
    let cookie = cookie.unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(
        sign_in(&world, &code(&world)).await,
        (reqwest::StatusCode::UNAUTHORIZED, None)
    );
    assert_eq!(sign_in(&world, "").await.0, 401);

    let cookie = cookie.split(';').next().unwrap().to_owned();
    let as_session = |method, path| {
        world
            .anonymous(method, path)
            .header(header::COOKIE, &cookie)
    };
    let session = read(as_session(Method::GET, "/api/v1/session"))
        .await
        .success();
    assert_eq!(session["principal"], "owner");

    // A change needs to come from a page of ours.
    let change = || as_session(Method::POST, "/api/v1/session/code");
    read(change()).await.problem(403);
    read(change().header(header::ORIGIN, "http://evil.example"))
        .await
        .problem(403);
    let link = read(change().header(header::ORIGIN, &world.url))
        .await
        .success();
    let fresh = link["code"].as_str().unwrap();
    assert!(
        link["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("#code={fresh}"))
    );
    assert_eq!(sign_in(&world, fresh).await.0, 200);

    let out = as_session(Method::DELETE, "/api/v1/session")
        .header(header::ORIGIN, &world.url)
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    assert!(
        out.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    read(as_session(Method::GET, "/api/v1/session"))
        .await
        .problem(401);
    world.end().await;
}

#[tokio::test]
async fn another_sites_page_cannot_sign_somebody_in() {
    let world = World::new().await;
    let body = json!({ "code": code(&world) });
    let request = world
        .anonymous(Method::POST, "/api/v1/session")
        .header(header::ORIGIN, "http://evil.example")
        .json(&body);
    read(request).await.problem(403);
    assert_eq!(
        sign_in(&world, &code(&world)).await.0,
        200,
        "the code was not used up"
    );
    world.end().await;
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_so_does_the_token() {
    let world = World::new().await;
    let (_, cookie) = sign_in(&world, &code(&world)).await;
    let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
    let token = world.token.clone();
    let world = World::over(world.end().await).await;
    assert_eq!(world.token, token);
    let session = world
        .anonymous(Method::GET, "/api/v1/session")
        .header(header::COOKIE, cookie);
    read(session).await.success();
    world.end().await;
}

#[tokio::test]
async fn pages_carry_what_browsers_need_to_keep_others_out() {
    let world = World::new().await;
    for path in [
        "/",
        "/projects/x",
        "/api/v1/projects",
        "/healthz",
        "/api/nothing",
    ] {
        let response = world.anonymous(Method::GET, path).send().await.unwrap();
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }
    world.end().await;
}

#[tokio::test]
async fn unknown_pages_are_the_ui_and_unknown_routes_are_problems() {
    let world = World::new().await;
    let page = read(world.anonymous(Method::GET, "/containers/web")).await;
    assert_eq!(page.status, 200);
    assert!(page.kind.starts_with("text/html"));
    read(world.request(Method::GET, "/api/v1/nothing"))
        .await
        .problem(404);
    read(world.request(Method::GET, "/api")).await.problem(404);
    read(world.anonymous(Method::GET, "/assets/nothing.js"))
        .await
        .problem(404);
    world.end().await;
}

#[tokio::test]
async fn the_document_is_what_was_committed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let current = ergon_server::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == current,
        "the API is not what openapi.json says; run this test with UPDATE_OPENAPI=1"
    );
    let world = World::new().await;
    let served: Value = world.get("/api/openapi.json").await;
    assert_eq!(served, serde_json::from_str::<Value>(&committed).unwrap());
    world.end().await;
}
