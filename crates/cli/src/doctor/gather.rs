//! Looks at an installation: its files, its process, its machine, and what the stack says of itself.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use ergon_server::api::{AuditReport, List, VerifyAudit};
use serde::de::DeserializeOwned;

use super::facts::{Disk, EngineSocket, Facts, File, Known, Process, Unknown};
use super::process;
use crate::client::Client;
use crate::failure::Failure;
use crate::folders;

/// A stack that does not answer in time is asked nothing more.
const PATIENCE: Duration = Duration::from_secs(20);

/// What of the data folder is for its owner alone, and whether it is a file that opens something.
const PRIVATE: [(&str, bool); 13] = [
    ("token", true),
    ("signing.key", true),
    ("seal.key", true),
    ("secrets.age-key", true),
    ("ca/root.key", true),
    ("ca/issuing.pem", true),
    ("ergon.db", true),
    ("ca", false),
    ("run", false),
    ("upstreams", false),
    ("blobs", false),
    ("uploads", false),
    ("projects", false),
];

/// Where the container engine listens, unless `DOCKER_HOST` says otherwise.
const ENGINE: &str = "/var/run/docker.sock";

/// Looks at everything. `client` is absent where no stack runs.
pub async fn gather(
    data: &Path,
    client: Result<Client, Unknown>,
    checkpoints: Vec<String>,
) -> Facts {
    let now = jiff::Timestamp::now().as_second();
    let process = running(data).and_then(process::look);
    let has_checkpoint = !checkpoints.is_empty();
    let stack = Asked { client };
    let session = stack.get(&["api", "v1", "session"]).await;
    let asked = stack.client.as_ref().ok().filter(|_| session.is_ok());
    let audit = audit(data, asked, checkpoints).await;
    Facts {
        data: data.to_owned(),
        now,
        files: files(data),
        token_made: modified(&data.join("token")),
        newest: newest(data),
        clock_is_kept: clock_is_kept(),
        disk: disk(data),
        engine_socket: engine_socket(),
        endpoint: endpoint(data, &process),
        process,
        audit,
        has_checkpoint,
        session,
        robots: stack.list(&["api", "v1", "robots"]).await,
        guard_rails: stack.list(&["api", "v1", "guard-rails"]).await,
        repositories: stack.list(&["api", "v1", "repositories"]).await,
        companions: stack.list(&["api", "registry"]).await,
        tool_servers: stack.list(&["api", "v1", "tool-servers"]).await,
        authority: stack.get(&["api", "v1", "ca", "state"]).await,
    }
}

/// A stack, or why none is asked.
struct Asked {
    client: Result<Client, Unknown>,
}

impl Asked {
    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Known<T> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        match tokio::time::timeout(PATIENCE, client.get(path)).await {
            Ok(answer) => answer.map_err(|failure| said(&failure)),
            Err(_) => Err(Unknown("the stack does not answer".to_owned())),
        }
    }

    async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Known<Vec<T>> {
        let listed: List<T> = self.get(path).await?;
        Ok(listed.items)
    }
}

/// What a failure says.
pub fn said(failure: &Failure) -> Unknown {
    match failure {
        Failure::Said { message, .. } => Unknown(message.clone()),
        Failure::ReaderLeft | Failure::Told(_) => Unknown("it could not be asked".to_owned()),
    }
}

fn files(data: &Path) -> Vec<File> {
    let private = PRIVATE
        .iter()
        .map(|(name, is_key)| (data.join(name), *is_key));
    let all = std::iter::once((data.to_owned(), false)).chain(private);
    all.filter_map(|(path, is_key)| {
        let metadata = fs::symlink_metadata(&path).ok()?;
        Some(File {
            mode: metadata.permissions().mode() & 0o777,
            owner: metadata.uid(),
            path,
            is_key,
        })
    })
    .collect()
}

fn modified(path: &Path) -> Known<i64> {
    let metadata = fs::metadata(path).map_err(|error| not_seen(path, &error))?;
    Ok(metadata.mtime())
}

fn not_seen(path: &Path, error: &io::Error) -> Unknown {
    let path = folders::display(path);
    Unknown(format!("{path} cannot be seen: {}", folders::reason(error)))
}

