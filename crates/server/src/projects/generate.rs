//! A project's Dockerfile and the answers beside it. Reads the project, writes nothing.

use std::path::Path;

use ergon_detect::disk::DiskTree;
use ergon_detect::plan::plan;
use ergon_detect::tree::FileTree;
use ergon_manifest::{Digest, Document};
use ergon_pack::{Lock, MANIFEST_FILE, PackError};
use ergon_store::{ProjectRow, now};

use super::{Look, ProjectError, answers};
use crate::api;
use crate::words::rfc3339;

/// What the project keeps of a Dockerfile.
pub fn docker_config(
    dockerfile: &str,
    saved_to: Option<String>,
    document: Option<&Document>,
) -> api::DockerConfig {
    let containers = || {
        document
            .iter()
            .flat_map(|document| document.manifest.containers.values())
    };
    let mut ports: Vec<u16> = containers()
        .flat_map(|container| container.ports.iter().copied())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let mut base_images: Vec<String> = containers()
        .map(|container| container.base_image.clone())
        .collect();
    base_images.sort();
    base_images.dedup();
    api::DockerConfig {
        dockerfile_digest: Digest::of(dockerfile.as_bytes()).to_string(),
        saved_to,
        base_images,
        ports,
        updated_at: rfc3339(now()),
    }
}

/// What the 🐳 button shows.
pub fn generated(
    row: &ProjectRow,
    look: &Look,
    folder: &Path,
) -> Result<api::GeneratedDockerfile, ProjectError> {
    let Some(document) = &look.document else {
        let problem = look.problem.clone();
        return Err(ProjectError::Unusable {
            text: problem
                .as_ref()
                .map_or_else(String::new, |problem| problem.text.clone()),
            remedy: problem.and_then(|problem| problem.remedy),
        });
    };
    let tree = DiskTree::open(folder).map_err(PackError::from)?;
    let plans = plan(&document.manifest, &tree).map_err(PackError::from)?;
    // A Dockerfile makes one image: the last one built, which is the one that others lean on least.
    let Some(chosen) = plans.last() else {
        return Err(ProjectError::Unusable {
            text: format!("{MANIFEST_FILE} has no container"),
            remedy: Some("add one to `containers`".to_owned()),
        });
    };
    let lock = Lock::read(folder)?;
    let dockerfile = ergon_pack::write_dockerfile(chosen, lock.as_ref());
    let application = document
        .manifest
        .containers
        .get(&chosen.container)
        .and_then(|container| container.applications.first());
    let own = |name| {
        tree.own_file(name)
            .ok()
            .flatten()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(api::GeneratedDockerfile {
        line_facts: answers::line_facts(
            &dockerfile.lines,
            &look.analysis,
            application.map(String::as_str),
        ),
        dockerfile: dockerfile.text,
        dockerignore: ergon_detect::dockerfile::ignore_file(&document.manifest, &tree),
        project_id: row.id.to_string(),
        project_name: row.name.clone(),
        saved_to: None,
        existing_dockerfile: own("Dockerfile"),
        existing_dockerignore: own(".dockerignore"),
        manifest: document.value.clone(),
        answers: answers::answers(&look.analysis),
        questions: answers::questions(&look.analysis),
    })
}
