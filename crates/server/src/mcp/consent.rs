//! Yes to a proposal is a person's to say: a client that can ask one is asked to, and shows what would be done.
//!
//! A client that cannot has no question put to it: whoever holds its token may approve, there as over HTTP.

use std::time::Duration;

use ergon_store::steers;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, InputRequest, InputRequiredResult, ProtocolVersion,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use super::call::failed;
use crate::api::Proposal;

/// The tool that says yes.
pub const APPROVE: &str = "approve_proposal";
/// What the question is called, between the call and the call with its answer.
const QUESTION: &str = "approval";
/// What a person ticks.
const YES: &str = "approve";
/// For so long a person may think about it; a proposal does not stay open for much longer.
const PATIENCE: Duration = Duration::from_mins(10);

/// Whether a person has to be asked through this client.
pub fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    // A client that says nothing of how it asks has forms.
    capabilities
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
}

/// Has a person decide. Absent: they said yes, to this proposal as it stands.
pub async fn ask(
    proposal: &Proposal,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Option<CallToolResponse> {
    let wanted = request.arguments.as_ref();
    let wanted = wanted.and_then(|arguments| arguments.get("digest"));
    if wanted.and_then(Value::as_str) != Some(proposal.digest.as_str()) {
        return Some(refused(
            "the proposal is not what was to be approved: read it again",
        ));
    }
    if proposal.state != "open" {
        let state = &proposal.state;
        return Some(refused(&format!(
            "there is nothing to approve: it is {state}"
        )));
    }
    let is_newest = context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    let said = if is_newest {
        let answers = request.input_responses.as_ref();
        let Some(answer) = answers.and_then(|answers| answers.get(QUESTION)) else {
            return Some(question(proposal).into());
        };
        serde_json::from_value::<ElicitResult>(answer.clone()).ok()
    } else {
        let form = form(proposal);
        let asked = context
            .peer
            .create_elicitation_with_timeout(form, Some(PATIENCE));
        tokio::select! {
            answer = asked => answer.ok(),
            () = context.ct.cancelled() => None,
        }
    };
    match said {
        Some(said) if is_yes(&said) => None,
        Some(_) => Some(refused(
            "whoever was asked did not approve it; nothing was done",
        )),
        None => Some(refused(
            "nobody answered whether to approve it; nothing was done",
        )),
    }
}

/// Only a tick is a yes: a form that is sent off without one is none.
fn is_yes(said: &ElicitResult) -> bool {
    let ticked = said.content.as_ref().and_then(|content| content.get(YES));
    said.action == ElicitationAction::Accept && ticked == Some(&Value::Bool(true))
}

fn question(proposal: &Proposal) -> InputRequiredResult {
    let request = InputRequest::Elicitation(ElicitRequest::new(form(proposal)));
    InputRequiredResult::from_input_requests([(QUESTION.to_owned(), request)].into())
}

fn form(proposal: &Proposal) -> ElicitRequestParams {
    let properties = [(
        YES.to_owned(),
        serde_json::from_value(serde_json::json!({
            "type": "boolean",
            "title": "Approve",
            "description": format!("Have {} carry out exactly this, once", proposal.companion),
            "default": false,
        }))
        .unwrap_or_else(|_| unreachable!("it is a question of yes or no")),
    )];
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: text(proposal),
        requested_schema: ElicitationSchema::new(properties.into()),
    }
}

/// What would be done, to what, why, and what takes it back.
fn text(proposal: &Proposal) -> String {
    let commands = |commands: &[Vec<String>]| {
        let lines = commands
            .iter()
            .map(|words| format!("  {}", plain(&words.join(" "))));
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut text = format!(
        "{} wants to {} ({}):\n{}",
        proposal.companion,
        proposal.offer,
        proposal.class,
        commands(&proposal.commands)
    );
    for reason in &proposal.why {
        text.push_str("\nWhy: ");
        text.push_str(&plain(&reason.text));
    }
    if !proposal.effect.is_empty() {
        text.push_str("\nWhat comes of it: ");
        text.push_str(&proposal.effect);
    }
    if proposal.undo.is_empty() {
        text.push_str("\nNothing takes it back.");
    } else {
        text.push_str("\nWhat takes it back:\n");
        text.push_str(&commands(&proposal.undo));
    }
    let Proposal {
        code,
        digest,
        expires_at,
        ..
    } = proposal;
    text + &format!("\nProposal {code}, {digest}, until {expires_at}.")
}

/// What a container may have had a say in, on one line: it cannot look like a line of this question.
fn plain(text: &str) -> String {
    let readable = |character: char| if steers(character) { ' ' } else { character };
    text.chars().map(readable).collect()
}

fn refused(why: &str) -> CallToolResponse {
    failed(why.to_owned()).into()
}
