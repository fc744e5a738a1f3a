//! Passkeys: who adds one, who comes in with one, and what does not pass for one.

use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::authenticator::{Authenticator, Wrong};
use super::{cookie, from_elsewhere, with_provider};
use crate::world::{Answer, Door, World, read, read_response};

/// Somebody's browser, which has the stack as `localhost`.
struct Browser {
    door: Door,
    name: String,
    cookie: String,
    host: String,
    origin: String,
}

impl Browser {
    /// Of somebody new, who came in with a link.
    async fn of(world: &World, name: &str, number: u8) -> Self {
        let wanted = json!({ "name": name, "roles": ["viewer"] });
        let added = world.post("/api/v1/people", wanted).await.success();
        let host = world.authority().replace("127.0.0.1", "localhost");
        let mut browser = Self {
            door: from_elsewhere(world, number),
            name: name.to_owned(),
            cookie: String::new(),
            origin: format!("http://{host}"),
            host,
        };
        let session = browser.ask(Method::POST, "/api/v1/session");
        let session = session.json(&json!({ "code": added["link"]["code"] }));
        let session = session.send().await.unwrap();
        browser.cookie = cookie(&session, "ergon_session").unwrap();
        browser
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.door
            .anonymous(method, path)
            .header(header::HOST, &self.host)
            .header(header::ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, &self.cookie)
    }

    fn passkeys(&self) -> String {
        format!("/api/v1/people/{}/passkeys", self.name)
    }

    async fn challenge(&self) -> Value {
        let path = format!("/api/v1/people/{}/passkey-challenges", self.name);
        read(self.ask(Method::POST, &path)).await.success()
    }

    async fn add(&self, made: Value, about: &str) -> Answer {
        let body = json!({ "about": about, "credential": made });
        read(self.ask(Method::POST, &self.passkeys()).json(&body)).await
    }

    /// Has a passkey made, and keeps it.
    async fn with_passkey(&self) -> Authenticator {
        let mut authenticator = Authenticator::new();
        let made = authenticator.make(&self.challenge().await, &self.origin, Wrong::Nothing);
        self.add(made, "phone").await.success();
        authenticator
    }

    async fn sign_in_challenge(&self) -> Value {
        read(self.ask(Method::POST, "/api/v1/sign-in"))
            .await
            .success()
    }

