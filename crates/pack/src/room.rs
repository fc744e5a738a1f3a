//! That a step leaves room on the disk for whoever else lives there.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked. What is written in between must fit into what is to stay free.
const TICK: Duration = Duration::from_millis(100);
/// What stays free of a large disk.
const ENOUGH: u64 = 1 << 30;

/// The room on the disks that a step writes to.
#[derive(Debug)]
pub struct Room {
    /// A folder on each disk, and what stays free; none where nothing is known of it.
    watched: Vec<(PathBuf, u64)>,
}

impl Room {
    /// That of folders, as it is before the step begins.
    pub fn of<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Self {
        let watched = folders.into_iter().filter_map(|folder| {
            let (total, free) = total_and_free(folder)?;
            Some((folder.to_owned(), kept(total, free)))
        });
        Self {
            watched: watched.collect(),
        }
    }

    /// The bytes that a step must leave, of a disk that has less.
    pub fn overdrawn(&self) -> Option<u64> {
        let mut watched = self.watched.iter();
        let overdrawn = |(folder, kept): &&(PathBuf, u64)| {
            total_and_free(folder).is_some_and(|(_, free)| free < *kept)
        };
        watched.find(overdrawn).map(|(_, kept)| *kept)
    }

    /// Comes back with that when less is left, if ever.
    pub async fn used_up(&self) -> u64 {
        loop {
            if let Some(kept) = self.overdrawn() {
                return kept;
            }
            tokio::time::sleep(TICK).await;
        }
    }
}

/// A gibibyte, a twentieth of a small disk, half of what there is where there is little.
fn kept(total: u64, free: u64) -> u64 {
    ENOUGH.min(total / 20).min(free / 2)
}

fn total_and_free(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    // Without what is left to root only.
    Some((bytes(disk.f_blocks), bytes(disk.f_bavail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn what_stays_free_is_in_proportion() {
        assert_eq!(kept(500 * GIB, 200 * GIB), GIB);
        assert_eq!(kept(10 * GIB, 8 * GIB), GIB / 2);
        assert_eq!(kept(500 * GIB, GIB), GIB / 2);
        assert_eq!(kept(500 * GIB, 0), 0);
    }

    #[tokio::test]
    async fn a_disk_with_less_is_noticed() {
        let watched = vec![(PathBuf::from("/"), 0), (std::env::temp_dir(), u64::MAX)];
        let room = Room { watched };
        assert_eq!(room.used_up().await, u64::MAX);
        assert_eq!(Room::of([]).overdrawn(), None);
    }
}
