//! A program of one file without a project, as .NET takes it since version 10.

use ergon_manifest::Application;

use super::{OUTPUT, PORT, USUAL, source};
use crate::analysis::Topic;
use crate::ecosystem::{Claim, Found, Port, Report, Strength};
use crate::environment;
use crate::names;
use crate::plan::shell_quoted;
use crate::sources::Sources;

pub(super) fn detect(sources: &Sources<'_>) -> Option<Found> {
    let mut files = sources.names().filter(|name| name.ends_with(".cs"));
    let file = files.next()?;
    let text = sources.text(file)?;
    // What a project's file says otherwise stands above the code.
    let (index, _) = text.lines().enumerate().take(20).find(|(_, line)| {
        line.starts_with("#:") || (line.starts_with("#!") && line.contains("dotnet"))
    })?;
    if files.next().is_some() {
        return None;
    }
    let name = file.strip_suffix(".cs")?;
    let is_web = text.contains("#:sdk Microsoft.NET.Sdk.Web");
    let from = format!("{file}:{}", index + 1);
    let mut report = Report::default();
    report
        .certain(Topic::Language, "C#", &from)
        .note("a program of one file");
    let least = Claim::range(">=10.0", "10.0", from);
    let runtime = report.runtime(&USUAL, [least]);
    let build = format!(
        "dotnet publish {} -c Release -p:PublishAot=false -o {OUTPUT}",
        shell_quoted(file)
    );
    report.likely(Topic::BuildCommand, &build, file);
    let run = format!("./{OUTPUT}/{}", shell_quoted(name));
    report.likely(Topic::RunCommand, &run, file);
    let reads = source::variables(file, &text);
    let mut application = Application {
        kind: if is_web { "aspnet" } else { "dotnet" }.to_owned(),
        language: "csharp".to_owned(),
        entrypoint: Some(file.to_owned()),
        build_commands: vec![build],
        run_command: Some(run),
        package_manager: Some("nuget".to_owned()),
        artifacts: vec![OUTPUT.to_owned()],
        env: environment::told(&reads, &mut report),
        ..Application::default()
    };
    if is_web {
        let port = source::port(sources, &[(file, text)], &reads)
            .unwrap_or_else(|| Port::usual(PORT, "the image's default"));
        application.ports = vec![report.port(&port)];
    }
    let image = if is_web { "aspnet" } else { "runtime" };
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
