//! What projects declare beside their code.

use ergon_detect::analysis::Topic;
use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::{detected, report, run_command};

pub const PACKAGE: (&str, &str) = (
    "package.json",
    "{\"name\": \"shop\", \"main\": \"server.js\", \"scripts\": {\"start\": \"node server.js\"}}",
);
pub const SERVER: (&str, &str) = ("server.js", "require('http').createServer().listen(3000)");

/// What started the program before something else decided, and why not.
pub fn decided(files: &[(&str, &str)]) -> String {
    let tree = MemoryTree::new(files.iter().copied());
    let analysis = ergon_detect::analyse(&tree);
    let mut facts = analysis.facts.iter();
    let fact = facts.find(|fact| fact.topic == Topic::RunCommand).unwrap();
    let over: Vec<_> = fact
        .over
        .iter()
        .map(|loser| format!("{} [{}]", loser.value, loser.from))
        .collect();
    format!(
        "{} [{}] over {}: {}",
        fact.value,
        fact.from,
        over.join(", "),
        fact.note.as_deref().unwrap_or("")
    )
}

#[test]
fn a_procfile_is_written_for_starting() {
    assert_eq!(
        decided(&[
            PACKAGE,
            SERVER,
            (
                "Procfile",
                "release: node migrate.js\nweb: node server.js --port $PORT\n"
            ),
        ]),
        "node server.js --port $PORT [Procfile:2] over npm run start [package.json:1]: the Procfile is \
         written for starting it; Procfile:1 wants `node migrate.js` to be run before each release"
    );
}

#[test]
fn of_its_processes_web_is_taken_then_worker_then_the_first() {
    let started = |procfile: &str| run_command(&[PACKAGE, SERVER, ("Procfile", procfile)]);
    assert_eq!(started("worker: b\nweb: a\n"), "a");
    assert_eq!(started("clock: c\nworker: b\n"), "b");
    assert_eq!(started("release: r\nclock: c\nbot: d\n"), "c");
    // Only what is run before.
    assert_eq!(started("release: r\n"), "npm run start");
    let tree = MemoryTree::new([PACKAGE, SERVER, ("Procfile", "web: a\nworker: b\n")]);
    assert!(report(&tree).contains("? Start worker too?"));
}

