//! What a container used, over time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a container used from `since` to `until`, and what happened to it meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContainerHistory {
    pub since: String,
    pub until: String,
    /// Seconds from one value to the next; the first is at `since`.
    pub step: u32,
    pub series: Vec<Series>,
    pub marks: Vec<HistoryMark>,
}

/// One thing that was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// `memory`, `processor`, `throttled`, `received`, `sent`, `read`, `written` or `tasks`.
    pub metric: String,
    /// `bytes`, `bytes per second`, `percent` (of one processor; of the time it wanted to run) or `count`.
    pub unit: String,
    /// Absent: no limit is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Means, evenly spaced; null where nothing was counted.
    pub values: Vec<Option<f64>>,
    /// The most within each step, where that is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peaks: Vec<Option<f64>>,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryMark {
    pub time: String,
    /// `started`, `died`, `out-of-memory`, or `deployed`: another container took its place.
    pub kind: String,
    /// Of one that died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}
