//! Attacks, one to a line: what is tried, as whom, and what may come of it. Whatever the answer, a stack has failed if it
//! answers with an error of its own, shows what is kept from the one who asked, or is not what it was before.
//!
//! Requests are sent as they are written: a well-behaved client would put right most of what is wrong with them.

mod bombs;
mod deputies;
mod escapes;
mod headers;
mod links;
mod paths;
mod persuasion;
mod reach;
mod replays;
mod tokens;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::distribution::refusals::answer;
use crate::world::{Door, World, read};

/// What a secret of the stack holds, and what a file beside the stack's data does.
const KEPT: &str = "the-crown-jewels-7f3a";

/// As whom an attack is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Nobody,
    Viewer,
    Developer,
    /// A viewer in a browser, with a session.
    Browser,
    /// A robot that may pull `open/*` only.
    Robot,
    Owner,
}

/// One attack.
struct Attack {
    what: String,
    by: By,
    /// The first line, without the version.
    line: String,
    /// More lines of the head.
    head: Vec<String>,
    /// Whether it names its host itself.
    names_host: bool,
    body: Option<Vec<u8>>,
    /// The answers that are as they should be. 0: the connection is closed without one.
    answers: Vec<u16>,
}

fn attack(what: impl Into<String>, by: By, line: impl Into<String>, answers: &[u16]) -> Attack {
    Attack {
        what: what.into(),
        by,
        line: line.into(),
        head: Vec::new(),
        names_host: false,
        body: None,
        answers: answers.to_vec(),
    }
}

impl Attack {
    fn head(mut self, line: impl Into<String>) -> Self {
        let line = line.into();
        self.names_host |= line.to_ascii_lowercase().starts_with("host");
        self.head.push(line);
        self
    }

    fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    fn text(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.head.push(format!("content-type: {kind}"));
        self.body = Some(body.into());
        self
    }
}

/// A stack that has something to lose, and those who attack it.
struct Target {
    world: World,
    /// What shows who each is: lines of a head.
    shown: BTreeMap<By, String>,
    /// What nobody may see in an answer.
    jewels: Vec<String>,
}

/// What lists of the stack hold that attacks would change.
const LISTS: [&str; 14] = [
    "/api/v1/approval-rules",
    "/api/v1/containers",
    "/api/v1/guard-rails",
    "/api/v1/people",
    "/api/v1/policies",
    "/api/v1/projects",
    "/api/v1/proposals",
    "/api/v1/repositories",
    "/api/v1/robots",
    "/api/v1/secrets",
    "/api/v1/solutions",
    "/api/v1/tool-servers",
    "/api/v1/upstreams",
    "/api/registry",
];

impl Target {
    async fn new() -> Self {
        let world = World::new().await;
        std::fs::write(world.folder.path().join("kept"), KEPT).unwrap();
        let secret = json!({ "value": KEPT });
        let put = world.request(Method::PUT, "/api/v1/secrets/crown");
        read(put.json(&secret)).await.success();
        let mut shown = BTreeMap::from([(By::Nobody, String::new())]);
        for (by, name) in [(By::Viewer, "viewer"), (By::Developer, "developer")] {
            let token = person(&world, name).await;
            shown.insert(by, format!("authorization: Bearer {token}\r\n"));
        }
        let owner = format!("authorization: Bearer {}\r\n", world.token);
        shown.insert(By::Owner, owner);
        let robot = json!({ "name": "puller", "allow": ["open/*:pull"] });
        let robot = world.post("/api/v1/robots", robot).await.success();
        let secret = robot["secret"].as_str().unwrap();
        shown.insert(By::Robot, format!("authorization: Bearer {secret}\r\n"));
        let session = session(&world, "viewer").await;
        shown.insert(By::Browser, format!("cookie: {session}\r\n"));
        let key = std::fs::read_to_string(world.data().join("token")).unwrap();
        Self {
            world,
            shown,
            jewels: vec![
                KEPT.to_owned(),
                key.trim().to_owned(),
                "root:x:0".to_owned(),
                "PRIVATE KEY".to_owned(),
            ],
        }
    }

    /// What must not change, without what changes by itself.
    async fn state(&self) -> String {
        let mut state = String::new();
        for list in LISTS {
            let found = stable(self.world.get(list).await);
            let _ = writeln!(state, "{list} {found:#}");
        }
        state
    }

    async fn send(&self, attack: &Attack) -> (u16, String) {
        let mut sent = format!("{} HTTP/1.1\r\n", attack.line);
        if !attack.names_host {
            let _ = write!(sent, "host: {}\r\n", self.world.authority());
        }
        sent += &self.shown[&attack.by];
        for line in &attack.head {
            let _ = write!(sent, "{line}\r\n");
        }
        let says_length = |line: &String| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-length") || line.starts_with("transfer-encoding")
        };
        let body = attack.body.as_deref().unwrap_or_default();
        if !attack.head.iter().any(says_length) {
            let _ = write!(sent, "content-length: {}\r\n", body.len());
        }
        sent += "connection: close\r\n\r\n";
        let mut sent = sent.into_bytes();
        sent.extend_from_slice(body);
        answer(&self.world, &sent, false).await
    }

    /// Makes every attack of a table, and says of all that went wrong what did.
    async fn withstands(&self, attacks: Vec<Attack>) {
        let before = self.state().await;
        let mut wrong = Vec::new();
        for attack in attacks {
            let (status, text) = self.send(&attack).await;
            let mut fail = |why: &str| {
                let head: String = text.chars().take(600).collect();
                wrong.push(format!(
                    "{} ({:?}, {}): {why}\n{head}\n",
                    attack.what, attack.by, attack.line
                ));
            };
            if !attack.answers.contains(&status) {
                fail(&format!("{status} instead of {:?}", attack.answers));
            }
            if let Some(jewel) = self.jewels.iter().find(|jewel| text.contains(*jewel)) {
                fail(&format!("it shows `{jewel}`"));
            }
            let lower = text.to_ascii_lowercase();
            if lower.contains("access-control-allow") {
                fail("it lets another site read the answer");
            }
            if text.matches("HTTP/1.1 2").count() > 1 {
                fail("one request had two answers");
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let after = self.state().await;
        assert_eq!(before, after, "something changed");
    }
}

/// A value without its times, which go on by themselves.
fn stable(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !name.ends_with("_at") && !name.starts_with("last_"))
            .filter(|(name, _)| !matches!(name.as_str(), "checked" | "expires" | "sessions"))
            .map(|(name, value)| (name, stable(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(stable).collect(),
        other => other,
    }
}

/// Adds somebody who has the role of their name, and gives a token of theirs.
async fn person(world: &World, name: &str) -> String {
    let wanted = json!({ "name": name, "roles": [name] });
    world.post("/api/v1/people", wanted).await.success();
    token_of(world, name).await["secret"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Another token of somebody, with its id.
async fn token_of(world: &World, name: &str) -> Value {
    let path = format!("/api/v1/people/{name}/tokens");
    world.post(&path, json!({})).await.success()
}

/// A session of somebody, as their browser has it.
async fn session(world: &World, name: &str) -> String {
    let path = format!("/api/v1/people/{name}/link");
    let link = world.post(&path, json!({})).await.success();
    let code = json!({ "code": link["code"] });
    let signed_in = world.anonymous(Method::POST, "/api/v1/session").json(&code);
    let signed_in = signed_in.send().await.unwrap();
    let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split_once(';').unwrap().0.to_owned()
}

/// A door for somebody whose token is known.
fn as_bearer(world: &World, token: &str) -> Door {
    world.with_token(token)
}
