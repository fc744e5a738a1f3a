//! How a Ruby program is started.

use super::source;
use super::{Project, WEB_FRAMEWORKS};
use crate::ecosystem::{Port, Strength};
use crate::plan::shell_quoted;
use crate::scan::Scan;

/// How the program is started, and what it is by that.
pub(super) struct Start {
    /// As `type` in the manifest.
    pub kind: &'static str,
    pub strength: Strength,
    pub command: String,
    pub entrypoint: Option<String>,
    /// `file:line`
    pub from: String,
    pub note: String,
    pub port: Option<Port>,
    /// The program reads `PORT` itself, without a line of its own that says so.
    pub reads_port: bool,
}

/// Where a program usually begins.
const USUAL_FILES: [&str; 16] = [
    "app.rb",
    "main.rb",
    "server.rb",
    "web.rb",
    "index.rb",
    "start.rb",
    "run.rb",
    "bot.rb",
    "application.rb",
    "worker.rb",
    "hello.rb",
    "hello_world.rb",
    "src/main.rb",
    "src/app.rb",
    "lib/main.rb",
    "bin/server",
];

/// A server of Rack programs: its gem, what starts it before the port, and the port it takes by itself.
struct Server {
    gem: &'static str,
    command: &'static str,
    port: u16,
    /// Its configuration, read without being told, which may say the port.
    config: &'static str,
}

/// The first that is listed serves.
const SERVERS: [Server; 5] = [
    Server {
        gem: "puma",
        command: "bundle exec puma -p ",
        port: 9292,
        config: "config/puma.rb",
    },
    Server {
        gem: "falcon",
        command: "bundle exec falcon serve --bind http://0.0.0.0:",
        port: 9292,
        config: "",
    },
    Server {
        gem: "unicorn",
        command: "bundle exec unicorn -p ",
        port: 8080,
        config: "",
    },
    Server {
        gem: "thin",
        command: "bundle exec thin start -p ",
        port: 3000,
        config: "",
    },
    Server {
        gem: "passenger",
        command: "bundle exec passenger start -p ",
        port: 3000,
        config: "",
    },
];

pub(super) fn start(project: &Project<'_, '_>) -> Option<Start> {
    rails(project)
        .or_else(|| rack(project))
        .or_else(|| script(project))
        .or_else(|| clock(project))
        .or_else(|| workers(project))
        .or_else(|| tasks(project))
}

fn rails(project: &Project<'_, '_>) -> Option<Start> {
    let sources = project.sources;
    let from = project.rails()?;
    let port = ["config/puma.rb"]
        .iter()
        .find_map(|file| source::server_port(file, &sources.text(file)?))
        .unwrap_or_else(|| Port::usual(3000, "Rails' default"));
    let server = format!(
        "bundle exec rails server -b 0.0.0.0 -p ${{PORT:-{}}}",
        port.number
    );
    let (command, note) = match project.database() {
        Some((gem, _)) => (
            format!("bundle exec rake db:migrate && {server}"),
            format!("a Rails program with a database ({gem}), which is brought up to date first"),
        ),
        None => (server, "a Rails program without a database".to_owned()),
    };
    Some(Start {
        kind: "rails",
        strength: Strength::Framework,
        command,
        entrypoint: sources
            .first_of(&["config.ru", "bin/rails", "config/application.rb"])
            .map(str::to_owned),
        from,
        note,
        port: Some(port),
        reads_port: false,
    })
}

