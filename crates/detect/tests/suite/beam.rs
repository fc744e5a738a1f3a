//! Elixir and Gleam.

use ergon_detect::memory::MemoryTree;
use ergon_manifest::Application;

use crate::detected;

fn mix(inside: &str) -> String {
    format!(
        "defmodule Shop.MixProject do\n  def project do\n    [app: :shop, elixir: \"~> 1.16\"]\n  end\n{inside}end\n"
    )
}

fn run(application: &Application) -> &str {
    application.run_command.as_deref().unwrap()
}

fn base_image(files: &[(&str, &str)]) -> String {
    let tree = MemoryTree::new(files.iter().copied());
    let analysis = ergon_detect::analyse(&tree);
    let mut containers = analysis.manifest.containers.values();
    containers.next().unwrap().base_image.clone()
}

#[test]
fn what_is_read_in_production_and_how_much_it_is_needed() {
    let shop = detected(&[
        (
            "mix.exs",
            &mix("  # [mod: {Old, []}]\n  {:phoenix, \"~> 1.7\"}\n"),
        ),
        ("config/dev.exs", "System.fetch_env!(\"EDITOR_URL\")\n"),
        (
            "config/runtime.exs",
            "key =\n  System.get_env(\"SECRET_KEY_BASE\") ||\n    raise \"missing\"\nport = String.to_integer(System.get_env(\"PORT\") || \"4001\")\nhost = System.get_env(\"PHX_HOST\", \"example.com\")\n",
        ),
    ]);
    assert!(shop.env["SECRET_KEY_BASE"].required);
    assert_eq!(shop.env["PORT"].default.as_deref(), Some("4001"));
    assert_eq!(shop.env["PHX_HOST"].default.as_deref(), Some("example.com"));
    assert!(!shop.env.contains_key("EDITOR_URL"));
    assert_eq!(shop.ports, [4001]);
    assert_eq!(run(&shop), "mix phx.server");
}

#[test]
fn only_a_database_of_its_own_is_migrated() {
    let with = [
        (
            "mix.exs",
            mix("  [mod: {Shop, []}]\n  {:ecto_sql, \"~> 3.0\"}\n"),
        ),
        ("priv/repo/migrations/1_shop.exs", String::new()),
    ];
    let with: Vec<_> = with
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    assert_eq!(
        run(&detected(&with)),
        "mix ecto.migrate && mix run --no-halt"
    );
    let alone = detected(&[("mix.exs", &mix("  [mod: {Shop, []}]\n"))]);
    assert_eq!(run(&alone), "mix run --no-halt");
    assert_eq!(alone.build_commands, ["mix compile"]);
    let library = detected(&[("mix.exs", &mix("  # [mod: {Shop, []}]\n"))]);
    assert_eq!(library.run_command, None);
}

#[test]
fn an_umbrella_is_one_program() {
    let shop = detected(&[
        (
            "mix.exs",
            "defmodule Shop.MixProject do\n  def project do\n    [apps_path: \"apps\"]\n  end\nend\n",
        ),
        ("apps/shop/mix.exs", &mix("  [mod: {Shop, []}]\n")),
        (
            "apps/shop_web/mix.exs",
            &mix(
                "  {:phoenix, \"~> 1.7\"}\n  {:shop, in_umbrella: true}\n  [\"assets.deploy\": []]\n",
            ),
        ),
        ("apps/shop_web/assets/app.js", ""),
    ]);
    assert_eq!(run(&shop), "mix phx.server");
    assert_eq!(
        shop.build_commands.last().unwrap(),
        "cd apps/shop_web && mix assets.deploy"
    );
}

#[test]
fn a_release_that_is_described_is_what_runs() {
    let shop = detected(&[(
        "mix.exs",
        &mix(
            "  [releases: [\n    store: [include_executables_for: [:unix]]\n  ]]\n  {:phoenix, \"~> 1.7\"}\n",
        ),
    )]);
    assert_eq!(
        shop.build_commands.last().unwrap(),
        "mix release store --overwrite"
    );
    assert_eq!(run(&shop), "_build/prod/rel/store/bin/store start");
}

