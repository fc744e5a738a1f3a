//! Who may have a name. Pure.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::record::{Kind, Record};
use crate::address::Host;

/// Who wants a name.
#[derive(Clone, Debug)]
pub enum Claim {
    /// This stack, for what is its own.
    Own,
    /// Somebody else, and what speaks for them.
    Caller {
        /// The lease of the present record was shown.
        shows_lease: bool,
        /// Nobody answers any more where the present record leads.
        is_away: bool,
        /// What is sent along with messages is the same.
        same_headers: bool,
    },
}

/// What becomes of a claim that is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Nobody had the name.
    New,
    /// The same somebody says something else of themselves.
    Changed,
    /// The same somebody came back at another place.
    Moved,
    /// Nothing changes but the lease, which begins anew.
    Unchanged,
}

/// Who has a name, for whoever wanted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub kind: Kind,
    /// What it is the mind of.
    pub of: Option<String>,
    pub place: String,
    /// Milliseconds since 1970.
    pub since: i64,
    /// Milliseconds that are left of its lease; absent: it is this stack's own.
    pub left: Option<u64>,
    /// Whether it is the same somebody at another place.
    pub is_same: bool,
}

/// Whether somebody may have the name that `held` has.
pub fn decide(held: Option<&Record>, new: &Record, claim: &Claim) -> Result<Grant, NotYours> {
    let Some(held) = held else {
        return Ok(Grant::New);
    };
    if subject(held) != subject(new) {
        return Err(NotYours { is_same: false });
    }
    let changed = |same: bool| {
        if same {
            Grant::Unchanged
        } else {
            Grant::Changed
        }
    };
    let Claim::Caller {
        shows_lease,
        is_away,
        same_headers,
    } = claim
    else {
        return Ok(changed(held.details == new.details));
    };
    if held.details.address() == new.details.address() {
        return Ok(changed(held.details == new.details && *same_headers));
    }
    match (shows_lease, is_away) {
        (true, _) => Ok(Grant::Changed),
        (false, true) => Ok(Grant::Moved),
        (false, false) => Err(NotYours { is_same: true }),
    }
}

/// The name is somebody else's, or the same somebody's who is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotYours {
    pub is_same: bool,
}

/// What somebody is the mind of: who may register the same name again.
fn subject(record: &Record) -> impl PartialEq {
    let details = &record.details;
    // A stack's own things live as long as what they stand for; nobody from outside is one of them.
    let is_own = details.ttl.is_none();
    let host = details.host.clone().filter(|host| !is_this_machine(host));
    (
        (record.kind, is_own),
        (host, details.stack_id.clone()),
        (details.container_id.clone(), details.project_id.clone()),
    )
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => name == "localhost",
    }
}

impl Holder {
    pub fn of(record: &Record, left: Option<u64>, is_same: bool) -> Self {
        let of = record.details.container.as_ref();
        Self {
            kind: record.kind,
            of: of.or(record.details.project_id.as_ref()).cloned(),
            place: record.details.address().to_string(),
            since: record.registered_at,
            left,
            is_same,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if self.kind == Kind::External {
            "an"
        } else {
            "a"
        };
        write!(f, "{article} {} companion", self.kind.word())?;
        if let Some(of) = &self.of {
            write!(f, " ({of})")?;
        }
        let since = Timestamp::from_millisecond(self.since).unwrap_or_default();
        // To the second: it is for people.
        let since = since.round(jiff::Unit::Second).unwrap_or(since);
        write!(f, " at {} since {since}", self.place)?;
        match self.left {
            Some(left) => {
                let left = SignedDuration::from_millis(i64::try_from(left).unwrap_or(i64::MAX));
                write!(f, ", whose lease has {} s left", left.as_secs())
            }
            None => write!(f, ", which is this stack's own"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::registration::Registration;

    fn record(change: Value) -> Record {
        let mut sent = json!({ "name": "web-ci", "type": "external", "port": 8001 });
        for (key, value) in change.as_object().unwrap() {
            sent[key] = value.clone();
        }
        let registration: Registration = serde_json::from_value(sent).unwrap();
        registration.record().unwrap()
    }

    fn caller(shows_lease: bool, is_away: bool) -> Claim {
        Claim::Caller {
            shows_lease,
            is_away,
            same_headers: true,
        }
    }

    #[test]
    fn a_free_name_is_anybodys() {
        let new = record(json!({}));
        assert_eq!(decide(None, &new, &caller(false, false)), Ok(Grant::New));
        assert_eq!(decide(None, &new, &Claim::Own), Ok(Grant::New));
    }

    #[test]
    fn somebody_else_does_not_get_it_whatever_they_show() {
        let held = record(json!({ "stack_id": "a" }));
        for change in [
            json!({ "type": "tool", "stack_id": "a" }),
            json!({ "stack_id": "b" }),
            json!({}),
            json!({ "stack_id": "a", "container_id": "1" }),
            json!({ "stack_id": "a", "host": "elsewhere.example" }),
        ] {
            let refused = decide(Some(&held), &record(change.clone()), &caller(true, true));
            assert_eq!(refused, Err(NotYours { is_same: false }), "{change}");
        }
    }

    #[test]
    fn what_is_this_stacks_own_is_nobodys_from_outside() {
        let mut own = record(json!({}));
        own.details.ttl = None;
        let claim = caller(true, true);
        assert!(decide(Some(&own), &record(json!({})), &claim).is_err());
        assert!(decide(Some(&record(json!({}))), &own, &Claim::Own).is_err());
        assert_eq!(decide(Some(&own), &own, &Claim::Own), Ok(Grant::Unchanged));
    }

    #[test]
    fn the_same_again_is_a_renewal() {
        let held = record(json!({}));
        for change in [json!({}), json!({ "name": "web-ci" })] {
            let renewed = decide(Some(&held), &record(change), &caller(false, false));
            assert_eq!(renewed, Ok(Grant::Unchanged));
        }
        let changed = record(json!({ "purpose": "to be asked" }));
        let grant = decide(Some(&held), &changed, &caller(false, false));
        assert_eq!(grant, Ok(Grant::Changed));
        let claim = Claim::Caller {
            shows_lease: false,
            is_away: false,
            same_headers: false,
        };
        assert_eq!(decide(Some(&held), &held, &claim), Ok(Grant::Changed));
    }

    #[test]
    fn who_moves_shows_the_lease_or_has_left_the_old_place() {
        let (held, moved) = (record(json!({})), record(json!({ "port": 8002 })));
        let decide = |claim| decide(Some(&held), &moved, &claim);
        assert_eq!(decide(caller(true, false)), Ok(Grant::Changed));
        assert_eq!(decide(caller(false, true)), Ok(Grant::Moved));
        assert_eq!(
            decide(caller(false, false)),
            Err(NotYours { is_same: true })
        );
    }

    #[test]
    fn this_machine_has_many_names() {
        let held = record(json!({}));
        for host in ["localhost", "127.0.0.1", "::1"] {
            let new = record(json!({ "host": host }));
            let decided = decide(Some(&held), &new, &caller(true, false));
            assert!(decided.is_ok(), "{host}: {decided:?}");
        }
    }

    #[test]
    fn the_holder_is_named_with_place_and_time() {
        let mut record = record(json!({}));
        record.registered_at = 0;
        assert_eq!(
            Holder::of(&record, Some(42_900), false).to_string(),
            "an external companion at http://127.0.0.1:8001/ since 1970-01-01T00:00:00Z, whose lease has 42 s left"
        );
    }
}
