//! Everything a companion knows of its container, as one file to hand on.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ergon_server::api::{
    Companion, Container, Event, Inside, List, Message, Proposal, Reply, RunbookTrial,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::{output, style, words};

/// What a companion is asked for the file. Its answers have no secrets: it says none.
const QUESTIONS: [&str; 11] = [
    "status",
    "what happened?",
    "which services and processes run?",
    "ports",
    "memory and cpu",
    "uptime",
    "any errors?",
    "environment",
    "which image are you?",
    "what differs from what you were meant to be?",
    "what is wasteful?",
];

/// Writes the file; `-` is standard output.
pub async fn write(client: &Client, name: &str, file: Option<PathBuf>) -> Outcome {
    let bundle = gather(client, name).await?;
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{name}-debug.json")));
    if file == Path::new("-") {
        return output::print_json(&bundle);
    }
    let text = serde_json::to_string_pretty(&bundle).unwrap_or_default();
    // It tells a lot of a container, and is its owner's.
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.map_err(|error| {
        Failure::new(format!("{} cannot be written: {error}", file.display()))
            .with_remedy("name another file with -o FILE".to_owned())
    })?;
    let told = words::harmless(&file.display().to_string());
    output::print(&format!(
        "{} has what {} knows, without secrets.\n",
        style::strong(&told),
        words::harmless(name)
    ))
}

async fn gather(client: &Client, name: &str) -> Outcome<Value> {
    let companions: List<Companion> = client.get(&["api", "v1", "companions"]).await?;
    let companion = companions
        .items
        .into_iter()
        .find(|companion| companion.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| {
            Failure::new(format!("there is no companion named {name}"))
                .with_remedy("ergon companion list says who is there".to_owned())
        })?;
    let mut answers = Vec::new();
    for question in QUESTIONS {
        let message = Message {
            content: question.to_owned(),
            ..Message::default()
        };
        let path = ["api", "v1", "companions", &companion.name, "message"];
        let reply: Reply = client.post(&path, &message).await?;
        answers.push(json!({ "question": question, "answer": reply }));
    }
    let mut bundle = json!({
        "made_at": Timestamp::now().to_string(),
        "ergon": env!("CARGO_PKG_VERSION"),
        "answers": answers,
    });
    if let Some(container) = &companion.container {
        let path = ["api", "v1", "containers", container];
        let seen: Container = client.get(&path).await?;
        let path = ["api", "v1", "containers", container, "runbooks"];
        let runbooks: List<RunbookTrial> = client.get(&path).await?;
        let events: List<Event> = client.get(&["api", "v1", "events"]).await?;
        let all: List<Proposal> = client
            .get_with(&["api", "v1", "proposals"], &[("all", "true")])
            .await?;
        let path = ["api", "v1", "companions", &companion.name, "look"];
        // What has ended has no processes, and says the rest all the same.
        let inside: Option<Inside> = client.get(&path).await.ok();
        let subject = format!("container/{container}");
        let about = |event: &Event| {
            event.subject == subject || event.data["container"] == container.as_str()
        };
        let events: Vec<Event> = events.items.into_iter().filter(about).collect();
        let id = companion.container_id.as_deref();
        let proposals = all.items.into_iter();
        let proposals: Vec<Proposal> = proposals
            .filter(|proposal| Some(proposal.container_id.as_str()) == id)
            .collect();
        bundle["container"] = json!(seen);
        if let Some(inside) = inside {
            bundle["processes"] = json!(inside.processes);
            bundle["sockets"] = json!(inside.sockets);
            bundle["environment"] = json!(inside.environment);
        }
        bundle["runbooks"] = json!(runbooks.items);
        bundle["events"] = json!(events);
        bundle["proposals"] = json!(proposals);
    }
    bundle["companion"] = json!(companion);
    Ok(bundle)
}
