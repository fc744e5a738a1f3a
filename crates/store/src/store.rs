//! The connection, the schema, and who is told of changes.

use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Once};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AnyConnection, AnyPool, Connection as _};
use tokio::sync::{Mutex, watch};

use crate::change::Change;
use crate::error::StoreError;
use crate::events::NewEvent;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

const PRAGMAS: &[&str] = &[
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    // A confirmed change survives a power cut, not only a crash.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
];

/// Makes a connection behave as every connection of a store does.
async fn set_up(connection: &mut AnyConnection, sqlite: bool) -> Result<(), sqlx::Error> {
    for pragma in if sqlite { PRAGMAS } else { &[] } {
        sqlx::query(*pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A stack's store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    /// One writer at a time: SQLite has one anyway, and so nobody waits inside a transaction.
    pub(crate) writer: Arc<Mutex<()>>,
    pub(crate) last_event: Arc<watch::Sender<i64>>,
    pub(crate) commits: Arc<watch::Sender<u64>>,
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

impl Store {
    /// Opens the SQLite store in the file `path`, and makes it where there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let Some(file) = path.to_str() else {
            return Err(StoreError::Open {
                path: path.to_owned(),
                reason: "its path is not UTF-8".to_owned(),
            });
        };
        keep_private(path);
        Self::connect(
            &format!("sqlite://{}?mode=rwc", escape(file)),
            path.to_owned(),
        )
        .await
    }

    /// Opens a store by URL: `sqlite://…` or `postgres://…`. `path` names it in messages.
    pub async fn connect(url: &str, path: PathBuf) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let failed = |error: sqlx::Error| StoreError::opening(&path, error);
        let options = AnyConnectOptions::from_str(url).map_err(failed)?;
        let sqlite = url.starts_with("sqlite:");
        // A pool tries again whatever the reason; the first connection alone says what is wrong.
        let mut first = AnyConnection::connect_with(&options)
            .await
            .map_err(failed)?;
        set_up(&mut first, sqlite).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            // A file that cannot be opened now cannot be opened in half a minute either.
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| Box::pin(set_up(connection, sqlite)))
            .connect_with(options)
            .await
            .map_err(failed)?;
        MIGRATIONS.run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                StoreError::Newer { path: path.clone() }
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::opening(&path, error)
            }
            error => StoreError::Open {
                path: path.clone(),
                reason: error.to_string(),
            },
        })?;
        let (last,): (i64,) = sqlx::query_as("SELECT last FROM event_cursor")
            .fetch_one(&pool)
            .await
            .map_err(failed)?;
        Ok(Self {
            pool,
            writer: Arc::default(),
            last_event: Arc::new(watch::Sender::new(last)),
            commits: Arc::new(watch::Sender::new(0)),
        })
    }

    /// Begins a change of state, told of by `event`.
    pub async fn change(&self, event: NewEvent) -> Result<Change, StoreError> {
        Change::begin(self, Some(event)).await
    }

    /// Begins a write that changes no state anybody watches: a line of a log, a session.
    pub async fn unobserved(&self) -> Result<Change, StoreError> {
        Change::begin(self, None).await
    }

    /// Moves with every commit, also with those that no event tells of, as lines of a log.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// The cursor of the newest event, as it moves.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.last_event.subscribe()
    }

    /// Closes every connection, after those in use are done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Keeps the file to its owner, also in a folder that others may enter. SQLite gives the files beside it
/// the same mode. What cannot be done here, SQLite fails at with a better reason.
fn keep_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    if let Ok(file) = options.open(path) {
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
    }
}

/// A file's path as it may stand in a URL.
fn escape(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