#[test]
fn a_script_is_built_and_run() {
    let tool = detected(&[("mix.exs", &mix("  [escript: [main_module: Shop]]\n"))]);
    assert_eq!(run(&tool), "./shop");
    let named = detected(&[(
        "mix.exs",
        &mix("  [escript: [main_module: Shop, name: \"till\"]]\n"),
    )]);
    assert_eq!(named.build_commands, ["mix compile", "mix escript.build"]);
    assert_eq!(run(&named), "./till");
}

#[test]
fn erlang_is_the_one_that_is_asked_for() {
    let text = mix("  [mod: {Shop, []}]\n");
    let with = |file, said| base_image(&[("mix.exs", text.as_str()), (file, said)]);
    assert_eq!(
        with(".tool-versions", "elixir 1.15.7-otp-26\n"),
        "elixir:1.15.7-otp-26"
    );
    assert_eq!(
        with(
            "elixir_buildpack.config",
            "elixir_version=1.16.2\nerlang_version=25.3\n"
        ),
        "elixir:1.16.2-otp-25"
    );
    assert_eq!(with(".tool-versions", "erlang 20.1\n"), "elixir:1.16");
}

#[test]
fn gleam_says_which_compiler() {
    let version = |said: &str| {
        let text = format!("name = \"shop\"\ngleam = \"{said}\"\n");
        detected(&[("gleam.toml", &text)]).runtime.unwrap().version
    };
    assert_eq!(version(">= 1.2.0"), "1.9.1");
    assert_eq!(version(">= 1.11.0"), "1.11.0");
}

#[test]
fn haskell_takes_the_compiler_of_its_packages() {
    let version = |files: &[(&str, &str)]| detected(files).runtime.unwrap().version;
    let cabal = "name: shop\nexecutable shop\n  build-depends: base ^>=4.17.2.1, text\n";
    assert_eq!(version(&[("stack.yaml", "resolver: lts-22.7\n")]), "9.6");
    assert_eq!(
        version(&[(
            "stack.yaml",
            "snapshot:\n  url: https://example.com/lts/18/6.yaml\n"
        )]),
        "8.10"
    );
    assert_eq!(version(&[("shop.cabal", cabal)]), "9.4");
    assert_eq!(
        version(&[(
            "shop.cabal",
            "executable shop\n  build-depends: base >=4.7 && <5\n"
        )]),
        "9.0"
    );
}

/// A Plug program whose application starts these servers.
fn plug(children: &str) -> Application {
    detected(&[
        (
            "mix.exs",
            "defmodule S.MixProject do\n  def project, do: [app: :s, deps: [{:plug_cowboy, \"~> 2.0\"}]]\n  def application, do: [mod: {S, []}]\nend\n",
        ),
        (
            "lib/s.ex",
            &format!(
                "defmodule S do\n  def start(_, _), do: Supervisor.start_link([{children}])\nend\n"
            ),
        ),
    ])
}

#[test]
fn a_server_of_plug_is_given_its_port() {
    let found = plug("{Plug.Cowboy, plug: R, options: [port: 4001]}");
    assert_eq!(
        (found.kind.as_str(), found.ports.as_slice()),
        ("plug", &[4001][..])
    );
    assert_eq!(plug("{Bandit, plug: R, port: 8001}").ports, [8001]);
    assert_eq!(plug("{Bandit, plug: R, port: port}").ports, [4000]);
}

#[test]
fn a_script_of_elixir_needs_no_mix() {
    let found = detected(&[
        (".tool-versions", "elixir 1.17.3-otp-27\n"),
        ("greet.exs", "Mix.install([:jason])\nIO.puts(1)\n"),
    ]);
    assert_eq!(found.language, "elixir");
    assert_eq!(found.run_command.as_deref(), Some("elixir greet.exs"));
    assert_eq!(found.build_commands.len(), 1);
    assert_eq!(found.runtime.unwrap().version, "1.17.3");
}

#[test]
fn the_version_may_be_an_attribute_of_the_module() {
    let mix = "defmodule Shop.MixProject do\n  @elixir_requirement \"~> 1.16\"\n\n  def project do\n    [app: :shop, elixir: @elixir_requirement]\n  end\nend\n";
    let runtime = detected(&[("mix.exs", mix)]).runtime.unwrap();
    assert_eq!(
        (runtime.version.as_str(), runtime.from.as_deref()),
        ("1.16", Some("mix.exs:2"))
    );
}
