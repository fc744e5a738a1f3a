//! What a container changed of the image it was made from. Data only; `drift` reads it.

/// Files that differ from the image's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The folder that holds what was changed.
    pub folder: String,
    /// Paths, sorted; scratch places, logs and what programs keep their data in are left out.
    pub files: Vec<ChangedFile>,
    /// There are more than could be read.
    pub is_cut: bool,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedFile {
    /// As the container sees it.
    pub path: String,
    pub removed: bool,
}

impl ChangedFile {
    /// Whether it is one that a program is made of or set up by, so that nobody expects it to change by itself.
    pub fn is_code(&self) -> bool {
        const PLACES: [&str; 8] = [
            "/etc/", "/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/boot/",
        ];
        const ENDINGS: [&str; 14] = [
            "py", "js", "mjs", "cjs", "ts", "rb", "php", "pl", "ex", "jar", "class", "so", "sh",
            "html",
        ];
        let ending = self.path.rsplit_once('.').map(|(_, ending)| ending);
        PLACES.iter().any(|place| self.path.starts_with(place))
            || ending.is_some_and(|ending| ENDINGS.contains(&ending))
    }
}
