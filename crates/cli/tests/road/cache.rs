//! The cache as those who share it find it: what is shown, what goes, and what no kill can break.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::world::World;

/// What a build of a folder is, from a cache of its own.
fn digest_elsewhere(text: &str) -> serde_json::Value {
    let world = World::with_busybox_only();
    let folder = world.page("page", text);
    let built = world.ergon(["build", folder.to_str().unwrap(), "--json"]);
    built.json()["image_digest"].clone()
}

#[test]
fn what_is_shown_is_what_is_there_and_pruning_keeps_what_is_needed() {
    let world = World::with_busybox_only();
    let folder = world.page("page", "hello\n");
    let folder = folder.to_str().unwrap();
    let part = |what: &str| {
        let shown = world.ergon(["cache", "show", "--json"]).json();
        let items = shown["items"].as_array().unwrap().clone();
        items.into_iter().find(|part| part["what"] == what).unwrap()
    };
    assert_eq!(part("bases")["count"], 1);
    assert_eq!(part("builds")["count"], 0);
    let first = world.ergon(["build", folder, "--json"]).json();
    assert_eq!(
        (&part("builds")["count"], &part("bases")["count"]),
        (&1.into(), &1.into())
    );
    assert!(part("steps")["count"].as_u64().unwrap() > 0);
    let page = world.ergon(["cache", "show"]).succeeds().stdout;
    assert!(
        page.contains("bases") && page.contains("just now"),
        "{page}"
    );

    // Nothing is a month old.
    let kept = world
        .ergon(["cache", "prune", "--older-than", "30d"])
        .succeeds();
    assert!(
        kept.stdout.starts_with("Nothing to remove"),
        "{}",
        kept.stdout
    );
    let said = world
        .ergon(["cache", "prune", "--keep-size", "0", "--dry-run", "--json"])
        .json();
    assert_eq!(
        (&said["dry_run"], &said["removed"]["builds"]),
        (&true.into(), &1.into())
    );
    assert_eq!(part("builds")["count"], 1, "it was only asked");
    let pruned = world
        .ergon(["cache", "prune", "--keep-size", "0", "--json"])
        .json();
    assert_eq!(pruned["freed"], said["freed"]);
    assert_eq!(
        (&part("builds")["count"], &part("bases")["count"]),
        (&0.into(), &1.into())
    );
    let again = world.ergon(["build", folder, "--json"]).json();
    assert_eq!(
        (&again["cached"], &again["image_digest"]),
        (&false.into(), &first["image_digest"])
    );

    world
        .ergon(["cache", "prune", "--keep-size", "0", "--bases"])
        .succeeds();
    let empty = world.ergon(["cache", "show", "--json"]).json();
    assert_eq!(empty["bytes"], 0, "{empty}");
    assert_eq!(
        world
            .ergon(["cache", "show"])
            .succeeds()
            .stdout
            .lines()
            .last(),
        Some("It is empty.")
    );
}

#[test]
fn a_build_that_is_killed_at_any_line_leaves_a_cache_that_works() {
    let world = World::with_busybox_only();
    let mut lines_before_the_end = 0;
    for kill_after in 0.. {
        let text = format!("page {kill_after}\n");
        let folder = world.page("page", &text);
        let mut child = world.ergon(["build", folder.to_str().unwrap()]).spawn();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = said.by_ref().take(kill_after).count();
        child.kill().unwrap();
        child.wait().unwrap();
        lines_before_the_end = lines_before_the_end.max(heard);
        let built = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .json();
        world.ergon(["cache", "verify"]).succeeds();
        if heard < kill_after {
            // It had said all it had to say.
            assert_eq!(built["image_digest"], digest_elsewhere(&text));
            break;
        }
    }
    assert!(lines_before_the_end >= 3, "{lines_before_the_end}");
    let pruned = world.ergon(["cache", "prune", "--json"]).json();
    assert!(pruned["removed"].is_object(), "{pruned}");
}

