//! Gradle: what its scripts say.

mod launch;
mod values;

use super::build::{Build, Used};
use super::catalog::Catalog;
use super::script::{Script, strings};
use super::version::version;
use crate::ecosystem::Claim;
use crate::names;
use crate::sources::Sources;

const SCRIPTS: [&str; 2] = ["build.gradle", "build.gradle.kts"];
const SETTINGS: [&str; 2] = ["settings.gradle", "settings.gradle.kts"];
/// How often a name may stand for another one.
const MOST_STEPS: usize = 4;
/// How many of a build's own plugins are read.
const MOST_CONVENTIONS: usize = 8;

/// A program that Gradle builds.
pub struct Gradle<'a, 's> {
    sources: &'a Sources<'s>,
    file: &'static str,
    /// How the folder of the whole build is reached: `../`; empty for the program's own.
    root: String,
    settings: Option<Script>,
    /// What counts for the program, its own script first.
    scripts: Vec<Script>,
    catalog: Catalog,
    /// `gradle.properties`, by name.
    properties: Vec<(String, String, String)>,
    pub plugins: Vec<Used>,
    /// What the whole build says of the versions of plugins.
    versions: Vec<Used>,
}

impl<'a, 's> Gradle<'a, 's> {
    pub fn read(sources: &'a Sources<'s>) -> Option<Self> {
        let file = sources.first_of(&SCRIPTS)?;
        let settings_file = sources.nearest(&SETTINGS);
        let root = settings_file
            .as_deref()
            .and_then(|file| file.rsplit_once('/'))
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let settings = settings_file.and_then(|file| Script::read(sources, &file));
        let catalog = Catalog::read(sources, &root);
        let own = Script::read(sources, file)?;
        let mut scripts = Vec::new();
        if root.is_empty() {
            let (own, _) = own.split();
            scripts.push(own);
        } else {
            scripts.push(own);
            for name in SCRIPTS {
                if let Some(outer) = Script::read_if_there(sources, &format!("{root}{name}")) {
                    scripts.push(outer.split().1);
                }
            }
        }
        let properties = properties(sources, &root);
        let mut gradle = Self {
            sources,
            file,
            root,
            settings,
            scripts,
            catalog,
            properties,
            plugins: Vec::new(),
            versions: Vec::new(),
        };
        gradle.versions = gradle.versions_for_all();
        gradle.follow_conventions();
        Some(gradle)
    }

    /// The root of the build and its settings name versions that each project then goes without.
    fn versions_for_all(&self) -> Vec<Used> {
        let root = SCRIPTS
            .iter()
            .find_map(|name| Script::read_if_there(self.sources, &format!("{}{name}", self.root)));
        let mut all = Vec::new();
        for script in root.iter().chain(&self.settings) {
            all.extend(script.named_plugins(&self.catalog, true));
            let classpath = script.dependencies(&self.catalog).into_iter();
            // A plugin of the old way is named by where it is found.
            all.extend(classpath.filter_map(|(configuration, used)| {
                let boot = configuration == "classpath"
                    && used.name == "org.springframework.boot:spring-boot-gradle-plugin";
                boot.then(|| Used {
                    name: "org.springframework.boot".to_owned(),
                    ..used
                })
            }));
        }
        all.retain(|used| used.version.is_some());
        all
    }