fn rack(project: &Project<'_, '_>) -> Option<Start> {
    let sources = project.sources;
    let text = sources.text("config.ru")?;
    let framework = WEB_FRAMEWORKS.iter().find(|framework| {
        project.gem(framework.gem).is_some() || text.contains(framework.constant)
    });
    let kind = framework.map_or("rack", |framework| framework.kind);
    let server = SERVERS
        .iter()
        .find(|server| project.production(server.gem).is_some());
    let (command, port, note) = match server {
        Some(server) => {
            let config = Some(server.config).filter(|config| !config.is_empty());
            let configured =
                config.and_then(|config| source::server_port(config, &sources.text(config)?));
            let note = format!("config.ru, served by {}", server.gem);
            if let Some(port) = configured {
                let command = server.command.trim_end_matches(" -p ").to_owned();
                (command, port, note)
            } else {
                let port = Port::usual(server.port, &format!("{}'s default", server.gem));
                let command = format!("{}${{PORT:-{}}}", server.command, server.port);
                (command, port, note)
            }
        }
        None => (
            format!(
                "{}rackup config.ru --host 0.0.0.0 -p ${{PORT:-9292}}",
                project.exec()
            ),
            Port::usual(9292, "rackup's default"),
            "config.ru, and no server of its own is listed".to_owned(),
        ),
    };
    Some(Start {
        kind,
        strength: Strength::Framework,
        command,
        entrypoint: Some("config.ru".to_owned()),
        from: "config.ru".to_owned(),
        note,
        port: Some(port),
        reads_port: false,
    })
}

/// A file that is the program itself.
fn script(project: &Project<'_, '_>) -> Option<Start> {
    let sources = project.sources;
    let usual = sources.first_of(&USUAL_FILES).map(str::to_owned);
    let (file, usual) = match usual {
        Some(file) => (file, true),
        None if clock(project).is_some() => return None,
        None => (other_file(project)?, false),
    };
    let text = sources.text(&file)?;
    let classic = Scan::behind(&text, "require", &["#"]).find_map(|mut scan| {
        let from = format!("{file}:{}", scan.line());
        scan.eat("(");
        let name = scan.string(&['"', '\''])?;
        (name == "sinatra" || name == "sinatra/reloader").then_some(from)
    });
    let modular = || {
        let runs = Scan::behind(&text, "run!", &["#"]).next()?;
        text.contains("Sinatra::Base")
            .then(|| format!("{file}:{}", runs.line()))
    };
    let sinatra = classic.or_else(modular);
    let listens = listening(&text);
    // Jobs do nothing by themselves.
    if sinatra.is_none()
        && listens.is_none()
        && project.production("sidekiq").is_some()
        && has_jobs(&text)
    {
        return None;
    }
    let port = match (&sinatra, listens) {
        (Some(_), _) => Some(
            source::set_port(&file, &text)
                .unwrap_or_else(|| Port::usual(4567, "Sinatra's default")),
        ),
        (None, Some((line, number))) => Some(match number {
            Some((number, true)) => Port::fallback(number, format!("{file}:{line}")),
            Some((number, false)) => Port::written(number, format!("{file}:{line}")),
            None => Port::usual(8080, "usual"),
        }),
        (None, None) => None,
    };
    let known = usual || project.gemfile.is_some();
    let strength = match &sinatra {
        Some(_) => Strength::Framework,
        None if known => Strength::Program,
        None => Strength::Sources,
    };
    Some(Start {
        kind: if sinatra.is_some() { "sinatra" } else { "ruby" },
        strength,
        command: format!("{}ruby {}", project.exec(), shell_quoted(&file)),
        note: match &sinatra {
            Some(_) => "a classic Sinatra program, which serves itself".to_owned(),
            None => format!("{file} is the program"),
        },
        from: sinatra.clone().unwrap_or_else(|| file.clone()),
        entrypoint: Some(file),
        reads_port: sinatra.is_some() && port.as_ref().is_some_and(|port| port.from.is_none()),
        port,
    })
}

/// The line in which a server is made, and its port where that is written there: whether `PORT` goes before it.
fn listening(text: &str) -> Option<(usize, Option<(u16, bool)>)> {
    let servers = [
        "TCPServer.new",
        "TCPServer.open",
        "HTTPServer.new",
        "Rackup::Handler",
        "Rack::Handler",
    ];
    let scan = servers
        .iter()
        .find_map(|server| Scan::behind(text, server, &["#"]).next())?;
    let numbers = |line: &str| {
        let numbers = line.split(|character: char| !character.is_ascii_digit());
        numbers
            .filter_map(crate::scan::port)
            .rfind(|port| *port > 79)
    };
    let here = scan.rest().lines().next().unwrap_or("");
    let known = numbers(here).map(|number| (number, here.contains("PORT")));
    // A variable's value may stand further up: `port = ENV.fetch("PORT", 3000)`.
    let above = || {
        let line = text
            .lines()
            .find(|line| line.to_ascii_lowercase().trim_start().starts_with("port"))?;
        Some((
            numbers(line)?,
            line.contains("PORT\"") || line.contains("PORT'"),
        ))
    };
    Some((scan.line(), known.or_else(above)))
}

