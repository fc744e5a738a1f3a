//! Who we are to a registry that asks: from Docker's configuration, its helpers, and tokens; and no secret anywhere else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::image_registry::Registry;
use crate::tools::tool;
use crate::world::{Ended, World};

const PASSWORD: &str = "open-sesame-7319";
/// `road:open-sesame-7319`, as Docker's configuration keeps it.
const ENCODED: &str = "cm9hZDpvcGVuLXNlc2FtZS03MzE5";
/// The same as a registry keeps it: bcrypt.
const HTPASSWD: &str = "road:$2b$05$abcdefghijklmnopqrstuuAijl20DtL1SBhJRhn8itRjuyzarBYay\n";
const IDENTITY: &str = "identity/of+the=road-4512";

/// Sends a page with this configuration of Docker's, everything traced.
fn push(world: &World, address: &str, name: &str, configuration: &Value) -> Ended {
    let folder = world.path(&format!("docker-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.json"), configuration.to_string()).unwrap();
    let path = format!("{}:/usr/bin:/bin", world.path("helpers").display());
    world
        .ergon(["build", "pages/page", "--output"])
        .arg(format!("docker://{address}/team/page:{name}"))
        .env("DOCKER_CONFIG", folder)
        .env("PATH", path)
        .env("ERGON_LOG", "trace")
        .run()
}

/// A credential helper that answers this, and writes down how it was called.
fn helper(world: &World, name: &str, answer: &str, code: u8) -> PathBuf {
    let folder = world.path("helpers");
    std::fs::create_dir_all(&folder).unwrap();
    let called = world.path(&format!("{name}.called"));
    let script = format!(
        "#!/bin/sh\nprintf '%s %s' \"$*\" \"$(cat)\" > '{}'\nprintf '%s' '{answer}'\nexit {code}\n",
        called.display()
    );
    let path = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    called
}

/// None of these stands in what was printed.
fn hides(ended: &Ended, secrets: &[&str]) {
    assert!(ended.stderr.contains("TRACE"), "{}", ended.stderr);
    for secret in secrets {
        assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
        let at = ended.stderr.find(secret);
        let around = at.map(|at| &ended.stderr[at.saturating_sub(300)..at + secret.len()]);
        assert_eq!(around, None, "{secret}");
    }
}

#[test]
fn a_registry_takes_a_login_from_wherever_docker_keeps_it() {
    let world = World::with_busybox_only();
    let passwords = world.path("htpasswd");
    std::fs::write(&passwords, HTPASSWD).unwrap();
    let asking = format!(
        "auth: {{ htpasswd: {{ realm: road, path: {} }} }}\n",
        passwords.display()
    );
    let registry = Registry::start_with(&world, &asking);
    let address = registry.address.as_str();
    world.page("page", "credentials\n");
    let answer = json!({ "ServerURL": address, "Username": "road", "Secret": PASSWORD });
    let called = ["own", "every"].map(|name| helper(&world, name, &answer.to_string(), 0));
    let failing = json!({ "Username": "road", "Secret": PASSWORD }).to_string();
    helper(&world, "failing", &failing, 1);
    helper(
        &world,
        "empty",
        "credentials not found in native keychain",
        1,
    );
    let auth = json!({ "auth": ENCODED });
    for (name, configuration) in [
        ("auths", json!({ "auths": { address: auth } })),
        (
            "url",
            json!({ "auths": { format!("https://{address}/v1/"): auth } }),
        ),
        (
            "plain",
            json!({ "auths": { address: { "username": "road", "password": PASSWORD } } }),
        ),
        ("helper", json!({ "credHelpers": { address: "own" } })),
        (
            "store",
            json!({ "credsStore": "every", "auths": { address: {} } }),
        ),
        // The helper of a registry goes before the store for all.
        (
            "both",
            json!({ "credsStore": "failing", "credHelpers": { address: "own" } }),
        ),
    ] {
        let sent = push(&world, address, name, &configuration);
        assert_eq!(sent.code, Some(0), "{name}: {}", sent.stderr);
        hides(&sent, &[PASSWORD, ENCODED]);
    }
    // A helper is told the registry by a pipe, and nothing by its arguments.
    for called in called {
        assert_eq!(
            std::fs::read_to_string(called).unwrap(),
            format!("get {address}")
        );
    }
    for (name, configuration, expected) in [
        (
            "none",
            json!({}),
            "it wants credentials, and there are none for it",
        ),
        (
            "empty",
            json!({ "credsStore": "empty" }),
            "there are none for it",
        ),
        (
            "wrong",
            json!({ "auths": { address: { "auth": "cm9hZDp3cm9uZy1zZXNhbWU=" } } }),
            "it does not accept the credentials there are for it",
        ),
        (
            "failing",
            json!({ "credHelpers": { address: "failing" } }),
            "docker-credential-failing failed",
        ),
        (
            "absent",
            json!({ "credHelpers": { address: "nowhere" } }),
            "cannot be run",
        ),
    ] {
        let refused = push(&world, address, name, &configuration);
        assert_eq!(refused.code, Some(1), "{name}: {}", refused.stderr);
        assert!(
            refused.stderr.contains(expected),
            "{name}: {}",
            refused.stderr
        );
        hides(
            &refused,
            &[
                PASSWORD,
                ENCODED,
                "wrong-sesame",
                "cm9hZDp3cm9uZy1zZXNhbWU=",
            ],
        );
    }
}

