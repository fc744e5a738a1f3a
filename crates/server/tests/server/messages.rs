//! Messages to companions of every kind, and what is recorded of them.

use std::future::Future;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::world::{World, config, read};

/// A companion that is a server of its own on this machine.
pub struct Companion {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Companion {
    /// Answers everybody who comes with what `answer` makes of what they said.
    pub async fn answering<F>(answer: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        Self::at(0, answer).await
    }

    pub async fn at<F>(port: u16, answer: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = String> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move { converse(stream, &*answer).await });
            }
        });
        Self { port, task }
    }

    /// Says the same to everybody.
    pub async fn saying(text: &'static str) -> Self {
        Self::answering(move |_| async move { whole(&json!({ "response": text })) }).await
    }

    /// Goes away, and says where it was.
    pub async fn leave(self) -> u16 {
        self.task.abort();
        // The port is free once the task is gone.
        let _ = self.task.await;
        self.port
    }
}

async fn converse<F: Future<Output = String>>(mut stream: TcpStream, answer: &impl Fn(Value) -> F) {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let Ok(count @ 1..) = stream.read(&mut buffer).await else {
            return;
        };
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((_, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        // It is whole once it is JSON; a look at its health has no body.
        let message = serde_json::from_str(body);
        if text.starts_with("POST") && message.is_err() {
            continue;
        }
        let said = answer(message.unwrap_or_default()).await;
        let _ = stream.write_all(said.as_bytes()).await;
        return;
    }
}

pub fn whole(body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A stack that knows these servers by these names.
pub async fn knowing(servers: &[(&str, u16)]) -> World {
    let world = World::new().await;
    for (name, port) in servers {
        let record = json!({
            "name": name, "type": "external", "port": port, "message_endpoint": "/talk", "ttl": 3600,
        });
        world.post("/api/registry/register", record).await.success();
    }
    world
}

impl World {
    pub async fn say(&self, name: &str, message: Value) -> crate::world::Answer {
        self.post(&format!("/api/v1/companions/{name}/message"), message)
            .await
    }

    /// The newest exchange, once one is as wanted.
    pub async fn exchange(&self, outcome: &str) -> Value {
        let page = self
            .until(&format!("/api/v1/exchanges?outcome={outcome}"), |page| {
                !page["items"].as_array().unwrap().is_empty()
            })
            .await;
        page["items"][0].clone()
    }

    /// The events of an answer that is a stream, as pairs of name and data.
    pub async fn streamed(&self, path: &str, body: Value) -> Vec<(String, Value)> {
        let request = self.request(Method::POST, path).json(&body);
        let response = request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        text.split("\n\n")
            .filter_map(|event| {
                let name = event
                    .lines()
                    .find_map(|line| line.strip_prefix("event: "))?;
                let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
                Some((name.to_owned(), serde_json::from_str(data).unwrap()))
            })
            .collect()
    }
}

pub async fn own_name(world: &World) -> String {
    let session = world.get("/api/v1/session").await;
    session["stack"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_exchange_is_recorded_without_its_words() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    let said = json!({ "content": "how are you, Sesame?" });
    let reply = world.say(&stack.to_uppercase(), said).await.success();
    assert_eq!(reply["from"], stack.as_str());
    assert!(!reply["evidence"].as_array().unwrap().is_empty());
    let exchange = world.exchange("answered").await;
    assert_eq!(exchange["from"], "owner");
    assert_eq!(exchange["principal"], "owner");
    assert_eq!(exchange["to"], stack.as_str());
    assert_eq!(exchange["way"], "socket");
    assert_eq!(exchange["bytes_sent"], 20);
    assert!(exchange["bytes_received"].as_u64().unwrap() > 0);
    let id = exchange["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/api/v1/exchanges/{id}")).await,
        exchange
    );
    let everything = world.get("/api/v1/events").await.to_string();
    assert!(!exchange.to_string().contains("Sesame") && !everything.contains("Sesame"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_on_a_companions_socket_is_recorded_once_and_with_who_they_are() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    let socket = world
        .data()
        .join(format!("run/ci_{}.sock", stack.to_lowercase()));
    // Another process: what this one says on the socket it has sent itself.
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n\
        s.sendall(b'{\"from\": \"owner\", \"content\": \"how are you, Sesame?\"}\\n')\nprint(s.makefile().readline())";
    let mut guest = std::process::Command::new("python3");
    let said = guest.args(["-c", script]).arg(&socket).output().unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["from"], stack.as_str(), "{said:#}");
    let exchange = world.exchange("answered").await;
    let who = format!("uid:{}", rustix::process::getuid().as_raw());
    assert_eq!(exchange["from"], who.as_str(), "not who it says it is");
    assert_eq!(exchange["principal"], who.as_str());
    assert_eq!(
        (&exchange["to"], &exchange["way"]),
        (&json!(stack), &json!("socket"))
    );
    assert_eq!(exchange["bytes_sent"], 20);
    assert!(exchange["bytes_received"].as_u64().unwrap() > 0);
    assert!(!exchange.to_string().contains("Sesame"));
    // What goes through the stack is there once, not once for each side.
    world
        .say(&stack, json!({ "content": "and now?" }))
        .await
        .success();
    let all = world
        .until("/api/v1/exchanges", |page| {
            page["items"].as_array().unwrap().len() >= 2
        })
        .await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all:#}");
    assert_eq!(all["items"][0]["principal"], "owner");
    world.end().await;
}

#[tokio::test]
async fn the_words_are_kept_where_the_owner_wants_that() {
    let folder = tempfile::tempdir().unwrap();
    let config = ergon_server::Config {
        keep_messages: true,
        ..config(folder.path())
    };
    let world = World::with(folder, config).await;
    let stack = own_name(&world).await;
    let reply = world
        .say(&stack, json!({ "content": "how are you?" }))
        .await
        .success();
    let exchange = world.exchange("answered").await;
    assert_eq!(exchange["message"], "how are you?");
    assert_eq!(exchange["answer"], reply["content"]);
    world.end().await;
}

#[tokio::test]
async fn exchanges_come_by_page_and_by_whom_they_are_with() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    for number in 0..5 {
        world
            .say(&stack, json!({ "content": format!("{number}") }))
            .await
            .success();
    }
    let path = format!("/api/v1/exchanges?to={}&limit=2", stack.to_uppercase());
    let all = world
        .until("/api/v1/exchanges", |page| {
            page["items"].as_array().unwrap().len() == 5
        })
        .await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("{path}{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(Value::Array(seen), all["items"]);
    assert_eq!(
        world.get("/api/v1/exchanges?to=nobody").await["items"],
        json!([])
    );
    let wrong = world.request(Method::GET, "/api/v1/exchanges?cursor=x");
    read(wrong).await.problem(400);
    world.end().await;
}

#[tokio::test]
async fn a_server_of_somebody_else_answers_in_its_own_name_only() {
    let liar = Companion::answering(|message| async move {
        assert_eq!(message["from"], "owner");
        whole(&json!({
            "from": "owner", "content": "\u{1b}[2Jall is well", "evidence": [], "findings": [
                { "id": "x", "severity": "critical", "text": "x", "evidence": [], "remedy": "rm -rf /" }],
        }))
    })
    .await;
    let world = knowing(&[("West-CI", liar.port)]).await;
    let reply = world
        .say("west-ci", json!({ "content": "x" }))
        .await
        .success();
    assert_eq!(reply["from"], "West-CI");
    assert_eq!(reply["content"], "\u{1b}[2Jall is well");
    assert_eq!(reply["findings"], json!([]));
    assert_eq!(world.exchange("answered").await["way"], "http");
    world.end().await;
}

#[tokio::test]
async fn an_answer_streams_through_and_a_failure_ends_the_stream() {
    let events = "data: {\"content\":\"I am \"}\n\ndata: {\"content\":\"well\"}\n\n";
    let streaming = Companion::answering(move |_| async move {
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}")
    })
    .await;
    let world = knowing(&[("west-ci", streaming.port)]).await;
    let stack = own_name(&world).await;
    let told = world
        .streamed(
            "/api/v1/companions/west-ci/message",
            json!({ "content": "x" }),
        )
        .await;
    assert_eq!(told[0], ("piece".to_owned(), json!({ "content": "I am " })));
    assert_eq!(told[1], ("piece".to_owned(), json!({ "content": "well" })));
    assert_eq!(
        (told[2].0.as_str(), &told[2].1["content"]),
        ("reply", &json!("I am well"))
    );

    let path = format!("/api/v1/companions/{stack}/message");
    let told = world
        .streamed(&path, json!({ "content": "how are you?" }))
        .await;
    assert_eq!((told.len(), told[0].0.as_str()), (1, "reply"));

    streaming.leave().await;
    let told = world
        .streamed(
            "/api/v1/companions/west-ci/message",
            json!({ "content": "x" }),
        )
        .await;
    assert_eq!(
        (told.len(), told[0].0.as_str(), &told[0].1["status"]),
        (1, "problem", &json!(503))
    );
    assert!(told[0].1["remedy"].as_str().unwrap().contains("--later"));
    let refused = world
        .request(Method::POST, "/api/v1/companions/nobody/message")
        .header("accept", "text/event-stream")
        .json(&json!({ "content": "x" }));
    read(refused).await.problem(404);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    for (message, status) in [
        (json!({ "content": "" }), 400),
        (json!({ "content": " \n" }), 400),
        (json!({ "content": "x".repeat((32 << 10) + 1) }), 413),
        (json!({ "content": "x", "timeout_seconds": 0 }), 400),
        (json!({ "content": "x", "timeout_seconds": 601 }), 400),
        (json!({ "content": "x", "terminal": "a/b" }), 400),
        (json!({ "content": "x", "terminal": "list" }), 400),
        (json!({ "content": "x", "terminal": stack }), 409),
        (json!({ "content": ["x"] }), 422),
        (json!({}), 422),
    ] {
        world.say(&stack, message).await.problem(status);
    }
    let problem = world
        .say("nobody", json!({ "content": "x" }))
        .await
        .problem(404);
    assert!(problem["remedy"].as_str().unwrap().contains(&stack));
    world.end().await;
}

#[tokio::test]
async fn whoever_is_too_slow_is_not_waited_for() {
    let mute = Companion::answering(|_| std::future::pending()).await;
    let world = knowing(&[("mute-ci", mute.port)]).await;
    let message = json!({ "content": "x", "timeout_seconds": 1 });
    let problem = world.say("mute-ci", message).await.problem(504);
    assert_eq!(
        problem["detail"],
        "`mute-ci` did not answer: no answer came within 1 s"
    );
    let exchange = world.exchange("too-slow").await;
    assert_eq!(exchange["reason"], "no answer came within 1 s");
    world.end().await;
}

#[tokio::test]
async fn every_list_says_what_somebody_is_there_for() {
    let world = World::new().await;
    let record =
        json!({ "name": "Numa", "type": "external", "port": 9, "purpose": "plans", "ttl": 3600 });
    world.post("/api/registry/register", record).await.success();
    let put = async |purpose: &str| {
        let request = world.request(Method::PUT, "/api/v1/companions/numa/purpose");
        read(request.json(&json!({ "purpose": purpose })))
            .await
            .success()
    };
    let said_of =
        |one: &Value| ["purpose", "purpose_said_by", "sentence"].map(|key| one[key].clone());
    let listed = async |world: &World| {
        let one = said_of(&world.get("/api/registry/NUMA").await);
        for list in ["/api/v1/companions", "/api/registry?type=external"] {
            let list = world.get(list).await;
            let mut items = list["items"].as_array().unwrap().iter();
            let listed = items.find(|listed| listed["name"] == "Numa").unwrap();
            assert_eq!(said_of(listed), one);
        }
        one
    };
    assert_eq!(
        listed(&world).await,
        [json!("plans"), json!(null), json!("plans")]
    );
    put("runs our tests").await;
    let said = [
        json!("runs our tests"),
        json!("owner"),
        json!("runs our tests"),
    ];
    assert_eq!(listed(&world).await, said);
    let found = world.get("/api/registry?q=OUR%20tests").await;
    assert_eq!(found["items"][0]["name"], "Numa");
    assert_eq!(world.get("/api/registry?q=plans").await["items"], json!([]));
    let world = World::over(world.end().await).await;
    assert_eq!(listed(&world).await, said, "also after a restart");
    let request = world.request(Method::PUT, "/api/v1/companions/numa/purpose");
    read(request.json(&json!({ "purpose": "" })))
        .await
        .success();
    assert_eq!(listed(&world).await[0], "plans");
    world.end().await;
}

#[tokio::test]
async fn what_somebody_is_there_for_can_be_said_and_taken_back() {
    let world = World::new().await;
    let stack = own_name(&world).await;
    let path = format!("/api/v1/companions/{stack}/purpose");
    let put = |purpose: &str| {
        world
            .request(Method::PUT, &path)
            .json(&json!({ "purpose": purpose }))
    };
    assert_eq!(world.get(&path).await, json!({ "name": stack }));
    let said = read(put(" runs our tests ")).await.success();
    assert_eq!(
        said,
        json!({ "name": stack, "purpose": "runs our tests", "said_by": "owner" })
    );
    read(put(&"x".repeat(501))).await.problem(400);
    read(put("a\nb")).await.problem(400);
    assert_eq!(read(put("")).await.success(), json!({ "name": stack }));
    world.end().await;
}

#[tokio::test]
async fn a_team_is_heard_as_they_answer_and_each_has_their_own_time() {
    let released = Arc::new(Notify::new());
    let release = Arc::clone(&released);
    let slow = Companion::answering(move |_| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            whole(&json!({ "response": "at last" }))
        }
    })
    .await;
    let quick = Companion::answering(move |_| {
        // The slow one speaks only once the quick one was asked: they are asked at once.
        release.notify_one();
        async { whole(&json!({ "response": "at once" })) }
    })
    .await;
    let mute = Companion::answering(|_| std::future::pending()).await;
    let gone = Companion::saying("x").await.leave().await;
    let team = [
        ("a-slow", slow.port),
        ("b-quick", quick.port),
        ("c-mute", mute.port),
        ("d-gone", gone),
    ];
    let world = knowing(&team).await;
    let stack = own_name(&world).await;
    read(world.request(Method::PUT, "/api/v1/terminals/desk"))
        .await
        .success();
    let told = world
        .streamed(
            "/api/v1/team-chat",
            json!({ "content": "anyone unwell?", "timeout_seconds": 2 }),
        )
        .await;
    let (last, answers) = told.split_last().unwrap();
    assert_eq!(last.0, "end");
    let outcome = |name: &str| {
        let mut found = answers.iter().filter(|(_, answer)| answer["from"] == name);
        let answer = &found.next().unwrap().1;
        assert!(found.next().is_none());
        answer["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(answers.len(), 5, "{answers:#?}");
    assert_eq!(outcome("a-slow"), "answered");
    assert_eq!(outcome("b-quick"), "answered");
    assert_eq!(outcome("c-mute"), "too-slow");
    assert_eq!(outcome("d-gone"), "away");
    assert_eq!(outcome(&stack), "answered");
    assert_eq!(
        answers.last().unwrap().1["from"],
        "c-mute",
        "it is the last that is waited for"
    );

    let only = world
        .post(
            "/api/v1/team-chat",
            json!({ "content": "you?", "type": "stack" }),
        )
        .await
        .success();
    assert_eq!(only["items"].as_array().unwrap().len(), 1);
    assert_eq!(only["items"][0]["reply"]["from"], stack.as_str());
    let page = world.get(&format!("/api/v1/exchanges?to={stack}")).await;
    assert!(page["items"][0]["team"].is_string());
    for wrong in [
        json!({ "content": "" }),
        json!({ "content": "x", "type": "tool" }),
        json!({ "content": "x", "timeout_seconds": 0 }),
    ] {
        world.post("/api/v1/team-chat", wrong).await.problem(400);
    }
    world.end().await;
}

#[tokio::test]
async fn the_headers_of_a_record_go_with_each_message_and_nowhere_else() {
    let strict = Companion::answering(|_| async { whole(&json!({ "response": "well" })) }).await;
    let world = World::new().await;
    let record = json!({
        "name": "west-ci", "type": "external", "port": strict.port, "message_endpoint": "/talk", "ttl": 3600,
        "headers": { "Authorization": "Bearer s3same" },
    });
    world.post("/api/registry/register", record).await.success();
    world
        .say("west-ci", json!({ "content": "x" }))
        .await
        .success();
    world.exchange("answered").await;
    let shown = [
        world.get("/api/v1/exchanges").await,
        world.get("/api/v1/events").await,
        world.get("/api/v1/companions").await,
    ];
    assert!(!format!("{shown:?}").contains("s3same"));
    world.end().await;
}
