//! Go: modules.

mod embed;
mod lock;
mod module;
mod native;
mod outgoing;
mod programs;
mod source;

use ergon_manifest::Application;

use self::module::Module;
use self::programs::Main;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, Toolchain,
    UsualRuntime, counted, kept, loopback, probe_by_bash,
};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::Sources;
use crate::version_files;
use crate::{environment, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "go",
    label: "Go",
    version: "1.19",
    remedy: "go mod edit -go=1.19",
};

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Go",
    languages: &["go", "golang"],
    looks_for: "Go: go.mod or go.work with a main package, or main.go",
    markers: &["go.mod"],
    detect,
    droppings: &[],
    packing,
};

/// The image with this Go, of the newest Debian that there is one of.
fn image(version: &str) -> String {
    /// From which patch of a Go on there is one of each.
    const BULLSEYE: [(u32, u32); 6] = [(15, 15), (16, 7), (17, 0), (18, 0), (19, 0), (20, 0)];
    const BOOKWORM: [(u32, u32); 2] = [(19, 10), (20, 5)];
    let parts: Vec<u32> = version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    let is_plain = parts.len() == version.split('.').count();
    let minor = match parts[..] {
        [1, minor, ..] if minor < 21 => minor,
        _ => return format!("golang:{version}-bookworm"),
    };
    let since = |known: &[(u32, u32)]| {
        let from = known.iter().find(|(of, _)| *of == minor);
        from.is_some_and(|(_, first)| parts.get(2).is_none_or(|patch| patch >= first) && is_plain)
    };
    let release = if since(&BOOKWORM) {
        "bookworm"
    } else if since(&BULLSEYE) || minor > 16 {
        "bullseye"
    } else {
        "buster"
    };
    // The first one was not called 1.20.0 then.
    let first = version.strip_suffix(".0").filter(|_| parts.len() == 3);
    format!("golang:{}-{release}", first.unwrap_or(version))
}

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: image(program.version(USUAL.version)),
        // Build paths and version-control state stay out of programs, and what one step has fetched
        // is there for the next.
        env: vec![
            ("GOCACHE", "/tmp/go-cache".to_owned()),
            ("GOFLAGS", "-trimpath -buildvcs=false".to_owned()),
            ("GOPATH", "/go".to_owned()),
        ],
        source_only: &[
            "**/*.go",
            "go.mod",
            "go.sum",
            "go.work",
            "go.work.sum",
            "vendor",
        ],
    };
    Packing {
        env: path(program),
        toolchain: (!program.starts_from("golang")).then_some(toolchain),
        probe: Some(probe_by_bash),
        ..Packing::default()
    }
}

/// Platforms put what they build on the path, and a `Procfile` may name it so.
fn path(program: &Packed<'_>) -> Vec<(&'static str, String)> {
    let run = program.application.run_command.as_deref().unwrap_or("");
    let words: Vec<_> = run
        .split_whitespace()
        .skip_while(|word| word.contains('='))
        .collect();
    let Some(name) = words.first().filter(|name| !name.contains('/')) else {
        return Vec::new();
    };
    let makes = |command: &String| {
        let words: Vec<_> = command.split_whitespace().collect();
        words.windows(2).any(|pair| pair == ["-o", *name])
    };
    if program.application.build_commands.iter().any(makes) {
        vec![("PATH", program.path(&[""]))]
    } else {
        Vec::new()
    }
}

/// What the program is called in its image, whatever the module is called.
const PROGRAM: &str = "out";

/// A web framework by its module, and the port it takes by itself.
struct Framework {
    module: &'static str,
    kind: &'static str,
    label: &'static str,
    port: Option<u16>,
}

