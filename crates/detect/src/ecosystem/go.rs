//! Go: modules.

use ergon_manifest::{Application, Health, Runtime};

use super::{Ecosystem, Found, Packing, Report, Strength, Toolchain};
use crate::analysis::Topic;
use crate::environment::{Need, Read};
use crate::plan::shell_quoted;
use crate::scan::{Route, Scan};
use crate::sources::Sources;
use crate::{environment, names, scan, services};

/// What bases offer where nothing is said: Debian's.
const GO: &str = "1.19";
const COMMENT: &[&str] = &["//"];
const QUOTES: &[char] = &['"', '`'];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Go",
    languages: &["go", "golang"],
    looks_for: "Go: go.mod with a main package",
    detect,
    packing: Packing {
        toolchain: Some(Toolchain {
            repository: "golang",
            tag_suffix: "-bookworm",
            version: GO,
            // Build paths and version-control state stay out of programs, and what one step has fetched
            // is there for the next.
            env: &[
                ("GOCACHE", "/tmp/go-cache"),
                ("GOFLAGS", "-trimpath -buildvcs=false"),
                ("GOPATH", "/go"),
            ],
            source_only: &[
                "**/*.go",
                "go.mod",
                "go.sum",
                "go.work",
                "go.work.sum",
                "vendor",
            ],
        }),
        env: &[],
        droppings: &[],
        probe: None,
    },
};

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

/// What `go.mod` says.
#[derive(Debug, Default)]
struct Module {
    path: Option<String>,
    /// The version and its line.
    go: Option<(String, usize)>,
    /// Modules, versions and lines of what is required.
    requires: Vec<(String, String, usize)>,
}

