//! The services that a program talks to, as its dependencies tell.

use crate::analysis::Topic;
use crate::ecosystem::Report;

/// A service, what people call it, and the packages that talk to it.
struct Service {
    id: &'static str,
    label: &'static str,
    python: &'static [&'static str],
    node: &'static [&'static str],
    go: &'static [&'static str],
    rust: &'static [&'static str],
}

const SERVICES: [Service; 8] = [
    Service {
        id: "postgresql",
        label: "PostgreSQL",
        python: &[
            "psycopg",
            "psycopg2",
            "psycopg2-binary",
            "asyncpg",
            "pg8000",
            "aiopg",
        ],
        node: &["pg", "postgres", "pg-promise", "pg-native"],
        go: &[
            "github.com/lib/pq",
            "github.com/jackc/pgx",
            "gorm.io/driver/postgres",
            "github.com/go-pg/pg",
        ],
        rust: &["tokio-postgres", "postgres", "deadpool-postgres"],
    },
    Service {
        id: "mysql",
        label: "MySQL",
        python: &[
            "mysqlclient",
            "pymysql",
            "aiomysql",
            "asyncmy",
            "mysql-connector-python",
        ],
        node: &["mysql", "mysql2"],
        go: &["github.com/go-sql-driver/mysql", "gorm.io/driver/mysql"],
        rust: &["mysql", "mysql_async"],
    },
    Service {
        id: "redis",
        label: "Redis",
        python: &["redis", "aioredis", "django-redis", "hiredis"],
        node: &["redis", "ioredis", "bull", "bullmq", "connect-redis"],
        go: &[
            "github.com/redis/go-redis",
            "github.com/go-redis/redis",
            "github.com/gomodule/redigo",
        ],
        rust: &["redis", "fred", "deadpool-redis"],
    },
    Service {
        id: "mongodb",
        label: "MongoDB",
        python: &["pymongo", "motor", "mongoengine", "beanie"],
        node: &["mongodb", "mongoose"],
        go: &["go.mongodb.org/mongo-driver"],
        rust: &["mongodb"],
    },
    Service {
        id: "rabbitmq",
        label: "RabbitMQ",
        python: &["pika", "aio-pika"],
        node: &["amqplib", "amqp-connection-manager"],
        go: &[
            "github.com/rabbitmq/amqp091-go",
            "github.com/streadway/amqp",
        ],
        rust: &["lapin"],
    },
    Service {
        id: "kafka",
        label: "Kafka",
        python: &["kafka-python", "aiokafka", "confluent-kafka"],
        node: &["kafkajs", "node-rdkafka"],
        go: &[
            "github.com/segmentio/kafka-go",
            "github.com/ibm/sarama",
            "github.com/shopify/sarama",
        ],
        rust: &["rdkafka"],
    },
    Service {
        id: "elasticsearch",
        label: "Elasticsearch",
        python: &["elasticsearch"],
        node: &["@elastic/elasticsearch"],
        go: &["github.com/elastic/go-elasticsearch"],
        rust: &["elasticsearch"],
    },
    Service {
        id: "memcached",
        label: "Memcached",
        python: &["pymemcache", "pylibmc", "python-memcached"],
        node: &["memcached", "memjs"],
        go: &["github.com/bradfitz/gomemcache"],
        rust: &["memcache"],
    },
];

/// Whose package names are meant.
#[derive(Clone, Copy)]
pub enum Packages {
    Python,
    Node,
    Go,
    Rust,
}

/// The services that `dependencies` talk to, reported; each dependency is its name and `file:line`.
pub fn of_dependencies<'d>(
    packages: Packages,
    dependencies: impl IntoIterator<Item = (&'d str, String)>,
    report: &mut Report,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, from) in dependencies {
        let Some(service) = SERVICES
            .iter()
            .find(|service| service.is_reached_by(packages, name))
        else {
            continue;
        };
        let id = service.id.to_owned();
        if !found.contains(&id) {
            let note = format!("{name} in {from}");
            report
                .likely(Topic::Service, service.label, from)
                .note(note);
            found.push(id);
        }
    }
    found.sort();
    found
}

impl Service {
    fn is_reached_by(&self, packages: Packages, name: &str) -> bool {
        match packages {
            Packages::Python => self.python.contains(&name),
            Packages::Node => self.node.contains(&name),
            Packages::Rust => self.rust.contains(&name),
            // A module's path may go on with `/v9`.
            Packages::Go => {
                let name = name.to_ascii_lowercase();
                self.go.iter().any(|module| {
                    name.strip_prefix(module)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            }
        }
    }
}
