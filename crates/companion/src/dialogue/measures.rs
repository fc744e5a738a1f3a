//! What is used: disks and network now, and everything that is counted over time.

use ergon_engine::ContainerState;
use jiff::SignedDuration;

use super::{Speaker, standing};
use crate::evidence::Book;
use crate::observation::{ConnectionState, Disk};
use crate::{Past, Point, Trend, words};

/// So many disks are told of; the fullest are.
const SHOWN_DISKS: usize = 6;
/// A line through memory that explains less of it is no trend.
const GOOD_FIT: u32 = 80;
/// What grows less in the time that was seen is not said to grow.
const NOTABLE: u64 = 1 << 20;

/// What is told of over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Memory,
    Processor,
    Disk,
    Network,
}

impl Speaker<'_> {
    pub(super) fn disk(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return format!(
                "I am {}, so I cannot look at my disks{}.",
                standing(state),
                book.cite([&self.facts.exit(state)])
            );
        }
        let mut disks: Vec<&Disk> = self.observation.signals.disks.iter().collect();
        if disks.is_empty() {
            return "I cannot see my disks from here.".to_owned();
        }
        disks.sort_by_key(|disk| std::cmp::Reverse(fullness(disk)));
        let left = disks.len().saturating_sub(SHOWN_DISKS);
        let mut lines: Vec<String> = disks
            .iter()
            .take(SHOWN_DISKS)
            .map(|disk| {
                let cited = book.cite([&self.facts.disk(disk)]);
                let read_only = if disk.read_only { ", read only" } else { "" };
                format!(
                    "- {} ({}{read_only}): {} free of {}, {} % used{cited}",
                    disk.mount,
                    disk.kind,
                    words::bytes(disk.free),
                    words::bytes(disk.size),
                    fullness(disk)
                )
            })
            .collect();
        if left > 0 {
            lines.push(format!("- and {left} more, which are emptier"));
        }
        let mut text = format!("What I write to, the fullest first:\n{}", lines.join("\n"));
        if let Some(over_time) = self.over_time(Measure::Disk, book) {
            text.push_str(&format!("\n{over_time}"));
        }
        text
    }

    pub(super) fn network(&self, state: &ContainerState, book: &mut Book) -> String {
        if !state.is_running() {
            return format!(
                "I am {} and talk to nobody{}.",
                standing(state),
                book.cite([&self.facts.exit(state)])
            );
        }
        let signals = &self.observation.signals;
        let mut sentences = Vec::new();
        match &signals.traffic {
            Some(traffic) => {
                let cited = book.cite(&self.facts.traffic());
                let wrong = match (traffic.errors, traffic.dropped) {
                    (0, 0) => String::new(),
                    (errors, dropped) => format!(
                        "; {} and {}",
                        words::count(errors, "packet was broken", "packets were broken"),
                        words::count(dropped, "was dropped", "were dropped")
                    ),
                };
                sentences.push(format!(
                    "I received {} and sent {} since I started{wrong}{cited}.",
                    words::bytes(traffic.received),
                    words::bytes(traffic.sent)
                ));
            }
            None if state.network_mode == "host" => {
                sentences.push("I share the host's network, whose traffic is not mine.".to_owned());
            }
            None => sentences.push("I cannot see my network from here.".to_owned()),
        }
        if self.observation.listeners.is_some() {
            sentences.push(self.connections(book));
        }
        sentences.extend(self.over_time(Measure::Network, book));
        sentences.join(" ")
    }

    fn connections(&self, book: &mut Book) -> String {
        let connections = &self.observation.signals.connections;
        let cited = book.cite([&self.facts.connections()]);
        let count = |state: ConnectionState| {
            connections
                .iter()
                .filter(|connection| connection.state == state)
                .count() as u64
        };
        let kinds = [
            (ConnectionState::Established, "established"),
            (ConnectionState::SynSent, "not answered yet"),
            (ConnectionState::CloseWait, "hung up on by the other side"),
            (ConnectionState::TimeWait, "just closed"),
        ];
        let told: Vec<String> = kinds
            .iter()
            .filter(|(state, _)| count(*state) > 0)
            .map(|(state, what)| format!("{} {what}", count(*state)))
            .collect();
        match connections.len() as u64 {
            0 => format!("I have no TCP connection now{cited}."),
            all => {
                let all = words::count(all, "TCP connection", "TCP connections");
                if told.is_empty() {
                    format!("I have {all} now{cited}.")
                } else {
                    format!("I have {all} now: {}{cited}.", words::list(&told))
                }
            }
        }
    }

    /// How much was used in the time that was asked for; nothing where it was not counted.
    pub(super) fn over_time(&self, measure: Measure, book: &mut Book) -> Option<String> {
        let observation = self.observation;
        let points = observation.past.since(observation.time - self.back);
        let (first, last) = (points.first()?, points.last()?);
        if points.len() < 3 {
            return None;
        }
        let span = words::duration(SignedDuration::from_secs(last.time - first.time));
        let mut told = match measure {
            Measure::Memory => {
                let least = points.iter().map(|point| point.memory).min()?;
                let most = points.iter().map(|point| point.memory_peak).max()?;
                let mut told = format!(
                    "in the last {span} it was between {} and {}",
                    words::bytes(least),
                    words::bytes(most)
                );
                told.extend(observation.past.memory_trend().and_then(growth));
                told
            }
            Measure::Processor => {
                let all = Point::sum_up(first.time, points)?;
                format!(
                    "in the last {span} I used {} of one core on average and {} at most",
                    percent(all.processor),
                    percent(all.processor_peak)
                ) + &waiting(all.throttled)
            }
            Measure::Disk => {
                let all = Point::sum_up(first.time, points)?;
                format!(
                    "in the last {span} I read {}/s and wrote {}/s on average",
                    words::bytes(all.read),
                    words::bytes(all.written)
                )
            }
            Measure::Network => {
                let all = Point::sum_up(first.time, points)?;
                let most = |value: &dyn Fn(&Point) -> u64| points.iter().map(value).max();
                format!(
                    "in the last {span} I received {}/s and sent {}/s on average, {}/s and {}/s at most",
                    words::bytes(all.received),
                    words::bytes(all.sent),
                    words::bytes(most(&|point| point.received)?),
                    words::bytes(most(&|point| point.sent)?)
                )
            }
        };
        let restarts = observation.past.starts(first.time, last.time);
        if restarts > 0 {
            let often = match restarts {
                1 => "once".to_owned(),
                many => format!("{many} times"),
            };
            told.push_str(&format!("; I was started {often} meanwhile"));
        }
        if self.back > SignedDuration::from_mins(Past::MINUTES) {
            told.push_str("; my page in the browser shows a month");
        }
        let fact = self.facts.counted(points)?;
        let mut letters = told.chars();
        let start: String = letters.next()?.to_uppercase().collect();
        Some(format!(
            "{start}{}{}.",
            letters.as_str(),
            book.cite([&fact])
        ))
    }
}

