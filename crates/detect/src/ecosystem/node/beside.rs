//! Lock files of several managers side by side, of which one can be meant.

use super::package::{self, Manager, Package};
use crate::ecosystem::Report;
use crate::plan::shell_quoted;
use crate::sources::Sources;

const MANAGERS: [Manager; 4] = [Manager::Pnpm, Manager::Bun, Manager::Yarn, Manager::Npm];

/// Asks which manager is meant where lock files of several lie in one folder, and the package names none.
pub(super) fn ask(sources: &Sources<'_>, package: &Package, manager: Manager, report: &mut Report) {
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
    let named: Vec<_> = others.iter().map(|(_, file)| file.as_str()).collect();
    let removed: Vec<_> = named.iter().map(|file| shell_quoted(file)).collect();
    report.ask(
        format!(
            "Which package manager? {taken} lies beside {}, and package.json names none; {} was taken, whose \
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
