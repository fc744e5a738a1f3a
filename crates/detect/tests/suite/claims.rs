//! What is claimed no more surely than it is known.

use ergon_detect::memory::MemoryTree;

use crate::declared::{PACKAGE, SERVER};
use crate::{detected, report};

/// The lines of a report that begin so.
fn lines(files: &[(&str, &str)], beginning: &str) -> Vec<String> {
    let report = report(&MemoryTree::new(files.iter().copied()));
    let lines = report.lines().filter(|line| line.starts_with(beginning));
    lines.map(str::to_owned).collect()
}

const MODULE: (&str, &str) = ("go.mod", "module shop\n\ngo 1.21\n");

#[test]
fn a_server_that_only_leads_elsewhere_is_not_the_program() {
    let redirect = "\tgo http.ListenAndServe(\":80\", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {\n\t\t\
                    http.Redirect(w, r, \"https://shop\", 301)\n\t}))\n";
    let ports = |listen: &str| {
        let code = format!("package main\n\nfunc main() {{\n{redirect}\t{listen}\n}}\n");
        lines(&[MODULE, ("main.go", &code)], "port")
    };
    assert_eq!(
        ports("http.ListenAndServe(\":9000\", nil)"),
        ["port: 9000 [main.go:7, certain] (the code says so)"]
    );
    assert_eq!(
        ports("http.ListenAndServe(settings.Address(), nil)"),
        ["port: 8080 [-, assumed] (usual for Go; nothing in the project says otherwise)"]
    );
}

#[test]
fn forwarded_ports_are_only_likely() {
    let forwards = (".devcontainer.json", "{\"forwardPorts\": [9091, 3000]}");
    let package = ("package.json", "{\"main\": \"server.js\"}");
    let listens = |code: &str| lines(&[package, ("server.js", code), forwards], "port");
    assert_eq!(
        listens("app.listen(settings.port)"),
        [
            "port: 3000 [.devcontainer.json:1, likely] (forwarded while one works on it; nothing else says)"
        ]
    );
    assert_eq!(
        listens("app.listen(4000)"),
        ["port: 4000 [server.js:1, certain] (the code says so)"]
    );
}

#[test]
fn the_variable_that_a_compose_file_sets_decides() {
    let compose = (
        "compose.yml",
        "services:\n  web:\n    build: .\n    environment:\n      PORT: 4000\n",
    );
    let asks = ("server.js", "app.listen(process.env.PORT || 3000)");
    let program = [PACKAGE, asks, compose];
    assert_eq!(
        lines(&program, "port"),
        ["port: 4000 [compose.yml:5, certain] (compose.yml:5 sets PORT)"]
    );
    assert_eq!(detected(&program).ports, [4000]);
    // Who does not ask for it is not told by it.
    assert_eq!(detected(&[PACKAGE, SERVER, compose]).ports, [3000]);
}

#[test]
fn what_a_command_takes_from_its_environment_is_said() {
    let files = [
        ("requirements.txt", "flask\ngunicorn\n"),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ("Procfile", "web: gunicorn app:app -b 0.0.0.0:$PORT\n"),
    ];
    assert_eq!(
        lines(&files, "port"),
        ["port: 8000 [-, assumed] (Procfile:1 takes it from PORT, which the image sets)"]
    );
}

#[test]
fn of_several_databases_it_is_asked_which() {
    let module = (
        "go.mod",
        "module shop\n\ngo 1.21\n\nrequire (\n\tgithub.com/lib/pq v1.10.0\n\tgithub.com/go-sql-driver/mysql v1.7.0\n)\n",
    );
    let program = ("main.go", "package main\n\nfunc main() {}\n");
    let asked = "? Which database,";
    assert_eq!(
        lines(&[module, program], asked),
        [
            "? Which database, PostgreSQL or MySQL? It has drivers for both (go.mod:6 and go.mod:7), and nothing says which \
             is used. → leave in services in ergon.json what is used"
        ]
    );
    let compose = (
        "compose.yml",
        "services:\n  web:\n    build: .\n  db:\n    image: postgres:16\n",
    );
    assert!(lines(&[module, program, compose], asked).is_empty());
}

