//! Plans, written down.

use ergon_detect::analysis::Topic;
use ergon_detect::dockerfile::{ignore_file, render};
use ergon_detect::dockerignore::DockerIgnore;
use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::{ContainerPlan, ImageConfig, Selection, Stage, StageFiles, Step, plan};
use ergon_detect::tree::FileTree;
use insta::assert_snapshot;
use proptest::prelude::*;

fn dockerfile(tree: &MemoryTree) -> String {
    let analysis = ergon_detect::analyse(tree);
    render(&plan(&analysis.manifest, tree).unwrap()[0]).text
}

fn fastapi() -> MemoryTree {
    MemoryTree::new([
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0\n"),
        (
            "main.py",
            "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef a(): ...\n",
        ),
    ])
}

#[test]
fn an_interpreted_program() {
    assert_snapshot!(dockerfile(&fastapi()), @r#"
    # Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.

    FROM python:3.11-slim
    # Dependencies come before sources, so that a changed source file does not install them again.
    COPY --chown=65532:65532 ["requirements.txt", "/app/"]
    WORKDIR /app
    RUN pip install --no-cache-dir -r requirements.txt
    COPY --chown=65532:65532 [".", "/app/"]

    ENV HOME="/tmp" \
        PYTHONUNBUFFERED="1"
    LABEL org.opencontainers.image.title="app"
    USER 65532:65532
    EXPOSE 8000
    HEALTHCHECK CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=3); c.request('GET', \"/\", headers={'Host': 'localhost'}); sys.exit(c.getresponse().status >= 400)"]
    ENTRYPOINT []
    CMD ["/bin/sh", "-c", "exec uvicorn main:app --host 0.0.0.0 --port ${PORT:-8000}"]
    "#);
}

