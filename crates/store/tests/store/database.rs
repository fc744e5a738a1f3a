//! A fresh store for each test, in either database.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ergon_store::Store;

/// Runs a test body against both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let database = crate::database::sqlite().await;
                super::$name(database.store.clone()).await;
            })*
        }
        mod postgresql {
            $(#[tokio::test]
            async fn $name() {
                let Some(database) = crate::database::postgresql().await else { return };
                super::$name(database.store.clone()).await;
                database.store.close().await;
            })*
        }
    };
}
pub(crate) use on_both;

/// A store, and what has to stay alive for it.
pub struct Database {
    pub store: Store,
    _server: Option<Server>,
    _folder: tempfile::TempDir,
}

pub async fn sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("ergon.db")).await.unwrap();
    Database {
        store,
        _server: None,
        _folder: folder,
    }
}

/// A server of its own on a unix socket; none where PostgreSQL is not installed.
pub async fn postgresql() -> Option<Database> {
    let Some(programs) = programs() else {
        eprintln!(
            "SKIPPED: no PostgreSQL server under /usr/lib/postgresql; apt-get install postgresql"
        );
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&programs, folder.path());
    let url = format!(
        "postgres://ergon@localhost/postgres?host={}",
        folder.path().display()
    );
    let store = Store::connect(&url, PathBuf::from("postgresql"))
        .await
        .unwrap();
    Some(Database {
        store,
        _server: Some(server),
        _folder: folder,
    })
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|path| path.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop()
}

struct Server {
    programs: PathBuf,
    data: PathBuf,
}

impl Server {
    fn start(programs: &Path, folder: &Path) -> Self {
        // The server refuses to run as root.
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
        let data = folder.join("data");
        let server = Self {
            programs: programs.to_owned(),
            data: data.clone(),
        };
        let data = data.to_str().unwrap();
        server.run(
            "initdb",
            &[
                "--pgdata",
                data,
                "--username",
                "ergon",
                "--auth",
                "trust",
                "--no-sync",
            ],
        );
        let options = format!("-k {} -c listen_addresses= -c fsync=off", folder.display());
        let log = folder.join("log");
        server.run(
            "pg_ctl",
            &[
                "start",
                "--wait",
                "--pgdata",
                data,
                "--options",
                &options,
                "--log",
                log.to_str().unwrap(),
            ],
        );
        server
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
                .arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // Output goes nowhere: a server that inherits a pipe would keep its reader waiting.
        let status = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{} failed", program.display());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run(
            "pg_ctl",
            &[
                "stop",
                "--mode",
                "immediate",
                "--pgdata",
                self.data.to_str().unwrap(),
            ],
        );
    }
}
