//! Languages whose programs are a toolchain and a few commands.

use ergon_detect::memory::MemoryTree;
use ergon_manifest::Application;

use crate::{detected, report};

fn version(application: &Application) -> (&str, &str) {
    let runtime = application.runtime.as_ref().unwrap();
    (&runtime.version, runtime.from.as_deref().unwrap())
}

fn run(application: &Application) -> &str {
    application.run_command.as_deref().unwrap()
}

#[test]
fn a_csharp_service() {
    let web = detected(&[
        (
            "shop.csproj",
            "<Project Sdk=\"Microsoft.NET.Sdk.Web\">\n  <PropertyGroup>\n    <TargetFramework>net8.0</TargetFramework>\n  </PropertyGroup>\n  <ItemGroup>\n    <PackageReference Include=\"Npgsql\" Version=\"8.0.0\" />\n  </ItemGroup>\n</Project>\n",
        ),
        (
            "Program.cs",
            "app.MapGet(\"/health\", () => 1);\nvar x = Environment.GetEnvironmentVariable(\"GREETING\") ?? \"hi\";\n",
        ),
    ]);
    assert_eq!(
        (web.language.as_str(), web.kind.as_str()),
        ("csharp", "aspnet")
    );
    assert_eq!(version(&web), ("8.0", "shop.csproj:3"));
    assert_eq!(run(&web), "./out/shop");
    assert_eq!(web.services, ["postgresql"]);
    assert_eq!(web.env["GREETING"].default.as_deref(), Some("hi"));
    assert_eq!(
        (web.ports, web.health.unwrap().path.as_str()),
        (vec![8080], "/health")
    );
}

#[test]
fn an_fsharp_program_and_its_global_version() {
    let program = detected(&[
        (
            "tool.fsproj",
            "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><AssemblyName>hammer</AssemblyName></PropertyGroup></Project>",
        ),
        (
            "global.json",
            "{\n  \"sdk\": { \"version\": \"9.0.100\" }\n}",
        ),
    ]);
    assert_eq!(program.language, "fsharp");
    assert_eq!(version(&program), ("9.0", "global.json:2"));
    assert_eq!(run(&program), "./out/hammer");
    assert!(program.ports.is_empty());
    let library = detected(&[("lib.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\" />")]);
    assert_eq!(library.run_command, None);
}

#[test]
fn broken_xml_is_told_and_passed_over() {
    let tree = MemoryTree::new([("a.csproj", "<Project>\n</x>"), ("index.html", "")]);
    let report = report(&tree);
    assert!(report.contains("a.csproj:2 cannot be read"), "{report}");
}

#[test]
fn phoenix_with_a_database() {
    let mix = concat!(
        "defmodule Shop.MixProject do\n  def project do\n    [app: :shop, elixir: \"~> 1.15\", deps: deps()]\n  end\n",
        "  defp deps do\n    [\n      {:phoenix, \"~> 1.7\"},\n      {:postgrex, \">= 0.0.0\"}\n    ]\n  end\nend\n",
    );
    let files = [
        ("mix.exs", mix),
        (
            "mix.lock",
            "%{\n  \"phoenix\": {},\n  \"postgrex\": {},\n}\n",
        ),
        (
            "config/runtime.exs",
            "url = System.fetch_env!(\"DATABASE_URL\")\n",
        ),
    ];
    let shop = detected(&files);
    assert_eq!(run(&shop), "mix phx.server");
    assert_eq!(version(&shop), ("1.15", "mix.exs:3"));
    assert_eq!(shop.services, ["postgresql"]);
    assert!(shop.env["DATABASE_URL"].required);
    let report = report(&MemoryTree::new(files));
    assert!(
        report.starts_with("shop · a web service in Elixir 1.15\n"),
        "{report}"
    );
    assert!(
        report.contains("lock: locked [mix.lock, certain]"),
        "{report}"
    );
}

#[test]
fn c_and_cpp_by_their_build_systems() {
    let cmake = detected(&[
        (
            "CMakeLists.txt",
            "project(shop CXX)\nfind_package(OpenSSL REQUIRED)\nadd_executable(${PROJECT_NAME} main.cpp)\n",
        ),
        (
            "main.cpp",
            "int main() { listen(1, 2); getenv(\"PORT\"); }\n",
        ),
    ]);
    assert_eq!(
        (cmake.language.as_str(), run(&cmake)),
        ("cpp", "./build/shop")
    );
    assert_eq!(
        cmake.system_packages,
        ["cmake", "pkg-config", "libssl-dev", "libssl3"]
    );
    assert_eq!(cmake.ports, [8080]);
    let meson = detected(&[
        (
            "meson.build",
            "project('tool', 'c')\nexecutable('tool', 'main.c')\n",
        ),
        ("main.c", "int main(void) { return 0; }\n"),
    ]);
    assert_eq!(
        (meson.language.as_str(), run(&meson)),
        ("c", "./build/tool")
    );
    let make = detected(&[
        (
            "Makefile",
            "CC = gcc\n\nall: hammer\n\nhammer: main.c\n\t$(CC) -o hammer main.c\n",
        ),
        ("main.c", "int main(void) { return 0; }\n"),
    ]);
    assert_eq!(run(&make), "./hammer");
}

