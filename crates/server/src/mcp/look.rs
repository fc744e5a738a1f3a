//! What is looked up for whoever asks: resources, what prompts show first, and the names that complete an argument.

use rmcp::ErrorData;
use rmcp::model::{
    CompleteRequestParams, CompletionInfo, ContentBlock, JsonObject, PromptMessage, Reference,
    Resource, ResourceContents, Role,
};
use serde_json::{Value, json};

use super::call::words;
use super::inside::{Answer, Inside};
use super::prompts::{Job, PromptError};
use super::request::request;
use super::resources::{self, Address, KINDS};
use super::tools::Tools;
use crate::http::guard::Caller;

/// The collections whose things are listed one by one.
const LISTED: [&str; 2] = ["projects", "containers"];

/// A look for somebody.
pub struct Look<'a> {
    pub inside: &'a Inside,
    pub tools: &'a Tools,
    pub caller: &'a Caller,
}

impl Look<'_> {
    /// What can be read: the collections, and each project and container.
    pub async fn resources(&self) -> Vec<Resource> {
        let mut resources = resources::collections();
        for collection in LISTED {
            let names = self.names(collection).await;
            resources.extend(
                names
                    .iter()
                    .filter_map(|name| resources::item(collection, name)),
            );
        }
        resources
    }

    /// What a resource says now.
    pub async fn read(&self, uri: &str) -> Result<ResourceContents, ErrorData> {
        let address = Address::read(uri).ok_or_else(|| no_resource(uri))?;
        let (operation, arguments) = address.question();
        match self.ask(operation, &arguments).await {
            Answer::Document(answer) => address
                .kind
                .contents(uri, &answer)
                .ok_or_else(|| no_resource(uri)),
            Answer::Refused(problem) if problem.status == 404 => Err(
                ErrorData::resource_not_found(words(&problem), Some(json!({ "uri": uri }))),
            ),
            Answer::Refused(problem) => Err(ErrorData::internal_error(
                words(&problem),
                Some(json!({ "uri": uri })),
            )),
            Answer::Done | Answer::Text(_) => Err(no_resource(uri)),
        }
    }

    /// What a model is told, and shown first.
    pub async fn prompt(
        &self,
        name: &str,
        given: &JsonObject,
    ) -> Result<(&'static str, Vec<PromptMessage>), ErrorData> {
        let wrong = |error: PromptError| ErrorData::invalid_params(error.to_string(), None);
        let job = Job::find(name).map_err(wrong)?;
        let (text, uri) = job.told(given).map_err(wrong)?;
        let mut messages = vec![PromptMessage::new_text(Role::User, text)];
        if let Some(uri) = uri {
            let shown = self
                .read(&uri)
                .await
                .map_err(|error| ErrorData::invalid_params(error.message, error.data))?;
            messages.push(PromptMessage::new(
                Role::User,
                ContentBlock::resource(shown),
            ));
        }
        Ok((job.about(), messages))
    }

    /// The values an argument can have that begin like what is there.
    pub async fn complete(
        &self,
        request: &CompleteRequestParams,
    ) -> Result<CompletionInfo, ErrorData> {
        let argument = request.argument.name.as_str();
        let of = match &request.r#ref {
            Reference::Prompt(prompt) => {
                let job = Job::find(&prompt.name)
                    .map_err(|error| ErrorData::invalid_params(error.to_string(), None))?;
                let found = job.arguments.iter().find(|known| known.name == argument);
                found.and_then(|known| known.of)
            }
            Reference::Resource(template) => {
                let kind = KINDS
                    .iter()
                    .find(|kind| kind.template() == template.uri)
                    .ok_or_else(|| no_resource(&template.uri))?;
                (argument == "name").then_some(kind.collection)
            }
            // Kinds of references that are yet to come are completed by nothing.
            _ => None,
        };
        let Some(of) = of else {
            return Ok(CompletionInfo::default());
        };
        let begun = request.argument.value.to_lowercase();
        let mut names = self.names(of).await;
        names.retain(|name| name.to_lowercase().starts_with(&begun));
        let total = u32::try_from(names.len()).ok();
        let has_more = names.len() > CompletionInfo::MAX_VALUES;
        names.truncate(CompletionInfo::MAX_VALUES);
        CompletionInfo::with_pagination(names, total, has_more)
            .map_err(|error| ErrorData::internal_error(error, None))
    }

    /// The names in a collection, in its order.
    async fn names(&self, collection: &str) -> Vec<String> {
        let Some(address) = Address::read(&format!("ergon://{collection}")) else {
            return Vec::new();
        };
        let (operation, arguments) = address.question();
        let Answer::Document(answer) = self.ask(operation, &arguments).await else {
            return Vec::new();
        };
        let items = answer["items"].as_array().into_iter().flatten();
        let name = |item: &Value| {
            ["name", "build_hash", "code", "id"]
                .iter()
                .find_map(|key| item[*key].as_str().map(str::to_owned))
        };
        items.filter_map(name).collect()
    }

    pub async fn ask(&self, operation: &str, arguments: &JsonObject) -> Answer {
        let made = self
            .tools
            .get(operation)
            .and_then(|operation| request(operation, arguments).ok());
        self.inside
            .read(self.caller, made.unwrap_or_default())
            .await
    }
}

/// There is no such resource, and cannot be.
pub fn no_resource(uri: &str) -> ErrorData {
    let words = format!(
        "`{uri}` names no resource; resources/list and resources/templates/list say which there are"
    );
    ErrorData::resource_not_found(words, Some(json!({ "uri": uri })))
}
