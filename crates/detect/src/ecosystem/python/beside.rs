//! Bots, and servers that only run beside them so that a platform sees the bot alive.

use super::Program;
use super::framework::{FRAMEWORKS, Framework, Serving};
use super::ports;
use super::server::runs_itself;
use super::source::AppObject;
use super::start::{SCRIPTS, Start, run, uses};
use crate::scan::Scan;

/// Calls by which a bot starts to listen to its platform.
const LISTENS: [&str; 8] = [
    "run",
    "start",
    "run_polling",
    "start_polling",
    "infinity_polling",
    "polling",
    "run_until_disconnected",
    "idle",
];

/// A script that is a bot, and the library that it is one by.
fn bot<'p>(program: &'p Program<'_, '_>) -> Option<(&'static str, &'p str, &'static Framework)> {
    let is_bot = |framework: &&Framework| framework.serving == Serving::Itself(None);
    SCRIPTS.into_iter().find_map(|file| {
        let (_, text) = program.texts.iter().find(|(path, _)| *path == file)?;
        let listens = LISTENS
            .iter()
            .any(|call| Scan::behind(text, call, &["#"]).any(|mut scan| scan.eat("(")));
        let used = |framework: &&Framework| is_bot(framework) && uses(text, framework.module);
        let library = FRAMEWORKS.iter().find(used).filter(|_| listens)?;
        Some((file, &**text, library))
    })
}

/// The bot that a program is, where the object of a framework lies in a file that only serves it.
pub(super) fn bot_before(program: &Program<'_, '_>, object: &AppObject) -> bool {
    let Some((file, text, _)) = bot(program) else {
        return false;
    };
    let imported = |text: &str, file: &str| {
        let module = file.trim_end_matches(".py").rsplit('/').next();
        module.is_some_and(|module| imports(text, module))
    };
    let own = program.text(&object.file).unwrap_or_default();
    file != object.file
        && !imported(&own, file)
        && (imported(text, &object.file) || !matches!(object.file.as_str(), "main.py" | "app.py"))
}

/// Whether the object is served in a thread that a script starts without knowing it; that is the program then.
pub(super) fn in_a_thread(program: &Program<'_, '_>, object: &AppObject) -> bool {
    let module = object.file.trim_end_matches(".py");
    let own = program.text(&object.file).unwrap_or_default();
    let starts = |text: &str| {
        imports(text, module)
            && !Scan::behind(text, &object.name, &["#"]).any(|scan| ends(scan.rest()))
    };
    own.contains("Thread(")
        && runs_itself(&own)
        && SCRIPTS.iter().any(|file| {
            *file != object.file && program.text(file).is_some_and(|text| starts(&text))
        })
}

/// How a bot is started; a server in one of its files may listen beside it.
pub(super) fn start(program: &Program<'_, '_>, framework: &Framework) -> Option<Start> {
    let (file, text, _) =
        bot(program).filter(|(_, _, library)| library.module == framework.module)?;
    let start = run(program, file)?;
    let beside = || {
        let mut others = program.texts.iter().filter(|(path, other)| {
            let module = path.trim_end_matches(".py");
            other.contains("Thread(") && !path.contains('/') && imports(text, module)
        });
        others.find_map(|(path, text)| ports::port(path, text))
    };
    Some(Start {
        kind: framework.kind,
        port: start.port.or_else(beside),
        ..start
    })
}

/// Whether a file imports a module of the program by its own name.
pub(super) fn imports(text: &str, module: &str) -> bool {
    Scan::behind(text, module, &["#"]).any(|scan| {
        let before = scan.line_before().trim_start();
        (before.starts_with("import ") || before.starts_with("from ")) && ends(scan.rest())
    })
}

/// Whether a word ends before `rest`.
fn ends(rest: &str) -> bool {
    !rest.starts_with(|next: char| next == '_' || next.is_alphanumeric())
}
