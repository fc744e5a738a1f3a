//! The tools whose work goes on after they have answered: an extension of the protocol, for those who declare it.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock,
    CreateTaskResult, InputRequest, InputRequiredResult,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::task_manager::{TaskContext, TaskExit, TaskOptions};
use serde_json::{Value, json};

use crate::Everything;
use crate::asking::{given, question, requests};
use crate::offers::of;

/// The tools, what each is there for, and whether there is no other way to call them.
pub const TASKS: [(&str, &str, bool); 7] = [
    ("greet", "Greets at once.", false),
    ("slow_compute", "Takes as long as it is told.", false),
    ("failing_job", "Fails after a moment.", true),
    ("protocol_error_job", "Breaks off.", false),
    ("confirm_delete", "Asks a person meanwhile.", true),
    ("multi_input", "Asks a person two things meanwhile.", true),
    (
        "test_tool_with_task",
        "Asks a person first, and takes a moment then.",
        true,
    ),
];

/// What becomes of a tool's work.
type Outcome = Result<CallToolResult, TaskExit>;

impl Everything {
    /// What one of these tools answers; nothing if the call is for another.
    pub async fn task(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<CallToolResponse>, ErrorData> {
        let known = TASKS.iter().find(|(name, ..)| *name == request.name);
        let Some((_, _, needs_task)) = known else {
            return Ok(None);
        };
        let can = context.client_capabilities();
        let can = can.is_some_and(|can| can.supports_tasks());
        if *needs_task && !can {
            let needed = ClientCapabilities::builder().enable_tasks().build();
            return Err(ErrorData::missing_required_client_capability(needed));
        }
        let arguments = request.arguments.clone().unwrap_or_default();
        let text = |key: &str| arguments[key].as_str().unwrap_or_default().to_owned();
        if request.name == "greet" {
            let name = arguments.get("name").and_then(Value::as_str);
            let greeting = format!("Hello, {}!", name.unwrap_or("you"));
            return Ok(Some(said(&greeting).into()));
        }
        if request.name == "slow_compute" || request.name == "protocol_error_job" {
            let seconds = arguments.get("seconds").and_then(Value::as_f64);
            let breaks = request.name == "protocol_error_job";
            let time = Duration::from_secs_f64(if breaks { 0.2 } else { seconds.unwrap_or(1.0) });
            if can {
                return Ok(Some(
                    self.begin(move |context| slow(Some(context), time, breaks)),
                ));
            }
            return match slow(None, time, breaks).await {
                Ok(result) => Ok(Some(result.into())),
                Err(TaskExit::Error(error)) => Err(error),
                Err(TaskExit::Cancelled) => Err(ErrorData::internal_error("cancelled", None)),
            };
        }
        let answer = match request.name.as_ref() {
            "failing_job" => self.begin(async |_| {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let words = ContentBlock::text("It fails, as it should.");
                Ok(CallToolResult::error(vec![words]))
            }),
            "confirm_delete" => {
                let what = text("filename");
                self.begin(async move |context| {
                    let told = ask(&context, "confirm", "ok").await?;
                    Ok(said(&format!("{what}: {}", told["content"])))
                })
            }
            "multi_input" => self.begin(async |context| {
                let (one, other) =
                    tokio::join!(ask(&context, "one", "a"), ask(&context, "other", "b"));
                Ok(said(&format!("{} {}", one?["content"], other?["content"])))
            }),
            _ => match given(request.input_responses.as_ref(), "user_name") {
                None => {
                    let asks = requests(question("user_name", "What are you called?", "name"));
                    InputRequiredResult::from_input_requests(of(asks)).into()
                }
                Some(told) => {
                    let name = told["content"]["name"].clone();
                    self.begin(async move |_| {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        Ok(said(&format!("Hello, {name}!")))
                    })
                }
            },
        };
        Ok(Some(answer))
    }

    fn begin<F>(&self, work: impl FnOnce(TaskContext) -> F) -> CallToolResponse
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let options = TaskOptions::default();
        let task = self.tasks.spawn(options, |context| Box::pin(work(context)));
        CreateTaskResult::new(task).into()
    }
}

/// Takes its time, unless somebody does not want it any more.
async fn slow(context: Option<TaskContext>, time: Duration, breaks: bool) -> Outcome {
    let done = async {
        tokio::time::sleep(time).await;
        if breaks {
            return Err(ErrorData::internal_error("it breaks off", None).into());
        }
        Ok(said("It is done."))
    };
    let Some(context) = context else {
        return done.await;
    };
    tokio::select! {
        outcome = done => outcome,
        () = context.cancelled() => Err(TaskExit::Cancelled),
    }
}

async fn ask(context: &TaskContext, key: &str, wanted: &str) -> Result<Value, TaskExit> {
    let mut questions = question(key, "Please say.", wanted);
    let (_, asks) = questions.remove(0);
    context.request_input(key, of::<InputRequest>(asks)).await
}

fn said(text: &str) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// The same in a list of tools.
pub fn offered() -> impl Iterator<Item = Value> {
    TASKS.iter().map(|(name, about, _)| {
        json!({ "name": name, "description": about, "inputSchema": { "type": "object", "properties": {} } })
    })
}
