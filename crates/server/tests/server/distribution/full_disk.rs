//! A full disk: what does not fit is refused and leaves nothing, what is there is served, and room is used again.

use std::path::Path;
use std::process::{Child, Command};

use super::{noise, sha256};
use crate::crash::serve_in;
use crate::world::Door;

/// How large the disk is.
const MIB: usize = 24;

/// A stack whose data folder is a small disk, in a mount namespace that nobody else sees.
struct Small {
    child: Child,
    door: Door,
}

impl Small {
    /// `None` where this machine has nobody make namespaces.
    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn start(folder: &Path) -> Option<Self> {
        let data = folder.join("data");
        std::fs::create_dir_all(&data).unwrap();
        let namespace = |then: &str| {
            let mount = format!("mount -t tmpfs -o size={MIB}m tmpfs \"$0\" && {then}");
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--mount", "sh", "-c", &mount]);
            command.arg(&data);
            command
        };
        if !namespace("true")
            .status()
            .is_ok_and(|ended| ended.success())
        {
            eprintln!("SKIPPED: no disk can be mounted here for one process (unshare --mount)");
            return None;
        }
        let child = serve_in(namespace("exec \"$@\""), folder);
        let inside = format!("/proc/{}/root{}", child.id(), data.display());
        let door = Door::of(Path::new(&inside));
        Some(Self { child, door })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends pieces of an upload until one is refused; where it goes on, and how much was acknowledged.
async fn fill(door: &Door, repository: &str, piece: usize) -> (String, usize) {
    let mut location = door.begin(repository).await;
    let mut sent = 0;
    loop {
        let range = format!("{sent}-{}", sent + piece - 1);
        let content = noise(piece, sent as u64);
        let reply = door.piece(&location, &range, &content).await;
        if reply.status != 202 {
            reply.refused(507, "UNKNOWN");
            return (location, sent);
        }
        location = reply.location();
        sent += piece;
        assert!(sent < MIB << 20, "the disk is larger than it is");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::start(folder.path()) else {
        return;
    };
    let door = &small.door;
    let before = door.image("team/app", "before", "before").await;

    let (location, sent) = fill(door, "team/app", 1 << 20).await;
    assert!(sent > MIB << 18, "{sent}");
    // Nothing of the refused piece is kept, and the upload is not lost.
    let held = door.pull(&location).await.with(204);
    assert_eq!(held.header("range"), Some(&*format!("0-{}", sent - 1)));

    // Now the last of it.
    let (rest, _) = fill(door, "team/rest", 4096).await;
    for name in ["before", &sha256(&before)] {
        let path = format!("/v2/team/app/manifests/{name}");
        assert_eq!(door.pull(&path).await.with(200).body, before);
    }
    let layer = format!("/v2/team/app/blobs/{}", sha256(b"before"));
    assert_eq!(door.pull(&layer).await.with(200).body, b"before");
    let mut large = super::manifest(b"{\"text\":\"before\"}", &[b"before"]);
    large["annotations"] = serde_json::json!({ "text": "a".repeat(1 << 20) });
    let large = large.to_string();
    let put = door.put_manifest("team/app", "large", large.as_bytes());
    put.await.refused(507, "UNKNOWN");
    door.pull("/v2/team/app/manifests/large").await.with(404);

    for location in [location, rest] {
        door.remove(&location).await.with(204);
    }
    let after = door.image("team/app", "after", "after").await;
    let pulled = door.pull("/v2/team/app/manifests/after").await.with(200);
    assert_eq!(pulled.body, after);
    let put = door.put_manifest("team/app", "large", large.as_bytes());
    put.await.with(201);
}
