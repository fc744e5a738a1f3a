//! Caches and heaps whose size is told on the command line, against the memory limit and what is in use.

use ergon_engine::ContainerState;

use super::Waste;
use crate::findings::{Look, Severity};
use crate::words;

/// A kind of memory that a program keeps up to a size it is told.
struct Cache {
    /// Names of services.
    services: &'static [&'static str],
    /// What stands before the size.
    options: &'static [&'static str],
    called: &'static str,
    /// What a number without a unit counts.
    unit: u64,
    /// `k` is 1000 and `kb` is 1024.
    decimal: bool,
    /// Percent of the memory limit above which it is too large: the program itself needs some too.
    too_large: u64,
    /// What is thrown away, or refused, when it is full.
    evicts: bool,
}

const CACHES: [Cache; 6] = [
    Cache {
        services: &["redis", "valkey"],
        options: &["--maxmemory"],
        called: "maxmemory",
        unit: 1,
        decimal: true,
        too_large: 90,
        evicts: true,
    },
    Cache {
        services: &["memcached"],
        options: &["-m", "--memory-limit"],
        called: "memory for items",
        unit: 1 << 20,
        decimal: false,
        too_large: 90,
        evicts: true,
    },
    Cache {
        services: &["postgres", "postgresql"],
        options: &["shared_buffers"],
        called: "shared_buffers",
        unit: 8 << 10,
        decimal: false,
        too_large: 50,
        evicts: false,
    },
    Cache {
        services: &["mysql", "mariadb"],
        options: &["--innodb-buffer-pool-size", "--innodb_buffer_pool_size"],
        called: "InnoDB buffer pool",
        unit: 1,
        decimal: false,
        too_large: 85,
        evicts: false,
    },
    Cache {
        services: &[],
        options: &["-Xmx"],
        called: "Java heap",
        unit: 1,
        decimal: false,
        too_large: 90,
        evicts: false,
    },
    Cache {
        services: &[],
        options: &["--max-old-space-size", "--max_old_space_size"],
        called: "Node heap",
        unit: 1 << 20,
        decimal: false,
        too_large: 95,
        evicts: false,
    },
];

/// What a cache server needs beside what it caches.
const BESIDE: u64 = 12 << 20;
/// Percent of its size from which on a cache throws away what is still wanted.
const NEARLY_FULL_PERCENT: u64 = 90;
/// Percent of the memory limit from which on a cache without a bound of its own is a danger.
const UNBOUNDED_PERCENT: u64 = 50;

impl Look<'_> {
    pub(super) fn caches_waste(&self, state: &ContainerState) -> Vec<Waste> {
        let observation = self.observation;
        let commands: Vec<&[String]> = observation
            .processes
            .iter()
            .map(|process| process.command.as_slice())
            // Redis writes a title over its arguments; the engine knows what it was started with.
            .chain([state.command.as_slice()])
            .collect();
        let runs = |cache: &Cache| {
            cache.services.is_empty()
                || observation
                    .services
                    .iter()
                    .any(|service| cache.services.contains(&service.name.as_str()))
        };
        let mut found = Vec::new();
        for cache in CACHES.iter().filter(|cache| runs(cache)) {
            let told = commands.iter().find_map(|command| cache.told(command));
            match told {
                Some((words, size)) => found.extend(self.sized(state, cache, &words, size)),
                None if cache.called == "maxmemory" => found.extend(self.unbounded(state, cache)),
                None => {}
            }
        }
        found
    }

    fn sized(
        &self,
        state: &ContainerState,
        cache: &Cache,
        words: &str,
        size: u64,
    ) -> Option<Waste> {
        let told = self.facts.argument(words);
        if let Some(limit) = state.memory_limit
            && size.saturating_mul(100) > limit.saturating_mul(cache.too_large)
        {
            let text = format!(
                "My {} may grow to {}, and all of me may have only {}: I would be killed before it is full",
                cache.called,
                words::bytes(size),
                words::bytes(limit)
            );
            let facts = vec![told, self.facts.memory_limit(state)];
            let waste = Waste::new("cache.too_large", Severity::Warning, text, facts);
            let fits = limit.saturating_mul(cache.too_large.min(75)) / 100;
            return Some(waste.remedy(format!(
                "Tell it at most {}, or raise the limit.",
                words::bytes(fits)
            )));
        }
        let memory = self.observation.memory.as_ref().filter(|_| cache.evicts)?;
        let used = memory.used.saturating_sub(BESIDE);
        if size == 0 || used.saturating_mul(100) < size.saturating_mul(NEARLY_FULL_PERCENT) {
            return None;
        }
        let text = format!(
            "My cache is as good as full: I use {}, and it may have {}; what is stored next pushes something out, or is refused",
            words::bytes(memory.used),
            words::bytes(size)
        );
        let mut facts = vec![told];
        facts.extend(self.facts.memory());
        let waste = Waste::new("cache.nearly_full", Severity::Warning, text, facts);
        Some(waste.remedy(
            "Give it more, let entries expire sooner, or see that what is pushed out is what nobody needs (for Redis: `maxmemory-policy`).",
        ))
    }

    /// A cache that nobody told where to stop is stopped by the kernel.
    fn unbounded(&self, state: &ContainerState, cache: &Cache) -> Option<Waste> {
        let limit = state.memory_limit?;
        let memory = self.observation.memory.as_ref()?;
        // A file of its own may say it, which is not seen here.
        let has_file = state.command.iter().any(|word| word.ends_with(".conf"));
        if has_file || memory.used.saturating_mul(100) < limit.saturating_mul(UNBOUNDED_PERCENT) {
            return None;
        }
        let option = cache.options.first()?;
        let text = format!(
            "Nobody told my cache how large it may grow, and it uses {} of {}: it would be killed before it throws anything away",
            words::bytes(memory.used),
            words::bytes(limit)
        );
        let mut facts = vec![self.facts.command(state), self.facts.memory_limit(state)];
        facts.extend(self.facts.memory());
        let waste = Waste::new("cache.unbounded", Severity::Warning, text, facts);
        Some(waste.remedy(format!(
            "Start it with `{option} {}`, and a policy of what to throw away.",
            limit / 4 * 3
        )))
    }
}

