//! What a project says of itself: `pyproject.toml`, `Pipfile`, `setup.cfg`, `setup.py`.

use std::rc::Rc;

use serde_json::Value;

use crate::document::{Document, line_of};
use crate::scan::Scan;
use crate::sources::Sources;

/// The files that describe a project, each read once.
pub(super) struct Metadata {
    pub pyproject: Option<Document>,
    pub pipfile: Option<Document>,
    setup: Option<Rc<str>>,
    setup_cfg: Option<Rc<str>>,
}

/// A command that installing the project makes.
pub(super) struct Script {
    pub name: String,
    /// `shop.main:run`
    pub target: String,
    pub from: String,
}

impl Metadata {
    pub fn read(sources: &Sources<'_>) -> Self {
        let text = |file: &str| sources.has(file).then(|| sources.text(file)).flatten();
        let document = |file: &str| sources.has(file).then(|| sources.document(file)).flatten();
        Self {
            pyproject: document("pyproject.toml"),
            pipfile: document("Pipfile"),
            setup: text("setup.py"),
            setup_cfg: text("setup.cfg"),
        }
    }

    fn project(&self, keys: &[&str]) -> Option<&Value> {
        self.pyproject.as_ref()?.get(keys)
    }

    /// The package's own name, as written.
    pub fn name(&self) -> Option<String> {
        let pyproject = self.pyproject.as_ref();
        let said = [&["project", "name"][..], &["tool", "poetry", "name"]]
            .iter()
            .find_map(|keys| pyproject?.text(keys));
        said.map(str::to_owned).or_else(|| {
            let (name, _) = self.setup_text("name").or_else(|| self.cfg("name"))?;
            Some(name)
        })
    }

    /// Whether it says how it is made into a package.
    pub fn builds(&self) -> bool {
        self.project(&["build-system"]).is_some()
    }

    /// Whether installing it needs `setup.py` alone.
    pub fn has_setup(&self) -> bool {
        self.setup.is_some()
    }

    /// Whether a table of a tool is there: `poetry`.
    pub fn has_tool(&self, tool: &str) -> bool {
        self.project(&["tool", tool]).is_some()
    }

    pub fn flag(&self, keys: &[&str]) -> Option<bool> {
        self.project(keys)?.as_bool()
    }

    /// The range of Pythons that `setup.py` or `setup.cfg` allows, and where.
    pub fn setup_python(&self) -> Option<(String, String)> {
        self.setup_text("python_requires")
            .or_else(|| self.cfg("python_requires"))
    }

    /// What `setup.py` or `setup.cfg` depends on, each with its file and line.
    pub fn setup_dependencies(&self) -> Vec<(String, &'static str, usize)> {
        let mut found = Vec::new();
        if let Some(text) = &self.setup {
            for mut scan in Scan::behind(text, "install_requires", &["#"]) {
                if !scan.eat("=") || !scan.eat("[") {
                    continue;
                }
                while let Some(requirement) = {
                    scan.eat(",");
                    let line = scan.line();
                    scan.string(&['"', '\'']).map(|text| (text, line))
                } {
                    found.push((requirement.0.to_owned(), "setup.py", requirement.1));
                }
            }
        }
        if let Some(text) = &self.setup_cfg {
            let listed = text
                .lines()
                .enumerate()
                .skip_while(|(_, line)| !is_key(line, "install_requires"));
            let items = listed
                .skip(1)
                .take_while(|(_, line)| line.starts_with([' ', '\t']) && !line.trim().is_empty());
            for (index, line) in items {
                found.push((line.trim().to_owned(), "setup.cfg", index + 1));
            }
        }
        found
    }

    /// The commands that installing it makes, first the ones of the standard.
    pub fn scripts(&self) -> Vec<Script> {
        let mut scripts = Vec::new();
        if let Some(project) = &self.pyproject {
            for keys in [&["project", "scripts"][..], &["tool", "poetry", "scripts"]] {
                for (name, target) in project.table(keys) {
                    let mut place = keys.to_vec();
                    place.push(name);
                    scripts.extend(target.as_str().map(|target| Script {
                        name: name.to_owned(),
                        target: target.to_owned(),
                        from: project.from(&place),
                    }));
                }
            }
        }
        if let Some(text) = &self.setup {
            for mut scan in Scan::behind(text, "console_scripts", &["#"]) {
                let line = scan.line();
                scan.eat("\"");
                scan.eat("'");
                if !scan.eat(":") || !scan.eat("[") {
                    continue;
                }
                let Some((name, target)) = scan
                    .string(&['"', '\''])
                    .and_then(|said| said.split_once('='))
                else {
                    continue;
                };
                scripts.push(Script {
                    name: name.trim().to_owned(),
                    target: target.trim().to_owned(),
                    from: format!("setup.py:{line}"),
                });
            }
        }
        scripts
    }

    /// A command that the project keeps under a name by which one starts it, and where.
    pub fn task(&self) -> Option<(String, String)> {
        let pyproject = self
            .pyproject
            .as_ref()
            .map(|project| (project, vec!["tool", "pdm", "scripts"]));
        let pipfile = self
            .pipfile
            .as_ref()
            .map(|pipfile| (pipfile, vec!["scripts"]));
        [pyproject, pipfile]
            .into_iter()
            .flatten()
            .find_map(|(document, table)| {
                ["start", "serve", "web", "server", "run"]
                    .iter()
                    .find_map(|name| {
                        let mut keys = table.clone();
                        keys.push(name);
                        let said = document.text(&keys).or_else(|| {
                            keys.push("cmd");
                            document.text(&keys)
                        })?;
                        Some((said.to_owned(), document.from(&keys)))
                    })
            })
    }

    /// `name="…"` among the arguments of `setup()`.
    fn setup_text(&self, key: &str) -> Option<(String, String)> {
        let text = self.setup.as_ref()?;
        Scan::behind(text, key, &["#"]).find_map(|mut scan| {
            let line = scan.line();
            if !scan.eat("=") {
                return None;
            }
            let said = scan.string(&['"', '\''])?;
            Some((said.to_owned(), format!("setup.py:{line}")))
        })
    }

    fn cfg(&self, key: &str) -> Option<(String, String)> {
        let text = self.setup_cfg.as_ref()?;
        let line = text.lines().find(|line| is_key(line, key))?;
        let (_, value) = line.split_once('=')?;
        let offset = line.as_ptr() as usize - text.as_ptr() as usize;
        Some((
            value.trim().to_owned(),
            format!("setup.cfg:{}", line_of(text, offset)),
        ))
    }
}

/// Whether a line of an INI file gives this key.
fn is_key(line: &str, key: &str) -> bool {
    line.trim_end()
        .strip_prefix(key)
        .is_some_and(|rest| rest.trim_start().starts_with('='))
}
