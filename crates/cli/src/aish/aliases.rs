//! Names of one's own for companions and commands: `web` for `fastapi-ci`, `morning` for a question to everybody.
//!
//! They are a person's, not the stack's, and are kept beside the configuration.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::usage;
use crate::failure::{Failure, Outcome};
use crate::report::messages;
use crate::{folders, output, words};

const RIGHT: &str = "aish alias list, aish alias add NAME WORDS..., aish alias remove NAME";

/// Names, and the words they stand for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Aliases(BTreeMap<String, Vec<String>>);

impl Aliases {
    /// Those of whoever runs this.
    pub fn read() -> Outcome<Self> {
        match path() {
            Ok(path) => Self::read_from(&path),
            // Whoever has no home has no names of their own either.
            Err(_) => Ok(Self::default()),
        }
    }

    fn read_from(path: &Path) -> Outcome<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(broken(path, &folders::reason(&error))),
        };
        let aliases = toml::from_str(&text).map_err(|error| broken(path, error.message()))?;
        Ok(Self(aliases))
    }

    /// Writes them whole or not at all.
    fn write_to(&self, path: &Path) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::new(format!(
                "{} cannot be written: {}",
                folders::display(path),
                folders::reason(&error)
            ))
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let text = toml::to_string(&self.0).unwrap_or_default();
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// The words a name stands for. They are taken as they are: no alias leads to another.
    pub fn expand(&self, name: &str) -> Option<Vec<String>> {
        self.0.get(&name.to_lowercase()).cloned()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// `aish alias …`.
pub fn run(words: &[String], json: bool) -> Outcome {
    let path = path()?;
    let mut aliases = Aliases::read_from(&path)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["list"] => output::show(json, &aliases.0, || {
            messages::aliases(&aliases.0, output::width())
        }),
        ["add", name, stands_for @ ..] if !stands_for.is_empty() => {
            check(name)?;
            let words = stands_for.iter().map(|&word| word.to_owned()).collect();
            aliases.0.insert(name.to_lowercase(), words);
            aliases.write_to(&path)
        }
        ["remove", name] => {
            if aliases.0.remove(&name.to_lowercase()).is_none() {
                let name = words::harmless(name);
                return Err(Failure::new(format!("there is no alias {name}"))
                    .with_remedy("aish alias list says which there are".to_owned()));
            }
            aliases.write_to(&path)
        }
        _ => Err(usage("`alias` does not understand that", RIGHT)),
    }
}

fn check(name: &str) -> Outcome {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if name.is_empty() || name.len() > 63 || name.starts_with('-') || !name.chars().all(plain) {
        let what = "an alias is 1 to 63 letters, digits, `-`, `_` and `.`";
        return Err(usage(what, RIGHT));
    }
    // No alias hides what `aish` understands itself. Only here is `completion` a word of that kind: a companion may have the name.
    if ergon_hermes::is_reserved_word(name) || name.eq_ignore_ascii_case("completion") {
        let what = format!("`{name}` means something else to `aish`");
        return Err(usage(&what, "choose another name"));
    }
    Ok(())
}

fn path() -> Outcome<PathBuf> {
    Ok(folders::configuration()?.with_file_name("aliases.toml"))
}

fn broken(path: &Path, reason: &str) -> Failure {
    let path = folders::display(path);
    Failure::new(format!("{path} cannot be read: {reason}"))
        .with_remedy(format!("put {path} right, or remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ergon/aliases.toml");
        assert_eq!(Aliases::read_from(&path).unwrap(), Aliases::default());
        let words = vec!["team-chat".to_owned(), "how \"are\" you?".to_owned()];
        let aliases = Aliases(BTreeMap::from([("morning".to_owned(), words.clone())]));
        aliases.write_to(&path).unwrap();
        let read = Aliases::read_from(&path).unwrap();
        assert_eq!(read, aliases);
        assert_eq!(read.expand("Morning"), Some(words));
        assert_eq!(read.expand("evening"), None);
    }

    #[test]
    fn a_broken_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aliases.toml");
        std::fs::write(&path, "web = 7").unwrap();
        let Err(Failure::Said {
            message, remedy, ..
        }) = Aliases::read_from(&path)
        else {
            panic!()
        };
        assert!(message.contains("aliases.toml cannot be read"), "{message}");
        assert!(remedy.unwrap().contains("remove it"));
    }

    #[test]
    fn an_alias_hides_no_word_of_aish() {
        assert!(check("web").is_ok());
        for wrong in ["", "Inbox", "team-chat", "-x", "a b", "ä"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
