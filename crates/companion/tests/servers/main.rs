//! Debian's servers in real containers: what each of them is, and what it says of itself when it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use ergon_companion::observation::Observation;
use ergon_companion::{FoundService, Subject, WatchOptions, Watcher, diagnose};
use ergon_engine::testing::{TestContainer, engine};
use ergon_engine::{ContainerSpec, Engine, LogQuery};
use futures_util::StreamExt;

/// The image with the servers; `dev/base-images` makes it.
const SERVERS: &str = "ergon-test/servers:1";

/// A container with servers, and who watches it.
struct Room {
    engine: Engine,
    watcher: Watcher,
    subject: Subject,
    _container: TestContainer,
}

impl Room {
    async fn new(image: &str, line: &str) -> Self {
        let engine = engine().await;
        let spec = ContainerSpec {
            image: image.to_owned(),
            cmd: ["sh", "-c", line].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("HOSTNAME".to_owned(), "localhost".to_owned())]),
            ..ContainerSpec::default()
        };
        let container = TestContainer::create(&engine, "servers", spec).await;
        engine.start(&container.id).await.expect("started");
        let (watcher, mut changes) = Watcher::start(engine.clone(), WatchOptions::default());
        tokio::spawn(async move { while changes.recv().await.is_some() {} });
        watcher.watch(&container.id, &container.name);
        let subject = Subject {
            companion: "servers-ci".to_owned(),
            container_id: container.id.clone(),
            container: container.name.clone(),
            ..Subject::default()
        };
        Self {
            engine,
            watcher,
            subject,
            _container: container,
        }
    }

    async fn look(&self) -> Observation {
        self.watcher.observe(&self.subject).await
    }

    /// Looks until all of these are there: `nginx 1.22.1 (web server) [80]`, without what follows the first dot of a
    /// version, for Debian's servers are updated.
    async fn shows(&self, wanted: &[&str]) -> Observation {
        let mut seen = Vec::new();
        let looking = async {
            loop {
                let observation = self.look().await;
                seen = observation.services.iter().map(told).collect();
                if wanted.iter().all(|one| seen.iter().any(|told| told == one)) {
                    return observation;
                }
                // tidy(sleep-in-test): nothing tells when a server is there; to look is what is tested
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(40), looking).await;
        let Ok(observation) = found else {
            panic!(
                "{wanted:?} were not seen, but {seen:#?}\n{}",
                self.log().await
            )
        };
        observation
    }

    async fn log(&self) -> String {
        let query = LogQuery {
            tail: None,
            since: None,
            follow: false,
        };
        let mut lines = self.engine.logs(&self.subject.container_id, query);
        let mut log = String::new();
        while let Some(Ok(line)) = lines.next().await {
            log.push_str(&line.text());
            log.push('\n');
        }
        log
    }
}

fn told(service: &FoundService) -> String {
    let version = service.version.as_deref().map_or(String::new(), |version| {
        format!(" {}", version.split('.').next().unwrap_or_default())
    });
    let FoundService {
        name, role, ports, ..
    } = service;
    format!("{name}{version} ({role}) {ports:?}")
}