const FRAMEWORKS: [Framework; 13] = [
    Framework {
        module: "github.com/gin-gonic/gin",
        kind: "gin",
        label: "Gin",
        port: Some(8080),
    },
    Framework {
        module: "github.com/labstack/echo",
        kind: "echo",
        label: "Echo",
        port: None,
    },
    Framework {
        module: "github.com/gofiber/fiber",
        kind: "fiber",
        label: "Fiber",
        port: None,
    },
    Framework {
        module: "github.com/go-chi/chi",
        kind: "chi",
        label: "chi",
        port: None,
    },
    Framework {
        module: "github.com/kataras/iris",
        kind: "iris",
        label: "Iris",
        port: None,
    },
    Framework {
        module: "github.com/beego/beego",
        kind: "beego",
        label: "Beego",
        port: Some(8080),
    },
    Framework {
        module: "github.com/astaxie/beego",
        kind: "beego",
        label: "Beego",
        port: Some(8080),
    },
    Framework {
        module: "github.com/gobuffalo/buffalo",
        kind: "buffalo",
        label: "Buffalo",
        port: Some(3000),
    },
    Framework {
        module: "github.com/julienschmidt/httprouter",
        kind: "httprouter",
        label: "HttpRouter",
        port: None,
    },
    Framework {
        module: "github.com/valyala/fasthttp",
        kind: "fasthttp",
        label: "fasthttp",
        port: None,
    },
    Framework {
        module: "github.com/pocketbase/pocketbase",
        kind: "pocketbase",
        label: "PocketBase",
        port: Some(8090),
    },
    Framework {
        module: "google.golang.org/grpc",
        kind: "grpc",
        label: "gRPC",
        port: Some(50051),
    },
    Framework {
        module: "github.com/gorilla/mux",
        kind: "gorilla",
        label: "gorilla/mux",
        port: None,
    },
];

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let marker = sources
        .first_of(&["go.mod", "go.work", "main.go"])
        .or_else(|| sources.name_ending(".go"))?;
    let file = if marker == "go.work" {
        marker
    } else {
        "go.mod"
    };
    let module = sources
        .text(file)
        .map(|text| Module::parse(&text))
        .unwrap_or_default();
    let mut report = Report::default();
    report.certain(Topic::Language, "Go", marker);
    let texts = sources.program_texts(&["go"]);
    let mains = programs::mains(&texts);
    let main = if marker == "go.work" && is_each(&module, &mains) {
        None
    } else {
        programs::choose(sources, &mains, &texts, &module, &mut report)
    };
    let texts = match &main {
        Some(main) => programs::parts(texts, main, &mains, &module),
        None => texts,
    };
    let name = module.name();

    // Who only calls others by it serves nobody.
    let answers_calls = || {
        texts
            .iter()
            .any(|(_, text)| text.contains("grpc.NewServer("))
    };
    let framework = FRAMEWORKS.iter().find_map(|framework| {
        let required = module.requires.iter().find(|(path, ..)| {
            path.strip_prefix(framework.module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        (framework.kind != "grpc" || answers_calls()).then_some((framework, required))
    });
    let serves = texts.iter().find_map(|(path, text)| {
        let scan = ["ListenAndServe", "http.Serve"]
            .iter()
            .find_map(|call| Scan::behind(text, call, source::COMMENT).next())?;
        Some(format!("{path}:{}", scan.line()))
    });
    if let Some((framework, (_, version, line))) = framework {
        let version = version
            .trim_start_matches('v')
            .splitn(3, '.')
            .take(2)
            .collect::<Vec<_>>()
            .join(".");
        report.certain(
            Topic::Framework,
            format!("{} {version}", framework.label),
            format!("go.mod:{line}"),
        );
    } else if let Some(from) = &serves {
        report
            .certain(Topic::Framework, "net/http", from)
            .note("the standard library");
    }
    let runtime = report.runtime(&USUAL, claims(sources, &module, file));

    let mut application = Application {
        kind: framework
            .map_or("go", |(framework, _)| framework.kind)
            .to_owned(),
        language: "go".to_owned(),
        dependencies: (file == marker).then(|| file.to_owned()),
        package_manager: Some("go".to_owned()),
        ..Application::default()
    };
    dependencies(sources, &module, &mut application, &mut report);
    if let Some(main) = &main {
        let native = native::packages(&module, &texts, &mut report);
        let c = if native.is_some() { "1" } else { "0" };
        application.system_packages = native.unwrap_or_default();
        // Without a module there are only files.
        let package = if file == marker {
            shell_quoted(&main.package)
        } else {
            let files = texts.iter().filter(|(path, _)| !path.contains('/'));
            let files: Vec<_> = files.map(|(path, _)| shell_quoted(path)).collect();
            files.join(" ")
        };
        let build = format!("CGO_ENABLED={c} go build -o {PROGRAM} {package}");
        let run = match framework {
            // Without a word it only says what it could do.
            Some((framework, _)) if framework.kind == "pocketbase" => {
                format!("./{PROGRAM} serve --http=0.0.0.0:${{PORT:-8090}}")
            }
            _ => format!("./{PROGRAM}"),
        };
        report
            .likely(Topic::BuildCommand, &build, &main.from)
            .note(match &main.because {
                Some(place) => format!("{place} builds it"),
                None => format!("{} is the main package", main.from),
            });
        report
            .likely(Topic::RunCommand, &run, &main.from)
            .note(format!("built from {}", main.package));
        application.entrypoint = Some(main.file.clone());
        application.build_commands.push(build);
        application.run_command = Some(run);
    }
    embed::ask(sources, &texts, &mut report);
    let mut reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    if let Some((framework, (_, _, line))) = framework
        && framework.kind == "pocketbase"
    {
        reads.push(Read {
            name: "PORT".to_owned(),
            need: Need::Default("8090".to_owned()),
            from: format!("go.mod:{line}"),
        });
    }
    let serves = serves.is_some() || framework.is_some();
    if main.is_some() && serves {
        let usual = || match framework
            .and_then(|(framework, _)| Some((framework.label, framework.port?)))
        {
            Some((label, port)) => Port::usual(port, &format!("{label}'s default")),
            None => Port::usual(8080, "usual for Go"),
        };
        application.ports = vec![report.port(&source::port(&texts, &reads).unwrap_or_else(usual))];
        loopback::ask(sources, &texts, &source::LISTENING, &mut report);
        let routes: Vec<_> = texts
            .iter()
            .flat_map(|(path, text)| source::routes(path, text))
            .collect();
        application.health = report.health(&routes);
    }
    application.env = environment::told(&reads, &mut report);
    let required = module
        .requires
        .iter()
        .map(|(path, _, line)| (path.as_str(), format!("go.mod:{line}")));
    application.services = services::of_dependencies(services::Packages::Go, required, &mut report);
    if main.is_some() {
        outgoing::certificates(&module, &texts, &mut application, &mut report);
        let kind = application.kind.as_str();
        let usual = source::usual(kind, &module);
        application.artifacts = kept::artifacts(sources, &texts, PROGRAM, &source::READING, &usual);
    }
    application.runtime = Some(runtime);

    let strength = match (&main, serves) {
        (None, _) => Strength::Sources,
        (Some(_), false) => Strength::Program,
        (Some(_), true) => Strength::Framework,
    };
    let base_image = "debian:bookworm-slim".to_owned();
    Some(Found {
        strength,
        name,
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// What says which Go: files for a version manager, then the module.
fn claims(sources: &Sources<'_>, module: &Module, file: &str) -> Vec<Claim> {
    let named = version_files::claims(sources, &[".go-version"], &["go", "golang"]);
    let module = module
        .heroku
        .iter()
        .chain(&module.go)
        .map(|(version, line)| Claim::exactly(version, format!("{file}:{line}")).at_least());
    named.chain(module).chain(of_older_tools(sources)).collect()
}

/// What Heroku was told before there were modules: `heroku: {goVersion: go1.18}` in `vendor/vendor.json`, and
/// `[metadata.heroku]` in `Gopkg.toml`.
fn of_older_tools(sources: &Sources<'_>) -> Option<Claim> {
    const PLACES: [(&str, &[&str]); 2] = [
        ("vendor/vendor.json", &["heroku", "goVersion"]),
        ("Gopkg.toml", &["metadata", "heroku", "go-version"]),
    ];
    PLACES.iter().find_map(|(file, keys)| {
        let document = sources
            .has(file)
            .then(|| sources.document(file))
            .flatten()?;
        let version = document.text(keys)?.trim_start_matches("go");
        version_files::is_dotted(version).then(|| Claim::exactly(version, document.from(keys)))
    })
}

/// Whether several of a workspace's modules are programs, each of its own.
fn is_each(workspace: &Module, mains: &[Main]) -> bool {
    let programs = workspace.uses.iter().filter(|folder| {
        mains
            .iter()
            .any(|main| !main.is_beside() && main.is_in(folder))
    });
    programs.count() > 1
}

fn dependencies(
    sources: &Sources<'_>,
    module: &Module,
    application: &mut Application,
    report: &mut Report,
) {
    if application.dependencies.is_none() {
        return;
    }
    report.certain(Topic::PackageManager, "go", "go.mod");
    let count = module.requires.len();
    report.certain(Topic::Dependencies, counted(count, "module"), "go.mod");
    // Of a workspace all is resolved, whichever of it is built.
    let workspace = sources.nearest(&["go.work"]);
    let state = lock::report(sources, module, report);
    if (count > 0 || workspace.is_some()) && !sources.has("vendor/modules.txt") {
        let from = workspace.as_deref().filter(|_| count == 0);
        let from = from.unwrap_or("go.mod");
        let command = if state == LockState::Locked || workspace.is_some() {
            report.certain(Topic::BuildCommand, "go mod download", from);
            "go mod download"
        } else {
            report
                .likely(Topic::BuildCommand, "go mod tidy", from)
                .note("without the hash of every module nothing is built");
            "go mod tidy"
        };
        application.build_commands.push(command.to_owned());
    }
}