#[test]
fn a_prune_that_is_killed_leaves_a_cache_that_works() {
    let world = World::with_busybox_only();
    let mut first = Vec::new();
    for number in 0..4 {
        let folder = world.page(&number.to_string(), &format!("page {number}\n"));
        let built = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .json();
        first.push((folder, built["image_digest"].clone()));
    }
    let mut prune = world.ergon(["cache", "prune", "--keep-size", "0"]).spawn();
    let mut said = BufReader::new(prune.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().starts_with("removing "));
    prune.kill().unwrap();
    prune.wait().unwrap();
    for (folder, digest) in first {
        let again = world
            .ergon(["build", folder.to_str().unwrap(), "--json"])
            .json();
        assert_eq!(again["image_digest"], digest);
    }
    world.ergon(["cache", "verify"]).succeeds();
}

#[test]
fn builds_in_several_processes_share_one_cache() {
    let world = World::with_busybox_only();
    let folders: Vec<_> = (0..3)
        .map(|number| world.page(&number.to_string(), "hello\n"))
        .collect();
    let building: Vec<_> = folders
        .iter()
        .chain(&folders)
        .map(|folder| {
            world
                .ergon(["build", folder.to_str().unwrap(), "--json"])
                .spawn()
        })
        .collect();
    let expected = digest_elsewhere("hello\n");
    for child in building {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{said}");
        let built: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(built["image_digest"], expected);
    }
    let shown = world.ergon(["cache", "show", "--json"]).json();
    let leftovers = shown["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&leftovers["what"], &leftovers["count"]),
        (&"leftovers".into(), &0.into())
    );
    world.ergon(["cache", "verify"]).succeeds();
}

#[test]
fn nothing_is_removed_beside_a_build() {
    let world = World::with_busybox_only();
    // Whatever holds the lock as a build does.
    let mut build = Command::new("flock")
        .arg("--shared")
        .arg(world.path("cache/ergon/lock"))
        .args(["sh", "-c", "echo held; cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flock is needed to test; dev/setup installs util-linux");
    let mut line = String::new();
    let mut said = BufReader::new(build.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");

    let refused = world.ergon(["cache", "prune"]).ends_with(1).stderr;
    let user = format!("in use by flock ({})", build.id());
    assert!(
        refused.contains(&user) && refused.contains("--wait"),
        "{refused}"
    );
    world.ergon(["cache", "prune", "--dry-run"]).succeeds();
    // Builds do not wait for one another.
    let folder = world.page("page", "hello\n");
    world.ergon(["build", folder.to_str().unwrap()]).succeeds();

    let mut waiting = world.ergon(["cache", "prune", "--wait"]).spawn();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let told = lines.next().unwrap().unwrap();
    assert!(told.starts_with("waiting for flock"), "{told}");
    let mut input = build.stdin.take().unwrap();
    input.flush().unwrap();
    drop(input);
    assert!(build.wait().unwrap().success());
    assert!(waiting.wait().unwrap().success());
}

#[test]
fn a_blob_that_lies_is_found_and_the_next_build_repairs_it() {
    let world = World::with_busybox_only();
    let folder = world.page("page", "hello\n");
    let folder = folder.to_str().unwrap();
    let first = world.ergon(["build", folder, "--json"]).json();
    let steps = std::fs::read_dir(world.path("cache/ergon/steps")).unwrap();
    let step = std::fs::read(steps.into_iter().next().unwrap().unwrap().path()).unwrap();
    let step: serde_json::Value = serde_json::from_slice(&step).unwrap();
    let digest = step["digest"].as_str().unwrap();
    let path = world.path(&format!("cache/ergon/blobs/{}", digest.replace(':', "/")));
    let mut content = std::fs::read(&path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&path, content).unwrap();

    let found = world.ergon(["cache", "verify", "--json"]).ends_with(1);
    assert_eq!(found.json()["damaged"], serde_json::json!([digest]));
    assert!(!path.exists());
    let again = world.ergon(["build", folder, "--json"]).json();
    assert_eq!(
        (&again["cached"], &again["image_digest"]),
        (&false.into(), &first["image_digest"])
    );
    world.ergon(["cache", "verify"]).succeeds();
}