/// A program in `bin` or `exe`, else the only file there is.
fn other_file(project: &Project<'_, '_>) -> Option<String> {
    let sources = project.sources;
    let is_ruby = |path: &str| {
        path.ends_with(".rb")
            || sources.text(path).is_some_and(|text| {
                let first = text.lines().next().unwrap_or("");
                first.starts_with("#!") && first.contains("ruby")
            })
    };
    let tools = ["console", "setup", "bundle", "rake", "rspec", "rubocop"];
    let program = sources.files().iter().copied().find(|path| {
        let name = path.strip_prefix("exe/").or(path.strip_prefix("bin/"));
        name.is_some_and(|name| !name.contains('/') && !tools.contains(&name)) && is_ruby(path)
    });
    if let Some(path) = program {
        return Some(path.to_owned());
    }
    let mut files = sources.names().filter(|name| name.ends_with(".rb"));
    let only = files.next().filter(|name| *name != "gems.rb")?;
    files.next().is_none().then(|| only.to_owned())
}

/// A clock that starts tasks: `every(1.hour, "mail")`.
fn clock(project: &Project<'_, '_>) -> Option<Start> {
    let from = project.production("clockwork")?;
    let texts = project.sources.program_texts(&["rb"]);
    let (file, _) = texts
        .iter()
        .find(|(_, text)| text.contains("Clockwork") && text.contains("every("))?;
    Some(Start {
        kind: "clockwork",
        strength: Strength::Framework,
        command: format!("bundle exec clockwork {}", shell_quoted(file)),
        entrypoint: Some((*file).to_owned()),
        from,
        note: format!("{file} says what is done when"),
        port: None,
        reads_port: false,
    })
}

fn has_jobs(text: &str) -> bool {
    text.contains("include Sidekiq::Job") || text.contains("include Sidekiq::Worker")
}

/// Jobs and nothing else.
fn workers(project: &Project<'_, '_>) -> Option<Start> {
    let from = project.production("sidekiq")?;
    let texts = project.sources.program_texts(&["rb"]);
    let (file, _) = texts.iter().find(|(_, text)| has_jobs(text))?;
    Some(Start {
        kind: "sidekiq",
        strength: Strength::Framework,
        command: format!(
            "bundle exec sidekiq -r {}",
            shell_quoted(&format!("./{file}"))
        ),
        entrypoint: Some((*file).to_owned()),
        from,
        note: format!("{file} has the jobs"),
        port: None,
        reads_port: false,
    })
}

/// A task that is run where none is named.
fn tasks(project: &Project<'_, '_>) -> Option<Start> {
    let sources = project.sources;
    let file = sources.first_of(&["Rakefile", "rakefile", "Rakefile.rb"])?;
    let text = sources.text(file)?;
    let default = Scan::behind(&text, "task", &["#"]).find_map(|mut scan| {
        let line = scan.line();
        scan.eat("(");
        scan.eat(":");
        (scan.word() == Some("default")).then_some(line)
    })?;
    // A library's tasks test it, and another language's program is not started by them.
    let other = [
        "package.json",
        "pyproject.toml",
        "requirements.txt",
        "go.mod",
        "Cargo.toml",
    ];
    if sources.name_ending(".gemspec").is_some() || sources.first_of(&other).is_some() {
        return None;
    }
    Some(Start {
        kind: "ruby",
        strength: Strength::Program,
        command: format!("{}rake", project.exec()),
        entrypoint: Some(file.to_owned()),
        from: format!("{file}:{default}"),
        note: "its default task is all there is to start".to_owned(),
        port: None,
        reads_port: false,
    })
}
