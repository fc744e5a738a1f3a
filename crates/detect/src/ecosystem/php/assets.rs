//! The part of a PHP program that Node builds: scripts and styles for browsers.

use ergon_manifest::Application;

use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::sources::Sources;

/// Package scripts that build for production, the usual first; the second is Laravel Mix's.
const SCRIPTS: [&str; 3] = ["build", "production", "prod"];

/// Adds the commands that build it, where `package.json` has a script for that.
pub(super) fn build(
    sources: &Sources<'_>,
    beside_composer: bool,
    application: &mut Application,
    report: &mut Report,
) {
    let Some(package) = sources.document("package.json") else {
        return;
    };
    let script = SCRIPTS
        .into_iter()
        .find(|name| package.text(&["scripts", name]).is_some());
    let Some(script) = script else {
        return;
    };
    let locks = ["pnpm-lock.yaml", "yarn.lock", "package-lock.json"];
    let (manager, install): (_, &[&str]) = match sources.first_of(&locks) {
        Some("pnpm-lock.yaml") => (
            "pnpm",
            &["npm install -g pnpm", "pnpm install --frozen-lockfile"],
        ),
        Some("yarn.lock") => (
            "yarn",
            &[
                "npm install -g --force yarn",
                "yarn install --frozen-lockfile",
            ],
        ),
        Some(_) => ("npm", &["npm ci"]),
        None => ("npm", &["npm install"]),
    };
    let mut commands = Vec::new();
    if beside_composer {
        // Composer's image is Alpine's, without Node.
        commands.push("apk add --no-cache nodejs npm".to_owned());
    }
    commands.extend(install.iter().map(|command| (*command).to_owned()));
    commands.push(format!("{manager} run {script}"));
    for command in commands {
        report
            .likely(
                Topic::BuildCommand,
                &command,
                package.from(&["scripts", script]),
            )
            .note("the assets are built with Node, which only the build needs");
        application.build_commands.push(command);
    }
}
