//! Who may use a stack's registry, tried with other people's clients: robots, anybody, tags that stay.

use std::path::Path;

use crate::clients::{oras_is_here, python};
use crate::distribution::{Place, Removed};
use crate::outputs::Built;
use crate::tools::is_here;
use crate::world::{Ended, World};

/// Adds a robot and returns its secret.
fn robot(world: &World, name: &str, allow: &str) -> String {
    let added = world.ergon(["registry", "robot", "add", name, "--allow", allow, "--json"]);
    added.json()["secret"].as_str().unwrap().to_owned()
}

/// Keeps a repository so.
fn set(world: &World, repository: &str, setting: [&str; 2]) {
    let set = ["registry", "repository", "set", repository];
    world.ergon(set.iter().chain(&setting)).succeeds();
}

/// A program with credentials of its own, logged in under a name or not at all.
struct Client<'world> {
    world: &'world World,
    program: &'static str,
    /// What every command takes, before and after its own words.
    before: Vec<String>,
    after: Vec<&'static str>,
    address: &'world str,
}

impl Client<'_> {
    fn run(&self, command: &str, arguments: &[&str]) -> Ended {
        let before = self.before.iter().map(String::as_str).chain([command]);
        let all = before
            .chain(self.after.iter().copied())
            .chain(arguments.iter().copied());
        self.world
            .program(self.program, all)
            .env("REGISTRY_AUTH_FILE", self.world.path("authfile"))
            .run()
    }

    #[track_caller]
    fn works(&self, command: &str, arguments: &[&str]) -> String {
        let ended = self.run(command, arguments);
        assert_eq!(
            ended.code,
            Some(0),
            "{command} {arguments:?}: {}",
            ended.stderr
        );
        ended.stdout
    }

    /// What it says where it does not work.
    #[track_caller]
    fn fails(&self, command: &str, arguments: &[&str]) -> String {
        let ended = self.run(command, arguments);
        assert_ne!(
            ended.code,
            Some(0),
            "{command} {arguments:?}: {}",
            ended.stdout
        );
        ended.stderr.to_lowercase()
    }

    fn login(&self, user: &str, password: &str) -> Ended {
        let before = self.before.iter().map(String::as_str).chain(["login"]);
        let all = before.chain(self.after.iter().copied());
        let own = ["--username", user, "--password-stdin", self.address];
        self.world
            .program(self.program, all.chain(own))
            .env("REGISTRY_AUTH_FILE", self.world.path("authfile"))
            .run_with_input(password)
    }
}

