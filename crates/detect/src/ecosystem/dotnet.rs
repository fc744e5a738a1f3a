//! .NET: C#, F# and Visual Basic, by their project files.

mod project;
mod published;
mod script;
mod source;

use ergon_manifest::{Application, Health};

use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, Toolchain,
    UsualRuntime, counted, probe_by_bash,
};
use crate::analysis::Topic;
use crate::environment;
use crate::plan::shell_quoted;
use crate::sources::Sources;
use crate::web_server::{self, Fallback};
use crate::{names, services};
use project::Project;

/// The oldest that is still looked after.
const USUAL: UsualRuntime = UsualRuntime {
    name: "dotnet",
    label: ".NET",
    version: "8.0",
    remedy: "write <TargetFramework>net8.0</TargetFramework> into the project file",
};

/// Where `dotnet publish` is told to put the program.
const OUTPUT: &str = "out";
/// What brings Node's package manager, for pages that are built along.
const NODE: [&str; 2] = ["nodejs", "npm"];
/// Where the images have web programs listen.
const PORT: u16 = 8080;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: ".NET",
    languages: &["csharp", "fsharp", "visualbasic", "dotnet", "vb"],
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
    if web_server::serves(program.application) {
        return web_server::packing(Some(toolchain));
    }
    let is_web = program.starts_from("aspnet");
    Packing {
        toolchain: (!program.starts_from("sdk")).then_some(toolchain),
        only_builds: &NODE,
        env: image_env(program, is_web),
        probe: is_web.then_some(probe_by_bash),
        ..Packing::default()
    }
}

