//! What names and expressions in Gradle's scripts come to.

use super::{Gradle, MOST_STEPS};
use crate::ecosystem::java::script::strings;

impl Gradle<'_, '_> {
    /// What an expression in a script comes to, and where that stands where it is elsewhere.
    pub(super) fn value(&self, expression: &str, steps: usize) -> Option<(String, Option<String>)> {
        let mut rest = expression;
        let wrappers = [
            "=",
            "(",
            ".set(",
            ".convention(",
            "by extra(",
            "JavaLanguageVersion.of(",
            "JavaVersion.toVersion(",
            "JavaVersion.",
            "JvmTarget.fromTarget(",
            "JvmTarget.",
            "org.jetbrains.kotlin.gradle.dsl.JvmTarget.",
            "Integer.valueOf(",
            "Integer.parseInt(",
            "project.",
            "rootProject.",
            "ext.",
        ];
        loop {
            rest = rest.trim_start();
            let Some(shorter) = wrappers
                .iter()
                .find_map(|wrapper| rest.strip_prefix(wrapper))
            else {
                break;
            };
            rest = shorter;
        }
        if rest.starts_with(['"', '\'']) {
            return Some((self.filled(strings(rest).first()?)?, None));
        }
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)))
            .unwrap_or(rest.len());
        let word = &rest[..end];
        if word.starts_with("VERSION_")
            || word.starts_with("JVM_")
            || word.starts_with(|c: char| c.is_ascii_digit())
        {
            return Some((word.to_owned(), None));
        }
        if let Some(path) = word.strip_prefix("libs.versions.") {
            let alias = path
                .trim_end_matches(".toInteger")
                .trim_end_matches(".toInt");
            let alias = alias
                .strip_suffix(".get")
                .or(alias.strip_suffix(".asProvider"))
                .unwrap_or(alias);
            let (value, from) = self.catalog.version(alias)?;
            return Some((value, Some(from)));
        }
        let named = if matches!(
            word,
            "property" | "findProperty" | "providers.gradleProperty" | "extra" | "getProperty"
        ) {
            strings(rest).first().copied()?
        } else {
            let end = word.find('.').unwrap_or(word.len());
            &word[..end]
        };
        self.variable(named, steps + 1)
    }

    pub(super) fn variable(&self, name: &str, steps: usize) -> Option<(String, Option<String>)> {
        if steps > MOST_STEPS || name.is_empty() {
            return None;
        }
        let property = self.properties.iter().find(|(key, ..)| key == name);
        if let Some((_, value, from)) = property {
            return Some((value.clone(), Some(from.clone())));
        }
        self.scripts.iter().find_map(|script| {
            script.assigned(name).find_map(|(value, from)| {
                let (value, elsewhere) = self.value(value, steps)?;
                Some((value, Some(elsewhere.unwrap_or(from))))
            })
        })
    }

    /// A text with the names in it filled in: `$version`, `${version}`.
    pub(super) fn filled(&self, text: &str) -> Option<String> {
        let Some((before, rest)) = text.split_once('$') else {
            return Some(text.to_owned());
        };
        let (name, behind) = if let Some(rest) = rest.strip_prefix('{') {
            rest.split_once('}')?
        } else {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            rest.split_at(end)
        };
        let name = name.rsplit(['.', '"', '\'']).find(|part| part.len() > 1)?;
        let (value, _) = self.variable(name, 1)?;
        (!behind.contains('$')).then(|| format!("{before}{value}{behind}"))
    }

    /// The class that the Application plugin starts.
    pub fn main_class(&self) -> Option<String> {
        self.setting("mainClass")
            .or_else(|| self.setting("mainClassName"))
    }

    pub(super) fn setting(&self, name: &str) -> Option<String> {
        self.scripts.iter().find_map(|script| {
            let (value, _) = script.assigned(name).next()?;
            self.value(value, 0).map(|(value, _)| value)
        })
    }
}
