//! `pom.xml`, with those of its parents that are in the tree.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::build::Used;
use crate::sources::Sources;

/// How many parents are followed.
const MOST_PARENTS: usize = 6;
/// How often a property may stand for another one.
const MOST_STEPS: usize = 8;

/// A value and the line that it stands on.
pub type Placed = (String, usize);

/// One file.
#[derive(Default)]
pub struct Pom {
    /// As it is seen from the program's folder: `../pom.xml`.
    pub file: String,
    pub artifact: Option<String>,
    version: Option<String>,
    pub packaging: Option<Placed>,
    pub parent: Option<Parent>,
    properties: BTreeMap<String, Placed>,
    pub modules: Vec<String>,
    dependencies: Vec<Dependency>,
    managed: Vec<Dependency>,
    plugins: Vec<Plugin>,
    managed_plugins: Vec<Plugin>,
    final_name: Option<String>,
}

pub struct Parent {
    group: String,
    artifact: String,
    pub version: String,
    /// None where it is said to be in no folder.
    path: Option<String>,
    pub line: usize,
}

#[derive(Clone)]
pub struct Dependency {
    group: String,
    artifact: String,
    version: Option<String>,
    scope: String,
    line: usize,
}

#[derive(Clone)]
pub struct Plugin {
    pub artifact: String,
    group: String,
    version: Option<String>,
    /// All values below it, by the name of their element.
    values: Vec<(String, Placed)>,
    /// What stands of it in the text, for what has no value.
    pub line: usize,
    /// As [`Pom::file`].
    pub file: String,
}

impl Plugin {
    pub fn get(&self, name: &str) -> Option<&Placed> {
        self.values
            .iter()
            .find(|(element, _)| element == name)
            .map(|(_, value)| value)
    }

    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Placed> {
        self.values
            .iter()
            .filter(move |(element, _)| element == name)
            .map(|(_, value)| value)
    }

    pub fn from(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|child| child.is_element() && child.tag_name().name() == name)
}

fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = child(node, name)?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Says of a node on which line it stands.
struct Lines(Vec<usize>);

impl Lines {
    fn of(&self, node: Node<'_, '_>) -> usize {
        let start = node.range().start;
        self.0.partition_point(|newline| *newline < start) + 1
    }
}

impl Pom {
    pub fn read(sources: &Sources<'_>, file: &str) -> Option<Self> {
        let content = sources.text(file)?;
        let document = sources.xml(file, &content)?;
        let root = document.root_element();
        if root.tag_name().name() != "project" {
            return None;
        }
        let lines = Lines(content.match_indices('\n').map(|(at, _)| at).collect());
        let elements = |node: Node<'_, '_>| -> Vec<(String, Placed)> {
            node.descendants()
                .filter(Node::is_element)
                .filter_map(|node| {
                    let text = node.text()?.trim();
                    let named = (
                        node.tag_name().name().to_owned(),
                        (text.to_owned(), lines.of(node)),
                    );
                    (!text.is_empty()).then_some(named)
                })
                .collect()
        };
        let dependencies = |node: Node<'_, '_>| -> Vec<Dependency> {
            let list = child(node, "dependencies");
            list.into_iter()
                .flat_map(|list| list.children().filter(Node::is_element))
                .filter_map(|node| {
                    Some(Dependency {
                        group: text(node, "groupId")?,
                        artifact: text(node, "artifactId")?,
                        version: text(node, "version"),
                        scope: text(node, "scope").unwrap_or_default(),
                        line: lines.of(node),
                    })
                })
                .collect()
        };
        let plugins = |node: Node<'_, '_>| -> Vec<Plugin> {
            let list = child(node, "plugins");
            list.into_iter()
                .flat_map(|list| list.children().filter(Node::is_element))
                .filter_map(|node| {
                    Some(Plugin {
                        artifact: text(node, "artifactId")?,
                        group: text(node, "groupId").unwrap_or_default(),
                        version: text(node, "version"),
                        values: elements(node),
                        line: lines.of(node),
                        file: file.to_owned(),
                    })
                })
                .collect()
        };
        let build = child(root, "build");
        let parent = child(root, "parent").and_then(|node| {
            let path = match child(node, "relativePath") {
                None => Some("../pom.xml".to_owned()),
                Some(path) => path.text().map(|path| path.trim().to_owned()),
            };
            Some(Parent {
                group: text(node, "groupId")?,
                artifact: text(node, "artifactId")?,
                version: text(node, "version").unwrap_or_default(),
                path: path.filter(|path| !path.is_empty()),
                line: lines.of(node),
            })
        });
        let properties = child(root, "properties").into_iter().flat_map(|node| {
            let properties = node.children().filter(Node::is_element);
            properties.map(|node| {
                let value = node.text().unwrap_or("").trim().to_owned();
                (node.tag_name().name().to_owned(), (value, lines.of(node)))
            })
        });
        let modules = child(root, "modules").into_iter().flat_map(|node| {
            let modules = node.children().filter(Node::is_element);
            modules.filter_map(|node| Some(node.text()?.trim().trim_matches('/').to_owned()))
        });
        Some(Self {
            file: file.to_owned(),
            artifact: text(root, "artifactId"),
            version: text(root, "version"),
            packaging: child(root, "packaging")
                .and_then(|node| Some((node.text()?.trim().to_owned(), lines.of(node)))),
            parent,
            properties: properties.collect(),
            modules: modules.collect(),
            dependencies: dependencies(root),
            managed: child(root, "dependencyManagement")
                .map(dependencies)
                .unwrap_or_default(),
            plugins: build.map(plugins).unwrap_or_default(),
            managed_plugins: build
                .and_then(|build| child(build, "pluginManagement"))
                .map(plugins)
                .unwrap_or_default(),
            final_name: build.and_then(|build| text(build, "finalName")),
        })
    }
}

