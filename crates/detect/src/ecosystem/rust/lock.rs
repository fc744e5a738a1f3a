//! `Cargo.lock`: which crates are pinned, and whether they are those that the project depends on.

use super::package::Dependency;
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report};
use crate::sources::READ_LIMIT;

/// A lock file, as far as it is asked.
#[derive(Default)]
pub(super) struct Lock<'t> {
    /// The version of its form, and the line.
    pub form: Option<(u32, usize)>,
    pub packages: Vec<Locked<'t>>,
    /// Only its beginning was read.
    cut: bool,
}

/// A crate in it.
pub(super) struct Locked<'t> {
    pub name: &'t str,
    pub line: usize,
    version: &'t str,
    needs: Vec<&'t str>,
}

impl Locked<'_> {
    /// Whether it is built with another crate.
    pub fn needs(&self, name: &str) -> bool {
        self.needs.contains(&name)
    }
}

impl<'t> Lock<'t> {
    /// The file is written by cargo alone, a line for each thing.
    pub fn read(text: &'t str) -> Self {
        let mut lock = Self {
            cut: text.len() as u64 >= READ_LIMIT,
            ..Self::default()
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = value(line, "name") {
                lock.packages.push(Locked {
                    name,
                    line: index + 1,
                    version: "",
                    needs: Vec::new(),
                });
                continue;
            }
            let Some(package) = lock.packages.last_mut() else {
                let form = line.strip_prefix("version = ");
                if let Some(form) = form.and_then(|form| form.parse().ok()) {
                    lock.form = Some((form, index + 1));
                }
                continue;
            };
            if let Some(version) = value(line, "version") {
                package.version = version;
            } else if let Some(need) = line.strip_prefix('"') {
                let end = need.find(['"', ' ']).unwrap_or(need.len());
                package.needs.push(&need[..end]);
            }
        }
        lock
    }

    pub fn find(&self, name: &str) -> Option<&Locked<'t>> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The first of what is depended on, as said, that is not pinned as it is asked for.
    pub fn lacks<'d>(
        &self,
        dependencies: impl IntoIterator<Item = &'d Dependency>,
    ) -> Option<&'d Dependency> {
        if self.cut {
            return None;
        }
        dependencies.into_iter().find(|dependency| {
            !self.packages.iter().any(|package| {
                same_name(package.name, &dependency.name)
                    && dependency
                        .requirement
                        .as_deref()
                        .is_none_or(|wanted| allows(wanted, package.version))
            })
        })
    }
}

/// Whether the lock file is there and written for what is depended on, reported.
pub(super) fn report(
    dependencies: &[&Dependency],
    lock: Option<(&Lock<'_>, &str)>,
    file: &str,
    report: &mut Report,
) -> LockState {
    let listed = dependencies.iter().copied().filter(|one| !one.local);
    let pinned = |report: &mut Report, value: &str, from: &str, note: &str| {
        report.certain(Topic::Pinned, value, from).note(note);
    };
    match lock {
        None if dependencies.is_empty() => {
            report.lock(LockState::Locked, file, "nothing is depended on");
            pinned(report, "yes", file, "nothing is depended on");
            LockState::Locked
        }
        None => {
            report.lock(LockState::Missing, "Cargo.lock", "there is no Cargo.lock");
            pinned(report, "no", file, "there is no Cargo.lock");
            report.ask(
                "Which versions? there is no Cargo.lock.",
                "cargo generate-lockfile, and commit Cargo.lock",
            );
            LockState::Missing
        }
        Some((lock, lock_file)) => {
            let Some(lacking) = lock.lacks(listed) else {
                report.lock(LockState::Locked, lock_file, "every crate is in it");
                pinned(report, "yes", lock_file, "Cargo.lock pins every crate");
                return LockState::Locked;
            };
            let wanted = lacking.requirement.as_deref().unwrap_or("");
            let wanted = format!("{} {wanted}", lacking.name);
            let note = format!("{} of {} is not in it", wanted.trim_end(), lacking.from);
            report.lock(LockState::Stale, lock_file, &note);
            pinned(report, "no", lock_file, &note);
            report.ask(
                format!("Which versions? Cargo.lock was written for other dependencies: {note}."),
                "cargo update --workspace, and commit Cargo.lock",
            );
            LockState::Stale
        }
    }
}

/// `text` of `key = "text"`.
fn value<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    line.strip_prefix(key)?
        .strip_prefix(" = \"")?
        .strip_suffix('"')
}

fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace('_', "-");
    one == other || plain(one) == plain(other)
}

/// Whether a requirement of cargo's allows a version; what is not understood does.
fn allows(requirement: &str, version: &str) -> bool {
    let version = version.split(['-', '+']).next().unwrap_or("");
    let Some(version) = numbers(version) else {
        return true;
    };
    requirement.split(',').all(|part| {
        let part = part.trim();
        let wanted = part.trim_start_matches(['^', '=', '~', '<', '>', ' ']);
        let operator = part[..part.len() - wanted.len()].trim();
        let Some(wanted) = numbers(wanted) else {
            return true;
        };
        let common = wanted.len().min(version.len());
        let order = version[..common].cmp(&wanted[..common]);
        let same = |count: usize| version.iter().zip(&wanted).take(count).all(|(a, b)| a == b);
        match operator {
            "" | "^" => {
                let first = wanted.iter().position(|number| *number > 0);
                order.is_ge() && same(first.map_or(wanted.len(), |first| first + 1))
            }
            "~" => order.is_ge() && same(2),
            "=" => order.is_eq(),
            ">=" => order.is_ge(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            "<" => order.is_lt(),
            _ => true,
        }
    })
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn requirements_as_cargo_means_them() {
        for (requirement, version) in [
            ("0.7", "0.7.9"),
            ("1", "1.40.0"),
            ("1.2", "1.9.0"),
            ("~1.2", "1.2.9"),
            ("=1.2.3", "1.2.3"),
            (">=1, <3", "2.0.0"),
            ("1.*", "1.5.0"),
            ("0.5.0-rc.1", "0.5.0-rc.4"),
            ("*", "3.0.0"),
            ("0.0", "0.0.4"),
        ] {
            assert!(allows(requirement, version), "{requirement} {version}");
        }
        for (requirement, version) in [
            ("0.7", "0.8.1"),
            ("1", "2.0.0"),
            ("1.9", "1.2.0"),
            ("~1.2", "1.3.0"),
            ("=1.2", "1.3.0"),
            (">=3", "2.0.0"),
        ] {
            assert!(!allows(requirement, version), "{requirement} {version}");
        }
    }
}
