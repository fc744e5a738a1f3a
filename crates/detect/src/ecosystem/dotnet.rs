//! .NET: C# and F#, by their project files.

use ergon_manifest::{Application, Health};

use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, Toolchain,
    UsualRuntime, counted,
};
use crate::analysis::Topic;
use crate::environment::{self, Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{Route, Scan};
use crate::sources::Sources;
use crate::{names, services};

/// The oldest that is still looked after.
const USUAL: UsualRuntime = UsualRuntime {
    name: "dotnet",
    label: ".NET",
    version: "8.0",
    remedy: "write <TargetFramework>net8.0</TargetFramework> into the project file",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: ".NET",
    languages: &["csharp", "fsharp", "dotnet", "vb"],
    looks_for: ".NET: a .csproj, .fsproj or .vbproj file",
    markers: &["*.csproj", "*.fsproj", "*.vbproj"],
    detect,
    droppings: &["**/bin", "**/obj"],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    let version = program.version(USUAL.version);
    let tag: Vec<_> = version.splitn(3, '.').take(2).collect();
    let toolchain = Toolchain {
        image: format!("mcr.microsoft.com/dotnet/sdk:{}", tag.join(".")),
        env: vec![
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1".to_owned()),
            ("DOTNET_NOLOGO", "1".to_owned()),
        ],
        source_only: &[],
    };
    Packing {
        toolchain: (!program.starts_from("sdk")).then_some(toolchain),
        ..Packing::default()
    }
}

/// A project file, read.
struct Project {
    file: String,
    sdk: String,
    framework: Option<(String, String)>,
    assembly: Option<String>,
    output: Option<String>,
    /// Packages and where each is listed.
    packages: Vec<(String, String)>,
}

impl Project {
    fn read(sources: &Sources<'_>, file: &str) -> Option<Self> {
        let text = sources.text(file)?;
        let document = sources.xml(file, &text)?;
        let root = document.root_element();
        let place = |node: &roxmltree::Node<'_, '_>| {
            let row = document.text_pos_at(node.range().start).row;
            format!("{file}:{row}")
        };
        let property = |name: &str| {
            root.descendants()
                .find(|node| node.has_tag_name(name))
                .and_then(|node| Some((node.text()?.trim().to_owned(), place(&node))))
                .filter(|(value, _)| !value.is_empty() && !value.contains("$("))
        };
        let packages = root
            .descendants()
            .filter(|node| node.has_tag_name("PackageReference"))
            .filter_map(|node| Some((node.attribute("Include")?.to_owned(), place(&node))))
            .collect();
        Some(Self {
            file: file.to_owned(),
            sdk: root.attribute("Sdk").unwrap_or("").to_owned(),
            framework: property("TargetFramework").or_else(|| property("TargetFrameworks")),
            assembly: property("AssemblyName").map(|(name, _)| name),
            output: property("OutputType").map(|(kind, _)| kind),
            packages,
        })
    }

    fn is_web(&self) -> bool {
        self.sdk.ends_with(".Web")
    }

    fn runs(&self) -> bool {
        self.is_web()
            || self.sdk.ends_with(".Worker")
            || self
                .output
                .as_deref()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("exe"))
    }

    fn is_test(&self) -> bool {
        let is = |name: &str| self.packages.iter().any(|(package, _)| package == name);
        is("Microsoft.NET.Test.Sdk") || is("xunit") || is("NUnit")
    }

    /// What `dotnet publish` calls the program.
    fn program(&self) -> String {
        let stem = self.file.rsplit('/').next().unwrap_or(&self.file);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        self.assembly.clone().unwrap_or_else(|| stem.to_owned())
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let is_project = |name: &str| {
        [".csproj", ".fsproj", ".vbproj"]
            .iter()
            .any(|ending| name.ends_with(ending))
    };
    let here: Vec<_> = sources.names().filter(|name| is_project(name)).collect();
    // A solution says where its projects are; a project beside it says itself.
    let solution = sources
        .name_ending(".sln")
        .or_else(|| sources.name_ending(".slnx"));
    let files = if here.is_empty() {
        solution?;
        let below = sources.files().iter().copied();
        below.filter(|path| is_project(path)).take(50).collect()
    } else {
        here
    };
    let mut projects: Vec<_> = files
        .iter()
        .filter_map(|file| Project::read(sources, file))
        .filter(|project| !project.is_test())
        .collect();
    projects.sort_by_key(|project| (!project.is_web(), !project.runs()));
    let started: Vec<_> = projects
        .iter()
        .filter(|project| project.runs())
        .map(|project| project.file.clone())
        .collect();
    // Several programs of one solution stand for themselves, each in its folder.
    let delegates = solution.is_some() && started.len() > 1;
    let project = projects.into_iter().next()?;

    let mut report = Report::default();
    let fsharp = project.file.ends_with(".fsproj");
    let (language, label) = if fsharp {
        ("fsharp", "F#")
    } else {
        ("csharp", "C#")
    };
    report.certain(Topic::Language, label, &project.file);
    let kind = kind(&project, &mut report);
    let runtime = report.runtime(&USUAL, claims(sources, &project));
    let mut application = Application {
        kind: kind.to_owned(),
        language: language.to_owned(),
        dependencies: Some(project.file.clone()),
        package_manager: Some("nuget".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "NuGet", &project.file);
    dependencies(sources, &project, &mut report);
    if project.runs() {
        commands(&project, &mut application, &mut report);
    }
    let texts = sources.program_texts(&["cs", "fs"]);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| variables(path, text))
        .collect();
    application.env = environment::told(&reads, &mut report);
    if project.is_web() {
        let port = Port::usual(8080, "the image's default");
        application.ports = vec![report.port(&port)];
        let routes: Vec<_> = texts
            .iter()
            .flat_map(|(path, text)| routes(path, text))
            .collect();
        application.health = report.health(&routes).map(|health| Health {
            port: None,
            ..health
        });
    }
    let listed = project
        .packages
        .iter()
        .map(|(name, from)| (name.as_str(), from.clone()));
    application.services =
        services::of_dependencies(services::Packages::Dotnet, listed, &mut report);
    let tag: Vec<_> = runtime.version.splitn(3, '.').take(2).collect();
    let image = if project.is_web() {
        "aspnet"
    } else {
        "runtime"
    };
    let base_image = format!("mcr.microsoft.com/dotnet/{image}:{}", tag.join("."));
    application.runtime = Some(runtime);
    Some(Found {
        strength: match (project.runs(), project.is_web()) {
            (false, _) => Strength::Sources,
            (true, false) => Strength::Program,
            (true, true) => Strength::Framework,
        },
        name: names::from_package(&project.program()),
        application,
        base_image,
        delegates,
        report,
    })
}

fn kind(project: &Project, report: &mut Report) -> &'static str {
    let uses = |name: &str| {
        project
            .packages
            .iter()
            .any(|(package, _)| package.starts_with(name))
    };
    let (kind, label) = if uses("Giraffe") {
        ("giraffe", "Giraffe")
    } else if project.sdk.ends_with("BlazorWebAssembly") {
        ("blazor", "Blazor")
    } else if project.is_web() {
        ("aspnet", "ASP.NET Core")
    } else {
        return "dotnet";
    };
    report.certain(Topic::Framework, label, format!("{}:1", project.file));
    kind
}

