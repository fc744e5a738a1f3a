//! What is remembered of a container, as conversations and findings need it. Data only.

use jiff::{SignedDuration, Timestamp};

use super::{Mark, MarkKind, Point};

/// A trend needs so many points and so many seconds to be one.
const FEWEST: usize = 20;
const SHORTEST: i64 = 20;

/// The last minutes by the second and the last day by the minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    pub seconds: Vec<Point>,
    pub minutes: Vec<Point>,
    /// What happened in the last month, oldest first.
    pub marks: Vec<Mark>,
}

/// Where memory is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trend {
    /// The first and the last moment that were compared, in seconds since 1970.
    pub since: i64,
    pub until: i64,
    /// Bytes at both, as the line through all points has them.
    pub from: u64,
    pub to: u64,
    /// Bytes an hour; negative where it shrinks.
    pub per_hour: i64,
    /// How much of the change the line explains, in percent.
    pub fit: u32,
    /// When the limit is reached, if it goes on like this.
    pub full_in: Option<SignedDuration>,
}

impl Past {
    /// So many seconds are looked back by the second.
    pub const SECONDS: i64 = 10 * 60;
    /// So many minutes by the minute.
    pub const MINUTES: i64 = 24 * 60;

    pub fn new(seconds: Vec<Point>, minutes: Vec<Point>, marks: Vec<Mark>) -> Self {
        Self {
            seconds,
            minutes,
            marks,
        }
    }

    /// Points since a moment, as fine as they are known.
    pub fn since(&self, time: Timestamp) -> &[Point] {
        let since = time.as_second();
        let all = match self.seconds.first() {
            Some(first) if first.time <= since + 60 => &self.seconds,
            // The minutes know of nothing before.
            Some(first)
                if self
                    .minutes
                    .first()
                    .is_none_or(|minute| minute.time + 60 > first.time) =>
            {
                &self.seconds
            }
            _ => &self.minutes,
        };
        let start = all.partition_point(|point| point.time < since);
        all.get(start..).unwrap_or_default()
    }

    /// How often it was started between two moments, in seconds since 1970.
    pub fn starts(&self, since: i64, until: i64) -> u64 {
        let within = since.saturating_mul(1000)..=until.saturating_mul(1000);
        self.marks
            .iter()
            .filter(|mark| mark.kind == MarkKind::Started && within.contains(&mark.time))
            .count() as u64
    }

    /// When this life began, in seconds since 1970; long ago where that is not known.
    fn begun(&self) -> i64 {
        self.marks
            .iter()
            .rev()
            .find(|mark| matches!(mark.kind, MarkKind::Started | MarkKind::Deployed))
            .map_or(i64::MIN, |mark| mark.time.div_euclid(1000))
    }

    /// What it used in this life, with the memory limit it has now: by the minute, or by the second where it is
    /// young. What it did under another limit says little about this one.
    pub fn of_this_life(&self) -> &[Point] {
        let begun = self.begun();
        let of = |points: &'_ [Point]| {
            let limit = points.last().map(|last| last.memory_limit);
            let other = |point: &Point| point.time < begun || Some(point.memory_limit) != limit;
            points.iter().rposition(other).map_or(0, |other| other + 1)
        };
        let span = |points: &[Point]| match (points.first(), points.last()) {
            (Some(first), Some(last)) => last.time - first.time,
            _ => 0,
        };
        let minutes = self.minutes.get(of(&self.minutes)..).unwrap_or_default();
        let seconds = self.seconds.get(of(&self.seconds)..).unwrap_or_default();
        if span(minutes) >= span(seconds) {
            minutes
        } else {
            seconds
        }
    }

    /// Where memory has been going since the last start: over the last minutes of a young container, over
    /// hours of an old one.
    pub fn memory_trend(&self) -> Option<Trend> {
        let start = self.begun();
        let of_this_life = |points: &[Point]| -> Vec<Point> {
            points
                .iter()
                // What is loaded in the first seconds is no trend.
                .filter(|point| point.time >= start.saturating_add(5))
                .copied()
                .collect()
        };
        let minutes = of_this_life(&self.minutes);
        let hours = (minutes.len() >= 2 * FEWEST)
            .then(|| trend(&minutes))
            .flatten();
        hours.or_else(|| trend(&of_this_life(&self.seconds)))
    }
}

