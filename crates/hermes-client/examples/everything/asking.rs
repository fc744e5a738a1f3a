//! The tools that need something of whoever calls, and say so with their answer: the call comes again with what was needed.

use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, InputRequiredResult, InputResponses, PromptMessage, Role,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Map, Value, json};

use crate::Everything;
use crate::calls::form;
use crate::offers::of;

/// What a tool says once it has all it needs. The suite looks for these words.
const DONE: &str = "It has all it needs: state-ok.";

impl Everything {
    /// What one of these tools answers; nothing if the call is for another.
    pub fn asking(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Option<CallToolResponse>, ErrorData> {
        let told = request.input_responses.as_ref();
        let name = || question("user_name", "What are you called?", "name");
        let model = || sampling("greeting", "How do you greet?");
        let has = |key: &str| given(told, key).is_some();
        let asked = match request.name.as_ref() {
            "test_streaming_elicitation" => needs(question("value", "Which value?", "value")),
            "test_input_required_result_elicitation" => match given(told, "user_name") {
                Some(told) => done(&format!("Hello, {}!", told["content"]["name"])),
                None => needs(name()),
            },
            "test_input_required_result_sampling" if has("capital_question") => done(DONE),
            "test_input_required_result_sampling" => needs(sampling(
                "capital_question",
                "What is the capital of France?",
            )),
            "test_input_required_result_list_roots" if has("client_roots") => done(DONE),
            "test_input_required_result_list_roots" => needs(roots()),
            "test_input_required_result_request_state"
            | "test_input_required_result_tampered_state" => match self.round(request)? {
                0 => self.needs_next(question("confirm", "Shall it?", "ok"), 1),
                _ => done(DONE),
            },
            "test_input_required_result_multiple_inputs" => {
                let round = self.round(request)?;
                let all = ["user_name", "greeting", "client_roots"]
                    .into_iter()
                    .all(has);
                if round > 0 && all {
                    done(DONE)
                } else {
                    self.needs_next([name(), model(), roots()].concat(), 1)
                }
            }
            "test_input_required_result_multi_round" => match self.round(request)? {
                0 => self.needs_next(question("step1", "What are you called?", "name"), 1),
                1 => self.needs_next(question("step2", "Which colour?", "color"), 2),
                _ => done(DONE),
            },
            "test_input_required_result_capabilities" if told.is_some() => done(DONE),
            "test_input_required_result_capabilities" => {
                let can = context.meta.client_capabilities().unwrap_or_default();
                let possible = [
                    can.elicitation.is_some().then(name),
                    can.sampling.is_some().then(model),
                    can.roots.is_some().then(roots),
                ];
                let possible: Vec<_> = possible.into_iter().flatten().flatten().collect();
                if possible.is_empty() {
                    done(DONE)
                } else {
                    needs(possible)
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(asked))
    }

    /// How often a caller was asked before, by the state they bring; one that was not handed out is refused.
    fn round(&self, request: &CallToolRequestParams) -> Result<u32, ErrorData> {
        let Some(state) = &request.request_state else {
            return Ok(0);
        };
        let states = self.states.lock().unwrap();
        let forged = || ErrorData::invalid_params("the state was not handed out here", None);
        states.get(state).copied().ok_or_else(forged)
    }

    fn needs_next(&self, questions: Vec<(String, Value)>, round: u32) -> CallToolResponse {
        let state = format!("{round}-{}", uuid::Uuid::now_v7());
        self.states.lock().unwrap().insert(state.clone(), round);
        InputRequiredResult::new(Some(of(requests(questions))), Some(state)).into()
    }
}

/// The prompt that needs something first.
pub fn for_prompt(request: &GetPromptRequestParams) -> Option<GetPromptResponse> {
    let ours = "test_input_required_result_prompt";
    if request.name != ours {
        return None;
    }
    let Some(told) = given(request.input_responses.as_ref(), "user_context") else {
        let asks = requests(question("user_context", "What shall it go by?", "context"));
        return Some(InputRequiredResult::from_input_requests(of(asks)).into());
    };
    let text = format!("Go by {}.", told["content"]["context"]);
    let says = PromptMessage::new_text(Role::User, text);
    Some(GetPromptResult::new(vec![says]).into())
}

/// An answer that can be one: anything but an object is asked for again.
pub fn given<'a>(told: Option<&'a InputResponses>, key: &str) -> Option<&'a Value> {
    told?.get(key).filter(|told| told.is_object())
}

fn done(text: &str) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

fn needs(questions: Vec<(String, Value)>) -> CallToolResponse {
    InputRequiredResult::from_input_requests(of(requests(questions))).into()
}

pub fn requests(questions: Vec<(String, Value)>) -> Value {
    Value::Object(questions.into_iter().collect::<Map<_, _>>())
}

/// Asks a person for one thing. What is called `ok` is a yes or no.
pub fn question(key: &str, message: &str, wanted: &str) -> Vec<(String, Value)> {
    let kind = if wanted == "ok" { "boolean" } else { "string" };
    let params = form(message, json!({ wanted: { "type": kind } }), &[wanted]);
    vec![(
        key.to_owned(),
        json!({ "method": "elicitation/create", "params": params }),
    )]
}

fn sampling(key: &str, asks: &str) -> Vec<(String, Value)> {
    let asks = json!({ "role": "user", "content": { "type": "text", "text": asks } });
    let params = json!({ "messages": [asks], "maxTokens": 100 });
    vec![(
        key.to_owned(),
        json!({ "method": "sampling/createMessage", "params": params }),
    )]
}

fn roots() -> Vec<(String, Value)> {
    let asks = json!({ "method": "roots/list" });
    vec![("client_roots".to_owned(), asks)]
}
