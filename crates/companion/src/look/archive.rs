//! Files of a container where its root cannot be reached: it does not run, or runs elsewhere. The engine sends them
//! as an archive, of which no more than the beginning is read.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use ergon_engine::{Engine, EngineError};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use tar::{Archive, EntryType, Header};

use super::files::{Refusal, rights, show};
use super::{Entry, Place, secret};
use crate::redact::Redactor;

/// So much of an archive is read: it holds whole folders, with all that is in them.
const MOST_BYTES: usize = 8 << 20;
/// So much of a file is looked at.
const MOST_OF_A_FILE: u64 = (64 << 10) + 1;
/// So many entries of a folder are shown.
const MOST_ENTRIES: usize = 500;
/// So many links are followed.
const MOST_LINKS: usize = 8;

/// What lies at a path. Links are the container's own, and the engine follows them below its root.
pub(super) async fn place(
    engine: &Engine,
    id: &str,
    path: &str,
    redactor: &Redactor,
) -> Result<Place, Refusal> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        if secret::is_one(&at) {
            return Ok(hidden(path));
        }
        let (bytes, is_whole) = beginning(engine, id, &at).await?;
        match read(&bytes, is_whole, path, redactor) {
            Read::Place(place) => return Ok(*place),
            Read::Link(target) => at = below(&at, &target),
            Read::Nothing => break,
        }
    }
    Err(Refusal::Unreadable(
        "what the engine sent cannot be read".to_owned(),
    ))
}

fn hidden(path: &str) -> Place {
    Place {
        path: path.to_owned(),
        kind: "hidden".to_owned(),
        reason: Some("it looks like a secret by its name, and is not shown".to_owned()),
        ..Place::default()
    }
}

