//! What people and robots have in common: how they are called, and how long what they show lasts.

/// A day in milliseconds.
pub const DAY: i64 = 24 * 60 * 60 * 1000;
/// Ten years: whoever means longer means for ever.
pub const MOST_DAYS: u32 = 3650;
/// When something was used last is kept to the minute, in milliseconds.
const MINUTE: i64 = 60 * 1000;
/// A name has so many letters at most.
pub const LONGEST_NAME: usize = 63;

/// Why a name cannot be that of an account; `taken` are those that mean somebody else where a name is asked for.
pub fn check_name(name: &str, taken: &[&str]) -> Result<(), &'static str> {
    let letters = name.bytes().enumerate().all(|(place, byte)| match byte {
        b'a'..=b'z' | b'0'..=b'9' => true,
        b'-' | b'_' | b'.' => place > 0,
        _ => false,
    });
    if name.is_empty() || name.len() > LONGEST_NAME || !letters {
        return Err(
            "it takes small letters, digits, `-`, `_` and `.`, at most 63, a letter or digit first",
        );
    }
    if taken.contains(&name) {
        return Err("it means somebody else");
    }
    Ok(())
}

/// Whether something can last for so many days; absent: for ever.
pub fn can_last(days: Option<u32>) -> bool {
    days.is_none_or(|days| (1..=MOST_DAYS).contains(&days))
}

/// When something ends that lasts for so many days.
pub fn end_after(days: Option<u32>, now: i64) -> Option<i64> {
    days.map(|days| now + i64::from(days) * DAY)
}

/// Whether a use is to be kept, or was a moment ago.
pub fn is_used_anew(last_used_at: Option<i64>, now: i64) -> bool {
    last_used_at.is_none_or(|last| now - last >= MINUTE)
}
