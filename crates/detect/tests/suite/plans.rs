//! From manifests to steps.

use ergon_detect::memory::MemoryTree;
use ergon_detect::plan::{ContainerPlan, PlanError, Selection, StageFiles, Step, plan};
use ergon_manifest::{Application, Container, Manifest};

/// The steps of a plan, a line each.
pub fn steps(plan: &ContainerPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for stage in &plan.stages {
        let name = stage
            .name
            .as_deref()
            .map(|name| format!(" as {name}"))
            .unwrap_or_default();
        lines.push(format!("from {}{name}", stage.base));
        lines.extend(stage.steps.iter().map(|step| match step {
            Step::CopySources {
                files: Selection::All,
                owner,
            } => format!("copy all for {owner}"),
            Step::CopySources {
                files: Selection::Only(paths),
                owner,
            } => format!("copy {} for {owner}", paths.join(" ")),
            Step::Run {
                command,
                workdir,
                network,
                ..
            } => {
                format!(
                    "run{} in {workdir}: {command}",
                    if *network { " online" } else { "" }
                )
            }
            Step::CopyStage {
                stage,
                files: StageFiles::Except(except),
                owner,
            } => format!("take {stage} for {owner} but {}", except.join(" ")),
            Step::CopyStage {
                stage,
                files: StageFiles::Only(only),
                owner,
            } => format!("take {stage} for {owner}: {}", only.join(" ")),
        }));
    }
    lines
}

/// A manifest with one application in one container, as a person would write it.
pub fn manifest(application: Application, base_image: &str) -> Manifest {
    let container = Container {
        base_image: base_image.to_owned(),
        applications: vec!["web".to_owned()],
        ..Container::default()
    };
    Manifest {
        manifest_version: "1.0".to_owned(),
        project: None,
        applications: [("web".to_owned(), application)].into(),
        containers: [("web".to_owned(), container)].into(),
        packaging: ergon_manifest::Packaging::default(),
        lifecycle: None,
        federation: None,
    }
}

pub fn application(language: &str, build_commands: &[&str]) -> Application {
    Application {
        kind: language.to_owned(),
        language: language.to_owned(),
        build_commands: build_commands
            .iter()
            .map(|command| (*command).to_owned())
            .collect(),
        run_command: Some("./run".to_owned()),
        ..Application::default()
    }
}

pub fn planned(
    application: Application,
    base_image: &str,
    files: &[(&str, &str)],
) -> ContainerPlan {
    let tree = MemoryTree::new(files.iter().copied());
    plan(&manifest(application, base_image), &tree)
        .unwrap()
        .remove(0)
}

fn python_steps(commands: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    steps(&planned(
        application("python", commands),
        "python:3.11-slim",
        files,
    ))
}

#[test]
fn the_seeds_manifest_is_planned() {
    assert_eq!(
        python_steps(
            &["pip install -r requirements.txt"],
            &[("requirements.txt", "fastapi==1"), ("main.py", "")]
        ),
        [
            "from python:3.11-slim",
            "copy requirements.txt for 65532",
            "run online in /app: pip install -r requirements.txt",
            "copy all for 65532",
        ]
    );
}

#[test]
fn included_requirements_come_along() {
    let files = [
        ("requirements.txt", "-r more/base.txt\n"),
        ("more/base.txt", "-c pins.txt\nflask\n"),
        ("more/pins.txt", "flask==3\n"),
    ];
    assert_eq!(
        python_steps(&["python -m pip install -r requirements.txt"], &files)[1],
        "copy more/base.txt more/pins.txt requirements.txt for 65532"
    );
}

#[test]
fn an_installer_that_may_read_more_gets_everything() {
    let files = [
        ("requirements.txt", "-e .\n"),
        ("other.txt", "./lib\n"),
        ("lib/x.py", ""),
        ("loop.txt", "-r loop.txt\n"),
    ];
    for command in [
        "pip install -r requirements.txt",
        "pip install -r other.txt",
        "pip install .",
        "pip install -r *.txt",
        "pip install -r missing.txt",
        "pip install -r ../up.txt",
        "pip install -r other.txt && python lib/x.py",
    ] {
        let steps = python_steps(&[command], &files);
        assert_eq!(
            steps[1..],
            [
                "copy all for 65532".to_owned(),
                format!("run online in /app: {command}")
            ],
            "{command}"
        );
    }
    assert_eq!(
        python_steps(&["pip install -r loop.txt"], &files)[1],
        "copy loop.txt for 65532"
    );
}

