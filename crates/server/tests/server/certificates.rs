//! Companions that show certificates: what they may, and everything that is refused.

use std::path::Path;

use ergon_server::{Config, TlsSource};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::world::{PATIENCE, World, config, read};

/// A stack that speaks TLS with a certificate of its own authority.
async fn secure() -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        tls: Some(TlsSource::Own),
        ..config(folder.path())
    };
    World::with(folder, config).await
}

/// Somebody with a certificate, or with something like it.
struct Holder<'a> {
    world: &'a World,
    client: Client,
}

impl<'a> Holder<'a> {
    /// `pem` is the certificates and the key.
    fn with(world: &'a World, pem: &str) -> Self {
        let root = std::fs::read(world.data().join("endpoint.ca")).unwrap();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&root).unwrap()])
            .identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self { world, client }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.world.url))
    }

    fn heartbeat(&self, name: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/api/registry/{name}/heartbeat"))
    }
}

async fn register(world: &World, name: &str) {
    let registration = json!({ "name": name, "type": "external", "port": 9 });
    world
        .post("/api/registry/register", registration)
        .await
        .success();
}

fn request_of(key: &KeyPair) -> String {
    let request = CertificateParams::default().serialize_request(key).unwrap();
    request.pem().unwrap()
}

/// A certificate as the owner asks for it, with its key.
async fn given(world: &World, name: &str) -> (Value, String) {
    let key = KeyPair::generate().unwrap();
    let wanted = json!({ "name": name, "request": request_of(&key) });
    let given = world.post("/api/v1/certificates", wanted).await.success();
    let pem = format!(
        "{}{}",
        given["certificate"].as_str().unwrap(),
        key.serialize_pem()
    );
    (given, pem)
}

/// The key in a text, whatever else is in it.
fn key_of(pem: &str) -> KeyPair {
    let key = &pem[pem.find("-----BEGIN PRIVATE KEY-----").unwrap()..];
    KeyPair::from_pem(key).unwrap()
}

/// The stack's own issuer, as only a thief of its folder has it.
fn issuer(data: &Path) -> (Issuer<'static, KeyPair>, String) {
    let pem = std::fs::read_to_string(data.join("ca/issuing.pem")).unwrap();
    let certificate = pem
        .split_inclusive("-----END CERTIFICATE-----")
        .next()
        .unwrap();
    let issuer = Issuer::from_ca_cert_pem(&pem, key_of(&pem)).unwrap();
    (issuer, format!("{certificate}\n"))
}

fn trust_domain(given: &Value) -> String {
    let identity = given["identity"].as_str().unwrap();
    identity.split("/ci/").next().unwrap().to_owned()
}