#[tokio::test]
async fn servers_say_who_they_are_once() {
    let line = "
mkdir -p /var/log/nginx /data /www
chown postgres /data
su postgres -c '/usr/lib/postgresql/15/bin/initdb -D /data' >/dev/null
(cd /www && exec python3 -m http.server 8000) &
redis-server --port 6379 --bind 127.0.0.1 --save '' &
(cd / && exec su postgres -c '/usr/lib/postgresql/15/bin/postgres -D /data -k /tmp') &
printf 'events {} http { access_log /dev/stdout; server { listen 80; return 204; } }' >/etc/nginx/nginx.conf
exec nginx -g 'daemon off;'
";
    let room = Room::new(SERVERS, line).await;
    let observation = room
        .shows(&[
            "http.server 3 (web server) [8000]",
            // It listens for nobody outside.
            "redis 7 (cache) [6379]",
            "postgres 15 (database) [5432]",
            "nginx 1 (web server) [80]",
        ])
        .await;
    assert!(observation.signals.certificates.is_empty());
    // Whoever looks again asks nobody again.
    let asked = |log: &str| log.matches("HEAD / HTTP/1.1").count();
    let before = room.log().await;
    assert_eq!(asked(&before), 2, "{before}");
    for _ in 0..5 {
        let again = room.look().await;
        assert_eq!(again.services, observation.services);
    }
    let after = room.log().await;
    assert_eq!(asked(&after), 2, "{after}");
    // No server complained about how it was asked.
    for complaint in ["FATAL", "ERROR", "invalid", "incomplete", "Bad request"] {
        assert!(!after.contains(complaint), "{complaint}: {after}");
    }
    let alarms = diagnose(&observation).findings;
    let alarms: Vec<_> = alarms
        .iter()
        .filter(|finding| finding.severity != "info")
        .collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[tokio::test]
#[ignore = "needs ergon-test/more-servers:1: `make test-all`"]
async fn more_servers_say_who_they_are() {
    let line = r#"
mkdir -p /run/mysqld /run/php /run/apache2 /run/lock/apache2 /var/log/apache2 /var/log/rabbitmq /app
chown mysql /run/mysqld /var/lib/mysql
chown rabbitmq /var/log/rabbitmq /var/lib/rabbitmq
mariadb-install-db --user=mysql >/dev/null 2>&1
mariadbd --user=mysql &
memcached -u nobody &
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=shop.example -days 90 -keyout /key.pem -out /certificate.pem 2>/dev/null
cat >/etc/apache2/sites-enabled/000-default.conf <<END
<VirtualHost *:443>
SSLEngine on
SSLCertificateFile /certificate.pem
SSLCertificateKeyFile /key.pem
</VirtualHost>
END
a2enmod -q ssl
sed -i 's/^listen = .*/listen = 9000/' /etc/php/8.2/fpm/pool.d/www.conf
php-fpm8.2 -F -O &
(. /etc/apache2/envvars && exec apache2 -DFOREGROUND) &
printf 'defaults\n mode http\n timeout connect 1s\n timeout client 9s\n timeout server 9s\nfrontend web\n bind *:8080\n default_backend it\nbackend it\n server it 127.0.0.1:80\n' >/haproxy.cfg
haproxy -W -f /haproxy.cfg &
echo 'require("http").createServer((_, answer) => answer.end("hello")).listen(3000)' >/app/server.js
node /app/server.js &
echo 'run lambda { |environment| [200, {}, ["hello"]] }' >/app/config.ru
(cd /app && exec puma -b tcp://0.0.0.0:9292 config.ru) &
printf 'from celery import Celery\napp = Celery("tasks", broker="memory://")\n' >/app/tasks.py
(cd /app && exec celery -A tasks worker --pool solo) &
RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_LOGS=- exec rabbitmq-server
"#;
    let room = Room::new("ergon-test/more-servers:1", line).await;
    let observation = room
        .shows(&[
            "apache 2 (web server) [80, 443]",
            // Debian's listens for nobody outside.
            "mariadb 10 (database) [3306]",
            "memcached 1 (cache) [11211]",
            "haproxy (proxy) [8080]",
            "php-fpm 8 (application server) [9000]",
            "node (application server) [3000]",
            "puma 5 (application server) [9292]",
            "celery (worker) []",
            "rabbitmq 3 (queue) [5672, 25672]",
        ])
        .await;
    let certificates = &observation.signals.certificates;
    let shown: Vec<(u16, &str)> = certificates
        .iter()
        .map(|certificate| (certificate.port, certificate.subject.as_str()))
        .collect();
    assert_eq!(shown, [(443, "shop.example")]);
    // A database or a queue may write a line about a guest who only looked; it never writes a second one.
    let complaints = |log: &str| {
        let about_guests = ["Aborted connection", "closing AMQP", "handshake"];
        about_guests
            .iter()
            .map(|complaint| log.matches(complaint).count())
            .sum::<usize>()
    };
    let before = complaints(&room.log().await);
    for _ in 0..5 {
        room.look().await;
    }
    let after = room.log().await;
    assert_eq!(complaints(&after), before, "{after}");
}

#[tokio::test]
async fn a_cache_that_speaks_only_tls_says_who_it_is_and_shows_its_certificate() {
    let line = "
cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=cache.example -keyout key.pem -out certificate.pem
exec redis-server --port 0 --tls-port 6379 --tls-cert-file certificate.pem --tls-key-file key.pem --tls-ca-cert-file certificate.pem --tls-auth-clients no";
    let room = Room::new(SERVERS, line).await;
    let seen = room.shows(&["redis 7 (cache) [6379]"]).await;
    let shown = &seen.signals.certificates;
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!(
        (shown[0].subject.as_str(), shown[0].port),
        ("cache.example", 6379)
    );
}
