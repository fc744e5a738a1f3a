//! Robots: who uses the image registry under a name of their own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ergon_store::now;

use crate::access::{self, NewRobot};
use crate::api::{AddRobot, List, Robot, RobotSecret};
use crate::http::extract::{Body, Name};
use crate::http::problem::Failure;
use crate::sessions::Secret;
use crate::stack::Stack;
use crate::words::rfc3339;

/// Every robot, by name; also those that have ended.
#[utoipa::path(get, path = "/api/v1/robots", operation_id = "list_robots", tag = "registry",
    responses((status = 200, body = List<Robot>)))]
pub async fn list(State(stack): State<Stack>) -> Json<List<Robot>> {
    let robots = stack.robots().list();
    Json(List {
        items: robots.iter().map(|robot| view(robot)).collect(),
    })
}

/// Add a robot. Its secret is in the answer and nowhere else; 409 where there is a robot of the name.
#[utoipa::path(post, path = "/api/v1/robots", operation_id = "add_robot", tag = "registry",
    request_body = AddRobot,
    responses((status = 201, body = RobotSecret)))]
pub async fn add(
    State(stack): State<Stack>,
    Body(body): Body<AddRobot>,
) -> Result<(StatusCode, Json<RobotSecret>), Failure> {
    let wanted = NewRobot {
        name: body.name,
        about: body.about,
        allowances: body.allow,
        days: body.days,
        roles: body.roles,
    };
    let (robot, secret) = stack.robots().add(&wanted).await?;
    Ok((StatusCode::CREATED, Json(with_secret(&robot, &secret))))
}

/// One robot.
#[utoipa::path(get, path = "/api/v1/robots/{name}", operation_id = "robot", tag = "registry",
    params(("name" = String, Path)),
    responses((status = 200, body = Robot)))]
pub async fn read(State(stack): State<Stack>, Name(name): Name) -> Result<Json<Robot>, Failure> {
    Ok(Json(view(&*stack.robots().get(&name)?)))
}

/// Give a robot another secret. The old one, and every token that was given for it, is worth nothing from then on.
#[utoipa::path(post, path = "/api/v1/robots/{name}/secret", operation_id = "rotate_robot", tag = "registry",
    params(("name" = String, Path)),
    responses((status = 200, body = RobotSecret)))]
pub async fn rotate(
    State(stack): State<Stack>,
    Name(name): Name,
) -> Result<Json<RobotSecret>, Failure> {
    let (robot, secret) = stack.robots().rotate(&name).await?;
    Ok(Json(with_secret(&robot, &secret)))
}

/// Remove a robot. Its secret, and every token that was given for it, is worth nothing from then on.
#[utoipa::path(delete, path = "/api/v1/robots/{name}", operation_id = "remove_robot", tag = "registry",
    params(("name" = String, Path)),
    responses((status = 204)))]
pub async fn remove(State(stack): State<Stack>, Name(name): Name) -> Result<StatusCode, Failure> {
    stack.robots().remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(robot: &access::Robot) -> Robot {
    Robot {
        name: robot.name.clone(),
        about: robot.about.clone(),
        allow: robot.allowances.iter().map(ToString::to_string).collect(),
        created_at: rfc3339(robot.created_at),
        secret_at: rfc3339(robot.secret_at),
        expires_at: robot.expires_at.map(rfc3339),
        expired: robot.has_ended(now()),
        roles: robot.roles.iter().map(ToString::to_string).collect(),
        last_used_at: robot.last_used_at.map(rfc3339),
    }
}

fn with_secret(robot: &access::Robot, secret: &Secret) -> RobotSecret {
    RobotSecret {
        robot: view(robot),
        secret: secret.reveal().to_owned(),
    }
}
