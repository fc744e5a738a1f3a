//! The file of one container's series.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::point::{MARK, POINT};
use super::{Grain, Mark, MarkKind, Point};

const MAGIC: &[u8; 8] = b"ERGONTS1";
/// Where the container's id stands.
const ID: u64 = 16;
const ID_LENGTH: usize = 64;
const MARKS: u64 = 4096;
/// So many marks are kept.
const MOST_MARKS: u64 = 512;
const SECONDS: u64 = MARKS + MOST_MARKS * MARK as u64;
const MINUTES: u64 = SECONDS + Grain::Second.kept() as u64 * POINT as u64;

/// An open series.
#[derive(Debug)]
pub(super) struct SeriesFile {
    file: File,
    marks: BTreeSet<Mark>,
    /// Where the next mark is written.
    next_mark: u64,
}

impl SeriesFile {
    /// Opens the file, and makes it where there is none, or none that can be understood.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(path)?;
        let mut magic = [0; MAGIC.len()];
        let is_ours = file.read_exact_at(&mut magic, 0).is_ok() && magic == *MAGIC;
        if !is_ours {
            file.set_len(0)?;
            file.write_all_at(MAGIC, 0)?;
        }
        Self::with(file)
    }

    /// Opens the file to read from it.
    pub(super) fn look(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut magic = [0; MAGIC.len()];
        file.read_exact_at(&mut magic, 0)?;
        if magic != *MAGIC {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Self::with(file)
    }

    fn with(file: File) -> io::Result<Self> {
        let bytes = read_some(&file, MARKS, MOST_MARKS as usize * MARK)?;
        let slots: Vec<Option<Mark>> = bytes.chunks_exact(MARK).map(Mark::read).collect();
        let latest = (0_u64..)
            .zip(&slots)
            .filter_map(|(at, mark)| Some((mark.as_ref()?.time, at)))
            .max();
        // The latest was not always written last, but what follows it is among the oldest.
        let free = (0_u64..).zip(&slots).find(|(_, mark)| mark.is_none());
        let next_mark = free
            .map(|(at, _)| at)
            .or(latest.map(|(_, at)| at + 1))
            .or(u64::try_from(slots.len()).ok())
            .unwrap_or(0);
        Ok(Self {
            file,
            marks: slots.into_iter().flatten().collect(),
            next_mark: next_mark % MOST_MARKS,
        })
    }

    /// Writes down whose series it is; another container's under the same name was deployed since.
    pub(super) fn belongs_to(&mut self, id: &str, now: i64) -> io::Result<()> {
        let mut known = [0; ID_LENGTH];
        let length = self.file.read_at(&mut known, ID)?;
        let known = known.get(..length).unwrap_or_default();
        let known = known.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut own = [0; ID_LENGTH];
        let length = id.len().min(ID_LENGTH);
        own[..length].copy_from_slice(&id.as_bytes()[..length]);
        if known == &own[..length] {
            return Ok(());
        }
        if !known.is_empty() {
            self.mark(Mark {
                time: now,
                kind: MarkKind::Deployed,
            })?;
        }
        self.file.write_all_at(&own, ID)
    }

    /// Draws a mark; one that is there already stays as it is.
    pub(super) fn mark(&mut self, mark: Mark) -> io::Result<()> {
        if self.marks.contains(&mark) {
            return Ok(());
        }
        let place = MARKS + self.next_mark * MARK as u64;
        let mut before = [0; MARK];
        if self.file.read_exact_at(&mut before, place).is_ok()
            && let Some(before) = Mark::read(&before)
        {
            // What is told again from before all that is kept is not worth keeping.
            if before.time > mark.time {
                return Ok(());
            }
            self.marks.remove(&before);
        }
        self.file.write_all_at(&mark.write(), place)?;
        self.marks.insert(mark);
        self.next_mark = (self.next_mark + 1) % MOST_MARKS;
        Ok(())
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }

    /// Writes points, neighbours in one go.
    pub(super) fn write(&self, grain: Grain, points: &[Point]) -> io::Result<()> {
        let slots: Vec<(i64, &Point)> = points
            .iter()
            .map(|point| (slot(grain, point.time), point))
            .collect();
        for run in slots.chunk_by(|(one, _), (next, _)| one + 1 == *next) {
            let Some((first, _)) = run.first() else {
                continue;
            };
            let bytes: Vec<u8> = run.iter().flat_map(|(_, point)| point.write()).collect();
            self.file.write_all_at(&bytes, place(grain, *first))?;
        }
        Ok(())
    }

    /// Points from `since` to `until`, both included, as far as they are kept; oldest first.
    pub(super) fn read(&self, grain: Grain, since: i64, until: i64) -> io::Result<Vec<Point>> {
        let step = grain.seconds();
        let until = until.div_euclid(step) * step;
        let since = (since.div_euclid(step) * step).max(until - (grain.kept() - 1) * step);
        if since > until || until <= 0 {
            return Ok(Vec::new());
        }
        let (first, last) = (slot(grain, since), slot(grain, until));
        let pieces = if first <= last {
            vec![(first, last)]
        } else {
            vec![(first, grain.kept() - 1), (0, last)]
        };
        let mut points = Vec::new();
        for (first, last) in pieces {
            let length = usize::try_from(last - first + 1).unwrap_or(0) * POINT;
            let bytes = read_some(&self.file, place(grain, first), length)?;
            let within = |point: &Point| (since..until + step).contains(&point.time);
            points.extend(
                bytes
                    .chunks_exact(POINT)
                    .filter_map(Point::read)
                    .filter(within),
            );
        }
        Ok(points)
    }
}