#[test]
fn a_node_program() {
    let tree = MemoryTree::new([
        (
            "package.json",
            r#"{"name": "shop", "scripts": {"start": "node index.js", "build": "tsc"}, "dependencies": {"express": "5"}}"#,
        ),
        (
            "package-lock.json",
            r#"{"packages": {"": {"dependencies": {"express": "5"}}}}"#,
        ),
        ("index.js", "const port = process.env.PORT || 3000\n"),
    ]);
    assert_snapshot!(dockerfile(&tree), @r#"
    # Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.
    # Steps stay apart, so that the engine keeps what each has done.
    # hadolint global ignore=DL3059

    FROM node:18-slim AS build
    # Dependencies come before sources, so that a changed source file does not install them again.
    COPY ["package-lock.json", "package.json", "/app/"]
    WORKDIR /app
    RUN npm ci
    COPY [".", "/app/"]
    RUN npm run build
    RUN npm prune --omit=dev

    FROM node:18-slim
    COPY --from=build --chown=65532:65532 ["/app", "/app"]

    WORKDIR /app
    ENV HOME="/tmp" \
        NODE_ENV="production" \
        PORT="3000"
    LABEL org.opencontainers.image.title="shop"
    USER 65532:65532
    EXPOSE 3000
    ENTRYPOINT []
    # As process 1 the program would not notice that it is asked to stop: the shell tells it.
    CMD ["/bin/sh", "-c", "trap 'kill -TERM $! 2>/dev/null || exit 143' TERM INT; npm run start & while :; do wait $!; s=$?; kill -0 $! 2>/dev/null || exit $s; done"]
    "#);
}

#[test]
fn a_compiled_program() {
    let tree = MemoryTree::new([
        (
            "go.mod",
            "module shop\n\ngo 1.19\n\nrequire github.com/lib/pq v1.0.0\n",
        ),
        ("go.sum", "github.com/lib/pq v1.0.0/go.mod h1:x=\n"),
        (
            "main.go",
            "package main\n\nfunc main() { http.ListenAndServe(\":8080\", nil) }\n",
        ),
    ]);
    assert_snapshot!(dockerfile(&tree), @r#"
    # Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.
    # Steps stay apart, so that the engine keeps what each has done.
    # hadolint global ignore=DL3059

    FROM golang:1.19-bookworm AS build
    ENV GOCACHE="/tmp/go-cache" \
        GOFLAGS="-trimpath -buildvcs=false" \
        GOPATH="/go"
    # Dependencies come before sources, so that a changed source file does not install them again.
    COPY ["go.mod", "go.sum", "/app/"]
    WORKDIR /app
    RUN go mod download
    COPY [".", "/app/"]
    RUN CGO_ENABLED=0 go build -o out .

    FROM debian:bookworm-slim
    # A pinned version would be gone as soon as Debian mends the package.
    # hadolint ignore=DL3008
    RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
    COPY --from=build --chown=65532:65532 ["/app/out", "/app/out"]

    WORKDIR /app
    ENV HOME="/tmp"
    LABEL org.opencontainers.image.title="shop"
    USER 65532:65532
    EXPOSE 8080
    ENTRYPOINT []
    CMD ["./out"]
    "#);
}

#[test]
fn lines_know_what_they_are_about() {
    let tree = fastapi();
    let analysis = ergon_detect::analyse(&tree);
    let file = render(&plan(&analysis.manifest, &tree).unwrap()[0]);
    let about = |topic: Topic| {
        let line = file
            .lines
            .iter()
            .rev()
            .find(|line| line.topics.contains(&topic))
            .unwrap();
        file.text
            .lines()
            .nth(line.number as usize - 1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
    };
    assert_eq!(about(Topic::Runtime), "FROM");
    assert_eq!(about(Topic::BuildCommand), "RUN");
    assert_eq!(about(Topic::Port), "EXPOSE");
    assert_eq!(about(Topic::RunCommand), "CMD");
    assert_eq!(about(Topic::Health), "HEALTHCHECK");
}

#[test]
fn files_keep_their_folders() {
    let step = |paths: &[&str]| Step::CopySources {
        files: Selection::Only(paths.iter().map(|path| (*path).to_owned()).collect()),
        owner: 0,
    };
    let text = render(&of_steps(vec![step(&["a/x.txt", "a/y.txt", "b[1]/$z"])])).text;
    assert!(
        text.contains("COPY [\"a/x.txt\", \"a/y.txt\", \"/app/a/\"]\n"),
        "{text}"
    );
    assert!(text.contains(r#"COPY ["b[[]1]/\\$z", "#), "{text}");
}

fn of_steps(steps: Vec<Step>) -> ContainerPlan {
    let stage = Stage {
        name: None,
        base: "x".to_owned(),
        env: [].into(),
        steps,
    };
    ContainerPlan {
        container: "web".to_owned(),
        stages: vec![stage],
        config: ImageConfig::default(),
    }
}

/// Texts that try to get out of where they are put.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\r\n",
        "\u{85}",
        "\\",
        "\"",
        "'",
        "$",
        "${X}",
        "`",
        " ",
        "\t",
        "<<EOF",
        "EOF",
        "RUN ",
        "USER root",
        "#",
        "[",
        "]",
        ",",
        "--mount=",
        "-",
        "x",
        "=",
        "\0",
        "\u{b}",
        "\u{2028}",
        "é",
        "*",
        "AS",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..8)
        .prop_map(|pieces| pieces.concat())
}

fn hostile_plan() -> impl Strategy<Value = ContainerPlan> {
    (prop::collection::vec(hostile(), 14), any::<bool>()).prop_map(|(mut texts, network)| {
        let mut text = || texts.pop().unwrap();
        let steps = vec![
            Step::CopySources {
                files: Selection::Only(vec![text(), text()]),
                owner: 1,
            },
            Step::Run {
                command: text(),
                workdir: text(),
                network,
                fetch: None,
                secrets: vec![text()],
            },
            Step::CopyStage {
                stage: text(),
                files: StageFiles::Only(vec![text()]),
                owner: 1,
            },
        ];
        let stage = Stage {
            name: None,
            base: text(),
            env: [].into(),
            steps,
        };
        let config = ImageConfig {
            user: "1:1".to_owned(),
            workdir: "/app".to_owned(),
            env: [(text(), text())].into(),
            cmd: vec![text()],
            ports: vec![1],
            volumes: vec![text()],
            labels: [("a".to_owned(), text())].into(),
            healthcheck: Some(vec![text()]),
            start_period: None,
        };
        ContainerPlan {
            container: "web".to_owned(),
            stages: vec![stage],
            config,
        }
    })
}

/// The instructions of a Dockerfile as Docker splits it, here-documents and continuations included.
fn instructions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut whole = line.to_owned();
        while whole.trim_end_matches([' ', '\t']).ends_with('\\') {
            whole.truncate(whole.trim_end_matches([' ', '\t']).len() - 1);
            whole.push_str(lines.next().unwrap_or(""));
        }
        found.push(whole);
    }
    found
}

proptest! {
    #[test]
    fn no_field_becomes_an_instruction(plan in hostile_plan()) {
        let text = render(&plan).text;
        let instructions = instructions(&text);
        let mut words: Vec<_> = instructions.iter().map(|line| line.split(' ').next().unwrap()).collect();
        // A folder for each file, and a working directory where it changes.
        words.retain(|word| *word != "WORKDIR");
        words.dedup();
        prop_assert_eq!(words, ["FROM", "COPY", "RUN", "COPY", "ENV", "LABEL", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"], "{}", text);
        for line in &instructions {
            if let Some(rest) = line.strip_prefix("RUN ") {
                // The one flag that is meant names a secret, and nothing that cannot be called so.
                let secrets = plan.stages[0].steps.iter().filter_map(|step| match step {
                    Step::Run { secrets, .. } => secrets.first(),
                    _ => None,
                });
                let secret = secrets.into_iter().find(|name| ergon_manifest::is_secret_name(name));
                let mount = secret.map(|name| format!("--mount=type=secret,id={name},target=/dev/secrets/{name} "));
                let rest = rest.strip_prefix(mount.as_deref().unwrap_or_default()).unwrap_or_default();
                // Docker takes the whole line, or a JSON array, and looks for nothing else in it.
                let json: Result<Vec<String>, _> = serde_json::from_str(rest);
                prop_assert!(json.is_ok() || !(rest.starts_with(['-', '[']) || rest.contains("<<")), "{rest}");
            }
            if let Some(rest) = line.strip_prefix("CMD ").or_else(|| line.strip_prefix("HEALTHCHECK CMD ")) {
                let words: Vec<String> = serde_json::from_str(rest).unwrap();
                prop_assert!(words == plan.config.cmd || Some(&words) == plan.config.healthcheck.as_ref());
            }
        }
    }

    #[test]
    fn an_ignore_file_leaves_out_nothing_that_is_source(
        rules in prop::collection::vec(prop::sample::select(vec![
            "*.log", "/build", "dist/", "!keep.log", "a/b", "**/x", "[!a]", "*", "!*/", "# c", "node_modules", "\\#x", "x/", "[",
        ]), 0..6),
        own in prop::collection::vec(prop::sample::select(vec!["docs", "!src", "*", "**/tmp"]), 0..3),
        files in prop::collection::btree_set(prop::sample::select(vec![
            "a", "a.log", "keep.log", "build", "dist", "dist/x", "sub/a/b", "src/x", "node_modules/y", "sub/.gitignore", "b/x/c", ".env",
        ]), 0..6),
    ) {
        let files: std::collections::BTreeMap<_, _> = files.into_iter().map(|path| (path, "x\n*.log\n")).collect();
        let mut tree = MemoryTree::new(files).with("package.json", "{}").with(".gitignore", rules.join("\n"));
        // The tree is what the project's own rules left of the folder.
        let own = own.join("\n");
        let own_rules = DockerIgnore::parse(&own).0;
        let left = tree.entries().keys().filter(|path| !own_rules.leaves_out_path(path)).cloned().collect::<Vec<_>>();
        tree = left.iter().fold(MemoryTree::default(), |all, path| all.with(path, tree.read(path).unwrap())).with(".dockerignore", own);

        let manifest = ergon_detect::analyse(&tree).manifest;
        let text = ignore_file(&manifest, &tree);
        let rules = DockerIgnore::parse(&text).0;
        for path in tree.entries().keys() {
            prop_assert!(!rules.leaves_out_path(path), "{path} is left out by\n{text}");
        }
        let saved = tree.with(".dockerignore", text.clone());
        prop_assert_eq!(ignore_file(&manifest, &saved), text);
    }
}

#[test]
fn an_ignore_file_says_what_git_ignores_and_what_tools_leave() {
    let tree = fastapi()
        .with(".gitignore", "# local\n*.log\n/out\ncache/\n")
        .with("web/.gitignore", "dist\n")
        .with("sub/cache", "");
    let manifest = ergon_detect::analyse(&tree).manifest;
    assert_snapshot!(ignore_file(&manifest, &tree), @r"
    # Written by Ergon: what docker build must not see, because it is not source.
    **/.git
    **/*.log
    out
    **/cache/**
    web/**/dist
    **/*.py[co]
    **/*.swp
    **/.DS_Store
    **/.env
    **/__pycache__
    .mypy_cache
    .pytest_cache
    .ruff_cache
    .venv
    venv
    ergon.json
    ergon.lock.json
    Dockerfile
    .dockerignore
    ");
}
