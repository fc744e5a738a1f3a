//! What a container used, over time: every second of the last hour, every minute of the last month.
//!
//! A container's series is one file of fixed size. The place of a record in it follows from its time, so that
//! writing is one write, a gap is a record that is not there, and nothing has to be moved or rewritten. Files are
//! called by containers' names: what is deployed anew under the same name goes on in the same series, with a mark.

mod file;
mod keeper;
mod past;
mod point;
mod troubles;

pub(crate) use keeper::{Count, Keeper};
pub use past::{Past, Trend};
pub use point::{Mark, MarkKind, Point};

/// How fine a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Every second, for an hour.
    Second,
    /// Every minute, for a month.
    Minute,
}

impl Grain {
    /// Seconds from one point to the next.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
        }
    }

    /// So many points are kept.
    pub const fn kept(self) -> i64 {
        match self {
            Self::Second => 60 * 60,
            Self::Minute => 31 * 24 * 60,
        }
    }
}
