//! How a Python program becomes an image, told from its manifest.

use ergon_manifest::Application;

use super::dependencies::Dependencies;
use crate::ecosystem::{Packed, Packing, Probe, Toolchain};

/// Where programs are found in a Debian image.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where a browser lies that a program drives, relative to the application.
const BROWSERS: &str = ".browsers";

pub(super) fn packing(packed: &Packed<'_>) -> Packing {
    let application = packed.application;
    let mut env = vec![("PYTHONUNBUFFERED", "1".to_owned())];
    // Frameworks that listen on 127.0.0.1 unless they are told otherwise.
    match application.kind.as_str() {
        "gradio" => env.push(("GRADIO_SERVER_NAME", "0.0.0.0".to_owned())),
        "dash" => env.push(("HOST", "0.0.0.0".to_owned())),
        "streamlit" => env.push(("STREAMLIT_SERVER_HEADLESS", "true".to_owned())),
        _ => {}
    }
    let root = packed.root();
    if says(application, &["playwright install"]) {
        env.push(("PLAYWRIGHT_BROWSERS_PATH", format!("{root}/{BROWSERS}")));
    }
    let toolchain = has_environment(application).then(|| {
        let path = format!("{root}/.venv/bin:{SYSTEM_PATH}");
        env.push(("PATH", path.clone()));
        let mut build = vec![("PATH", path)];
        build.extend(settings(application, &root));
        Toolchain {
            // The environment's interpreter is the image's.
            image: packed.base_image.to_owned(),
            env: build,
            source_only: &[],
        }
    });
    Packing {
        toolchain,
        env,
        probe: Some(probe),
        ..Packing::default()
    }
}

fn says(application: &Application, words: &[&str]) -> bool {
    application
        .build_commands
        .iter()
        .any(|command| words.iter().any(|words| command.contains(words)))
}

/// Whether the build leaves the dependencies in a folder of the application, and so can have a stage of its own.
fn has_environment(application: &Application) -> bool {
    let made = [
        "python -m venv .venv",
        "uv sync",
        "poetry install",
        "pdm sync",
        "pdm install",
        "pipenv sync",
        "pipenv install",
    ];
    let elsewhere = [
        "virtualenvs.create false",
        "--system",
        "UV_PROJECT_ENVIRONMENT=",
    ];
    says(application, &made) && !says(application, &elsewhere)
}

/// What makes the package manager put its environment there, and ask nothing.
fn settings(application: &Application, root: &str) -> Vec<(&'static str, String)> {
    let yes = || "1".to_owned();
    if says(application, &["uv sync"]) {
        return vec![
            ("UV_COMPILE_BYTECODE", yes()),
            ("UV_LINK_MODE", "copy".to_owned()),
            ("UV_PROJECT_ENVIRONMENT", format!("{root}/.venv")),
            ("UV_PYTHON_DOWNLOADS", "never".to_owned()),
        ];
    }
    if says(application, &["poetry install"]) {
        return vec![
            ("POETRY_NO_INTERACTION", yes()),
            ("POETRY_VIRTUALENVS_CREATE", "true".to_owned()),
            ("POETRY_VIRTUALENVS_IN_PROJECT", "true".to_owned()),
        ];
    }
    if says(application, &["pdm sync", "pdm install"]) {
        return vec![
            ("PDM_CHECK_UPDATE", "false".to_owned()),
            ("PDM_IGNORE_SAVED_PYTHON", yes()),
            ("PDM_VENV_IN_PROJECT", "true".to_owned()),
        ];
    }
    if says(application, &["pipenv sync", "pipenv install"]) {
        return vec![
            ("PIPENV_NOSPIN", yes()),
            ("PIPENV_VENV_IN_PROJECT", yes()),
            ("PIPENV_YES", yes()),
        ];
    }
    Vec::new()
}

/// What fetches the browser that a program drives.
pub(super) fn browsers(dependencies: &Dependencies) -> Option<String> {
    (dependencies.has("playwright") && dependencies.file.is_some())
        .then(|| format!("PLAYWRIGHT_BROWSERS_PATH=$PWD/{BROWSERS} playwright install chromium"))
}

/// Asks with what every Python has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    // A JSON string is a Python string.
    let path = serde_json::Value::from(probe.path);
    let port = if probe.port_variable {
        format!("int(os.environ.get('PORT') or {})", probe.port)
    } else {
        probe.port.to_string()
    };
    let script = format!(
        "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', {port}, timeout=3); \
         c.request('GET', {path}, headers={{'Host': 'localhost'}}); sys.exit(c.getresponse().status >= 400)"
    );
    vec!["python".to_owned(), "-c".to_owned(), script]
}
