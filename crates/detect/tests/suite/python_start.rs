//! What of a Python program is started, and how.

use ergon_detect::memory::MemoryTree;

use crate::{detected, report, run_command};

/// A Flask application that a thread serves.
const KEEP_ALIVE: &str = concat!(
    "from flask import Flask\nfrom threading import Thread\napp = Flask('')\n",
    "@app.route('/')\ndef home():\n    return 'alive'\n",
    "def run():\n    app.run(host='0.0.0.0', port=8080)\ndef keep_alive():\n    Thread(target=run).start()\n",
);

#[test]
fn a_server_that_keeps_a_bot_alive_is_not_the_program() {
    let bot = "import discord\nfrom keep_alive import keep_alive\nclient = discord.Client()\nkeep_alive()\nclient.run('')\n";
    for file in ["main.py", "bot.py"] {
        let application = detected(&[
            ("requirements.txt", "discord.py==2.3.2\nflask==3.0.0\n"),
            (file, bot),
            ("keep_alive.py", KEEP_ALIVE),
        ]);
        assert_eq!(application.run_command, Some(format!("python {file}")));
        assert_eq!(application.kind, "discord");
        assert_eq!(application.ports, [8080]);
    }
}

#[test]
fn an_application_served_in_a_thread_is_not_the_program() {
    let files = [
        ("requirements.txt", "flask==3.0.0\n"),
        (
            "main.py",
            "from status import keep_alive\nkeep_alive()\nwhile True:\n    pass\n",
        ),
        ("status.py", KEEP_ALIVE),
    ];
    assert_eq!(run_command(&files), "python main.py");
}

#[test]
fn a_bot_that_the_application_imports_is_not_the_program() {
    let files = [
        (
            "requirements.txt",
            "fastapi==0.115.0\nuvicorn==0.34.0\naiogram==3.0.0\n",
        ),
        (
            "bot.py",
            "from aiogram import Bot\nasync def run():\n    await dp.start_polling(bot)\n",
        ),
        (
            "web.py",
            "from fastapi import FastAPI\nimport bot\napp = FastAPI()\n",
        ),
    ];
    assert_eq!(
        run_command(&files),
        "uvicorn web:app --host 0.0.0.0 --port ${PORT:-8000}"
    );
}

#[test]
fn a_file_for_the_server_hands_over_what_a_factory_returns() {
    let command = |framework: &str, class: &str, server: &str, parameters: &str, file: &str| {
        let application = detected(&[
            (
                "requirements.txt",
                &format!("{framework}==1.0.0\n{server}==1.0.0\n"),
            ),
            (
                "shop/__init__.py",
                &format!(
                    "from {framework} import {class}\ndef create_app({parameters}):\n    return {class}()\n"
                ),
            ),
            (file, "from shop import create_app\napp = create_app()\n"),
        ]);
        assert_eq!(application.kind, framework);
        application.run_command.unwrap()
    };
    let gunicorn = "gunicorn --bind 0.0.0.0:${PORT:-8000} wsgi:app";
    assert_eq!(
        command("flask", "Flask", "gunicorn", "", "wsgi.py"),
        gunicorn
    );
    assert_eq!(
        command("flask", "Flask", "gunicorn", "config", "wsgi.py"),
        gunicorn
    );
    assert_eq!(
        command("fastapi", "FastAPI", "uvicorn", "", "asgi.py"),
        "uvicorn asgi:app --host 0.0.0.0 --port ${PORT:-8000}"
    );
}

#[test]
fn a_file_for_the_server_may_be_all_that_is_seen() {
    let application = detected(&[
        ("requirements.txt", "flask==3.0.0\ngunicorn==22.0.0\n"),
        ("wsgi.py", "from platform_of_ours import application\n"),
    ]);
    assert_eq!(application.kind, "flask");
    assert_eq!(
        application.run_command.unwrap(),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} wsgi:application"
    );
    let files = [
        ("requirements.txt", "gunicorn==22.0.0\n"),
        (
            "web.py",
            "def application(environ, start_response):\n    return []\n",
        ),
    ];
    assert_eq!(
        run_command(&files),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} web:application"
    );
}

