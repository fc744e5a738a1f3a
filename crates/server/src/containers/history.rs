//! What a container used, as the API shows it. Pure.

use ergon_companion::{Grain, Mark, MarkKind, Point};
use jiff::{SignedDuration, Timestamp};

use crate::api;

/// What is counted, and in which unit.
const METRICS: [(Metric, &str, &str); 8] = [
    (Metric::Memory, "memory", "bytes"),
    (Metric::Processor, "processor", "percent"),
    (Metric::Throttled, "throttled", "percent"),
    (Metric::Received, "received", "bytes per second"),
    (Metric::Sent, "sent", "bytes per second"),
    (Metric::Read, "read", "bytes per second"),
    (Metric::Written, "written", "bytes per second"),
    (Metric::Tasks, "tasks", "count"),
];
/// So many values are given where nobody says how many.
const USUAL: u32 = 360;
const MOST: u32 = 3600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Memory,
    Processor,
    Throttled,
    Received,
    Sent,
    Read,
    Written,
    Tasks,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub since: i64,
    pub until: i64,
    pub grain: Grain,
    /// Seconds.
    pub step: i64,
    metrics: Vec<(Metric, &'static str, &'static str)>,
}

impl Window {
    /// Understands a request; else what is wrong with it, and what would be right.
    pub fn of(
        metric: Option<&str>,
        since: Option<&str>,
        until: Option<&str>,
        points: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, (String, &'static str)> {
        let metrics = metric
            .unwrap_or("memory")
            .split(',')
            .map(|wanted| {
                let known = METRICS.iter().find(|(_, name, _)| *name == wanted.trim());
                known.copied().ok_or_else(|| {
                    (
                        format!("nothing called `{wanted}` is counted"),
                        "ask for memory, processor, throttled, received, sent, read, written or tasks; several with commas between them",
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let time = |text: Option<&str>, usual: Timestamp| {
            text.map_or(Ok(usual), |text| {
                moment(text, now).ok_or_else(|| {
                    (
                        format!("`{text}` is no moment"),
                        "give a time like 2026-11-21T10:00:00Z, or how long ago it was: 90s, 15m, 24h, 7d",
                    )
                })
            })
        };
        let until = time(until, now)?.as_second();
        let since = time(since, now - SignedDuration::from_mins(15))?.as_second();
        let oldest = now.as_second() - Grain::Minute.kept() * Grain::Minute.seconds();
        let since = since.max(oldest).min(until);
        let grain = if now.as_second() - since <= Grain::Second.kept() {
            Grain::Second
        } else {
            Grain::Minute
        };
        let points = i64::from(points.unwrap_or(USUAL).clamp(1, MOST));
        let finest = grain.seconds();
        let wanted = (until - since + points - 1).div_euclid(points).max(1);
        let step = (wanted + finest - 1).div_euclid(finest).max(1) * finest;
        Ok(Self {
            // The grid stands still while time goes on, so that a plot does not tremble.
            since: since.div_euclid(step) * step,
            until,
            grain,
            step,
            metrics,
        })
    }

    /// What is shown of these points and marks.
    pub fn show(&self, points: &[Point], marks: &[Mark]) -> api::ContainerHistory {
        let steps: Vec<Option<Point>> = (self.since..=self.until)
            .step_by(usize::try_from(self.step).unwrap_or(1))
            .map(|begin| {
                let first = points.partition_point(|point| point.time < begin);
                let next = points.partition_point(|point| point.time < begin + self.step);
                Point::sum_up(begin, points.get(first..next)?)
            })
            .collect();
        let shown = |second: i64| {
            Timestamp::from_second(second).map_or_else(|_| String::new(), |time| time.to_string())
        };
        api::ContainerHistory {
            since: shown(self.since),
            until: shown(self.until),
            step: u32::try_from(self.step).unwrap_or(u32::MAX),
            series: self
                .metrics
                .iter()
                .map(|(metric, name, unit)| series(*metric, name, unit, &steps))
                .collect(),
            marks: marks
                .iter()
                .filter(|mark| (self.since * 1000..=self.until * 1000 + 999).contains(&mark.time))
                .map(mark)
                .collect(),
        }
    }
}

fn series(metric: Metric, name: &str, unit: &str, steps: &[Option<Point>]) -> api::Series {
    let values = |value: &dyn Fn(&Point) -> f64| -> Vec<Option<f64>> {
        steps.iter().map(|step| step.as_ref().map(value)).collect()
    };
    let percent = |hundredths: u32| f64::from(hundredths) / 100.0;
    let peaks = match metric {
        Metric::Memory => values(&|point| point.memory_peak as f64),
        Metric::Processor => values(&|point| percent(point.processor_peak)),
        _ => Vec::new(),
    };
    let last = steps.iter().rev().flatten().next();
    let limit = last
        .filter(|_| metric == Metric::Memory)
        .map(|point| point.memory_limit)
        .filter(|limit| *limit > 0);
    api::Series {
        metric: name.to_owned(),
        unit: unit.to_owned(),
        limit: limit.map(|bytes| bytes as f64),
        values: values(&|point| match metric {
            Metric::Memory => point.memory as f64,
            Metric::Processor => percent(point.processor),
            Metric::Throttled => percent(point.throttled),
            Metric::Received => point.received as f64,
            Metric::Sent => point.sent as f64,
            Metric::Read => point.read as f64,
            Metric::Written => point.written as f64,
            Metric::Tasks => f64::from(point.tasks),
        }),
        peaks,
    }
}

fn mark(mark: &Mark) -> api::HistoryMark {
    let (kind, exit_code) = match mark.kind {
        MarkKind::Started => ("started", None),
        MarkKind::Died(code) => ("died", Some(code)),
        MarkKind::OutOfMemory => ("out-of-memory", None),
        MarkKind::Deployed => ("deployed", None),
    };
    api::HistoryMark {
        time: Timestamp::from_millisecond(mark.time)
            .map_or_else(|_| String::new(), |time| time.to_string()),
        kind: kind.to_owned(),
        exit_code,
    }
}

/// A time, or how long ago it was.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let ago = number
        .parse::<u32>()
        .ok()
        .map(i64::from)?
        .checked_mul(seconds)?;
    now.checked_sub(SignedDuration::from_secs(ago)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn window(metric: &str, since: &str, points: u32) -> Result<Window, (String, &'static str)> {
        let now = Timestamp::from_second(NOW).unwrap();
        Window::of(Some(metric), Some(since), None, Some(points), now)
    }

    #[test]
    fn an_hour_is_shown_by_the_second_and_more_by_the_minute() {
        let hour = window("memory", "1h", 360).unwrap();
        assert_eq!((hour.grain, hour.step), (Grain::Second, 10));
        let minute = window("memory", "1m", 360).unwrap();
        assert_eq!((minute.grain, minute.step), (Grain::Second, 1));
        let week = window("memory", "7d", 360).unwrap();
        assert_eq!((week.grain, week.step), (Grain::Minute, 28 * 60));
        let long_ago = window("memory", "2001-01-01T00:00:00Z", 360).unwrap();
        assert!(long_ago.since >= NOW - 32 * 24 * 3600);
        let later = window("memory", "2100-01-01T00:00:00Z", 360).unwrap();
        assert_eq!((later.since, later.until), (NOW, NOW));
    }

    #[test]
    fn gaps_are_shown_as_gaps_and_peaks_are_kept() {
        let window = window("memory,processor", "8s", 4).unwrap();
        let point = |second: i64, memory, processor| Point {
            time: NOW - 8 + second,
            memory,
            memory_peak: memory,
            memory_limit: 4096,
            processor,
            processor_peak: processor,
            ..Point::default()
        };
        let points = [point(0, 100, 50), point(1, 300, 150), point(5, 400, 50)];
        let marks = [
            Mark {
                time: (NOW - 3) * 1000,
                kind: MarkKind::Died(137),
            },
            Mark {
                time: (NOW - 300) * 1000,
                kind: MarkKind::Started,
            },
        ];
        let shown = window.show(&points, &marks);
        assert_eq!((shown.step, shown.series.len()), (2, 2));
        let [memory, processor] = &shown.series[..] else {
            panic!("two series");
        };
        assert_eq!(memory.values, [Some(200.0), None, Some(400.0), None, None]);
        assert_eq!(memory.peaks[0], Some(300.0));
        assert_eq!(memory.limit, Some(4096.0));
        assert_eq!((processor.values[0], processor.limit), (Some(1.0), None));
        assert_eq!(shown.marks.len(), 1);
        assert_eq!(
            (shown.marks[0].kind.as_str(), shown.marks[0].exit_code),
            ("died", Some(137))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        assert!(window("colour", "1h", 1).unwrap_err().1.contains("memory"));
        for since in ["", "h", "1y", "-1h", "soon", "99999999999d", "é"] {
            assert!(window("memory", since, 1).is_err(), "{since}");
        }
    }
}
