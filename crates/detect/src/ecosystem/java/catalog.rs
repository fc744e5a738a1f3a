//! Gradle's version catalog, `gradle/libs.versions.toml`.

use serde_json::Value;

use crate::document::Document;
use crate::sources::Sources;

/// The catalog's file; nothing where there is none.
pub struct Catalog {
    document: Option<Document>,
}

impl Catalog {
    pub fn read(sources: &Sources<'_>, root: &str) -> Self {
        let file = format!("{root}gradle/libs.versions.toml");
        let document = sources
            .has(&file)
            .then(|| sources.document(&file))
            .flatten();
        Self { document }
    }

    /// The plugin that `libs.plugins.spring.boot` stands for, and its version.
    pub fn plugin(&self, path: &str) -> Option<(String, Option<String>)> {
        let alias = path.trim().strip_prefix("libs.plugins.")?;
        let entry = self.entry("plugins", alias.trim_end_matches(".get"))?;
        if let Some(text) = entry.as_str() {
            let (id, version) = text.split_once(':')?;
            return Some((id.to_owned(), Some(version.to_owned())));
        }
        let id = entry.get("id")?.as_str()?.to_owned();
        Some((id, self.version_of(entry)))
    }

    /// The libraries that `spring.boot.starter.web` or `bundles.web`, behind `libs.`, stands for.
    pub fn libraries(&self, path: &str) -> Vec<(String, Option<String>)> {
        if let Some(bundle) = path.strip_prefix("bundles.") {
            let members = self
                .entry("bundles", bundle)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            return members.filter_map(|alias| self.library(alias)).collect();
        }
        self.library(path).into_iter().collect()
    }

    fn library(&self, alias: &str) -> Option<(String, Option<String>)> {
        let entry = self.entry("libraries", alias)?;
        if let Some(text) = entry.as_str() {
            let mut parts = text.splitn(3, ':');
            let name = format!("{}:{}", parts.next()?, parts.next()?);
            return Some((name, parts.next().map(str::to_owned)));
        }
        let name = match entry.get("module").and_then(Value::as_str) {
            Some(module) => module.to_owned(),
            None => format!(
                "{}:{}",
                entry.get("group")?.as_str()?,
                entry.get("name")?.as_str()?
            ),
        };
        Some((name, self.version_of(entry)))
    }

    fn version_of(&self, entry: &Value) -> Option<String> {
        let version = entry.get("version")?;
        if let Some(text) = version.as_str() {
            return Some(text.to_owned());
        }
        self.version(version.get("ref")?.as_str()?)
            .map(|(version, _)| version)
    }

    /// One of the catalog's versions, and where it stands.
    pub fn version(&self, alias: &str) -> Option<(String, String)> {
        let document = self.document.as_ref()?;
        let (key, value) = document
            .table(&["versions"])
            .find(|(key, _)| same(key, alias))?;
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            value => ["strictly", "require", "prefer"]
                .iter()
                .find_map(|name| value.get(name)?.as_str())?
                .to_owned(),
        };
        Some((text, document.from(&["versions", key])))
    }

    fn entry(&self, table: &str, alias: &str) -> Option<&Value> {
        let document = self.document.as_ref()?;
        document
            .table(&[table])
            .find(|(key, _)| same(key, alias))
            .map(|(_, value)| value)
    }
}

/// Scripts write dots for what the catalog separates by dashes and underscores.
fn same(key: &str, alias: &str) -> bool {
    let dotted = |text: &str| text.replace(['-', '_'], ".");
    dotted(key) == dotted(alias)
}
