//! What is in images that everybody knows.

use crate::version_files::is_dotted;

/// What runs in an image, by the last part of its name.
struct Known {
    repositories: &'static [&'static str],
    /// As `runtime.name` in a manifest.
    runtime: &'static str,
    /// What stands before the version in a tag that has several.
    marks: &'static [&'static str],
}

const RUNTIMES: [Known; 17] = [
    Known {
        repositories: &["node", "javascript-node", "typescript-node", "nodejs"],
        runtime: "node",
        marks: &[],
    },
    Known {
        repositories: &["python"],
        runtime: "python",
        marks: &["python"],
    },
    Known {
        repositories: &["golang", "go"],
        runtime: "go",
        marks: &[],
    },
    Known {
        repositories: &["rust"],
        runtime: "rust",
        marks: &[],
    },
    Known {
        repositories: &[
            "eclipse-temurin",
            "openjdk",
            "amazoncorretto",
            "zulu-openjdk",
            "sapmachine",
            "ibm-semeru-runtimes",
            "liberica-openjdk-alpine",
            "liberica-openjdk-debian",
            "java",
        ],
        runtime: "java",
        marks: &[],
    },
    Known {
        repositories: &["maven", "gradle", "sbt", "clojure"],
        runtime: "java",
        marks: &["temurin", "jdk", "openjdk", "corretto", "jre"],
    },
    Known {
        repositories: &["ruby"],
        runtime: "ruby",
        marks: &[],
    },
    Known {
        repositories: &["php"],
        runtime: "php",
        marks: &[],
    },
    Known {
        repositories: &["sdk", "aspnet", "runtime", "runtime-deps", "dotnet"],
        runtime: "dotnet",
        marks: &[],
    },
    Known {
        repositories: &["elixir"],
        runtime: "elixir",
        marks: &[],
    },
    Known {
        repositories: &["haskell"],
        runtime: "haskell",
        marks: &[],
    },
    Known {
        repositories: &["swift"],
        runtime: "swift",
        marks: &[],
    },
    Known {
        repositories: &["dart"],
        runtime: "dart",
        marks: &[],
    },
    Known {
        repositories: &["crystal"],
        runtime: "crystal",
        marks: &[],
    },
    Known {
        repositories: &["deno"],
        runtime: "deno",
        marks: &[],
    },
    Known {
        repositories: &["bun"],
        runtime: "bun",
        marks: &[],
    },
    Known {
        repositories: &["perl"],
        runtime: "perl",
        marks: &[],
    },
];

/// The name without registry and owner, and the tag.
fn parts(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').unwrap_or((name, ""))
}

/// Whether a text is the plain name of an image, with a tag at most.
pub(super) fn is_plain(image: &str) -> bool {
    // A colon before the last slash is that of a registry's port.
    let name = image.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = match image[name..].find(':') {
        Some(colon) => (&image[..name + colon], &image[name + colon + 1..]),
        None => (image, "latest"),
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut words = path.split(['/', '.', '-', '_']);
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(plain);
    let is_tag = tag.len() < 100
        && tag
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    path.len() < 200 && is_tag && words.all(is_word)
}

/// What runs in an image.
pub(super) fn runtime_name(image: &str) -> Option<&'static str> {
    known(image).map(|known| known.runtime)
}

fn known(image: &str) -> Option<&'static Known> {
    let (name, _) = parts(image);
    let known = RUNTIMES
        .iter()
        .find(|known| known.repositories.contains(&name))?;
    let generic = ["sdk", "aspnet", "runtime", "runtime-deps"].contains(&name);
    (!generic || image.contains("dotnet/")).then_some(known)
}

/// What runs in an image, and the version that its tag says: `node:20.11-alpine` is Node 20.11.
pub(super) fn runtime(image: &str) -> Option<(&'static str, String)> {
    let known = known(image)?;
    let (_, tag) = parts(image);
    let mut words: Vec<&str> = tag.split(['-', '_']).collect();
    // The first number is that of the image where people work in it: `1-20-bookworm`.
    let of_devcontainer = image.contains("devcontainers/") && words.len() > 1;
    if of_devcontainer && is_dotted(words[1]) {
        words.remove(0);
    }
    let marked = known.marks.iter().find_map(|mark| {
        words.iter().enumerate().find_map(|(at, word)| {
            let rest = word.strip_prefix(mark)?;
            let version = if rest.is_empty() {
                words.get(at + 1).copied()?
            } else {
                rest
            };
            is_dotted(version).then_some(version)
        })
    });
    let only_marked = !known.marks.is_empty() && known.runtime == "java";
    let first = words
        .first()
        .map(|word| word.trim_start_matches('v'))
        .filter(|word| is_dotted(word) && !only_marked);
    let version = marked.or(first)?;
    Some((known.runtime, version.to_owned()))
}

/// The service of an image, as a manifest names it: `postgis/postgis:16` is `postgresql`.
pub(super) fn service(image: &str) -> Option<&'static str> {
    const SERVICES: [(&str, &[&str]); 12] = [
        (
            "postgresql",
            &[
                "postgres",
                "postgresql",
                "postgis",
                "timescaledb",
                "pgvector",
            ],
        ),
        ("mysql", &["mysql", "mariadb", "percona", "mysql-server"]),
        (
            "redis",
            &[
                "redis",
                "valkey",
                "redis-stack",
                "redis-stack-server",
                "keydb",
                "dragonfly",
            ],
        ),
        ("mongodb", &["mongo", "mongodb", "mongodb-community-server"]),
        ("rabbitmq", &["rabbitmq"]),
        ("kafka", &["kafka", "cp-kafka", "redpanda", "cp-server"]),
        ("elasticsearch", &["elasticsearch", "opensearch"]),
        ("memcached", &["memcached"]),
        ("minio", &["minio"]),
        ("nats", &["nats"]),
        ("clickhouse", &["clickhouse-server", "clickhouse"]),
        ("cassandra", &["cassandra", "scylla"]),
    ];
    let (name, _) = parts(image);
    SERVICES
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(service, _)| *service)
}

/// As people call a service.
pub(super) fn service_label(service: &'static str) -> &'static str {
    match service {
        "postgresql" => "PostgreSQL",
        "mysql" => "MySQL",
        "redis" => "Redis",
        "mongodb" => "MongoDB",
        "rabbitmq" => "RabbitMQ",
        "kafka" => "Kafka",
        "elasticsearch" => "Elasticsearch",
        "memcached" => "Memcached",
        "minio" => "MinIO",
        "nats" => "NATS",
        "clickhouse" => "ClickHouse",
        "cassandra" => "Cassandra",
        other => other,
    }
}