#[test]
fn commands_keep_their_order_and_only_installers_are_online() {
    assert_eq!(
        python_steps(
            &[
                "pip install --upgrade pip",
                "pip install -r requirements.txt",
                "python manage.py collectstatic",
                "pip install x"
            ],
            &[("requirements.txt", ""), ("manage.py", "")]
        )[1..],
        [
            "run online in /app: pip install --upgrade pip",
            "copy requirements.txt for 65532",
            "run online in /app: pip install -r requirements.txt",
            "copy all for 65532",
            "run in /app: python manage.py collectstatic",
            "run online in /app: pip install x",
        ]
    );
}

fn node_steps(command: &str, package: &str) -> Vec<String> {
    let files = [
        ("package.json", package),
        ("package-lock.json", "{}"),
        (".npmrc", ""),
        ("index.js", ""),
    ];
    steps(&planned(
        application("javascript", &[command]),
        "node:18-slim",
        &files,
    ))
}

#[test]
fn npm_reads_its_own_files() {
    assert_eq!(
        node_steps("npm ci", "{}")[1],
        "copy .npmrc package-lock.json package.json for 65532"
    );
}

#[test]
fn npm_reads_everything_where_a_package_may() {
    for package in [
        r#"{"scripts": {"postinstall": "node index.js"}}"#,
        r#"{"scripts": {"prepare": "husky"}}"#,
        r#"{"dependencies": {"x": "file:./x"}}"#,
        "not json",
    ] {
        assert_eq!(
            node_steps("npm ci", package)[1],
            "copy all for 65532",
            "{package}"
        );
    }
    let ignoring = node_steps(
        "npm ci --ignore-scripts",
        r#"{"scripts": {"postinstall": "node index.js"}}"#,
    );
    assert_eq!(
        ignoring[1],
        "copy .npmrc package-lock.json package.json for 65532"
    );
}

#[test]
fn a_link_is_not_copied_alone() {
    let tree = MemoryTree::new([("real.txt", "")]).with_link("requirements.txt", "real.txt");
    let manifest = manifest(
        application("python", &["pip install -r requirements.txt"]),
        "python:3.11-slim",
    );
    assert_eq!(
        steps(&plan(&manifest, &tree).unwrap()[0])[1],
        "copy all for 65532"
    );
}

#[test]
fn what_is_compiled_is_compiled_elsewhere() {
    let mut go = application("go", &["go mod download", "go build -o bin/web ."]);
    go.runtime = Some(ergon_manifest::Runtime {
        name: "go".to_owned(),
        version: "1.22".to_owned(),
        from: None,
    });
    let files = [
        ("go.mod", "module x\nrequire y v1.0.0\n"),
        ("go.sum", ""),
        ("main.go", ""),
    ];
    assert_eq!(
        steps(&planned(go, "debian:bookworm-slim", &files)),
        [
            "from golang:1.22-bookworm as build",
            "copy go.mod go.sum for 0",
            "run online in /app: go mod download",
            "copy all for 0",
            "run in /app: go build -o bin/web .",
            "from debian:bookworm-slim",
            "take build for 65532 but **/*.go go.mod go.sum go.work go.work.sum vendor",
        ]
    );
}

#[test]
fn a_build_fetches_what_nothing_has_fetched() {
    let build = |commands: &[&str], files: &[(&str, &str)]| {
        steps(&planned(
            application("go", commands),
            "debian:bookworm-slim",
            files,
        ))
    };
    let requires = ("go.mod", "module x\nrequire y v1.0.0\n");
    assert!(build(&["go build"], &[requires]).contains(&"run online in /app: go build".to_owned()));
    assert!(
        build(&["go build"], &[("go.mod", "module x\n")])
            .contains(&"run in /app: go build".to_owned())
    );
    assert!(
        build(&["go build"], &[requires, ("vendor/modules.txt", "")])
            .contains(&"run in /app: go build".to_owned())
    );
}

#[test]
fn a_base_that_compiles_needs_no_other_stage() {
    let plan = planned(
        application("go", &["go build"]),
        "golang:1.19-bookworm",
        &[("go.mod", "module x\n")],
    );
    assert_eq!(
        steps(&plan),
        [
            "from golang:1.19-bookworm",
            "copy all for 65532",
            "run in /app: go build"
        ]
    );
}

#[test]
fn an_unknown_language_is_built_on_its_base() {
    let plan = planned(
        application("fortran", &["make"]),
        "cobol:1",
        &[("Makefile", "")],
    );
    assert_eq!(
        steps(&plan),
        ["from cobol:1", "copy all for 65532", "run in /app: make"]
    );
    assert_eq!(plan.config.cmd, ["./run"]);
}

