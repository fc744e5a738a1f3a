//! Meson: which program a project's files make, and where it is left.

use super::Build;
use super::cmake::joined;
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;

const FILE: &str = "meson.build";
const COMMENT: &[&str] = &["#"];
/// How many folders' files are read.
const MOST: usize = 40;

pub(super) fn read(sources: &Sources<'_>) -> Option<Build> {
    let text = sources.text(FILE)?;
    let project = named(&text, "project").find_map(|name| name.map(str::to_owned));
    let mut folders = vec![String::new()];
    let mut programs: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    while at < folders.len().min(MOST) {
        let folder = folders[at].clone();
        at += 1;
        let Some(text) = sources.text(&joined(&folder, FILE)) else {
            continue;
        };
        for name in named(&text, "executable") {
            // Without a name in quotes it is the project's.
            if let Some(name) = name.map(str::to_owned).or_else(|| project.clone()) {
                programs.push((folder.clone(), name));
            }
        }
        let below = named(&text, "subdir").flatten();
        folders.extend(below.map(|name| joined(&folder, name)));
    }
    let program = programs
        .iter()
        .find(|(folder, name)| !super::is_beside(name) && !super::is_beside(folder))
        .or(programs.first())
        .map(|(folder, name)| {
            let path = joined(&joined("build", folder), name);
            format!("./{}", shell_quoted(&path))
        });
    Some(Build {
        file: FILE.to_owned(),
        manager: Some("meson"),
        name: project,
        commands: vec![
            "meson setup build --buildtype release".to_owned(),
            "meson compile -C build".to_owned(),
        ],
        program,
        packages: ["meson", "ninja-build", "pkg-config"]
            .map(str::to_owned)
            .to_vec(),
    })
}

/// The first argument of each call, where it is a text.
fn named<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = Option<&'t str>> + 't {
    Scan::behind(text, word, COMMENT).filter_map(|mut scan| {
        if !scan.eat("(") {
            return None;
        }
        Some(scan.string(&['\'']))
    })
}