/// The beginning of an archive, and whether that is all of it.
async fn beginning(engine: &Engine, id: &str, path: &str) -> Result<(Vec<u8>, bool), Refusal> {
    let mut stream = engine.download(id, path);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| refused(&error, path))?);
        if bytes.len() > MOST_BYTES {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

fn refused(error: &EngineError, path: &str) -> Refusal {
    if error.is_not_found() {
        Refusal::Missing(path.to_owned())
    } else {
        Refusal::Unreadable(error.to_string())
    }
}

/// What an archive holds.
enum Read {
    Place(Box<Place>),
    /// A link, and where it leads.
    Link(String),
    Nothing,
}

fn read(bytes: &[u8], is_whole: bool, path: &str, redactor: &Redactor) -> Read {
    let mut archive = Archive::new(Cursor::new(bytes));
    let Ok(entries) = archive.entries() else {
        return Read::Nothing;
    };
    let mut place: Option<Place> = None;
    let mut inside: BTreeMap<String, Entry> = BTreeMap::new();
    // Where the archive was cut, its last entry cannot be read.
    for mut entry in entries.map_while(Result::ok) {
        let name = entry.path().map(|path| path.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let kind = entry.header().entry_type();
        let Some(place) = &mut place else {
            // The first is what was asked for; what is in it follows.
            if kind.is_symlink() {
                let target = entry.link_name().ok().flatten();
                let target = target.map(|target| target.to_string_lossy().into_owned());
                return target.map_or(Read::Nothing, Read::Link);
            }
            let mut first = Place {
                path: path.to_owned(),
                kind: word(kind).to_owned(),
                ..Place::default()
            };
            if kind.is_file() {
                first.size = entry.header().size().ok();
                let mut head = Vec::new();
                // A file that was cut is shown as far as it came.
                let _ = entry.by_ref().take(MOST_OF_A_FILE).read_to_end(&mut head);
                show(&head, redactor, &mut first);
                return Read::Place(Box::new(first));
            }
            if !kind.is_dir() {
                first.reason = Some("it is no file that could be read".to_owned());
                return Read::Place(Box::new(first));
            }
            place = Some(first);
            continue;
        };
        // `etc/nginx/nginx.conf` in the archive of `/etc`: only what is in the folder itself.
        let mut parts = name
            .trim_end_matches('/')
            .split('/')
            .filter(|part| *part != ".");
        let child = if path.trim_matches('/').is_empty() {
            parts.next()
        } else {
            parts.nth(1)
        };
        let (Some(child), None) = (child, parts.next()) else {
            continue;
        };
        if inside.len() == MOST_ENTRIES {
            place.is_cut = true;
            break;
        }
        let target = entry.link_name().ok().flatten();
        let target = target.filter(|_| kind.is_symlink());
        let told = described(
            child,
            entry.header(),
            target.map(|target| target.to_string_lossy().into_owned()),
        );
        inside.insert(child.to_owned(), told);
    }
    match place {
        Some(mut place) => {
            place.is_cut |= !is_whole;
            place.entries = inside.into_values().collect();
            Read::Place(Box::new(place))
        }
        None => Read::Nothing,
    }
}

fn described(name: &str, header: &Header, target: Option<String>) -> Entry {
    let number = |number: std::io::Result<u64>| {
        number
            .ok()
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(0)
    };
    let changed = header
        .mtime()
        .ok()
        .and_then(|time| i64::try_from(time).ok());
    let changed = changed.and_then(|time| Timestamp::from_second(time).ok());
    Entry {
        name: name.to_owned(),
        kind: word(header.entry_type()).to_owned(),
        size: header.size().unwrap_or(0),
        mode: rights(header.mode().unwrap_or(0)),
        user: number(header.uid()),
        group: number(header.gid()),
        changed: changed.map_or_else(String::new, |time| time.to_string()),
        target,
    }
}

fn word(kind: EntryType) -> &'static str {
    if kind.is_dir() {
        "folder"
    } else if kind.is_file() || kind.is_hard_link() {
        "file"
    } else if kind.is_symlink() {
        "link"
    } else if kind.is_fifo() {
        "pipe"
    } else if kind.is_character_special() || kind.is_block_special() {
        "device"
    } else {
        "unknown"
    }
}

/// Where a link leads, from the folder that it lies in; the container's root is above everything.
fn below(at: &str, target: &str) -> String {
    let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if target.starts_with('/') {
        target.to_owned()
    } else {
        format!("{folder}/{target}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            if kind.is_symlink() {
                header.set_size(0);
                builder
                    .append_link(&mut header, name, content)
                    .expect("added");
            } else {
                header.set_size(content.len() as u64);
                builder
                    .append_data(&mut header, name, content.as_bytes())
                    .expect("added");
            }
        }
        builder.into_inner().expect("an archive")
    }

    #[test]
    fn of_a_folder_only_what_is_in_it_is_told() {
        let bytes = archive(&[
            ("etc/", EntryType::Directory, ""),
            ("etc/hostname", EntryType::Regular, "inside"),
            ("etc/nginx/", EntryType::Directory, ""),
            ("etc/nginx/nginx.conf", EntryType::Regular, "events {}"),
            ("etc/mtab", EntryType::Symlink, "/proc/mounts"),
        ]);
        let Read::Place(place) = read(&bytes, true, "/etc", &Redactor::default()) else {
            panic!("it is a folder");
        };
        let told: Vec<(&str, &str)> = place
            .entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.kind.as_str()))
            .collect();
        assert_eq!(
            told,
            [("hostname", "file"), ("mtab", "link"), ("nginx", "folder")]
        );
        assert!(!place.is_cut);
        // An archive that was cut is told as far as it came.
        let Read::Place(place) = read(&bytes[..1600], false, "/etc", &Redactor::default()) else {
            panic!("it is a folder");
        };
        assert!(place.is_cut && !place.entries.is_empty());
    }

    #[test]
    fn a_file_is_shown_without_secrets_and_a_link_is_told() {
        let bytes = archive(&[("config", EntryType::Regular, "a\npassword=hunter2\n")]);
        let Read::Place(place) = read(&bytes, true, "/app/config", &Redactor::default()) else {
            panic!("it is a file");
        };
        assert_eq!(place.lines, ["a", "password=•••"]);
        let bytes = archive(&[("name", EntryType::Symlink, "../etc/hostname")]);
        let read = read(&bytes, true, "/app/name", &Redactor::default());
        assert!(matches!(read, Read::Link(target) if target == "../etc/hostname"));
    }

    #[test]
    fn links_stay_below_the_root() {
        assert_eq!(below("/app/name", "../etc/hostname"), "/etc/hostname");
        assert_eq!(below("/app/name", "../../../../etc/x"), "/etc/x");
        assert_eq!(below("/app/name", "/run/./secrets//db"), "/run/secrets/db");
    }

    #[test]
    fn what_is_no_archive_says_nothing() {
        for bytes in [&b""[..], b"not an archive", &[0_u8; 2048]] {
            assert!(matches!(
                read(bytes, true, "/x", &Redactor::default()),
                Read::Nothing
            ));
        }
    }
}