    /// Plugins that are scripts of the build itself are read as if they stood here.
    fn follow_conventions(&mut self) {
        let mut next = 0;
        while next < self.scripts.len() && next < MOST_CONVENTIONS {
            let plugins = self.scripts[next].plugins(&self.catalog);
            for plugin in plugins {
                let folders = ["buildSrc", "build-logic", "gradle/plugins"];
                let file = folders.iter().find_map(|folder| {
                    ["kotlin", "groovy"].iter().find_map(|language| {
                        ["", ".kts"].iter().find_map(|ending| {
                            let file = format!(
                                "{}{folder}/src/main/{language}/{}.gradle{ending}",
                                self.root, plugin.name
                            );
                            self.sources.has(&file).then_some(file)
                        })
                    })
                });
                let known = self
                    .scripts
                    .iter()
                    .any(|script| Some(&script.file) == file.as_ref());
                if let Some(script) = file
                    .filter(|_| !known)
                    .and_then(|file| Script::read(self.sources, &file))
                {
                    self.scripts.push(script);
                }
                let elsewhere = || {
                    let mut known = self.versions.iter();
                    known
                        .find(|known| known.name == plugin.name)?
                        .version
                        .clone()
                };
                let version = plugin.version.clone().or_else(elsewhere);
                let version = version.and_then(|version| self.filled(&version));
                self.plugins.push(Used { version, ..plugin });
            }
            next += 1;
        }
    }

    pub fn applies(&self, ids: &[&str]) -> Option<&Used> {
        self.plugins
            .iter()
            .find(|plugin| ids.contains(&plugin.name.as_str()))
    }

    pub fn build(&self) -> Build {
        let listed: Vec<_> = self
            .scripts
            .iter()
            .flat_map(|script| script.dependencies(&self.catalog))
            .map(|(configuration, used)| {
                let version = used
                    .version
                    .as_deref()
                    .and_then(|version| self.filled(version));
                let name = self.filled(&used.name).unwrap_or_else(|| used.name.clone());
                (
                    configuration,
                    Used {
                        name,
                        version,
                        ..used
                    },
                )
            })
            .collect();
        let dependencies: Vec<_> = listed
            .iter()
            .filter(|(configuration, _)| is_of_program(configuration))
            .map(|(_, used)| used.clone())
            .collect();
        let mut plugins: Vec<Used> = self.plugins.clone();
        // A plugin of the old way is named by where it is found.
        plugins.extend(
            listed
                .iter()
                .filter(|(configuration, used)| {
                    configuration == "classpath"
                        && used.name == "org.springframework.boot:spring-boot-gradle-plugin"
                })
                .map(|(_, used)| used.clone()),
        );
        // The first of a name says most of it when it has a version.
        plugins.sort_by_key(|used| used.version.is_none());
        let lock = self
            .sources
            .has("gradle.lockfile")
            .then_some("gradle.lockfile");
        let open = dependencies.iter().find(|used| {
            used.version.as_deref().is_some_and(|version| {
                version.ends_with('+')
                    || version.starts_with("latest.")
                    || version.ends_with("-SNAPSHOT")
            })
        });
        let pinned = match (lock, open) {
            (Some(lock), _) => (true, format!("{lock} pins every version")),
            (None, Some(open)) => (
                false,
                format!("another day may bring another {}", open.name),
            ),
            (None, None) => (
                true,
                format!(
                    "{} names each version, and released ones do not change",
                    self.file
                ),
            ),
        };
        Build {
            tool: "gradle",
            label: "Gradle",
            file: self.file.to_owned(),
            name: self.name(),
            claims: self.claims(&plugins),
            dependencies,
            plugins,
            fetch: None,
            pinned: Some(pinned),
            lock,
        }
    }

    /// Whether there are projects in folders below.
    fn has_projects(&self) -> bool {
        self.root.is_empty()
            && self
                .settings
                .as_ref()
                .is_some_and(|settings| settings.mentions("include").is_some())
    }

    /// The project's name, as Gradle has it.
    fn project(&self) -> Option<String> {
        if !self.root.is_empty() {
            return self.sources.folder().rsplit('/').next().map(str::to_owned);
        }
        self.root_name()
    }

    fn root_name(&self) -> Option<String> {
        let (value, _) = self
            .settings
            .as_ref()?
            .assigned("rootProject.name")
            .next()?;
        strings(value).first().map(|name| (*name).to_owned())
    }

    fn name(&self) -> Option<String> {
        let project = self.project()?;
        // What `gradle init` calls it says nothing.
        let project = if project == "app" {
            self.root_name()?
        } else {
            project
        };
        names::from_package(&project)
    }

