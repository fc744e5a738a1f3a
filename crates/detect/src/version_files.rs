//! Files whose only purpose is to say which versions of tools a project wants.

use crate::ecosystem::Claim;
use crate::sources::Sources;

/// Where mise reads its tools from, the nearest first.
const MISE_FILES: [&str; 6] = [
    "mise.toml",
    ".mise.toml",
    ".config/mise.toml",
    ".config/mise/config.toml",
    ".mise/config.toml",
    "mise/config.toml",
];

/// What one of these files says of a tool.
pub struct Said {
    /// As written, without what leads to it: `3.2.1`.
    pub version: String,
    /// `file:line`
    pub from: String,
}

impl Said {
    /// The exact version that is meant, as far as `read` makes one of what stands there.
    pub fn claim(self, read: impl FnOnce(&str) -> Option<String>) -> Claim {
        match read(&self.version) {
            Some(version) => Claim::exactly(version, self.from),
            None => Claim::unknown(self.version, self.from),
        }
    }
}

/// What a file says that holds nothing but one version: `.ruby-version`.
pub fn only(sources: &Sources<'_>, name: &str) -> Option<Said> {
    let file = sources.nearest(&[name])?;
    let text = sources.text(&file)?;
    let mut lines = text.lines().enumerate();
    let (index, line) = lines.find(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    })?;
    Some(Said {
        version: line.trim().to_owned(),
        from: format!("{file}:{}", index + 1),
    })
}

/// Whether a file of this name holds nothing but one version.
pub fn holds_one(name: &str) -> bool {
    name.starts_with('.') && name.ends_with("-version")
        || matches!(name, ".nvmrc" | ".zigversion" | "rust-toolchain")
}

/// Whether a file is there for nothing but versions.
pub fn is_one(path: &str) -> bool {
    let path = path.trim_start_matches("../");
    holds_one(path)
        || MISE_FILES.contains(&path)
        || matches!(
            path,
            ".tool-versions" | "runtime.txt" | ".sdkmanrc" | "system.properties" | "global.json"
        )
}

/// The exact versions that files of their own say, then those that [`of_tool`] knows by these names.
pub fn claims(
    sources: &Sources<'_>,
    files: &[&str],
    tools: &[&str],
) -> impl Iterator<Item = Claim> + use<> {
    let said: Vec<_> = files
        .iter()
        .filter_map(|file| only(sources, file))
        .chain(tools.iter().flat_map(|tool| of_tool(sources, tool)))
        .collect();
    said.into_iter()
        .map(|said| said.claim(|version| is_dotted(version).then(|| version.to_owned())))
}

/// What `.tool-versions` and mise's files say of a tool.
pub fn of_tool(sources: &Sources<'_>, tool: &str) -> Vec<Said> {
    asdf(sources, tool)
        .into_iter()
        .chain(mise(sources, tool))
        .collect()
}

fn asdf(sources: &Sources<'_>, tool: &str) -> Option<Said> {
    let file = sources.nearest(&[".tool-versions"])?;
    let text = sources.text(&file)?;
    text.lines().enumerate().find_map(|(index, line)| {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        let version = words
            .next()
            .filter(|name| *name == tool)
            .and(words.next())?;
        Some(Said {
            version: version.to_owned(),
            from: format!("{file}:{}", index + 1),
        })
    })
}

fn mise(sources: &Sources<'_>, tool: &str) -> Option<Said> {
    let file = sources.nearest(&MISE_FILES)?;
    let document = sources.document(&file)?;
    let places: [&[&str]; 2] = [&["tools", tool], &["tools", tool, "version"]];
    let found = places.iter().find_map(|keys| {
        let value = document.get(keys)?;
        // Of several the first is the one that is used.
        let value = value.get(0).unwrap_or(value);
        let version = match value {
            serde_json::Value::Number(number) => number.to_string(),
            value => value.as_str()?.to_owned(),
        };
        Some((version, document.from(keys)))
    });
    found.map(|(version, from)| Said { version, from })
}

/// A version of numbers and dots only: `3.2.1`.
pub fn is_dotted(version: &str) -> bool {
    let is_number = |number: &str| {
        !number.is_empty() && number.len() < 4 && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    version.split('.').count() < 4 && version.split('.').all(is_number)
}
