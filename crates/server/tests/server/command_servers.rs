//! Servers of tools that are programs: whatever they do, nothing here breaks, and nothing of them stays behind.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::mcp::{alone, call, names, result};
use crate::world::World;

/// A server that does what its tools are called. It notes each of its processes in a file.
const SERVER: &str = r#"
import json, os, subprocess, sys, time

notes = open(sys.argv[1], "a")
out = sys.stdout.buffer


def note(what):
    print(what, file=notes, flush=True)


def send(message):
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def text(said):
    return {"content": [{"type": "text", "text": said}]}


def call(name, ident):
    if name == "die":
        os._exit(1)
    if name == "hang":
        return None
    if name == "rubbish":
        # Words, bytes that are none, half a document, a document that is no message, and an answer to nothing.
        for line in [b"I am well, thank you!", b"\xff\x00\xfe", b'{"jsonrpc": "2.0", "id":', b"[7]", b"{}",
                     b'{"jsonrpc": "2.0", "id": 999999, "result": {}}']:
            out.write(line + b"\n")
    if name == "huge":
        for _ in range(20):
            out.write(b"x" * (1 << 20))
        out.write(b"\n")
    if name == "long":
        return text("x" * (5 << 20))
    if name == "environment":
        return text(" ".join(sorted(os.environ)))
    return text(str(os.getpid()))


note(os.getpid())
if "--mute" in sys.argv:
    time.sleep(600)
if "--family" in sys.argv:
    # A child that keeps going whatever becomes of its parent.
    note(subprocess.Popen(["sleep", "600"], start_new_session=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid)
tools = ["die", "echo", "environment", "hang", "huge", "long", "rubbish"]
for line in sys.stdin:
    message = json.loads(line)
    method, ident = message.get("method"), message.get("id")
    if method == "notifications/cancelled":
        note("cancelled")
    if ident is None:
        continue
    if method == "initialize":
        answer = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "command", "version": "1"}}
    elif method == "tools/list":
        answer = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in tools]}
    elif method == "tools/call":
        answer = call(message["params"]["name"], ident)
    else:
        send({"jsonrpc": "2.0", "id": ident, "error": {"code": -32601, "message": "no such method"}})
        continue
    if answer is not None:
        send({"jsonrpc": "2.0", "id": ident, "result": answer})
"#;

/// What the server noted, and its processes.
struct Notes(PathBuf);

impl Notes {
    fn lines(&self) -> Vec<String> {
        let noted = std::fs::read_to_string(&self.0).unwrap_or_default();
        noted.lines().map(str::to_owned).collect()
    }

    fn processes(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.parse::<u32>().is_ok());
        lines
    }
}

/// A stack that knows the server as `local`.
async fn knowing(options: &[&str]) -> (World, Notes, Value) {
    let world = World::new().await;
    let folder = world.folder("server", &[("server.py", SERVER)]);
    let (program, notes) = (folder.join("server.py"), folder.join("notes"));
    let mut command = vec![
        "python3",
        program.to_str().unwrap(),
        notes.to_str().unwrap(),
    ];
    command.extend(options);
    let wanted = json!({ "name": "local", "command": command });
    let added = world.post("/api/v1/tool-servers", wanted).await.success();
    (world, Notes(notes), added)
}

fn said(answer: &Value) -> &str {
    assert_ne!(answer["isError"], true, "{answer:#}");
    answer["content"][1]["text"].as_str().unwrap()
}

/// The words of a tool's error.
fn failed(answer: &Value) -> &str {
    assert_eq!(answer["isError"], true, "{answer:#}");
    answer["content"][0]["text"].as_str().unwrap()
}

