//! Questions whose remedies settle them.

use super::conflicts::{PROJECT, questions};

type Files<'a> = &'a [(&'a str, &'a str)];

/// What is asked of the files, with which remedy, and that it is not asked once that was done.
fn settled(before: Files<'_>, question: &str, remedy: &str, done: Files<'_>) {
    let asked = questions(before);
    let found = asked.iter().find(|asked| asked.starts_with(question));
    let found = found.unwrap_or_else(|| panic!("{question}: {asked:?}"));
    let (_, shown) = found.split_once(" → ").unwrap();
    assert_eq!(shown, remedy, "{question}");
    let stays = |file: &&(&str, &str)| !done.iter().any(|(path, _)| *path == file.0);
    let after: Vec<_> = before.iter().filter(stays).chain(done).copied().collect();
    let asked = questions(&after);
    assert!(
        !asked.iter().any(|asked| asked.starts_with(question)),
        "{question}: {asked:?}"
    );
}

#[test]
fn unpinned_packages_are_pinned_at_once() {
    let main = ("main.py", "");
    settled(
        &[main, ("requirements.txt", "flask\nrich\nhttpx>=0.2\n")],
        "Which version of flask? requirements.txt:1 leaves it open, and 2 more are open.",
        "in a fresh environment: pip install -r requirements.txt && pip freeze > requirements.txt",
        &[(
            "requirements.txt",
            "flask==3.0.0\nrich==13.0.0\nhttpx==0.2\n",
        )],
    );
    settled(
        &[main, ("requirements.in", "flask\n")],
        "Which version of flask?",
        "pip-compile requirements.in",
        &[("requirements.txt", "flask==3.0.0\n")],
    );
    let build = "[build-system]\nrequires = [\"hatchling\"]\n";
    let project = format!("{PROJECT}dependencies = [\"flask\"]\n{build}");
    settled(
        &[main, ("pyproject.toml", &project)],
        "Which version of flask?",
        "uv lock, and commit uv.lock",
        &[("uv.lock", "version = 1\n[[package]]\nname = \"flask\"\n")],
    );
    settled(
        &[
            main,
            (
                "setup.py",
                "from setuptools import setup\nsetup(install_requires=['flask'])\n",
            ),
        ],
        "Which version of flask?",
        "in its environment: pip freeze > requirements.txt",
        &[("requirements.txt", "flask==3.0.0\n")],
    );
}

/// An `ergon.json` of these programs, each with its `run_command`.
fn manifest(names: &[&str]) -> String {
    let application = |name: &&str| {
        format!(
            "\"{name}\": {{\"type\": \"worker\", \"language\": \"other\", \"build_commands\": [\"make\"], \
             \"run_command\": \"./{name}\"}}"
        )
    };
    let container = |name: &&str| {
        format!(
            "\"{name}\": {{\"base_image\": \"debian:bookworm-slim\", \"applications\": [\"{name}\"]}}"
        )
    };
    let applications: Vec<_> = names.iter().map(application).collect();
    let containers: Vec<_> = names.iter().map(container).collect();
    format!(
        "{{\"manifest_version\": \"1.0\", \"applications\": {{{}}}, \"containers\": {{{}}}}}",
        applications.join(", "),
        containers.join(", ")
    )
}

#[test]
fn what_was_written_into_the_manifest_is_not_asked_again() {
    let one = manifest(&["app"]);
    let two = manifest(&["app", "worker"]);
    let written = [("ergon.json", one.as_str())];
    let both = [("ergon.json", two.as_str())];
    settled(
        &[
            ("Procfile", "web: node a.js\nworker: node b.js\n"),
            ("package.json", "{}"),
            ("a.js", ""),
            ("b.js", ""),
        ],
        "Start worker too?",
        "add an application with its run_command to ergon.json",
        &both,
    );
    settled(
        &[("package.json", "{\"dependencies\": {\"chalk\": \"1\"}}")],
        "How is it started?",
        "write run_command into ergon.json",
        &written,
    );
    settled(
        &[("build.zig", "")],
        "Which image builds Zig?",
        "write the one that is meant as base_image into ergon.json",
        &written,
    );
    settled(
        &[
            ("go.mod", "module a\n\ngo 1.22\n"),
            ("cmd/b/main.go", "package main\nfunc main() {}"),
            ("cmd/c/main.go", "package main\nfunc main() {}"),
        ],
        "Which program?",
        "write the one that is meant into build_commands of ergon.json",
        &written,
    );
    // One more program is no answer to how the first is built.
    let procfile = [
        ("Procfile", "web: node a.js\nworker: node b.js\n"),
        ("a.js", ""),
        ("ergon.json", one.as_str()),
    ];
    let asked = questions(&procfile);
    assert!(
        asked
            .iter()
            .any(|asked| asked.starts_with("Start worker too?")),
        "{asked:?}"
    );
}

#[test]
fn a_remedy_carried_out_settles_its_question() {
    settled(
        &[("haunt.scm", "")],
        "How is Haunt's site built?",
        "haunt build, and commit the folder site",
        &[("site/index.html", "")],
    );
    let cargo = "[package]\nname = \"a\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let named = format!("{cargo}default-run = \"b\"\n");
    settled(
        &[
            ("Cargo.toml", cargo),
            ("src/bin/b.rs", "fn main() {}"),
            ("src/bin/c.rs", "fn main() {}"),
        ],
        "Which program?",
        "add default-run = \"b\" to [package] in Cargo.toml",
        &[("Cargo.toml", &named)],
    );
    settled(
        &[("a.cbl", "PROGRAM-ID. A."), ("b.cbl", "PROGRAM-ID. B.")],
        "Which file is the program?",
        "call the program index.cbl",
        &[("index.cbl", "PROGRAM-ID. A.")],
    );
    settled(
        &[("run.sh", "echo a")],
        "How is it started?",
        "write it into a Procfile: web: …",
        &[("Procfile", "web: sh run.sh\n")],
    );
    settled(
        &[
            ("package.json", "{\"name\": \"a\"}"),
            ("index.ts", "console.log(1)"),
        ],
        "What runs index.ts?",
        "npm install tsx && npm pkg set scripts.start='tsx index.ts'",
        &[(
            "package.json",
            "{\"scripts\": {\"start\": \"tsx index.ts\"}, \"dependencies\": {\"tsx\": \"4\"}}",
        )],
    );
    settled(
        &[
            ("app.py", "from fastapi import FastAPI\napp = FastAPI()\n"),
            ("requirements.txt", "fastapi==0.115.0\n"),
        ],
        "Which server serves app:app?",
        "echo uvicorn >> requirements.txt",
        &[("requirements.txt", "fastapi==0.115.0\nuvicorn\n")],
    );
    settled(
        &[("app.pl", "use Mojolicious::Lite;\napp->start;\n")],
        "Which modules?",
        "echo \"requires 'Mojolicious';\" > cpanfile",
        &[("cpanfile", "requires 'Mojolicious';\n")],
    );
    settled(
        &[
            ("environment.yml", "dependencies:\n  - numpy\n"),
            ("main.py", ""),
        ],
        "Which of environment.yml's packages",
        "pip list --format=freeze > requirements.txt",
        &[("requirements.txt", "numpy==1.0.0\n")],
    );
}
