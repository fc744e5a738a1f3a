//! What a container uses, for when its cgroup and processes cannot be read directly.

use bollard::query_parameters::{StatsOptionsBuilder, TopOptionsBuilder};
use futures_util::StreamExt;

use crate::{Engine, EngineError, name};

/// A process of a container, as `ps` on the engine's host prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRow {
    pub pid: u32,
    pub parent: u32,
    /// `R`, `S`, `D`, `Z`, …
    pub state: char,
    pub command: String,
}

/// One reading of the engine's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in use, without the file cache that can be given back.
    pub memory: Option<u64>,
    /// Bytes; where no limit is set, the machine's memory.
    pub memory_limit: Option<u64>,
    /// Nanoseconds of processor time since the start.
    pub cpu: Option<u64>,
    pub processes: Option<u64>,
}

impl Engine {
    /// The container's processes.
    pub async fn top(&self, container: &str) -> Result<Vec<ProcessRow>, EngineError> {
        let options = TopOptionsBuilder::new()
            .ps_args("-eo pid,ppid,stat,args")
            .build();
        let answer = self
            .client()
            .top_processes(name::container(container)?, Some(options))
            .await;
        let rows = answer
            .map_err(|error| self.wrong(error))?
            .processes
            .unwrap_or_default();
        Ok(rows.iter().filter_map(|row| process_row(row)).collect())
    }

    /// One reading of the container's memory, processor time and processes. Takes about a second.
    pub async fn stats_once(&self, container: &str) -> Result<Usage, EngineError> {
        let options = StatsOptionsBuilder::new()
            .stream(false)
            .one_shot(true)
            .build();
        let client = self.client();
        let mut readings = std::pin::pin!(client.stats(name::container(container)?, Some(options)));
        let reading = match readings.next().await {
            Some(reading) => reading.map_err(|error| self.wrong(error))?,
            None => return Ok(Usage::default()),
        };
        let memory = reading.memory_stats.unwrap_or_default();
        let details = memory.stats.unwrap_or_default();
        let cache = details
            .get("total_inactive_file")
            .or_else(|| details.get("inactive_file"))
            .copied();
        Ok(Usage {
            memory: memory
                .usage
                .map(|used| used.saturating_sub(cache.unwrap_or(0))),
            memory_limit: memory.limit,
            cpu: reading
                .cpu_stats
                .and_then(|cpu| cpu.cpu_usage)
                .and_then(|usage| usage.total_usage),
            processes: reading.pids_stats.and_then(|pids| pids.current),
        })
    }
}

fn process_row(row: &[String]) -> Option<ProcessRow> {
    let [pid, parent, state, command @ ..] = row else {
        return None;
    };
    Some(ProcessRow {
        pid: pid.parse().ok()?,
        parent: parent.parse().ok()?,
        state: state.chars().next()?,
        command: command.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[&str]) -> Option<ProcessRow> {
        process_row(
            &fields
                .iter()
                .map(|field| (*field).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_row_that_is_no_process_is_left_out() {
        assert_eq!(row(&["1", "0"]), None);
        assert_eq!(row(&["x", "0", "S", "init"]), None);
        let expected = ProcessRow {
            pid: 7,
            parent: 1,
            state: 'S',
            command: "httpd -f".to_owned(),
        };
        assert_eq!(row(&["7", "1", "Ss", "httpd -f"]), Some(expected));
    }
}