#[test]
fn an_application_lives_in_its_path() {
    let mut api = application("python", &["pip install -r requirements.txt", "make"]);
    api.path = Some("services/api".to_owned());
    let plan = planned(
        api,
        "python:3.11-slim",
        &[
            ("services/api/requirements.txt", ""),
            ("requirements.txt", ""),
        ],
    );
    assert_eq!(
        steps(&plan)[1..],
        [
            "copy services/api/requirements.txt for 65532",
            "run online in /app/services/api: pip install -r requirements.txt",
            "copy all for 65532",
            "run in /app/services/api: make",
        ]
    );
    assert_eq!(plan.config.workdir, "/app/services/api");
}

#[test]
fn system_packages_are_installed_first() {
    let mut web = application("python", &[]);
    web.system_packages = vec!["libpq5".to_owned(), "curl".to_owned(), "libpq5".to_owned()];
    assert_eq!(
        steps(&planned(web, "python:3.11-slim", &[("main.py", "")])),
        [
            "from python:3.11-slim",
            "run online in /: apt-get update && apt-get install -y --no-install-recommends curl libpq5 && rm -rf /var/lib/apt/lists/*",
            "copy all for 65532",
        ]
    );
}

#[test]
fn the_image_says_how_it_runs() {
    let mut web = application("python", &[]);
    web.run_command = Some("uvicorn main:app --port ${PORT:-8000}".to_owned());
    web.ports = vec![8000];
    web.volumes = vec!["/data".to_owned()];
    web.health = Some(ergon_manifest::Health {
        path: "/it's".to_owned(),
        port: None,
    });
    let config = planned(web, "python:3.11-slim", &[]).config;
    assert_eq!(config.user, "65532:65532");
    assert_eq!(
        config.cmd,
        [
            "/bin/sh",
            "-c",
            "exec uvicorn main:app --port ${PORT:-8000}"
        ]
    );
    assert_eq!(config.ports, [8000]);
    assert_eq!(config.volumes, ["/data"]);
    assert_eq!(config.env["HOME"], "/tmp");
    assert_eq!(config.env["PYTHONUNBUFFERED"], "1");
    let check = config.healthcheck.unwrap();
    assert_eq!(check[..2], ["python", "-c"]);
    assert!(check[2].contains("int(os.environ.get('PORT') or 8000), timeout=3)"));
    assert!(check[2].contains("c.request('GET', \"/it's\", headers={'Host': 'localhost'})"));
    assert_eq!(config.start_period, None);
}

#[test]
fn who_starts_slowly_is_asked_with_patience() {
    for (language, run_command) in [
        ("java", "java -jar app.jar"),
        ("python", "python manage.py migrate && gunicorn mysite.wsgi"),
    ] {
        let mut web = application(language, &[]);
        web.run_command = Some(run_command.to_owned());
        web.ports = vec![8000];
        web.health = Some(ergon_manifest::Health {
            path: "/healthz".to_owned(),
            port: None,
        });
        let plan = planned(web, "debian:bookworm-slim", &[]);
        assert_eq!(plan.config.start_period, Some(60));
        let file = ergon_detect::dockerfile::render(&plan).text;
        assert!(
            file.contains("HEALTHCHECK --start-period=60s CMD "),
            "{file}"
        );
    }
}

#[test]
fn a_program_that_reads_its_port_is_told_it() {
    let mut web = application("javascript", &[]);
    web.ports = vec![3000];
    web.env.insert(
        "PORT".to_owned(),
        ergon_manifest::EnvironmentVariable::default(),
    );
    assert_eq!(planned(web, "node:18-slim", &[]).config.env["PORT"], "3000");
}

