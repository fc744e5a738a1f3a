//! A program that `dotnet publish` has made already, and that lies there without its sources.

use ergon_manifest::Application;

use super::{PORT, USUAL};
use crate::analysis::Topic;
use crate::ecosystem::{Claim, Found, Port, Report, Strength};
use crate::names;
use crate::plan::shell_quoted;
use crate::sources::Sources;

/// What the program is told of its runtime, beside it.
const ENDING: &str = ".runtimeconfig.json";

pub(super) fn detect(sources: &Sources<'_>) -> Option<Found> {
    let file = sources.name_ending(ENDING)?;
    let name = file.strip_suffix(ENDING)?;
    let library = format!("{name}.dll");
    let own = sources.has(name);
    if !own && !sources.has(&library) {
        return None;
    }
    let document = sources.document(file)?;
    let options = "runtimeOptions";
    // What brings its runtime along says which one it includes.
    let places: [&[&str]; 5] = [
        &[options, "framework"],
        &[options, "frameworks", "0"],
        &[options, "frameworks", "1"],
        &[options, "includedFrameworks", "0"],
        &[options, "includedFrameworks", "1"],
    ];
    let of = |place: &[&'static str], key: &'static str| {
        let keys: Vec<&str> = place.iter().copied().chain([key]).collect();
        Some((document.text(&keys)?, document.from(&keys)))
    };
    let is_web = places
        .iter()
        .any(|place| of(place, "name").is_some_and(|(name, _)| name == "Microsoft.AspNetCore.App"));
    let brings_runtime = document.get(&[options, "includedFrameworks"]).is_some();
    let claims = places.iter().find_map(|place| {
        let (version, from) = of(place, "version")?;
        let (major, rest) = version.split_once('.')?;
        let minor = rest.split('.').next()?;
        let numbers = [major, minor].map(str::parse::<u32>);
        let [Ok(major), Ok(minor)] = numbers else {
            return None;
        };
        Some(Claim::exactly(format!("{major}.{minor}"), from))
    });
    let mut report = Report::default();
    report
        .certain(Topic::Language, ".NET", file)
        .note("a program that is published already");
    let runtime = report.runtime(&USUAL, claims);
    let run = if own {
        format!("./{}", shell_quoted(name))
    } else {
        format!("dotnet {}", shell_quoted(&library))
    };
    report.likely(Topic::RunCommand, &run, file);
    let mut application = Application {
        kind: if is_web { "aspnet" } else { "dotnet" }.to_owned(),
        language: "csharp".to_owned(),
        entrypoint: Some(if own { name.to_owned() } else { library }),
        run_command: Some(run),
        ..Application::default()
    };
    if is_web {
        let port = Port::usual(PORT, "the image's default");
        application.ports = vec![report.port(&port)];
    }
    let image = match (brings_runtime, is_web) {
        (true, _) => "runtime-deps",
        (false, true) => "aspnet",
        (false, false) => "runtime",
    };
    let base_image = format!("mcr.microsoft.com/dotnet/{image}:{}", runtime.version);
    application.runtime = Some(runtime);
    Some(Found {
        strength: Strength::Program,
        name: names::from_package(name),
        application,
        base_image,
        delegates: false,
        report,
    })
}