impl Module {
    fn parse(text: &str) -> Self {
        let mut module = Self::default();
        let mut block = String::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap_or("").trim();
            if line == ")" {
                block.clear();
                continue;
            }
            let (directive, rest) = if block.is_empty() {
                line.split_once(char::is_whitespace).unwrap_or((line, ""))
            } else {
                (block.as_str(), line)
            };
            let rest = rest.trim();
            if rest == "(" {
                block = directive.to_owned();
                continue;
            }
            let mut words = rest
                .split_whitespace()
                .map(|word| word.trim_matches(['"', '`']));
            match (directive, words.next()) {
                ("module", Some(path)) => module.path = Some(path.to_owned()),
                ("go", Some(version)) if module.go.is_none() => {
                    module.go = Some((version.to_owned(), index + 1))
                }
                ("toolchain", Some(version)) => {
                    let version = version.trim_start_matches("go");
                    if version.starts_with(|first: char| first.is_ascii_digit()) {
                        module.go = Some((version.to_owned(), index + 1));
                    }
                }
                ("require", Some(path)) => {
                    let version = words.next().unwrap_or("").to_owned();
                    module.requires.push((path.to_owned(), version, index + 1));
                }
                _ => {}
            }
        }
        module.go = module.go.filter(|(version, _)| {
            version
                .split('.')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
        });
        module
    }

    /// The last element of the module's path that says what it is.
    fn name(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        let is_version = |element: &str| {
            element
                .strip_prefix('v')
                .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let mut elements = path.rsplit('/').skip_while(|element| is_version(element));
        let last = elements.next()?;
        // gopkg.in/yaml.v3
        let last = match last.rsplit_once('.') {
            Some((name, version)) if is_version(version) => name,
            _ => last,
        };
        names::from_package(last)
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let text = sources.text("go.mod")?;
    let module = Module::parse(&text);
    let mut report = Report::default();
    report.certain(Topic::Language, "Go", "go.mod");
    let texts = sources.program_texts(&["go"]);
    let name = module.name();
    let program = name.clone().unwrap_or_else(|| names::NO_NAME.to_owned());

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
            .find_map(|call| Scan::behind(text, call, COMMENT).next())?;
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
    let runtime = runtime(&module, &mut report);
    let main = main_package(&texts, name.as_deref(), &mut report);

    let mut application = Application {
        kind: framework
            .map_or("go", |(framework, _)| framework.kind)
            .to_owned(),
        language: "go".to_owned(),
        dependencies: Some("go.mod".to_owned()),
        package_manager: Some("go".to_owned()),
        ..Application::default()
    };
    dependencies(sources, &module, &mut application, &mut report);
    if let Some(main) = &main {
        let uses_c = texts.iter().any(|(_, text)| text.contains("import \"C\""));
        let no_c = if uses_c { "" } else { "CGO_ENABLED=0 " };
        let build = format!(
            "{no_c}go build -o bin/{program} {}",
            shell_quoted(&main.package)
        );
        let run = format!("./bin/{program}");
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
        .flat_map(|(path, text)| variables_read(path, text))
        .collect();
    if main.is_some() {
        let own_port =
            framework.and_then(|(framework, _)| Some((framework.label, framework.port?)));
        if let Some(port) = port(
            &texts,
            &reads,
            own_port,
            serves.is_some() || framework.is_some(),
            &mut report,
        ) {
            application.ports = vec![port];
            let routes: Vec<_> = texts
                .iter()
                .flat_map(|(path, text)| routes(path, text))
                .collect();
            if let Some(route) = scan::health_route(&routes) {
                report.likely(Topic::Health, format!("GET {}", route.path), &route.from);
                application.health = Some(Health {
                    path: route.path.clone(),
                    port: None,
                });
            }
        }
    }
    application.env = environment::variables(&reads);
    environment::report(&application.env, &mut report);
    let required = module
        .requires
        .iter()
        .map(|(path, _, line)| (path.as_str(), format!("go.mod:{line}")));
    application.services = services::of_dependencies(services::Packages::Go, required, &mut report);
    pinned(sources, &module, &mut report);
    application.runtime = Some(runtime);

    let strength = match (&main, framework, &serves) {
        (None, ..) => Strength::Sources,
        (Some(_), None, None) => Strength::Program,
        (Some(_), ..) => Strength::Framework,
    };
    let base_image = "debian:bookworm-slim".to_owned();
    Some(Found {
        strength,
        name,
        application,
        base_image,
        report,
    })
}

fn runtime(module: &Module, report: &mut Report) -> Runtime {
    let (version, from) = match &module.go {
        Some((version, line)) => {
            let from = format!("go.mod:{line}");
            report.certain(Topic::Runtime, format!("Go {version}"), &from);
            (version.clone(), from)
        }
        None => {
            report
                .assumed(Topic::Runtime, format!("Go {GO}"))
                .note("nothing in the project says");
            report.ask(
                format!("Go version? nothing says; {GO} assumed."),
                format!("go mod edit -go={GO}"),
            );
            (GO.to_owned(), "assumed".to_owned())
        }
    };
    Runtime {
        name: "go".to_owned(),
        version,
        from: Some(from),
    }
}

/// The package that becomes the program.
struct Main {
    /// As `go build` takes it: `.`, `./cmd/web`.
    package: String,
    file: String,
    /// Where its `main` is.
    from: String,
}

fn main_package(
    texts: &[(&str, std::rc::Rc<str>)],
    name: Option<&str>,
    report: &mut Report,
) -> Option<Main> {
    let mut mains: Vec<Main> = texts
        .iter()
        .filter(|(_, text)| {
            text.lines()
                .any(|line| line.split("//").next().unwrap_or("").trim() == "package main")
        })
        .filter_map(|(path, text)| {
            let scan = Scan::behind(text, "func main", COMMENT)
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
    report.certain(Topic::PackageManager, "go", "go.mod");
    let count = module.requires.len();
    let modules = if count == 0 {
        "nothing".to_owned()
    } else if count == 1 {
        "1 module".to_owned()
    } else {
        format!("{count} modules")
    };
    report.certain(Topic::Dependencies, modules, "go.mod");
    if count > 0 && !sources.has("vendor/modules.txt") {
        report.certain(Topic::BuildCommand, "go mod download", "go.mod");
        application
            .build_commands
            .push("go mod download".to_owned());
    }
}

fn pinned(sources: &Sources<'_>, module: &Module, report: &mut Report) {
    if module.requires.is_empty() {
        report
            .certain(Topic::Pinned, "yes", "go.mod")
            .note("nothing but the standard library is used");
    } else if sources.has("go.sum") {
        report
            .certain(Topic::Pinned, "yes", "go.sum")
            .note("go.sum holds the hash of every module");
    } else {
        report
            .certain(Topic::Pinned, "no", "go.mod")
            .note("there is no go.sum");
        report.ask(
            "Which modules exactly? there is no go.sum.",
            "go mod tidy, and commit go.sum",
        );
    }
}

fn port(
    texts: &[(&str, std::rc::Rc<str>)],
    reads: &[Read],
    framework: Option<(&str, u16)>,
    serves: bool,
    report: &mut Report,
) -> Option<u16> {
    let fallback = reads.iter().find_map(|read| match &read.need {
        Need::Default(default) if read.name == "PORT" => {
            Some((scan::port(default.trim_start_matches(':'))?, &read.from))
        }
        _ => None,
    });
    if let Some((port, from)) = fallback {
        report
            .certain(Topic::Port, port.to_string(), from)
            .note("where PORT is not set");
        return Some(port);
    }
    let calls = [
        "ListenAndServe",
        "ListenAndServeTLS",
        ".Run",
        ".Start",
        ".Listen",
        "Addr",
    ];
    let listened = texts.iter().find_map(|(path, text)| {
        calls.iter().find_map(|call| {
            Scan::behind(text, call, COMMENT).find_map(|mut scan| {
                if !scan.eat("(") && !scan.eat(":") {
                    return None;
                }
                let (_, port) = scan.string(QUOTES)?.rsplit_once(':')?;
                Some((scan::port(port)?, format!("{path}:{}", scan.line())))
            })
        })
    });
    if let Some((port, from)) = listened {
        report
            .certain(Topic::Port, port.to_string(), from)
            .note("the code says so");
        return Some(port);
    }
    if !serves {
        return None;
    }
    let (why, port) = framework.map_or(("usual for Go".to_owned(), 8080), |(label, port)| {
        (format!("{label}'s default"), port)
    });
    report
        .assumed(Topic::Port, port.to_string())
        .note(format!("{why}; nothing in the project says otherwise"));
    Some(port)
}

/// The paths that are answered to GET.
fn routes(path: &str, text: &str) -> Vec<Route> {
    let calls = ["HandleFunc", ".Handle", ".GET", ".Get"];
    let found = calls.into_iter().flat_map(|call| {
        Scan::behind(text, call, COMMENT).filter_map(move |mut scan| {
            let line = scan.line();
            if !scan.eat("(") {
                return None;
            }
            let pattern = scan.string(QUOTES)?;
            // Go 1.22: `GET /healthz`, `/{$}`.
            let pattern = pattern
                .strip_prefix("GET ")
                .unwrap_or(pattern)
                .trim_end_matches("{$}");
            let fixed = pattern.starts_with('/') && !pattern.contains(['{', ':', '*']);
            fixed.then(|| Route {
                path: pattern.to_owned(),
                from: format!("{path}:{line}"),
            })
        })
    });
    found.collect()
}

/// Every variable that the text reads from its environment.
fn variables_read(path: &str, text: &str) -> Vec<Read> {
    let mut reads = Vec::new();
    for call in ["os.Getenv", "os.LookupEnv"] {
        for scan in Scan::behind(text, call, COMMENT) {
            let mut inside = scan;
            if !inside.eat("(") {
                continue;
            }
            let Some(name) = inside.string(QUOTES) else {
                continue;
            };
            let need = need(scan, inside, call);
            reads.push((
                scan.line(),
                Read {
                    name: name.to_owned(),
                    need,
                    from: format!("{path}:{}", scan.line()),
                },
            ));
        }
    }
    reads.sort_by_key(|(line, _)| *line);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// What the lines behind a read do where the variable is empty.
fn need(before: Scan<'_>, mut behind: Scan<'_>, call: &str) -> Need {
    // cmp.Or(os.Getenv("PORT"), "8080")
    if before
        .line_before()
        .trim_end_matches(call)
        .trim_end()
        .ends_with("cmp.Or(")
        && behind.eat(")")
        && behind.eat(",")
    {
        if let Some(default) = behind.string(QUOTES) {
            return Need::Default(default.to_owned());
        }
    }
    let assigned = before.line_before().trim_end_matches(call);
    let Some((variable, _)) = assigned.split_once('=') else {
        return Need::Optional;
    };
    let variable = variable
        .trim_end_matches(':')
        .trim()
        .trim_start_matches("var ");
    let (value, found) = variable
        .split_once(',')
        .map_or((variable, ""), |(value, found)| {
            (value.trim(), found.trim())
        });
    let value = value.trim_start_matches("if ").trim();
    let rest: Vec<_> = behind.rest().lines().take(6).collect();
    let empty = [
        format!("{value} == \"\""),
        format!("len({value}) == 0"),
        format!("!{found}"),
    ];
    let asked = rest.iter().position(|line| {
        line.contains("if ")
            && empty
                .iter()
                .any(|test| test.len() > 1 && line.contains(test.as_str()))
            || line.trim_start().starts_with(")") && line.contains(&empty[2]) && !found.is_empty()
    });
    let Some(asked) = asked else {
        return Need::Optional;
    };
    for line in rest.iter().skip(asked + 1).take(2) {
        let line = line.trim();
        if ["log.Fatal", "panic(", "os.Exit", "log.Panic"]
            .iter()
            .any(|end| line.starts_with(end))
        {
            return Need::Required;
        }
        let default = line
            .strip_prefix(value)
            .and_then(|rest| rest.trim_start().strip_prefix('='))
            .map(str::trim);
        if let Some(default) = default.and_then(|text| text.strip_prefix('"')?.strip_suffix('"')) {
            return Need::Default(default.to_owned());
        }
    }
    Need::Optional
}