/// The line through all points, by least squares.
fn trend(points: &[Point]) -> Option<Trend> {
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < FEWEST || last.time - first.time < SHORTEST {
        return None;
    }
    let count = points.len() as f64;
    let at = |point: &Point| (point.time - first.time) as f64;
    let mean_time = points.iter().map(at).sum::<f64>() / count;
    let mean_memory = points.iter().map(|point| point.memory as f64).sum::<f64>() / count;
    let (mut both, mut times, mut memories) = (0.0, 0.0, 0.0);
    for point in points {
        let (time, memory) = (at(point) - mean_time, point.memory as f64 - mean_memory);
        both += time * memory;
        times += time * time;
        memories += memory * memory;
    }
    let slope = both / times;
    let line = |time: f64| mean_memory + slope * (time - mean_time);
    let fit = if memories > 0.0 {
        100.0 * both * both / (times * memories)
    } else {
        0.0
    };
    let limit = last.memory_limit;
    let left = limit as f64 - last.memory as f64;
    let full_in = (limit > 0 && slope > 0.0)
        .then(|| SignedDuration::try_from_secs_f64((left / slope).max(0.0)).ok())
        .flatten();
    Some(Trend {
        since: first.time,
        until: last.time,
        from: line(0.0).max(0.0) as u64,
        to: line(at(last)).max(0.0) as u64,
        per_hour: (slope * 3600.0) as i64,
        fit: fit.clamp(0.0, 100.0) as u32,
        full_in,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const MIB: u64 = 1 << 20;

    fn growing(step: i64, count: i64, per_step: u64) -> Vec<Point> {
        (0..count)
            .map(|at| Point {
                time: NOW + at * step,
                memory: 10 * MIB + at.unsigned_abs() * per_step,
                memory_limit: 100 * MIB,
                ..Point::default()
            })
            .collect()
    }

    #[test]
    fn a_leak_is_told_with_the_time_until_memory_is_full() {
        let past = Past::new(growing(1, 61, MIB), Vec::new(), Vec::new());
        let trend = past.memory_trend().expect("a trend");
        assert_eq!((trend.from, trend.to, trend.fit), (10 * MIB, 70 * MIB, 100));
        assert_eq!(trend.per_hour, i64::try_from(3600 * MIB).expect("a number"));
        assert_eq!(trend.full_in, Some(SignedDuration::from_secs(30)));
    }

    #[test]
    fn what_came_before_the_last_start_is_no_trend() {
        let started = |time: i64| Mark {
            time: time * 1000,
            kind: MarkKind::Started,
        };
        let points = growing(1, 61, MIB);
        let past = Past::new(points.clone(), Vec::new(), vec![started(NOW + 50)]);
        assert_eq!(past.memory_trend(), None);
        let past = Past::new(points, Vec::new(), vec![started(NOW + 10)]);
        assert_eq!(past.memory_trend().map(|trend| trend.since), Some(NOW + 15));
    }

    #[test]
    fn what_does_not_grow_is_never_full() {
        let past = Past::new(growing(1, 61, 0), growing(60, 600, 0), Vec::new());
        let trend = past.memory_trend().expect("a trend");
        assert_eq!((trend.per_hour, trend.full_in, trend.fit), (0, None, 0));
        assert_eq!(
            trend.until - trend.since,
            599 * 60,
            "an old one by the hour"
        );
    }

    #[test]
    fn the_finest_points_that_reach_back_are_taken() {
        let mut past = Past::new(growing(1, 600, 0), growing(60, 10, 0), Vec::new());
        for minute in &mut past.minutes {
            minute.time -= 600;
        }
        let since = |second| past.since(Timestamp::from_second(NOW + second).expect("a time"));
        assert_eq!(since(590).len(), 10);
        assert_eq!(since(-3600).len(), 10, "by the minute");
        let young = Past::new(growing(1, 90, 0), growing(60, 2, 0), Vec::new());
        let all = young.since(Timestamp::from_second(NOW - 900).expect("a time"));
        assert_eq!(all.len(), 90, "of a young one all seconds");
    }
}
