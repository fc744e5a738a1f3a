//! Ruby: Bundler, or files that need nothing but Ruby.

mod bundler;
mod gemfile;
mod lock;
mod packages;
mod packing;
mod rails;
mod site;
mod source;
mod start;
mod version;

use ergon_manifest::{Application, EnvironmentVariable};

use self::gemfile::Gemfile;
use self::lock::Lock;
use self::start::Start;
use super::{Ecosystem, Found, Report, Strength, UsualRuntime};
use crate::analysis::Topic;
use crate::sources::Sources;
use crate::web_server::{self, Fallback};
use crate::{environment, names, services};

/// What bases offer where nothing is said: Debian's.
const USUAL: UsualRuntime = UsualRuntime {
    name: "ruby",
    label: "Ruby",
    version: "3.1",
    remedy: "echo 3.1 > .ruby-version",
};
const EXTENSIONS: &[&str] = &["rb", "ru", "rake"];

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Ruby",
    languages: &["ruby"],
    looks_for: "Ruby: Gemfile, config.ru or a .rb file at the root",
    markers: &["Gemfile", "gems.rb", "config.ru"],
    detect,
    droppings: &[
        ".bundle",
        "vendor/bundle",
        "log/*.log",
        "tmp/cache",
        "tmp/pids",
    ],
    packing: packing::packing,
};

/// A web framework on Rack by its gem.
struct Framework {
    gem: &'static str,
    kind: &'static str,
    label: &'static str,
    /// What `config.ru` names of it.
    constant: &'static str,
}

const WEB_FRAMEWORKS: [Framework; 7] = [
    Framework {
        gem: "hanami",
        kind: "hanami",
        label: "Hanami",
        constant: "Hanami.",
    },
    Framework {
        gem: "padrino",
        kind: "padrino",
        label: "Padrino",
        constant: "Padrino.",
    },
    Framework {
        gem: "grape",
        kind: "grape",
        label: "Grape",
        constant: "Grape::",
    },
    Framework {
        gem: "roda",
        kind: "roda",
        label: "Roda",
        constant: "Roda.",
    },
    Framework {
        gem: "cuba",
        kind: "cuba",
        label: "Cuba",
        constant: "Cuba",
    },
    Framework {
        gem: "sinatra",
        kind: "sinatra",
        label: "Sinatra",
        constant: "Sinatra::",
    },
    Framework {
        gem: "rack",
        kind: "rack",
        label: "Rack",
        constant: "run ",
    },
];

/// A program and what it lists.
struct Project<'a, 't> {
    sources: &'a Sources<'t>,
    gemfile: Option<Gemfile>,
    lock: Option<Lock>,
}

impl Project<'_, '_> {
    /// Where a gem is listed.
    fn gem(&self, name: &str) -> Option<String> {
        let gemfile = self.gemfile.as_ref()?;
        Some(gemfile.place(gemfile.get(name)?.line))
    }

    /// Where a gem is listed that is there in production.
    fn production(&self, name: &str) -> Option<String> {
        let gemfile = self.gemfile.as_ref()?;
        Some(gemfile.place(gemfile.production(name)?.line))
    }

