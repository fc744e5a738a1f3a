//! What a lock pins, and where it is seen.

use ergon_pack::{Lock, Silent, lock, write_dockerfile};

use crate::world::{BASE, World};

fn first_line(dockerfile: &str) -> &str {
    let mut lines = dockerfile.lines();
    lines.find(|line| line.starts_with("FROM ")).unwrap()
}

#[tokio::test]
async fn a_dockerfile_names_the_digest_that_a_base_is_locked_to() {
    let world = World::new();
    let folder = world.project("one");
    let prepared = world.prepare(&folder).await;
    let plan = &prepared.plans[0];
    let unlocked = write_dockerfile(plan, None).text;
    assert_eq!(first_line(&unlocked), format!("FROM {BASE}"));

    lock(&folder, &[], &world.cache, None, &Silent)
        .await
        .unwrap();
    let mut locked = Lock::read(&folder).unwrap().unwrap();
    // This base was imported here, and Docker would look for its digest in a registry.
    assert_eq!(write_dockerfile(plan, Some(&locked)).text, unlocked);

    locked.imported.clear();
    let pinned = write_dockerfile(plan, Some(&locked)).text;
    let digest = prepared.bases[BASE].digest;
    assert_eq!(first_line(&pinned), format!("FROM {BASE}@{digest}"));

    // A digest is of one platform's image.
    let other = locked.bases.values().next().unwrap().clone();
    locked.bases.insert("linux/riscv64".to_owned(), other);
    assert_eq!(write_dockerfile(plan, Some(&locked)).text, unlocked);
}

#[tokio::test]
async fn a_lock_that_has_nothing_imported_reads_as_before() {
    let world = World::new();
    let folder = world.project("one");
    let written = r#"{"lock_version": "1", "bases": {}, "applications": {}}"#;
    std::fs::write(folder.join("ergon.lock.json"), written).unwrap();
    let lock = Lock::read(&folder).unwrap().unwrap();
    assert!(lock.imported.is_empty());
    lock.write(&folder).unwrap();
    let again = std::fs::read_to_string(folder.join("ergon.lock.json")).unwrap();
    assert!(!again.contains("imported"), "{again}");
}
