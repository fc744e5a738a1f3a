//! A tool, called: the operation behind it is asked, and what comes back is said as tools say it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use futures_util::StreamExt as _;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;
use sse_stream::{Sse, SseStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::inside::{self, Answer, Inside, is_kind};
use super::progress::Progress;
use super::request::{request, waits};
use super::tools::{Operation, Tools};
use crate::api::Problem;
use crate::http::guard::Caller;

/// Lines of a log come by the thousand; so often one of them is told.
const LINES: Duration = Duration::from_millis(200);

/// A call of a tool.
pub struct Call<'a> {
    pub inside: &'a Inside,
    pub tools: &'a Tools,
    pub caller: &'a Caller,
    pub progress: Progress,
    /// The caller does not want it any more.
    pub cancelled: CancellationToken,
}

impl<'a> Call<'a> {
    pub fn new(
        inside: &'a Inside,
        tools: &'a Tools,
        caller: &'a Caller,
        context: &RequestContext<RoleServer>,
    ) -> Self {
        Self {
            inside,
            tools,
            caller,
            progress: Progress::of(context),
            cancelled: context.ct.clone(),
        }
    }

    /// Carries it out.
    pub async fn carry_out(
        mut self,
        operation: &Operation,
        arguments: &JsonObject,
    ) -> CallToolResult {
        let prepared = request(operation, arguments)
            .and_then(|request| Ok((request, waits(operation, arguments)?)));
        let (request, waits) = match prepared {
            Ok(prepared) => prepared,
            Err(misuse) => return failed(misuse.to_string()),
        };
        let response = self.inside.ask(self.caller, request).await;
        if response.status().is_success() && is_kind(response.headers(), "event-stream") {
            return self.follow(response).await;
        }
        let answer = inside::read(response).await;
        match answer {
            Answer::Document(job) if waits => match job["id"].as_str() {
                Some(id) => self.wait(id).await,
                None => said(Answer::Document(job)),
            },
            answer => said(answer),
        }
    }

    /// Follows a job to its end. Whoever does not want to wait any more does not want the job either.
    async fn wait(&mut self, id: &str) -> CallToolResult {
        let response = self
            .inside
            .ask(self.caller, self.about_job("follow_job", id))
            .await;
        if !response.status().is_success() {
            return said(inside::read(response).await);
        }
        let cancelled = self.cancelled.clone();
        let result = tokio::select! {
            result = self.follow(response) => Some(result),
            () = cancelled.cancelled() => None,
        };
        if let Some(result) = result {
            return result;
        }
        let answer = self
            .inside
            .read(self.caller, self.about_job("cancel_job", id))
            .await;
        if let Answer::Refused(problem) = &answer {
            tracing::warn!(
                job = id,
                detail = problem.detail,
                "a job goes on that nobody waits for"
            );
        }
        said(answer)
    }

    /// The request of a tool that takes nothing but a job.
    fn about_job(&self, tool: &str, id: &str) -> Request<Body> {
        let mut arguments = JsonObject::new();
        arguments.insert("id".to_owned(), Value::from(id));
        let operation = self.tools.get(tool);
        let made = operation.and_then(|operation| request(operation, &arguments).ok());
        made.unwrap_or_default()
    }

    /// Tells of events as progress; the last one is the answer.
    async fn follow(&mut self, response: Response<Body>) -> CallToolResult {
        let mut events = SseStream::new(response.into_body());
        let mut last: Option<Sse> = None;
        let mut line_told: Option<Instant> = None;
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    return failed(format!(
                        "the stack stopped telling before it was over: {error}"
                    ));
                }
            };
            let is_line = event.event.as_deref() == Some("log");
            let is_due = !is_line || line_told.is_none_or(|told| told.elapsed() >= LINES);
            if is_due && let Some(message) = message(&event) {
                self.progress.tell(message).await;
                if is_line {
                    line_told = Some(Instant::now());
                }
            }
            if !is_line {
                last = Some(event);
            }
        }
        ended(last)
    }
}

/// What an event says in one line.
fn message(event: &Sse) -> Option<String> {
    let data: Value = serde_json::from_str(event.data.as_deref()?).ok()?;
    match event.event.as_deref()? {
        "step" => Some(step(&data)),
        "log" => Some(data["text"].as_str()?.trim().to_owned()),
        "progress" => Some(format!("{} of {}", data["contents"], data["of_contents"])),
        "end" | "failed" => None,
        name => Some(name.to_owned()),
    }
}

