//! Python programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{application, detected, report, run_command};

pub const FASTAPI: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n";

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
fn a_program_that_serves_itself_is_run() {
    let flask = "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(HOST)\n";
    let command = |name: &str, arguments: &str| {
        let text = flask.replace("HOST", arguments);
        run_command(&[("requirements.txt", "flask==3.0.0"), (name, &text)])
    };
    assert_eq!(command("app.py", "host='0.0.0.0'"), "python app.py");
    assert_eq!(command("main.py", ""), "python main.py");
    assert_eq!(
        command("app.py", ""),
        "flask --app app run --host 0.0.0.0 --port ${PORT:-5000}"
    );
    let alone = format!("{FASTAPI}import uvicorn\nuvicorn.run(app)\n");
    assert_eq!(
        run_command(&[("requirements.txt", "fastapi==1"), ("main.py", &alone)]),
        "python main.py"
    );
    let fasthtml = "from fasthtml.common import *\napp, rt = fast_app()\nserve()\n";
    let command = |requirements: &str| {
        run_command(&[("requirements.txt", requirements), ("main.py", fasthtml)])
    };
    assert_eq!(command("python-fasthtml"), "python main.py");
    assert_eq!(
        command("python-fasthtml\nuvicorn"),
        "uvicorn main:app --host 0.0.0.0 --port ${PORT:-8000}"
    );
}

#[test]
fn what_a_factory_makes_may_be_kept() {
    let requirements = ("requirements.txt", "flask==3.0.0\ngunicorn==1\n");
    let factory = (
        "shop/__init__.py",
        "from flask import Flask\ndef create_app(config=None):\n    app = Flask(__name__)\n    return app\n",
    );
    assert_eq!(
        run_command(&[requirements, factory]),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} 'shop:create_app()'"
    );
    let kept = (
        "wsgi.py",
        "import shop\n\napplication = shop.create_app()\n",
    );
    assert_eq!(
        run_command(&[requirements, factory, kept]),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} wsgi:application"
    );
}

#[test]
fn a_framework_may_have_a_command_of_its_own() {
    let start = |requirements: &str, file: &str, text: &str| {
        let application = detected(&[("requirements.txt", requirements), (file, text)]);
        let port = application.ports.first().copied();
        (application.kind, application.run_command.unwrap(), port)
    };
    let said =
        |kind: &str, command: &str, port: Option<u16>| (kind.to_owned(), command.to_owned(), port);
    assert_eq!(
        start("streamlit", "home.py", "import streamlit as st\n"),
        said(
            "streamlit",
            "streamlit run home.py --server.port ${PORT:-8501} --server.address 0.0.0.0",
            Some(8501)
        )
    );
    assert_eq!(
        start(
            "sanic",
            "main.py",
            "from sanic import Sanic\napp = Sanic('x')\n"
        ),
        said(
            "sanic",
            "sanic main:app --host 0.0.0.0 --port ${PORT:-8000}",
            Some(8000)
        )
    );
    assert_eq!(
        start(
            "gradio",
            "app.py",
            "import gradio as gr\ngr.Interface(f).launch()\n"
        ),
        said("gradio", "python app.py", Some(7860))
    );
    assert_eq!(
        start(
            "dash\ngunicorn",
            "app.py",
            "from dash import Dash\napp = Dash()\nserver = app.server\n"
        ),
        said(
            "dash",
            "gunicorn --bind 0.0.0.0:${PORT:-8000} app:server",
            Some(8000)
        )
    );
    assert_eq!(
        start(
            "aiohttp",
            "server.py",
            "from aiohttp import web\nweb.run_app(app, port=8081)\n"
        ),
        said("aiohttp", "python server.py", Some(8081))
    );
    assert_eq!(
        start(
            "discord.py",
            "bot.py",
            "import discord\nclient.run(token)\n"
        ),
        said("discord", "python bot.py", None)
    );
    assert_eq!(
        start(
            "celery[redis]",
            "tasks.py",
            "from celery import Celery\napp = Celery('x')\n"
        ),
        said("celery", "celery -A tasks worker", None)
    );
}

#[test]
fn a_package_is_run_as_a_whole_or_by_its_command() {
    let project = "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'My-Tool'\nversion = '1'\n[project.scripts]\nmt = 'my_tool.cli:main'\n";
    let command = |file: &str| {
        run_command(&[
            ("pyproject.toml", project),
            ("src/my_tool/__init__.py", ""),
            (file, "print(1)\n"),
        ])
    };
    assert_eq!(command("src/my_tool/__main__.py"), "python -m my_tool");
    assert_eq!(command("src/my_tool/cli.py"), "mt");
    assert_eq!(command("main.py"), "python main.py");
    let setup = "setup(name='tool', entry_points={'console_scripts': ['tool = tool.cli:main']})\n";
    assert_eq!(
        run_command(&[
            ("setup.py", setup),
            ("tool/__init__.py", ""),
            ("tool/cli.py", "")
        ]),
        "tool"
    );
}

#[test]
fn a_project_in_a_folder_is_not_its_parents() {
    let tree = MemoryTree::new([
        ("api/requirements.txt", "fastapi==1\nuvicorn==1\n"),
        ("api/main.py", FASTAPI),
        ("jobs/requirements.txt", "celery==5\n"),
        (
            "jobs/tasks.py",
            "from celery import Celery\napp = Celery('x')\n",
        ),
        ("pyproject.toml", "[tool.black]\nline-length = 100\n"),
    ]);
    let manifest = ergon_detect::analyse(&tree).manifest;
    let commands: Vec<_> = manifest
        .applications
        .values()
        .map(|application| application.run_command.clone().unwrap())
        .collect();
    assert_eq!(
        commands,
        [
            "uvicorn main:app --host 0.0.0.0 --port ${PORT:-8000}",
            "celery -A tasks worker"
        ]
    );
}