#[test]
fn a_procfile_alone_is_a_program() {
    let tree = MemoryTree::new([("Procfile", "web: ./serve --port 9000\n"), ("serve", "")]);
    assert_snapshot!(report(&tree), @r"
    app · a web service
    run_command: ./serve --port 9000 [Procfile:1, certain] (the Procfile is written for starting it)
    port: 9000 [Procfile:1, certain] (the command that starts it says so)
    ? How is it built? no language that is known was found. → write build_commands and base_image into ergon.json
    ");
}

#[test]
fn what_is_started_gets_a_port_where_people_talk_to_it() {
    let ports = |procfile: &str| detected(&[("main.py", "print()"), ("Procfile", procfile)]).ports;
    assert_eq!(ports("web: gunicorn app:app\n"), [8080]);
    assert_eq!(ports("web: gunicorn -b 0.0.0.0:7000 app:app\n"), [7000]);
    assert_eq!(
        ports("web: gunicorn -b 0.0.0.0:${PORT:-7001} app:app\n"),
        [7001]
    );
    assert_eq!(ports("worker: python main.py\n"), [0; 0]);
    let env = detected(&[("main.py", ""), ("Procfile", "web: python main.py $PORT\n")]).env;
    assert_eq!(env["PORT"].default.as_deref(), Some("8080"));
}

#[test]
fn settings_of_platforms_start_it_too() {
    let other = ("other.js", "");
    let started = |file: &str, text: &str| decided(&[PACKAGE, SERVER, other, (file, text)]);
    let over = "over npm run start [package.json:1]";
    for (file, text) in [
        ("nixpacks.toml", "[start]\ncmd = \"node other.js\"\n"),
        (
            "railway.toml",
            "[deploy]\nstartCommand = \"node other.js\"\n",
        ),
        ("fly.toml", "[processes]\napp = \"node other.js\"\n"),
        ("heroku.yml", "run:\n  web: node other.js\n"),
        (
            "railway.json",
            "{\"deploy\":\n {\"startCommand\": \"node other.js\"}}",
        ),
        (
            "railpack.json",
            "{\"deploy\":\n {\"startCommand\": \"node other.js\"}}",
        ),
        (
            "nixpacks.json",
            "{\"start\":\n {\"cmd\": \"node other.js\"}}",
        ),
        ("app.yaml", "runtime: nodejs20\nentrypoint: node other.js\n"),
    ] {
        assert_eq!(
            started(file, text),
            format!("node other.js [{file}:2] {over}: {file} is written for starting it")
        );
    }
    assert_eq!(
        started(
            "render.yaml",
            "services:\n  - type: web\n    startCommand: node other.js\n"
        ),
        format!("node other.js [render.yaml:3] {over}: render.yaml is written for starting it")
    );
    assert_eq!(
        started(
            "project.toml",
            "[[io.buildpacks.build.env]]\nname = \"GOOGLE_ENTRYPOINT\"\nvalue = \"node other.js\"\n"
        ),
        format!("node other.js [project.toml:1] {over}: project.toml is written for starting it")
    );
    // Of several the Procfile is the one that everybody knows.
    assert_eq!(
        decided(&[
            PACKAGE,
            SERVER,
            ("first.js", ""),
            ("Procfile", "web: node first.js\n"),
            (
                "railway.toml",
                "[deploy]\nstartCommand = \"node second.js\"\n"
            ),
        ]),
        "node first.js [Procfile:1] over npm run start [package.json:1], node second.js [railway.toml:2]: \
         the Procfile is written for starting it"
    );
}

#[test]
fn build_commands_take_the_place_of_those_that_build() {
    let package = (
        "package.json",
        r#"{"dependencies": {"x": "1"}, "scripts": {"start": "node .", "build": "tsc"}}"#,
    );
    let built = |text: &str| detected(&[package, ("nixpacks.toml", text)]).build_commands;
    assert_eq!(
        built("[phases.build]\ncmds = [\"make assets\"]\n"),
        ["npm install", "make assets", "npm prune --omit=dev"]
    );
    assert_eq!(
        built("[phases.build]\ncmds = [\"...\", \"make assets\"]\n"),
        [
            "npm install",
            "npm run build",
            "make assets",
            "npm prune --omit=dev"
        ]
    );
    let all = detected(&[
        package,
        (
            "render.yaml",
            "services:\n  - type: web\n    buildCommand: npm ci && make\n",
        ),
    ]);
    assert_eq!(all.build_commands, ["npm ci && make"]);
}

#[test]
fn a_dockerfile_of_ergon_says_nothing_that_is_not_known() {
    let files = [PACKAGE, SERVER];
    let tree = MemoryTree::new(files);
    let analysis = ergon_detect::analyse(&tree);
    let plans = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    let written = ergon_detect::dockerfile::render(&plans[0]).text;
    assert_eq!(
        report(&tree.clone().with("Dockerfile", written)),
        report(&tree)
    );
}

#[test]
fn packages_are_listed_for_debian() {
    let packages = |file: &str, text: &str| detected(&[PACKAGE, (file, text)]).system_packages;
    assert_eq!(
        packages(
            "Aptfile",
            "# sound\nffmpeg\n:repo:deb http://x.test y main\nlibvips42 git\nhttps://x.test/y.deb\n"
        ),
        ["ffmpeg", "libvips42", "git"]
    );
    assert_eq!(
        packages(
            "nixpacks.toml",
            "[phases.setup]\naptPkgs = [\"...\", \"ffmpeg\"]\nnixPkgs = [\"poppler_utils\"]\n"
        ),
        ["ffmpeg", "poppler-utils"]
    );
    assert_eq!(packages("Aptfile", "--purge x; rm -rf /\n$(id)\n"), [""; 0]);
}

#[test]
fn what_heroku_is_told_of_the_environment() {
    let application = detected(&[
        PACKAGE,
        SERVER,
        (
            "app.json",
            r#"{"env": {"GREETING": {"value": "hi"}, "TOKEN": {"description": "x"}, "COLOUR": {"required": false}}, "addons": ["heroku-redis:mini", {"plan": "heroku-postgresql"}]}"#,
        ),
    ]);
    let said: Vec<_> = application
        .env
        .iter()
        .map(|(name, one)| format!("{name} {} {:?}", one.required, one.default))
        .collect();
    assert_eq!(
        said,
        [
            "COLOUR false None",
            "GREETING false Some(\"hi\")",
            "TOKEN true None"
        ]
    );
    assert_eq!(application.services, ["postgresql", "redis"]);
}

#[test]
fn a_start_script_starts_what_nothing_else_does() {
    let started =
        |more: (&str, &str)| run_command(&[more, ("start.sh", "#!/bin/bash\nnode x.js\n")]);
    assert_eq!(
        started(("package.json", "{\"name\": \"x\"}")),
        "bash start.sh"
    );
    assert_eq!(started(PACKAGE), "npm run start");
    assert_eq!(
        detected(&[("package.json", "{}"), ("start.sh", "")]).language,
        "javascript"
    );
}

#[test]
fn a_go_program_gets_the_name_that_is_started() {
    let application = detected(&[
        ("go.mod", "module example.com/hello\n\ngo 1.22\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("Procfile", "worker: bin/hello --fast\n"),
    ]);
    assert_eq!(application.run_command.as_deref(), Some("bin/hello --fast"));
    let build = application.build_commands.last().unwrap();
    assert!(build.contains(" -o bin/hello "), "{build}");
}

#[test]
fn what_cannot_be_read_is_said_with_its_line() {
    for (file, text, place) in [
        ("nixpacks.toml", "[start]\ncmd = \n", "nixpacks.toml:2"),
        ("railway.json", "{\n  \"deploy\": oops\n}", "railway.json:2"),
        ("render.yaml", "services:\n  - a: [\n", "render.yaml:"),
        ("compose.yaml", "services: {\n  a\n", "compose.yaml:"),
    ] {
        let tree = MemoryTree::new([PACKAGE, SERVER, (file, text)]);
        let analysis = ergon_detect::analyse(&tree);
        let said = analysis.questions.iter().any(|question| {
            question.text.starts_with(place) && question.text.contains("cannot be read")
        });
        assert!(said, "{file}: {:?}", analysis.questions);
        // The rest of the project is what it was.
        assert_eq!(
            crate::application(&analysis).run_command.as_deref(),
            Some("npm run start")
        );
    }
}

#[test]
fn a_folder_where_a_file_is_expected_is_passed_over() {
    for file in [
        "Procfile",
        "nixpacks.toml",
        "compose.yaml",
        "app.json",
        "Aptfile",
        "start.sh",
    ] {
        let inner = format!("{file}/x");
        let tree = MemoryTree::new([PACKAGE, SERVER, (inner.as_str(), "web: y\n")]);
        let analysis = ergon_detect::analyse(&tree);
        assert_eq!(
            crate::application(&analysis).run_command.as_deref(),
            Some("npm run start")
        );
    }
}

#[test]
fn odd_bytes_and_odd_values_are_no_commands() {
    let tree = MemoryTree::new([PACKAGE, SERVER])
        .with(
            "Procfile",
            b"web: \xff\xfe\x00 node x.js\n: y\nweb\n".to_vec(),
        )
        .with("railway.json", "{\"deploy\": {\"startCommand\": [1, 2]}}")
        .with(
            "fly.toml",
            "processes = 3\nenv = [1]\n[http_service]\ninternal_port = \"x\"\n",
        )
        .with(
            "Dockerfile",
            b"FROM\nFROM \xff AS\nCMD [1]\nEXPOSE 99999 x\nENV\nARG\n\\\n".to_vec(),
        );
    let analysis = ergon_detect::analyse(&tree);
    let checked = ergon_manifest::check(&ergon_manifest::to_pretty_json(&analysis.manifest));
    assert!(checked.is_ok(), "{checked:?}");
    assert_eq!(
        crate::application(&analysis).run_command.as_deref(),
        Some("npm run start")
    );
}

/// Files that declare something, with the programs that they are about.
const NAMES: [&str; 26] = [
    "Procfile",
    "Dockerfile",
    "api/Dockerfile",
    "api/Procfile",
    "compose.yaml",
    ".devcontainer/devcontainer.json",
    "nixpacks.toml",
    "nixpacks.json",
    "railpack.json",
    "railway.json",
    "fly.toml",
    "render.yaml",
    "heroku.yml",
    "project.toml",
    "app.json",
    "app.yaml",
    "manifest.yml",
    "Aptfile",
    "Staticfile",
    "static.json",
    "start.sh",
    "deno.json",
    "main.ts",
    "index.html",
    "api/package.json",
    "web/index.html",
];

/// Texts made of what is looked for in them.
fn content() -> impl Strategy<Value = String> {
    let pieces = [
        "web: ",
        "release: ",
        "gunicorn app:app",
        "$PORT",
        "${PORT:-80}",
        "\n",
        " ",
        "  ",
        "FROM ",
        "node:20",
        "python:3.12-slim",
        " AS ",
        "base",
        "CMD ",
        "ENTRYPOINT ",
        "[\"a\", \"b\"]",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        ":",
        ": ",
        "- ",
        "=",
        "\\",
        "$",
        "${",
        "EXPOSE ",
        "8000",
        "99999",
        "ENV ",
        "A=b",
        "ARG ",
        "WORKDIR ",
        "/srv",
        "HEALTHCHECK CMD curl http://localhost:80/é",
        "VOLUME /data",
        "services:\n",
        "  x:\n",
        "  api:\n",
        "    build: ",
        ".",
        "api",
        "../",
        "    command: ",
        "    ports: ['80:81', 82]\n",
        "    depends_on: [api, x]\n",
        "    environment: {A_URL: 'http://api:1'}\n",
        "    image: postgres\n",
        "[start]\ncmd = ",
        "[phases.build]\ncmds = [\"...\"]\n",
        "startCommand",
        "deploy",
        "root: ",
        "é日",
        "\u{0}",
        "\u{1b}",
        "#!/bin/",
        "bash",
        "Deno.serve(",
        "import x from \"npm:pg\"",
        "tasks",
        "start",
        "COPY <<EOF",
        "EOF",
        "env",
        "value",
        "required",
        "applications:\n  - command: ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_declared_the_manifest_holds(
        files in prop::collection::btree_map(prop::sample::select(NAMES.to_vec()), content(), 0..7)
    ) {
        let tree = MemoryTree::new(files);
        let manifest = ergon_detect::analyse(&tree).manifest;
        let text = ergon_manifest::to_pretty_json(&manifest);
        if !manifest.applications.is_empty() {
            let checked = ergon_manifest::check(&text);
            prop_assert!(checked.is_ok(), "{:?}\n{text}", checked.err());
            if let Err(error) = ergon_detect::plan::plan(&manifest, &tree) {
                prop_assert!(false, "{error}\n{text}");
            }
        }
    }
}

#[test]
fn what_lies_outside_of_the_project_is_asked_about() {
    let tree = MemoryTree::new([("Procfile", "web: ../secret/run.sh\n")]);
    let asked = "? Where is ../secret/run.sh? Procfile:1 starts it, but it lies outside";
    assert!(report(&tree).contains(asked), "{}", report(&tree));
}

#[test]
fn platforms_say_the_runtime_by_its_name() {
    let index = ("index.js", "require('http').createServer().listen(8080)\n");
    let package = ("package.json", "{}");
    let version = |file: (&str, &str)| {
        let program = detected(&[index, package, file]);
        (
            program.runtime.unwrap().version,
            program.run_command.unwrap(),
        )
    };
    let said = version((
        ".platform.app.yaml",
        "type: 'nodejs:20'\nweb:\n  commands:\n    start: node index.js\n",
    ));
    assert_eq!(said, ("20".to_owned(), "node index.js".to_owned()));
    let exact = "runtime: nodejs18\nrun:\n  command: node index.js\n  runtime-version: 18.12.1\n";
    assert_eq!(version(("apprunner.yaml", exact)).0, "18.12.1");
    assert_eq!(version(("apprunner.yaml", "runtime: nodejs16\n")).0, "16");
}

#[test]
fn a_start_whose_file_is_nowhere_gives_way_to_another() {
    let gone = ("Procfile", "web: node gone.js\n");
    let package = ("package.json", "{\"name\": \"shop\"}");
    assert_eq!(
        decided(&[package, SERVER, gone]),
        "node server.js [server.js] over node gone.js [Procfile:1]: package.json has no start script; \
         server.js is the program; Procfile:1 starts gone.js, which is not there"
    );
    let asked = "? Where is gone.js? Procfile:1 starts it, but it is not in the project, and nothing makes it";
    let tree = MemoryTree::new([package, SERVER, gone]);
    assert!(report(&tree).contains(&format!("{asked}; another start was taken. →")));
    // Without another it is only likely.
    let report = report(&MemoryTree::new([package, gone]));
    assert!(
        report.contains("run_command: node gone.js [Procfile:1, likely]"),
        "{report}"
    );
    assert!(report.contains(&format!("{asked}. →")), "{report}");
    // What is built may make it.
    let builds = ("nixpacks.toml", "[phases.build]\ncmds = [\"make\"]\n");
    assert_eq!(
        run_command(&[package, SERVER, gone, builds]),
        "node gone.js"
    );
}

#[test]
fn what_only_an_image_has_is_asked_for() {
    let tree = MemoryTree::new([(
        "Dockerfile",
        "FROM alpine\nCOPY . .\nENTRYPOINT [\"/init\"]\n",
    )]);
    let report = report(&tree);
    assert!(
        report.contains("? Where is /init? Dockerfile:3 starts it"),
        "{report}"
    );
}