/// The target framework says what runs it; `global.json` says only which tools build it.
fn claims(sources: &Sources<'_>, project: &Project) -> Vec<Claim> {
    let number = |framework: &str| {
        let newest = framework.split(';').next_back().unwrap_or(framework);
        let version = newest
            .strip_prefix("netcoreapp")
            .or_else(|| newest.strip_prefix("net"))?;
        let version = version.split('-').next().unwrap_or(version);
        (version.contains('.') && version.split('.').all(|part| part.parse::<u32>().is_ok()))
            .then(|| version.to_owned())
    };
    let target = project
        .framework
        .as_ref()
        .and_then(|(framework, from)| Some(Claim::exactly(number(framework)?, from.clone())));
    let shared = || {
        let file = sources.nearest(&["Directory.Build.props"])?;
        let props = Project::read(sources, &file)?;
        let (framework, from) = props.framework?;
        Some(Claim::exactly(number(&framework)?, from))
    };
    let tools = || {
        let file = sources.nearest(&["global.json"])?;
        let document = sources.document(&file)?;
        let version = document.text(&["sdk", "version"])?;
        let two: Vec<_> = version.splitn(3, '.').take(2).collect();
        Some(Claim::range(
            version,
            two.join("."),
            document.from(&["sdk", "version"]),
        ))
    };
    target.or_else(shared).or_else(tools).into_iter().collect()
}

fn dependencies(sources: &Sources<'_>, project: &Project, report: &mut Report) {
    report.certain(
        Topic::Dependencies,
        counted(project.packages.len(), "package"),
        &project.file,
    );
    let folder = project
        .file
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let lock = if folder.is_empty() {
        "packages.lock.json".to_owned()
    } else {
        format!("{folder}/packages.lock.json")
    };
    let is_pinned = project.packages.is_empty() || sources.has(&lock);
    if is_pinned {
        report.lock(LockState::Locked, &lock, "every package is pinned");
        report.certain(Topic::Pinned, "yes", &project.file);
    } else {
        report.lock(LockState::Missing, &lock, format!("there is no {lock}"));
        report
            .certain(Topic::Pinned, "no", &project.file)
            .note("what packages bring along is chosen at each restore");
        report.ask(
            format!("Which packages exactly? there is no {lock}."),
            "dotnet restore --use-lock-file, and commit packages.lock.json",
        );
    }
}

fn commands(project: &Project, application: &mut Application, report: &mut Report) {
    let file = shell_quoted(&project.file);
    let build = [
        format!("dotnet restore {file}"),
        format!("dotnet publish {file} --no-restore -c Release -o out"),
    ];
    for command in build {
        report.likely(Topic::BuildCommand, &command, &project.file);
        application.build_commands.push(command);
    }
    let run = format!("./out/{}", shell_quoted(&project.program()));
    report
        .likely(Topic::RunCommand, &run, &project.file)
        .note(format!("what `dotnet publish` makes of {}", project.file));
    application.run_command = Some(run);
    application.artifacts = vec!["out".to_owned()];
}

fn variables(path: &str, text: &str) -> Vec<Read> {
    let found = Scan::behind(text, "GetEnvironmentVariable", &["//", "*"]);
    found
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            if !scan.eat("(") {
                return None;
            }
            let name = scan.string(&['"'])?.to_owned();
            let need = if scan.eat(")") && scan.eat("??") {
                scan.string(&['"'])
                    .map_or(Need::Optional, |default| Need::Default(default.to_owned()))
            } else {
                Need::Optional
            };
            Some(Read { name, need, from })
        })
        .collect()
}

fn routes(path: &str, text: &str) -> Vec<Route> {
    let words = ["MapGet", "MapHealthChecks", "route"];
    words
        .into_iter()
        .flat_map(|word| Scan::behind(text, word, &["//", "*"]))
        .filter_map(|mut scan| {
            let from = format!("{path}:{}", scan.line());
            let route = scan
                .eat("(")
                .then(|| scan.string(&['"']))
                .flatten()
                .or_else(|| scan.string(&['"']))?;
            Some(Route {
                path: route.to_owned(),
                from,
            })
        })
        .collect()
}
