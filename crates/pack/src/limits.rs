//! How much of the machine a step of a build may have: it runs what a project says.

use std::time::Duration;

/// What a step may use. Beyond it, the step fails; it never decides what a build makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes; absent: as much as the engine gives.
    pub memory: Option<u64>,
    pub processes: u32,
    pub time: Duration,
}

impl Default for Limits {
    /// Three quarters of this machine's memory, so that the rest of it still answers.
    fn default() -> Self {
        let memory = std::fs::read_to_string("/proc/meminfo").ok();
        Self {
            memory: memory.and_then(|text| Some(total_memory(&text)? / 4 * 3)),
            processes: 4096,
            time: Duration::from_hours(2),
        }
    }
}

/// What `/proc/meminfo` says the machine has, in bytes.
fn total_memory(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernels_table() {
        let table = "MemFree:  1 kB\nMemTotal:       16384 kB\n";
        assert_eq!(total_memory(table), Some(16 << 20));
        assert_eq!(total_memory("MemTotal: much\n"), None);
    }
}
