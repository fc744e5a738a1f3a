//! The services that a program talks to, as its dependencies tell.

use crate::analysis::{Fact, Topic};
use crate::ecosystem::Report;

/// A service, what people call it, and the packages that talk to it.
struct Service {
    id: &'static str,
    label: &'static str,
    python: &'static [&'static str],
    node: &'static [&'static str],
    go: &'static [&'static str],
    rust: &'static [&'static str],
    /// `group:artifact`
    jvm: &'static [&'static str],
    ruby: &'static [&'static str],
    /// Packages, and extensions as `ext-redis`.
    php: &'static [&'static str],
    dotnet: &'static [&'static str],
    elixir: &'static [&'static str],
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
        node: &[
            "pg",
            "postgres",
            "pg-promise",
            "pg-native",
            "@medusajs/medusa",
            "@mikro-orm/postgresql",
            "@payloadcms/db-postgres",
        ],
        go: &[
            "github.com/lib/pq",
            "github.com/jackc/pgx",
            "gorm.io/driver/postgres",
            "github.com/go-pg/pg",
        ],
        rust: &[
            "tokio-postgres",
            "postgres",
            "deadpool-postgres",
            "sqlx/postgres",
            "diesel/postgres",
            "diesel-async/postgres",
            "sea-orm/sqlx-postgres",
        ],
        jvm: &[
            "org.postgresql:postgresql",
            "io.r2dbc:r2dbc-postgresql",
            "io.quarkus:quarkus-jdbc-postgresql",
            "io.quarkus:quarkus-reactive-pg-client",
            "io.vertx:vertx-pg-client",
            "org.postgresql:r2dbc-postgresql",
            "org.tpolecat:doobie-postgres",
            "org.tpolecat:skunk-core",
        ],
        ruby: &["pg"],
        php: &["ext-pdo_pgsql", "ext-pgsql"],
        dotnet: &["Npgsql", "Npgsql.EntityFrameworkCore.PostgreSQL"],
        elixir: &["postgrex"],
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
        node: &["mysql", "mysql2", "mariadb", "@mikro-orm/mysql"],
        go: &["github.com/go-sql-driver/mysql", "gorm.io/driver/mysql"],
        rust: &[
            "mysql",
            "mysql_async",
            "sqlx/mysql",
            "diesel/mysql",
            "diesel-async/mysql",
            "sea-orm/sqlx-mysql",
        ],
        jvm: &[
            "mysql:mysql-connector-java",
            "com.mysql:mysql-connector-j",
            "org.mariadb.jdbc:mariadb-java-client",
            "io.asyncer:r2dbc-mysql",
            "io.quarkus:quarkus-jdbc-mariadb",
            "io.quarkus:quarkus-jdbc-mysql",
            "io.quarkus:quarkus-reactive-mysql-client",
            "io.vertx:vertx-mysql-client",
        ],
        ruby: &["mysql2", "trilogy"],
        php: &["ext-pdo_mysql", "ext-mysqli"],
        dotnet: &[
            "MySql.Data",
            "MySqlConnector",
            "Pomelo.EntityFrameworkCore.MySql",
        ],
        elixir: &["myxql"],
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
        rust: &["redis", "fred", "deadpool-redis", "bb8-redis"],
        jvm: &[
            "redis.clients:jedis",
            "io.lettuce:lettuce-core",
            "org.springframework.boot:spring-boot-starter-data-redis",
            "org.springframework.boot:spring-boot-starter-data-redis-reactive",
            "org.springframework.data:spring-data-redis",
            "org.redisson:redisson",
            "org.redisson:redisson-spring-boot-starter",
            "io.quarkus:quarkus-redis-client",
            "io.micronaut.redis:micronaut-redis-lettuce",
            "io.vertx:vertx-redis-client",
            "com.taoensso:carmine",
        ],
        ruby: &["redis", "sidekiq", "resque"],
        php: &["predis/predis", "symfony/redis-messenger", "ext-redis"],
        dotnet: &[
            "StackExchange.Redis",
            "Microsoft.Extensions.Caching.StackExchangeRedis",
        ],
        elixir: &["redix"],
    },
    Service {
        id: "mongodb",
        label: "MongoDB",
        python: &["pymongo", "motor", "mongoengine", "beanie"],
        node: &[
            "mongodb",
            "mongoose",
            "@mikro-orm/mongodb",
            "@payloadcms/db-mongodb",
        ],
        go: &["go.mongodb.org/mongo-driver"],
        rust: &["mongodb"],
        jvm: &[
            "org.mongodb:mongodb-driver-sync",
            "org.springframework.boot:spring-boot-starter-data-mongodb",
            "org.springframework.boot:spring-boot-starter-data-mongodb-reactive",
            "org.mongodb:mongo-java-driver",
            "org.mongodb:mongodb-driver-kotlin-coroutine",
            "org.mongodb:mongodb-driver-reactivestreams",
            "org.mongodb.scala:mongo-scala-driver",
            "org.litote.kmongo:kmongo",
            "io.quarkus:quarkus-mongodb-client",
            "io.quarkus:quarkus-mongodb-panache",
            "io.vertx:vertx-mongo-client",
            "com.novemberain:monger",
        ],
        ruby: &["mongo", "mongoid"],
        php: &[
            "mongodb/mongodb",
            "mongodb/laravel-mongodb",
            "jenssegers/mongodb",
            "doctrine/mongodb-odm-bundle",
            "ext-mongodb",
        ],
        dotnet: &["MongoDB.Driver"],
        elixir: &["mongodb_driver"],
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
        jvm: &[
            "com.rabbitmq:amqp-client",
            "org.springframework.boot:spring-boot-starter-amqp",
            "org.springframework.amqp:spring-rabbit",
            "org.springframework.cloud:spring-cloud-starter-stream-rabbit",
            "io.quarkus:quarkus-messaging-rabbitmq",
            "com.novemberain:langohr",
        ],
        ruby: &["bunny"],
        php: &[
            "php-amqplib/php-amqplib",
            "symfony/amqp-messenger",
            "ext-amqp",
        ],
        dotnet: &["RabbitMQ.Client"],
        elixir: &["amqp"],
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
        jvm: &[
            "org.apache.kafka:kafka-clients",
            "org.springframework.kafka:spring-kafka",
            "org.springframework.cloud:spring-cloud-starter-stream-kafka",
            "io.quarkus:quarkus-kafka-client",
            "io.quarkus:quarkus-messaging-kafka",
            "io.quarkus:quarkus-smallrye-reactive-messaging-kafka",
            "io.micronaut.kafka:micronaut-kafka",
            "io.projectreactor.kafka:reactor-kafka",
        ],
        ruby: &["ruby-kafka", "rdkafka", "karafka"],
        php: &["ext-rdkafka"],
        dotnet: &["Confluent.Kafka"],
        elixir: &["brod", "kafka_ex"],
    },
    Service {
        id: "elasticsearch",
        label: "Elasticsearch",
        python: &["elasticsearch"],
        node: &["@elastic/elasticsearch"],
        go: &["github.com/elastic/go-elasticsearch"],
        rust: &["elasticsearch"],
        jvm: &[
            "co.elastic.clients:elasticsearch-java",
            "org.springframework.boot:spring-boot-starter-data-elasticsearch",
            "org.elasticsearch.client:elasticsearch-rest-client",
            "org.elasticsearch.client:elasticsearch-rest-high-level-client",
        ],
        ruby: &["elasticsearch", "searchkick"],
        php: &["elasticsearch/elasticsearch"],
        dotnet: &["Elastic.Clients.Elasticsearch", "NEST"],
        elixir: &["elasticsearch"],
    },
    Service {
        id: "memcached",
        label: "Memcached",
        python: &["pymemcache", "pylibmc", "python-memcached"],
        node: &["memcached", "memjs"],
        go: &["github.com/bradfitz/gomemcache"],
        rust: &["memcache"],
        jvm: &[
            "net.spy:spymemcached",
            "com.googlecode.xmemcached:xmemcached",
        ],
        ruby: &["dalli"],
        php: &["ext-memcached"],
        dotnet: &["EnyimMemcachedCore"],
        elixir: &["memcachex"],
    },
];

