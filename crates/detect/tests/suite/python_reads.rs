//! What Python programs read: variables, routes, drivers; and whatever else is thrown at the readers.

use ergon_detect::memory::MemoryTree;
use proptest::prelude::*;

use crate::detected;
use crate::python::FASTAPI;

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
fn settings_libraries_read_variables_too() {
    let env = |text: &str| -> Vec<String> {
        detected(&[("main.py", text)])
            .env
            .iter()
            .map(|(name, one)| {
                format!(
                    "{name} {} {}",
                    one.required,
                    one.default.as_deref().unwrap_or("-")
                )
            })
            .collect()
    };
    assert_eq!(
        env(concat!(
            "from pydantic_settings import BaseSettings\n",
            "class Settings(BaseSettings):\n",
            "    model_config = SettingsConfigDict(env_prefix='APP_')\n",
            "    debug: bool = False\n",
            "    database_url: str\n",
            "    token: str | None = None\n",
            "    key: str = Field(..., validation_alias='API_KEY')\n",
            "    size: int = Field(default=3)\n",
            "\n",
            "    def x(self):\n",
            "        y: str = 'no'\n",
        )),
        [
            "API_KEY true -",
            "APP_DATABASE_URL true -",
            "APP_DEBUG false False",
            "APP_SIZE false 3",
            "APP_TOKEN false -",
        ]
    );
    assert_eq!(
        env(
            "from decouple import config\na = config('A')\nb = config('B', default='b')\nc = config('C', cast=bool)\n"
        ),
        ["A true -", "B false b", "C true -"]
    );
    assert_eq!(
        env(
            "import environ\nenv = environ.Env(DEBUG=(bool, False))\nd = env('DEBUG')\nu = env.db()\nz = env.str('Z', default='q')\n"
        ),
        ["DATABASE_URL true -", "DEBUG false False", "Z false q"]
    );
}

#[test]
fn an_example_of_an_environment_names_what_the_code_mentions_and_more() {
    let env = detected(&[
        ("main.py", "print(lookup('TOKEN'))\n"),
        (".env.example", "# comment\nTOKEN=secret\nOTHER=1\n"),
    ])
    .env;
    assert_eq!(env.keys().collect::<Vec<_>>(), ["OTHER", "TOKEN"]);
    assert_eq!(env["TOKEN"].default, None);
    assert_eq!(env["TOKEN"].from.as_deref(), Some(".env.example:2"));
}

#[test]
fn a_router_answers_below_its_prefix() {
    let health = detected(&[
        ("requirements.txt", "fastapi==1.0.0\nuvicorn==1.0.0"),
        (
            "shop/main.py",
            "from fastapi import FastAPI\nfrom .routes import system\napp = FastAPI()\napp.include_router(system.router, prefix='/api')\n",
        ),
        (
            "shop/routes/system.py",
            "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/health')\ndef health(): ...\n",
        ),
    ])
    .health;
    assert_eq!(health.unwrap().path, "/api/health");
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
    assert_eq!(
        packages("psycopg2==2.9"),
        ["gcc", "libc6-dev", "libpq-dev", "libpq5"]
    );
    assert_eq!(packages("psycopg2-binary==2.9"), Vec::<String>::new());
    assert_eq!(packages("pydub\npdf2image"), ["ffmpeg", "poppler-utils"]);
    assert_eq!(packages("git+https://example.com/x"), ["git"]);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(words in proptest::collection::vec(prop::sample::select(WORDS.to_vec()), 0..60)) {
        let text = words.concat();
        let tree = MemoryTree::new([
            ("main.py", text.as_str()),
            ("manage.py", &format!("django {text}")),
            ("shop/settings.py", &text),
            ("shop/urls.py", &text),
            ("setup.py", &text),
            ("setup.cfg", &text),
            ("requirements.in", &text),
            (".env.example", &text),
            (".python-version", &text),
            ("uv.lock", &text),
            ("pyproject.toml", "[project]\nname = 'x'\n"),
        ]);
        ergon_detect::analyse(&tree);
    }
}

/// Pieces of what is looked for.
const WORDS: [&str; 48] = [
    "\n",
    "\n",
    "    ",
    " ",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    ":",
    ".",
    "'",
    "\"",
    "\\",
    "\u{e9}",
    "#",
    "app",
    "FastAPI",
    "Flask",
    "from fastapi import ",
    "import ",
    "create_app",
    "def ",
    "class ",
    "BaseSettings",
    "env_prefix",
    "Field(",
    "environ",
    "os.environ",
    "getenv",
    "PORT",
    "port=",
    ".run(",
    "listen(",
    "config(",
    "decouple",
    "Env(",
    "=(",
    "include_router(",
    "@app.get(",
    "APIRouter",
    "path(",
    "install_requires",
    "console_scripts",
    "[[package]]",
    "name = \"",
    "3.1",
];
