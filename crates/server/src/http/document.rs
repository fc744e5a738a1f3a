//! The OpenAPI document: the routes' own descriptions, and what holds for all of them.

use axum::http::Method;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder, Responses, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::authenticate::SESSION_COOKIE;
use super::routes;
use crate::api::Problem;
use crate::authorize::Action;
use crate::stack::Stack;

/// The document, as it is served and as it is committed.
pub fn openapi() -> OpenApi {
    let mut router = OpenApiRouter::<Stack>::with_openapi(beginning());
    for mut entry in routes::table() {
        let open = entry.action.is_open();
        for item in entry.route.1.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.delete,
                &mut item.patch,
            ];
            for operation in operations.into_iter().flatten() {
                describe(&mut operation.responses);
                operation
                    .responses
                    .responses
                    .insert("default".to_owned(), problem());
                // What policies call it.
                let action = [("x-ergon-action", entry.action.word())];
                operation.extensions = Some(action.into_iter().collect());
                if open {
                    operation.security = Some(vec![SecurityRequirement::default()]);
                }
            }
        }
        router = router.routes(entry.route);
    }
    router.into_openapi()
}

/// An operation of the document, and what one must be allowed to do to use it.
pub struct Operation {
    pub id: String,
    pub method: Method,
    /// With names in braces.
    pub path: String,
    pub action: Action,
}

/// Every operation, in the order of the table.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for entry in routes::table() {
        for (path, item) in entry.route.1.paths {
            let methods = [
                (Method::GET, item.get),
                (Method::POST, item.post),
                (Method::PUT, item.put),
                (Method::DELETE, item.delete),
                (Method::PATCH, item.patch),
            ];
            for (method, operation) in methods {
                let Some(id) = operation.and_then(|operation| operation.operation_id) else {
                    continue;
                };
                operations.push(Operation {
                    id,
                    method,
                    path: path.clone(),
                    action: entry.action,
                });
            }
        }
    }
    operations
}

/// Says of each answer what its status says, where the route says nothing more.
fn describe(responses: &mut Responses) {
    for (status, response) in &mut responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let description = match status.as_str() {
                "201" => "It is there now.",
                "202" => "It was taken on.",
                "204" => "It is done.",
                _ => "The answer.",
            };
            description.clone_into(&mut response.description);
        }
    }
}

fn beginning() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Ergon")
        .version("v1")
        .description(Some("From a folder of source to a running, watched container. Errors are RFC 9457 problem documents."));
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components()))
        .security(Some([
            SecurityRequirement::new::<_, _, String>("token", []),
            SecurityRequirement::new::<_, _, String>("session", []),
        ]))
        .build()
}

fn components() -> Components {
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("What `ergon token` prints."))
        .build();
    ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .security_scheme("token", SecurityScheme::Http(token))
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE))),
        )
        .build()
}

/// What every route may answer instead.
fn problem() -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .build();
    ResponseBuilder::new()
        .description("What happened, and what to do next.")
        .content("application/problem+json", content)
        .build()
        .into()
}