#[test]
fn what_lists_packages_shows_the_language() {
    for (file, text) in [
        ("requirements.txt", "attrs\n"),
        ("Pipfile", "[packages]\nattrs = '*'\n"),
        (
            "pyproject.toml",
            "[project]\nname = 'shop'\nversion = '1'\n",
        ),
    ] {
        let application = detected(&[(file, text)]);
        assert_eq!(
            (application.language.as_str(), application.run_command),
            ("python", None)
        );
    }
    let tree = MemoryTree::new([("pyproject.toml", "[tool.ruff]\n")]);
    assert!(
        ergon_detect::analyse(&tree)
            .manifest
            .applications
            .is_empty()
    );
}

#[test]
fn the_one_file_that_is_written_to_be_run_is_the_program() {
    let files = [
        ("requirements.txt", "requests==2\n"),
        ("tool/report.py", "if __name__ == '__main__':\n    pass\n"),
        ("tool/lib.py", ""),
    ];
    assert_eq!(run_command(&files), "python tool/report.py");
}

#[test]
fn a_port_may_have_a_name() {
    let port = |text: &str| detected(&[("main.py", text)]).ports;
    let named = "import os\nport = int(os.environ.get('PORT', 3000))\nHTTPServer(('', port), H).serve_forever()\n";
    assert_eq!(port(named), [3000]);
    assert_eq!(port("app.listen(8888)\n"), [8888]);
    assert_eq!(
        port("PORT = int(os.environ['PORT'])\nserve(app, port=PORT)\n"),
        [8000]
    );
    assert_eq!(port("subprocess.run(['x'])\n"), Vec::<u16>::new());
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
        version("runtime.txt", "python-3.10.x\n"),
        said("3.10", "runtime.txt:1")
    );
    assert_eq!(
        version(".python-version", "pypy3.10-7.3.12\n"),
        said("3.10", ".python-version:1")
    );
    assert_eq!(
        version(
            "render.yaml",
            "services:\n  - type: web\n    envVars:\n      - key: PYTHON_VERSION\n        value: 3.11.4\n"
        ),
        said("3.11.4", "render.yaml:5")
    );
    assert_eq!(
        version(
            "pyproject.toml",
            "[project]\nname='x'\nrequires-python='>=3.12'\n"
        ),
        said("3.12", "pyproject.toml:3")
    );
    assert_eq!(
        version(".tool-versions", "nodejs 20.1.0\npython 3.12.3 # why\n"),
        said("3.12.3", ".tool-versions:2")
    );
    assert_eq!(
        version("mise.toml", "[tools]\npython = '3.13'\n"),
        said("3.13", "mise.toml:2")
    );
    assert_eq!(
        version(
            "Pipfile",
            "[packages]\n[requires]\npython_version = '3.9'\npython_full_version = '3.9.7'\n"
        ),
        said("3.9.7", "Pipfile:4")
    );
    assert_eq!(
        version(
            "pyproject.toml",
            "[project]\nrequires-python = '==3.10.4'\n"
        ),
        said("3.10.4", "pyproject.toml:2")
    );
    assert_eq!(
        version("setup.py", "setup(python_requires='==2.7.*')\n"),
        said("2.7", "setup.py:1")
    );
    assert_eq!(
        version("environment.yml", "dependencies:\n- python=3.10\n"),
        said("3.10", "environment.yml:2")
    );
    assert_eq!(version("notes.txt", "3.12"), said("3.11", "assumed"));
    assert_eq!(
        version(".python-version", "3.12; rm -rf /\n"),
        said("3.11", "assumed")
    );
}

#[test]
fn another_implementation_is_asked_for() {
    let tree = MemoryTree::new([("main.py", ""), (".python-version", "pypy3.10-7.3.12\n")]);
    let report = report(&tree);
    assert!(
        report.contains("? PyPy or CPython? .python-version:1 says pypy3.10-7.3.12"),
        "{report}"
    );
}

#[test]
fn the_version_that_decides_is_named_beside_the_others() {
    let tree = MemoryTree::new([
        ("main.py", ""),
        (".python-version", "3.12\n"),
        ("runtime.txt", "python-3.9.1\n"),
        (
            "pyproject.toml",
            "[project]\nname='x'\nrequires-python='>=3.13'\n",
        ),
    ]);
    let report = report(&tree);
    let line = report.lines().find(|line| line.starts_with("runtime"));
    assert_eq!(
        line,
        Some(
            "runtime: Python 3.12 [.python-version:1, certain] (.python-version goes before runtime.txt; runtime.txt:1 says 3.9.1, pyproject.toml:3 says >=3.13)"
        )
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
fn a_server_is_there_where_a_script_serves_nobody() {
    let start = |package: &str, code: &str| {
        let files = [("requirements.txt", package), ("app.py", code)];
        let application = detected(&files);
        (
            application.run_command.unwrap(),
            application.build_commands[0].clone(),
        )
    };
    let quart = |host: &str| {
        let code = format!("from quart import Quart\napp = Quart(__name__)\napp.run({host})\n");
        start("quart==0.20\n", &code).0
    };
    assert_eq!(quart("host='0.0.0.0'"), "python app.py");
    // That listens for nobody from outside.
    assert_eq!(quart(""), "hypercorn app:app --bind 0.0.0.0:${PORT:-8000}");
    let (falcon, install) = start("falcon==4.0\n", "import falcon\napp = falcon.App()\n");
    assert_eq!(falcon, "gunicorn --bind 0.0.0.0:${PORT:-8000} app:app");
    assert!(install.ends_with(" gunicorn"));
}
