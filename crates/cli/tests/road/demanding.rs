//! Steps that ask too much of a machine, or something unusual.

use std::process::Command;

use crate::sandboxes::Site;
use crate::world::World;

#[tokio::test]
async fn a_step_that_prints_without_measure_is_read_to_its_end() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let said = site
        .said(&["head -c 50000000 /dev/zero | tr '\\0' x; echo; head -c 3000 /dev/urandom; echo; echo end"])
        .await;
    let bytes: usize = said
        .iter()
        .filter(|line| line.starts_with("xx"))
        .map(String::len)
        .sum();
    assert_eq!(bytes, 50_000_000);
    assert_eq!(said.last().unwrap(), "end");
    let said = site
        .said(&["head -c 3000000 /dev/zero | tr '\\0' '\\n'; echo end"])
        .await;
    assert_eq!((said.len(), said[3_000_000].as_str()), (3_000_001, "end"));
}

#[test]
fn a_step_that_fills_the_disk_says_so() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let folder = site.project(&["cat /dev/zero > filled"]);
    let world = World::new();
    let cache = site.folder.path().join("xdg");
    std::fs::create_dir(&cache).unwrap();
    // The small disk is mounted where only the shell and what it starts see it.
    let script = format!(
        "mount -t tmpfs -o size=48m small {cache} && cp -r {held} {cache}/ergon && {ergon} build --sandbox namespaces {folder}; echo code $?; find {cache}/ergon/running {cache}/ergon/builds -mindepth 1",
        cache = cache.display(),
        held = site.cache.root().display(),
        ergon = env!("CARGO_BIN_EXE_ergon"),
        folder = folder.display(),
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    command.env("XDG_CACHE_HOME", &cache);
    command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    command.env("XDG_CONFIG_HOME", world.path("config"));
    let output = command.output().unwrap();
    let (said, why) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(said.trim(), "code 1", "{why}");
    assert!(
        why.contains(
            "step `cat /dev/zero > filled` filled the disk: less than 2 MB are left of it"
        ),
        "{why}"
    );
    assert!(why.contains("ergon cache prune"), "{why}");
}

/// A program of 32 bits, which needs no library: it prints a line, asks for a user namespace of its
/// own, and ends with the number of the error it gets.
const OF_32_BITS: &str = r"\x7f\x45\x4c\x46\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x03\x00\x01\x00\x00\x00
\x54\x80\x04\x08\x34\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00\x20\x00\x01\x00\x00\x00
\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08\x00\x80\x04\x08\x8c\x00\x00\x00
\x8c\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00\xb8\x04\x00\x00\x00\xbb\x01\x00\x00\x00\xb9\x81
\x80\x04\x08\xba\x0b\x00\x00\x00\xcd\x80\xb8\x36\x01\x00\x00\xbb\x00\x00\x00\x10\xcd\x80\x89\xc3
\xf7\xdb\xb8\x01\x00\x00\x00\xcd\x80\x6f\x66\x20\x33\x32\x20\x62\x69\x74\x73\x0a";

#[tokio::test]
async fn a_program_of_32_bits_runs_and_may_no_more_than_others() {
    let Some(site) = Site::namespaces() else {
        return;
    };
    let program = OF_32_BITS.replace('\n', "");
    let run = format!("echo -ne '{program}' > /of32; chmod 755 /of32; /of32; echo code $?");
    let said = site.said(&[&run]).await;
    if said == ["code 126"] {
        eprintln!("SKIPPED: this kernel runs no programs of 32 bits");
        return;
    }
    assert_eq!(said, ["of 32 bits", "code 1"]);
}
