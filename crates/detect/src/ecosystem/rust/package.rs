//! `Cargo.toml`: a package, what it depends on, and the workspace that it is in.

use serde_json::Value;

use crate::document::Document;
use crate::sources::Sources;

/// Every `**` multiplies the ways to read a pattern; nobody needs more.
const MOST_STARS: usize = 2;

/// A folder with a `Cargo.toml`.
pub(super) struct Package {
    /// Relative to the program's folder, with a slash at its end; empty for that folder itself.
    pub folder: String,
    pub manifest: Document,
}

/// A crate that a package depends on.
pub(super) struct Dependency {
    /// As the registry has it, whatever the package calls it.
    pub name: String,
    /// As written: `0.7`.
    pub requirement: Option<String>,
    pub features: Vec<String>,
    pub default_features: bool,
    pub runs: bool,
    /// It is only there with a feature that nobody asks for.
    pub left_out: bool,
    /// It lies in the project.
    pub local: bool,
    /// `file:line`
    pub from: String,
}

impl Dependency {
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.iter().any(|one| one == feature)
    }
}

impl Package {
    pub fn read(sources: &Sources<'_>, folder: &str) -> Option<Self> {
        Some(Self {
            folder: folder.to_owned(),
            manifest: sources.document(&format!("{folder}Cargo.toml"))?,
        })
    }

    pub fn name(&self) -> Option<&str> {
        self.manifest.text(&["package", "name"])
    }

    /// A path of the package, seen from the program's folder.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.folder)
    }

    /// What `[package]` says, itself or by what its workspace says for all, and where.
    pub fn said(&self, key: &str, workspace: Option<&Workspace>) -> Option<(String, String)> {
        let own = ["package", key];
        if let Some(text) = self.manifest.text(&own) {
            return Some((text.to_owned(), self.manifest.from(&own)));
        }
        let inherited = self.manifest.get(&["package", key, "workspace"])?;
        let manifest = &workspace.filter(|_| inherited == true)?.manifest;
        let keys = ["workspace", "package", key];
        Some((manifest.text(&keys)?.to_owned(), manifest.from(&keys)))
    }

    /// Everything that it is built with on Linux.
    pub fn dependencies(&self, workspace: Option<&Workspace>) -> Vec<Dependency> {
        let elsewhere = |target: &str| {
            let others = ["windows", "macos", "wasm", "android", "ios", "apple"];
            others.iter().any(|other| target.contains(other)) && !target.contains("not(")
        };
        let targets = self.manifest.table(&["target"]).map(|(target, _)| target);
        let places = std::iter::once(Vec::new()).chain(
            targets
                .filter(|target| !elsewhere(target))
                .map(|target| vec!["target", target]),
        );
        let mut dependencies = Vec::new();
        for place in places {
            for (table, runs) in [
                ("dependencies", true),
                ("build-dependencies", false),
                ("dev-dependencies", false),
            ] {
                let mut keys = place.clone();
                keys.push(table);
                for (key, value) in self.manifest.table(&keys) {
                    let mut keys = keys.clone();
                    keys.push(key);
                    let from = self.manifest.from(&keys);
                    let mut dependency = dependency(key, value, workspace, runs, from);
                    dependency.left_out &= !self.has_by_default(key);
                    dependencies.push(dependency);
                }
            }
        }
        dependencies
    }

    /// Whether the features that are on by themselves bring an optional dependency.
    fn has_by_default(&self, key: &str) -> bool {
        let mut asked = vec!["default".to_owned()];
        let mut next = 0;
        while let Some(feature) = asked.get(next).cloned() {
            next += 1;
            let brings = self.manifest.get(&["features", &feature]);
            let brings = brings.and_then(Value::as_array).into_iter().flatten();
            for name in brings.filter_map(Value::as_str) {
                let name = name.strip_prefix("dep:").unwrap_or(name);
                let name = name.split('/').next().unwrap_or(name);
                if name.ends_with('?') {
                    continue;
                }
                if name == key {
                    return true;
                }
                if !asked.iter().any(|one| one == name) {
                    asked.push(name.to_owned());
                }
            }
        }
        false
    }
}

fn dependency(
    key: &str,
    value: &Value,
    workspace: Option<&Workspace>,
    runs: bool,
    from: String,
) -> Dependency {
    let keys = ["workspace", "dependencies", key];
    let inherited = value.get("workspace").is_some_and(|it| it == true);
    let shared = workspace
        .filter(|_| inherited)
        .and_then(|workspace| workspace.manifest.get(&keys));
    let said = |name: &str| {
        value
            .get(name)
            .or_else(|| shared.and_then(|shared| shared.get(name)))
    };
    let text = |name: &str| said(name).and_then(Value::as_str).map(str::to_owned);
    let whole = shared.unwrap_or(value).as_str().map(str::to_owned);
    let features = [Some(value), shared]
        .into_iter()
        .flatten()
        .filter_map(|value| value.get("features")?.as_array())
        .flatten()
        .filter_map(|feature| Some(feature.as_str()?.to_owned()));
    Dependency {
        name: text("package").unwrap_or_else(|| key.to_owned()),
        requirement: whole.or_else(|| text("version")),
        features: features.collect(),
        default_features: said("default-features").is_none_or(|on| on != false),
        runs,
        left_out: said("optional").is_some_and(|it| it == true),
        local: said("path").is_some(),
        from,
    }
}

