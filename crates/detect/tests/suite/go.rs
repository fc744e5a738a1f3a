//! Go programs.

use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report};

const MAIN: &str = "package main\n\nfunc main() {}\n";

#[test]
fn a_service_of_the_standard_library() {
    let tree = MemoryTree::new([
        ("go.mod", "module example.com/team/shop/v2\n\ngo 1.21\n"),
        (
            "main.go",
            concat!(
                "package main\n\nimport \"net/http\"\n\nfunc main() {\n\tport := os.Getenv(\"PORT\")\n\tif port == \"\" {\n",
                "\t\tport = \"9000\"\n\t}\n\thttp.HandleFunc(\"/healthz\", well)\n\thttp.ListenAndServe(\":\"+port, nil)\n}\n",
            ),
        ),
        (
            "main_test.go",
            "package main\n\nvar _ = os.Getenv(\"TEST\")\n",
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in Go 1.21
    language: Go [go.mod, certain]
    framework: net/http [main.go:11, certain] (the standard library)
    runtime: Go 1.21 [go.mod:3, certain]
    package_manager: go [go.mod, certain]
    dependencies: nothing [go.mod, certain]
    lock: locked [go.mod, certain] (nothing but the standard library is used)
    build_command: CGO_ENABLED=0 go build -o out . [main.go:5, likely] (main.go:5 is the main package)
    run_command: ./out [main.go:5, likely] (built from .)
    port: 9000 [main.go:6, certain] (where PORT is not set)
    environment: PORT [main.go:6, certain] (default "9000")
    health: GET /healthz [main.go:10, likely]
    pinned: yes [go.mod, certain] (nothing but the standard library is used)
    "#);
}

#[test]
fn modules_are_fetched_before_they_are_built() {
    let application = detected(&[
        (
            "go.mod",
            "module shop\ngo 1.22\nrequire (\n\tgithub.com/gin-gonic/gin v1.9.1\n\tgithub.com/jackc/pgx/v5 v5.5.0 // indirect\n)\n",
        ),
        (
            "go.sum",
            "github.com/gin-gonic/gin v1.9.1/go.mod h1:x=\ngithub.com/jackc/pgx/v5 v5.5.0/go.mod h1:x=\n",
        ),
        ("main.go", MAIN),
    ]);
    assert_eq!(
        application.build_commands,
        ["go mod download", "CGO_ENABLED=0 go build -o out ."]
    );
    assert_eq!(application.kind, "gin");
    assert_eq!(application.services, ["postgresql"]);
    assert_eq!(application.ports, [8080]);
}

#[test]
fn the_main_package_is_found_below() {
    let commands =
        |path: &str| detected(&[("go.mod", "module shop\ngo 1.22\n"), (path, MAIN)]).build_commands;
    assert_eq!(
        commands("cmd/web/main.go"),
        ["CGO_ENABLED=0 go build -o out ./cmd/web"]
    );
}

#[test]
fn of_several_main_packages_one_is_asked_for() {
    let tree = MemoryTree::new([
        ("go.mod", "module shop\ngo 1.22\n"),
        ("cmd/a/main.go", MAIN),
        ("cmd/b/main.go", MAIN),
    ]);
    assert!(
        report(&tree)
            .contains("? Which program? ./cmd/a, ./cmd/b are main packages; ./cmd/a taken.")
    );
}

#[test]
fn a_variable_without_which_it_ends_is_required() {
    let code = concat!(
        "package main\n\nfunc main() {\n\turl, found := os.LookupEnv(\"URL\")\n\tif !found {\n\t\tlog.Fatal(\"no URL\")\n\t}\n",
        "\tmode := cmp.Or(os.Getenv(\"MODE\"), \"fast\")\n\tkey := os.Getenv(\"KEY\")\n}\n",
    );
    let env = detected(&[("go.mod", "module shop\ngo 1.22\n"), ("main.go", code)]).env;
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| format!("{name} {} {:?}", one.required, one.default))
        .collect();
    assert_eq!(
        said,
        [
            "KEY false None",
            "MODE false Some(\"fast\")",
            "URL true None"
        ]
    );
}

#[test]
fn a_library_is_not_a_program() {
    let application = detected(&[
        ("go.mod", "module shop\ngo 1.22\n"),
        ("shop.go", "package shop\n"),
    ]);
    assert_eq!(application.run_command, None);
}

#[test]
fn files_without_a_module_are_a_program_too() {
    let application = detected(&[
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("util.go", "package main\n"),
    ]);
    assert_eq!(
        application.build_commands,
        ["CGO_ENABLED=0 go build -o out main.go util.go"]
    );
    assert_eq!(application.dependencies, None);
}

#[test]
fn a_version_file_goes_before_the_module_which_is_shown() {
    let tree = MemoryTree::new([
        (".go-version", "1.22.1\n"),
        ("go.mod", "module a\n\ngo 1.19\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
    ]);
    let report = report(&tree);
    assert!(
        report.contains(
            "runtime: Go 1.22.1 [.go-version:1, certain] (.go-version goes before go.mod; go.mod:3 says 1.19)"
        ),
        "{report}"
    );
}

#[test]
fn modules_that_are_known_for_their_c_are_built_with_it() {
    let application = detected(&[
        (
            "go.mod",
            "module a\n\ngo 1.19\n\nrequire github.com/mattn/go-sqlite3 v1.14.0\n",
        ),
        ("main.go", "package main\n\nfunc main() {}\n"),
    ]);
    assert!(application.build_commands[1].starts_with("CGO_ENABLED=1 "));
}

/// What is said of the lock file.
fn lock(sum: &str) -> String {
    let tree = MemoryTree::new([
        (
            "go.mod",
            "module a\n\ngo 1.22\n\nrequire (\n\tb.org/c v1.0.0\n\td.org/e v2.0.0\n)\n\nreplace d.org/e => ./e\n",
        ),
        ("go.sum", sum),
        ("main.go", MAIN),
    ]);
    let report = report(&tree);
    let line = report.lines().find(|line| line.starts_with("lock:"));
    line.unwrap().to_owned()
}

#[test]
fn a_lock_file_without_what_is_required_is_stale() {
    let stale = "lock: stale [go.sum, certain] (b.org/c v1.0.0 of go.mod:6 is not in it)";
    assert_eq!(lock(""), stale);
    assert_eq!(lock("b.org/c v1.0.1/go.mod h1:x=\n"), stale);
    assert_eq!(
        lock("b.org/c v1.0.0/go.mod h1:x=\n"),
        "lock: locked [go.sum, certain] (it holds the hash of every module)"
    );
}

#[test]
fn what_c_needs_is_installed() {
    let application = detected(&[
        (
            "go.mod",
            "module a\n\ngo 1.19\n\nrequire github.com/h2non/bimg v1.1.9\n",
        ),
        ("main.go", MAIN),
    ]);
    assert_eq!(
        application.system_packages,
        ["gcc", "libc6-dev", "libvips-dev", "pkg-config", "libvips42"]
    );
}

#[test]
fn the_image_that_builds_is_of_a_debian_that_had_this_go() {
    for (version, image) in [
        ("1.14", "golang:1.14-buster"),
        ("1.17", "golang:1.17-bullseye"),
        ("1.19.3", "golang:1.19.3-bullseye"),
        ("1.20", "golang:1.20-bookworm"),
        ("1.22.1", "golang:1.22.1-bookworm"),
    ] {
        let module = format!("module a\n\ngo {version}\n");
        let tree = MemoryTree::new([("go.mod", module.as_str()), ("main.go", MAIN)]);
        let analysis = ergon_detect::analyse(&tree);
        let plan = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
        assert_eq!(plan[0].stages[0].base, image);
    }
}

/// The one of several main packages that is built, and whether that is asked for.
fn built(files: &[(&str, &str)]) -> (String, bool) {
    let files = files.iter().copied();
    let tree = MemoryTree::new(files.chain([("go.mod", "module shop\n\ngo 1.22\n")]));
    let analysis = ergon_detect::analyse(&tree);
    let application = analysis.manifest.applications.values().next().unwrap();
    let command = application.build_commands.last().unwrap();
    let asked = analysis
        .questions
        .iter()
        .any(|question| question.text.starts_with("Which program"));
    let package = command.rsplit(' ').next().unwrap();
    (package.to_owned(), asked)
}

const SERVES: &str = "package main\n\nfunc main() {\n\thttp.ListenAndServe(\":9000\", nil)\n}\n";

#[test]
fn of_several_main_packages_the_one_that_listens_is_taken() {
    let taken = |files: &[(&str, &str)], package: &str| {
        assert_eq!(built(files), (package.to_owned(), false));
    };
    taken(
        &[("cmd/consumer/main.go", MAIN), ("cmd/todo/main.go", SERVES)],
        "./cmd/todo",
    );
    taken(
        &[
            ("cmd/cli/main.go", SERVES),
            ("cmd/todo-server/main.go", MAIN),
        ],
        "./cmd/todo-server",
    );
    taken(
        &[
            ("cmd/a/main.go", MAIN),
            (
                "cmd/b/main.go",
                "package main\n\nimport \"shop/http\"\n\nfunc main() {}\n",
            ),
            (
                "http/http.go",
                &SERVES.replace("package main", "package http"),
            ),
        ],
        "./cmd/b",
    );
    taken(
        &[("cmd/jobs/main.go", MAIN), ("cmd/shop/main.go", MAIN)],
        "./cmd/shop",
    );
    assert!(built(&[("cmd/a/main.go", SERVES), ("cmd/web/main.go", SERVES)]).1);
}

#[test]
fn a_file_that_says_which_main_package_is_built_decides() {
    let mains = [("first/main.go", SERVES), ("second/main.go", MAIN)];
    let dockerfile = (
        "Dockerfile",
        "FROM golang:1.22\nRUN go mod download && \\\n  go build -o /first ./second\n",
    );
    let project = (
        "project.toml",
        "[[build.env]]\nname = \"BP_GO_TARGETS\"\nvalue = \"./second\"\n",
    );
    for said in [dockerfile, project] {
        let files = [mains[0], mains[1], said];
        assert_eq!(built(&files), ("./second".to_owned(), false));
    }
}

#[test]
fn nothing_is_read_from_another_main_package() {
    let application = detected(&[
        ("go.mod", "module shop\n\ngo 1.22\n"),
        (
            "cmd/migrate/main.go",
            "package main\n\nfunc main() {\n\tos.Getenv(\"MIGRATIONS\")\n\thttp.ListenAndServe(\":1234\", nil)\n}\n",
        ),
        ("cmd/server/main.go", SERVES),
    ]);
    assert_eq!(application.ports, [9000]);
    assert!(application.env.is_empty());
}

#[test]
fn each_program_of_a_workspace_is_one_of_its_own() {
    let files = [
        ("go.work", "go 1.22\n\nuse (\n\t./api\n\t./worker\n)\n"),
        ("api/go.mod", "module shop/api\n\ngo 1.22\n"),
        ("api/main.go", SERVES),
        ("worker/go.mod", "module shop/worker\n\ngo 1.22\n"),
        ("worker/main.go", MAIN),
    ];
    let compose = (
        "compose.yaml",
        "services:\n  api:\n    build: ./api\n  worker:\n    build: ./worker\n",
    );
    for more in [None, Some(compose)] {
        let tree = MemoryTree::new(files.into_iter().chain(more));
        let analysis = ergon_detect::analyse(&tree);
        let names: Vec<_> = analysis.manifest.applications.keys().collect();
        assert_eq!(names, ["api", "worker"]);
    }
}

#[test]
fn modules_of_the_same_workspace_have_no_hash() {
    let tree = MemoryTree::new([
        ("go.work", "go 1.22\n\nuse ./api\nuse ./jobs\n"),
        (
            "api/go.mod",
            "module a.org/api\n\ngo 1.22\n\nrequire a.org/jobs v0.1.0\n",
        ),
        ("api/main.go", MAIN),
        ("jobs/go.mod", "module a.org/jobs\n\ngo 1.22\n"),
        ("jobs/main.go", MAIN),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    assert_eq!(analysis.manifest.applications.len(), 2);
    for application in analysis.manifest.applications.values() {
        assert_eq!(application.build_commands[0], "go mod download");
    }
    assert!(analysis.questions.is_empty(), "{:?}", analysis.questions);
}

#[test]
fn heroku_is_told_a_version_of_its_own() {
    let program = detected(&[
        (
            "go.mod",
            "// +heroku goVersion go1.19.4\nmodule shop\n\ngo 1.18\n",
        ),
        ("main.go", "package main\n\nfunc main() {}\n"),
    ]);
    let runtime = program.runtime.unwrap();
    assert_eq!(
        (runtime.version.as_str(), runtime.from.as_deref()),
        ("1.19.4", Some("go.mod:1"))
    );
}

#[test]
fn what_builds_or_releases_it_says_which_main_package() {
    let main = "package main\n\nfunc main() {}\n";
    for (file, text) in [
        ("Makefile", "build:\n\tgo build -o bin/x ./cmd/tool\n"),
        (".goreleaser.yaml", "builds:\n  - main: ./cmd/tool\n"),
    ] {
        let program = detected(&[
            ("go.mod", "module shop\n"),
            ("cmd/shop/main.go", main),
            ("cmd/tool/main.go", main),
            (file, text),
        ]);
        assert_eq!(
            program.entrypoint.as_deref(),
            Some("cmd/tool/main.go"),
            "{file}"
        );
    }
}

#[test]
fn pocketbase_is_told_to_serve() {
    let program = detected(&[
        (
            "go.mod",
            "module x\n\nrequire github.com/pocketbase/pocketbase v0.22.0\n",
        ),
        ("main.go", "package main\n\nfunc main() {}\n"),
    ]);
    assert_eq!(
        program.run_command.as_deref(),
        Some("./out serve --http=0.0.0.0:${PORT:-8090}")
    );
    assert_eq!(program.ports, [8090]);
}

#[test]
fn older_tools_say_a_version_too() {
    for (file, text) in [
        (
            "vendor/vendor.json",
            "{\"heroku\": {\"goVersion\": \"go1.18\"}}",
        ),
        (
            "Gopkg.toml",
            "[metadata.heroku]\n  go-version = \"go1.18\"\n",
        ),
    ] {
        let program = detected(&[
            ("main.go", "package main\n\nfunc main() {}\n"),
            (file, text),
        ]);
        assert_eq!(program.runtime.unwrap().version, "1.18", "{file}");
    }
}

#[test]
fn hashes_that_are_missing_are_got() {
    let required = "module shop\n\nrequire github.com/a/b v1.0.0\n";
    let main = ("main.go", "package main\n\nfunc main() {}\n");
    let fetch = |files: &[(&str, &str)]| detected(files).build_commands[0].clone();
    let hash = "github.com/a/b v1.0.0 h1:x=\ngithub.com/a/b v1.0.0/go.mod h1:x=\n";
    assert_eq!(fetch(&[("go.mod", required), main]), "go mod tidy");
    assert_eq!(
        fetch(&[
            ("go.mod", required),
            main,
            ("go.sum", "github.com/c/d v1.0.0/go.mod h1:x=\n")
        ]),
        "go mod tidy"
    );
    assert_eq!(
        fetch(&[("go.mod", required), main, ("go.sum", hash)]),
        "go mod download"
    );
}

#[test]
fn what_is_embedded_and_not_there_is_asked_for() {
    let files = [
        ("go.mod", "module example.com/shop\n\ngo 1.22\n"),
        ("main.go", MAIN),
        (
            "web/web.go",
            "package web\n\n//go:embed all:dist static/*.css\nvar pages embed.FS\n",
        ),
        ("web/static/a.css", ""),
    ];
    let tree = MemoryTree::new(files);
    let analysis = ergon_detect::analyse(&tree);
    assert_eq!(
        analysis.questions[0].text,
        "What makes all:dist? web/web.go:3 embeds it, and it is not there."
    );
    let built = [("web/dist/index.html", "")];
    let tree = MemoryTree::new(files.into_iter().chain(built));
    assert!(ergon_detect::analyse(&tree).questions.is_empty());
}

#[test]
fn a_procfile_may_name_what_was_built_without_its_folder() {
    let files = [
        ("go.mod", "module example.com/shop\n\ngo 1.22\n"),
        ("main.go", MAIN),
        ("Procfile", "web: shop -port $PORT\n"),
    ];
    let tree = MemoryTree::new(files);
    let manifest = ergon_detect::analyse(&tree).manifest;
    assert_eq!(
        manifest.applications["shop"].run_command.as_deref(),
        Some("shop -port $PORT")
    );
    let plans = ergon_detect::plan::plan(&manifest, &tree).unwrap();
    assert!(plans[0].config.env["PATH"].starts_with("/app:"));
}

#[test]
fn an_option_says_where_it_listens() {
    for option in [
        "viper.SetDefault(\"port\", 8081)",
        "cmd.Flags().IntP(\"port\", \"p\", 8081, \"port of the server\")",
        "flag.IntVar(&settings.port, \"port\", 8081, \"port of the server\")",
    ] {
        let main = format!(
            "package main\n\nimport \"net/http\"\n\nfunc main() {{\n\t{option}\n\thttp.Serve(listener, nil)\n}}\n"
        );
        let shop = detected(&[
            ("go.mod", "module example.com/shop\n\ngo 1.22\n"),
            ("main.go", &main),
        ]);
        assert_eq!(shop.ports, [8081], "{option}");
    }
}
