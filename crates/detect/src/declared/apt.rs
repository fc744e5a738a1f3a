//! `Aptfile` and `apt.txt`: Debian packages, one to a line.

use super::Declared;
use crate::sources::Sources;

pub(super) fn read(sources: &Sources<'_>, declared: &mut Declared) {
    for file in ["Aptfile", "apt.txt", "packages.txt"] {
        // A list of this name is of Debian's only for those who say so.
        if !sources.has(file) || (file == "packages.txt" && !uses_streamlit(sources)) {
            continue;
        }
        let Some(text) = sources.text(file) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.starts_with(':') || line.contains("://") || line.contains(": ") {
                continue;
            }
            if line.contains([';', '$', '`', '|', '&']) || line.starts_with('-') {
                continue;
            }
            for package in line.split_whitespace() {
                declared.package(package, &format!("{file}:{}", index + 1));
            }
        }
    }
}

fn uses_streamlit(sources: &Sources<'_>) -> bool {
    ["requirements.txt", "pyproject.toml"]
        .into_iter()
        .filter(|file| sources.has(file))
        .filter_map(|file| sources.text(file))
        .any(|text| text.contains("streamlit"))
}
