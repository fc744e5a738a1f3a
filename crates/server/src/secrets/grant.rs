//! Where a secret may be used. Nobody may who is not named.

use ergon_store::SecretGrantRow;

use super::error::SecretError;

/// No container and no application has a longer name.
const LONGEST_PART: usize = 128;

/// To what a secret is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// All containers of a project.
    Project,
    /// One of them.
    Container,
    /// The build steps of a project, or of one application in it.
    Build,
}

/// A grant within a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub kind: GrantKind,
    /// The container or application; empty: all of them.
    pub part: String,
}

impl GrantKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Container => "container",
            Self::Build => "build",
        }
    }
}

impl Grant {
    pub fn new(kind: &str, part: Option<String>) -> Result<Self, SecretError> {
        let kinds = [GrantKind::Project, GrantKind::Container, GrantKind::Build];
        let known = kinds.into_iter().find(|known| known.word() == kind);
        let kind = known.ok_or_else(|| SecretError::Kind {
            kind: kind.chars().take(80).collect(),
        })?;
        let part = part.unwrap_or_default();
        match kind {
            GrantKind::Container if part.is_empty() => return Err(SecretError::NoPart),
            GrantKind::Project if !part.is_empty() => return Err(SecretError::NeedlessPart),
            _ => {}
        }
        let is_name = part.len() <= LONGEST_PART
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_name {
            return Err(SecretError::Part {
                part: part.chars().take(80).collect(),
            });
        }
        Ok(Self { kind, part })
    }
}

/// Whether one of the grants lets a container of a project have the secret.
pub fn lets_container(grants: &[SecretGrantRow], project: &str, container: &str) -> bool {
    grants.iter().any(|grant| {
        grant.project_id == project
            && match grant.kind.as_str() {
                "project" => true,
                "container" => grant.part == container,
                _ => false,
            }
    })
}

/// Whether one of the grants lets the build steps of an application have the secret.
pub fn lets_build(grants: &[SecretGrantRow], project: &str, application: &str) -> bool {
    grants.iter().any(|grant| {
        grant.project_id == project
            && grant.kind == "build"
            && (grant.part.is_empty() || grant.part == application)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, project: &str, part: &str) -> SecretGrantRow {
        SecretGrantRow {
            secret: "a".to_owned(),
            kind: kind.to_owned(),
            project_id: project.to_owned(),
            part: part.to_owned(),
            granted_at: 0,
            granted_by: String::new(),
        }
    }

    #[test]
    fn a_grant_is_for_what_it_names_and_nothing_else() {
        let grants = [
            row("project", "one", ""),
            row("container", "two", "web"),
            row("build", "three", ""),
            row("build", "four", "api"),
        ];
        for (project, container, may) in [
            ("one", "web", true),
            ("two", "web", true),
            ("two", "webs", false),
            ("two", "", false),
            ("three", "web", false),
            ("four", "api", false),
            ("five", "web", false),
        ] {
            let lets = lets_container(&grants, project, container);
            assert_eq!(lets, may, "{project}/{container}");
        }
        for (project, application, may) in [
            ("one", "api", false),
            ("two", "web", false),
            ("three", "api", true),
            ("four", "api", true),
            ("four", "web", false),
        ] {
            let lets = lets_build(&grants, project, application);
            assert_eq!(lets, may, "{project}/{application}");
        }
        assert!(!lets_container(&[], "one", "web") && !lets_build(&[], "one", "api"));
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for (kind, part) in [
            ("site", None),
            ("container", None),
            ("container", Some("")),
            ("container", Some("a/b")),
            ("build", Some("a\nb")),
            ("project", Some("web")),
        ] {
            assert!(
                Grant::new(kind, part.map(str::to_owned)).is_err(),
                "{kind} {part:?}"
            );
        }
        assert!(Grant::new("build", Some("api".to_owned())).is_ok());
    }
}
