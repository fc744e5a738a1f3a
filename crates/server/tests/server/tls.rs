//! TLS on the stack's own listener: what it shows to whom, and what is different over it.

use std::path::{Path, PathBuf};

use ergon_server::{Config, StartError, TlsSource};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, Method, Version, header};
use serde_json::json;
use tokio::process::Command;

use crate::world::{PATIENCE, World, client_trusting, config, read};

async fn own(hosts: &[&str]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        tls: Some(TlsSource::Own),
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        ..config(folder.path())
    };
    World::with(folder, config).await
}

/// A certificate that nobody signed but itself, in two files, as programs that renew certificates write them.
fn write_files(folder: &Path, name: &str) -> (PathBuf, PathBuf, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let paths = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
    for (path, content) in [(&paths.0, &certificate), (&paths.1, &key.serialize_pem())] {
        let new = path.with_extension("new");
        std::fs::write(&new, content).unwrap();
        std::fs::rename(&new, path).unwrap();
    }
    (paths.0, paths.1, certificate)
}

async fn with_files(name: &str) -> (World, String) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key, pem) = write_files(folder.path(), name);
    let config = Config {
        tls: Some(TlsSource::Files { certificate, key }),
        hosts: vec![name.parse().unwrap()],
        ..config(folder.path())
    };
    (World::with(folder, config).await, pem)
}

/// A client that finds a name at the stack, and trusts one certificate.
fn at(world: &World, name: &str, pem: &str) -> (Client, String) {
    let port: u16 = world
        .authority()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()])
        .resolve(name, ([127, 0, 0, 1], port).into())
        .timeout(PATIENCE)
        .build()
        .unwrap();
    (client, format!("https://{name}:{port}"))
}

#[tokio::test]
async fn a_stack_that_speaks_tls_says_so_wherever_it_says_where_it_is() {
    let world = own(&["registry.example.com"]).await;
    assert!(world.url.starts_with("https://127.0.0.1:"), "{}", world.url);
    assert!(
        world.ready.url.starts_with("https://localhost:"),
        "{}",
        world.ready.url
    );
    assert!(world.ready.sign_in_url.starts_with("https://localhost:"));
    let link = world
        .post("/api/v1/session/code", json!({}))
        .await
        .success();
    assert!(
        link["url"]
            .as_str()
            .unwrap()
            .starts_with("https://localhost:")
    );
    let root = std::fs::read_to_string(world.data().join("endpoint.ca")).unwrap();
    for name in ["localhost", "registry.example.com"] {
        let (client, url) = at(&world, name, &root);
        let answer = client.get(format!("{url}/healthz")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        // Under these names other programs are meant, too, or nobody but us vouches for them.
        assert!(
            answer
                .headers()
                .get(header::STRICT_TRANSPORT_SECURITY)
                .is_none()
        );
    }
    let data = world.data();
    world.end().await;
    assert!(!data.join("endpoint.ca").exists() && !data.join("endpoint").exists());
}

#[tokio::test]
async fn nobody_is_fooled_who_trusts_somebody_else() {
    let world = own(&[]).await;
    let health = format!("{}/healthz", world.url);
    assert!(client_trusting(None).get(&health).send().await.is_err());
    let other = own(&[]).await;
    assert!(other.client.get(&health).send().await.is_err());
    // Nor is anything said in the clear.
    let plain = health.replace("https://", "http://");
    assert!(world.client.get(&plain).send().await.is_err());
    other.end().await;
    world.end().await;
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_and_curl_is_content() {
    let world = own(&[]).await;
    let root = world.data().join("endpoint.ca");
    let answer = world
        .request(Method::GET, "/api/v1/session")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let asked = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--noproxy",
                "*",
                "--write-out",
                " %{http_version}",
                option,
                "--cacert",
            ])
            .arg(&root)
            .arg(format!("{}/healthz", world.url))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&asked.stdout);
        assert!(
            said.ends_with(version),
            "{option}: {said} {}",
            String::from_utf8_lossy(&asked.stderr)
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_session_over_tls_is_never_shown_without_it() {
    let world = own(&[]).await;
    let code = world.ready.sign_in_url.split_once("#code=").unwrap().1;
    let sign_in = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "code": code }));
    let answer = sign_in.send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("; Secure"), "{cookie}");
    world.end().await;
}

#[tokio::test]
async fn the_image_registry_sends_nobody_to_where_others_read_along() {
    let world = own(&[]).await;
    let answer = world.anonymous(Method::GET, "/v2/").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(
        challenge.contains("realm=\"https://127.0.0.1:"),
        "{challenge}"
    );
    world.end().await;
}

#[tokio::test]
async fn a_certificate_in_files_is_shown_under_its_name_and_read_again_when_it_changes() {
    let (world, first) = with_files("registry.example.com").await;
    let health = async |pem: &str| {
        let (client, url) = at(&world, "registry.example.com", pem);
        client.get(format!("{url}/healthz")).send().await
    };
    let answer = health(&first).await.unwrap();
    let always = answer.headers()[header::STRICT_TRANSPORT_SECURITY]
        .to_str()
        .unwrap();
    assert_eq!(always, "max-age=31536000");
    let (_, _, second) = write_files(world.folder.path(), "registry.example.com");
    health(&second).await.unwrap();
    assert!(health(&first).await.is_err());
    // What is not good is not shown; what was, is.
    std::fs::write(world.folder.path().join("privkey.pem"), "nothing").unwrap();
    health(&second).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn programs_of_this_machine_find_a_certificate_that_they_can_check_whatever_the_files_hold() {
    let (world, _) = with_files("registry.example.com").await;
    assert!(world.url.starts_with("https://localhost:"), "{}", world.url);
    let answer = world
        .request(Method::GET, "/api/v1/session")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .headers()
            .get(header::STRICT_TRANSPORT_SECURITY)
            .is_none()
    );
    world.end().await;
}

#[tokio::test]
async fn files_that_hold_no_certificate_are_said_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key, _) = write_files(folder.path(), "registry.example.com");
    for (certificate, key) in [
        (folder.path().join("missing.pem"), key.clone()),
        (key.clone(), key),
        (certificate.clone(), certificate),
    ] {
        let config = Config {
            tls: Some(TlsSource::Files { certificate, key }),
            ..config(folder.path())
        };
        let ended = tokio_util::sync::CancellationToken::new();
        let error = ergon_server::serve(config, ended, |_| panic!("it serves"))
            .await
            .unwrap_err();
        assert!(matches!(error, StartError::Tls(_)), "{error}");
        assert!(error.remedy().is_some());
    }
    assert!(!folder.path().join("data/endpoint").exists());
}

#[tokio::test]
async fn plain_http_stays_what_it_was() {
    let world = World::new().await;
    assert!(world.url.starts_with("http://127.0.0.1:"));
    assert!(!world.data().join("endpoint.ca").exists());
    let code = world.ready.sign_in_url.split_once("#code=").unwrap().1;
    let sign_in = world
        .anonymous(Method::POST, "/api/v1/session")
        .json(&json!({ "code": code }));
    let answer = sign_in.send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(!cookie.contains("Secure"), "{cookie}");
    read(world.anonymous(Method::GET, "/api/v1/ca")).await;
    world.end().await;
}
