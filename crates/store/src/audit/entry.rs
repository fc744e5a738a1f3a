//! One entry, and the bytes it is hashed as.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog_tiles::Hash;

use crate::plain::plain_json;

/// The longest entry, in bytes: a bundle gives the length of each in two.
pub const LONGEST: usize = u16::MAX as usize;
/// The longest text that somebody outside can put into an entry, in characters.
const LONGEST_TEXT: usize = 512;

/// What is to be written down. Absent is what is not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewAuditEntry {
    /// `decision`, `outcome`, …
    pub entry: String,
    /// What joins the entries of one request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// Through which door it came: `http`, `registry`, `socket`, `mcp`, `stack`.
    pub channel: String,
    /// Who.
    pub principal: String,
    /// What was to be done.
    pub action: String,
    /// To what kind of thing.
    pub kind: String,
    /// To which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `allow`, `deny`, `identify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The SHA-256 of the request's body, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// So many times: what is refused again and again is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whatever else.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 0.
    pub sequence: u64,
    /// The hash of the entry before it, in hexadecimal; the first has 64 zeros.
    pub previous: String,
    /// RFC 3339.
    pub time: String,
    #[serde(flatten)]
    pub what: NewAuditEntry,
}

/// What the log must know of an entry to check where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub sequence: u64,
    pub previous: [u8; 32],
}

impl AuditEntry {
    /// The bytes it is kept and hashed as: one line of JSON, without its end.
    pub fn bytes(sequence: u64, previous: Hash, time: String, what: NewAuditEntry) -> Vec<u8> {
        let mut entry = Self {
            sequence,
            previous: hex::encode(previous.0),
            time,
            what: what.bounded(),
        };
        let bytes = entry.line();
        if bytes.len() <= LONGEST {
            return bytes;
        }
        // The rest of an entry is bounded, so it fits without this.
        entry.what.detail = Value::String("longer than an entry may be".to_owned());
        entry.line()
    }

    fn line(&self) -> Vec<u8> {
        // Maps of texts and numbers can always be written.
        plain_json(serde_json::to_string(self).unwrap_or_default()).into_bytes()
    }

    /// Reads an entry.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl NewAuditEntry {
    /// With what comes from outside cut to a length that an entry can hold.
    fn bounded(mut self) -> Self {
        for text in [
            &mut self.entry,
            &mut self.request,
            &mut self.channel,
            &mut self.principal,
            &mut self.action,
            &mut self.kind,
        ] {
            cut(text);
        }
        for text in [
            &mut self.name,
            &mut self.decision,
            &mut self.policy,
            &mut self.body,
        ] {
            text.as_mut().map(cut);
        }
        self
    }
}

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(LONGEST_TEXT) {
        text.truncate(at);
        text.push('…');
    }
}

impl Place {
    /// Reads where an entry stands, without reading the whole of it.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(br#"{"sequence":"#)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sequence = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
        let rest = rest[digits..].strip_prefix(br#","previous":""#)?;
        let mut previous = [0; 32];
        hex::decode_to_slice(rest.get(..64)?, &mut previous).ok()?;
        Some(Self { sequence, previous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: NewAuditEntry) -> Vec<u8> {
        AuditEntry::bytes(7, Hash([0xab; 32]), "1970-01-01T00:00:00Z".to_owned(), what)
    }

    #[test]
    fn an_entry_says_where_it_stands_before_anything_else() {
        let bytes = entry(NewAuditEntry::default());
        let place = Place::read(&bytes).unwrap();
        assert_eq!(
            place,
            Place {
                sequence: 7,
                previous: [0xab; 32]
            }
        );
        assert_eq!(AuditEntry::read(&bytes).unwrap().sequence, 7);
        for broken in [
            &b""[..],
            b"{}",
            br#"{"sequence":,"previous":"ab"}"#,
            &bytes[..40],
        ] {
            assert_eq!(Place::read(broken), None);
        }
    }

    #[test]
    fn whatever_comes_from_outside_an_entry_fits_a_bundle() {
        let bytes = entry(NewAuditEntry {
            name: Some("\u{1}ü".repeat(100_000)),
            principal: "x".repeat(100_000),
            detail: Value::String("y".repeat(100_000)),
            ..NewAuditEntry::default()
        });
        assert!(bytes.len() <= LONGEST);
        assert!(!bytes.contains(&b'\n'));
        assert!(
            AuditEntry::read(&bytes)
                .unwrap()
                .what
                .name
                .unwrap()
                .ends_with('…')
        );
    }
}