/// The newest time of what lies in the folder itself.
fn newest(data: &Path) -> i64 {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    let times = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let seconds = times.filter_map(|time| time.duration_since(UNIX_EPOCH).ok());
    let newest = seconds.map(|passed| passed.as_secs()).max().unwrap_or(0);
    i64::try_from(newest).unwrap_or(i64::MAX)
}

/// The process that has the data folder.
fn running(data: &Path) -> Known<u32> {
    let no_stack = || Unknown("no stack runs for this data folder".to_owned());
    if !data.join("endpoint").exists() {
        return Err(no_stack());
    }
    let lock = fs::read_to_string(data.join("lock")).map_err(|_| no_stack())?;
    lock.trim().parse().map_err(|_| no_stack())
}

fn endpoint(data: &Path, process: &Known<Process>) -> Known<String> {
    process.as_ref().map_err(Clone::clone)?;
    let path = data.join("endpoint");
    let text = fs::read_to_string(&path).map_err(|error| not_seen(&path, &error))?;
    Ok(text.trim().to_owned())
}

fn disk(data: &Path) -> Known<Disk> {
    let stat = rustix::fs::statvfs(data).map_err(|error| not_seen(data, &error.into()))?;
    Ok(Disk {
        free: stat.f_bavail * stat.f_frsize,
        size: stat.f_blocks * stat.f_frsize,
    })
}

/// Whether systemd or chrony keeps the clock right, as far as they say.
fn clock_is_kept() -> Known<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists()
        || Path::new("/run/chrony/chronyd.pid").exists()
    {
        return Ok(true);
    }
    let asked = std::process::Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stderr(std::process::Stdio::null())
        .output();
    match asked {
        Ok(output) if output.status.success() => Ok(output.stdout.trim_ascii() == b"yes"),
        _ => Err(Unknown("nothing here says who keeps the clock".to_owned())),
    }
}

fn engine_socket() -> Known<EngineSocket> {
    let host = std::env::var("DOCKER_HOST").ok();
    let path = match host.as_deref().map(|host| host.strip_prefix("unix://")) {
        Some(Some(path)) => PathBuf::from(path),
        Some(None) => return Err(Unknown("the engine is not reached by a socket".to_owned())),
        None => PathBuf::from(ENGINE),
    };
    let metadata = fs::metadata(&path).map_err(|error| not_seen(&path, &error))?;
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let (group, members) = group(&groups, &users, metadata.gid());
    Ok(EngineSocket {
        path,
        mode: metadata.permissions().mode() & 0o777,
        group,
        members,
    })
}

/// The name of a group, and who is in it beside root.
fn group(groups: &str, users: &str, id: u32) -> (String, Vec<String>) {
    let id = id.to_string();
    let fields = |line: &'_ str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let group = groups
        .lines()
        .map(fields)
        .find(|fields| fields.get(2) == Some(&id));
    let named = group.as_ref().and_then(|fields| fields.first().cloned());
    let listed = group
        .and_then(|fields| fields.get(3).cloned())
        .unwrap_or_default();
    let mut members: Vec<String> = listed
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    let own = users
        .lines()
        .map(fields)
        .filter(|fields| fields.get(3) == Some(&id));
    members.extend(own.filter_map(|fields| fields.into_iter().next()));
    members.retain(|name| !name.is_empty() && name != "root");
    members.sort();
    members.dedup();
    (named.unwrap_or(id), members)
}

/// Whether the audit log is what it was: the stack is asked, or else its folder is read.
async fn audit(
    data: &Path,
    client: Option<&Client>,
    checkpoints: Vec<String>,
) -> Known<AuditReport> {
    if let Some(client) = client {
        let wanted = VerifyAudit { checkpoints };
        let path = ["api", "v1", "audit", "verification"];
        return client
            .post(&path, &wanted)
            .await
            .map_err(|failure| said(&failure));
    }
    ergon_server::verify_audit_folder(data, &checkpoints)
        .map_err(|error| Unknown(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_those_who_are_named_and_those_whose_own_it_is() {
        let groups = "root:x:0:\ndocker:x:999:deploy,root\nusers:x:100:guest\n";
        let users = "root:x:0:0::/:\nbuilder:x:1001:999::/:\n";
        let (name, members) = group(groups, users, 999);
        assert_eq!(
            (name.as_str(), members.join(" ")),
            ("docker", "builder deploy".to_owned())
        );
        assert_eq!(group(groups, users, 7), ("7".to_owned(), Vec::new()));
    }
}