/// Whose package names are meant.
#[derive(Clone, Copy)]
pub enum Packages {
    Python,
    Node,
    Go,
    Rust,
    Jvm,
    Ruby,
    Php,
    Dotnet,
    Elixir,
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
    ask_which(report);
    found.sort();
    found
}

/// Those of which a program usually has one.
pub const DATABASES: [&str; 2] = ["PostgreSQL", "MySQL"];

/// A program that could talk to several databases talks to the one that its settings name.
fn ask_which(report: &mut Report) {
    let is_one =
        |fact: &&mut Fact| fact.topic == Topic::Service && DATABASES.contains(&fact.value.as_str());
    let of_several: Vec<_> = report.facts.iter_mut().filter(is_one).collect();
    if of_several.len() < 2 {
        return;
    }
    let mut labels = Vec::new();
    let mut places = Vec::new();
    for fact in of_several {
        labels.push(fact.value.clone());
        if !places.contains(&fact.from) {
            places.push(fact.from.clone());
        }
        let note = fact.note.take().unwrap_or_default();
        fact.note(format!("{note}; one of several that it could use"));
    }
    report.ask(
        format!(
            "{WHICH_DATABASE} {}? It has drivers for both ({}), and nothing says which is used.",
            labels.join(" or "),
            places.join(" and ")
        ),
        "leave in services in ergon.json what is used",
    );
}

/// How the question begins.
pub const WHICH_DATABASE: &str = "Which database,";

impl Service {
    fn is_reached_by(&self, packages: Packages, name: &str) -> bool {
        match packages {
            Packages::Python => self.python.contains(&name),
            Packages::Node => self.node.contains(&name),
            Packages::Rust => self.rust.contains(&name),
            Packages::Jvm => self.jvm.contains(&name),
            Packages::Ruby => self.ruby.contains(&name),
            Packages::Php => self.php.contains(&name),
            // Aspire's packages bring others, and settings for them.
            Packages::Dotnet => match name.strip_prefix("Aspire.") {
                Some(name) => self.dotnet.iter().any(|package| name.starts_with(package)),
                None => self.dotnet.contains(&name),
            },
            Packages::Elixir => self.elixir.contains(&name),
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
