//! People: what each role may, how somebody comes in, and how they are shown out.

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use crate::world::{Answer, Door, World, read};

const ROLES: [&str; 4] = ["owner", "operator", "developer", "viewer"];

/// The door of somebody who has these roles.
pub async fn person(world: &World, name: &str, roles: &[&str]) -> Door {
    add(world, name, roles).await;
    world.with_token(&token(world, name).await)
}

async fn add(world: &World, name: &str, roles: &[&str]) -> Value {
    let wanted = json!({ "name": name, "roles": roles });
    world.post("/api/v1/people", wanted).await.success()
}

async fn token(world: &World, name: &str) -> String {
    let path = format!("/api/v1/people/{name}/tokens");
    let added = world.post(&path, json!({})).await.success();
    added["secret"].as_str().unwrap().to_owned()
}

fn with_token(world: &World, token: &str, method: Method, path: &str) -> RequestBuilder {
    let bearer = format!("Bearer {token}");
    world
        .anonymous(method, path)
        .header(header::AUTHORIZATION, bearer)
}

/// Signs in, and gives the cookie.
async fn sign_in(world: &World, body: Value) -> String {
    let request = world.anonymous(Method::POST, "/api/v1/session").json(&body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{body}");
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    cookie.split_once(';').unwrap().0.to_owned()
}

fn with_cookie(world: &World, cookie: &str, method: Method, path: &str) -> RequestBuilder {
    world
        .anonymous(method, path)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
}

async fn whoami(request: RequestBuilder) -> Answer {
    read(request).await
}

fn code(link: &Value) -> String {
    link["code"].as_str().unwrap().to_owned()
}

/// Every operation: method, path with made-up names, what policies call it.
fn operations() -> Vec<(Method, String, String)> {
    let document = serde_json::to_value(ergon_server::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let action = operation["x-ergon-action"].as_str();
            let action = action.unwrap_or_else(|| panic!("{method} {path} has no action"));
            let parts = path.split('/').map(|part| {
                if part.starts_with('{') {
                    "nobody-has-this"
                } else {
                    part
                }
            });
            let path = parts.collect::<Vec<_>>().join("/");
            all.push((
                method.to_uppercase().parse().unwrap(),
                path,
                action.to_owned(),
            ));
        }
    }
    all
}