/// A program's file, then those that it inherits from.
pub struct Chain {
    pub poms: Vec<Pom>,
}

impl Chain {
    pub fn read(sources: &Sources<'_>) -> Option<Self> {
        let mut poms = vec![Pom::read(sources, "pom.xml")?];
        let mut folder = String::new();
        while poms.len() < MOST_PARENTS {
            let Some(parent) = poms.last().and_then(|pom| pom.parent.as_ref()) else {
                break;
            };
            let Some(path) = &parent.path else { break };
            let mut file = format!("{folder}{path}");
            if !file.ends_with(".xml") {
                file = format!("{}/pom.xml", file.trim_end_matches('/'));
            }
            if !sources.has(&file) {
                break;
            }
            let Some(pom) = Pom::read(sources, &file) else {
                break;
            };
            if pom.artifact.as_deref() != Some(&parent.artifact) {
                break;
            }
            folder = file
                .rsplit_once('/')
                .map_or(String::new(), |(folder, _)| format!("{folder}/"));
            poms.push(pom);
        }
        Some(Self { poms })
    }

    pub fn own(&self) -> &Pom {
        &self.poms[0]
    }

    /// A property, its properties filled in, and where it stands.
    pub fn property(&self, name: &str) -> Option<(String, String)> {
        let (pom, (value, line)) = self
            .poms
            .iter()
            .find_map(|pom| Some((pom, pom.properties.get(name)?)))?;
        Some((self.filled(value)?, format!("{}:{line}", pom.file)))
    }

    /// A text with its properties filled in; none where one is not known.
    pub fn filled(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for _ in 0..MOST_STEPS {
            let Some((before, rest)) = text.split_once("${") else {
                return Some(text);
            };
            let (name, behind) = rest.split_once('}')?;
            let value = match name {
                "project.artifactId" | "artifactId" | "pom.artifactId" => {
                    self.own().artifact.clone()
                }
                "project.version" | "version" | "pom.version" => self.raw_version(),
                "project.parent.version" => Some(self.own().parent.as_ref()?.version.clone()),
                "project.parent.artifactId" => Some(self.own().parent.as_ref()?.artifact.clone()),
                "project.packaging" => Some("jar".to_owned()),
                _ => {
                    let found = self.poms.iter().find_map(|pom| pom.properties.get(name));
                    found.map(|(value, _)| value.clone())
                }
            }?;
            // What doubles at each step is nothing that a person wrote.
            if before.len() + value.len() + behind.len() > 1000 {
                return None;
            }
            text = format!("{before}{value}{behind}");
        }
        None
    }

    fn raw_version(&self) -> Option<String> {
        let own = self.own();
        let parents = || Some(own.parent.as_ref()?.version.clone());
        own.version.clone().or_else(parents)
    }

    /// What the build's result is called, without its ending; none where that cannot be told.
    pub fn final_name(&self) -> Option<String> {
        let named = self.poms.iter().find_map(|pom| pom.final_name.as_deref());
        if named.is_none() && self.inherits_from_elsewhere("io.helidon.applications") {
            return None;
        }
        let name = match named {
            Some(name) => self.filled(name)?,
            None => format!(
                "{}-{}",
                self.own().artifact.as_ref()?,
                self.filled(&self.raw_version()?)?
            ),
        };
        let plain = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
        plain.then_some(name)
    }

