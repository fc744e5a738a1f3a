//! Figures as people say them.

use jiff::SignedDuration;

/// `12 s`, `3 min`, `2 h 5 min`, `4 d 3 h`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |large: i64, unit: &str, small: i64, part: &str| {
        if small == 0 {
            format!("{large} {unit}")
        } else {
            format!("{large} {unit} {small} {part}")
        }
    };
    if days > 0 {
        two(days, "d", hours % 24, "h")
    } else if hours > 0 {
        two(hours, "h", minutes % 60, "min")
    } else if minutes >= 10 {
        format!("{minutes} min")
    } else if minutes > 0 {
        two(minutes, "min", seconds % 60, "s")
    } else {
        format!("{seconds} s")
    }
}

/// `3 ms`, `1.4 s`; what takes less than a millisecond takes `<1 ms`.
pub(crate) fn latency(latency: std::time::Duration) -> String {
    let milliseconds = latency.as_millis();
    match milliseconds {
        0 => "<1 ms".to_owned(),
        1..1000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", latency.as_secs_f64()),
    }
}

/// `512 bytes`, `48 MB`, `1.5 GB`; a MB has 1024 × 1024 bytes.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 9.95 && value.fract() >= 0.05 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// `83 %` of a share in hundredths of a percent; `0.4 %` where it is little.
pub(crate) fn percent(share: u32) -> String {
    match share {
        0 => "0 %".to_owned(),
        1..1000 => format!("{:.1} %", f64::from(share) / 100.0),
        _ => format!("{:.0} %", f64::from(share) / 100.0),
    }
}

/// `one`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

/// `1 time`, `3 times`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// The first `most` characters, and a mark where something was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_at_most_two_parts() {
        let said = |seconds| duration(SignedDuration::from_secs(seconds));
        assert_eq!(
            [-5, 0, 59, 60, 61, 599, 600, 3600, 7500, 86400, 273_600].map(said),
            [
                "0 s",
                "0 s",
                "59 s",
                "1 min",
                "1 min 1 s",
                "9 min 59 s",
                "10 min",
                "1 h",
                "2 h 5 min",
                "1 d",
                "3 d 4 h"
            ]
        );
    }

    #[test]
    fn bytes_are_rounded_to_what_matters() {
        assert_eq!(
            [
                0,
                1023,
                1024,
                1536,
                50_331_648,
                64 << 20,
                1 << 30,
                1_610_612_736
            ]
            .map(bytes),
            [
                "0 bytes",
                "1023 bytes",
                "1 KB",
                "1.5 KB",
                "48 MB",
                "64 MB",
                "1 GB",
                "1.5 GB"
            ]
        );
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