/// Whoever has a role is answered by every route as the policies say of its action, and never by chance.
#[tokio::test]
async fn every_route_lets_in_whom_policies_let_in_and_nobody_else() {
    let world = World::new().await;
    for role in ROLES {
        let name = format!("a-{role}");
        add(&world, &name, &[role]).await;
        let token = token(&world, &name).await;
        for (method, path, action) in operations() {
            // What goes on until it is left; and what would end the stack's own sessions.
            if path.ends_with("/follow") || path.ends_with("/watch") || path.ends_with("/events") {
                continue;
            }
            let question = json!({ "principal": name, "action": action, "resource": "nobody-has-this", "means": "token" });
            let expected = world
                .post("/api/v1/policy-questions", question)
                .await
                .success();
            let body = json!({ "code": "x" });
            let request = with_token(&world, &token, method.clone(), &path).json(&body);
            let answer = read(request).await;
            let status = answer.status.as_u16();
            let what = format!(
                "{method} {path} ({action}) as {role}: {status} {}",
                answer.body
            );
            assert!(status < 500 || status == 503, "{what}");
            if path == "/api/v1/session" && method == Method::POST {
                continue;
            }
            assert_ne!(status, 401, "{what}");
            if expected["allowed"] == true {
                let is_denied = status == 403
                    && answer.body["detail"]
                        .as_str()
                        .unwrap_or_default()
                        .contains("policy");
                assert!(!is_denied, "{what}");
            } else {
                assert_eq!(status, 403, "{what}");
                let detail = answer.body["detail"].as_str().unwrap();
                assert!(detail.contains(&name) && detail.contains(&action), "{what}");
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn somebody_new_comes_in_with_a_link_once_and_chooses_a_password() {
    let world = World::new().await;
    let added = add(&world, "ada", &["developer"]).await;
    let url = added["link"]["url"].as_str().unwrap();
    assert!(url.contains("#code="), "{url}");
    let cookie = sign_in(&world, json!({ "code": code(&added["link"]) })).await;
    let me = whoami(with_cookie(&world, &cookie, Method::GET, "/api/v1/session"))
        .await
        .success();
    assert_eq!(
        (&me["principal"], &me["roles"]),
        (&json!("ada"), &json!(["developer"]))
    );
    let again = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "code": code(&added["link"]) }));
    read(again).await.problem(401);

    let password = "/api/v1/people/ada/password";
    let change = |body: Value| with_cookie(&world, &cookie, Method::PUT, password).json(&body);
    read(change(json!({ "new": "too short" })))
        .await
        .problem(400);
    let changed = read(change(json!({ "new": "a sentence nobody guesses" }))).await;
    assert_eq!(changed.status, 204);
    // From now on the old one is asked for.
    read(change(json!({ "new": "another long sentence" })))
        .await
        .problem(403);
    read(change(
        json!({ "old": "wrong", "new": "another long sentence" }),
    ))
    .await
    .problem(403);

    let other = sign_in(
        &world,
        json!({ "name": "ada", "password": "a sentence nobody guesses" }),
    )
    .await;
    let wrong = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "name": "ada", "password": "a sentence somebody guesses" }));
    let refused = read(wrong).await.problem(401);
    let nobody = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "name": "nobody-at-all", "password": "a sentence somebody guesses" }));
    let unknown = read(nobody).await.problem(401);
    assert_eq!(
        refused["detail"], unknown["detail"],
        "who there is is nobody's business"
    );

    // Neither the password nor the session's secret is anywhere in the data folder.
    let database = std::fs::read(world.data().join("ergon.db")).unwrap();
    let secret = other.split_once('=').unwrap().1.as_bytes();
    for secret in [b"a sentence nobody guesses".as_slice(), secret] {
        assert!(
            !database
                .windows(secret.len())
                .any(|window| window == secret)
        );
    }
    world.end().await;
}

#[tokio::test]
async fn whoever_guesses_is_slowed_down_and_told_how_long() {
    let world = World::new().await;
    add(&world, "ada", &["viewer"]).await;
    let mut last = None;
    for _ in 0..8 {
        let guess = world
            .anonymous(Method::POST, "/api/v1/session")
            .json(&json!({ "name": "ada", "password": "guess after guess" }));
        last = Some(guess.send().await.unwrap());
    }
    let last = last.unwrap();
    assert_eq!(last.status(), 429);
    let after: u64 = last.headers()[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&after), "{after}");
    // A link is let through: whoever is locked out by others has a way in.
    let link = world
        .post("/api/v1/people/ada/link", json!({}))
        .await
        .success();
    sign_in(&world, json!({ "code": code(&link) })).await;
    world.end().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let world = World::new().await;
    add(&world, "ada", &["viewer"]).await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let link = world
            .post("/api/v1/people/ada/link", json!({}))
            .await
            .success();
        cookies.push(sign_in(&world, json!({ "code": code(&link) })).await);
    }
    let own = with_cookie(
        &world,
        &cookies[0],
        Method::GET,
        "/api/v1/people/ada/sessions",
    );
    let sessions = read(own).await.success();
    let items = sessions["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(
        items.iter().filter(|item| item["current"] == true).count(),
        1
    );
    assert_eq!(items[0]["address"], "127.0.0.1");
    // The first is the newest: the third that signed in.
    let path = format!(
        "/api/v1/people/ada/sessions/{}",
        items[0]["id"].as_str().unwrap()
    );
    let ended = read(with_cookie(&world, &cookies[0], Method::DELETE, &path)).await;
    assert_eq!(ended.status, 204);
    let is_in = async |cookie: &str| {
        whoami(with_cookie(&world, cookie, Method::GET, "/api/v1/session"))
            .await
            .status
            == 200
    };
    assert!(!is_in(&cookies[2]).await && is_in(&cookies[1]).await);
    let rest = with_cookie(
        &world,
        &cookies[0],
        Method::DELETE,
        "/api/v1/people/ada/sessions",
    );
    assert_eq!(read(rest).await.success()["ended"], 1);
    assert!(
        !is_in(&cookies[1]).await && is_in(&cookies[0]).await,
        "one's own stays"
    );
    // Others' are not hers to see.
    let others = with_cookie(
        &world,
        &cookies[0],
        Method::GET,
        "/api/v1/people/owner/sessions",
    );
    read(others).await.problem(403);
    // Whoever is disabled is out at once, and links from before are worth nothing.
    let link = world
        .post("/api/v1/people/ada/link", json!({}))
        .await
        .success();
    let disabled = world
        .request(Method::PATCH, "/api/v1/people/ada")
        .json(&json!({ "disabled": true }));
    read(disabled).await.success();
    assert!(!is_in(&cookies[0]).await);
    let late = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "code": code(&link) }));
    read(late).await.problem(401);
    world.end().await;
}

