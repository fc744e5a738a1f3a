//! The programs Ergon knows by name. To teach it another one, add a line.

/// A program Ergon knows, and what it is for.
pub(super) struct Known {
    pub name: &'static str,
    pub role: &'static str,
    /// Names of the program, or of the script an interpreter runs.
    pub programs: &'static [&'static str],
    /// Where the program alone does not say it: words of which one must be in the arguments.
    pub words: &'static [&'static str],
}

const WEB: &str = "web server";
pub(super) const APPLICATION: &str = "application server";
const DATABASE: &str = "database";
const CACHE: &str = "cache";
const QUEUE: &str = "queue";
pub(super) const WORKER: &str = "worker";
const SCHEDULER: &str = "scheduler";
const PROXY: &str = "proxy";
const SUPERVISOR: &str = "supervisor";
/// Stands beside another program and does its errands: its logs, its figures, its connections.
const SIDECAR: &str = "sidecar";

const fn known(name: &'static str, role: &'static str, programs: &'static [&'static str]) -> Known {
    Known {
        name,
        role,
        programs,
        words: &[],
    }
}

/// Searched from the top: what is more special stands first.
pub(super) const TABLE: &[Known] = &[
    Known {
        name: "celery beat",
        role: SCHEDULER,
        programs: &["celery"],
        words: &["beat"],
    },
    known("celery", WORKER, &["celery"]),
    known("rq", WORKER, &["rq", "rqworker"]),
    known("sidekiq", WORKER, &["sidekiq"]),
    known("uvicorn", APPLICATION, &["uvicorn"]),
    known("gunicorn", APPLICATION, &["gunicorn"]),
    known("hypercorn", APPLICATION, &["hypercorn"]),
    known("daphne", APPLICATION, &["daphne"]),
    known("waitress", APPLICATION, &["waitress-serve", "waitress"]),
    known("uwsgi", APPLICATION, &["uwsgi"]),
    known("fastapi", APPLICATION, &["fastapi"]),
    known("flask", APPLICATION, &["flask"]),
    known("streamlit", APPLICATION, &["streamlit"]),
    Known {
        name: "django",
        role: APPLICATION,
        programs: &["manage.py"],
        words: &["runserver"],
    },
    known("http.server", WEB, &["http.server"]),
    known("puma", APPLICATION, &["puma"]),
    known("unicorn", APPLICATION, &["unicorn"]),
    known("php-fpm", APPLICATION, &["php-fpm"]),
    known("nginx", WEB, &["nginx"]),
    known("apache", WEB, &["apache2", "httpd-foreground"]),
    known("httpd", WEB, &["httpd"]),
    known("lighttpd", WEB, &["lighttpd"]),
    known("caddy", WEB, &["caddy"]),
    known("haproxy", PROXY, &["haproxy"]),
    known("traefik", PROXY, &["traefik"]),
    known("envoy", PROXY, &["envoy"]),
    known("varnish", CACHE, &["varnishd"]),
    known("redis", CACHE, &["redis-server", "redis-sentinel"]),
    known("valkey", CACHE, &["valkey-server"]),
    known("memcached", CACHE, &["memcached"]),
    known("postgres", DATABASE, &["postgres", "postmaster"]),
    known("mariadb", DATABASE, &["mariadbd", "mariadbd-safe"]),
    known("mysql", DATABASE, &["mysqld", "mysqld_safe"]),
    known("mongodb", DATABASE, &["mongod", "mongos"]),
    known("etcd", DATABASE, &["etcd"]),
    known("clickhouse", DATABASE, &["clickhouse-server"]),
    Known {
        name: "cassandra",
        role: DATABASE,
        programs: &["java"],
        words: &["org.apache.cassandra"],
    },
    Known {
        name: "elasticsearch",
        role: DATABASE,
        programs: &["java"],
        words: &["org.elasticsearch", "org.opensearch"],
    },
    Known {
        name: "kafka",
        role: QUEUE,
        programs: &["java"],
        words: &["kafka.kafka", "kafka.server"],
    },
    Known {
        name: "rabbitmq",
        role: QUEUE,
        programs: &["beam.smp", "erl", "rabbitmq-server"],
        words: &["rabbit"],
    },
    // It comes with RabbitMQ, and speaks to nobody but Erlang.
    known("epmd", "port mapper", &["epmd"]),
    known("nats", QUEUE, &["nats-server"]),
    known("mosquitto", QUEUE, &["mosquitto"]),
    known("minio", "object store", &["minio"]),
    known("prometheus", "monitoring", &["prometheus"]),
    known("grafana", "monitoring", &["grafana-server", "grafana"]),
    known("fluent-bit", SIDECAR, &["fluent-bit"]),
    known("fluentd", SIDECAR, &["fluentd"]),
    known("filebeat", SIDECAR, &["filebeat"]),
    known("promtail", SIDECAR, &["promtail"]),
    known("telegraf", SIDECAR, &["telegraf"]),
    known("otel-collector", SIDECAR, &["otelcol", "otelcol-contrib"]),
    known(
        "exporter",
        SIDECAR,
        &[
            "node_exporter",
            "redis_exporter",
            "postgres_exporter",
            "mysqld_exporter",
            "memcached_exporter",
            "nginx-prometheus-exporter",
        ],
    ),
    known("oauth2-proxy", SIDECAR, &["oauth2-proxy"]),
    known(
        "cloud-sql-proxy",
        SIDECAR,
        &["cloud-sql-proxy", "cloud_sql_proxy"],
    ),
    known("pgbouncer", SIDECAR, &["pgbouncer"]),
    known("dapr", SIDECAR, &["daprd"]),
    known("linkerd", SIDECAR, &["linkerd2-proxy"]),
    known("sshd", "remote shell", &["sshd"]),
    known("cron", SCHEDULER, &["cron", "crond"]),
    known("supervisord", SUPERVISOR, &["supervisord"]),
    known("s6", SUPERVISOR, &["s6-svscan"]),
];

/// Programs that run other programs' text: they are a service only by what they listen on.
pub(super) const INTERPRETERS: &[(&str, &str)] = &[
    ("node", "node"),
    ("nodejs", "node"),
    ("deno", "deno"),
    ("bun", "bun"),
    ("java", "java"),
    ("dotnet", "dotnet"),
    ("ruby", "ruby"),
    ("php", "php"),
    ("perl", "perl"),
];

/// Programs that only start or wait for others.
pub(super) const WRAPPERS: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "ash",
    "zsh",
    "tini",
    "docker-init",
    "dumb-init",
    "catatonit",
    "sleep",
    "tail",
    "cat",
    "su",
    "sudo",
    "gosu",
    "su-exec",
    "env",
    "timeout",
    "xargs",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "uv",
    "poetry",
    "bundle",
    "make",
    "tee",
    "true",
    "watch",
];