    fn claims(&self, plugins: &[Used]) -> Vec<Claim> {
        let mut claims = Vec::new();
        let settings = [
            "languageVersion",
            "jvmToolchain",
            "options.release",
            "release",
            "sourceCompatibility",
            "targetCompatibility",
            "jvmTarget",
        ];
        for name in settings {
            for script in &self.scripts {
                for (value, from) in script.assigned(name) {
                    if let Some((said, elsewhere)) = self.value(value, 0)
                        && let Some(version) = version(&said)
                    {
                        claims.push(Claim::exactly(version, elsewhere.unwrap_or(from)));
                    }
                }
            }
        }
        claims.dedup_by(|a, b| a.version == b.version);
        let spring = plugins
            .iter()
            .find(|used| used.name.starts_with("org.springframework.boot"));
        if let Some(spring) = spring
            && let Some(major) = spring.version.as_deref().map(super::version::major)
            && major >= 3
        {
            claims.push(Claim::range(">=17", "17", &spring.from));
        }
        if let Some((range, chosen, from)) = self.runs_on() {
            let too_old = claims
                .first()
                .is_some_and(|claim| super::version::major(&claim.version) < 17);
            let claim = Claim::range(range, chosen, from);
            // Gradle itself has to run, too.
            if chosen == "17" && too_old {
                claims.insert(0, claim);
            } else if chosen != "17" && claims.is_empty() {
                claims.push(claim);
            }
        }
        claims
    }

    /// What the wrapper's Gradle can run on: the range, the best version in it, and where its own one stands.
    fn runs_on(&self) -> Option<(&'static str, &'static str, String)> {
        let file = format!("{}gradle/wrapper/gradle-wrapper.properties", self.root);
        let text = self.sources.text_if_there(&file)?;
        let (index, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.starts_with("distributionUrl"))?;
        let (_, version) = line.rsplit_once("gradle-")?;
        let mut numbers = version
            .split(['.', '-'])
            .map_while(|number| number.parse::<u32>().ok());
        let (major, minor) = (numbers.next()?, numbers.next().unwrap_or(0));
        let from = format!("{file}:{}", index + 1);
        match (major, minor) {
            (..=4, _) => Some(("<=8", "8", from)),
            (5 | 6, _) | (7, ..=2) => Some(("<=11", "11", from)),
            (7 | 8, _) => None,
            _ => Some((">=17", "17", from)),
        }
    }
}

impl Script {
    fn read_if_there(sources: &Sources<'_>, file: &str) -> Option<Self> {
        sources
            .has(file)
            .then(|| Self::read(sources, file))
            .flatten()
    }
}

impl Sources<'_> {
    fn text_if_there(&self, file: &str) -> Option<std::rc::Rc<str>> {
        self.has(file).then(|| self.text(file)).flatten()
    }
}

/// Whether a configuration's libraries are there when the program runs, or are given to it.
fn is_of_program(configuration: &str) -> bool {
    let lower = configuration.to_ascii_lowercase();
    let of_tests = lower.contains("test") || lower.starts_with("android");
    let runs = lower.ends_with("implementation")
        || matches!(
            lower.as_str(),
            "api"
                | "compile"
                | "runtime"
                | "runtimeonly"
                | "compileonly"
                | "providedruntime"
                | "providedcompile"
                | "platform"
        );
    runs && !of_tests
}

fn properties(sources: &Sources<'_>, root: &str) -> Vec<(String, String, String)> {
    let mut files = vec!["gradle.properties".to_owned()];
    if !root.is_empty() {
        files.push(format!("{root}gradle.properties"));
    }
    let mut found = Vec::new();
    for file in files {
        let Some(text) = sources.text_if_there(&file) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if let Some((key, value)) = line.split_once('=')
                && !line.trim_start().starts_with('#')
            {
                found.push((
                    key.trim().to_owned(),
                    value.trim().to_owned(),
                    format!("{file}:{}", index + 1),
                ));
            }
        }
    }
    found
}
