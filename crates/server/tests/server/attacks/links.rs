//! Links in folders that the stack reads and writes, made by whoever may write there.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::json;

use super::{KEPT, Target};
use crate::world::read;

const REQUIREMENTS: &str = "flask==3.0.0\n";
const APP: &str = "from flask import Flask\napp = Flask(__name__)\n";

#[tokio::test]
async fn what_a_link_leads_to_is_neither_shown_nor_written() {
    let target = Target::new().await;
    let world = &target.world;
    let outside = world.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let kept = outside.join("kept");
    std::fs::write(&kept, KEPT).unwrap();
    for (number, linked) in [
        "Dockerfile",
        "ergon.json",
        "README.md",
        "requirements.txt",
        ".env",
        "package.json",
        "pyproject.toml",
        ".dockerignore",
        ".ergon",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("linked-{number}");
        let folder = world.folder(&name, &[("app.py", APP)]);
        if linked != "requirements.txt" {
            std::fs::write(folder.join("requirements.txt"), REQUIREMENTS).unwrap();
        }
        let place = if linked == ".ergon" { &outside } else { &kept };
        symlink(place, folder.join(linked)).unwrap();
        let id = world.project(&folder).await;
        for (method, path) in [
            (Method::GET, format!("/api/v1/projects/{id}")),
            (Method::POST, format!("/api/projects/{id}/docker/generate")),
            (Method::POST, format!("/api/projects/{id}/docker/save")),
            (Method::POST, format!("/api/projects/{id}/docker/handoff")),
        ] {
            let answer = read(
                world
                    .request(method, &path)
                    .json(&json!({ "replace": true, "force": true })),
            )
            .await;
            assert!(
                !answer.status.is_server_error(),
                "{linked} {path}: {:#}",
                answer.body
            );
            assert!(
                !answer.body.to_string().contains(KEPT),
                "{linked} {path}: {:#}",
                answer.body
            );
        }
        assert_eq!(
            std::fs::read_to_string(&kept).unwrap(),
            KEPT,
            "{linked} was written through"
        );
        let beside: Vec<_> = std::fs::read_dir(&outside).unwrap().collect();
        assert_eq!(beside.len(), 1, "{linked}: {beside:?}");
    }
    target.world.end().await;
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    let target = Target::new().await;
    let world = &target.world;
    let outside = world.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("requirements.txt"), format!("{KEPT}==1\n")).unwrap();
    std::fs::write(outside.join("Dockerfile"), KEPT).unwrap();
    let folder = world.folder(
        "racing",
        &[("requirements.txt", REQUIREMENTS), ("app.py", APP)],
    );
    let inner = folder.join("service");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("requirements.txt"), REQUIREMENTS).unwrap();
    let id = world.project(&folder).await;
    let ends = Arc::new(AtomicBool::new(false));
    let racer = {
        let (ends, inner, aside, outside) = (
            Arc::clone(&ends),
            inner.clone(),
            folder.join("aside"),
            outside.clone(),
        );
        std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                let _ = std::fs::rename(&inner, &aside);
                let _ = symlink(&outside, &inner);
                let _ = std::fs::remove_file(&inner);
                let _ = std::fs::rename(&aside, &inner);
            }
        })
    };
    for _ in 0..30 {
        for path in ["generate", "save"] {
            let path = format!("/api/projects/{id}/docker/{path}");
            let answer = world.post(&path, json!({})).await;
            assert!(
                !answer.status.is_server_error(),
                "{path}: {:#}",
                answer.body
            );
            assert!(
                !answer.body.to_string().contains(KEPT),
                "{path}: {:#}",
                answer.body
            );
        }
    }
    ends.store(true, Ordering::Relaxed);
    racer.join().unwrap();
    assert_eq!(
        std::fs::read_to_string(outside.join("Dockerfile")).unwrap(),
        KEPT
    );
    target.world.end().await;
}

#[tokio::test]
async fn what_the_stack_keeps_is_for_its_user_alone() {
    let target = Target::new().await;
    let data = target.world.data();
    let mut folders = vec![data.clone()];
    let mut seen = 0;
    let is_private = |path: &std::path::Path| {
        let mode = std::fs::symlink_metadata(path)
            .unwrap()
            .permissions()
            .mode();
        mode.trailing_zeros() >= 6
    };
    // Nobody looks past the folder itself; what opens doors is closed on its own as well.
    assert!(is_private(&data), "{}", data.display());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let opens = ["token", "key", "secret", "sealed", ".db"]
                .iter()
                .any(|part| name.contains(part));
            if opens && !name.ends_with(".pub") {
                seen += 1;
                assert!(is_private(&path), "{}", path.display());
            }
        }
    }
    assert!(seen > 2, "{seen}");
    target.world.end().await;
}