#[tokio::test]
async fn a_token_goes_no_further_than_its_person_and_can_be_taken_back() {
    let world = World::new().await;
    add(&world, "ada", &["operator", "viewer"]).await;
    let tokens = "/api/v1/people/ada/tokens";
    let narrow = world
        .post(tokens, json!({ "roles": ["viewer"], "days": 1 }))
        .await
        .success();
    let narrow = narrow["secret"].as_str().unwrap();
    let wide = token(&world, "ada").await;
    world
        .post(tokens, json!({ "roles": ["owner"] }))
        .await
        .problem(400);
    let remove = |token: &str| with_token(&world, token, Method::DELETE, "/api/v1/containers/none");
    read(remove(narrow)).await.problem(403);
    read(remove(&wide)).await.problem(404);
    // A token makes no other, and changes no password.
    let more = with_token(&world, &wide, Method::POST, tokens).json(&json!({}));
    read(more).await.problem(403);
    let password = with_token(&world, &wide, Method::PUT, "/api/v1/people/ada/password")
        .json(&json!({ "new": "a very long sentence" }));
    read(password).await.problem(403);
    // It is listed without itself, and with when it was used.
    let listed = world.get(tokens).await;
    assert!(!listed.to_string().contains(narrow));
    assert!(listed["items"][1]["last_used_at"].is_string(), "{listed}");
    // Whoever has fewer roles has tokens with fewer.
    let demoted = world
        .request(Method::PATCH, "/api/v1/people/ada")
        .json(&json!({ "roles": ["viewer"] }));
    read(demoted).await.success();
    read(remove(&wide)).await.problem(403);
    let id = listed["items"][1]["id"].as_str().unwrap();
    let taken = world.delete(&format!("{tokens}/{id}")).await;
    assert_eq!(taken.status, 204);
    read(with_token(&world, &wide, Method::GET, "/api/v1/session"))
        .await
        .problem(401);
    world.end().await;
}

