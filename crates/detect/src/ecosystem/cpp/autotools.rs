//! Autoconf and Automake: `./configure && make`.

use super::Build;
use super::cmake::joined;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// Where the program's sources usually are.
const FOLDERS: [&str; 2] = ["", "src"];

pub(super) fn read(sources: &Sources<'_>) -> Option<Build> {
    let settings = sources.first_of(&["configure.ac", "configure.in"]);
    let has_script = sources.has("configure");
    let file = settings.or(has_script.then_some("configure"))?;
    sources.program_files(&["c", "cpp", "cc", "cxx"]).first()?;
    let program = FOLDERS.iter().find_map(|folder| {
        let text = sources.text(&joined(folder, "Makefile.am"))?;
        let name = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            let key = key.trim().trim_end_matches('+').trim_end();
            (key == "bin_PROGRAMS").then(|| value.split_whitespace().next())?
        })?;
        let plain = !name.contains(['$', '@', '/']);
        plain.then(|| joined(folder, name))
    });
    let mut commands = Vec::new();
    let mut packages = vec!["pkg-config"];
    if !has_script {
        commands.push("autoreconf --install".to_owned());
        packages.extend(["autoconf", "automake", "libtool"]);
    }
    commands.extend(["./configure".to_owned(), "make".to_owned()]);
    Some(Build {
        file: file.to_owned(),
        manager: Some("make"),
        name: program
            .as_deref()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()),
        commands,
        program: program.map(|name| format!("./{}", shell_quoted(&name))),
        packages: packages.into_iter().map(str::to_owned).collect(),
    })
}