#[test]
fn a_script_is_of_the_framework_that_it_uses() {
    for (package, text, port) in [
        (
            "bottle",
            "from bottle import route, run\nrun(host='0.0.0.0', port=8081)\n",
            8081,
        ),
        (
            "cherrypy",
            "import cherrypy\ncherrypy.quickstart(Root())\n",
            8080,
        ),
        (
            "pyramid",
            "from pyramid.config import Configurator\nif __name__ == '__main__':\n    app = config.make_wsgi_app()\n    make_server('0.0.0.0', 6544, app).serve_forever()\n",
            6544,
        ),
    ] {
        let application = detected(&[
            ("requirements.txt", &format!("{package}==1.0.0\n")),
            ("app.py", text),
        ]);
        assert_eq!(application.run_command.unwrap(), "python app.py");
        assert_eq!(application.kind, package);
        assert_eq!(application.ports, [port], "{package}");
    }
}

#[test]
fn some_frameworks_have_a_command_of_their_own() {
    let start = |package: &str, file: &str, text: &str| {
        let application = detected(&[
            ("requirements.txt", &format!("{package}==1.0.0\n")),
            (file, text),
        ]);
        assert_eq!(application.kind, package);
        (application.run_command.unwrap(), application.ports[0])
    };
    let hello = "import functions_framework\n\n@functions_framework.http\ndef hello_http(request):\n    return ''\n";
    assert_eq!(
        start("functions-framework", "main.py", hello),
        (
            "functions-framework --target=hello_http --port ${PORT:-8080}".to_owned(),
            8080
        )
    );
    assert_eq!(
        start(
            "shiny",
            "app.py",
            "from shiny import App, ui\napp = App(ui.page_fluid(), None)\n"
        ),
        (
            "shiny run --host 0.0.0.0 --port ${PORT:-8000} app.py".to_owned(),
            8000
        )
    );
    let config = "import reflex as rx\nconfig = rx.Config(app_name='shop')\n";
    assert_eq!(
        start("reflex", "rxconfig.py", config),
        ("reflex run --env prod".to_owned(), 3000)
    );
    let settings = "[app:main]\nuse = egg:shop\n[server:main]\nlisten = *:6545\n";
    let application = detected(&[
        ("requirements.txt", "pyramid==2.0\n"),
        (
            "shop/__init__.py",
            "def main(global_config, **settings):\n    return config.make_wsgi_app()\n",
        ),
        ("production.ini", settings),
    ]);
    assert_eq!(application.run_command.unwrap(), "pserve production.ini");
    assert_eq!(application.ports, [6545]);
}

#[test]
fn gunicorns_settings_say_the_port() {
    for (bind, port) in [
        ("'0.0.0.0:8080'", 8080),
        ("f\"0.0.0.0:{os.environ.get('PORT', '8081')}\"", 8081),
        (
            "'0.0.0.0:' + str(port)\nport = int(os.getenv('PORT', 8082))",
            8082,
        ),
    ] {
        let application = detected(&[
            ("requirements.txt", "flask==3.0.0\ngunicorn==22.0.0\n"),
            (
                "main.py",
                "from flask import Flask\napp = Flask(__name__)\n",
            ),
            ("gunicorn.conf.py", &format!("workers = 2\nbind = {bind}\n")),
        ]);
        assert_eq!(application.ports, [port]);
        assert_eq!(
            application.run_command,
            Some(format!(
                "gunicorn --bind 0.0.0.0:${{PORT:-{port}}} main:app"
            ))
        );
    }
}

#[test]
fn a_script_may_serve_the_package_to_everybody() {
    let application = detected(&[
        ("requirements.txt", "flask==3.0.0\n"),
        (
            "shop/__init__.py",
            "from flask import Flask\napp = Flask(__name__)\n",
        ),
        (
            "runserver.py",
            "from shop import app\napp.run('0.0.0.0', 5555)\n",
        ),
    ]);
    assert_eq!(application.run_command.unwrap(), "python runserver.py");
    assert_eq!(application.ports, [5555]);
}

