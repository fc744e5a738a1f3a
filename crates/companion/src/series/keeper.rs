//! Keeps the series of all containers that are watched.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::file::SeriesFile;
use super::troubles::{News, Troubles};
use super::{Grain, Mark, Past, Point};
use crate::history::Reading;

/// So many seconds are written at once: what a sudden end may lose.
const WRITTEN_AT_ONCE: usize = 5;
/// A series nobody wrote to for longer has nothing in it any more.
const KEPT: Duration = Duration::from_hours(31 * 24);
const SUFFIX: &str = "series";

/// What was counted of one container.
#[derive(Debug)]
pub(crate) struct Count {
    pub id: String,
    pub name: String,
    /// Absent: it does not run.
    pub reading: Option<Reading>,
    /// What happened to it lately.
    pub marks: Vec<Mark>,
}

/// The series of all containers, in one folder.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    all: Mutex<BTreeMap<String, Kept>>,
    troubles: Mutex<Troubles>,
}

/// One that is being written.
#[derive(Debug)]
struct Kept {
    name: String,
    file: SeriesFile,
    last: Option<Reading>,
    /// Points of the minute that is not over, the last of them not written yet.
    minute: Vec<Point>,
    unwritten: usize,
}

impl Keeper {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            all: Mutex::default(),
            troubles: Mutex::default(),
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the folder, and removes what is too old to be asked for.
    pub(crate) fn begin(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        for entry in std::fs::read_dir(&self.folder)?.flatten() {
            let old = || {
                let written = entry.metadata().ok()?.modified().ok()?;
                SystemTime::now().duration_since(written).ok()
            };
            let path = entry.path();
            if path.extension().is_some_and(|end| end == SUFFIX)
                && old().is_some_and(|age| age > KEPT)
            {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Takes in what was counted of all containers there are; the others' files are closed.
    pub(crate) fn count(&self, counts: Vec<Count>, now: Timestamp) {
        let mut all = self.all();
        let mut before = std::mem::take(&mut *all);
        self.troubles()
            .retain(|id| counts.iter().any(|count| count.id == id));
        for count in counts {
            let (id, name) = (count.id.clone(), count.name.clone());
            let kept = match before.remove(&id) {
                Some(kept) => Ok(kept),
                None if count.reading.is_none() && count.marks.is_empty() => continue,
                None => self.open(&count, &mut before, now),
            };
            let written = kept.and_then(|mut kept| {
                let written = kept.take(&self.folder, count);
                all.insert(id.clone(), kept);
                written
            });
            self.tell(&id, &name, written);
        }
        // Those that are gone.
        for (_, mut kept) in before {
            kept.leave();
        }
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is new about writing down what a container uses.
    fn tell(&self, id: &str, name: &str, written: io::Result<bool>) {
        let folder = self.folder.display();
        match self.troubles().take_in(id, written) {
            Some(News::Trouble(error)) => {
                tracing::warn!(error, container = name, %folder, "what a container uses cannot be written down; it is not remembered until that changes");
            }
            Some(News::Over) => {
                tracing::info!(container = name, %folder, "what a container uses is written down again");
            }
            None => {}
        }
    }

    fn open(
        &self,
        count: &Count,
        before: &mut BTreeMap<String, Kept>,
        now: Timestamp,
    ) -> io::Result<Kept> {
        // Another container had the name until now.
        let others: Vec<String> = before
            .iter()
            .filter(|(_, kept)| kept.name == count.name)
            .map(|(id, _)| id.clone())
            .collect();
        for id in others {
            if let Some(mut kept) = before.remove(&id) {
                kept.leave();
            }
        }
        let path = path(&self.folder, &count.name)?;
        let mut file = SeriesFile::open(&path)?;
        file.belongs_to(&count.id, now.as_millisecond())?;
        let begun = now.as_second().div_euclid(60) * 60;
        let minute = file.read(Grain::Second, begun, now.as_second())?;
        Ok(Kept {
            name: count.name.clone(),
            file,
            last: None,
            minute,
            unwritten: 0,
        })
    }

    /// Writes what is not written yet.
    pub(crate) fn flush(&self) {
        for kept in self.all().values_mut() {
            kept.leave();
        }
    }

    /// Points of a container from `since` to `until`.
    pub(crate) fn points(
        &self,
        name: &str,
        grain: Grain,
        since: i64,
        until: i64,
    ) -> io::Result<Vec<Point>> {
        self.flush_one(name)?;
        SeriesFile::look(&path(&self.folder, name)?)?.read(grain, since, until)
    }

    pub(crate) fn marks(&self, name: &str) -> io::Result<Vec<Mark>> {
        let file = SeriesFile::look(&path(&self.folder, name)?)?;
        Ok(file.marks().copied().collect())
    }

    /// What is remembered of a container, as far as conversations need it.
    pub(crate) fn past(&self, name: &str, now: Timestamp) -> io::Result<Past> {
        self.flush_one(name)?;
        let file = SeriesFile::look(&path(&self.folder, name)?)?;
        let now = now.as_second();
        Ok(Past::new(
            file.read(Grain::Second, now - Past::SECONDS, now)?,
            file.read(Grain::Minute, now - Past::MINUTES * 60, now)?,
            file.marks().copied().collect(),
        ))
    }

    fn flush_one(&self, name: &str) -> io::Result<()> {
        let mut all = self.all();
        match all.values_mut().find(|kept| kept.name == name) {
            Some(kept) => kept.write().map(drop),
            None => Ok(()),
        }
    }
}

impl Kept {
    /// Says whether anything was written.
    fn take(&mut self, folder: &Path, count: Count) -> io::Result<bool> {
        if self.name != count.name {
            // An open file goes along with its name.
            std::fs::rename(path(folder, &self.name)?, path(folder, &count.name)?)?;
            self.name = count.name;
        }
        for mark in count.marks {
            self.file.mark(mark)?;
        }
        let Some(reading) = count.reading else {
            self.last = None;
            return self.write();
        };
        let point = self
            .last
            .replace(reading)
            .and_then(|before| Point::between(&before, &reading));
        let Some(point) = point else {
            return Ok(false);
        };
        let is_over = self
            .minute
            .first()
            .is_some_and(|first| first.time.div_euclid(60) != point.time.div_euclid(60));
        if is_over {
            self.write()?;
            self.minute.clear();
        }
        // Two readings in one second: the later one says more.
        if self
            .minute
            .last()
            .is_some_and(|last| last.time == point.time)
        {
            self.minute.pop();
            self.unwritten = self.unwritten.saturating_sub(1);
        }
        self.minute.push(point);
        self.unwritten += 1;
        if self.unwritten >= WRITTEN_AT_ONCE {
            return self.write();
        }
        Ok(false)
    }

    fn write(&mut self) -> io::Result<bool> {
        if self.unwritten == 0 {
            return Ok(false);
        }
        let written = self.minute.len().saturating_sub(self.unwritten);
        // A disk that is full does not make the memory full.
        self.unwritten = 0;
        let points = self.minute.get(written..).unwrap_or_default();
        self.file.write(Grain::Second, points)?;
        let begun = points
            .first()
            .map_or(0, |first| first.time.div_euclid(60) * 60);
        if let Some(minute) = Point::sum_up(begun, &self.minute) {
            self.file.write(Grain::Minute, &[minute])?;
        }
        Ok(true)
    }

    fn leave(&mut self) {
        if let Err(error) = self.write() {
            tracing::warn!(%error, container = self.name, "what a container used could not be written down");
        }
    }
}

/// Where the series of a name is. Engines' names have no slashes; nothing else may lead out of the folder either.
fn path(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let is_plain = !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 200
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if !is_plain {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    Ok(folder.join(format!("{name}.{SUFFIX}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::MarkKind;

    const NOW: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn counted(id: &str, name: &str, second: i64, memory: u64) -> Count {
        let reading = Reading {
            time: at(second),
            memory,
            processor: Some(u64::try_from(second - NOW + 100).unwrap_or(0) * 500_000_000),
            ..Reading::default()
        };
        Count {
            id: id.to_owned(),
            name: name.to_owned(),
            reading: Some(reading),
            marks: Vec::new(),
        }
    }

    fn keeper(folder: &Path) -> Keeper {
        let keeper = Keeper::new(folder.join("history"));
        keeper.begin().expect("a folder");
        keeper
    }

    #[test]
    fn what_was_counted_outlives_whoever_counted_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = keeper(folder.path());
        for second in 0..=65 {
            first.count(
                vec![counted("aaaa", "web", NOW + second, 4096)],
                at(NOW + second),
            );
        }
        // Killed: nothing is flushed.
        std::mem::forget(first);
        let second = keeper(folder.path());
        let points = second
            .points("web", Grain::Second, NOW, NOW + 100)
            .expect("read");
        assert_eq!(points.first().map(|point| point.time), Some(NOW + 1));
        assert!(
            points.last().is_some_and(|point| point.time >= NOW + 60),
            "{:?}",
            points.last()
        );
        assert!(
            points
                .iter()
                .all(|point| (point.memory, point.processor) == (4096, 5000))
        );

        // The minute goes on where it was.
        second.count(vec![counted("aaaa", "web", NOW + 70, 8192)], at(NOW + 70));
        second.count(vec![counted("aaaa", "web", NOW + 71, 8192)], at(NOW + 71));
        let minutes = second
            .points("web", Grain::Minute, NOW, NOW + 100)
            .expect("read");
        let memory: Vec<(i64, u64, u64)> = minutes
            .iter()
            .map(|minute| (minute.time - NOW, minute.memory, minute.memory_peak))
            .collect();
        assert_eq!(memory[0], (0, 4096, 4096));
        assert_eq!((memory[1].0, memory[1].2), (60, 8192));
        assert!(memory[1].1 < 8192, "the seconds before still count");
        assert_eq!(second.marks("web").expect("marks"), []);
    }

    #[test]
    fn a_container_that_takes_anothers_name_goes_on_in_its_series() {
        let folder = tempfile::tempdir().expect("a folder");
        let keeper = keeper(folder.path());
        let count = |id: &str, name: &str, second: i64| {
            keeper.count(
                vec![counted(id, name, NOW + second, 4096)],
                at(NOW + second),
            );
        };
        for (id, name, second) in [
            ("aaaa", "web", 0),
            ("aaaa", "web", 1),
            ("bbbb", "web", 2),
            ("bbbb", "web", 3),
            ("bbbb", "renamed", 4),
        ] {
            count(id, name, second);
        }
        let times: Vec<i64> = keeper
            .points("renamed", Grain::Second, NOW, NOW + 9)
            .expect("read")
            .iter()
            .map(|point| point.time - NOW)
            .collect();
        assert_eq!(times, [1, 3, 4], "no rate spans two containers");
        let marks = keeper.marks("renamed").expect("marks");
        assert_eq!(
            marks,
            [Mark {
                time: (NOW + 2) * 1000,
                kind: MarkKind::Deployed
            }]
        );
        assert!(keeper.marks("web").is_err());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["", "..", ".hidden", "a/b", "a\0b", &"x".repeat(300)] {
            assert!(path(Path::new("/x"), name).is_err(), "{name}");
        }
        assert_eq!(
            path(Path::new("/x"), "web-1_a.b").expect("a path"),
            Path::new("/x/web-1_a.b.series")
        );
    }
}
