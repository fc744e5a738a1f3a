//! `go.mod`.

use crate::{names, version_files};

/// What `go.mod` says.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub path: Option<String>,
    /// The version and its line.
    pub go: Option<(String, usize)>,
    /// What Heroku is told, in a comment: `// +heroku goVersion go1.20.4`.
    pub heroku: Option<(String, usize)>,
    /// Modules, versions and lines of what is required.
    pub requires: Vec<(String, String, usize)>,
    pub replaces: Vec<Replaced>,
    /// Folders of a workspace's modules.
    pub uses: Vec<String>,
}

/// A module that another one stands in for.
#[derive(Debug)]
pub(super) struct Replaced {
    path: String,
    version: Option<String>,
    /// A module and its version; none where it is a folder.
    pub by: Option<(String, String)>,
}

impl Replaced {
    fn fits(&self, version: &str) -> bool {
        self.version.as_deref().is_none_or(|only| only == version)
    }
}

impl Module {
    pub fn parse(text: &str) -> Self {
        let mut module = Self::default();
        let mut block = String::new();
        for (index, line) in text.lines().enumerate() {
            let told = line.trim().strip_prefix("// +heroku goVersion ");
            if let Some(version) = told.map(|version| version.trim().trim_start_matches("go"))
                && version_files::is_dotted(version)
            {
                module.heroku = Some((version.to_owned(), index + 1));
            }
            let line = line.split("//").next().unwrap_or("").trim();
            if line == ")" {
                block.clear();
                continue;
            }
            let (directive, rest) = if block.is_empty() {
                line.split_once(char::is_whitespace).unwrap_or((line, ""))
            } else {
                (block.as_str(), line)
            };
            let rest = rest.trim();
            if rest == "(" {
                block = directive.to_owned();
                continue;
            }
            let mut words = rest
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '`']));
            match (directive, words.next()) {
                ("module", Some(path)) => module.path = Some(path.to_owned()),
                ("go", Some(version)) if module.go.is_none() => {
                    module.go = Some((version.to_owned(), index + 1));
                }
                ("toolchain", Some(version)) => {
                    let version = version.trim_start_matches("go");
                    if version.starts_with(|first: char| first.is_ascii_digit()) {
                        module.go = Some((version.to_owned(), index + 1));
                    }
                }
                ("require", Some(path)) => {
                    let version = words.next().unwrap_or("").to_owned();
                    module.requires.push((path.to_owned(), version, index + 1));
                }
                ("use", Some(folder)) => {
                    let folder = folder.trim_start_matches("./").trim_end_matches('/');
                    module.uses.push(folder.trim_matches('.').to_owned());
                }
                ("replace", Some(path)) => {
                    let rest: Vec<&str> = words.collect();
                    let Some(arrow) = rest.iter().position(|word| *word == "=>") else {
                        continue;
                    };
                    let by = rest.get(arrow + 1).zip(rest.get(arrow + 2));
                    module.replaces.push(Replaced {
                        path: path.to_owned(),
                        version: rest[..arrow].first().map(|&version| version.to_owned()),
                        by: by.map(|(path, version)| ((*path).to_owned(), (*version).to_owned())),
                    });
                }
                _ => {}
            }
        }
        module.go = module.go.filter(|(version, _)| {
            version
                .split('.')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
        });
        module
    }

    /// What stands in for a module.
    pub fn replaced(&self, path: &str, version: &str) -> Option<&Replaced> {
        self.replaces
            .iter()
            .find(|replaced| replaced.path == path && replaced.fits(version))
    }

    /// The last element of the module's path that says what it is.
    pub fn name(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        let is_version = |element: &str| {
            element
                .strip_prefix('v')
                .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let mut elements = path.rsplit('/').skip_while(|element| is_version(element));
        let last = elements.next()?;
        // gopkg.in/yaml.v3
        let last = match last.rsplit_once('.') {
            Some((name, version)) if is_version(version) => name,
            _ => last,
        };
        names::from_package(last)
    }
}
