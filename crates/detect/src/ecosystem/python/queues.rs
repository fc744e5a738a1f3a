//! Workers that take jobs from queues, and do nothing else.

use super::Program;
use super::source;
use super::start::{Start, plain};
use crate::plan::shell_quoted;

/// A worker that takes jobs from a queue.
pub(super) fn worker(program: &Program<'_, '_>) -> Option<Start> {
    celery(program).or_else(|| other(program))
}

/// The worker in place of a file that, run as it is, would only name the jobs and end.
pub(super) fn instead(program: &Program<'_, '_>, start: &Start) -> Option<Start> {
    let file = start.entrypoint.as_deref()?;
    let text = program.text(file)?;
    let runs = ["__main__", ".worker_main(", ".start("]
        .iter()
        .any(|call| text.contains(call));
    let worker = if runs { None } else { celery(program) };
    worker.filter(|worker| worker.entrypoint.as_deref() == Some(file))
}

fn celery(program: &Program<'_, '_>) -> Option<Start> {
    if !program.dependencies.has("celery") && !program.imports("celery") {
        return None;
    }
    let object = source::app_object(program.sources, &program.texts, "celery", &["Celery"])?;
    let module = object.target();
    let module = module.split(':').next().unwrap_or(&module);
    // `proj.celery` is found by `proj`.
    let module = module.strip_suffix(".celery").unwrap_or(module);
    let usual = matches!(object.name.as_str(), "app" | "celery");
    let target = if usual {
        module.to_owned()
    } else {
        format!("{module}:{}", object.name)
    };
    let folder = object
        .folder
        .as_ref()
        .map(|folder| format!("--workdir {folder} "))
        .unwrap_or_default();
    let command = format!("celery {folder}-A {target} worker");
    Some(Start {
        kind: "celery",
        entrypoint: Some(object.file.clone()),
        run_command: command.clone(),
        said: command,
        from: object.from(),
        note: format!("{} defines `{}`", object.from(), object.name),
        port: None,
        missing: None,
    })
}

/// Libraries whose own command takes jobs from a queue: what marks the file with the jobs, and that command.
const QUEUES: [(&str, &str, &str); 2] = [
    ("dramatiq", "@dramatiq.actor", "dramatiq {module}"),
    ("arq", "class WorkerSettings", "arq {module}.WorkerSettings"),
];

/// A worker of a smaller kind.
fn other(program: &Program<'_, '_>) -> Option<Start> {
    QUEUES.into_iter().find_map(|(package, mark, command)| {
        if !program.dependencies.has(package) {
            return None;
        }
        let (file, text) = program.texts.iter().find(|(_, text)| text.contains(mark))?;
        let module = file.strip_suffix(".py")?.replace('/', ".");
        let command = command.replace("{module}", &shell_quoted(&module));
        Some(Start {
            run_command: command.clone(),
            said: command,
            note: format!("{file} has the jobs"),
            port: None,
            ..plain(file, text)
        })
    })
}
