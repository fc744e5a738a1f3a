//! From the tree to the typed manifest, with every field that is wrong reported.

use jsonc_parser::ast;
use serde_json::Value;

use crate::diagnostic::{Path, Report};
use crate::fields::Fields;
use crate::model::{
    Application, Container, EnvironmentVariable, Health, MANIFEST_VERSION, Manifest, Packaging,
    Project, Runtime, SecretTime, SecretUse, Tagging, Tier, default_companion_name,
};
use crate::relations::{ContainerNames, Names};
use crate::written::{Lost, Texts, Written};
use crate::{grammar, image, platform};

/// Reads the manifest in `tree`. What it returns is complete only when nothing was reported.
pub(crate) fn read(
    tree: &ast::Value<'_>,
    text: &str,
    document: &Value,
    report: &mut Report,
) -> Option<(Manifest, Names)> {
    let mut fields = Fields::open(tree, 0..text.len().min(1), &Path::Root, text, report)?;
    let mut names = Names::default();
    fields.version("manifest_version", MANIFEST_VERSION, r#""1.0""#);
    let project = fields.object("project", project);
    let applications = fields.required_entries("applications", grammar::name, |_, fields| {
        application(fields)
    });
    let containers =
        fields.required_entries("containers", grammar::container_name, |name, fields| {
            let (container, container_names) = container(name, fields);
            names.containers.push(container_names);
            container
        });
    let packaging = fields.object("packaging", |fields| {
        let (packaging, build_order) = packaging(fields);
        names.build_order = build_order;
        packaging
    });
    let lifecycle = fields.kept("lifecycle", document);
    let federation = fields.kept("federation", document);
    fields.finish();

    names.containers_complete = containers
        .as_ref()
        .is_some_and(|all| all.values.len() == all.names.len());
    names.applications = applications.as_ref().map(|all| all.names.clone());
    names.all_containers = containers.as_ref().map(|all| all.names.clone());
    let manifest = Manifest {
        manifest_version: MANIFEST_VERSION.to_owned(),
        project,
        applications: applications.map(|all| all.values).unwrap_or_default(),
        containers: containers.map(|all| all.values).unwrap_or_default(),
        packaging: packaging.unwrap_or_default(),
        lifecycle,
        federation,
    };
    Some((manifest, names))
}

fn project(fields: &mut Fields<'_, '_>) -> Project {
    Project {
        name: fields.required_text("name", grammar::line, r#""my-project""#),
        repository: fields.text("repository", grammar::repository),
    }
}

fn application(fields: &mut Fields<'_, '_>) -> Application {
    Application {
        kind: fields.required_text("type", grammar::line, r#""fastapi""#),
        language: fields.required_text("language", grammar::line, r#""python""#),
        path: fields.text("path", grammar::project_path),
        entrypoint: fields.text("entrypoint", grammar::project_path),
        dependencies: fields.text("dependencies", grammar::project_path),
        build_commands: fields.lines("build_commands", grammar::command),
        run_command: fields.text("run_command", grammar::command),
        runtime: fields.object("runtime", runtime),
        package_manager: fields.text("package_manager", grammar::line),
        ports: fields.ports("ports"),
        env: fields
            .entries("env", grammar::environment_name, |_, fields| {
                variable(fields)
            })
            .map(|all| all.values)
            .unwrap_or_default(),
        secrets: fields
            .entries("secrets", grammar::secret, |_, fields| secret(fields))
            .map(|all| all.values)
            .unwrap_or_default(),
        system_packages: fields
            .texts("system_packages", grammar::package)
            .into_strings(),
        services: fields.texts("services", grammar::name).into_strings(),
        health: fields.object("health", health),
        artifacts: fields
            .texts("artifacts", grammar::project_path)
            .into_strings(),
        volumes: fields.texts("volumes", grammar::volume).into_strings(),
    }
}

fn runtime(fields: &mut Fields<'_, '_>) -> Runtime {
    Runtime {
        name: fields.required_text("name", grammar::line, r#""python""#),
        version: fields.required_text("version", grammar::line, r#""3.11""#),
        from: fields.text("from", grammar::line),
    }
}

fn variable(fields: &mut Fields<'_, '_>) -> EnvironmentVariable {
    EnvironmentVariable {
        required: fields.boolean("required").unwrap_or_default(),
        default: fields.text("default", grammar::value),
        from: fields.text("from", grammar::line),
    }
}

fn secret(fields: &mut Fields<'_, '_>) -> SecretUse {
    SecretUse {
        during: fields.choice("during", SECRET_TIMES),
        env: fields.text("env", grammar::environment_name),
    }
}

const SECRET_TIMES: &[(&str, SecretTime)] = &[
    ("run", SecretTime::Run),
    ("build", SecretTime::Build),
    ("both", SecretTime::Both),
];

fn health(fields: &mut Fields<'_, '_>) -> Health {
    Health {
        path: fields.required_text("path", grammar::health_path, r#""/healthz""#),
        port: fields.port("port"),
    }
}

fn container(name: &Written, fields: &mut Fields<'_, '_>) -> (Container, ContainerNames) {
    let base_image = fields.required_text("base_image", image::image, r#""python:3.11-slim""#);
    let applications = fields.required_texts("applications", grammar::name, "[ … ]");
    let ports = fields.ports("ports");
    let companion = fields.written("ci_name", grammar::name);
    let ci_capabilities = fields
        .texts("ci_capabilities", grammar::name)
        .into_strings();
    let tier = fields.choice("tier", TIERS);
    let depends_on = fields.texts("depends_on", grammar::container_name);

    let ci_name = match &companion {
        Some(Ok(written)) => Some(written.text.clone()),
        Some(Err(Lost)) | None => None,
    };
    let default_companion = || Written {
        text: default_companion_name(&name.text),
        ..name.clone()
    };
    let names = ContainerNames {
        name: name.clone(),
        applications_complete: applications.whole,
        applications: applications.items.clone(),
        depends_on: depends_on.items.clone(),
        companion: companion.unwrap_or_else(|| Ok(default_companion())).ok(),
    };
    let container = Container {
        base_image,
        applications: applications.into_strings(),
        ports,
        ci_name,
        ci_capabilities,
        tier,
        depends_on: depends_on.into_strings(),
    };
    (container, names)
}

const TIERS: &[(&str, Tier)] = &[
    ("database", Tier::Database),
    ("backend", Tier::Backend),
    ("middleware", Tier::Middleware),
    ("frontend", Tier::Frontend),
];

const TAGGINGS: &[(&str, Tagging)] = &[
    ("git-sha", Tagging::GitSha),
    ("build-hash", Tagging::BuildHash),
];

fn packaging(fields: &mut Fields<'_, '_>) -> (Packaging, Texts) {
    let build_order = fields.texts("build_order", grammar::container_name);
    let packaging = Packaging {
        build_order: build_order
            .items
            .iter()
            .map(|item| item.text.clone())
            .collect(),
        registry: fields.text("registry", image::registry),
        tagging: fields.choice("tagging", TAGGINGS),
        source_date_epoch: fields.epoch("source_date_epoch"),
        platforms: fields
            .texts("platforms", platform::platform)
            .items
            .iter()
            .filter_map(|item| item.text.parse().ok())
            .collect(),
    };
    (packaging, build_order)
}