#[test]
fn servers_are_told_their_ports_in_many_ways() {
    let ports = |package: &str, text: &str| {
        detected(&[("requirements.txt", package), ("main.py", text)]).ports
    };
    let cherrypy = "import cherrypy\ncherrypy.config.update({'server.socket_port': 8090})\ncherrypy.quickstart(Root())\n";
    assert_eq!(ports("cherrypy==18.0\n", cherrypy), [8090]);
    let grpc = "import grpc\nserver = grpc.server()\nserver.add_insecure_port(\"[::]:50051\")\n";
    assert_eq!(ports("grpcio==1.60.0\n", grpc), [50051]);
    let named = "PORT = 50052\nserver.add_insecure_port(f\"[::]:{PORT}\")\n";
    assert_eq!(ports("grpcio==1.60.0\n", named), [50052]);
    let added = "port = '50053'\nserver.add_insecure_port('[::]:' + port)\n";
    assert_eq!(ports("grpcio==1.60.0\n", added), [50053]);
    let plain = "import socket\ns = socket.socket()\ns.bind((\"0.0.0.0\", 9009))\ns.listen(5)\n";
    assert_eq!(ports("rich==13.0.0\n", plain), [9009]);
    let sockets = "async with websockets.serve(handle, \"0.0.0.0\", 8765):\n    pass\n";
    assert_eq!(ports("websockets==12.0\n", sockets), [8765]);
}

#[test]
fn a_library_is_not_started() {
    let tree = MemoryTree::new([
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'sums'\n",
        ),
        ("src/sums/__init__.py", "def add(a, b):\n    return a + b\n"),
    ]);
    let report = report(&tree);
    assert!(
        report.contains(
            "run_command: nothing [pyproject.toml, likely] (a library; nothing to start)"
        ),
        "{report}"
    );
    assert!(!report.contains("How is it started"), "{report}");
}

#[test]
fn what_a_factory_makes_may_be_kept_in_a_package() {
    let files = [
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0\n"),
        (
            "shop/factory.py",
            "from fastapi import FastAPI\ndef create_app() -> FastAPI:\n    return FastAPI()\n",
        ),
        (
            "shop/main.py",
            "from shop.factory import create_app\napp = create_app()\n",
        ),
    ];
    assert_eq!(
        run_command(&files),
        "uvicorn shop.main:app --host 0.0.0.0 --port ${PORT:-8000}"
    );
}

#[test]
fn a_package_says_itself_what_of_it_runs() {
    let files = [
        ("requirements.txt", "aiogram==3.0.0\n"),
        ("bot/__init__.py", ""),
        ("bot/__main__.py", "from .main import main\nmain()\n"),
        (
            "bot/main.py",
            "from aiogram import Bot\ndef main():\n    dp.start_polling()\n",
        ),
    ];
    let application = detected(&files);
    assert_eq!(application.run_command.unwrap(), "python -m bot");
    assert_eq!(application.kind, "telegram");
}