/// The `[workspace]` that a package is in.
pub(super) struct Workspace {
    /// What leads to its root: nothing, or `../../`.
    pub up: String,
    pub manifest: Document,
}

impl Workspace {
    /// That of the package in the program's folder: its own, or one around it that does not leave it out.
    pub fn of(sources: &Sources<'_>, package: &Package) -> Option<Self> {
        if package.manifest.get(&["workspace"]).is_some() {
            return Some(Self {
                up: String::new(),
                manifest: sources.document("Cargo.toml")?,
            });
        }
        let mut up = "../".to_owned();
        while let Some(root) = sources.full(&up) {
            let file = format!("{up}Cargo.toml");
            if sources.has(&file)
                && let Some(manifest) = sources.document(&file)
                && manifest.get(&["workspace"]).is_some()
            {
                let workspace = Self { up, manifest };
                let below = sources.folder().strip_prefix(root.as_str());
                let below = below.unwrap_or("").trim_start_matches('/');
                return (!workspace.leaves_out(below)).then_some(workspace);
            }
            up.push_str("../");
        }
        None
    }

    /// The members' folders, each with a slash at its end: those that are built where nothing else is said, else
    /// all.
    pub fn members(&self, sources: &Sources<'_>) -> Vec<String> {
        let default = self.folders(sources, "default-members");
        if default.is_empty() {
            self.folders(sources, "members")
        } else {
            default
        }
    }

    fn folders(&self, sources: &Sources<'_>, key: &str) -> Vec<String> {
        let mut folders: Vec<String> = Vec::new();
        for pattern in self.texts(key) {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            if pattern.matches("**").count() > MOST_STARS {
                continue;
            }
            let found: Vec<String> = if pattern.contains(['*', '?', '[']) {
                let files = sources.files().iter();
                files
                    .filter_map(|path| path.strip_suffix("/Cargo.toml"))
                    .filter(|folder| matches(pattern, folder))
                    .map(str::to_owned)
                    .collect()
            } else {
                vec![pattern.to_owned()]
            };
            for folder in found {
                let known = folders
                    .iter()
                    .any(|known| known.trim_end_matches('/') == folder);
                let real = !folder.is_empty() && folder != "." && !folder.starts_with("..");
                if real && !known && !self.leaves_out(&folder) {
                    folders.push(format!("{folder}/"));
                }
            }
        }
        folders.retain(|folder| sources.has(&format!("{folder}Cargo.toml")));
        folders
    }

    fn leaves_out(&self, folder: &str) -> bool {
        self.texts("exclude").any(|pattern| {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            folder
                .strip_prefix(pattern)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        let list = self.manifest.get(&["workspace", key]);
        list.and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

/// Whether a folder is meant by a pattern with `*` and `?` in the names and `**` for any number of folders.
fn matches(pattern: &str, folder: &str) -> bool {
    let (first, rest) = pattern
        .split_once('/')
        .map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    let (name, below) = folder
        .split_once('/')
        .map_or((folder, None), |(name, below)| (name, Some(below)));
    if first == "**" {
        let skipped = rest.is_none_or(|rest| matches(rest, folder));
        return skipped || below.is_some_and(|below| matches(pattern, below));
    }
    is_named(first.as_bytes(), name.as_bytes())
        && match (rest, below) {
            (None, None) => true,
            (Some(rest), Some(below)) => matches(rest, below),
            _ => false,
        }
}

/// Whether a name is meant by a pattern. Every star takes as little as it can, so that many of them are no burden.
fn is_named(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(one) if *one == b'?' || *one == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, from)) = star else {
                    return false;
                };
                star = Some((star_at, from + 1));
                at = star_at + 1;
                read = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|one| *one == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_of_members() {
        for (pattern, folder) in [
            ("crates/*", "crates/api"),
            ("*", "api"),
            ("crates/**", "crates/a/b"),
            ("**/api", "a/b/api"),
            ("a?i-*", "api-web"),
            ("*-*-x", "a-b-c-x"),
        ] {
            assert!(matches(pattern, folder), "{pattern} {folder}");
        }
        for (pattern, folder) in [
            ("crates/*", "crates/a/b"),
            ("crates/*", "crates"),
            ("*", "a/b"),
            ("a*c", "abd"),
        ] {
            assert!(!matches(pattern, folder), "{pattern} {folder}");
        }
    }
}
