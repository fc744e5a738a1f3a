//! How a Ruby program becomes an image.

use super::USUAL;
use crate::ecosystem::{Packed, Packing, Probe, Toolchain};
use crate::web_server;

pub(super) fn packing(program: &Packed<'_>) -> Packing {
    let application = program.application;
    let root = program.root();
    let mut env = match application.kind.as_str() {
        "rails" => vec![
            ("RAILS_ENV", "production".to_owned()),
            ("RAILS_LOG_TO_STDOUT", "1".to_owned()),
            ("RAILS_SERVE_STATIC_FILES", "1".to_owned()),
        ],
        "hanami" => vec![
            ("HANAMI_ENV", "production".to_owned()),
            ("HANAMI_SERVE_ASSETS", "true".to_owned()),
        ],
        "jekyll" => vec![("JEKYLL_ENV", "production".to_owned())],
        "bridgetown" => vec![("BRIDGETOWN_ENV", "production".to_owned())],
        "ruby" | "middleman" | "nanoc" => Vec::new(),
        _ => vec![
            ("APP_ENV", "production".to_owned()),
            ("RACK_ENV", "production".to_owned()),
        ],
    };
    let bundle = format!("{root}/vendor/bundle");
    let mut commands = application.build_commands.iter();
    let installs = commands.any(|command| command.contains("bundle install"));
    if installs {
        env.push(("BUNDLE_PATH", bundle.clone()));
        env.push(("BUNDLE_WITHOUT", "development:test".to_owned()));
    }
    let version = program.version(USUAL.version);
    let toolchain = Toolchain {
        image: format!("ruby:{version}"),
        env: env.clone(),
        source_only: &["**/*.gem", "node_modules"],
    };
    if program.starts_from("caddy") {
        return web_server::packing(Some(toolchain));
    }
    // Ruby alone, without `bundle exec` before it, finds the gems by these.
    if installs && let Some(interface) = interface(version) {
        let gems = format!("{bundle}/ruby/{interface}");
        let system = program.path(&[]);
        env.push(("PATH", format!("{gems}/bin:/usr/local/bundle/bin:{system}")));
        env.push(("GEM_PATH", gems));
    }
    // A base that is not a small one can build by itself.
    let builds = program.starts_from("ruby") && !program.base_image.contains("slim");
    Packing {
        toolchain: (!builds).then_some(toolchain),
        env,
        probe: Some(probe),
        ..Packing::default()
    }
}

/// The version whose extensions a Ruby takes: `3.2.0` for each 3.2.
fn interface(version: &str) -> Option<String> {
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Some(format!("{major}.{minor}.0"))
}

/// Asks with what every Ruby has.
fn probe(probe: &Probe<'_>) -> Vec<String> {
    let path = probe.path.replace('\\', "\\\\").replace('\'', "\\'");
    let port = if probe.port_variable {
        format!("(ENV['PORT'] || {}).to_i", probe.port)
    } else {
        probe.port.to_string()
    };
    let script = format!(
        "exit Net::HTTP.new('127.0.0.1', {port}).get('{path}', 'Host' => 'localhost').code.to_i < 400"
    );
    vec![
        "ruby".to_owned(),
        "-rnet/http".to_owned(),
        "-e".to_owned(),
        script,
    ]
}