#[tokio::test]
async fn the_owner_stays_and_names_are_checked() {
    let world = World::new().await;
    let change = |body: Value| {
        world
            .request(Method::PATCH, "/api/v1/people/owner")
            .json(&body)
    };
    read(change(json!({ "disabled": true }))).await.problem(409);
    read(change(json!({ "roles": ["viewer"] })))
        .await
        .problem(409);
    world.delete("/api/v1/people/owner").await.problem(409);
    for (name, roles, status) in [
        ("Ada", vec!["viewer"], 400),
        ("", vec!["viewer"], 400),
        ("nobody", vec!["viewer"], 400),
        ("robot:x", vec!["viewer"], 400),
        ("ada", vec![], 400),
        ("ada", vec!["Viewer"], 400),
        ("ada", vec!["viewer"], 201),
        ("ada", vec!["viewer"], 409),
        ("owner", vec!["viewer"], 409),
    ] {
        let answer = world
            .post("/api/v1/people", json!({ "name": name, "roles": roles }))
            .await;
        assert_eq!(answer.status, status, "{name} {roles:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn people_and_their_tokens_are_there_after_a_restart() {
    let world = World::new().await;
    add(&world, "ada", &["operator"]).await;
    let token = token(&world, "ada").await;
    let folder = world.end().await;
    let world = World::over(folder).await;
    let me = read(with_token(&world, &token, Method::GET, "/api/v1/session"))
        .await
        .success();
    assert_eq!(
        (&me["principal"], &me["roles"]),
        (&json!("ada"), &json!(["operator"]))
    );
    world.delete("/api/v1/people/ada").await;
    read(with_token(&world, &token, Method::GET, "/api/v1/session"))
        .await
        .problem(401);
    let folder = world.end().await;
    let world = World::over(folder).await;
    read(with_token(&world, &token, Method::GET, "/api/v1/session"))
        .await
        .problem(401);
    world.end().await;
}

#[tokio::test]
async fn a_robot_with_a_role_uses_the_api_and_one_without_does_not() {
    let world = World::new().await;
    let with = json!({ "name": "ci", "roles": ["developer"] });
    let with = world.post("/api/v1/robots", with).await.success();
    let without = json!({ "name": "node", "allow": ["a:pull"] });
    let without = world.post("/api/v1/robots", without).await.success();
    world
        .post("/api/v1/robots", json!({ "name": "idle" }))
        .await
        .problem(400);
    let ask = |robot: &Value, path: &str| {
        with_token(&world, robot["secret"].as_str().unwrap(), Method::GET, path)
    };
    read(ask(&with, "/api/v1/projects")).await.success();
    read(ask(&with, "/api/v1/people")).await.problem(403);
    read(ask(&without, "/api/v1/projects")).await.problem(401);
    let listed = world.get("/api/v1/robots/ci").await;
    assert!(listed["last_used_at"].is_string(), "{listed}");
    world.end().await;
}

#[tokio::test]
async fn a_folder_of_the_machine_is_not_a_developers_to_bring() {
    let world = World::new().await;
    add(&world, "ada", &["developer"]).await;
    let token = token(&world, "ada").await;
    let folder = world.folder("app", &[("main.py", "print(1)")]);
    for (path, body) in [
        ("/api/v1/projects", json!({ "location": folder })),
        ("/api/v1/runs", json!({ "folder": folder })),
        ("/api/v1/projects", json!({ "location": world.data() })),
    ] {
        let request = with_token(&world, &token, Method::POST, path).json(&body);
        let problem = read(request).await.problem(403);
        assert!(
            problem["detail"].as_str().unwrap().contains("Folder"),
            "{problem}"
        );
    }
    world.end().await;
}

#[tokio::test]
async fn what_opens_something_leaves_no_digest_in_the_audit_log() {
    let world = World::new().await;
    add(&world, "ada", &["viewer"]).await;
    let put = world
        .request(Method::PUT, "/api/v1/people/ada/password")
        .json(&json!({ "new": "a sentence nobody guesses" }));
    assert_eq!(read(put).await.status, 204);
    sign_in(
        &world,
        json!({ "name": "ada", "password": "a sentence nobody guesses" }),
    )
    .await;
    for action in ["ChangePassword", "SignIn"] {
        let entries = world.get(&format!("/api/v1/audit?action={action}")).await;
        let entry = &entries["items"][0];
        assert_eq!(entry["action"], action, "{entries}");
        assert!(entry["body"].is_null(), "{entry}");
        assert!(entry["policy"].is_string(), "{entry}");
    }
    world.end().await;
}

#[tokio::test]
async fn events_tell_somebody_of_themselves_and_not_of_whom_they_may_not_list() {
    let world = World::new().await;
    add(&world, "ada", &["viewer"]).await;
    add(&world, "bob", &["viewer"]).await;
    let token = token(&world, "ada").await;
    let folder = world.folder("app", &[("main.py", "print(1)")]);
    world.project(&folder).await;
    let told = |events: &Value, about: &str| {
        let items = events["items"].as_array().unwrap();
        let mut subjects = items.iter().filter_map(|event| event["subject"].as_str());
        subjects.any(|subject| subject.starts_with(about))
    };
    let all = world.get("/api/v1/events").await;
    let seen = read(with_token(&world, &token, Method::GET, "/api/v1/events"))
        .await
        .success();
    for (about, is_told) in [
        ("project/", true),
        ("person/ada", true),
        ("person/bob", false),
    ] {
        assert!(told(&all, about), "{about}: {all:#}");
        assert_eq!(told(&seen, about), is_told, "{about}: {seen:#}");
    }
    world.end().await;
}
