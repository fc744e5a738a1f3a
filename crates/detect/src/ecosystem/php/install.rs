//! What Composer installs, and whether its lock file pins it.

use super::composer::Composer;
use crate::analysis::Topic;
use crate::ecosystem::{LockState, Report, counted};

/// Gets the packages; their scripts and the list of classes come when the sources are there.
pub(super) fn install(
    composer: &Composer,
    version: &str,
    report: &mut Report,
    commands: &mut Vec<String>,
) {
    let what = "--no-dev --no-interaction --no-progress --prefer-dist --no-scripts --no-autoloader";
    let (command, from, note) = if composer.is_locked() {
        (
            format!("composer install {what} --ignore-platform-reqs"),
            "composer.lock",
            "Composer's image has another PHP; the program's own looks again when it starts",
        )
    } else {
        let install = format!("composer install {what} '--ignore-platform-req=ext-*'");
        let command = if composer.has_platform() {
            install
        } else {
            format!("composer config platform.php {version} && {install}")
        };
        let note = "packages are chosen for the PHP that runs them, not for Composer's";
        (command, "composer.json", note)
    };
    report
        .certain(Topic::BuildCommand, &command, from)
        .note(note);
    commands.push(command);
}

/// What Composer does once the sources are there.
pub(super) fn finish(
    composer: &Composer,
    kind: &str,
    assets: bool,
    report: &mut Report,
    commands: &mut Vec<String>,
) {
    let dump = "composer dump-autoload --no-dev --optimize --no-interaction";
    report
        .likely(Topic::BuildCommand, dump, "composer.json")
        .note("lists the classes once, not with every request");
    commands.push(dump.to_owned());
    let scripts = ["scripts", "post-install-cmd"];
    let has_scripts = composer.document.get(&scripts).is_some();
    if kind == "symfony" && has_scripts {
        // What another PHP has cached is not for this one.
        let run = if assets {
            "composer run-script --no-dev --no-interaction post-install-cmd && php bin/console asset-map:compile && rm -rf var/cache"
        } else {
            "composer run-script --no-dev --no-interaction post-install-cmd && rm -rf var/cache"
        };
        let from = composer.document.from(&scripts);
        report
            .likely(Topic::BuildCommand, run, from)
            .note("Symfony's own: the assets of its bundles");
        commands.push(run.to_owned());
    }
}

pub(super) fn pinned(composer: &Composer, report: &mut Report) {
    let count = composer.packages();
    report.certain(Topic::PackageManager, "Composer", "composer.json");
    report.certain(
        Topic::Dependencies,
        counted(count, "package"),
        "composer.json",
    );
    let lock = "composer.lock";
    match composer.state() {
        LockState::Locked => {
            report.lock(
                LockState::Locked,
                lock,
                "it has every package that composer.json requires",
            );
            report
                .certain(Topic::Pinned, "yes", lock)
                .note("composer.lock pins every package");
        }
        LockState::Stale => {
            report.lock(
                LockState::Stale,
                lock,
                "composer.json requires packages that it does not have",
            );
            report
                .certain(Topic::Pinned, "no", lock)
                .note("composer.lock was written for other packages");
            report.ask(
                "Which packages? composer.json has changed since composer.lock was written.",
                "composer update --lock, and commit composer.lock",
            );
        }
        LockState::Missing if count == 0 => {
            report
                .certain(Topic::Pinned, "yes", "composer.json")
                .note("nothing is depended on");
        }
        LockState::Missing => {
            report.lock(LockState::Missing, lock, "there is no composer.lock");
            report
                .certain(Topic::Pinned, "no", "composer.json")
                .note("there is no composer.lock");
            report.ask(
                "Which versions? there is no composer.lock.",
                "composer update, and commit composer.lock",
            );
        }
    }
}