/// Whether a process is gone before long, or is only waited for by somebody who is not there.
fn is_gone(process: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat"));
        let is_over = |stat: String| {
            let state = stat.rsplit(") ").next().map(str::to_owned);
            state.is_some_and(|state| state.starts_with('Z'))
        };
        if stat.map_or(true, is_over) {
            return true;
        }
        // tidy(sleep-in-test): a process of somebody else tells nobody here that it has ended
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_started_once_answers_and_is_gone_with_its_server() {
    let (world, notes, added) = knowing(&[]).await;
    assert_eq!(added["health"], "up", "{added:#}");
    let tools = result(&world, "tools/list", json!({})).await;
    let offered = names(&tools["tools"]);
    let offered = offered
        .into_iter()
        .filter(|name| name.starts_with("local/"));
    assert_eq!(offered.count(), 7);
    let first = call(&world, "local/echo", json!({})).await;
    let again = call(&world, "local/echo", json!({})).await;
    assert_eq!(said(&first), said(&again), "one process answers both");
    let environment = call(&world, "local/environment", json!({})).await;
    let names: Vec<_> = said(&environment).split(' ').collect();
    assert!(names.contains(&"PATH"), "{names:?}");
    // What the test itself was started with.
    let ours = |name: &&str| name.starts_with("CARGO") || name.starts_with("ERGON");
    assert!(!names.iter().any(ours), "{names:?}");
    assert_eq!(notes.processes(), [said(&first)]);
    world.delete("/api/v1/tool-servers/local").await;
    assert!(is_gone(said(&first)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_dies_is_started_again_by_the_next_call() {
    let (world, notes, _) = knowing(&[]).await;
    let begun = Instant::now();
    let died = call(&world, "local/die", json!({})).await;
    assert!(failed(&died).contains("`local` cannot be asked"), "{died}");
    assert!(begun.elapsed() < Duration::from_secs(20), "it is noticed");
    let after = call(&world, "local/echo", json!({})).await;
    assert_eq!(notes.processes().last().unwrap(), said(&after));
    assert_eq!(notes.processes().len(), 2);
    // Killed between two calls, it is the same.
    let killed = std::process::Command::new("kill")
        .args(["-9", said(&after)])
        .status();
    assert!(killed.unwrap().success());
    assert!(is_gone(said(&after)));
    let mut answer = call(&world, "local/echo", json!({})).await;
    if answer["isError"] == true {
        // The call may be on its way before it is known that nobody hears it: whether it was heard is not known then.
        assert!(failed(&answer).contains("cannot be asked"), "{answer}");
        answer = call(&world, "local/echo", json!({})).await;
    }
    assert_eq!(notes.processes().last().unwrap(), said(&answer));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_writes_that_is_no_answer_is_passed_over() {
    let (world, notes, _) = knowing(&[]).await;
    let answer = call(&world, "local/rubbish", json!({})).await;
    assert_eq!([said(&answer)], notes.processes()[..]);
    // A line of 20 MiB is not kept, and what comes after it counts.
    let answer = call(&world, "local/huge", json!({})).await;
    assert_eq!([said(&answer)], notes.processes()[..]);
    // An answer that is too long is refused, and the next one is not.
    let answer = call(&world, "local/long", json!({})).await;
    assert!(failed(&answer).contains("larger than 4 MiB"));
    let answer = call(&world, "local/echo", json!({})).await;
    assert_eq!([said(&answer)], notes.processes()[..]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_keeps_no_other_waiting_and_is_called_off_with_whoever_asked() {
    let (world, notes, _) = knowing(&[]).await;
    let hanging = json!({ "name": "local/hang", "arguments": {} });
    let hanging = alone(&world, "tools/call", hanging);
    let hanging = tokio::spawn(async move { hanging.send().await });
    let answer = call(&world, "local/echo", json!({})).await;
    assert_eq!([said(&answer)], notes.processes()[..]);
    assert!(!hanging.is_finished());
    hanging.abort();
    let until = Instant::now() + Duration::from_secs(30);
    while !notes.lines().contains(&"cancelled".to_owned()) {
        assert!(Instant::now() < until, "the program is told");
        // tidy(sleep-in-test): what a program has written into a file is looked for there
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_never_says_anything_is_given_up_and_ended() {
    let (world, notes, added) = knowing(&["--mute"]).await;
    assert_eq!(added["health"], "degraded");
    let reason = added["reason"].as_str().unwrap();
    assert!(reason.contains("does not answer in time"), "{reason}");
    assert!(notes.processes().iter().all(|process| is_gone(process)));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_program_outlives_its_stack() {
    let (world, notes, _) = knowing(&["--family"]).await;
    let answer = call(&world, "local/echo", json!({})).await;
    let processes = notes.processes();
    assert_eq!((processes.len(), said(&answer)), (2, processes[0].as_str()));
    world.end().await;
    for process in processes {
        assert!(is_gone(&process), "{process} still runs");
    }
}