#[test]
fn each_of_the_others() {
    let gleam = detected(&[
        (
            "gleam.toml",
            "name = \"shop\"\n\n[dependencies]\nwisp = \"1\"\n",
        ),
        ("src/shop.gleam", "pub fn main() {}\n"),
    ]);
    assert_eq!(run(&gleam), "./build/erlang-shipment/entrypoint.sh run");
    assert_eq!(
        (gleam.kind.as_str(), gleam.ports.as_slice()),
        ("wisp", &[8000][..])
    );

    let zig = detected(&[
        (
            "build.zig",
            "const exe = b.addExecutable(.{\n    .name = \"shop\",\n});\n",
        ),
        (".zig-version", "0.12.0\n"),
    ]);
    assert_eq!(run(&zig), "./zig-out/bin/shop");
    assert_eq!(version(&zig), ("0.12.0", ".zig-version:1"));

    let swift = detected(&[
        (
            "Package.swift",
            "// swift-tools-version:5.9\nlet package = Package(name: \"shop\", targets: [.executableTarget(name: \"App\")])\n",
        ),
        ("Sources/App/main.swift", ""),
    ]);
    assert_eq!(
        (run(&swift), version(&swift)),
        ("./App", ("5.9", "Package.swift:1"))
    );

    let crystal = detected(&[
        (
            "shard.yml",
            "name: shop\ntargets:\n  shop:\n    main: src/shop.cr\ndependencies:\n  kemal:\n    github: x/y\n",
        ),
        ("src/shop.cr", "ENV.fetch(\"GREETING\", \"hi\")\n"),
    ]);
    assert_eq!(
        (run(&crystal), crystal.ports.as_slice()),
        ("./bin/shop", &[3000][..])
    );
    assert_eq!(crystal.env["GREETING"].default.as_deref(), Some("hi"));

    let dart = detected(&[
        ("pubspec.yaml", "name: shop\nenvironment:\n  sdk: ^3.1.0\n"),
        ("bin/server.dart", "void main() {}\n"),
    ]);
    assert_eq!(
        (run(&dart), version(&dart)),
        ("./bin/shop.exe", ("3", "pubspec.yaml:3"))
    );

    let haskell = detected(&[
        ("stack.yaml", "resolver: lts-20.0\n"),
        (
            "package.yaml",
            "name: shop\nexecutables:\n  shop-exe:\n    main: Main.hs\n",
        ),
        ("app/Main.hs", "main = getEnv \"TOKEN\"\n"),
    ]);
    assert_eq!(run(&haskell), "./bin/shop-exe");
    assert!(haskell.env["TOKEN"].required);

    let perl = detected(&[
        ("cpanfile", "requires 'Dancer2';\n"),
        ("app.psgi", "my $x = $ENV{GREETING} // 'hi';\n"),
    ]);
    assert_eq!(
        run(&perl),
        "plackup --host 0.0.0.0 --port ${PORT:-5000} app.psgi"
    );
    assert_eq!(perl.env["GREETING"].default.as_deref(), Some("hi"));
}

#[test]
fn cobol_is_one_program_and_what_it_calls() {
    let fixed = "       IDENTIFICATION DIVISION.\n       PROGRAM-ID. SHOP.\n";
    let shop = detected(&[
        (
            "src/index.cbl",
            &format!("{fixed}           CALL \"PRICES\".\n"),
        ),
        ("src/prices.cbl", fixed),
        ("src/other.cbl", fixed),
    ]);
    assert_eq!(
        shop.build_commands,
        ["cobc -x -o index src/index.cbl src/prices.cbl"]
    );
    assert_eq!((shop.language.as_str(), run(&shop)), ("cobol", "./index"));
    let free = detected(&[("tool.cob", "IDENTIFICATION DIVISION.\n")]);
    assert_eq!(free.build_commands, ["cobc -x -free -o tool tool.cob"]);
}

#[test]
fn guile_starts_what_is_named_for_that() {
    let web = detected(&[
        (
            "init.scm",
            "(display (getenv \"GREETING\"))\n(run-server answer 'http '(#:port 5000))\n",
        ),
        ("queries/highlights.scm", ""),
    ]);
    assert_eq!(run(&web), "guile init.scm --auto-compile");
    assert_eq!(web.ports, [5000]);
    assert!(web.env.contains_key("GREETING"));
}

