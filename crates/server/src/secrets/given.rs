//! Giving secrets to what needs them, where they are granted, at the last moment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ergon_manifest::Manifest;
use ergon_pack::{BuildSecret, BuildSecrets};
use ergon_store::{ProjectRow, SecretVersionRow, now};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::grant::{lets_build, lets_container};
use super::{SecretError, SecretValue, Secrets};

/// Where a program finds its secrets.
pub const PROGRAM_SECRETS: &str = "/run/secrets";

/// What a container is to be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names of secrets that are files.
    pub files: Vec<String>,
    /// Secrets that are variables: by the variable's name.
    pub variables: BTreeMap<String, String>,
}

/// What a container was given.
#[derive(Debug, Default)]
pub struct Given {
    /// The folder with its files, and its name among those of the stack.
    pub folder: Option<(PathBuf, String)>,
    pub variables: BTreeMap<String, String>,
}

impl Wanted {
    /// What the programs of a container say that they need.
    pub fn of(manifest: &Manifest, container: &str) -> Result<Self, SecretError> {
        let mut wanted = Self::default();
        let programs = manifest.containers.get(container);
        let programs = programs.iter().flat_map(|found| &found.applications);
        let needs = programs
            .filter_map(|name| manifest.applications.get(name))
            .flat_map(|application| &application.secrets)
            .filter(|(_, needed)| needed.is_for_running());
        for (secret, needed) in needs {
            let Some(variable) = &needed.env else {
                if !wanted.files.contains(secret) {
                    wanted.files.push(secret.clone());
                }
                continue;
            };
            let before = wanted.variables.insert(variable.clone(), secret.clone());
            if let Some(other) = before.filter(|before| before != secret) {
                return Err(SecretError::SameVariable {
                    variable: variable.clone(),
                    one: other,
                    other: secret.clone(),
                });
            }
        }
        wanted.files.sort();
        Ok(wanted)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.files.iter().chain(self.variables.values())
    }
}

impl Secrets {
    /// Whether everything is there and granted that a project's containers and build steps need; before anything is done.
    pub async fn may_use(
        &self,
        project: &ProjectRow,
        manifest: &Manifest,
    ) -> Result<(), SecretError> {
        for container in manifest.containers.keys() {
            for name in Wanted::of(manifest, container)?.names() {
                self.granted_to(project, container, name).await?;
            }
        }
        for (application, name) in needed_for_building(manifest) {
            self.granted_to_build(project, application, name).await?;
        }
        Ok(())
    }

    /// Gives a container what it needs. `folder` names where its files are to be.
    pub async fn give(
        &self,
        project: &ProjectRow,
        container: &str,
        wanted: &Wanted,
        folder: String,
    ) -> Result<Given, SecretError> {
        let mut given = Given::default();
        for (variable, name) in &wanted.variables {
            let row = self.granted_to(project, container, name).await?;
            let value = self.reveal(&row).await?;
            let text = std::str::from_utf8(value.reveal()).ok();
            let text = text.filter(|text| !text.contains('\0'));
            let text = text.ok_or_else(|| SecretError::NoText {
                name: name.clone(),
                variable: variable.clone(),
            })?;
            given.variables.insert(variable.clone(), text.to_owned());
        }
        if !wanted.files.is_empty() {
            let path = self
                .put_files(project, container, &wanted.files, &folder)
                .await?;
            given.folder = Some((path, folder));
        }
        Ok(given)
    }

    /// Puts the files of a container where it finds them, with what they say now.
    pub async fn put_files(
        &self,
        project: &ProjectRow,
        container: &str,
        names: &[String],
        folder: &str,
    ) -> Result<PathBuf, SecretError> {
        let mut files: Vec<(&str, SecretValue)> = Vec::new();
        for name in names {
            let row = self.granted_to(project, container, name).await?;
            files.push((name, self.reveal(&row).await?));
        }
        let files: Vec<(&str, &SecretValue)> =
            files.iter().map(|(name, value)| (*name, value)).collect();
        self.places()
            .put(folder, &files)
            .map_err(|error| SecretError::Files {
                container: container.to_owned(),
                error,
            })
    }

    /// What the build steps of a project may read.
    pub async fn for_build(
        &self,
        project: &ProjectRow,
        manifest: &Manifest,
    ) -> Result<BuildSecrets, SecretError> {
        let mut given = BTreeMap::new();
        for (application, name) in needed_for_building(manifest) {
            let row = self.granted_to_build(project, application, name).await?;
            let value = self.reveal(&row).await?;
            let secret = BuildSecret {
                value: Zeroizing::new(value.reveal().to_vec()),
                // Of nothing that depends on what it says.
                version: hex::encode(Sha256::digest(format!("{name}\n{}\n", row.id))),
            };
            given.insert(name.clone(), secret);
        }
        if given.is_empty() {
            return Ok(BuildSecrets::default());
        }
        let memory = self.places().for_steps().map_err(|error| {
            let container = project.name.clone();
            SecretError::Files { container, error }
        })?;
        Ok(BuildSecrets::new(given, memory))
    }