/// What a good certificate holds.
fn params(identity: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = OffsetDateTime::now_utc() - Duration::minutes(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::hours(1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = vec![SanType::URI(identity.try_into().unwrap())];
    params
}

#[tokio::test]
async fn a_companion_is_there_under_its_own_name_by_its_certificate_alone() {
    let world = secure().await;
    register(&world, "Numa").await;
    register(&world, "apollo").await;
    let (given, pem) = given(&world, "Numa").await;
    assert!(given["identity"].as_str().unwrap().ends_with("/ci/numa"));
    let left = given["renew_in"].as_i64().unwrap();
    assert!((1500..1800).contains(&left), "half of an hour: {left}");
    let numa = Holder::with(&world, &pem);
    read(numa.heartbeat("numa")).await.success();
    let registration = json!({ "name": "numa", "type": "external", "port": 9 });
    let renewed = numa
        .request(Method::POST, "/api/registry/register")
        .json(&registration);
    read(renewed).await.success();
    // Another certificate for another key, as it is renewed.
    let key = KeyPair::generate().unwrap();
    let wanted = json!({ "name": "numa", "request": request_of(&key) });
    let renewed = numa
        .request(Method::POST, "/api/v1/certificates")
        .json(&wanted);
    let renewed = read(renewed).await.success();
    assert_ne!(renewed["serial"], given["serial"]);
    // It may say something; that nobody listens at apollo's is another matter.
    let message = numa.request(Method::POST, "/api/v1/companions/apollo/message");
    let status = read(message.json(&json!({ "content": "hello" })))
        .await
        .status;
    assert!(status != 401 && status != 403, "{status}");
    // Everything else is not its own.
    for (method, path, body) in [
        (Method::POST, "/api/registry/apollo/heartbeat", json!({})),
        (Method::DELETE, "/api/registry/apollo", json!(null)),
        (
            Method::POST,
            "/api/registry/register",
            json!({ "name": "apollo", "type": "external", "port": 9 }),
        ),
        (
            Method::POST,
            "/api/registry/register",
            json!({ "name": "new-one", "type": "external", "port": 9 }),
        ),
        (
            Method::POST,
            "/api/v1/certificates",
            json!({ "name": "apollo", "request": request_of(&key) }),
        ),
        (Method::GET, "/api/v1/certificates", json!(null)),
        (Method::GET, "/api/v1/projects", json!(null)),
        (Method::GET, "/api/registry", json!(null)),
        (Method::POST, "/api/v1/session/code", json!({})),
        (Method::POST, "/mcp", json!({})),
    ] {
        let asked = numa.request(method.clone(), path).json(&body);
        let problem = read(asked).await.problem(403);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("companion:numa may not do this"),
            "{method} {path}: {detail}"
        );
    }
    read(numa.request(Method::DELETE, "/api/registry/numa")).await;
    world.end().await;
}

#[tokio::test]
async fn a_companion_that_left_has_no_certificate_any_more_not_even_on_an_open_connection() {
    let world = secure().await;
    register(&world, "numa").await;
    let (_, pem) = given(&world, "numa").await;
    let numa = Holder::with(&world, &pem);
    read(numa.heartbeat("numa")).await.success();
    world.delete("/api/registry/numa").await;
    register(&world, "numa").await;
    // The connection is still open, and what it began with is worth nothing.
    read(numa.heartbeat("numa")).await.problem(401);
    assert!(
        Holder::with(&world, &pem)
            .heartbeat("numa")
            .send()
            .await
            .is_err()
    );
    let listed = world.get("/api/v1/certificates").await;
    let mut states = listed["items"].as_array().unwrap().iter();
    assert!(states.any(|given| given["state"] == "revoked"
        && given["reason"] == "the companion left the directory"));
    // Also after the stack was started anew.
    let folder = world.end().await;
    let config = Config {
        tls: Some(TlsSource::Own),
        ..config(folder.path())
    };
    let world = World::with(folder, config).await;
    assert!(
        Holder::with(&world, &pem)
            .heartbeat("numa")
            .send()
            .await
            .is_err()
    );
    world.end().await;
}

#[tokio::test]
async fn a_certificate_that_was_revoked_is_refused_and_others_are_not() {
    let world = secure().await;
    register(&world, "numa").await;
    let (first, first_pem) = given(&world, "numa").await;
    let (_, second_pem) = given(&world, "numa").await;
    let path = format!("/api/v1/certificates/{}", first["serial"].as_str().unwrap());
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(world.delete(&path).await.status, 204);
    world.delete("/api/v1/certificates/00").await.problem(404);
    assert!(
        Holder::with(&world, &first_pem)
            .heartbeat("numa")
            .send()
            .await
            .is_err()
    );
    read(Holder::with(&world, &second_pem).heartbeat("numa"))
        .await
        .success();
    world.end().await;
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_refused_whatever_is_wrong_with_it() {
    let world = secure().await;
    register(&world, "numa").await;
    let (good, good_pem) = given(&world, "numa").await;
    let stack = trust_domain(&good);
    let identity = format!("{stack}/ci/numa");
    let (issuer, chain) = issuer(&world.data());
    let signed = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        format!("{}{chain}{}", certificate.pem(), key.serialize_pem())
    };
    let changed = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = params(&identity);
        change(&mut params);
        signed(params)
    };
    // What is refused below would be let in, were it not for what is wrong with it.
    read(Holder::with(&world, &changed(&|_| ())).heartbeat("numa"))
        .await
        .success();
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let now = OffsetDateTime::now_utc();
    let self_signed = {
        let key = KeyPair::generate().unwrap();
        let certificate = params(&identity).self_signed(&key).unwrap();
        format!("{}{}", certificate.pem(), key.serialize_pem())
    };
    let foreign = {
        // An authority of the same name, with another key.
        let root = KeyPair::generate().unwrap();
        let root_pem = std::fs::read_to_string(world.data().join("ca/root.pem")).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&root_pem, root).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params(&identity).signed_by(&key, &issuer).unwrap();
        format!("{}{}", certificate.pem(), key.serialize_pem())
    };
    let by_a_companion = {
        // Numa's own certificate signs another.
        let issuer = Issuer::from_ca_cert_pem(&good_pem, key_of(&good_pem)).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params(&format!("{stack}/ci/apollo"))
            .signed_by(&key, &issuer)
            .unwrap();
        format!(
            "{}{}{}",
            certificate.pem(),
            good["certificate"].as_str().unwrap(),
            key.serialize_pem()
        )
    };
    let cases: Vec<(&str, String)> = vec![
        (
            "expired",
            changed(&|params| {
                params.not_before = now - Duration::hours(2);
                params.not_after = now - Duration::seconds(1);
            }),
        ),
        (
            "not yet valid",
            changed(&|params| params.not_before = now + Duration::minutes(10)),
        ),
        ("of another authority of the same name", foreign),
        ("self-signed", self_signed),
        ("signed by a companion", by_a_companion),
        (
            "another path",
            changed(&|params| params.subject_alt_names = vec![uri(&format!("{stack}/tool/numa"))]),
        ),
        (
            "the stack's own path",
            changed(&|params| params.subject_alt_names = vec![uri(&format!("{stack}/stack"))]),
        ),
        (
            "no path",
            changed(&|params| params.subject_alt_names = vec![uri(&stack)]),
        ),
        (
            "another stack",
            changed(&|params| params.subject_alt_names = vec![uri("spiffe://other/ci/numa")]),
        ),
        (
            "capital letters",
            changed(&|params| params.subject_alt_names = vec![uri(&format!("{stack}/ci/NUMA"))]),
        ),
        (
            "two identities",
            changed(&|params| {
                params
                    .subject_alt_names
                    .push(uri(&format!("{stack}/ci/apollo")));
            }),
        ),
        (
            "an identity and a name",
            changed(&|params| {
                params
                    .subject_alt_names
                    .push(SanType::DnsName("numa".try_into().unwrap()));
            }),
        ),
        (
            "a name only",
            changed(&|params| {
                params.subject_alt_names = vec![SanType::DnsName("numa".try_into().unwrap())];
            }),
        ),
        (
            "nobody",
            changed(&|params| params.subject_alt_names.clear()),
        ),
        (
            "for servers",
            changed(&|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
        ),
        (
            "for nothing in particular",
            changed(&|params| params.extended_key_usages.clear()),
        ),
        (
            "an authority",
            changed(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        ),
    ];
    for (wrong, pem) in cases {
        let answer = Holder::with(&world, &pem).heartbeat("numa").send().await;
        assert!(answer.is_err(), "{wrong}: {answer:?}");
        // Not even what is open to everybody.
        let open = Holder::with(&world, &pem)
            .request(Method::GET, "/healthz")
            .send()
            .await;
        assert!(open.is_err(), "{wrong}: {open:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn certificates_are_given_for_those_who_are_there_and_for_good_requests() {
    let world = secure().await;
    register(&world, "numa").await;
    let key = KeyPair::generate().unwrap();
    let ask = async |name: &str, request: &str| {
        let wanted = json!({ "name": name, "request": request });
        world.post("/api/v1/certificates", wanted).await
    };
    ask("nobody-here", &request_of(&key)).await.problem(404);
    // The stack itself is there, and needs none.
    let own = world.get("/api/registry?type=tekton").await;
    let own = own["items"][0]["name"].as_str().unwrap().to_owned();
    ask(&own, &request_of(&key)).await.problem(404);
    for request in ["", "x", &key.serialize_pem(), &"A".repeat(100_000)] {
        ask("numa", request).await.problem(400);
    }
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.serialize_request(&key).unwrap().pem().unwrap();
    let problem = ask("numa", &authority).await.problem(400);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("to be an authority itself")
    );
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI("spiffe://other/ci/apollo".try_into().unwrap())];
    let other = params.serialize_request(&key).unwrap().pem().unwrap();
    ask("numa", &other).await.problem(400);
    world.end().await;
}

#[tokio::test]
async fn the_authority_is_public_and_its_keys_are_not() {
    let world = secure().await;
    let answer = world
        .anonymous(Method::GET, "/api/v1/ca")
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/pem-certificate-chain"
    );
    let pem = answer.text().await.unwrap();
    assert_eq!(
        pem,
        std::fs::read_to_string(world.data().join("endpoint.ca")).unwrap()
    );
    assert!(pem.contains("BEGIN CERTIFICATE") && !pem.contains("KEY"));
    let state = world.get("/api/v1/ca/state").await;
    assert_eq!(state["has_root_key"], true);
    assert_eq!(state["fingerprint"].as_str().unwrap().len(), 32 * 3 - 1);
    world.end().await;
}