#[test]
fn docker_does_what_a_robot_may_and_what_anybody_may() {
    if !is_here("docker", &["version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let secret = robot(&world, "ci", "team/*:pull,push");
    let docker = Client {
        world: &world,
        program: "docker",
        before: vec![format!("--config={}", world.path("docker").display())],
        after: Vec::new(),
        address: &place.address,
    };
    let ours = format!("{}/team/app:1", place.address);
    let others = format!("{}/other/app:1", place.address);
    let (_ours, _others) = (Removed(&ours), Removed(&others));
    let tar = world.path("busybox.tar");
    docker.works("import", &[tar.to_str().unwrap(), &ours]);
    docker.works("tag", &[&ours, &others]);
    docker.fails("push", &[&ours]);
    let wrong = docker.login("ci", "wrong");
    assert!(
        wrong.stderr.contains("do not belong together"),
        "{}",
        wrong.stderr
    );
    assert_ne!(wrong.code, Some(0));
    let login = docker.login("ci", &secret);
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    docker.works("push", &["--quiet", &ours]);
    let refused = docker.fails("push", &[&others]);
    assert!(
        refused.contains("robot:ci may not push to `other/app`"),
        "{refused}"
    );

    // Nobody pulls what is not for anybody; once it is, everybody does.
    docker.works("logout", &[&place.address]);
    docker.works("rmi", &["--force", &ours]);
    docker.fails("pull", &[&ours]);
    set(&world, "team/app", ["--anonymous-pull", "on"]);
    docker.works("pull", &["--quiet", &ours]);
    docker.fails("push", &[&ours]);

    // A tag that stays.
    set(&world, "team/app", ["--immutable-tags", "on"]);
    assert_eq!(docker.login("ci", &secret).code, Some(0));
    docker.works("push", &["--quiet", &ours]);
    let changed = ["--change", "LABEL other=yes", tar.to_str().unwrap(), &ours];
    docker.works("import", &changed);
    let refused = docker.fails("push", &[&ours]);
    assert!(
        refused.contains("denied") && refused.contains("stays what it is"),
        "{refused}"
    );

    // With its secret, what the robot may is gone.
    world
        .ergon(["registry", "robot", "rotate", "ci"])
        .succeeds();
    docker.fails("push", &[&ours]);
}

#[test]
fn skopeo_does_what_a_robot_may_and_what_anybody_may() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let built = Built::in_world(&world, "skopeo\n");
    let secret = robot(&world, "ci", "team/*:pull,push");
    let skopeo = Client {
        world: &world,
        program: "skopeo",
        before: vec!["--insecure-policy".to_owned()],
        after: vec!["--tls-verify=false"],
        address: &place.address,
    };
    let (to, from) = ("--dest-tls-verify=false", built.oci());
    let copy = |repository: &str| {
        let there = format!("docker://{}/{repository}", place.address);
        let copying = ["--insecure-policy", "copy", "--quiet", to, &from, &there];
        world
            .program("skopeo", copying)
            .env("REGISTRY_AUTH_FILE", world.path("authfile"))
            .run()
    };
    let there = format!("docker://{}/team/app:1", place.address);
    assert_ne!(skopeo.login("ci", "wrong").code, Some(0));
    let login = skopeo.login("ci", &secret);
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    let copied = copy("team/app:1");
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    assert_ne!(copy("other/app:1").code, Some(0));
    skopeo.works("inspect", &[&there]);
    let refused = skopeo.fails("delete", &[&there]);
    assert!(
        refused.contains("robot:ci may not delete from `team/app`"),
        "{refused}"
    );

    skopeo.works("logout", &[&place.address]);
    skopeo.fails("inspect", &[&there]);
    set(&world, "team/app", ["--anonymous-pull", "on"]);
    skopeo.works("inspect", &[&there]);
    assert_ne!(copy("team/app:2").code, Some(0));
}

#[test]
fn oras_does_what_a_robot_may() {
    if !oras_is_here() {
        return;
    }
    let world = World::new();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/road/artifact.py");
    let pushed = |robot: &str, secret: &str| {
        let folder = world.path(&format!("artifact-{robot}"));
        std::fs::create_dir_all(&folder).unwrap();
        let (script, folder) = (script.to_str().unwrap(), folder.to_str().unwrap());
        python(&[script, &place.address, secret, folder, robot, "token"])
    };
    let secret = robot(&world, "may", "team/*:pull,push");
    let said = pushed("may", &secret);
    let why = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{why}");
    let secret = robot(&world, "may-not", "other/*:pull,push");
    assert!(!pushed("may-not", &secret).status.success());
}

#[test]
fn the_tag_of_a_build_is_never_given_to_another_image() {
    if !is_here("skopeo", &["--version"]) {
        return;
    }
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let build = |text: &str| {
        let folder = world.page("page", text);
        let layout = format!("oci:{}", world.path(&format!("layouts/{text}")).display());
        let report = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .arg(format!("--output={layout}"))
            .json();
        (report["image"].as_str().unwrap().to_owned(), layout)
    };
    let ((image, one), (_, two)) = (build("one"), build("two"));
    let there = format!("docker://{}/{image}", place.address);
    let user = format!("ergon:{}", place.token);
    let push = |layout: &str| {
        let to = ["--dest-tls-verify=false", "--dest-creds", &user];
        let copy = ["--insecure-policy", "copy", "--quiet"];
        world
            .program("skopeo", copy.iter().chain(&to).chain(&[layout, &there]))
            .run()
    };
    // The same again is no change; anything else is refused, also once the tag was taken away.
    let same = push(&one);
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    let refused = |ended: Ended| {
        assert_ne!(ended.code, Some(0));
        assert!(
            ended.stderr.contains("stays what it is"),
            "{}",
            ended.stderr
        );
    };
    refused(push(&two));
    let (repository, tag) = image.split_once(':').unwrap();
    let path = format!("/v2/{repository}/manifests/{tag}");
    let removed = world
        .program(
            "curl",
            ["--silent", "--fail", "--request", "DELETE", "--user", &user],
        )
        .arg(format!("http://{}{path}", place.address))
        .run();
    assert_eq!(removed.code, Some(0), "{}", removed.stderr);
    refused(push(&two));
    assert_eq!(push(&one).code, Some(0));
}

#[test]
fn ergon_sends_what_it_builds_with_a_robots_login() {
    let world = World::with_busybox_only();
    let stack = world.up();
    let place = Place::of(&world, &stack);
    let secret = robot(&world, "ci", "team/*:pull,push");
    let docker = world.path("docker");
    std::fs::create_dir_all(&docker).unwrap();
    let auth = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("ci:{secret}"))
    };
    let config = serde_json::json!({ "auths": { &place.address: { "auth": auth } } });
    std::fs::write(docker.join("config.json"), config.to_string()).unwrap();
    let folder = world.page("page", "sent");
    let send = |repository: &str| {
        world
            .ergon(["build", folder.to_str().unwrap()])
            .arg(format!(
                "--output=docker://{}/{repository}:1",
                place.address
            ))
            .env("DOCKER_CONFIG", &docker)
            .run()
    };
    let sent = send("team/page");
    assert_eq!(sent.code, Some(0), "{}", sent.stderr);
    let refused = send("other/page");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("these credentials may not"),
        "{}",
        refused.stderr
    );
}
