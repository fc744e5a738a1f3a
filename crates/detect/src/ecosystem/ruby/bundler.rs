//! What Bundler installs, and whether its lock file pins it.

use ergon_manifest::Application;

use super::lock::Lock;
use super::{Project, packages};
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report, counted};

/// Gets the gems.
pub(super) fn install(
    project: &Project<'_, '_>,
    application: &mut Application,
    report: &mut Report,
) {
    let Some(gemfile) = &project.gemfile else {
        return;
    };
    let file = gemfile.file;
    let gems = gemfile.gems.iter().filter(|gem| gem.production).count();
    application.dependencies = Some(file.to_owned());
    application.package_manager = Some("bundler".to_owned());
    report.certain(Topic::PackageManager, "Bundler", file);
    report.certain(Topic::Dependencies, counted(gems, "gem"), file);
    let nothing = gemfile.gems.is_empty() && !gemfile.open;
    let state = project
        .lock
        .as_ref()
        .map_or(LockState::Missing, |lock| lock.state(gemfile));
    let lock_file = project
        .lock
        .as_ref()
        .map_or("Gemfile.lock", |lock| lock.file);
    let for_linux = project.lock.as_ref().is_none_or(Lock::is_for_linux);
    match state {
        LockState::Locked => {
            report.lock(
                state,
                lock_file,
                format!("{lock_file} has every gem that {file} lists"),
            );
            report
                .certain(Topic::Pinned, "yes", lock_file)
                .note(format!("{lock_file} pins every gem"));
        }
        LockState::Stale => {
            report.lock(
                state,
                lock_file,
                format!("{file} has changed since it was written"),
            );
            report
                .certain(Topic::Pinned, "no", lock_file)
                .note(format!("{lock_file} was written for other gems"));
            report.ask(
                format!("Which gems? {file} has changed since {lock_file} was written."),
                format!("bundle lock, and commit {lock_file}"),
            );
        }
        LockState::Missing if nothing => {
            report
                .certain(Topic::Pinned, "yes", file)
                .note("nothing is depended on");
        }
        LockState::Missing => {
            report.lock(state, lock_file, format!("there is no {lock_file}"));
            report
                .certain(Topic::Pinned, "no", file)
                .note(format!("there is no {lock_file}"));
            report.ask(
                format!("Which versions? there is no {lock_file}."),
                format!("bundle lock, and commit {lock_file}"),
            );
        }
    }
    if !for_linux && !nothing {
        report.ask(
            format!("Which gems on Linux? {lock_file} was not written for it."),
            format!("bundle lock --add-platform x86_64-linux, and commit {lock_file}"),
        );
    }
    application.system_packages = packages::of_system(gemfile, report);
    let node = packages::of_node(project.sources, gemfile, project.lock.as_ref(), report);
    if nothing {
        return;
    }
    let command = if state == LockState::Locked && for_linux {
        "BUNDLE_FROZEN=true bundle install"
    } else {
        "bundle install"
    };
    report
        .certain(Topic::BuildCommand, command, lock_file_or(project, file))
        .note("Bundler puts the gems into vendor/bundle");
    application.build_commands.push(command.to_owned());
    application.build_commands.extend(node);
}

fn lock_file_or(project: &Project<'_, '_>, file: &str) -> String {
    project
        .lock
        .as_ref()
        .map_or(file, |lock| lock.file)
        .to_owned()
}