/// Signs a token that a registry takes which trusts `cert.pem`, which this makes too.
const TOKEN: &str = r#"
    encode() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=road 2>/dev/null
    chain=$(openssl x509 -in cert.pem -outform DER | openssl base64 -A)
    header=$(printf '{"typ":"JWT","alg":"RS256","x5c":["%s"]}' "$chain" | encode)
    now=$(date +%s)
    claims=$(printf '{"iss":"road","sub":"road","aud":"road","exp":%s,"nbf":%s,"iat":%s,"jti":"1","access":[{"type":"repository","name":"team/page","actions":["pull","push"]}]}' \
        $((now + 3600)) $((now - 60)) "$now" | encode)
    signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -sign key.pem -binary | encode)
    printf '%s.%s.%s' "$header" "$claims" "$signature"
"#;

/// Reads a request: its first line and its body.
fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_lowercase());
    }
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    (lines[0].clone(), String::from_utf8(body).unwrap())
}

/// Gives `token` to whoever shows the identity token, and tells of every request.
fn give_tokens(listener: TcpListener, token: String) -> mpsc::Receiver<(String, String)> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (line, body) = request(&stream);
            let is_known = body.contains("refresh_token=identity%2Fof%2Bthe%3Droad-4512");
            let (status, answer) = if is_known {
                ("200 OK", json!({ "access_token": token }))
            } else {
                ("401 Unauthorized", json!({ "details": "who is that?" }))
            };
            let answer = answer.to_string();
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all((head + &answer).as_bytes()).unwrap();
            if sender.send((line, body)).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn an_identity_token_is_given_for_a_token_of_the_repository() {
    let world = World::with_busybox_only();
    let folder = world.path("token");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!("set -e; cd '{}'; {TOKEN}", folder.display());
    let token = tool("sh", ["-c", &script]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let realm = format!("http://{}/token", listener.local_addr().unwrap());
    let requests = give_tokens(listener, token.clone());
    let certificate = Path::new(&folder).join("cert.pem");
    let asking = format!(
        "auth: {{ token: {{ realm: \"{realm}\", service: road, issuer: road, rootcertbundle: {} }} }}\n",
        certificate.display()
    );
    let registry = Registry::start_with(&world, &asking);
    let address = registry.address.as_str();
    world.page("page", "tokens\n");
    let answer = json!({ "Username": "<token>", "Secret": IDENTITY });
    helper(&world, "token", &answer.to_string(), 0);
    for (name, configuration) in [
        (
            "auths",
            json!({ "auths": { address: { "identitytoken": IDENTITY } } }),
        ),
        ("helper", json!({ "credHelpers": { address: "token" } })),
    ] {
        let sent = push(&world, address, name, &configuration);
        assert_eq!(sent.code, Some(0), "{name}: {}", sent.stderr);
        hides(&sent, &[IDENTITY, &token]);
    }
    for (line, body) in requests.try_iter() {
        assert_eq!(line, "post /token http/1.1");
        assert!(body.contains("service=road"), "{body}");
        assert!(
            body.contains("scope=repository%3Ateam%2Fpage%3Apull%2Cpush"),
            "{body}"
        );
    }
    let wrong = json!({ "auths": { address: { "identitytoken": "identity-of-nobody" } } });
    let refused = push(&world, address, "wrong", &wrong);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let said = "it does not accept the identity token there is for it";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    hides(&refused, &["identity-of-nobody"]);
}