    async fn sign_in(&self, shown: &Value) -> reqwest::Response {
        let request = self.ask(Method::POST, "/api/v1/session");
        request
            .json(&json!({ "passkey": shown }))
            .send()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn whoever_has_a_passkey_comes_in_with_it_until_it_is_removed() {
    let world = World::new().await;
    let ada = Browser::of(&world, "ada", 1).await;
    let mut authenticator = ada.with_passkey().await;
    let listed = read(ada.ask(Method::GET, &ada.passkeys())).await.success();
    let passkey = &listed["items"][0];
    assert_eq!(
        (&passkey["about"], &passkey["host"]),
        (&json!("phone"), &json!("localhost"))
    );
    assert!(passkey["last_used_at"].is_null());
    let person = world.get("/api/v1/people/ada").await;
    assert_eq!(person["has_passkey"], true, "{person}");

    let asked = ada.sign_in_challenge().await;
    assert!(
        !asked.to_string().contains("ada"),
        "who there is is nobody's business: {asked}"
    );
    let shown = authenticator.show(&asked, &ada.origin, Wrong::Nothing);
    let session = ada.sign_in(&shown).await;
    assert!(cookie(&session, "ergon_session").is_some());
    assert_eq!(read_response(session).await.success()["principal"], "ada");
    let listed = read(ada.ask(Method::GET, &ada.passkeys())).await.success();
    assert!(listed["items"][0]["last_used_at"].is_string());
    // What was shown once is nothing a second time.
    read_response(ada.sign_in(&shown).await).await.problem(401);

    let one = format!("{}/{}", ada.passkeys(), passkey["id"].as_str().unwrap());
    let rename = |about: &str| {
        ada.ask(Method::PATCH, &one)
            .json(&json!({ "about": about }))
    };
    assert_eq!(
        read(rename(" key ring ")).await.success()["about"],
        "key ring"
    );
    read(rename("a\nb")).await.problem(400);
    read(rename(&"x".repeat(81))).await.problem(400);

    // It is there after a restart, and only while its person may come in.
    let world = World::over(world.end().await).await;
    let host = world.authority().replace("127.0.0.1", "localhost");
    let ada = Browser {
        door: from_elsewhere(&world, 2),
        origin: format!("http://{host}"),
        host,
        ..ada
    };
    let come = async |authenticator: &mut Authenticator| {
        let asked = ada.sign_in_challenge().await;
        let shown = authenticator.show(&asked, &ada.origin, Wrong::Nothing);
        read_response(ada.sign_in(&shown).await).await
    };
    come(&mut authenticator).await.success();
    for disabled in [true, false] {
        let change = world.request(Method::PATCH, "/api/v1/people/ada");
        read(change.json(&json!({ "disabled": disabled })))
            .await
            .success();
        let status = come(&mut authenticator).await.status;
        assert_eq!(status, if disabled { 401 } else { 200 });
    }
    let path = format!("{}/{}", ada.passkeys(), passkey["id"].as_str().unwrap());
    assert_eq!(world.delete(&path).await.status, 204);
    world.delete(&path).await.problem(404);
    come(&mut authenticator).await.problem(401);
    world.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_what_is_shown_lets_nobody_in() {
    let world = World::new().await;
    let ada = Browser::of(&world, "ada", 1).await;
    let mut authenticator = ada.with_passkey().await;
    for (number, wrong) in (2..).zip([
        Wrong::Origin,
        Wrong::Port,
        Wrong::Party,
        Wrong::Presence,
        Wrong::Verification,
        Wrong::Kind,
        Wrong::Challenge,
        Wrong::Signature,
        Wrong::Handle,
        Wrong::Id,
        Wrong::Frame,
        Wrong::Truncated,
    ]) {
        let ada = Browser {
            door: from_elsewhere(&world, number),
            name: ada.name.clone(),
            cookie: String::new(),
            host: ada.host.clone(),
            origin: ada.origin.clone(),
        };
        let asked = ada.sign_in_challenge().await;
        let shown = authenticator.show(&asked, &ada.origin, wrong);
        let refused = ada.sign_in(&shown).await;
        assert!(cookie(&refused, "ergon_session").is_none(), "{wrong:?}");
        let status = read_response(refused).await.status;
        assert!(status == 401 || status == 400, "{wrong:?}: {status}");
        // Neither is it good for another try.
        let right = authenticator.show(&asked, &ada.origin, Wrong::Nothing);
        let again = ada.sign_in(&right).await.status();
        let is_out = matches!(wrong, Wrong::Challenge | Wrong::Kind | Wrong::Truncated);
        assert!(again == 401 || is_out, "{wrong:?}: {again}");
    }
    // Whose counter stands still after it went on is a copy.
    let asked = ada.sign_in_challenge().await;
    let shown = authenticator.show(&asked, &ada.origin, Wrong::Nothing);
    read_response(ada.sign_in(&shown).await).await.success();
    let asked = ada.sign_in_challenge().await;
    let shown = authenticator.show(&asked, &ada.origin, Wrong::Counter);
    read_response(ada.sign_in(&shown).await).await.problem(401);
    for nothing in [
        json!({}),
        json!(null),
        json!("x"),
        json!({ "id": 7 }),
        json!([]),
    ] {
        let status = ada.sign_in(&nothing).await.status();
        assert!(status == 400 || status == 422, "{nothing}: {status}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_passkey_is_made_for_oneself_and_as_it_was_asked_for() {
    let world = World::new().await;
    let (ada, bob) = (
        Browser::of(&world, "ada", 1).await,
        Browser::of(&world, "bob", 2).await,
    );
    for wrong in [
        Wrong::Origin,
        Wrong::Port,
        Wrong::Party,
        Wrong::Presence,
        Wrong::Verification,
        Wrong::Kind,
        Wrong::Challenge,
        Wrong::Frame,
        Wrong::Truncated,
    ] {
        let made = Authenticator::new().make(&ada.challenge().await, &ada.origin, wrong);
        let status = ada.add(made, "phone").await.status;
        assert!(status == 400 || status == 401, "{wrong:?}: {status}");
    }
    // Not with another's challenge, not for another, not twice.
    let made = Authenticator::new().make(&bob.challenge().await, &ada.origin, Wrong::Nothing);
    ada.add(made, "phone").await.problem(401);
    let path = "/api/v1/people/ada/passkey-challenges";
    read(bob.ask(Method::POST, path)).await.problem(403);
    read(world.request(Method::POST, path)).await.problem(403);
    let asked = ada.challenge().await;
    let mut authenticator = Authenticator::new();
    let made = authenticator.make(&asked, &ada.origin, Wrong::Nothing);
    ada.add(made.clone(), "phone").await.success();
    ada.add(made, "phone").await.problem(401);
    let again = ada.challenge().await;
    let known = &again["options"]["excludeCredentials"][0]["id"];
    assert!(
        known.is_string(),
        "no second one is made beside it: {again}"
    );
    let copy = authenticator.make(&bob.challenge().await, &bob.origin, Wrong::Nothing);
    bob.add(copy, "stolen").await.problem(409);
    // Others' are neither seen nor changed.
    let one = format!("{}/x", ada.passkeys());
    for (method, path) in [
        (Method::GET, ada.passkeys()),
        (Method::PATCH, one.clone()),
        (Method::DELETE, one),
    ] {
        let request = bob.ask(method, &path).json(&json!({ "about": "x" }));
        read(request).await.problem(403);
    }
    world.end().await;
}

#[tokio::test]
async fn an_address_has_no_passkeys_and_says_so() {
    let world = World::named(&["ergon.example.com"]).await;
    let ada = Browser::of(&world, "ada", 1).await;
    let mut authenticator = ada.with_passkey().await;
    let ways = |host: &str| {
        let request = ada.door.anonymous(Method::GET, "/api/v1/sign-in");
        request.header(header::HOST, host)
    };
    assert_eq!(read(ways(&ada.host)).await.success()["passkeys"], true);
    let plain = read(ways("127.0.0.1:7411")).await.success();
    assert_eq!(plain["passkeys"], false);
    let request = ada.door.anonymous(Method::POST, "/api/v1/sign-in");
    let refused = read(request).await.problem(422);
    assert!(
        refused["remedy"].as_str().unwrap().contains("localhost"),
        "{refused}"
    );
    // Made for one name, it is good under no other.
    let elsewhere = Browser {
        host: "ergon.example.com".to_owned(),
        origin: "https://ergon.example.com".to_owned(),
        door: from_elsewhere(&world, 2),
        name: "ada".to_owned(),
        cookie: String::new(),
    };
    let asked = elsewhere.sign_in_challenge().await;
    assert_eq!(asked["options"]["rpId"], "ergon.example.com");
    let shown = authenticator.show(&asked, &elsewhere.origin, Wrong::Nothing);
    read_response(elsewhere.sign_in(&shown).await)
        .await
        .problem(401);
    world.end().await;
}

#[tokio::test]
async fn whoever_another_system_vouches_for_has_no_passkey_here() {
    let (world, provider) = with_provider().await;
    let session = super::sign_in(&world, &provider).await;
    let session = cookie(&session, "ergon_session").unwrap();
    let request = world.anonymous(Method::POST, "/api/v1/people/ada/passkey-challenges");
    let host = world.authority().replace("127.0.0.1", "localhost");
    let request = request
        .header(header::COOKIE, session)
        .header(header::HOST, host)
        .header("sec-fetch-site", "same-origin");
    read(request).await.problem(403);
    world.end().await;
}
