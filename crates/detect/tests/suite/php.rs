//! PHP programs.

use ergon_detect::analysis::Topic;
use ergon_detect::memory::MemoryTree;
use insta::assert_snapshot;

use crate::{detected, report, run_command};

fn dockerfile(files: &[(&str, &str)]) -> String {
    let tree = MemoryTree::new(files.iter().copied());
    let analysis = ergon_detect::analyse(&tree);
    let plans = ergon_detect::plan::plan(&analysis.manifest, &tree).unwrap();
    ergon_detect::dockerfile::render(&plans[0]).text
}

fn required(php: &str) -> String {
    format!("{{\n  \"name\": \"acme/shop\",\n  \"require\": {{ {php} }}\n}}\n")
}

#[test]
fn pages_are_served_by_apache() {
    assert_snapshot!(dockerfile(&[("index.php", "<?php echo getenv('A') ?: 'a';")]), @r#"
    # Written by Ergon from the project's manifest; write it again with `ergon dockerfile`.

    FROM php:8.2-apache
    RUN echo "Listen \${PORT}" > /etc/apache2/ports.conf && printf '%s\n' 'ServerName localhost' '<VirtualHost *>' '  DocumentRoot "/app"' '  php_flag display_errors off' '  RedirectMatch 404 "/\.(?!well-known)"' '  <Directory "/app">' '    Options -Indexes +FollowSymLinks' '    AllowOverride All' '    Require all granted' '  </Directory>' '</VirtualHost>' > /etc/apache2/sites-available/000-default.conf && a2enmod -q rewrite
    COPY --chown=65532:65532 [".", "/app/"]

    WORKDIR /app
    ENV HOME="/tmp" \
        PORT="8080"
    LABEL org.opencontainers.image.title="app"
    USER 65532:65532
    EXPOSE 8080
    HEALTHCHECK CMD ["php", "-r", "exit(@file_get_contents('http://127.0.0.1:' . (getenv('PORT') ?: '8080') . '/', false, stream_context_create(['http' => ['header' => 'Host: localhost', 'follow_location' => 0, 'timeout' => 3]])) === false ? 1 : 0);"]
    ENTRYPOINT []
    CMD ["apache2-foreground"]
    "#);
}

#[test]
fn a_locked_slim_program() {
    let tree = MemoryTree::new([
        (
            "composer.json",
            required("\"php\": \"^8.1\", \"slim/slim\": \"^4.12\", \"ext-redis\": \"*\""),
        ),
        (
            "composer.lock",
            concat!(
                "{\n    \"packages\": [\n        {\n            \"name\": \"slim/slim\",\n",
                "            \"version\": \"4.12.0\",\n            \"require\": {\n",
                "                \"ext-bcmath\": \"*\",\n                \"php\": \"^8.2\"\n            }\n",
                "        }\n    ],\n    \"packages-dev\": [\n        {\n            \"require\": {\n",
                "                \"ext-gmp\": \"*\"\n            }\n        }\n    ]\n}\n",
            )
            .to_owned(),
        ),
        (
            "public/index.php",
            "<?php\n$app->get('/health', fn () => 1);\n$level = $_ENV['LEVEL'] ?? 'info';\n".to_owned(),
        ),
    ]);
    assert_snapshot!(report(&tree), @r#"
    shop · a web service in PHP 8.2
    language: PHP [composer.json, certain]
    framework: Slim 4.12 [composer.json:3, certain]
    runtime: PHP 8.2 [composer.json:3, likely] (composer.json:3 says ^8.1)
    package_manager: Composer [composer.json, certain]
    dependencies: 1 package [composer.json, certain]
    lock: locked [composer.lock, certain] (it has every package that composer.json requires)
    build_command: docker-php-ext-install bcmath && pecl install redis && docker-php-ext-enable redis [composer.json:3, likely] (extensions that the image does not have)
    build_command: echo "Listen \${PORT}" > /etc/apache2/ports.conf && printf '%s\n' 'ServerName localhost' '<VirtualHost *>' '  DocumentRoot "/app/public"' '  php_flag display_errors off' '  RedirectMatch 404 "/\.(?!well-known)"' '  <Directory "/app/public">' '    Options -Indexes +FollowSymLinks' '    AllowOverride All' '    Require all granted' '    FallbackResource /index.php' '  </Directory>' '</VirtualHost>' > /etc/apache2/sites-available/000-default.conf && a2enmod -q rewrite [composer.json, likely] (Apache listens on PORT and serves this folder)
    build_command: composer install --no-dev --no-interaction --no-progress --prefer-dist --no-scripts --no-autoloader --ignore-platform-reqs [composer.lock, certain] (Composer's image has another PHP; the program's own looks again when it starts)
    build_command: composer dump-autoload --no-dev --optimize --no-interaction [composer.json, likely] (lists the classes once, not with every request)
    run_command: apache2-foreground [public/index.php, likely] (Apache serves public)
    port: 8080 [-, assumed] (where PORT is not set; the container's own choice)
    environment: LEVEL [public/index.php:3, certain] (default "info")
    health: GET /health [public/index.php:2, likely]
    service: Redis [composer.json:3, likely] (ext-redis in composer.json:3)
    system_package: PHP's extension redis [composer.json:3, likely] (composer.json requires it)
    system_package: PHP's extension bcmath [composer.lock:7, likely] (a locked package requires it)
    pinned: yes [composer.lock, certain] (composer.lock pins every package)
    "#);
}

#[test]
fn composer_has_a_stage_of_its_own() {
    let lock = "{\"packages\": [{\"name\": \"monolog/monolog\"}]}";
    let text = dockerfile(&[
        (
            "composer.json",
            &required("\"monolog/monolog\": \"^3\", \"ext-zip\": \"*\""),
        ),
        ("composer.lock", lock),
        ("web/index.php", ""),
        ("package.json", "{\"scripts\": {\"build\": \"vite build\"}}"),
    ]);
    let steps: Vec<_> = text
        .lines()
        .filter(|line| {
            line.starts_with("FROM") || line.starts_with("RUN") || line.starts_with("COPY")
        })
        .map(|line| line.split(" && printf").next().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "FROM composer:2 AS build",
            r#"COPY ["composer.json", "composer.lock", "/app/"]"#,
            "RUN composer install --no-dev --no-interaction --no-progress --prefer-dist --no-scripts --no-autoloader --ignore-platform-reqs",
            "RUN apk add --no-cache nodejs npm",
            r#"COPY ["package.json", "/app/"]"#,
            "RUN npm install",
            r#"COPY [".", "/app/"]"#,
            "RUN npm run build",
            "RUN composer dump-autoload --no-dev --optimize --no-interaction",
            r"RUN find /app \( -path /app/node_modules \) -prune -exec rm -rf {} +",
            "FROM php:8.2-apache",
            "RUN apt-get update && apt-get install -y --no-install-recommends libzip-dev && docker-php-ext-install zip && rm -rf /var/lib/apt/lists/*",
            r#"RUN echo "Listen \${PORT}" > /etc/apache2/ports.conf"#,
            r#"COPY --from=build --chown=65532:65532 ["/app", "/app"]"#,
        ]
    );
}

#[test]
fn without_a_lock_packages_are_chosen_for_the_version_that_runs_them() {
    let found = detected(&[
        (
            "composer.json",
            &required("\"php\": \"^8.3\", \"slim/slim\": \"^4\""),
        ),
        ("public/index.php", ""),
    ]);
    assert_eq!(
        found.build_commands[1],
        "composer config platform.php 8.3 && composer install --no-dev --no-interaction --no-progress \
         --prefer-dist --no-scripts --no-autoloader '--ignore-platform-req=ext-*'"
    );
}

#[test]
fn the_version_is_the_one_that_a_file_says() {
    let said = |files: &[(&str, &str)]| {
        let mut all = vec![("index.php", "")];
        all.extend(files);
        let runtime = detected(&all).runtime.unwrap();
        format!("{} {}", runtime.version, runtime.from.unwrap())
    };
    let composer = required("\"php\": \"^8.1\"");
    assert_eq!(
        said(&[(".php-version", "8.3\n"), ("composer.json", &composer)]),
        "8.3 .php-version:1"
    );
    assert_eq!(
        said(&[(".tool-versions", "php 8.3.4\n")]),
        "8.3.4 .tool-versions:1"
    );
    assert_eq!(
        said(&[(
            "composer.json",
            "{\"config\": {\"platform\": {\"php\": \"8.1.10\"}}}"
        )]),
        "8.1.10 composer.json:1"
    );
    assert_eq!(said(&[("composer.json", &composer)]), "8.2 composer.json:3");
    assert_eq!(
        said(&[("composer.json", &required("\"php\": \"^8.3\""))]),
        "8.3 composer.json:3"
    );
    assert_eq!(said(&[]), "8.2 assumed");
}

#[test]
fn a_lock_without_a_required_package_is_stale() {
    let files = |lock| {
        MemoryTree::new([
            ("composer.json", required("\"slim/slim\": \"^4\"")),
            ("composer.lock", String::from(lock)),
            ("index.php", String::new()),
        ])
    };
    assert!(report(&files("{\"packages\": []}")).contains("lock: stale"));
    assert!(report(&files("{\"packages\": [{\"name\": \"slim/slim\"}]}")).contains("lock: locked"));
}

#[test]
fn laravel_and_its_database() {
    let found = detected(&[
        (
            "composer.json",
            &required("\"laravel/framework\": \"^11.0\""),
        ),
        ("artisan", "#!/usr/bin/env php\n"),
        ("public/index.php", ""),
        (
            "bootstrap/app.php",
            "<?php\nreturn Application::configure()->withRouting(\n    health: '/up',\n);\n",
        ),
        (
            "config/app.php",
            "<?php\nreturn ['key' => env('APP_KEY'), 'env' => env('APP_ENV', 'production')];\n",
        ),
        (".env.example", "DB_CONNECTION=pgsql\nCACHE_STORE=redis\n"),
        ("storage/app/.gitignore", "*\n"),
    ]);
    assert_eq!(found.kind, "laravel");
    assert_eq!(found.services, ["postgresql", "redis"]);
    assert_eq!(found.health.unwrap().path, "/up");
    assert_eq!(found.volumes, ["/app/storage/app"]);
    assert!(found.env["APP_KEY"].required);
    assert_eq!(
        found.build_commands[0],
        "apt-get update && apt-get install -y --no-install-recommends libpq-dev && \
         docker-php-ext-install pdo_pgsql && pecl install redis && docker-php-ext-enable redis && \
         rm -rf /var/lib/apt/lists/*"
    );
}

#[test]
fn frameworks_are_known_by_their_package_or_files() {
    let kind = |package: &str| {
        let composer = required(&format!("\"{package}\": \"*\""));
        detected(&[
            ("composer.json", composer.as_str()),
            ("public/index.php", ""),
        ])
        .kind
    };
    assert_eq!(kind("symfony/framework-bundle"), "symfony");
    assert_eq!(kind("laravel/lumen-framework"), "lumen");
    assert_eq!(kind("cakephp/cakephp"), "cakephp");
    assert_eq!(kind("codeigniter4/framework"), "codeigniter");
    assert_eq!(kind("acme/library"), "php");
    let wordpress = detected(&[("index.php", ""), ("wp-includes/version.php", "")]);
    assert_eq!(wordpress.kind, "wordpress");
    assert_eq!(wordpress.services, ["mysql"]);
}

#[test]
fn extensions_that_code_uses_are_there() {
    let found = detected(&[(
        "index.php",
        "<?php\n$db = new PDO('mysql:host=db;dbname=x');\n",
    )]);
    assert_eq!(found.build_commands[0], "docker-php-ext-install pdo_mysql");
    assert_eq!(found.services, ["mysql"]);
}

#[test]
fn a_program_for_the_command_line() {
    assert_eq!(
        run_command(&[
            ("composer.json", "{}"),
            ("bin/greet", "#!/usr/bin/env php\n<?php\n")
        ]),
        "php bin/greet"
    );
    let found = detected(&[(
        "server.php",
        "<?php\n$socket = new SocketServer('0.0.0.0:8081');\n",
    )]);
    assert_eq!(found.run_command.as_deref(), Some("php server.php"));
    assert_eq!(found.ports, [8081]);
}

#[test]
fn variables_are_read_in_every_way() {
    let code = concat!(
        "<?php\n$a = getenv('A') ?: 'a';\n$b = getenv('B');\n$c = env('C', 3);\n$d = $_ENV['D'] ?? 'd';\n",
        "$e = $_ENV['E'];\n$_ENV['WRITTEN'] = 1;\n// getenv('COMMENT')\n$f = env('F', 'x-'.$a);\n",
        "$g = $_SERVER['REQUEST_URI'] ?? '/';\n$h = $this->env('NOT');\n",
    );
    let mut env = detected(&[("index.php", code)]).env;
    env.remove("PORT");
    let said: Vec<_> = env
        .iter()
        .map(|(name, one)| format!("{name} {:?}", one.default))
        .collect();
    assert_eq!(
        said,
        [
            "A Some(\"a\")",
            "B None",
            "C Some(\"3\")",
            "D Some(\"d\")",
            "E None",
            "F None"
        ]
    );
}

#[test]
fn one_stray_script_does_not_make_a_project_php() {
    let found = detected(&[("main.py", "print(1)"), ("tool.php", "<?php\n")]);
    assert_eq!(found.language, "python");
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[\"'{}()\\[\\]$%=>?:.,/#\\n a-zé0-9|^~]{0,200}") {
        let lock = format!("{{\n\"packages\": [{{\"name\": \"a/b\",\n{text}");
        let range = text.replace(['"', '\\', '\n'], "");
        let composer = format!("{{\"require\": {{\"php\": \"{range}\", \"laravel/framework\": \"{range}\"}}}}");
        let code = format!("<?php getenv{text} $_ENV[{text} 0.0.0.0{text} %env({text} health:{text} ->get{text}");
        let tree = MemoryTree::new([
            ("composer.json", composer.as_str()),
            ("composer.lock", lock.as_str()),
            (".php-version", text.as_str()),
            (".env", text.as_str()),
            ("bootstrap/app.php", code.as_str()),
            ("index.php", code.as_str()),
        ]);
        ergon_detect::analyse(&tree);
    }
}

#[test]
fn a_script_that_only_a_platform_has_starts_the_same_server() {
    let tree = MemoryTree::new([
        ("composer.json", "{}"),
        ("Procfile", "web: vendor/bin/heroku-php-apache2 web/\n"),
        ("web/index.php", ""),
    ]);
    let analysis = ergon_detect::analyse(&tree);
    let fact = analysis
        .facts
        .iter()
        .find(|fact| fact.topic == Topic::RunCommand)
        .unwrap();
    assert_eq!(fact.value, "apache2-foreground");
    assert_eq!(fact.over[0].from, "Procfile:1");
}

#[test]
fn assets_are_built_with_a_manager_of_one_version() {
    let lock = ("pnpm-lock.yaml", "lockfileVersion: '6.0'\n");
    let package = r#"{"scripts": {"build": "vite build"}}"#;
    let found = detected(&[
        ("composer.json", "{}"),
        ("index.php", ""),
        ("package.json", package),
        lock,
    ]);
    let commands: Vec<_> = found
        .build_commands
        .iter()
        .filter(|one| one.contains("pnpm"))
        .collect();
    assert_eq!(
        commands,
        [
            "npm install --global pnpm@8",
            "pnpm install --frozen-lockfile",
            "pnpm run build"
        ]
    );
}

#[test]
fn pages_of_documentation_beside_a_program_are_no_second_one() {
    let package = r#"{"scripts": {"build": "vite build", "docs:build": "vitepress build docs"}, "devDependencies": {"vite": "7", "vitepress": "1"}}"#;
    let tree = MemoryTree::new([
        (
            "composer.json",
            r#"{"require": {"laravel/framework": "^12.0"}}"#,
        ),
        ("artisan", ""),
        ("public/index.php", "<?php"),
        ("package.json", package),
        ("docs/.vitepress/config.ts", ""),
    ]);
    let asked = ergon_detect::analyse(&tree).questions;
    assert!(
        asked
            .iter()
            .all(|asked| !asked.text.contains("A Node program"))
    );
}
