//! What a container used, over time.

use ergon_server::api::{ContainerHistory, HistoryMark};
use jiff::{SignedDuration, Timestamp};

use crate::table::Table;
use crate::words;

/// A line for each step in which something was counted or happened.
pub fn show(history: &ContainerHistory, width: Option<usize>) -> String {
    let mut titles = vec!["TIME".to_owned()];
    titles.extend(
        history
            .series
            .iter()
            .map(|series| words::harmless(&series.metric.to_uppercase())),
    );
    titles.push("HAPPENED".to_owned());
    let mut table = Table::of(titles);
    let Ok(since) = history.since.parse::<Timestamp>() else {
        return "Nothing was counted.\n".to_owned();
    };
    let steps = history
        .series
        .iter()
        .map(|series| series.values.len())
        .max();
    let step = SignedDuration::from_secs(history.step.into());
    let mut begin = since;
    for at in 0..steps.unwrap_or(0) {
        let end = begin + step;
        let values = history
            .series
            .iter()
            .map(|series| (series.values.get(at).copied().flatten(), &series.unit));
        let happened: Vec<String> = history
            .marks
            .iter()
            .filter(|mark| {
                mark.time
                    .parse::<Timestamp>()
                    .is_ok_and(|time| (begin..end).contains(&time))
            })
            .map(happened)
            .collect();
        if values.clone().any(|(value, _)| value.is_some()) || !happened.is_empty() {
            let mut row = vec![begin.strftime("%Y-%m-%d %H:%M:%S").to_string()];
            row.extend(values.map(|(value, unit)| {
                value.map_or_else(|| "-".to_owned(), |value| shown(value, unit))
            }));
            row.push(happened.join(", "));
            table.add(row);
        }
        begin = end;
    }
    if table.is_empty() {
        return "Nothing was counted in this time.\n".to_owned();
    }
    table.render(width)
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "bytes" => words::size(value as u64),
        "bytes per second" => format!("{}/s", words::size(value as u64)),
        "percent" => format!("{value:.1} %"),
        _ => format!("{value:.0}"),
    }
}

fn happened(mark: &HistoryMark) -> String {
    match (mark.kind.as_str(), mark.exit_code) {
        ("died", Some(code)) => format!("ended with code {code}"),
        ("out-of-memory", _) => "ran out of memory".to_owned(),
        (kind, _) => words::harmless(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ergon_server::api::Series;

    #[test]
    fn steps_without_anything_are_left_out() {
        let history = ContainerHistory {
            since: "2026-11-21T10:00:00Z".to_owned(),
            until: "2026-11-21T10:00:30Z".to_owned(),
            step: 10,
            series: vec![Series {
                metric: "memory".to_owned(),
                unit: "bytes".to_owned(),
                values: vec![Some(1500.0), None, None, None],
                ..Series::default()
            }],
            marks: vec![HistoryMark {
                time: "2026-11-21T10:00:25Z".to_owned(),
                kind: "died".to_owned(),
                exit_code: Some(137),
            }],
        };
        let text = crate::style::plain(&show(&history, None));
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "TIME MEMORY HAPPENED",
                "2026-11-21 10:00:00 1.5 kB",
                "2026-11-21 10:00:20 - ended with code 137",
            ]
        );
    }
}
