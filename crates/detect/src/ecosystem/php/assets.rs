//! The part of a PHP program that Node builds: scripts and styles for browsers.

use ergon_manifest::Application;

use crate::analysis::Topic;
use crate::ecosystem::Report;
use crate::ecosystem::node::install;
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
    let Some((manager, install)) = install::of_assets(sources) else {
        return;
    };
    let mut commands = Vec::new();
    if beside_composer {
        // Composer's image is Alpine's, without Node.
        commands.push("apk add --no-cache nodejs npm".to_owned());
    }
    commands.extend(install);
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