#[test]
fn what_only_comes_with_an_extra_is_not_needed() {
    let services = |files: &[(&str, &str)]| detected(files).services;
    assert!(
        services(&[
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npython = \"^3.11\"\npsycopg2 = {version = \"*\", optional = true}\n",
            ),
            ("main.py", ""),
        ])
        .is_empty()
    );
    let cargo = |features: &str| {
        let text = format!(
            "[package]\nname = \"shop\"\n\n[dependencies]\nredis = {{ version = \"0.2\", optional = true }}\n{features}"
        );
        services(&[("Cargo.toml", &text), ("src/main.rs", "fn main() {}")])
    };
    assert!(cargo("").is_empty());
    assert_eq!(
        cargo("\n[features]\ndefault = [\"cache\"]\ncache = [\"dep:redis\"]\n"),
        ["redis"]
    );
}

#[test]
fn an_example_of_the_settings_names_them() {
    let settings = (
        ".env.example",
        "# settings\nexport URL=\"http://x\" # where\nAPI_TOKEN=abc\nEMPTY=\n",
    );
    assert_eq!(
        lines(&[PACKAGE, SERVER, settings], "environment"),
        [
            "environment: URL [.env.example:2, likely] (for example \"http://x\"; no code was seen to read it)",
            "environment: API_TOKEN [.env.example:3, likely] (no code was seen to read it)",
            "environment: EMPTY [.env.example:4, likely] (no code was seen to read it)",
        ]
    );
}

#[test]
fn what_a_build_writes_into_pages_is_named() {
    let site = |package: &'static str, file: &'static str, code: &'static str| {
        lines(
            &[("package.json", package), ("index.html", ""), (file, code)],
            "environment",
        )
    };
    let vite = "{\"scripts\": {\"build\": \"vite build\"}, \"devDependencies\": {\"vite\": \"5\"}}";
    assert_eq!(
        site(
            vite,
            "src/main.ts",
            "f(import.meta.env.VITE_URL, import.meta.env.DEV, process.env.HOST)"
        ),
        ["environment: VITE_URL [src/main.ts:1, certain] (read by the build)",]
    );
    assert_eq!(
        site(
            vite,
            "src/App.vue",
            "<script>const url = import.meta.env.VITE_URL</script>"
        ),
        ["environment: VITE_URL [src/App.vue:1, certain] (read by the build)"]
    );
    let kit = "{\"scripts\": {\"build\": \"vite build\"}, \"devDependencies\": {\"vite\": \"5\", \
               \"@sveltejs/kit\": \"2\", \"@sveltejs/adapter-node\": \"5\"}}";
    assert_eq!(
        site(
            kit,
            "src/hooks.server.ts",
            "import { KEY } from '$env/static/private';"
        ),
        ["environment: KEY [src/hooks.server.ts:1, certain] (optional)"]
    );
}

#[test]
fn a_service_whose_folder_is_not_there_is_passed_over() {
    let compose = (
        "compose.yml",
        "services:\n  web:\n    build: ./nowhere\n    command: node x.js\n",
    );
    assert_eq!(
        report(&MemoryTree::new([compose])),
        "? compose.yml:3 builds nowhere, which is not there; the service web was passed over. → correct compose.yml:3"
    );
}

#[test]
fn notes_name_files_as_the_project_has_them() {
    let files = [
        ("compose.yml", "services:\n  web:\n    build: ./api\n"),
        ("api/requirements.txt", "flask\n"),
        (
            "api/app.py",
            "from flask import Flask\napp = Flask(__name__)\n",
        ),
    ];
    assert_eq!(
        lines(&files, "run_command"),
        ["run_command: flask --app app run [api/app.py:2, likely] (api/app.py:2 defines `app`)"]
    );
    assert!(
        lines(
            &files,
            "? Which version of flask? api/requirements.txt:1 leaves"
        )
        .len()
            == 1
    );
}

#[test]
fn who_binds_where_port_says_is_given_one() {
    let files = |command: &'static str| {
        [
            ("requirements.txt", "flask\ngunicorn\n"),
            ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
            ("Procfile", command),
        ]
    };
    let port = |command| {
        detected(&files(command))
            .env
            .get("PORT")
            .and_then(|port| port.default.clone())
    };
    assert_eq!(
        port("web: gunicorn app:app\nworker: celery\n").as_deref(),
        Some("8000")
    );
    assert_eq!(port("web: gunicorn -b 0.0.0.0:9000 app:app\n"), None);
}