fn step(step: &Value) -> String {
    let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let (name, detail, state, outcome) =
        (text("name"), text("detail"), text("state"), text("outcome"));
    let words = [name, detail, format!("({state})"), outcome];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The answer that the last of some events is.
fn ended(last: Option<Sse>) -> CallToolResult {
    let Some(last) = last else {
        return failed("the stack ended before it was over".to_owned());
    };
    let data = last.data.as_deref().unwrap_or_default();
    let document: Value = match serde_json::from_str(data) {
        Ok(document) => document,
        Err(error) => {
            return failed(format!(
                "what the stack said at the end cannot be read: {error}"
            ));
        }
    };
    match last.event.as_deref() {
        Some("failed") => match serde_json::from_value(document) {
            Ok(problem) => said(Answer::Refused(problem)),
            Err(_) => failed(data.to_owned()),
        },
        Some("end") => said_of_job(document),
        _ => failed(format!(
            "the stack ended before it was over; the last it said was {data}"
        )),
    }
}

/// A job that did not come to what was wanted is a failure, told with everything that is known of it.
fn said_of_job(document: Value) -> CallToolResult {
    let state = document["state"].as_str().unwrap_or_default();
    if !matches!(state, "failed" | "cancelled" | "interrupted") {
        return said(Answer::Document(document));
    }
    let text = |name: &str| document[name].as_str();
    let mut words = format!(
        "The job {state}: {}",
        text("error").unwrap_or("no reason was given")
    );
    if let Some(remedy) = text("remedy") {
        words = format!("{words}\nWhat to do: {remedy}");
    }
    let mut result = failed(words);
    result
        .content
        .push(ContentBlock::text(document.to_string()));
    result
}

/// An answer as tools give it.
pub fn said(answer: Answer) -> CallToolResult {
    match answer {
        Answer::Done => CallToolResult::success(vec![ContentBlock::text("It is done.")]),
        Answer::Document(document) if document.is_object() => CallToolResult::structured(document),
        Answer::Document(document) => {
            CallToolResult::success(vec![ContentBlock::text(document.to_string())])
        }
        Answer::Text(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        Answer::Refused(problem) => failed(words(&problem)),
    }
}

/// A problem in the words that people get.
pub fn words(problem: &Problem) -> String {
    let mut words = format!("{}: {}", problem.title, problem.detail);
    if let Some(remedy) = &problem.remedy {
        words = format!("{words}\nWhat to do: {remedy}");
    }
    words
}

/// A call that did not come to what was wanted.
pub fn failed(words: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(words)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, data: &Value) -> Sse {
        Sse::default().event(name).data(data.to_string())
    }

    fn text(result: &CallToolResult) -> String {
        serde_json::to_value(result).unwrap()["content"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_problem_is_an_error_with_its_remedy() {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: "Not Found".to_owned(),
            status: 404,
            detail: "no container is called web".to_owned(),
            remedy: Some("look at the list".to_owned()),
        };
        let result = said(Answer::Refused(problem));
        assert_eq!(result.is_error, Some(true));
        assert_eq!(
            text(&result),
            "Not Found: no container is called web\nWhat to do: look at the list"
        );
        assert_eq!(
            result.structured_content, None,
            "it is not what the tool's schema says"
        );
    }

    #[test]
    fn a_job_that_failed_is_an_error_and_one_that_succeeded_is_the_job() {
        let job = json!({ "id": "1", "state": "succeeded" });
        let result = ended(Some(event("end", &job)));
        assert_eq!(
            (result.is_error, result.structured_content),
            (Some(false), Some(job))
        );
        let job = json!({ "id": "1", "state": "failed", "error": "pip ended with 1", "remedy": "read its log" });
        let result = ended(Some(event("end", &job)));
        assert_eq!(result.is_error, Some(true));
        assert_eq!(
            text(&result),
            "The job failed: pip ended with 1\nWhat to do: read its log"
        );
        assert_eq!(result.content.len(), 2, "the job itself");
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_answer() {
        assert_eq!(ended(None).is_error, Some(true));
        let step = json!({ "index": 0, "name": "base", "detail": "python", "state": "running" });
        assert_eq!(ended(Some(event("step", &step))).is_error, Some(true));
    }

    #[test]
    fn a_step_is_told_in_one_line() {
        let step = json!({ "index": 0, "name": "base", "detail": "python:3.11", "state": "done", "outcome": "41 MB" });
        assert_eq!(
            message(&event("step", &step)).unwrap(),
            "base python:3.11 (done) 41 MB"
        );
        let line = json!({ "number": 1, "step": 0, "text": "Collecting flask \n" });
        assert_eq!(message(&event("log", &line)).unwrap(), "Collecting flask");
        assert_eq!(message(&event("end", &json!({}))), None);
    }
}