impl Cache {
    /// The words that tell its size, and the size in bytes.
    fn told(&self, command: &[String]) -> Option<(String, u64)> {
        let words: Vec<&str> = command
            .iter()
            .flat_map(|argument| argument.split_ascii_whitespace())
            .collect();
        words.iter().enumerate().find_map(|(at, word)| {
            let (option, rest) = self
                .options
                .iter()
                .find_map(|option| Some((*option, word.strip_prefix(option)?)))?;
            let value = match rest.strip_prefix('=') {
                Some(value) => value,
                None if rest.is_empty() => *words.get(at + 1)?,
                None => rest,
            };
            let size = self.bytes(value)?;
            Some((format!("{option} {value}"), size))
        })
    }

    /// `100mb`, `1g`, `64`, `512MB`.
    fn bytes(&self, text: &str) -> Option<u64> {
        let text = text.trim_matches(['\'', '"']).to_ascii_lowercase();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let step: u64 = if self.decimal && !unit.ends_with('b') {
            1000
        } else {
            1024
        };
        let times = match unit.trim_end_matches('b') {
            "" if unit.is_empty() => self.unit,
            "" => 1,
            "k" => step,
            "m" => step.pow(2),
            "g" => step.pow(3),
            "t" => step.pow(4),
            _ => return None,
        };
        number.checked_mul(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_each_program_means_them() {
        let told = |at: usize, line: &str| {
            let command: Vec<String> = line.split(' ').map(str::to_owned).collect();
            CACHES[at].told(&command).map(|(_, size)| size)
        };
        assert_eq!(told(0, "redis-server --maxmemory 100mb"), Some(100 << 20));
        assert_eq!(told(0, "redis-server --maxmemory 1g"), Some(1_000_000_000));
        assert_eq!(told(0, "redis-server --maxmemory-policy allkeys-lru"), None);
        assert_eq!(told(1, "memcached -m 64"), Some(64 << 20));
        assert_eq!(told(2, "postgres -c shared_buffers=256MB"), Some(256 << 20));
        assert_eq!(told(2, "postgres -c shared_buffers=16384"), Some(128 << 20));
        assert_eq!(
            told(3, "mariadbd --innodb-buffer-pool-size=1G"),
            Some(1 << 30)
        );
        assert_eq!(told(4, "java -Xmx512m -jar app.jar"), Some(512 << 20));
        assert_eq!(
            told(5, "node --max-old-space-size=400 app.js"),
            Some(400 << 20)
        );
        assert_eq!(told(4, "java -jar app.jar"), None);
        assert_eq!(told(4, "java -Xmxlots"), None);
        assert_eq!(told(4, "java -Xmx99999999999g"), None);
    }
}