    fn inherits_from_elsewhere(&self, group: &str) -> bool {
        self.last_parent()
            .is_some_and(|parent| parent.group == group)
    }

    /// The parent that is not in the tree.
    fn last_parent(&self) -> Option<&Parent> {
        self.poms.last()?.parent.as_ref()
    }

    /// A plugin that the build uses, with what its management says of it.
    pub fn plugin(&self, artifact: &str) -> Option<Plugin> {
        let used = self
            .poms
            .iter()
            .flat_map(|pom| &pom.plugins)
            .find(|plugin| plugin.artifact == artifact)?;
        let mut plugin = used.clone();
        let managed = self.managed_plugin(artifact);
        plugin
            .values
            .extend(managed.into_iter().flat_map(|plugin| plugin.values.clone()));
        Some(plugin)
    }

    /// A plugin that Maven uses without being told: its configuration.
    pub fn configured(&self, artifact: &str) -> Option<Plugin> {
        self.plugin(artifact)
            .or_else(|| self.managed_plugin(artifact).cloned())
    }

    fn managed_plugin(&self, artifact: &str) -> Option<&Plugin> {
        self.poms
            .iter()
            .flat_map(|pom| &pom.managed_plugins)
            .find(|plugin| plugin.artifact == artifact)
    }

    /// Libraries that the program may run with, own ones first.
    pub fn dependencies(&self) -> Vec<Used> {
        let all = self.poms.iter().flat_map(|pom| {
            pom.dependencies
                .iter()
                .map(move |dependency| (pom, dependency))
        });
        all.filter(|(_, dependency)| !matches!(dependency.scope.as_str(), "test" | "import"))
            .map(|(pom, dependency)| Used {
                name: format!("{}:{}", dependency.group, dependency.artifact),
                version: dependency
                    .version
                    .as_deref()
                    .and_then(|version| self.filled(version)),
                from: format!("{}:{}", pom.file, dependency.line),
            })
            .collect()
    }

    /// How many libraries must be there when it runs.
    pub fn needed(&self) -> usize {
        let all = self.poms.iter().flat_map(|pom| &pom.dependencies);
        all.filter(|dependency| {
            !matches!(dependency.scope.as_str(), "test" | "import" | "provided")
        })
        .count()
    }

    /// Plugins, parents and the lists of versions that are taken over: what names a framework and its version.
    pub fn frames(&self) -> Vec<Used> {
        let parents = self.poms.iter().filter_map(|pom| {
            let parent = pom.parent.as_ref()?;
            Some(Used {
                name: format!("{}:{}", parent.group, parent.artifact),
                version: self.filled(&parent.version),
                from: format!("{}:{}", pom.file, parent.line),
            })
        });
        let plugins = self.poms.iter().flat_map(|pom| {
            pom.plugins.iter().map(move |plugin| Used {
                name: format!("{}:{}", plugin.group, plugin.artifact),
                version: plugin
                    .version
                    .as_deref()
                    .and_then(|version| self.filled(version)),
                from: format!("{}:{}", pom.file, plugin.line),
            })
        });
        let managed = self.poms.iter().flat_map(|pom| {
            let imported = pom.managed.iter().filter(|one| one.scope == "import");
            imported.filter_map(move |one| {
                Some(Used {
                    name: format!(
                        "{}:{}",
                        self.filled(&one.group)?,
                        self.filled(&one.artifact)?
                    ),
                    version: one
                        .version
                        .as_deref()
                        .and_then(|version| self.filled(version)),
                    from: format!("{}:{}", pom.file, one.line),
                })
            })
        });
        parents.chain(plugins).chain(managed).collect()
    }

    /// Versions that another day may be others, as `[1.0,)`, `LATEST` and snapshots.
    pub fn unpinned(&self) -> Option<String> {
        let all = self.poms.iter().flat_map(|pom| &pom.dependencies);
        let open = all.filter_map(|dependency| {
            let version = self.filled(dependency.version.as_deref()?)?;
            let open = version.starts_with(['[', '('])
                || matches!(version.as_str(), "LATEST" | "RELEASE")
                || version.ends_with("-SNAPSHOT");
            let own = version == self.raw_version().unwrap_or_default();
            (open && !own).then(|| format!("{} {version}", dependency.artifact))
        });
        open.min()
    }
}