    async fn granted_to(
        &self,
        project: &ProjectRow,
        container: &str,
        name: &str,
    ) -> Result<SecretVersionRow, SecretError> {
        let user = format!("the container `{container}` of `{}`", project.name);
        let grants = self.store.secret_grants(Some(name)).await?;
        let may = lets_container(&grants, project.id.as_str(), container);
        let how = format!("--project {} --container {container}", project.name);
        self.usable(name, user, may, &how).await
    }

    async fn granted_to_build(
        &self,
        project: &ProjectRow,
        application: &str,
        name: &str,
    ) -> Result<SecretVersionRow, SecretError> {
        let user = format!("the build of `{application}` of `{}`", project.name);
        let grants = self.store.secret_grants(Some(name)).await?;
        let may = lets_build(&grants, project.id.as_str(), application);
        let how = format!("--project {} --build {application}", project.name);
        self.usable(name, user, may, &how).await
    }

    /// The version of a secret that is used now, where it may be.
    async fn usable(
        &self,
        name: &str,
        user: String,
        may: bool,
        how: &str,
    ) -> Result<SecretVersionRow, SecretError> {
        let name = name.to_owned();
        if self.store.secret(&name).await?.is_none() {
            return Err(SecretError::Wanted { user, name });
        }
        if !may {
            let remedy = format!("ergon secret grant {name} {how}");
            return Err(SecretError::MayNot { user, name, remedy });
        }
        let versions = self.store.secret_versions(Some(&name)).await?;
        let current = versions.into_iter().find(|row| row.state == "current");
        match current {
            None => Err(SecretError::Destroyed { name }),
            Some(row) if row.expires_at.is_some_and(|time| time <= now()) => {
                Err(SecretError::Expired { name })
            }
            Some(row) => Ok(row),
        }
    }
}

/// Which application needs which secret for its build commands.
fn needed_for_building(manifest: &Manifest) -> impl Iterator<Item = (&String, &String)> {
    manifest
        .applications
        .iter()
        .flat_map(|(name, application)| {
            let needed = application.secrets.iter();
            let needed = needed.filter(|(_, needed)| needed.is_for_building());
            needed.map(move |(secret, _)| (name, secret))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ergon_manifest::{Application, Container, SecretTime, SecretUse};

    fn manifest(secrets: &[(&str, &str, Option<&str>, Option<SecretTime>)]) -> Manifest {
        let mut manifest = Manifest::default();
        for (application, secret, env, during) in secrets {
            let application = (*application).to_owned();
            let needed = SecretUse {
                during: *during,
                env: env.map(str::to_owned),
            };
            let known = manifest.applications.entry(application.clone());
            let known: &mut Application = known.or_default();
            known.secrets.insert((*secret).to_owned(), needed);
            let container: &mut Container =
                manifest.containers.entry("web".to_owned()).or_default();
            if !container.applications.contains(&application) {
                container.applications.push(application);
            }
        }
        manifest
    }

    #[test]
    fn a_container_wants_what_its_programs_need_while_they_run() {
        let manifest = manifest(&[
            ("api", "b", None, None),
            ("api", "a", None, Some(SecretTime::Both)),
            ("api", "npm", None, Some(SecretTime::Build)),
            ("api", "key", Some("KEY"), Some(SecretTime::Run)),
            ("worker", "a", None, None),
        ]);
        let wanted = Wanted::of(&manifest, "web").unwrap();
        assert_eq!(wanted.files, ["a", "b"]);
        let key = ("KEY".to_owned(), "key".to_owned());
        assert_eq!(wanted.variables, BTreeMap::from([key]));
        let building: Vec<_> = needed_for_building(&manifest).collect();
        assert_eq!(building.len(), 2);
        assert_eq!(Wanted::of(&manifest, "other").unwrap(), Wanted::default());
    }

    #[test]
    fn two_secrets_are_not_one_variable() {
        let manifest = manifest(&[
            ("api", "a", Some("KEY"), None),
            ("worker", "b", Some("KEY"), None),
        ]);
        let error = Wanted::of(&manifest, "web").unwrap_err();
        assert!(matches!(error, SecretError::SameVariable { .. }), "{error}");
    }
}