    /// What a command needs before it to find the gems.
    fn exec(&self) -> &'static str {
        let listed = self
            .gemfile
            .as_ref()
            .is_some_and(|gemfile| gemfile.open || !gemfile.gems.is_empty());
        if listed { "bundle exec " } else { "" }
    }

    /// `7.0` of the version that the lock has, else of what the Gemfile requires.
    fn version(&self, gem: &str) -> Option<String> {
        let locked = self.lock.as_ref().and_then(|lock| lock.version(gem));
        let required = || {
            let gem = self.gemfile.as_ref()?.get(gem)?;
            Some(
                gem.requirements
                    .first()?
                    .trim_start_matches(['~', '>', '=', ' ', '<']),
            )
        };
        let version = locked.or_else(required)?;
        Some(version.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
    }
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let gemfile = Gemfile::read(sources);
    let marker = gemfile.as_ref().map(|gemfile| gemfile.file);
    let marker = marker
        .or_else(|| sources.first_of(&["config.ru", "config/application.rb"]))
        .or_else(|| sources.name_ending(".rb"))?;
    let lock = gemfile.as_ref().and_then(|_| Lock::read(sources));
    let project = Project {
        sources,
        gemfile,
        lock,
    };
    let mut report = Report::default();
    report.certain(Topic::Language, "Ruby", marker);
    let claims = version::claims(sources, project.gemfile.as_ref(), project.lock.as_ref());
    let runtime = report.runtime(&USUAL, claims);
    let engine = project.gemfile.as_ref().and_then(|gemfile| {
        let line = gemfile.ruby.as_ref()?;
        Some((line.engine.clone()?, gemfile.place(line.line)))
    });
    if let Some((engine, from)) = engine {
        report.ask(
            format!("Which image has {engine}? {from} wants it; Ruby itself was taken."),
            "write base_image and runtime into ergon.json",
        );
    }
    let mut application = Application {
        kind: "ruby".to_owned(),
        language: "ruby".to_owned(),
        ..Application::default()
    };
    bundler::install(&project, &mut application, &mut report);

    let mut base_image = format!("ruby:{}-slim", runtime.version);
    let strength = if let Some(site) = site::site(&project) {
        web_server::BASE_IMAGE.clone_into(&mut base_image);
        generated(&project, &site, &mut application, &mut report);
        Strength::Framework
    } else if let Some(start) = start::start(&project) {
        let strength = start.strength;
        started(&project, start, &mut application, &mut report);
        strength
    } else {
        Strength::Sources
    };
    if let Some(gemfile) = &project.gemfile {
        let gems = gemfile.gems.iter().filter(|gem| gem.production);
        let gems = gems.map(|gem| (gem.name.as_str(), gemfile.place(gem.line)));
        application.services =
            services::of_dependencies(services::Packages::Ruby, gems, &mut report);
    }
    application.runtime = Some(runtime);
    Some(Found {
        strength,
        name: name(sources),
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// The package's own name: a gem's, or the module of a Rails program.
fn name(sources: &Sources<'_>) -> Option<String> {
    if let Some(gemspec) = sources.name_ending(".gemspec") {
        return names::from_package(gemspec.trim_end_matches(".gemspec"));
    }
    let text = sources.text("config/application.rb")?;
    let module = text.lines().find_map(|line| line.strip_prefix("module "))?;
    names::from_package(&rails::underscored(module.trim()))
}

/// A site whose files are generated, and then served.
fn generated(
    project: &Project<'_, '_>,
    site: &site::Site,
    application: &mut Application,
    report: &mut Report,
) {
    let generator = site.generator;
    let version = project
        .version(generator.kind)
        .map(|version| format!(" {version}"));
    report.certain(
        Topic::Framework,
        format!("{}{}", generator.label, version.unwrap_or_default()),
        &site.from,
    );
    report
        .likely(Topic::BuildCommand, generator.build, &site.from)
        .note(format!("leaves the site in {}", site.folder));
    report
        .likely(Topic::RunCommand, web_server::RUN_COMMAND, &site.from)
        .note(format!("serves the files in {}", site.folder));
    report.port(&super::Port::usual(web_server::PORT, "the server's own"));
    generator.kind.clone_into(&mut application.kind);
    application.build_commands.push(generator.build.to_owned());
    web_server::serve(
        web_server::configure(&site.folder, Fallback::NotFound),
        application,
    );
    application.artifacts = vec![site.folder.clone(), web_server::CONFIG_FILE.to_owned()];
}

/// A program that is started.
fn started(
    project: &Project<'_, '_>,
    start: Start,
    application: &mut Application,
    report: &mut Report,
) {
    let sources = project.sources;
    let label = match start.kind {
        "rails" => Some(("Rails", "rails")),
        "sidekiq" => Some(("Sidekiq", "sidekiq")),
        kind => WEB_FRAMEWORKS
            .iter()
            .find(|framework| framework.kind == kind)
            .map(|framework| (framework.label, framework.gem)),
    };
    if let Some((label, gem)) = label {
        let version = project.version(gem).map(|version| format!(" {version}"));
        let value = format!("{label}{}", version.unwrap_or_default());
        match project.gem(gem) {
            Some(from) => report.certain(Topic::Framework, value, from),
            None => report.likely(Topic::Framework, value, &start.from),
        };
    }
    start.kind.clone_into(&mut application.kind);
    if project.gemfile.is_none() && start.kind != "ruby" {
        report.ask(
            format!(
                "Which gems? {} needs some, and there is no Gemfile.",
                start.from
            ),
            "bundle init, and bundle add what it needs",
        );
    }
    let texts: Vec<_> = sources
        .program_texts(EXTENSIONS)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("db/") && !path.starts_with("script/"))
        .collect();
    let mut reads: Vec<_> = texts
        .iter()
        .filter(|(path, _)| {
            !matches!(
                *path,
                "config/environments/development.rb" | "config/environments/test.rb"
            )
        })
        .flat_map(|(path, text)| source::environment(path, text))
        .collect();
    if start.kind == "rails" {
        rails::complete(project, application, &mut reads, report);
    }
    report
        .likely(Topic::RunCommand, &start.command, &start.from)
        .note(start.note);
    if start.kind != "sidekiq"
        && let Some(from) = project.production("sidekiq")
    {
        report.ask(
            format!("Where do its jobs run? {from} lists sidekiq, and this starts none."),
            "add an application with the run_command `bundle exec sidekiq` to ergon.json",
        );
    }
    application.env = environment::told(&reads, report);
    if let Some(port) = &start.port {
        application.ports = vec![report.port(port)];
        let routes: Vec<_> = texts
            .iter()
            .filter(|(path, _)| start.kind != "rails" || *path == "config/routes.rb")
            .flat_map(|(path, text)| source::routes(path, text))
            .collect();
        application.health = report.health(&routes);
        if start.reads_port {
            let variable = default_port(port.number, Some(start.from.clone()));
            application.env.entry("PORT".to_owned()).or_insert(variable);
        }
    }
    application.entrypoint = start.entrypoint;
    application.run_command = Some(start.command);
}

fn default_port(port: u16, from: Option<String>) -> EnvironmentVariable {
    EnvironmentVariable {
        required: false,
        default: Some(port.to_string()),
        from,
    }
}
