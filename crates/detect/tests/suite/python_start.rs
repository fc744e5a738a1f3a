//! What of a Python program is started, and how.

use crate::{detected, run_command};

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