fn slot(grain: Grain, time: i64) -> i64 {
    time.div_euclid(grain.seconds()).rem_euclid(grain.kept())
}

fn place(grain: Grain, slot: i64) -> u64 {
    let start = match grain {
        Grain::Second => SECONDS,
        Grain::Minute => MINUTES,
    };
    start + slot.unsigned_abs() * POINT as u64
}

/// What there is: a file ends where nothing was written yet.
fn read_some(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut read = 0;
    while read < length {
        match file.read_at(&mut bytes[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn point(time: i64) -> Point {
        Point {
            time,
            memory: 1024,
            ..Point::default()
        }
    }

    fn times(points: &[Point]) -> Vec<i64> {
        points.iter().map(|point| point.time - NOW).collect()
    }

    #[test]
    fn a_series_forgets_what_is_older_than_its_length_and_has_gaps() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("web.series");
        let series = SeriesFile::open(&path).expect("opened");
        series
            .write(Grain::Second, &[point(NOW), point(NOW + 1), point(NOW + 5)])
            .expect("written");
        let read = |since, until| {
            let again = SeriesFile::look(&path).expect("opened again");
            again
                .read(Grain::Second, NOW + since, NOW + until)
                .expect("read")
        };
        assert_eq!(times(&read(0, 10)), [0, 1, 5]);
        assert_eq!(times(&read(1, 4)), [1]);
        // An hour later these places belong to others.
        assert_eq!(times(&read(3600, 3610)), [] as [i64; 0]);
        series
            .write(Grain::Second, &[point(NOW + 3601)])
            .expect("written");
        assert_eq!(times(&read(0, 3601)), [5, 3601]);
        assert_eq!(times(&read(-100_000, 3602)), [5, 3601]);
        assert_eq!(times(&read(10, 0)), [] as [i64; 0]);
    }

    #[test]
    fn marks_are_kept_once_the_latest_and_across_openings() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("web.series");
        let started = |time| Mark {
            time,
            kind: MarkKind::Started,
        };
        {
            let mut series = SeriesFile::open(&path).expect("opened");
            series.belongs_to("aaaa", NOW).expect("written");
            series.mark(started(5)).expect("written");
            series.mark(started(5)).expect("written");
        }
        let mut series = SeriesFile::open(&path).expect("opened");
        series.belongs_to("aaaa", NOW).expect("written");
        assert_eq!(series.marks().count(), 1, "the same container");
        series.mark(started(5)).expect("written");
        series.belongs_to("bbbb", NOW).expect("written");
        let kinds: Vec<MarkKind> = series.marks().map(|mark| mark.kind).collect();
        assert_eq!(kinds, [MarkKind::Started, MarkKind::Deployed]);

        for time in 0..2000 {
            series.mark(started(NOW + time)).expect("written");
        }
        drop(series);
        let mut series = SeriesFile::open(&path).expect("opened");
        series.mark(started(NOW + 2000)).expect("written");
        assert_eq!(series.marks().count(), 512);
        assert_eq!(
            series.marks().next().map(|mark| mark.time),
            Some(NOW + 2000 - 511)
        );
    }

    #[test]
    fn a_file_that_is_something_else_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("web.series");
        std::fs::write(&path, "something else entirely").expect("written");
        assert!(SeriesFile::look(&path).is_err());
        let series = SeriesFile::open(&path).expect("opened");
        assert_eq!(series.read(Grain::Minute, 0, NOW).expect("read"), []);
        assert_eq!(series.marks().count(), 0);
    }
}