#[test]
fn libraries_of_its_own_package_managers_are_built_first() {
    let with = |file, text| {
        detected(&[
            (
                "CMakeLists.txt",
                "project(shop CXX)\nadd_executable(shop main.cpp)\n",
            ),
            (file, text),
            ("main.cpp", "int main() {}\n"),
        ])
        .build_commands
    };
    assert!(with("vcpkg.json", "{}")[1].ends_with("/scripts/buildsystems/vcpkg.cmake"));
    assert_eq!(
        with("conanfile.txt", "[generators]\nCMakeToolchain\n")[3],
        "cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE=$PWD/build/conan_toolchain.cmake"
    );
}

#[test]
fn a_cpanfile_says_the_least_perl() {
    let version = |said: &str| {
        let text = format!("requires 'perl', '{said}';\n");
        let shop = detected(&[("cpanfile", &text), ("app.pl", "")]);
        shop.runtime.unwrap().version
    };
    assert_eq!(version("5.010001"), "5.36");
    assert_eq!(version("v5.38.0"), "5.38");
}

#[test]
fn crystal_is_the_least_that_is_allowed() {
    for (range, chosen) in [(">= 1.9.2", "1.9"), (">= 1.0", "1.6"), ("~> 1.10", "1.10")] {
        let shard = format!("name: shop\ncrystal: '{range}'\n");
        assert_eq!(
            version(&detected(&[("shard.yml", &shard)])).0,
            chosen,
            "{range}"
        );
    }
}

#[test]
fn gleam_as_javascript_is_run_by_node() {
    let toml = "name = \"shop\"\ntarget = \"javascript\"\n";
    let main = ("src/shop.gleam", "pub fn main() {}\n");
    let program = detected(&[("gleam.toml", toml), main]);
    assert_eq!(program.build_commands, ["gleam build"]);
    assert_eq!(
        run(&program),
        "node --input-type=module -e \"import { main } from './build/dev/javascript/shop/shop.mjs'; main()\""
    );
    let page = format!("{toml}[dependencies]\nlustre = \"4\"\n");
    assert_eq!(detected(&[("gleam.toml", &page), main]).run_command, None);
}

#[test]
fn dart_frog_writes_its_own_program() {
    let program = detected(&[
        (
            "pubspec.yaml",
            "name: shop\ndependencies:\n  dart_frog: ^1.0.0\n",
        ),
        ("routes/index.dart", ""),
    ]);
    assert_eq!(run(&program), "./build/bin/server");
    assert_eq!(program.ports, [8080]);
    assert!(
        program
            .build_commands
            .contains(&"dart pub global run dart_frog_cli:dart_frog build".to_owned()),
        "{:?}",
        program.build_commands
    );
}

#[test]
fn perl_programs_that_list_their_modules_otherwise() {
    let mojo = detected(&[
        ("script/my_shop", "use Mojolicious::Commands;\n"),
        ("lib/My/Shop.pm", ""),
        ("public/index.html", ""),
    ]);
    assert_eq!(
        run(&mojo),
        "perl script/my_shop daemon -l http://0.0.0.0:${PORT:-3000}"
    );
    assert_eq!(
        mojo.build_commands,
        ["cpanm --notest --local-lib-contained local Mojolicious"]
    );
    let catalyst = detected(&[
        (
            "Makefile.PL",
            "use inc::Module::Install;\nrequires 'Catalyst::Runtime';\ncatalyst;\n",
        ),
        ("shop.psgi", ""),
    ]);
    assert_eq!(catalyst.kind, "catalyst");
    assert_eq!(
        catalyst.build_commands,
        [
            "cpanm --notest --local-lib-contained local Module::Install Module::Install::Catalyst",
            "cpanm --notest --local-lib-contained local --installdeps ."
        ]
    );
}

#[test]
fn nim_by_its_nimble_file() {
    let program = detected(&[
        (
            "shop.nimble",
            "srcDir = \"src\"\nbin = @[\"web\"]\nrequires \"nim >= 2.0.0\", \"jester >= 0.5\"\n",
        ),
        ("src/web.nim", "settings:\n  port = Port(8081)\n"),
    ]);
    assert_eq!(
        (program.language.as_str(), program.kind.as_str()),
        ("nim", "jester")
    );
    assert_eq!(version(&program), ("2.0.0", "shop.nimble:3"));
    assert_eq!((run(&program), &program.ports), ("./web", &vec![8081]));
}

#[test]
fn ocaml_by_dune() {
    let program = detected(&[
        ("dune-project", "(lang dune 3.0)\n(name shop)\n"),
        (
            "bin/dune",
            "(executable\n (public_name shop)\n (name main)\n (libraries dream))\n",
        ),
        ("bin/main.ml", "let () = Dream.run ~port:8081 handler\n"),
        (
            "shop.opam",
            "depends: [\n  \"ocaml\" {>= \"4.14\"}\n  \"dream\"\n]\n",
        ),
    ]);
    assert_eq!(
        (program.language.as_str(), program.kind.as_str()),
        ("ocaml", "dream")
    );
    assert_eq!(version(&program), ("4.14", "shop.opam:2"));
    assert_eq!(
        (run(&program), &program.ports),
        ("./_build/default/bin/main.exe", &vec![8081])
    );
}
