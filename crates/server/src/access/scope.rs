//! What a token is asked for: `repository:team/app:pull,push`, `registry:catalog:*`. Pure.

use std::fmt;

use ergon_oci::registry::RepositoryName;

/// A token is asked for so many scopes at most; more are not looked at.
const MOST: usize = 100;

/// What is done to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Pull,
    Push,
    Delete,
}

impl Verb {
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Pull => 1,
            Self::Push => 2,
            Self::Delete => 4,
        }
    }
}

/// Several of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs(u8);

impl Verbs {
    pub const NONE: Self = Self(0);

    /// Those of a name: `pull`, …, and `*` for all. None where it is no such name.
    pub fn named(name: &str) -> Option<Self> {
        if name == "*" {
            return Some(Verb::ALL.into_iter().collect());
        }
        let verb = Verb::ALL.into_iter().find(|verb| verb.name() == name)?;
        Some(verb.into())
    }

    pub const fn has(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL.into_iter().filter(move |verb| self.has(*verb))
    }

    pub fn names(self) -> Vec<String> {
        self.iter().map(|verb| verb.name().to_owned()).collect()
    }
}

impl From<Verb> for Verbs {
    fn from(verb: Verb) -> Self {
        Self(verb.bit())
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        let verbs = verbs.into_iter();
        verbs.fold(Self::NONE, |all, verb| all.and(verb.into()))
    }
}

impl fmt::Display for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// One thing, and what may be done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Repository {
        name: RepositoryName,
        verbs: Verbs,
    },
    /// Which repositories there are.
    Catalog,
}

impl Scope {
    pub fn repository(name: RepositoryName, verbs: impl Into<Verbs>) -> Self {
        Self::Repository {
            name,
            verbs: verbs.into(),
        }
    }

    /// None where it asks for nothing there is here: as the specification has it, that is left out of
    /// the token, and the client sees by it what it has not got.
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        // A name may have the host with its port in front, so the actions come after the last colon.
        let (name, actions) = rest.rsplit_once(':')?;
        // `repository(plugin)`: what class of thing is in it makes no difference.
        match kind.split('(').next() {
            Some("repository") => {
                let name: RepositoryName = name.parse().ok()?;
                let verbs = actions.split(',').filter_map(Verbs::named);
                let verbs = verbs.fold(Verbs::NONE, Verbs::and);
                (!verbs.is_none()).then_some(Self::Repository { name, verbs })
            }
            Some("registry") if name == "catalog" && actions.split(',').any(|each| each == "*") => {
                Some(Self::Catalog)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository { name, verbs } => write!(f, "repository:{name}:{verbs}"),
            Self::Catalog => f.write_str("registry:catalog:*"),
        }
    }
}

/// Several things, each once, in the order they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads `scope` parameters: there may be several, and each may hold several with spaces between.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let words = texts.into_iter().flat_map(str::split_ascii_whitespace);
        words.take(MOST).filter_map(Scope::parse).collect()
    }

    pub fn add(&mut self, scope: Scope) {
        for known in &mut self.0 {
            match (known, &scope) {
                (
                    Scope::Repository { name, verbs },
                    Scope::Repository {
                        name: other,
                        verbs: more,
                    },
                ) if name == other => {
                    *verbs = verbs.and(*more);
                    return;
                }
                (Scope::Catalog, Scope::Catalog) => return,
                _ => {}
            }
        }
        self.0.push(scope);
    }

    pub fn allows(&self, repository: &str, verb: Verb) -> bool {
        self.0.iter().any(|scope| {
            matches!(scope, Scope::Repository { name, verbs } if name.as_str() == repository && verbs.has(verb))
        })
    }

    pub fn allows_catalog(&self) -> bool {
        self.0.contains(&Scope::Catalog)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut all = Self::default();
        for scope in scopes {
            all.add(scope);
        }
        all
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&scopes.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(texts: &[&str]) -> String {
        Scopes::parse(texts.iter().copied()).to_string()
    }

    #[test]
    fn scopes_are_read_as_clients_write_them() {
        for (texts, meant) in [
            (
                &["repository:team/app:pull"][..],
                "repository:team/app:pull",
            ),
            (&["repository:app:push,pull"], "repository:app:pull,push"),
            // What clients ask for that delete.
            (&["repository:app:*"], "repository:app:pull,push,delete"),
            (&["repository(plugin):app:pull"], "repository:app:pull"),
            (&["registry:catalog:*"], "registry:catalog:*"),
            // Several parameters, several in one, one thing twice.
            (
                &["repository:a:pull", "repository:b:pull,push"],
                "repository:a:pull repository:b:pull,push",
            ),
            (
                &["repository:a:pull  repository:b:pull"],
                "repository:a:pull repository:b:pull",
            ),
            (
                &["repository:a:pull repository:a:push"],
                "repository:a:pull,push",
            ),
            (
                &["registry:catalog:* registry:catalog:*"],
                "registry:catalog:*",
            ),
        ] {
            assert_eq!(read(texts), meant, "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_scope_here_asks_for_nothing() {
        for text in [
            "",
            "repository",
            "repository:app",
            "repository:app:",
            "repository:app:fly",
            "repository::pull",
            "repository:Team/App:pull",
            "repository:../app:pull",
            "registry:catalog:pull",
            "registry:everything:*",
            "aws:app:pull",
        ] {
            assert_eq!(read(&[text]), "", "{text}");
        }
        assert_eq!(read(&["repository:app:fly,pull"]), "repository:app:pull");
    }

    #[test]
    fn a_scope_is_for_one_repository_and_not_for_those_below() {
        let scopes = Scopes::parse(["repository:team/app:pull"]);
        assert!(scopes.allows("team/app", Verb::Pull));
        assert!(!scopes.allows("team/app", Verb::Push));
        assert!(!scopes.allows("team/app/more", Verb::Pull));
        assert!(!scopes.allows("team", Verb::Pull));
        assert!(!scopes.allows_catalog());
    }

    #[test]
    fn nobody_makes_us_read_without_end() {
        let many: Vec<String> = (0..1000).map(|n| format!("repository:a{n}:pull")).collect();
        let scopes = Scopes::parse(many.iter().map(String::as_str));
        assert_eq!(scopes.iter().count(), MOST);
    }
}
