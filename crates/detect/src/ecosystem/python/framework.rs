//! The frameworks that are known, and what starts their programs.

/// A framework, and what starts its programs.
#[derive(Debug)]
pub(super) struct Framework {
    /// The package that brings it.
    pub package: &'static str,
    /// As code imports it.
    pub module: &'static str,
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub label: &'static str,
    /// What makes the object that is served, or what shows that a file is the program.
    pub marks: &'static [&'static str],
    pub serving: Serving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serving {
    /// A server calls an object.
    Asgi,
    Wsgi,
    /// A command of its own with a file: `{file}` and `{port}` stand for what they say.
    Command(&'static str, u16),
    /// A command of its own with an object: `{target}`.
    Target(&'static str, u16),
    /// The program runs by itself, and listens here.
    Itself(Option<u16>),
    /// In a way that only it has.
    Own,
}

const fn framework(
    package: &'static str,
    module: &'static str,
    kind: &'static str,
    label: &'static str,
    marks: &'static [&'static str],
    serving: Serving,
) -> Framework {
    Framework {
        package,
        module,
        kind,
        label,
        marks,
        serving,
    }
}

use Serving::{Asgi, Command, Itself, Own, Target, Wsgi};

/// The more particular first: FastAPI brings Starlette, Dash brings Flask.
pub(super) const FRAMEWORKS: &[Framework] = &[
    framework(
        "functions-framework",
        "functions_framework",
        "functions-framework",
        "Functions Framework",
        &[],
        Own,
    ),
    framework("reflex", "reflex", "reflex", "Reflex", &[], Own),
    framework(
        "fastapi",
        "fastapi",
        "fastapi",
        "FastAPI",
        &["FastAPI"],
        Asgi,
    ),
    framework(
        "litestar",
        "litestar",
        "litestar",
        "Litestar",
        &["Litestar"],
        Asgi,
    ),
    framework(
        "python-fasthtml",
        "fasthtml",
        "fasthtml",
        "FastHTML",
        &["fast_app", "FastHTML"],
        Asgi,
    ),
    framework(
        "masonite",
        "masonite",
        "masonite",
        "Masonite",
        &["Application"],
        Wsgi,
    ),
    framework("dagster", "dagster", "dagster", "Dagster", &[], Own),
    framework(
        "solara",
        "solara",
        "solara",
        "Solara",
        &["solara"],
        Command("solara run {file} --host 0.0.0.0 --port {port}", 8765),
    ),
    framework(
        "taipy",
        "taipy",
        "taipy",
        "Taipy",
        &["Gui"],
        Itself(Some(5000)),
    ),
    framework("quart", "quart", "quart", "Quart", &["Quart"], Asgi),
    framework(
        "blacksheep",
        "blacksheep",
        "blacksheep",
        "BlackSheep",
        &["Application"],
        Asgi,
    ),
    framework(
        "starlette",
        "starlette",
        "starlette",
        "Starlette",
        &["Starlette"],
        Asgi,
    ),
    framework(
        "sanic",
        "sanic",
        "sanic",
        "Sanic",
        &["Sanic"],
        Target("sanic {target} --host 0.0.0.0 --port {port}", 8000),
    ),
    framework("dash", "dash", "dash", "Dash", &["Dash"], Wsgi),
    framework("flask", "flask", "flask", "Flask", &["Flask"], Wsgi),
    framework(
        "bottle",
        "bottle",
        "bottle",
        "Bottle",
        &["Bottle", "default_app"],
        Wsgi,
    ),
    framework(
        "pyramid",
        "pyramid",
        "pyramid",
        "Pyramid",
        &["make_wsgi_app"],
        Own,
    ),
    framework(
        "cherrypy",
        "cherrypy",
        "cherrypy",
        "CherryPy",
        &["quickstart", "engine.start"],
        Itself(Some(8080)),
    ),
    framework(
        "shiny",
        "shiny",
        "shiny",
        "Shiny",
        &["shiny"],
        Command("shiny run --host 0.0.0.0 --port {port} {file}", 8000),
    ),
    framework(
        "falcon",
        "falcon",
        "falcon",
        "Falcon",
        &["falcon.App", "falcon.API"],
        Wsgi,
    ),
    framework(
        "streamlit",
        "streamlit",
        "streamlit",
        "Streamlit",
        &["streamlit"],
        Command(
            "streamlit run {file} --server.port {port} --server.address 0.0.0.0",
            8501,
        ),
    ),
    framework(
        "chainlit",
        "chainlit",
        "chainlit",
        "Chainlit",
        &["chainlit"],
        Command("chainlit run {file} --host 0.0.0.0 --port {port}", 8000),
    ),
    framework(
        "marimo",
        "marimo",
        "marimo",
        "marimo",
        &["marimo.App"],
        Command("marimo run {file} --host 0.0.0.0 --port {port}", 2718),
    ),
    framework(
        "gradio",
        "gradio",
        "gradio",
        "Gradio",
        &["gradio"],
        Itself(Some(7860)),
    ),
    framework(
        "nicegui",
        "nicegui",
        "nicegui",
        "NiceGUI",
        &["nicegui"],
        Itself(Some(8080)),
    ),
    framework(
        "panel",
        "panel",
        "panel",
        "Panel",
        &["servable"],
        Command(
            "panel serve {file} --address 0.0.0.0 --port {port} --allow-websocket-origin '*'",
            5006,
        ),
    ),
    framework(
        "bokeh",
        "bokeh",
        "bokeh",
        "Bokeh",
        &["curdoc"],
        Command(
            "bokeh serve {file} --address 0.0.0.0 --port {port} --allow-websocket-origin '*'",
            5006,
        ),
    ),
    framework(
        "tornado",
        "tornado",
        "tornado",
        "Tornado",
        &["Application"],
        Itself(Some(8888)),
    ),
    framework(
        "robyn",
        "robyn",
        "robyn",
        "Robyn",
        &["Robyn"],
        Itself(Some(8080)),
    ),
    framework(
        "discord-py",
        "discord",
        "discord",
        "discord.py",
        &["discord"],
        Itself(None),
    ),
    framework(
        "py-cord",
        "discord",
        "discord",
        "Pycord",
        &["discord"],
        Itself(None),
    ),
    framework(
        "nextcord",
        "nextcord",
        "discord",
        "Nextcord",
        &["nextcord"],
        Itself(None),
    ),
    framework(
        "disnake",
        "disnake",
        "discord",
        "disnake",
        &["disnake"],
        Itself(None),
    ),
    framework(
        "python-telegram-bot",
        "telegram",
        "telegram",
        "python-telegram-bot",
        &["telegram"],
        Itself(None),
    ),
    framework(
        "aiogram",
        "aiogram",
        "telegram",
        "aiogram",
        &["aiogram"],
        Itself(None),
    ),
    framework(
        "pyrogram",
        "pyrogram",
        "telegram",
        "Pyrogram",
        &["pyrogram"],
        Itself(None),
    ),
    framework(
        "telethon",
        "telethon",
        "telegram",
        "Telethon",
        &["telethon"],
        Itself(None),
    ),
    framework(
        "pytelegrambotapi",
        "telebot",
        "telegram",
        "pyTelegramBotAPI",
        &["telebot"],
        Itself(None),
    ),
    framework(
        "slack-bolt",
        "slack_bolt",
        "slack",
        "Bolt for Slack",
        &["slack_bolt"],
        Itself(None),
    ),
    // A client as often as a server, so only what serves counts.
    framework(
        "aiohttp",
        "aiohttp",
        "aiohttp",
        "aiohttp",
        &["web.Application", "web.run_app"],
        Itself(Some(8080)),
    ),
];