#[test]
fn what_is_put_around_an_application_is_served() {
    let target = |rest: &str| {
        let code = format!("from fastapi import FastAPI\n{rest}");
        let command = run_command(&[
            ("requirements.txt", "fastapi==0.115.0\nuvicorn==0.34.0\n"),
            ("main.py", &code),
        ]);
        command.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(
        target("_app = FastAPI()\napp = CORSMiddleware(_app)\n"),
        "main:app"
    );
    assert_eq!(
        target("app = FastAPI()\nwith_socket = socketio.ASGIApp(sio, app)\n"),
        "main:with_socket"
    );
    assert_eq!(
        target("app = FastAPI()\nclient = TestClient(app)\n"),
        "main:app"
    );
    assert_eq!(
        target("app = FastAPI()\nhandler = Mangum(app)\n"),
        "main:app"
    );
}

#[test]
fn a_file_for_the_server_is_what_it_is_given() {
    let command = |wsgi: &str| {
        run_command(&[
            ("requirements.txt", "flask==3.0.0\ngunicorn==22.0.0\n"),
            (
                "shop/__init__.py",
                "from flask import Flask\napp = Flask('')\n",
            ),
            ("wsgi.py", wsgi),
        ])
    };
    let served = |target: &str| format!("gunicorn --bind 0.0.0.0:${{PORT:-8000}} {target}");
    assert_eq!(command("from shop import app\n"), served("wsgi:app"));
    assert_eq!(
        command("from shop import app as application\n"),
        served("wsgi:application")
    );
    assert_eq!(command("from other import app\n"), served("shop:app"));
}

#[test]
fn a_script_starts_the_application_that_it_imports() {
    let files = [
        ("requirements.txt", "flask==3.0.0\n"),
        ("app.py", "from flask import Flask\napp = Flask('')\n"),
        ("main.py", "from app import app\napp.run(host='0.0.0.0')\n"),
    ];
    assert_eq!(run_command(&files), "python main.py");
}

#[test]
fn a_server_takes_none_of_the_ports_of_root() {
    let command = |requirements: &str| {
        run_command(&[
            ("requirements.txt", requirements),
            (
                "app.py",
                "from flask import Flask\napp = Flask('')\napp.run(host='0.0.0.0', port=80)\n",
            ),
        ])
    };
    assert_eq!(
        command("flask==3.0.0\n"),
        "flask --app app run --host 0.0.0.0 --port ${PORT:-5000}"
    );
    assert_eq!(
        command("flask==3.0.0\ngunicorn==22.0.0\n"),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} app:app"
    );
}

#[test]
fn queues_have_commands_of_their_own() {
    let command = |package: &str, text: &str| {
        run_command(&[("requirements.txt", package), ("jobs/mail.py", text)])
    };
    assert_eq!(
        command("dramatiq==1.17.0\n", "@dramatiq.actor\ndef send(): pass\n"),
        "dramatiq jobs.mail"
    );
    assert_eq!(
        command(
            "arq==0.26.0\n",
            "class WorkerSettings:\n    functions = []\n"
        ),
        "arq jobs.mail.WorkerSettings"
    );
    assert_eq!(
        command("marimo==0.10.0\n", "import marimo\napp = marimo.App()\n"),
        "marimo run jobs/mail.py --host 0.0.0.0 --port ${PORT:-2718}"
    );
}

#[test]
fn notebooks_alone_are_shown() {
    let command = |package: &str| {
        let requirements = format!("{package}==4.0.0\n");
        run_command(&[
            ("requirements.txt", requirements.as_str()),
            ("plot.ipynb", "{}"),
        ])
    };
    assert_eq!(
        command("jupyterlab"),
        "jupyter lab --no-browser --ip 0.0.0.0 --port ${PORT:-8888}"
    );
    assert_eq!(
        command("voila"),
        "voila --no-browser --Voila.ip=0.0.0.0 --port ${PORT:-8866}"
    );
}

#[test]
fn a_page_is_served_only_where_it_is_one() {
    let command =
        |code: &str| run_command(&[("requirements.txt", "bokeh==3.4.0\n"), ("app.py", code)]);
    assert_eq!(
        command("from bokeh.plotting import curdoc\n"),
        "bokeh serve app.py --address 0.0.0.0 --port ${PORT:-5006} --allow-websocket-origin '*'"
    );
    assert_eq!(
        command("from bokeh.plotting import save\n"),
        "python app.py"
    );
}

#[test]
fn the_one_spider_is_started() {
    let spider = (
        "shop/spiders/prices.py",
        "class Prices:\n    name = \"prices\"\n",
    );
    let config = ("scrapy.cfg", "[settings]\ndefault = shop.settings\n");
    assert_eq!(run_command(&[config, spider]), "scrapy crawl prices");
    let second = (
        "shop/spiders/names.py",
        "class Names:\n    name = 'names'\n",
    );
    let application = detected(&[config, spider, second]);
    assert_eq!(application.language, "python");
    assert_eq!(application.run_command, None);
}

