//! Which bytes are meant.

use std::ops::Range;

/// No range, or none that can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no range of bytes that can be given")]
pub struct NotARange;

/// What of a blob a `Range` header asks for (RFC 9110, section 14): one range of bytes, cut to the blob's size.
///
/// `None` where there is no such header, or one in another unit: then the whole is meant. An error where it
/// cannot be given: backwards, beyond the end, several at once, or no range at all.
pub fn requested_range(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, NotARange> {
    let Some(header) = header else {
        return Ok(None);
    };
    let Some((unit, set)) = header.split_once('=') else {
        return Err(NotARange);
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ok(None);
    }
    let (first, last) = set.trim().split_once('-').ok_or(NotARange)?;
    let range = match (first.trim_end(), last.trim_start()) {
        ("", last) => size.saturating_sub(number(last)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(NotARange);
            }
            first..last.saturating_add(1).min(size)
        }
    };
    if range.start < range.end {
        Ok(Some(range))
    } else {
        Err(NotARange)
    }
}

/// Which bytes of an upload a `Content-Range` header says its body to be: `0-99`, as the specification has it, or
/// `bytes 0-99/*`, as HTTP has it.
pub fn chunk_range(header: &str) -> Result<Range<u64>, NotARange> {
    let text = header.trim();
    let text = text.strip_prefix("bytes ").unwrap_or(text);
    let text = text.split_once('/').map_or(text, |(range, _)| range);
    let (first, last) = text.split_once('-').ok_or(NotARange)?;
    let (first, last) = (number(first)?, number(last)?);
    let end = last.checked_add(1).ok_or(NotARange)?;
    if first < end {
        Ok(first..end)
    } else {
        Err(NotARange)
    }
}

/// Digits only: `+1` is no number here.
fn number(text: &str) -> Result<u64, NotARange> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| NotARange)
    } else {
        Err(NotARange)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_range_of_bytes_can_be_asked_for() {
        let asked = |header| requested_range(Some(header), 10);
        assert_eq!(requested_range(None, 10), Ok(None));
        assert_eq!(asked("bytes=0-0"), Ok(Some(0..1)));
        assert_eq!(asked("bytes=2-5"), Ok(Some(2..6)));
        assert_eq!(asked("bytes=2-99"), Ok(Some(2..10)));
        assert_eq!(asked("bytes=2-18446744073709551615"), Ok(Some(2..10)));
        assert_eq!(asked("bytes=4-"), Ok(Some(4..10)));
        assert_eq!(asked("bytes=-3"), Ok(Some(7..10)));
        assert_eq!(asked("bytes=-30"), Ok(Some(0..10)));
        assert_eq!(asked("lines=1-2"), Ok(None));
    }

    #[test]
    fn what_cannot_be_given_is_refused() {
        for header in [
            "bytes=5-2",
            "bytes=10-",
            "bytes=10-11",
            "bytes=-0",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=0-1,3-4",
            "bytes=0-5,2-7",
            "0-5",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(
                requested_range(Some(header), 10),
                Err(NotARange),
                "{header}"
            );
        }
        assert_eq!(requested_range(Some("bytes=0-"), 0), Err(NotARange));
    }

    #[test]
    fn a_chunk_says_where_it_belongs() {
        assert_eq!(chunk_range("0-99"), Ok(0..100));
        assert_eq!(chunk_range("bytes 5-5/*"), Ok(5..6));
        for header in ["", "-", "9-5", "0-", "-5", "a-b", "0-18446744073709551615"] {
            assert_eq!(chunk_range(header), Err(NotARange), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_leads_out_of_the_blob(header in ".{0,40}", size in 0_u64..100) {
            if let Ok(Some(range)) = requested_range(Some(&header), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
            let _ = chunk_range(&header);
        }

        #[test]
        fn a_range_is_what_it_says(first in 0_u64..200, length in 1_u64..200, size in 1_u64..400) {
            let header = format!("bytes={first}-{}", first + length - 1);
            let range = requested_range(Some(&header), size);
            if first < size {
                prop_assert_eq!(range, Ok(Some(first..(first + length).min(size))));
            } else {
                prop_assert_eq!(range, Err(NotARange));
            }
        }
    }
}
