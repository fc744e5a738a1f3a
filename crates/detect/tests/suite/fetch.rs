//! What is fetched for a command, so that the command itself runs without a network.

use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::{Fetch, Manager, Step};
use ergon_manifest::check;
use serde_json::json;

/// Paths and contents.
type Files<'a> = &'a [(&'a str, &'a str)];

/// What is fetched for a build command of a program with these files.
fn fetch(command: &str, files: Files<'_>) -> Option<Fetch> {
    let manifest = json!({
        "manifest_version": "1.0",
        "applications": { "web": {
            "type": "python", "language": "python", "build_commands": [command], "run_command": "python3 main.py"
        } },
        "containers": { "web": { "base_image": "python:3.11-slim", "applications": ["web"] } }
    });
    let manifest = check(&manifest.to_string()).unwrap().manifest;
    let tree = MemoryTree::new(files.iter().copied());
    let plan = ergon_detect::plan::plan(&manifest, &tree)
        .unwrap()
        .remove(0);
    let stages = plan.stages.into_iter();
    let mut fetches = stages
        .flat_map(|stage| stage.steps)
        .filter_map(|step| match step {
            Step::Run { fetch, .. } => fetch.map(|fetch| *fetch),
            _ => None,
        });
    fetches.next_back()
}

#[test]
fn pip_downloads_what_it_would_install_and_nothing_about_where() {
    let fetch = fetch(
        "pip install --no-cache-dir --target lib -r requirements.txt 'uvicorn[standard]==0.30'",
        &[("requirements.txt", "flask==3.0.3\n")],
    )
    .unwrap();
    assert_eq!(fetch.managers, [Manager::Pip]);
    assert!(
        fetch.command.contains(
            "python3 -m pip download --dest /dev/fetched/pip -r requirements.txt 'uvicorn[standard]==0.30' &&"
        ),
        "{}",
        fetch.command
    );
    assert_eq!(fetch.locks, ["requirements.txt"]);
    assert_eq!(fetch.offline_env["PIP_NO_INDEX"], "1");
}

#[test]
fn what_builds_packages_is_fetched_with_the_choices_that_were_made_for_them() {
    let fetch = fetch("pip install --no-binary :all: markupsafe==2.1.5", &[]).unwrap();
    assert!(
        fetch
            .command
            .ends_with("/dev/fetched/pip /dev/fetched/pip-build --no-binary :all:"),
        "{}",
        fetch.command
    );
}

#[test]
fn npm_fills_its_cache_and_runs_nobodys_scripts() {
    let files = [("package.json", "{}"), ("package-lock.json", "{}")];
    let fetch = fetch("npm ci --omit=dev && npm run build", &files).unwrap();
    assert_eq!(fetch.command, "npm ci --omit=dev --ignore-scripts");
    assert_eq!(fetch.env["npm_config_cache"], "/dev/fetched/npm");
    assert_eq!(fetch.locks, ["package-lock.json"]);
    assert_eq!(fetch.offline_env["npm_config_offline"], "true");
}

#[test]
fn a_project_cannot_have_its_scripts_run_while_it_is_fetched_for() {
    let fetch = fetch("npm ci --ignore-scripts=false", &[("package.json", "{}")]).unwrap();
    assert_eq!(fetch.command, "npm ci --ignore-scripts");
}

#[test]
fn a_lock_is_no_measure_for_what_a_command_names_itself() {
    let files = [
        ("package.json", "{}"),
        ("package-lock.json", "{}"),
        ("pnpm-lock.yaml", ""),
    ];
    let named = fetch("npm install --global pnpm@9.15.0", &files).unwrap();
    assert!(named.locks.is_empty());
    let both = fetch(
        "npm install --global pnpm@9.15.0 && pnpm install --frozen-lockfile",
        &files,
    );
    let both = both.unwrap();
    assert_eq!(both.managers, [Manager::Npm, Manager::Pnpm]);
    assert!(both.locks.is_empty());
}

#[test]
fn each_manager_is_told_where_to_look() {
    let yarn = [("yarn.lock", "# yarn lockfile v1\n")];
    let rows: [(&str, Files<'_>, Manager, &str); 6] = [
        (
            "uv sync --locked",
            &[("uv.lock", "")],
            Manager::Uv,
            "UV_OFFLINE",
        ),
        (
            "yarn install --frozen-lockfile",
            &yarn,
            Manager::Yarn,
            "npm_config_offline",
        ),
        (
            "composer install --no-dev",
            &[("composer.lock", "{}")],
            Manager::Composer,
            "COMPOSER_DISABLE_NETWORK",
        ),
        (
            "go mod download",
            &[("go.mod", ""), ("go.sum", "")],
            Manager::Go,
            "GOPROXY",
        ),
        (
            "cargo build --release",
            &[("Cargo.lock", "")],
            Manager::Cargo,
            "CARGO_NET_OFFLINE",
        ),
        (
            "apt-get update && apt-get install -y jq && rm -rf /var/lib/apt/lists/*",
            &[],
            Manager::Apt,
            "APT_CONFIG",
        ),
    ];
    for (command, files, manager, variable) in rows {
        let fetch = fetch(command, files).unwrap_or_else(|| panic!("{command}"));
        assert_eq!(fetch.managers, [manager], "{command}");
        assert!(fetch.offline_env.contains_key(variable), "{command}");
    }
}

#[test]
fn what_is_not_understood_is_not_fetched_for() {
    for command in [
        "npm ci > log",
        "npm install $PACKAGE",
        "cd web && npm ci",
        "NODE_ENV=production npm ci",
        "pip install --unheard-of flask",
        "mix deps.get",
        "pip install poetry && poetry install",
        "npm run build",
    ] {
        assert_eq!(
            fetch(command, &[("package-lock.json", "{}")]),
            None,
            "{command}"
        );
    }
}