#[test]
fn django_without_a_database_has_none_to_bring_up_to_date() {
    let migrates = |settings: &str| {
        let command = run_command(&[
            ("requirements.txt", "django==5.0.0\ngunicorn==22.0.0\n"),
            ("manage.py", "'DJANGO_SETTINGS_MODULE', 'shop.settings'\n"),
            ("shop/settings.py", settings),
            ("shop/wsgi.py", ""),
        ]);
        command.contains("migrate")
    };
    assert!(migrates(
        "INSTALLED_APPS = []\nDATABASES = {'default': {}}\n"
    ));
    assert!(migrates("from shop_base import *\nINSTALLED_APPS = []\n"));
    assert!(!migrates("INSTALLED_APPS = []\n"));
}

#[test]
fn frameworks_that_bring_their_own_commands_and_servers() {
    let start = |package: &str, file: &str, code: &str| {
        run_command(&[("requirements.txt", package), (file, code)])
    };
    assert_eq!(
        start("solara==1.44\n", "page.py", "import solara\n"),
        "solara run page.py --host 0.0.0.0 --port ${PORT:-8765}"
    );
    assert_eq!(
        start(
            "masonite==4.20\ngunicorn==23.0\n",
            "wsgi.py",
            "from masonite.foundation import Application\napplication = Application('.')\n"
        ),
        "gunicorn --bind 0.0.0.0:${PORT:-8000} wsgi:application"
    );
    let dagster = detected(&[
        (
            "pyproject.toml",
            "[project]\nname = \"jobs\"\ndependencies = [\"dagster==1.10\"]\n[tool.dagster]\nmodule_name = \"jobs.definitions\"\n",
        ),
        (
            "jobs/definitions.py",
            "from dagster import Definitions\ndefs = Definitions()\n",
        ),
    ]);
    assert_eq!(
        dagster.run_command.as_deref(),
        Some("dagster dev -h 0.0.0.0 -p ${PORT:-3000}")
    );
    assert_eq!(dagster.ports, [3000]);
}

#[test]
fn packages_say_the_least_python() {
    let version = |django: &str| {
        let text = format!("Django{django}\n");
        let site = detected(&[
            ("requirements.txt", text.as_str()),
            ("manage.py", "import django\n"),
        ]);
        site.runtime.unwrap().version
    };
    assert_eq!(version("==5.2"), "3.11");
    assert_eq!(version("<7,>=6.0"), version("==6.0.1"));
    assert_ne!(version("==6.0.1"), "3.11");
}

#[test]
fn a_file_that_only_names_jobs_is_run_by_celery() {
    let requirements = ("requirements.txt", "celery==5.3.0\n");
    let jobs = "from celery import Celery\napp = Celery('worker')\n";
    assert_eq!(
        run_command(&[requirements, ("worker.py", jobs)]),
        "celery -A worker worker"
    );
    let runs = format!("{jobs}if __name__ == '__main__':\n    app.worker_main()\n");
    assert_eq!(
        run_command(&[requirements, ("worker.py", &runs)]),
        "python worker.py"
    );
}

#[test]
fn uwsgi_serves_django_where_it_is_listed() {
    let files = [
        ("requirements.txt", "django==5.2\nuwsgi==2.0.28\n"),
        ("manage.py", "DJANGO_SETTINGS_MODULE = 'shop.settings'\n"),
        (
            "shop/settings.py",
            "WSGI_APPLICATION = 'shop.wsgi.application'\n",
        ),
        ("shop/wsgi.py", "application = get_wsgi_application()\n"),
    ];
    let run = |more: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().chain(more).copied().collect();
        let run = detected(&files).run_command.unwrap();
        run.rsplit(" && ").next().unwrap().to_owned()
    };
    assert_eq!(
        run(&[]),
        "uwsgi --http 0.0.0.0:${PORT:-8000} --module shop.wsgi:application --master"
    );
    assert_eq!(
        run(&[("uwsgi.ini", "[uwsgi]\nmodule = shop.wsgi:application\n")]),
        "uwsgi --http 0.0.0.0:${PORT:-8000} --ini uwsgi.ini"
    );
    assert_eq!(
        run(&[("uwsgi.ini", "[uwsgi]\nhttp = 0.0.0.0:9000\n")]),
        "uwsgi --ini uwsgi.ini"
    );
}
