//! Ruby programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

const LOCK: &str = concat!(
    "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.2.8)\n    puma (6.4.2)\n      nio4r (~> 2.0)\n",
    "\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  puma (~> 6.4)\n  rack\n\nRUBY VERSION\n   ruby 3.2.2p53\n\n",
    "BUNDLED WITH\n   2.4.10\n",
);

fn gemfile(rest: &str) -> String {
    format!("source \"https://rubygems.org\"\n{rest}")
}

#[test]
fn a_locked_rack_program() {
    let tree = MemoryTree::new([
        (
            "Gemfile",
            gemfile("gem \"rack\"\ngem \"puma\", \"~> 6.4\"\n"),
        ),
        ("Gemfile.lock", LOCK.to_owned()),
        (
            "config.ru",
            "run ->(env) { [200, {}, [ENV.fetch(\"GREETING\", \"hi\")]] }\n".to_owned(),
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    app · a web service in Ruby 3.2.2
    language: Ruby [Gemfile, certain]
    framework: Rack 2.2 [Gemfile:2, certain]
    runtime: Ruby 3.2.2 [Gemfile.lock:16, certain]
    package_manager: Bundler [Gemfile, certain]
    dependencies: 2 gems [Gemfile, certain]
    lock: locked [Gemfile.lock, certain] (Gemfile.lock has every gem that Gemfile lists)
    build_command: BUNDLE_FROZEN=true bundle install [Gemfile.lock, certain] (Bundler puts the gems into vendor/bundle)
    run_command: bundle exec puma -p ${PORT:-9292} [config.ru, likely] (config.ru, served by puma)
    port: 9292 [-, assumed] (puma's default; nothing in the project says otherwise)
    environment: GREETING [config.ru:1, certain] (default "hi")
    pinned: yes [Gemfile.lock, certain] (Gemfile.lock pins every gem)
    "#);
}

#[test]
fn the_version_is_what_bundler_insists_on_or_a_file_says() {
    let version = |files: &[(&str, &str)]| {
        let mut all = vec![("app.rb", "")];
        all.extend(files);
        detected(&all).runtime.unwrap()
    };
    let said = |files: &[(&str, &str)]| {
        let runtime = version(files);
        format!("{} {}", runtime.version, runtime.from.unwrap())
    };
    assert_eq!(
        said(&[(".ruby-version", "ruby-3.2.1\n")]),
        "3.2.1 .ruby-version:1"
    );
    assert_eq!(
        said(&[("Gemfile", "ruby '3.3.0'\n"), (".ruby-version", "3.2.1")]),
        "3.3.0 Gemfile:1"
    );
    assert_eq!(
        said(&[
            ("Gemfile", "ruby file: \".ruby-version\"\n"),
            (".ruby-version", "3.2.1")
        ]),
        "3.2.1 .ruby-version:1"
    );
    assert_eq!(
        said(&[
            ("Gemfile", "ruby \"~> 3.2\"\n"),
            (".tool-versions", "nodejs 20\nruby 3.3.4\n")
        ]),
        "3.3.4 .tool-versions:2"
    );
    assert_eq!(
        said(&[("mise.toml", "[tools]\nruby = \"3.4\"\n")]),
        "3.4 mise.toml:2"
    );
    assert_eq!(said(&[("Gemfile", "ruby \"~> 3.2\"\n")]), "3.2 Gemfile:1");
    assert_eq!(
        said(&[("Gemfile", "ruby \">= 2.7\", \"< 4\"\n")]),
        "3.1 Gemfile:1"
    );
    assert_eq!(said(&[("Gemfile", "ruby \"~> 2.7.0\"\n")]), "2.7 Gemfile:1");
    assert_eq!(
        said(&[("Gemfile", ""), ("Gemfile.lock", LOCK)]),
        "3.2.2 Gemfile.lock:16"
    );
    assert_eq!(said(&[]), "3.1 assumed");
}

#[test]
fn rails_says_which_ruby_where_nothing_else_does() {
    for (rails, ruby) in [("~> 5.2", "2.7"), ("~> 7.0", "3.1"), ("~> 8.0.1", "3.2")] {
        let text = format!("gem 'rails', '{rails}'\n");
        let shop = detected(&[
            ("Gemfile", &text),
            ("config/application.rb", ""),
            ("config.ru", "run Rails.application"),
        ]);
        assert_eq!(shop.runtime.unwrap().version, ruby, "{rails}");
    }
}

#[test]
fn a_lock_that_is_for_other_gems_is_stale() {
    let command = |gems: &str| {
        detected(&[
            ("Gemfile", &gemfile(gems)),
            ("Gemfile.lock", LOCK),
            ("config.ru", "run App"),
        ])
        .build_commands
        .remove(0)
    };
    let same = "gem 'puma', '~> 6.4'\ngem 'rack' # a comment\n";
    assert_eq!(command(same), "BUNDLE_FROZEN=true bundle install");
    assert_eq!(command(&same.replace("6.4", "7.0")), "bundle install");
    assert_eq!(command(&format!("{same}gem 'json'\n")), "bundle install");
    assert_eq!(command("gem 'puma', '~> 6.4'\n"), "bundle install");
    assert_eq!(
        command(&format!("{same}gem 'json' if ENV['X']\n")),
        "BUNDLE_FROZEN=true bundle install"
    );
}

#[test]
fn rails_with_a_database_brings_it_up_to_date_first() {
    let gems = gemfile(concat!(
        "gem \"rails\", \"~> 7.1\"\ngem \"pg\"\ngem \"sprockets-rails\"\ngem \"bootsnap\", require: false\n",
        "group :development, :test do\n  gem \"debug\"\n  gem \"sqlite3\"\nend\n",
    ));
    let tree = MemoryTree::new([
        ("Gemfile", gems.as_str()),
        (
            "config/application.rb",
            "module WebShop\n  class Application < Rails::Application\n  end\nend\n",
        ),
        ("config/environment.rb", ""),
        (
            "config/database.yml",
            "production:\n  url: <%= ENV[\"DATABASE_URL\"] %>\n",
        ),
        ("config/puma.rb", "port ENV.fetch(\"PORT\") { 3001 }\n"),
        (
            "config/routes.rb",
            "Rails.application.routes.draw do\n  get \"up\" => \"rails/health#show\"\nend\n",
        ),
        ("app/assets/x.css", ""),
    ]);
    assert_snapshot!(report(&tree), @r#"
    web-shop · a web service in Ruby 3.1
    language: Ruby [Gemfile, certain]
    framework: Rails 7.1 [Gemfile:2, certain]
    runtime: Ruby 3.1 [-, assumed] (nothing in the project says)
    package_manager: Bundler [Gemfile, certain]
    dependencies: 4 gems [Gemfile, certain]
    lock: missing [-, certain] (there is no Gemfile.lock)
    build_command: bundle install [Gemfile, certain] (Bundler puts the gems into vendor/bundle)
    build_command: bundle exec bootsnap precompile --gemfile app/ lib/ [Gemfile:5, likely] (makes it start sooner)
    build_command: SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile [Gemfile:4, likely] (the assets are made once, in the build)
    run_command: bundle exec rake db:migrate && bundle exec rails server -b 0.0.0.0 -p ${PORT:-3001} [Gemfile:2, likely] (a Rails program with a database (pg), which is brought up to date first)
    port: 3001 [config/puma.rb:1, certain] (where PORT is not set)
    environment: SECRET_KEY_BASE [config/application.rb, certain] (required)
    environment: DATABASE_URL [config/database.yml:2, certain] (optional)
    environment: PORT [config/puma.rb:1, certain] (default "3001")
    health: GET /up [config/routes.rb:2, likely]
    service: PostgreSQL [Gemfile:3, likely] (pg in Gemfile:3)
    system_package: libpq-dev [Gemfile:3, likely] (pg needs it)
    system_package: libpq5 [Gemfile:3, likely] (pg needs it)
    pinned: no [Gemfile, certain] (there is no Gemfile.lock)
    ? Ruby version? nothing says; 3.1 assumed. → echo 3.1 > .ruby-version
    ? Which versions? there is no Gemfile.lock. → bundle lock, and commit Gemfile.lock
    "#);
}

#[test]
fn rails_without_a_database_only_serves() {
    let files = [
        ("Gemfile", "gem 'rails', '7.0.4'\ngem 'propshaft'\n"),
        (
            "config/application.rb",
            "class App < Rails::Application\nend\n",
        ),
        ("app/assets/x.css", ""),
    ];
    let found = detected(&files);
    assert_eq!(
        found.run_command.as_deref(),
        Some("bundle exec rails server -b 0.0.0.0 -p ${PORT:-3000}")
    );
    // Only Rails 7.1 makes a secret of its own for this.
    assert_eq!(
        found.build_commands[1],
        "SECRET_KEY_BASE=unused bundle exec rails assets:precompile"
    );
}

#[test]
fn the_server_that_is_listed_serves() {
    let command = |gems: &str, config: &[(&str, &str)]| {
        let gems = gemfile(gems);
        let mut files = vec![("Gemfile", gems.as_str()), ("config.ru", "run App")];
        files.extend(config);
        run_command(&files)
    };
    assert_eq!(
        command(
            "gem 'puma'\n",
            &[("config/puma.rb", "port ENV['PORT'] || 4567\n")]
        ),
        "bundle exec puma"
    );
    assert_eq!(
        command("gem 'unicorn'\n", &[]),
        "bundle exec unicorn -p ${PORT:-8080}"
    );
    assert_eq!(
        command("gem 'thin'\n", &[]),
        "bundle exec thin start -p ${PORT:-3000}"
    );
    assert_eq!(
        command("gem 'falcon'\n", &[]),
        "bundle exec falcon serve --bind http://0.0.0.0:${PORT:-9292}"
    );
    assert_eq!(
        command("gem 'rack'\ngem 'puma', group: :development\n", &[]),
        "bundle exec rackup config.ru --host 0.0.0.0 -p ${PORT:-9292}"
    );
}

#[test]
fn a_script_is_started_with_its_gems_where_it_has_some() {
    assert_eq!(run_command(&[("app.rb", "puts 1")]), "ruby app.rb");
    assert_eq!(
        run_command(&[("Gemfile", "source 'x'\n"), ("app.rb", "")]),
        "ruby app.rb"
    );
    assert_eq!(
        run_command(&[("Gemfile", "gem 'json'\n"), ("main.rb", "")]),
        "bundle exec ruby main.rb"
    );
    assert_eq!(
        run_command(&[("Gemfile", "gem 'json'\n"), ("greet.rb", "")]),
        "bundle exec ruby greet.rb"
    );
    assert_eq!(
        run_command(&[
            ("Gemfile", "gem 'rake'\n"),
            ("Rakefile", "task default: :go\n")
        ]),
        "bundle exec rake"
    );
    assert_eq!(
        run_command(&[
            ("Gemfile", "gem 'sidekiq'\n"),
            ("jobs/mail.rb", "class Mail\n  include Sidekiq::Job\nend\n"),
            ("jobs/other.rb", "")
        ]),
        "bundle exec sidekiq -r ./jobs/mail.rb"
    );
}

#[test]
fn jobs_do_nothing_by_themselves() {
    let command = |text: &str| run_command(&[("Gemfile", "gem 'sidekiq'\n"), ("worker.rb", text)]);
    assert_eq!(
        command("class Mail\n  include Sidekiq::Job\nend\n"),
        "bundle exec sidekiq -r ./worker.rb"
    );
    assert_eq!(command("puts 1\n"), "bundle exec ruby worker.rb");
    let clock = "module Clockwork\n  every(1.hour, 'mail') { }\nend\n";
    assert_eq!(
        run_command(&[("Gemfile", "gem 'clockwork'\n"), ("clock.rb", clock)]),
        "bundle exec clockwork clock.rb"
    );
}

#[test]
fn a_classic_sinatra_program_serves_itself() {
    let found = detected(&[
        ("Gemfile", "gem 'sinatra'\n"),
        (
            "app.rb",
            "require 'sinatra'\n\nget '/health' do\n  'ok'\nend\n",
        ),
    ]);
    assert_eq!(found.kind, "sinatra");
    assert_eq!(
        found.run_command.as_deref(),
        Some("bundle exec ruby app.rb")
    );
    assert_eq!(found.ports, [4567]);
    assert_eq!(found.env["PORT"].default.as_deref(), Some("4567"));
    assert_eq!(found.health.unwrap().path, "/health");
}

#[test]
fn the_port_of_a_plain_server_is_in_the_code() {
    let ports = |code: &str| detected(&[("app.rb", code)]).ports;
    assert_eq!(
        ports("port = ENV.fetch('PORT', 8000)\nserver = TCPServer.new('0.0.0.0', port)\n"),
        [8000]
    );
    assert_eq!(ports("s = WEBrick::HTTPServer.new(Port: 8081)\n"), [8081]);
    assert_eq!(ports("puts 8081\n"), [0_u16; 0]);
}

#[test]
fn a_site_is_generated_and_served() {
    let found = detected(&[
        ("Gemfile", "gem 'jekyll'\n"),
        ("_config.yml", "title: x\ndestination: ./public\n"),
        ("index.md", ""),
    ]);
    assert_eq!(
        (found.kind.as_str(), found.language.as_str()),
        ("jekyll", "ruby")
    );
    assert_eq!(found.build_commands[1], "bundle exec jekyll build");
    assert_eq!(found.artifacts, ["public", "Caddyfile"]);
    assert!(found.run_command.unwrap().starts_with("caddy run"));
}

#[test]
fn assets_that_node_builds_bring_node_into_the_build() {
    let found = detected(&[
        ("Gemfile", "gem 'rails'\ngem 'jsbundling-rails'\n"),
        (
            "config/application.rb",
            "class App < Rails::Application\nend\n",
        ),
        ("app/javascript/x.js", ""),
        ("package.json", "{}"),
        ("yarn.lock", ""),
    ]);
    assert_eq!(
        found.build_commands,
        [
            "bundle install",
            "apt-get update && apt-get install -y --no-install-recommends nodejs npm",
            "npm install --global --force yarn@1.22.22",
            "yarn install --frozen-lockfile",
            "SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile",
        ]
    );
    assert!(found.system_packages.is_empty());
    let runs = detected(&[("Gemfile", "gem 'execjs'\n"), ("app.rb", "")]);
    assert_eq!(runs.system_packages, ["nodejs"]);
}

#[test]
fn variables_are_read_in_every_way() {
    let code = concat!(
        "a = ENV['A'] || 'a'\nb = ENV[\"B\"]\nc = ENV.fetch('C')\nd = ENV.fetch('D', 4)\n",
        "e = ENV.fetch(\"E\") { 'e' }\nENV['WRITTEN'] = '1'\nENV['W2'] ||= '1'\n# ENV['COMMENT']\n",
        "f = ENV.fetch('F') { raise }\ng = ENV['G'] == 'x'\n",
    );
    let env = detected(&[("app.rb", code)]).env;
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| format!("{name} {} {:?}", one.required, one.default))
        .collect();
    assert_eq!(
        said,
        [
            "A false Some(\"a\")",
            "B false None",
            "C true None",
            "D false Some(\"4\")",
            "E false Some(\"e\")",
            "F false None",
            "G false None",
        ]
    );
}

#[test]
fn what_only_others_need_ruby_for_is_no_program() {
    let found = detected(&[
        ("Gemfile", "gem 'cocoapods'\n"),
        ("package.json", "{\"scripts\": {\"start\": \"node x.js\"}}"),
        ("x.js", ""),
    ]);
    assert_eq!(found.language, "javascript");
}

#[test]
fn the_build_has_a_stage_of_its_own() {
    let gems = gemfile("gem \"rack\"\ngem \"puma\", \"~> 6.4\"\n");
    let tree = MemoryTree::new([
        ("Gemfile", gems.as_str()),
        ("Gemfile.lock", LOCK),
        ("config.ru", "run App"),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let plans = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    let text = ergon_detect::dockerfile::render(&plans[0]).text;
    assert_snapshot!(text, @r#"
    # Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.

    FROM ruby:3.2.2 AS build
    ENV APP_ENV="production" \
        BUNDLE_PATH="/app/vendor/bundle" \
        BUNDLE_WITHOUT="development:test" \
        RACK_ENV="production"
    # Dependencies come before sources, so that a changed source file does not install them again.
    COPY ["Gemfile", "Gemfile.lock", "/app/"]
    WORKDIR /app
    RUN BUNDLE_FROZEN=true bundle install
    COPY [".", "/app/"]
    # Only what runs goes on.
    RUN find /app \( -name '*.gem' -o -path /app/node_modules \) -prune -exec rm -rf {} +

    FROM ruby:3.2.2-slim
    COPY --from=build --chown=65532:65532 ["/app", "/app"]

    WORKDIR /app
    ENV APP_ENV="production" \
        BUNDLE_PATH="/app/vendor/bundle" \
        BUNDLE_WITHOUT="development:test" \
        GEM_PATH="/app/vendor/bundle/ruby/3.2.0" \
        HOME="/tmp" \
        PATH="/app/vendor/bundle/ruby/3.2.0/bin:/usr/local/bundle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        RACK_ENV="production"
    LABEL org.opencontainers.image.title="app"
    USER 65532:65532
    EXPOSE 9292
    ENTRYPOINT []
    CMD ["/bin/sh", "-c", "exec bundle exec puma -p ${PORT:-9292}"]
    "#);
}

#[test]
fn what_a_gemfile_looks_at_is_there_when_it_is_read() {
    let copies = |gems: &str| {
        let gems = gemfile(gems);
        let tree = MemoryTree::new([
            ("Gemfile", gems.as_str()),
            (".ruby-version", "3.2.1"),
            ("app.rb", ""),
        ]);
        let analysis = ergon_detect::analyse(&tree);
        let plans = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
        let text = ergon_detect::dockerfile::render(&plans[0]).text;
        let mut lines = text.lines().map(str::to_owned);
        lines.find(|line| line.starts_with("COPY")).unwrap()
    };
    assert_eq!(
        copies("ruby file: '.ruby-version'\ngem 'json', require: false\n"),
        r#"COPY [".ruby-version", "Gemfile", "/app/"]"#
    );
    assert_eq!(
        copies("gem 'ours', path: 'gems/ours'\n"),
        r#"COPY [".", "/app/"]"#
    );
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[\"'{}()\\[\\]:#=>~<,.\\n a-zé0-9|]{0,200}") {
        let gems = format!("ruby {text}\ngem {text}\ngroup {text} do\ngem 'x', group: {text}\nend\nend\n{text}");
        let lock = format!("GEM\n  specs:\n    {text}\nDEPENDENCIES\n  {text}\nRUBY VERSION\n   ruby {text}");
        let code = format!("ENV{text}\nENV.fetch{text}\nget {text}\nset :port, {text}\nTCPServer.new{text}\nport{text}");
        let tree = MemoryTree::new([
            ("Gemfile", gems.as_str()),
            ("Gemfile.lock", lock.as_str()),
            (".ruby-version", text.as_str()),
            (".tool-versions", text.as_str()),
            ("x.gemspec", text.as_str()),
            ("config.ru", code.as_str()),
            ("config/puma.rb", code.as_str()),
            ("app.rb", code.as_str()),
        ]);
        ergon_detect::analyse(&tree);
    }
}

#[test]
fn a_version_may_come_from_the_environment_or_name_a_gemset() {
    let version = |files: &[(&str, &str)]| {
        let mut all = vec![("main.rb", "")];
        all.extend(files);
        detected(&all).runtime.unwrap().version
    };
    for line in [
        "ruby ENV['RUBY'] || '3.2.1'\n",
        "ruby ENV.fetch('RUBY', '3.2.1')\n",
    ] {
        assert_eq!(version(&[("Gemfile", line)]), "3.2.1");
    }
    assert_eq!(version(&[(".ruby-version", "ruby-3.1.2@shop\n")]), "3.1.2");
}
