//! Programs that an image brings, where the project only adds files to it: a database, a server before others.

use ergon_manifest::Application;

use super::super::{Said, Weight};
use super::{Declared, Found};
use crate::analysis::Topic;
use crate::ecosystem::{Port, Report, Strength};
use crate::plan::shell_quoted;
use crate::scan::{self, Scan};
use crate::sources::Sources;

/// A program by the last parts of its images' names.
struct Brought {
    images: &'static [&'static str],
    /// As `type` in the manifest.
    kind: &'static str,
    label: &'static str,
    command: &'static str,
    port: u16,
    /// Where it keeps what outlives it.
    data: Option<&'static str>,
}

const BROUGHT: [Brought; 9] = [
    Brought {
        images: &["postgres", "postgis", "timescaledb", "pgvector"],
        kind: "postgresql",
        label: "PostgreSQL",
        command: "docker-entrypoint.sh postgres",
        port: 5432,
        data: Some("/var/lib/postgresql/data"),
    },
    Brought {
        images: &["mysql"],
        kind: "mysql",
        label: "MySQL",
        command: "docker-entrypoint.sh mysqld",
        port: 3306,
        data: Some("/var/lib/mysql"),
    },
    Brought {
        images: &["mariadb"],
        kind: "mariadb",
        label: "MariaDB",
        command: "docker-entrypoint.sh mariadbd",
        port: 3306,
        data: Some("/var/lib/mysql"),
    },
    Brought {
        images: &["mongo"],
        kind: "mongodb",
        label: "MongoDB",
        command: "docker-entrypoint.sh mongod",
        port: 27017,
        data: Some("/data/db"),
    },
    Brought {
        images: &["redis"],
        kind: "redis",
        label: "Redis",
        command: "docker-entrypoint.sh redis-server",
        port: 6379,
        data: Some("/data"),
    },
    Brought {
        images: &["rabbitmq"],
        kind: "rabbitmq",
        label: "RabbitMQ",
        command: "docker-entrypoint.sh rabbitmq-server",
        port: 5672,
        data: Some("/var/lib/rabbitmq"),
    },
    Brought {
        images: &["nginx", "nginx-unprivileged"],
        kind: "nginx",
        label: "nginx",
        command: "nginx -g 'daemon off;'",
        port: 8080,
        data: None,
    },
    Brought {
        images: &["traefik"],
        kind: "traefik",
        label: "Traefik",
        command: "traefik",
        port: 8080,
        data: None,
    },
    Brought {
        images: &["haproxy"],
        kind: "haproxy",
        label: "HAProxy",
        command: "haproxy -W -db -f /usr/local/etc/haproxy/haproxy.cfg",
        port: 8080,
        data: None,
    },
];

/// The program of the image that is declared, where that is one of these.
pub(super) fn program(sources: &Sources<'_>, declared: &mut Declared) -> Option<Found> {
    let image = declared.image.as_ref()?;
    let untagged = image.value.split([':', '@']).next().unwrap_or("");
    let name = untagged.rsplit('/').next().unwrap_or(untagged);
    let brought = BROUGHT
        .iter()
        .find(|brought| brought.images.contains(&name))?;
    let (base_image, from) = (image.value.clone(), image.from.clone());
    let mut report = Report::default();
    report.certain(Topic::Framework, brought.label, &from);
    let mut application = Application {
        kind: brought.kind.to_owned(),
        language: "other".to_owned(),
        ..Application::default()
    };
    let started = declared
        .starts
        .iter()
        .position(|start| start.weight == Weight::Evidence)
        .map(|at| declared.starts.remove(at));
    let command = if let Some(start) = &started {
        let fact = report.certain(Topic::RunCommand, &start.command, &start.from);
        fact.note(format!("{} starts it so", start.by));
        start.command.clone()
    } else {
        let fact = report.likely(Topic::RunCommand, brought.command, &from);
        fact.note("what the image starts by itself");
        brought.command.to_owned()
    };
    application.run_command = Some(command);
    let mut listens = None;
    for Said { value, from } in &declared.copies {
        let (files, to) = value;
        for file in files {
            for command in placed(sources, file, to) {
                report.certain(Topic::BuildCommand, &command, from);
                application.build_commands.push(command);
            }
            listens = listens.or_else(|| Some((listened(sources, file)?, file.clone())));
        }
    }
    let port = if brought.kind == "nginx" {
        nginx(listens, &from, &mut application, &mut report)
    } else {
        Port::usual(brought.port, &format!("{}'s default", brought.label))
    };
    application.ports = vec![report.port(&port)];
    if let Some(data) = brought.data {
        report.likely(Topic::Volume, data, &from);
        application.volumes.push(data.to_owned());
    }
    if let Some(from) = &declared.ran {
        let from = sources.place(from);
        report.ask(
            format!("What does {from} do for it? commands of a Dockerfile are not followed."),
            "write what is needed into build_commands in ergon.json",
        );
    }
    Some(Found {
        strength: Strength::Program,
        name: None,
        application,
        base_image,
        delegates: false,
        report,
    })
}

/// Nobody but root may have the ports that nginx usually takes, and the places where it keeps its state.
fn nginx(
    listens: Option<((u16, usize), String)>,
    from: &str,
    application: &mut Application,
    report: &mut Report,
) -> Port {
    let mut settle = |command: &str| {
        report
            .likely(Topic::BuildCommand, command, from)
            .note("so that it need not be root");
        application.build_commands.push(command.to_owned());
    };
    settle("sed -i 's,^pid .*,pid /tmp/nginx.pid;,' /etc/nginx/nginx.conf");
    settle("chmod a+w /var/cache/nginx");
    match listens {
        Some(((number, line), file)) if number >= 1024 => {
            Port::written(number, format!("{file}:{line}"))
        }
        _ => {
            settle(
                "sed -i -E 's/(listen +(\\[::\\]:)?)80([ ;])/\\18080\\3/' /etc/nginx/conf.d/*.conf /etc/nginx/nginx.conf",
            );
            Port::usual(8080, "in place of 80, which is for root")
        }
    }
}

/// The commands that put a file or a folder where the Dockerfile does.
fn placed(sources: &Sources<'_>, file: &str, to: &str) -> Vec<String> {
    let file = file.trim_start_matches("./").trim_end_matches('/');
    if sources.has(file) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let to = match to.strip_suffix('/') {
            Some(folder) => format!("{folder}/{name}"),
            // A folder of the image, whatever it is called.
            None if to.ends_with(".d") => format!("{to}/{name}"),
            None => to.to_owned(),
        };
        let mode = if sources.is_executable(file) {
            "755"
        } else {
            "644"
        };
        let (file, to) = (shell_quoted(file), shell_quoted(&to));
        return vec![format!("install -D -m {mode} {file} {to}")];
    }
    let plain = file.is_empty() || file == "." || sources.has_folder(file);
    if !plain || file.contains("..") {
        return Vec::new();
    }
    let from = shell_quoted(if file.is_empty() { "." } else { file });
    let to = shell_quoted(to.trim_end_matches('/'));
    vec![format!("mkdir -p {to} && cp -r {from}/. {to}")]
}

/// Where a server's settings have it listen: `listen 8080;`
fn listened(sources: &Sources<'_>, file: &str) -> Option<(u16, usize)> {
    let text = sources.has(file).then(|| sources.text(file))??;
    Scan::behind(&text, "listen", &["#"]).find_map(|mut scan| {
        let line = scan.line();
        scan.eat("[::]:");
        Some((scan::port(scan.number()?)?, line))
    })
}