#[tokio::test]
async fn somebody_who_takes_a_free_name_has_nothing_to_fear_from_who_had_it() {
    let world = secure().await;
    let registration = json!({ "name": "numa", "type": "external", "port": 9, "ttl": 1 });
    world
        .post("/api/registry/register", registration)
        .await
        .success();
    let (_, pem) = given(&world, "numa").await;
    // Its lease ends; the owner registers somebody else of the name.
    let mut events = world.stream("/api/registry/watch?after=0", None).await;
    let mut seen = String::new();
    while !seen.contains("dev.ergon.companion.expired") {
        let piece = tokio::time::timeout(PATIENCE, events.chunk())
            .await
            .unwrap()
            .unwrap();
        seen.push_str(&String::from_utf8_lossy(
            &piece.expect("the stream goes on"),
        ));
    }
    register(&world, "numa").await;
    assert!(
        Holder::with(&world, &pem)
            .heartbeat("numa")
            .send()
            .await
            .is_err()
    );
    world.end().await;
}

#[tokio::test]
async fn a_program_with_the_library_shows_its_certificate_and_has_another_when_that_is_refused() {
    use ergon_hermes_client::{Registration, Stack};
    let world = secure().await;
    let registration = Registration::new("numa", "external").port(9).ttl(1);
    let stack = Stack::of_folder(&world.data());
    let presence = stack.register(registration).await.unwrap();
    let mut shown = presence.certificate();
    let first = shown
        .borrow_and_update()
        .clone()
        .expect("it has one at once");
    let pem = format!("{}{}", first.chain(), first.key());
    read(Holder::with(&world, &pem).heartbeat("numa"))
        .await
        .success();
    let path = format!("/api/v1/certificates/{}", first.serial());
    assert_eq!(world.delete(&path).await.status, 204);
    // Its next heartbeat finds out.
    let another = shown.wait_for(|shown| {
        shown
            .as_ref()
            .is_some_and(|shown| shown.serial() != first.serial())
    });
    let another = tokio::time::timeout(PATIENCE, another)
        .await
        .unwrap()
        .unwrap();
    let pem = another
        .as_ref()
        .map(|shown| format!("{}{}", shown.chain(), shown.key()));
    drop(another);
    let pem = pem.unwrap();
    read(Holder::with(&world, &pem).heartbeat("numa"))
        .await
        .success();
    presence.leave().await.unwrap();
    world
        .request(Method::GET, "/api/registry/numa")
        .send()
        .await
        .map(|gone| assert_eq!(gone.status(), 404))
        .unwrap();
    assert!(
        Holder::with(&world, &pem)
            .heartbeat("numa")
            .send()
            .await
            .is_err()
    );
    world.end().await;
}

#[tokio::test]
async fn a_program_elsewhere_trusts_whom_it_was_told_to_and_nobody_else() {
    use ergon_hermes_client::{Error, Registration, Stack};
    let world = secure().await;
    let registration = || Registration::new("numa", "external").port(9);
    let stack = Stack::at(&world.url, &world.token).unwrap();
    let refused = stack.clone().register(registration()).await.unwrap_err();
    assert!(matches!(refused, Error::NoAuthority(_)), "{refused}");
    let other = secure().await;
    let root = |world: &World| std::fs::read_to_string(world.data().join("endpoint.ca")).unwrap();
    let foreign = stack.clone().trusting(&root(&other)).unwrap();
    let refused = foreign.register(registration()).await.unwrap_err();
    assert!(matches!(refused, Error::Away { .. }), "{refused}");
    assert!(stack.clone().trusting("nothing").is_err());
    let presence = stack
        .trusting(&root(&world))
        .unwrap()
        .register(registration())
        .await
        .unwrap();
    assert!(presence.certificate().borrow().is_some());
    presence.leave().await.unwrap();
    other.end().await;
    world.end().await;
}
