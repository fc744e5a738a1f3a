//! Python programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{application, detected, report, run_command};

const FASTAPI: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n";

#[test]
fn a_pinned_fastapi_service() {
    let tree = MemoryTree::new([
        (
            "requirements.txt",
            "fastapi==0.115.6\nuvicorn==0.34.0\npsycopg[binary]==3.2.3\n",
        ),
        (
            "main.py",
            concat!(
                "import os\nfrom fastapi import FastAPI\napp = FastAPI()\n\n@app.get(\"/\")\ndef health():\n",
                "    return {}\n\nurl = os.environ[\"DATABASE_URL\"]\nlevel = os.getenv('LOG_LEVEL', 'info')\n",
            ),
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    app · a web service in Python 3.11
    language: Python [requirements.txt, certain]
    framework: FastAPI 0.115 [requirements.txt:1, certain]
    runtime: Python 3.11 [-, assumed] (nothing in the project says)
    package_manager: pip [requirements.txt, certain]
    dependencies: 3 packages [requirements.txt, certain] (listed in requirements.txt)
    build_command: pip install --no-cache-dir -r requirements.txt [requirements.txt, likely] (pip reads requirements.txt)
    run_command: uvicorn main:app [main.py:3, likely] (main.py:3 defines `app`)
    port: 8000 [-, assumed] (uvicorn's default; nothing in the project says otherwise)
    environment: DATABASE_URL [main.py:9, certain] (required)
    environment: LOG_LEVEL [main.py:10, certain] (default "info")
    health: GET / [main.py:5, likely]
    service: PostgreSQL [requirements.txt:3, likely] (psycopg in requirements.txt:3)
    pinned: yes [requirements.txt, certain] (every line of requirements.txt has ==)
    ? Python version? nothing says; 3.11 assumed. → echo 3.11 > .python-version
    "#);
}

#[test]
fn an_object_is_imported_from_where_it_is() {
    let requirements = ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0\n");
    let command = |path: &str| run_command(&[requirements, (path, FASTAPI)]);
    let serve = |rest: &str| format!("uvicorn {rest} --host 0.0.0.0 --port ${{PORT:-8000}}");
    assert_eq!(command("service/api.py"), serve("service.api:app"));
    assert_eq!(command("service/__init__.py"), serve("service:app"));
    assert_eq!(command("src/main.py"), serve("--app-dir src main:app"));
}

#[test]
fn a_function_may_make_the_object() {
    let files = [
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0\n"),
        (
            "api.py",
            "from fastapi import FastAPI\n\ndef create_app():\n    app = FastAPI()\n    return app\n",
        ),
    ];
    assert_eq!(
        run_command(&files),
        "uvicorn api:create_app --factory --host 0.0.0.0 --port ${PORT:-8000}"
    );
}

#[test]
fn the_code_may_say_the_port() {
    let application = detected(&[
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0\n"),
        (
            "main.py",
            &format!("{FASTAPI}\nuvicorn.run(app, host=\"0.0.0.0\", port=9000)\n"),
        ),
    ]);
    assert_eq!(application.ports, [9000]);
    assert_eq!(
        application.run_command.as_deref(),
        Some("uvicorn main:app --host 0.0.0.0 --port ${PORT:-9000}")
    );
}

#[test]
fn flask_is_served_by_what_is_installed() {
    let app = ("app.py", "from flask import Flask\napp = Flask(__name__)\n");
    let command = |server: &str| {
        run_command(&[
            ("requirements.txt", &format!("flask==3.0.0\n{server}")),
            app,
        ])
    };
    assert_eq!(
        command("gunicorn==1"),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} app:app"
    );
    assert_eq!(
        command("waitress==1"),
        "waitress-serve --host 0.0.0.0 --port ${PORT:-8080} app:app"
    );
    assert_eq!(
        command(""),
        "flask --app app run --host 0.0.0.0 --port ${PORT:-5000}"
    );
}

#[test]
fn django_is_known_by_its_manager() {
    let files = [
        ("requirements.txt", "Django==5.0\ngunicorn==22.0\n"),
        ("manage.py", "import sys\n"),
        ("shop/wsgi.py", "application = 1\n"),
    ];
    assert_eq!(
        run_command(&files),
        "python manage.py migrate && gunicorn --bind 0.0.0.0:${PORT:-8000} shop.wsgi:application"
    );
    assert_eq!(detected(&files).kind, "django");
}

#[test]
fn a_script_is_a_program_without_a_port() {
    let application = detected(&[("main.py", "print(1)\n")]);
    assert_eq!(application.run_command.as_deref(), Some("python main.py"));
    assert_eq!(application.ports, Vec::<u16>::new());
    assert_eq!(application.build_commands, Vec::<String>::new());
}

#[test]
fn the_version_is_read_where_it_is_said() {
    let version = |file: &str, text: &str| {
        let runtime = detected(&[("main.py", ""), (file, text)]).runtime.unwrap();
        (runtime.version, runtime.from.unwrap())
    };
    let said = |version: &str, from: &str| (version.to_owned(), from.to_owned());
    assert_eq!(
        version(".python-version", "3.12\n"),
        said("3.12", ".python-version:1")
    );
    assert_eq!(
        version("runtime.txt", "python-3.10.4\n"),
        said("3.10.4", "runtime.txt:1")
    );
    assert_eq!(
        version(
            "pyproject.toml",
            "[project]\nname='x'\nrequires-python='>=3.12'\n"
        ),
        said("3.12", "pyproject.toml:3")
    );
    assert_eq!(version("notes.txt", "3.12"), said("3.11", "assumed"));
    assert_eq!(
        version(".python-version", "3.12; rm -rf /\n"),
        said("3.11", "assumed")
    );
}

#[test]
fn the_name_is_the_packages() {
    let name = |pyproject: &str| {
        let tree = MemoryTree::new([("main.py", "print(1)"), ("pyproject.toml", pyproject)]);
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .into_keys()
            .next()
            .unwrap()
    };
    assert_eq!(name("[project]\nname = 'Web_Shop'\n"), "web-shop");
    assert_eq!(name("[tool.poetry]\nname = 'shop'\n"), "shop");
    assert_eq!(name("[project]\nversion = '1'\n"), "app");
}

#[test]
fn a_project_is_installed_by_its_own_metadata() {
    let tree = MemoryTree::new([
        (
            "pyproject.toml",
            "[project]\nname = \"shop\"\nversion = \"1\"\ndependencies = [\n  \"flask==3.0.3\",\n  \"redis>=5\",\n]\n",
        ),
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let application = application(&analysis);
    assert_eq!(application.build_commands, ["pip install --no-cache-dir ."]);
    assert_eq!(application.services, ["redis"]);
    assert!(report(&tree).contains("framework: Flask 3.0 [pyproject.toml:5, certain]"));
    assert!(
        report(&tree).contains(
            "pinned: no [pyproject.toml:6, certain] (redis in pyproject.toml:6 has no ==)"
        )
    );
}

#[test]
fn variables_are_required_or_have_defaults() {
    let code = concat!(
        "import os\n",
        "a = os.environ['A']\n",
        "b = os.environ.get(\"B\", 'b')\n",
        "c = int(os.getenv('C', 3))\n",
        "d = os.getenv('D') or 'd'\n",
        "e = os.environ.get(\n    'E',\n)\n",
        "os.environ['WRITTEN'] = 'x'\n",
        "# os.environ['COMMENT']\n",
        "del os.environ['GONE']\n",
        "f = os.environ.get('A')\n",
        "home = os.environ['HOME']\n",
    );
    let env = detected(&[
        ("main.py", code),
        ("tests/test_main.py", "os.environ['TEST']"),
    ])
    .env;
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| {
            format!(
                "{name} {} {:?} {}",
                one.required,
                one.default,
                one.from.as_deref().unwrap()
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "A true None main.py:2",
            "B false Some(\"b\") main.py:3",
            "C false Some(\"3\") main.py:4",
            "D false Some(\"d\") main.py:5",
            "E false None main.py:6",
        ]
    );
}

#[test]
fn a_health_path_that_says_so_goes_before_the_front_page() {
    let code = format!(
        "{FASTAPI}\n@app.get('/')\ndef a(): ...\n@app.get('/items/{{id}}')\ndef b(): ...\n@app.get('/healthz')\ndef c(): ...\n"
    );
    let health = detected(&[
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0"),
        ("main.py", &code),
    ])
    .health;
    assert_eq!(health.unwrap().path, "/healthz");
}

#[test]
fn a_driver_without_its_library_wants_the_systems() {
    let packages =
        |line: &str| detected(&[("requirements.txt", line), ("main.py", "")]).system_packages;
    assert_eq!(packages("psycopg==3.2.3"), ["libpq5"]);
    assert_eq!(packages("psycopg[binary]==3.2.3"), Vec::<String>::new());
}
