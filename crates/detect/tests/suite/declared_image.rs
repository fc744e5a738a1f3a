//! What a project's own Dockerfile says.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::declared::{PACKAGE, SERVER, decided};
use crate::{detected, report, run_command};

#[test]
fn a_dockerfile_decides_what_was_only_guessed() {
    let dockerfile = concat!(
        "ARG VERSION=3.12\n",
        "FROM python:${VERSION}-slim AS base\n",
        "WORKDIR /srv\n",
        "COPY . .\n",
        "EXPOSE 7000\n",
        "HEALTHCHECK CMD curl -f http://localhost:7000/alive || exit 1\n",
        "CMD [\"python\", \"/srv/tool.py\"]\n",
    );
    let tree = MemoryTree::new([
        ("Dockerfile", dockerfile),
        ("tool.py", "print()"),
        ("other.py", "print()"),
        ("requirements.txt", "requests==2.32.0\n"),
    ]);
    let text = report(&tree);
    for line in [
        "runtime: Python 3.12 [Dockerfile:2, certain]",
        "run_command: python tool.py [Dockerfile:7, likely] (the Dockerfile starts it so)",
        "port: 7000 [Dockerfile:5, certain]",
        "health: GET /alive [Dockerfile:6, certain]",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("Python version?"));
    let analysis = ergon_detect::analyse(&tree);
    assert_eq!(
        analysis.manifest.containers["app"].base_image,
        "python:3.12-slim"
    );
}

#[test]
fn what_is_certain_goes_before_a_dockerfile() {
    let docker = |text| decided(&[PACKAGE, SERVER, ("other.js", ""), ("Dockerfile", text)]);
    assert_eq!(
        docker("FROM node:20\nCMD node other.js\n"),
        "npm run start [package.json:1] over node other.js [Dockerfile:2]: runs `node server.js`; package.json \
         goes before the Dockerfile"
    );
    assert_eq!(
        docker("FROM node:20\nENTRYPOINT [\"tini\", \"--\"]\nCMD [\"npm\", \"run\", \"dev\"]\n"),
        "npm run start [package.json:1] over npm run dev [Dockerfile:3]: runs `node server.js`; the Dockerfile \
         says otherwise, but that is for development"
    );
    // It is the same.
    assert_eq!(
        docker("FROM node:20\nCMD [\"npm\", \"start\"]\n"),
        "npm run start [package.json:1] over : runs `node server.js`"
    );
}

#[test]
fn an_image_says_the_version_where_no_file_says_it_exactly() {
    let runtime = |more: &[(&str, &str)]| {
        let mut files = vec![PACKAGE, SERVER];
        files.extend(more);
        let runtime = detected(&files).runtime.unwrap();
        format!("{} {}", runtime.version, runtime.from.unwrap())
    };
    let dockerfile = ("Dockerfile", "FROM node:20.11-alpine\n");
    assert_eq!(runtime(&[dockerfile]), "20.11 Dockerfile:1");
    assert_eq!(runtime(&[dockerfile, (".nvmrc", "22\n")]), "22 .nvmrc:1");
    assert_eq!(
        runtime(&[(
            ".devcontainer/devcontainer.json",
            "{\n // people work in it\n \"image\": \"mcr.microsoft.com/devcontainers/javascript-node:1-22-bookworm\"}"
        )]),
        "22 .devcontainer/devcontainer.json:3"
    );
    assert_eq!(
        runtime(&[(
            "nixpacks.toml",
            "[phases.setup]\nnixPkgs = [\"nodejs_20\"]\n"
        )]),
        "20 nixpacks.toml:2"
    );
    assert_eq!(runtime(&[("Dockerfile", "FROM node:lts\n")]), "18 assumed");
}

#[test]
fn a_dockerfile_alone_is_a_program() {
    let tree = MemoryTree::new([
        (
            "Dockerfile",
            "FROM tcl:8\nEXPOSE 80 8123\nENV MODE=fast SECRET_KEY=abc\nCMD tclsh main.tcl\n",
        ),
        ("main.tcl", ""),
    ]);
    assert_snapshot!(report(&tree), @r#"
    app · a web service
    run_command: tclsh main.tcl [Dockerfile:4, likely] (the Dockerfile starts it so)
    port: 8123 [Dockerfile:2, certain]
    environment: MODE [Dockerfile:3, certain] (the Dockerfile sets it to "fast")
    environment: SECRET_KEY [Dockerfile:3, certain] (the Dockerfile sets it)
    ? How is it built? no language that is known was found. → write build_commands and base_image into ergon.json
    "#);
}

#[test]
fn what_an_image_is_started_by_goes_before_what_follows_from_the_code() {
    let tree = MemoryTree::new([
        ("requirements.txt", "flask==3.0.0\ngunicorn==23.0.0\n"),
        ("web.py", "from flask import Flask\napp = Flask(__name__)\n"),
        (
            "Dockerfile",
            "FROM python:3.11\nCMD [\"gunicorn\", \"-w\", \"4\", \"-b\", \"0.0.0.0:9000\", \"web:app\"]\n",
        ),
    ]);
    let application = &ergon_detect::analyse(&tree).manifest.applications["app"];
    assert_eq!(
        application.run_command.as_deref(),
        Some("gunicorn -w 4 -b 0.0.0.0:9000 web:app")
    );
    assert_eq!(application.ports, [9000]);
}

#[test]
fn a_script_that_names_no_shell_is_read_by_one() {
    let files = [("Procfile", "web: ./run.sh --all\n"), ("run.sh", "echo\n")];
    assert_eq!(run_command(&files), "sh ./run.sh --all");
}

fn started(script: &str, image: &str) -> String {
    detected(&[
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "app = Flask(__name__)\n"),
        ("serve.py", ""),
        ("deploy/entrypoint.sh", script),
        ("Dockerfile", image),
    ])
    .run_command
    .unwrap()
}

#[test]
fn a_script_that_prepares_an_image_is_left_out() {
    let image = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCOPY deploy/entrypoint.sh /\nENTRYPOINT [\"/entrypoint.sh\"]\nCMD [\"python\", \"serve.py\"]\n";
    assert_eq!(
        started("#!/bin/sh\nchown -R app /data\nexec \"$@\"\n", image),
        "python serve.py"
    );
}

#[test]
fn a_script_that_an_image_is_started_by_is_found_where_it_came_from() {
    let image = "FROM python:3.12\nCOPY deploy/entrypoint.sh /usr/local/bin/start\nENTRYPOINT [\"/usr/local/bin/start\"]\n";
    assert_eq!(
        started("#!/bin/sh\npython serve.py\n", image),
        "deploy/entrypoint.sh"
    );
    let image = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nENTRYPOINT [\"/app/serve.py\"]\n";
    assert_eq!(started("", image), "./serve.py");
}

#[test]
fn an_image_also_starts_what_gets_its_packages_in_another_stage() {
    let project = "[project]\nname = 'shop'\nversion = '1'\nrequires-python = '>=3.12'\ndependencies = ['fastapi[standard]']\n";
    let image = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nCMD [\"fastapi\", \"run\", \"--workers\", \"4\", \"shop.py\"]\n";
    let run = detected(&[
        ("pyproject.toml", project),
        ("uv.lock", "version = 1\n"),
        ("shop.py", "app = FastAPI()\n"),
        ("Dockerfile", image),
    ])
    .run_command;
    assert_eq!(run.as_deref(), Some("fastapi run --workers 4 shop.py"));
}