/// How full a disk is, in percent: of its bytes, or of its files where those run out first.
fn fullness(disk: &Disk) -> u64 {
    let used = |all: u64, free: u64| {
        (all.saturating_sub(free).saturating_mul(100))
            .checked_div(all)
            .unwrap_or(0)
    };
    used(disk.size, disk.free).max(used(disk.files, disk.files_free))
}

/// `, and grew steadily by 2 MB a minute; at this rate it is full in 12 min`.
fn growth(trend: Trend) -> Option<String> {
    let grew = trend.to.checked_sub(trend.from)?;
    let is_notable = grew >= NOTABLE && grew >= trend.from / 20;
    if trend.fit < GOOD_FIT || !is_notable {
        return None;
    }
    let per_hour = trend.per_hour.unsigned_abs();
    let rate = if per_hour / 60 >= NOTABLE {
        format!("{} a minute", words::bytes(per_hour / 60))
    } else {
        format!("{} an hour", words::bytes(per_hour))
    };
    let full = trend
        .full_in
        .filter(|left| *left < SignedDuration::from_hours(7 * 24))
        .map(|left| format!("; at this rate it is full in {}", words::duration(left)))
        .unwrap_or_default();
    Some(format!(", and grew steadily by {rate}{full}"))
}

fn waiting(throttled: u32) -> String {
    if throttled < 100 {
        return String::new();
    }
    format!(
        ", and was made to wait in {} of the periods",
        percent(throttled)
    )
}

/// Hundredths of a percent.
fn percent(hundredths: u32) -> String {
    let value = f64::from(hundredths) / 100.0;
    if hundredths >= 1000 {
        format!("{value:.0} %")
    } else {
        format!("{value:.1} %")
    }
}

/// How far back a question looks: "in the last 3 hours", "since yesterday", "this week".
pub(super) fn looks_back(question: &str) -> Option<SignedDuration> {
    let words: Vec<String> = question
        .to_lowercase()
        .split_whitespace()
        .take(200)
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
        .collect();
    words.iter().enumerate().find_map(|(at, word)| {
        let unit = match word.as_str() {
            "minute" | "minutes" | "min" | "mins" => SignedDuration::from_mins(1),
            "hour" | "hours" => SignedDuration::from_hours(1),
            "day" | "days" | "today" | "overnight" | "night" | "tonight" => {
                SignedDuration::from_hours(24)
            }
            "yesterday" => SignedDuration::from_hours(48),
            "week" | "weeks" | "weekly" => SignedDuration::from_hours(7 * 24),
            "month" | "months" => SignedDuration::from_hours(31 * 24),
            _ => return None,
        };
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let number = before.map_or(1, |before| match before.as_str() {
            "two" | "couple" => 2,
            "three" | "few" => 3,
            number => number.parse::<i32>().unwrap_or(1).clamp(1, 10_000),
        });
        unit.checked_mul(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_how_far_back_they_look() {
        let minutes = |question: &str| looks_back(question).map(|back| back.as_secs() / 60);
        assert_eq!(minutes("memory in the last hour?"), Some(60));
        assert_eq!(minutes("cpu over the last 30 minutes"), Some(30));
        assert_eq!(minutes("how was your memory today"), Some(1440));
        assert_eq!(minutes("network in the past 3 days!"), Some(3 * 1440));
        assert_eq!(minutes("memory this week"), Some(7 * 1440));
        assert_eq!(minutes("memory"), None);
        assert_eq!(minutes("99999999999 months"), Some(31 * 1440));
    }

    #[test]
    fn only_what_grows_notably_and_steadily_is_said_to_grow() {
        let trend = Trend {
            since: 0,
            until: 600,
            from: 100 << 20,
            to: 160 << 20,
            per_hour: 360 << 20,
            fit: 99,
            full_in: Some(SignedDuration::from_mins(12)),
        };
        assert_eq!(
            growth(trend).as_deref(),
            Some(", and grew steadily by 6 MB a minute; at this rate it is full in 12 min")
        );
        assert_eq!(growth(Trend { fit: 40, ..trend }), None);
        assert_eq!(
            growth(Trend {
                to: 101 << 20,
                ..trend
            }),
            None
        );
        assert_eq!(growth(Trend { to: 1, ..trend }), None);
    }
}