/// Publishing puts a program's settings beside it, and hosts look for them in the working directory; the port is
/// said because older images have one that only root may listen on.
fn image_env(program: &Packed<'_>, is_web: bool) -> Vec<(&'static str, String)> {
    let application = program.application;
    let mut env = Vec::new();
    if is_web || application.kind == "aspnet" {
        let port = application.ports.first().copied().unwrap_or(PORT);
        let (_, tag) = program.base_image.rsplit_once(':').unwrap_or_default();
        let major: Option<u32> = tag
            .split(['.', '-'])
            .next()
            .and_then(|one| one.parse().ok());
        env.push(if major.is_some_and(|major| major < 8) {
            ("ASPNETCORE_URLS", format!("http://+:{port}"))
        } else {
            ("ASPNETCORE_HTTP_PORTS", port.to_string())
        });
    }
    let published = application.artifacts.iter().any(|folder| folder == OUTPUT);
    if published && (is_web || application.kind == "worker") {
        let root = match &application.path {
            Some(path) => format!("/app/{path}/{OUTPUT}"),
            None => format!("/app/{OUTPUT}"),
        };
        let name = if is_web {
            "ASPNETCORE_CONTENTROOT"
        } else {
            "DOTNET_CONTENTROOT"
        };
        env.push((name, root));
    }
    env
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
        if solution.is_none() {
            return published::detect(sources).or_else(|| script::detect(sources));
        }
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
    // A server of the project hands out the pages itself.
    if projects.iter().any(Project::is_web) {
        projects.retain(|project| !project.is_page());
    }
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
    let (language, label) = match project.file.rsplit_once('.') {
        Some((_, "fsproj")) => ("fsharp", "F#"),
        Some((_, "vbproj")) => ("visualbasic", "Visual Basic"),
        _ => ("csharp", "C#"),
    };
    report.certain(Topic::Language, label, &project.file);
    let kind = kind(&project, &mut report);
    let target = target(sources, &project);
    let tools = tools(sources);
    let claims = ordered(target.clone(), tools.as_ref());
    let runtime = report.runtime(&USUAL, claims);
    let mut application = Application {
        kind: kind.to_owned(),
        language: language.to_owned(),
        dependencies: Some(project.file.clone()),
        package_manager: Some("nuget".to_owned()),
        ..Application::default()
    };
    report.certain(Topic::PackageManager, "NuGet", &project.file);
    dependencies(sources, &project, &mut report);
    if project.is_windows {
        report.ask(
            "How is it started? It is made for the .NET Framework, which runs on Windows alone.",
            "write its project file anew, with <TargetFramework>net8.0</TargetFramework>",
        );
    }
    if project.runs() {
        if project.builds_with_node {
            for package in NODE {
                report
                    .likely(Topic::SystemPackage, package, &project.file)
                    .note("its build runs npm");
                application.system_packages.push(package.to_owned());
            }
        }
        let closed = tools.as_ref().filter(|tools| tools.closed);
        build(&project, closed, &mut application, &mut report);
        if project.is_page() {
            serve(&project, &mut application, &mut report);
        } else {
            start(&project, &mut application, &mut report);
        }
    }
    let texts = sources.program_texts(&["cs", "fs", "vb"]);
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::variables(path, text))
        .collect();
    application
        .env
        .extend(environment::told(&reads, &mut report));
    if project.is_web() {
        let port = source::port(sources, &texts, &reads)
            .unwrap_or_else(|| Port::usual(PORT, "the image's default"));
        application.ports = vec![report.port(&port)];
        source::ask(sources, &texts, &mut report);
        let routes: Vec<_> = texts
            .iter()
            .flat_map(|(path, text)| source::routes(path, text))
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
    let image = if project.is_web() {
        "aspnet"
    } else {
        "runtime"
    };
    // What builds it may be newer than what runs it.
    let runs = target
        .as_ref()
        .map_or(&runtime.version, |claim| &claim.version);
    let base_image = if project.is_page() {
        web_server::BASE_IMAGE.to_owned()
    } else {
        format!("mcr.microsoft.com/dotnet/{image}:{runs}")
    };
    application.runtime = Some(runtime);
    Some(Found {
        strength: match (project.runs(), project.is_web() || project.is_page()) {
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
    let frameworks = [
        ("Giraffe", "giraffe"),
        ("Saturn", "saturn"),
        ("Falco", "falco"),
    ];
    let used = frameworks.iter().find(|(name, _)| project.uses(name));
    let (kind, label) = if let Some((label, kind)) = used {
        (*kind, *label)
    } else if project.is_page() {
        ("blazor", "Blazor WebAssembly")
    } else if project.is_web() {
        ("aspnet", "ASP.NET Core")
    } else if project.is_worker() {
        return "worker";
    } else {
        return "dotnet";
    };
    report.certain(Topic::Framework, label, format!("{}:1", project.file));
    kind
}

/// The framework that the program is made for, which is what runs it.
fn target(sources: &Sources<'_>, project: &Project) -> Option<Claim> {
    let of = |project: &Project| {
        let (major, minor) = project::number(project.newest()?)?;
        let (_, from) = project.framework.as_ref()?;
        Some(Claim::exactly(format!("{major}.{minor}"), from.clone()))
    };
    of(project).or_else(|| {
        let file = sources.nearest(&["Directory.Build.props"])?;
        of(&Project::read(sources, &file)?)
    })
}

/// The tools that `global.json` asks for.
struct Tools {
    claim: Claim,
    /// No other than those of this very version's hundred will do.
    closed: bool,
    file: String,
}

fn tools(sources: &Sources<'_>) -> Option<Tools> {
    let file = sources.nearest(&["global.json"])?;
    let document = sources.document(&file)?;
    let keys = ["sdk", "version"];
    let version = document.text(&keys)?;
    let (major, minor) = project::number(&format!("net{}", two(version)))?;
    let policy = document.text(&["sdk", "rollForward"]).unwrap_or("");
    let closed = matches!(policy, "" | "disable" | "patch" | "latestPatch");
    Some(Tools {
        claim: Claim::range(version, format!("{major}.{minor}"), document.from(&keys)),
        // Other settings of the file would go with it.
        closed: closed && document.get(&["msbuild-sdks"]).is_none(),
        file,
    })
}

/// The tools decide what builds the program, unless they are too old for it.
fn ordered(target: Option<Claim>, tools: Option<&Tools>) -> Vec<Claim> {
    let number = |claim: &Claim| project::number(&format!("net{}", claim.version));
    let tools = tools.map(|tools| tools.claim.clone());
    let too_old = match (&target, &tools) {
        (Some(target), Some(tools)) => number(tools) < number(target),
        _ => false,
    };
    if too_old {
        let remedy = |target: &Claim, tools: &Claim| {
            let (file, line) = tools.from.rsplit_once(':').unwrap_or((&tools.from, "1"));
            let version = &target.version;
            format!("in {file}, line {line}, write {version}.100 as the version of the SDK")
        };
        let settled = target.as_ref().zip(tools);
        let tools = settled.map(|(target, tools)| {
            let remedy = remedy(target, &tools);
            tools.settled_by(remedy)
        });
        let target =
            target.map(|target| target.by("what is too old for the program cannot build it"));
        target.into_iter().chain(tools).collect()
    } else {
        tools.into_iter().chain(target).collect()
    }
}

/// `8.0` of `8.0.100`.
fn two(version: &str) -> String {
    let parts: Vec<_> = version.splitn(3, '.').take(2).collect();
    parts.join(".")
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

fn build(
    project: &Project,
    closed: Option<&Tools>,
    application: &mut Application,
    report: &mut Report,
) {
    if let Some(tools) = closed {
        let command = format!("rm -f {}", shell_quoted(&tools.file));
        report
            .likely(Topic::BuildCommand, &command, &tools.claim.from)
            .note("the image has the newest tools of this version, which it would refuse");
        application.build_commands.push(command);
    }
    let file = shell_quoted(&project.file);
    let framework = project
        .newest()
        .filter(|_| project.has_several())
        .map(|framework| format!(" -f {}", shell_quoted(framework)))
        .unwrap_or_default();
    let build = [
        format!("dotnet restore {file}"),
        format!("dotnet publish {file} --no-restore -c Release{framework} -o {OUTPUT}"),
    ];
    for command in build {
        report.likely(Topic::BuildCommand, &command, &project.file);
        application.build_commands.push(command);
    }
}

fn start(project: &Project, application: &mut Application, report: &mut Report) {
    let program = project.program();
    let run = if project.has_host() {
        format!("./{OUTPUT}/{}", shell_quoted(&program))
    } else {
        let library = format!("{program}.dll");
        format!("dotnet {OUTPUT}/{}", shell_quoted(&library))
    };
    report
        .likely(Topic::RunCommand, &run, &project.file)
        .note(format!("what `dotnet publish` makes of {}", project.file));
    application.run_command = Some(run);
    application.artifacts = vec![OUTPUT.to_owned()];
}

/// Has a web server serve what runs in the browser.
fn serve(project: &Project, application: &mut Application, report: &mut Report) {
    let folder = format!("{OUTPUT}/wwwroot");
    let configure = web_server::configure(&folder, Fallback::Page);
    report
        .likely(Topic::BuildCommand, &configure, &project.file)
        .note(format!("`dotnet publish` leaves its pages in {folder}"));
    web_server::serve(configure, application);
    application.artifacts = vec![folder, web_server::CONFIG_FILE.to_owned()];
    report
        .likely(Topic::RunCommand, web_server::RUN_COMMAND, &project.file)
        .note("it runs in the browser");
    report.port(&Port::usual(web_server::PORT, "the web server's own"));
}
