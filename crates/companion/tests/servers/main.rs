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
