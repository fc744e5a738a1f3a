//! Lock files of several managers side by side, of which one can be meant.

use super::package::{self, Manager, Package};
use crate::plan::shell_quoted;
use crate::sources::Sources;

const MANAGERS: [Manager; 4] = [Manager::Pnpm, Manager::Bun, Manager::Yarn, Manager::Npm];

/// Asks which manager is meant where lock files of several lie in one folder, and the package names none.
pub(super) fn ask(sources: &Sources<'_>, package: &Package, manager: Manager) {
    if package::named(sources, package).is_some() {
        return;
    }
    let Some(taken) = sources.nearest(manager.lock_files()) else {
        return;
    };
    let folder = taken.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |name: &str| {
        if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        }
    };
    let others: Vec<(Manager, String)> = MANAGERS
        .into_iter()
        .filter(|other| other.name() != manager.name())
        .flat_map(|other| {
            let files = other.lock_files().iter();
            files.map(move |file| (other, beside(file)))
        })
        .filter(|(_, file)| sources.has(file))
        .collect();
    let Some((other, _)) = others.first() else {
        return;
    };
    // A workspace's packages have one in common, which is asked for once.
    let shown = |file: &str| sources.full(file).unwrap_or_else(|| file.to_owned());
    let taken = shown(&taken);
    let named: Vec<_> = others.iter().map(|(_, file)| shown(file)).collect();
    let removed: Vec<_> = named.iter().map(|file| shell_quoted(file)).collect();
    sources.problem(
        format!(
            "Which package manager? {taken} lies beside {}, and no package.json names one; {} was taken, whose \
             lock file goes first.",
            named.join(" and "),
            manager.name()
        ),
        format!(
            "rm {}, or where {} is meant: rm {}",
            removed.join(" "),
            other.name(),
            shell_quoted(&taken)
        ),
    );
}
