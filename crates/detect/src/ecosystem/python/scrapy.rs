//! Scrapy: spiders, each of which its own command starts.

use super::Program;
use super::start::Start;
use crate::ecosystem::Report;
use crate::plan::shell_quoted;
use crate::scan::Scan;

/// The file by which Scrapy's own command knows a project.
pub(super) const SETTINGS: &str = "scrapy.cfg";

/// The spider that is started, where there is no doubt which.
pub(super) fn start(program: &Program<'_, '_>, report: &mut Report) -> Option<Start> {
    if !program.sources.has(SETTINGS) {
        return None;
    }
    let spiders: Vec<_> = program
        .texts
        .iter()
        .filter(|(path, _)| path.contains("/spiders/"))
        .filter_map(|(path, text)| {
            Scan::behind(text, "name", &["#"]).find_map(|mut scan| {
                let line = scan.line();
                let name = scan.eat("=").then(|| scan.string(&['"', '\''])).flatten()?;
                Some((*path, name.to_owned(), line))
            })
        })
        .collect();
    let [(path, name, line)] = spiders.as_slice() else {
        let which = if spiders.is_empty() {
            "there is no spider yet"
        } else {
            "there are several spiders"
        };
        report.ask(
            format!("Which spider is started? {which}."),
            "write `scrapy crawl NAME` as run_command into ergon.json",
        );
        return None;
    };
    let command = format!("scrapy crawl {}", shell_quoted(name));
    Some(Start {
        kind: "scrapy",
        entrypoint: Some((*path).to_owned()),
        run_command: command.clone(),
        said: command,
        from: format!("{path}:{line}"),
        note: format!("{path} is the one spider"),
        port: None,
        missing: None,
    })
}