#[test]
fn programs_in_one_container_share_its_files_but_one_is_started() {
    let mut manifest = manifest(
        application("python", &["pip install -r requirements.txt"]),
        "python:3.11-slim",
    );
    let mut assets = application("javascript", &["npm ci"]);
    assets.run_command = None;
    assets.path = Some("assets".to_owned());
    manifest.applications.insert("assets".to_owned(), assets);
    manifest
        .containers
        .get_mut("web")
        .unwrap()
        .applications
        .push("assets".to_owned());
    let tree = MemoryTree::new([("requirements.txt", ""), ("assets/package.json", "{}")]);
    assert_eq!(
        steps(&plan(&manifest, &tree).unwrap()[0])[1..],
        [
            "copy requirements.txt for 65532",
            "run online in /app: pip install -r requirements.txt",
            "copy assets/package.json for 65532",
            "run online in /app/assets: npm ci",
            "copy all for 65532",
        ]
    );

    manifest.applications.get_mut("assets").unwrap().run_command = Some("node x".to_owned());
    let error = plan(&manifest, &tree).unwrap_err();
    assert_eq!(
        error.to_string(),
        "container `web` holds several programs to start: web, assets"
    );
    assert!(
        error
            .remedy()
            .unwrap()
            .starts_with("a container starts one program: give `assets` a container each")
    );
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let tree = MemoryTree::default();
    let refused = |manifest: &Manifest| plan(manifest, &tree).unwrap_err();
    let web = || application("python", &[]);
    for base in ["", "x\nRUN y", "x AS y", "$X", "--platform=x", "x y"] {
        assert!(
            matches!(refused(&manifest(web(), base)), PlanError::BaseImage { .. }),
            "{base}"
        );
    }
    let with = |change: &dyn Fn(&mut Application)| {
        let mut one = application("go", &["go build"]);
        change(&mut one);
        refused(&manifest(one, "debian:bookworm-slim"))
    };
    assert!(matches!(
        with(&|one| one.path = Some("../x".to_owned())),
        PlanError::Path { .. }
    ));
    assert!(matches!(
        with(&|one| one.system_packages = vec!["x; y".to_owned()]),
        PlanError::SystemPackage { .. }
    ));
    let runtime = ergon_manifest::Runtime {
        name: "go".to_owned(),
        version: "1\nRUN x".to_owned(),
        from: None,
    };
    assert!(matches!(
        with(&|one| one.runtime = Some(runtime.clone())),
        PlanError::RuntimeVersion { .. }
    ));
    let mut missing = manifest(web(), "x");
    missing.applications.clear();
    assert!(matches!(
        refused(&missing),
        PlanError::NoSuchApplication { .. }
    ));
}

#[test]
fn folders_that_are_left_behind_are_left_with_all_in_them() {
    let patterns = ["**/*.go", "vendor", "a\\[b\\]/go.mod", "!x"];
    let takes = StageFiles::Except(patterns.map(str::to_owned).to_vec()).taker();
    for path in ["main.go", "x/y.go", "vendor/x/y.txt", "a[b]/go.mod", "!x"] {
        assert!(!takes(path), "{path}");
    }
    for path in ["bin/web", "go.mod", "x/vendor/y", "x"] {
        assert!(takes(path), "{path}");
    }
}

#[test]
fn only_what_the_build_leaves_is_taken_where_the_manifest_names_it() {
    let takes = StageFiles::Only(vec!["dist".to_owned(), "web/app.jar".to_owned()]).taker();
    for path in ["dist", "dist/a/b.js", "web/app.jar"] {
        assert!(takes(path), "{path}");
    }
    for path in ["distant", "src/dist", "web", "web/app.jar.original"] {
        assert!(!takes(path), "{path}");
    }
}

#[test]
fn what_a_project_says_of_itself_is_on_the_image() {
    let labels = |language: &str, file: (&str, &str)| {
        let labels = planned(application(language, &[]), "debian:bookworm-slim", &[file])
            .config
            .labels;
        let labels = labels.into_iter().map(|(name, value)| {
            let name = name.trim_start_matches("org.opencontainers.image.");
            format!("{name}: {value}")
        });
        labels.collect::<Vec<_>>()
    };
    let package = r#"{"name": "x", "version": "1.2.0", "description": "Sells", "license": "MIT",
        "repository": {"type": "git", "url": "git+https://example.com/shop.git"}}"#;
    assert_eq!(
        labels("javascript", ("package.json", package)),
        [
            "description: Sells",
            "licenses: MIT",
            "source: https://example.com/shop",
            "title: web",
            "version: 1.2.0"
        ]
    );
    let package = "[package]\nversion.workspace = true\nlicense = \"MIT OR Apache-2.0\"\n";
    assert_eq!(
        labels("rust", ("Cargo.toml", package)),
        ["licenses: MIT OR Apache-2.0", "title: web"]
    );
    let package = "[tool.poetry]\nversion = \"0.3\"\nrepository = \"https://example.com\"\n";
    assert_eq!(
        labels("python", ("pyproject.toml", package)),
        ["source: https://example.com", "title: web", "version: 0.3"]
    );
    for nothing in [
        r#"{"license": "SEE LICENSE IN x", "description": "a\nb", "version": 1}"#,
        "{",
        "[]",
    ] {
        assert_eq!(
            labels("javascript", ("package.json", nothing)),
            ["title: web"]
        );
    }
}
