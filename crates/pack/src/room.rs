//! That a step leaves room on the disk for whoever else lives there.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked. What is written in between must fit into what is to stay free.
const TICK: Duration = Duration::from_millis(100);
/// What stays free of a large disk.
const ENOUGH: u64 = 1 << 30;

/// The room on the disk that a step writes to.
#[derive(Debug)]
pub struct Room {
    /// A folder on that disk, and what stays free; none where nothing is known of it.
    watched: Option<(PathBuf, u64)>,
}

impl Room {
    /// That of a folder, as it is before the step begins.
    pub fn of(folder: Option<&Path>) -> Self {
        let watched = folder.and_then(|folder| {
            let (total, free) = total_and_free(folder)?;
            Some((folder.to_owned(), kept(total, free)))
        });
        Self { watched }
    }

    /// Bytes that a step must leave.
    pub fn kept(&self) -> u64 {
        self.watched.as_ref().map_or(0, |(_, kept)| *kept)
    }

    /// Whether less is left.
    pub fn is_used_up(&self) -> bool {
        self.watched.as_ref().is_some_and(|(folder, kept)| {
            total_and_free(folder).is_some_and(|(_, free)| free < *kept)
        })
    }

    /// Comes back when less is left, if ever.
    pub async fn used_up(&self) {
        while !self.is_used_up() {
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
        let folder = Some((std::env::temp_dir(), u64::MAX));
        let room = Room { watched: folder };
        room.used_up().await;
        assert!(!Room::of(None).is_used_up());
    }
}
