//! Go: modules.

mod module;
mod source;

use ergon_manifest::Application;

use self::module::Module;
use super::{
    Claim, Ecosystem, Found, LockState, Packed, Packing, Port, Report, Strength, Toolchain,
    UsualRuntime, counted,
};
use crate::analysis::Topic;
use crate::plan::shell_quoted;
use crate::scan::Scan;
use crate::sources::{Sources, Text};
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

fn packing(program: &Packed<'_>) -> Packing {
    let toolchain = Toolchain {
        image: format!("golang:{}-bookworm", program.version(USUAL.version)),
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
        toolchain: (!program.starts_from("golang")).then_some(toolchain),
        ..Packing::default()
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

const FRAMEWORKS: [Framework; 5] = [
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
    let name = module.name();

    let framework = FRAMEWORKS.iter().find_map(|framework| {
        let required = module.requires.iter().find(|(path, ..)| {
            path.strip_prefix(framework.module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        Some((framework, required))
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
    let main = main_package(&texts, name.as_deref(), &mut report);

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
        let c = if uses_c(&module, &texts) { "1" } else { "0" };
        // Without a module there are only files.
        let package = if file == marker {
            shell_quoted(&main.package)
        } else {
            let files = texts.iter().filter(|(path, _)| !path.contains('/'));
            let files: Vec<_> = files.map(|(path, _)| shell_quoted(path)).collect();
            files.join(" ")
        };
        let build = format!("CGO_ENABLED={c} go build -o {PROGRAM} {package}");
        let run = format!("./{PROGRAM}");
        report
            .likely(Topic::BuildCommand, &build, &main.from)
            .note(format!("{} is the main package", main.from));
        report
            .likely(Topic::RunCommand, &run, &main.from)
            .note(format!("built from {}", main.package));
        application.entrypoint = Some(main.file.clone());
        application.build_commands.push(build);
        application.run_command = Some(run);
    }
    let reads: Vec<_> = texts
        .iter()
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    let serves = serves.is_some() || framework.is_some();
    if main.is_some() && serves {
        let usual = || match framework
            .and_then(|(framework, _)| Some((framework.label, framework.port?)))
        {
            Some((label, port)) => Port::usual(port, &format!("{label}'s default")),
            None => Port::usual(8080, "usual for Go"),
        };
        application.ports = vec![report.port(&source::port(&texts, &reads).unwrap_or_else(usual))];
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
    if file == marker {
        pinned(sources, &module, &mut report);
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
        .go
        .iter()
        .map(|(version, line)| Claim::exactly(version, format!("{file}:{line}")));
    named.chain(module).collect()
}

/// Whether the program has C in it: its own, or that of a module which is known for it.
fn uses_c(module: &Module, texts: &[Text<'_>]) -> bool {
    const MODULES: [&str; 4] = [
        "github.com/mattn/go-sqlite3",
        "github.com/confluentinc/confluent-kafka-go",
        "github.com/h2non/bimg",
        "github.com/davidbyttow/govips",
    ];
    let required = module.requires.iter().any(|(path, ..)| {
        MODULES.iter().any(|known| {
            path.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    });
    required || texts.iter().any(|(_, text)| text.contains("import \"C\""))
}

/// The package that becomes the program.
struct Main {
    /// As `go build` takes it: `.`, `./cmd/web`.
    package: String,
    file: String,
    /// Where its `main` is.
    from: String,
}

fn main_package(texts: &[Text<'_>], name: Option<&str>, report: &mut Report) -> Option<Main> {
    let mut mains: Vec<Main> = texts
        .iter()
        .filter(|(_, text)| {
            text.lines()
                .any(|line| line.split("//").next().unwrap_or("").trim() == "package main")
        })
        .filter_map(|(path, text)| {
            let scan = Scan::behind(text, "func main", source::COMMENT)
                .find(|scan| scan.rest().starts_with('('))?;
            let package = path
                .rsplit_once('/')
                .map_or(".".to_owned(), |(folder, _)| format!("./{folder}"));
            Some(Main {
                package,
                file: (*path).to_owned(),
                from: format!("{path}:{}", scan.line()),
            })
        })
        .collect();
    mains.dedup_by(|a, b| a.package == b.package);
    let folder = |main: &Main| main.package.rsplit('/').next().unwrap_or("").to_owned();
    let named = mains
        .iter()
        .position(|main| main.package == "." || Some(folder(main).as_str()) == name);
    if mains.len() > 1 && named.is_none() {
        let packages: Vec<_> = mains.iter().map(|main| main.package.as_str()).collect();
        report.ask(
            format!(
                "Which program? {} are main packages; {} taken.",
                packages.join(", "),
                packages[0]
            ),
            "write the one that is meant into build_commands of ergon.json",
        );
    }
    (!mains.is_empty()).then(|| mains.swap_remove(named.unwrap_or(0)))
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
    if count > 0 && !sources.has("vendor/modules.txt") {
        report.certain(Topic::BuildCommand, "go mod download", "go.mod");
        application
            .build_commands
            .push("go mod download".to_owned());
    }
}

fn pinned(sources: &Sources<'_>, module: &Module, report: &mut Report) {
    if module.requires.is_empty() {
        report.lock(
            LockState::Locked,
            "go.mod",
            "nothing but the standard library is used",
        );
        report
            .certain(Topic::Pinned, "yes", "go.mod")
            .note("nothing but the standard library is used");
    } else if sources.has("go.sum") {
        report.lock(
            LockState::Locked,
            "go.sum",
            "it holds the hash of every module",
        );
        report
            .certain(Topic::Pinned, "yes", "go.sum")
            .note("go.sum holds the hash of every module");
    } else {
        report.lock(LockState::Missing, "go.sum", "there is no go.sum");
        report
            .certain(Topic::Pinned, "no", "go.mod")
            .note("there is no go.sum");
        report.ask(
            "Which modules exactly? there is no go.sum.",
            "go mod tidy, and commit go.sum",
        );
    }
}
