//! The table of all routes: each with the action that is asked for before its handler runs.

#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod a2a;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod approvals;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod archives;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod audit;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod builds;
mod certificates;
mod companions;
mod containers;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod directory;
mod document;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod events;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod federated;
mod guard_rails;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod inboxes;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod jobs;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod mcp;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod messages;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod passkeys;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod people;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod policies;
mod projects;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod repositories;
mod robots;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod secrets;
mod session;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod sign_in;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod solutions;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod tool_servers;
#[allow(unused_qualifications, reason = "utoipa's macro writes them")]
mod upkeep;
mod upstreams;

use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::authorize::Action;
use crate::stack::Stack;

/// A route, and what one must be allowed to do to use it.
pub struct Entry {
    pub action: Action,
    pub route: UtoipaMethodRouter<Stack>,
}

/// Every route of the API. There is no other way to have one, so none is without an action.
pub fn table() -> Vec<Entry> {
    let entry = |action, route| Entry { action, route };
    vec![
        entry(Action::ReadHealth, routes!(document::health)),
        entry(Action::ReadDocument, routes!(document::openapi)),
        entry(Action::SignIn, routes!(session::sign_in)),
        entry(Action::ReadSignIn, routes!(sign_in::ways)),
        entry(Action::BeginSignIn, routes!(sign_in::begin)),
        entry(Action::BeginSignIn, routes!(passkeys::begin)),
        entry(Action::ReadSession, routes!(session::session)),
        entry(Action::EndSession, routes!(session::sign_out)),
        entry(Action::CreateSignInCode, routes!(session::create_code)),
        entry(Action::ListProjects, routes!(projects::list)),
        entry(Action::AddProject, routes!(projects::add)),
        entry(Action::ReadProject, routes!(projects::read)),
        entry(Action::RemoveProject, routes!(projects::remove)),
        entry(Action::GenerateDockerfile, routes!(projects::generate)),
        entry(Action::SaveDockerfile, routes!(projects::save)),
        entry(Action::HandOffProject, routes!(projects::hand_off)),
        entry(Action::RunFolder, routes!(jobs::run)),
        entry(Action::ListJobs, routes!(jobs::list)),
        entry(Action::ReadJob, routes!(jobs::read)),
        entry(Action::CancelJob, routes!(jobs::cancel)),
        entry(Action::ReadJob, routes!(jobs::log)),
        entry(Action::ReadJob, routes!(jobs::follow)),
        entry(Action::ListBuilds, routes!(builds::list)),
        entry(Action::RecordBuild, routes!(builds::record)),
        entry(Action::ReadBuild, routes!(builds::read)),
        entry(Action::VerifyBuild, routes!(builds::verify)),
        entry(Action::ReadBuild, routes!(builds::changes)),
        entry(Action::ReadBuild, routes!(builds::find)),
        entry(Action::ExportImages, routes!(archives::export)),
        entry(Action::ImportImages, routes!(archives::import)),
        entry(Action::ListSolutions, routes!(solutions::list)),
        entry(Action::AddSolution, routes!(solutions::add)),
        entry(Action::AddSolution, routes!(solutions::import)),
        entry(Action::ReadSolution, routes!(solutions::read)),
        entry(Action::RemoveSolution, routes!(solutions::remove)),
        entry(Action::CollectGarbage, routes!(upkeep::collect)),
        entry(Action::CheckContent, routes!(upkeep::check)),
        entry(Action::ListContainers, routes!(containers::list)),
        entry(Action::ReadContainer, routes!(containers::read)),
        entry(Action::ReadContainerHistory, routes!(containers::history)),
        entry(Action::ReadContainer, routes!(containers::runbooks)),
        entry(Action::StartContainer, routes!(containers::start)),
        entry(Action::StopContainer, routes!(containers::stop)),
        entry(Action::RestartContainer, routes!(containers::restart)),
        entry(Action::RemoveContainer, routes!(containers::remove)),
        entry(Action::ListCompanions, routes!(companions::list)),
        entry(Action::LaunchCompanion, routes!(companions::launch)),
        entry(Action::SendMessage, routes!(messages::send)),
        entry(Action::AskTeam, routes!(messages::team_chat)),
        entry(Action::ReceiveMessage, routes!(federated::message)),
        entry(Action::ReadExchanges, routes!(messages::exchanges)),
        entry(Action::ReadExchanges, routes!(messages::exchange)),
        entry(Action::ListMessages, routes!(messages::waiting)),
        entry(Action::RetryMessage, routes!(messages::retry)),
        entry(Action::DropMessage, routes!(messages::drop_message)),
        entry(Action::OpenTerminal, routes!(inboxes::open_terminal)),
        entry(Action::CloseTerminal, routes!(inboxes::close_terminal)),
        entry(Action::ReadInbox, routes!(inboxes::inbox)),
        entry(Action::MarkInbox, routes!(inboxes::read_inbox)),
        entry(Action::ClearInbox, routes!(inboxes::clear_inbox)),
        entry(Action::ListForwards, routes!(inboxes::forwards)),
        entry(Action::AddForward, routes!(inboxes::forward)),
        entry(Action::RemoveForward, routes!(inboxes::unforward)),
        entry(Action::ReadPurpose, routes!(inboxes::purpose)),
        entry(Action::ChangePurpose, routes!(inboxes::put_purpose)),
        entry(Action::ReadPayload, routes!(companions::payload)),
        entry(Action::ReadExplanation, routes!(companions::explanation)),
        entry(Action::LookInside, routes!(companions::look)),
        entry(Action::RegisterCompanion, routes!(directory::register)),
        entry(Action::Heartbeat, routes!(directory::heartbeat)),
        entry(Action::DeregisterCompanion, routes!(directory::deregister)),
        entry(Action::ReadCompanion, routes!(directory::read)),
        entry(Action::ListCompanions, routes!(directory::list)),
        entry(Action::WatchDirectory, routes!(directory::watch)),
        entry(Action::ReadCompanion, routes!(a2a::stack_card)),
        entry(Action::ReadCompanion, routes!(a2a::card)),
        entry(Action::SendMessage, routes!(a2a::say)),
        entry(Action::ListRepositories, routes!(repositories::list)),
        entry(Action::ReadRepository, routes!(repositories::read)),
        entry(Action::ChangeRepository, routes!(repositories::change)),
        entry(Action::ListRobots, routes!(robots::list)),
        entry(Action::AddRobot, routes!(robots::add)),
        entry(Action::ReadRobot, routes!(robots::read)),
        entry(Action::ChangeRobot, routes!(robots::rotate)),
        entry(Action::RemoveRobot, routes!(robots::remove)),
        entry(Action::ListUpstreams, routes!(upstreams::list)),
        entry(Action::AddUpstream, routes!(upstreams::add)),
        entry(Action::RemoveUpstream, routes!(upstreams::remove)),
        entry(Action::ListSecrets, routes!(secrets::list)),
        entry(Action::ReadSecret, routes!(secrets::read)),
        entry(Action::SetSecret, routes!(secrets::set)),
        entry(Action::RemoveSecret, routes!(secrets::remove)),
        entry(Action::ReadSecret, routes!(secrets::versions)),
        entry(Action::DestroySecret, routes!(secrets::destroy)),
        entry(Action::GrantSecret, routes!(secrets::grant)),
        entry(Action::RevokeSecret, routes!(secrets::revoke)),
        entry(Action::ReadSecretKey, routes!(secrets::key)),
        entry(Action::ChangeSecretKey, routes!(secrets::rotate_key)),
        entry(Action::ListProposals, routes!(approvals::list)),
        entry(Action::ReadProposal, routes!(approvals::read)),
        entry(Action::ApproveProposal, routes!(approvals::approve)),
        entry(Action::DenyProposal, routes!(approvals::deny)),
        entry(
            Action::OverrideProposal,
            routes!(approvals::override_waiting),
        ),
        entry(Action::ListOverrides, routes!(approvals::overrides)),
        entry(Action::ReviewOverride, routes!(approvals::review)),
        entry(Action::ListApprovalRules, routes!(approvals::rules)),
        entry(Action::ChangeApprovalRule, routes!(approvals::put_rule)),
        entry(Action::ChangeApprovalRule, routes!(approvals::remove_rule)),
        entry(Action::ListGuardRails, routes!(guard_rails::list)),
        entry(Action::AddGuardRail, routes!(guard_rails::add)),
        entry(Action::RemoveGuardRail, routes!(guard_rails::remove)),
        entry(Action::ReadAuditLog, routes!(audit::list)),
        entry(Action::ReadAuditLog, routes!(audit::verify)),
        entry(Action::ReadAuditLog, routes!(audit::checkpoint)),
        entry(Action::ReadAuditLog, routes!(audit::export)),
        entry(Action::ForgetAuditEntries, routes!(audit::forget)),
        entry(Action::ReadAuthority, routes!(certificates::authority)),
        entry(Action::ListCertificates, routes!(certificates::state)),
        entry(Action::IssueCertificate, routes!(certificates::request)),
        entry(Action::ListCertificates, routes!(certificates::list)),
        entry(Action::RevokeCertificate, routes!(certificates::revoke)),
        entry(Action::ListPeople, routes!(people::list)),
        entry(Action::AddPerson, routes!(people::add)),
        entry(Action::ReadPerson, routes!(people::read)),
        entry(Action::ChangePerson, routes!(people::change)),
        entry(Action::ChangePerson, routes!(people::link)),
        entry(Action::RemovePerson, routes!(people::remove)),
        entry(Action::ChangePassword, routes!(people::change_password)),
        entry(Action::ListSessions, routes!(people::sessions)),
        entry(Action::EndSessions, routes!(people::end_sessions)),
        entry(Action::EndSessions, routes!(people::end_session)),
        entry(Action::ListTokens, routes!(people::tokens)),
        entry(Action::AddToken, routes!(people::add_token)),
        entry(Action::RemoveToken, routes!(people::remove_token)),
        entry(Action::ListPasskeys, routes!(passkeys::list)),
        entry(Action::AddPasskey, routes!(passkeys::begin_adding)),
        entry(Action::AddPasskey, routes!(passkeys::add)),
        entry(Action::ChangePasskey, routes!(passkeys::rename)),
        entry(Action::RemovePasskey, routes!(passkeys::remove)),
        entry(Action::ListIdentityProviders, routes!(sign_in::list)),
        entry(Action::ReadIdentityProvider, routes!(sign_in::read)),
        entry(Action::SetIdentityProvider, routes!(sign_in::put)),
        entry(Action::RemoveIdentityProvider, routes!(sign_in::remove)),
        entry(Action::ListPolicies, routes!(policies::list)),
        entry(Action::ReadPolicy, routes!(policies::read)),
        entry(Action::ReadPolicy, routes!(policies::schema)),
        entry(Action::ChangePolicy, routes!(policies::put)),
        entry(Action::RemovePolicy, routes!(policies::remove)),
        entry(Action::ExplainDecision, routes!(policies::check_text)),
        entry(Action::ExplainDecision, routes!(policies::explain)),
        entry(Action::ExplainDecision, routes!(policies::test)),
        entry(Action::ReadEvents, routes!(events::events)),
        entry(Action::UseMcp, routes!(mcp::post, mcp::listen, mcp::end)),
        entry(Action::UseMcp, routes!(mcp::tools)),
        entry(Action::UseMcp, routes!(mcp::resources)),
        entry(Action::UseMcp, routes!(mcp::prompts)),
        entry(Action::ListToolServers, routes!(tool_servers::list)),
        entry(Action::AddToolServer, routes!(tool_servers::add)),
        entry(Action::RemoveToolServer, routes!(tool_servers::remove)),
        entry(Action::ApproveServerTool, routes!(tool_servers::approve)),
        entry(
            Action::UseToolServer,
            routes!(tool_servers::say, tool_servers::listen, tool_servers::end),
        ),
    ]
}
