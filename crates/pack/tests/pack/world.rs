//! A cache with a synthetic base in it, and source trees to build.

use std::path::{Path, PathBuf};

use ergon_manifest::Digest;
use ergon_oci::ConfigChange;
use ergon_pack::{Built, Cache, Options, Prepared, Silent, build, prepare};
use tokio_util::sync::CancellationToken;

/// The reference that test manifests start from.
pub const BASE: &str = "synthetic.test/base:1";

pub struct World {
    folder: tempfile::TempDir,
    pub cache: Cache,
}

impl World {
    /// A fresh cache that holds [`BASE`], made of `content`.
    pub fn with_base(content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache")).unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        archive
            .append_data(&mut header, "etc/base", content.as_bytes())
            .unwrap();
        let rootfs = archive.into_inner().unwrap();
        let reference = BASE.parse().unwrap();
        cache
            .bases()
            .import_rootfs(
                rootfs.as_slice(),
                &reference,
                &ConfigChange::default(),
                0,
                "linux/amd64",
                jiff::Timestamp::UNIX_EPOCH,
            )
            .unwrap();
        Self { folder, cache }
    }

    pub fn new() -> Self {
        Self::with_base("base")
    }

    /// A folder with a small project in it, which needs no step to run.
    pub fn project(&self, name: &str) -> PathBuf {
        let root = self.folder.path().join(name);
        std::fs::create_dir_all(root.join("pages/deep")).unwrap();
        std::fs::write(root.join("ergon.json"), MANIFEST).unwrap();
        std::fs::write(root.join("pages/index.html"), "<h1>Hello</h1>\n").unwrap();
        std::fs::write(root.join("pages/deep/note.txt"), "note\n").unwrap();
        std::fs::write(root.join("serve.sh"), "#!/bin/sh\n").unwrap();
        root
    }

    pub async fn prepare(&self, folder: &Path) -> Prepared {
        prepare(folder, &self.cache, None, Options::default(), &Silent)
            .await
            .unwrap()
    }

    pub async fn build(&self, folder: &Path) -> Built {
        let prepared = self.prepare(folder).await;
        build(
            &prepared,
            &self.cache,
            None,
            &Silent,
            &CancellationToken::new(),
        )
        .await
        .unwrap()
    }

    pub async fn image_digest(&self, folder: &Path) -> Digest {
        self.build(folder).await.record.images[0].digest
    }
}

pub const MANIFEST: &str = r#"{
  "manifest_version": "1.0",
  "applications": {
    "pages": { "type": "files", "language": "shell", "run_command": "sh serve.sh" }
  },
  "containers": {
    "pages": { "base_image": "synthetic.test/base:1", "applications": ["pages"], "ports": [8080] }
  }
}
"#;
