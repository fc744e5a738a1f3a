//! A server with one of everything that the conformance suite of the Model Context Protocol asks of a server: it stands behind
//! the gateway of a stack (dev/conformance), and is what a call through the gateway is compared with (benches/gateway).
//!
//!     everything [HOST:PORT]     serves /mcp there, or on a free port of this machine, and prints where

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool that says why by where it fails"
)]
#![allow(
    deprecated,
    reason = "the suite asks for sampling and logging, too, as long as an older revision has them"
)]

mod asking;
mod calls;
mod offers;
mod tasks;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::serve::ListenerExt as _;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, CompletionInfo, GetPromptRequestParams, GetPromptResponse, GetTaskParams,
    GetTaskResult, Implementation, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestParams,
    SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext, SubscriptionSink};
use rmcp::task_manager::TaskManager;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler};
use serde_json::json;

/// What is listed never changes.
const LISTS: u64 = 60_000;

/// What all sessions share.
#[derive(Clone, Default)]
pub struct Everything {
    /// Whoever listens to what is told unasked.
    listening: Arc<Mutex<HashMap<u64, SubscriptionSink>>>,
    /// States that were handed out, and how often their callers had been asked for something by then. Any other is forged.
    states: Arc<Mutex<HashMap<String, u32>>>,
    numbers: Arc<AtomicU64>,
    tasks: TaskManager,
}

impl Everything {
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn listening(&self) -> Vec<SubscriptionSink> {
        self.listening.lock().unwrap().values().cloned().collect()
    }
}

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .enable_completions()
            .enable_logging()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("everything", "1"))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        offers::tools().into_iter().find(|tool| tool.name == name)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(offers::tools())
            .with_ttl_ms(LISTS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(asked) = self.asking(&request, &context)? {
            return Ok(asked);
        }
        if let Some(task) = self.task(&request, &context).await? {
            return Ok(task);
        }
        Ok(self.call(&request, &context).await?.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(offers::resources())
            .with_ttl_ms(LISTS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = ListResourceTemplatesResult::with_all_items(offers::templates());
        Ok(templates
            .with_ttl_ms(LISTS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = offers::read(&request.uri).ok_or_else(|| {
            let about = Some(json!({ "uri": request.uri }));
            ErrorData::resource_not_found("there is no such resource", about)
        })?;
        Ok(read
            .with_ttl_ms(LISTS)
            .with_cache_scope(CacheScope::Public)
            .into())
    }

    async fn subscribe(
        &self,
        _: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(offers::prompts())
            .with_ttl_ms(LISTS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if let Some(asked) = asking::for_prompt(&request) {
            return Ok(asked);
        }
        let told = offers::prompt(&request).ok_or_else(|| {
            ErrorData::invalid_params(format!("there is no prompt `{}`", request.name), None)
        })?;
        Ok(told.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let begun = request.argument.value;
        let values = ["test", "testimony", "text"].map(str::to_owned);
        let values = values.into_iter().filter(|word| word.starts_with(&begun));
        let values = CompletionInfo::new(values.collect());
        let values = values.map_err(|error| ErrorData::internal_error(error, None))?;
        Ok(CompleteResult::new(values))
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let told = request.input_responses;
        self.tasks.update_task(&request.task_id, told)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let number = self.number();
        let sink = context.sink().clone();
        self.listening.lock().unwrap().insert(number, sink);
        context.cancelled().await;
        self.listening.lock().unwrap().remove(&number);
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let at = std::env::args().nth(1);
    let at = at.unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = tokio::net::TcpListener::bind(at).await.unwrap();
    println!("http://{}/mcp", listener.local_addr().unwrap());
    let everything = Everything::default();
    let service = StreamableHttpService::new(
        move || Ok(everything.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let router = axum::Router::new().route_service("/mcp", service);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, router).await.unwrap();
}
