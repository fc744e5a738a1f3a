//! A stack that speaks TLS, its authority, the look at an installation, and the unit it runs in.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

#[test]
fn every_command_finds_a_stack_that_speaks_tls_and_trusts_it_alone() {
    let world = World::new();
    let stack = world.up_with(&[("ERGON_TLS", "true")]);
    assert!(
        stack.greeting.contains("https://localhost:"),
        "{}",
        stack.greeting
    );
    let session = world.ergon(["status", "--json"]).json();
    assert_eq!(session["principal"], "owner");
    world.aish(["list"]).succeeds();
    let link = world.ergon(["link"]).succeeds();
    assert!(
        link.stdout.starts_with("https://localhost:"),
        "{}",
        link.stdout
    );
    // From elsewhere, whoever is to trust it is given its authority.
    let url = std::fs::read_to_string(world.data().join("endpoint")).unwrap();
    let token = std::fs::read_to_string(world.data().join("token")).unwrap();
    let elsewhere = |arguments: &[&str]| {
        let program = world.ergon(arguments);
        let nowhere = world.path("nowhere");
        program
            .env("ERGON_DATA", nowhere)
            .env("ERGON_URL", url.trim())
            .env("ERGON_TOKEN", token.trim())
    };
    let refused = elsewhere(&["status"]).ends_with(1);
    assert!(
        refused.stderr.contains("is not trusted"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--ca"), "{}", refused.stderr);
    let authority = world.ergon(["ca", "certificate"]).succeeds().stdout;
    let file = world.path("ca.pem");
    std::fs::write(&file, &authority).unwrap();
    elsewhere(&["status", "--ca", file.to_str().unwrap()]).succeeds();
    elsewhere(&["status"]).env("ERGON_CA", &file).succeeds();
    std::fs::write(&file, "nothing").unwrap();
    let wrong = elsewhere(&["status"]).env("ERGON_CA", &file).ends_with(1);
    assert!(
        wrong.stderr.contains("holds no certificate"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_companion_shows_its_certificate_with_curl_until_it_is_revoked() {
    let world = World::new();
    let _stack = world.up_with(&[("ERGON_TLS", "true")]);
    let read = |name: &str| std::fs::read_to_string(world.data().join(name)).unwrap();
    let (url, token) = (read("endpoint"), read("token"));
    let curl = |arguments: &[&str], path: &str| {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--noproxy",
                "*",
                "--write-out",
                " %{http_code}",
                "--cacert",
            ])
            .arg(world.data().join("endpoint.ca"))
            .args(arguments)
            .arg(format!("{}{path}", url.trim()))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let bearer = format!("authorization: Bearer {}", token.trim());
    let body = json!({ "name": "numa", "type": "external", "port": 9 }).to_string();
    let json_header = "content-type: application/json";
    let registered = curl(
        &[
            "--header",
            &bearer,
            "--header",
            json_header,
            "--data",
            &body,
        ],
        "/api/registry/register",
    );
    assert!(registered.ends_with(" 201"), "{registered}");
    let file = world.path("numa.pem");
    let out = file.to_str().unwrap();
    let issued = world
        .ergon(["ca", "issue", "numa", "--out", out, "--json"])
        .json();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let beat = || {
        curl(
            &["--cert", out, "--request", "POST"],
            "/api/registry/numa/heartbeat",
        )
    };
    assert!(beat().ends_with(" 200"), "{}", beat());
    let again = world
        .ergon(["ca", "issue", "numa", "--out", out])
        .ends_with(1);
    assert!(
        again.stderr.contains("cannot be written"),
        "{}",
        again.stderr
    );
    let nobody = world.path("nobody.pem");
    world
        .ergon([
            "ca",
            "issue",
            "nobody-there",
            "--out",
            nobody.to_str().unwrap(),
        ])
        .ends_with(1);
    assert!(!nobody.exists());
    let serial = issued["serial"].as_str().unwrap();
    let listed = world.ergon(["ca", "list"]).succeeds();
    assert!(listed.stdout.contains(serial), "{}", listed.stdout);
    world.ergon(["ca", "revoke", serial]).succeeds();
    assert!(beat().ends_with(" 000"), "{}", beat());
}

#[test]
fn the_roots_key_is_kept_elsewhere_and_brought_back_for_a_moment() {
    let world = World::new();
    let stack = world.up_with(&[("ERGON_TLS", "true")]);
    let kept = world.path("root.key");
    let kept = kept.to_str().unwrap();
    world.ergon(["ca", "export-key", kept]).succeeds();
    let shown = world.ergon(["ca", "show", "--json"]).json();
    assert_eq!(shown["has_root_key"], false);
    let gone = world
        .ergon(["ca", "export-key", &format!("{kept}.2")])
        .ends_with(1);
    assert!(gone.stderr.contains("is not in"), "{}", gone.stderr);
    let issuing = || std::fs::read(world.data().join("ca/issuing.pem")).unwrap();
    let before = issuing();
    world.ergon(["ca", "renew", "--key", kept]).succeeds();
    assert_ne!(before, issuing());
    assert!(!world.data().join("ca/root.key").exists());
    world.ergon(["status"]).succeeds();
    drop(stack);
    // Neither needs a stack that runs.
    world.ergon(["ca", "renew", "--key", kept]).succeeds();
    let _stack = world.up_with(&[("ERGON_TLS", "true")]);
    world.ergon(["status"]).succeeds();
}

/// The findings of one question.
fn of<'a>(diagnosis: &'a Value, check: &str) -> Vec<&'a Value> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["check"] == check)
        .collect()
}

fn diagnose(world: &World) -> Value {
    let ended = world.ergon(["doctor", "--json"]).run();
    let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
    let is_clean = diagnosis["findings"].as_array().unwrap().is_empty();
    assert_eq!(ended.code, Some(i32::from(!is_clean)), "{}", ended.stdout);
    diagnosis
}

#[test]
fn the_doctor_finds_what_is_open_with_a_stack_and_without() {
    let world = World::new();
    let nothing = world.ergon(["doctor"]).ends_with(2);
    assert!(
        nothing.stderr.contains("there is no data folder"),
        "{}",
        nothing.stderr
    );
    let stack = world.up_with(&[("SOME_API_TOKEN", "x")]);
    world
        .ergon(["registry", "robot", "add", "everywhere", "--allow", "*:*"])
        .succeeds();
    let diagnosis = diagnose(&world);
    assert_eq!(of(&diagnosis, "robots").len(), 2, "{diagnosis:#}");
    assert!(of(&diagnosis, "files").is_empty(), "{diagnosis:#}");
    assert!(of(&diagnosis, "listening").is_empty(), "{diagnosis:#}");
    assert!(of(&diagnosis, "audit").is_empty(), "{diagnosis:#}");
    let environment = of(&diagnosis, "environment");
    assert!(
        environment[0]["what"]
            .as_str()
            .unwrap()
            .contains("SOME_API_TOKEN"),
        "{diagnosis:#}"
    );
    let token = world.data().join("token");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = world.ergon(["doctor"]).ends_with(1);
    assert!(
        said.stdout.contains("may be used by others (mode 644)"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("mend: chmod 600"), "{}", said.stdout);
    drop(stack);
    let diagnosis = diagnose(&world);
    assert_eq!(of(&diagnosis, "files").len(), 1, "{diagnosis:#}");
    let unanswered = diagnosis["unanswered"].as_array().unwrap();
    assert!(
        unanswered.iter().any(|one| one["check"] == "robots"),
        "{diagnosis:#}"
    );
    // The log is read from its folder then.
    assert!(
        diagnosis["good"]
            .as_array()
            .unwrap()
            .contains(&json!("audit")),
        "{diagnosis:#}"
    );
    let entries = find(&world.data().join("audit"));
    let mut bytes = std::fs::read(&entries).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    std::fs::write(&entries, bytes).unwrap();
    let diagnosis = diagnose(&world);
    assert_eq!(
        of(&diagnosis, "audit")[0]["level"],
        "unsafe",
        "{diagnosis:#}"
    );
}

/// The largest file of a folder: the one with the entries.
fn find(folder: &Path) -> std::path::PathBuf {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .components()
                .any(|part| part.as_os_str() == "entries" || part.as_os_str() == "open")
            {
                files.push((std::fs::metadata(&path).unwrap().len(), path));
            }
        }
    }
    files.sort();
    files.pop().expect("a file with entries").1
}

#[test]
fn a_stack_that_listens_everywhere_in_the_clear_is_found() {
    let world = World::new();
    let mut everywhere = world.ergon(["up", "--listen", "0.0.0.0:0"]).spawn();
    crate::world::eventually("the stack to listen", || {
        world.data().join("endpoint").exists().then_some(())
    });
    let diagnosis = diagnose(&world);
    let found = of(&diagnosis, "listening");
    assert!(
        found[0]["what"].as_str().unwrap().contains("0.0.0.0:"),
        "{diagnosis:#}"
    );
    everywhere.kill().unwrap();
    everywhere.wait().unwrap();
}

#[test]
fn the_unit_is_one_and_its_sandbox_is_tight() {
    let analyze = Command::new("systemd-analyze").arg("--version").output();
    if !analyze.is_ok_and(|output| output.status.success()) {
        return;
    }
    let world = World::new();
    let unit = include_str!("../../../../packaging/ergon.service");
    let unit = unit.replace("/usr/local/bin/ergon", env!("CARGO_BIN_EXE_ergon"));
    let file = world.path("ergon.service");
    std::fs::write(&file, unit).unwrap();
    for arguments in [
        vec!["verify", "--man=no"],
        // Tenths: more is refused.
        vec!["security", "--offline=true", "--threshold=20", "--no-pager"],
    ] {
        let output = Command::new("systemd-analyze")
            .args(&arguments)
            .arg(&file)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&said)
        );
    }
}
