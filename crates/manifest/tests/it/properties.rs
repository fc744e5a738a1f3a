//! What holds for every manifest and every text.

use std::collections::BTreeMap;

use ergon_manifest::{
    Application, Container, Document, EnvironmentVariable, Health, Manifest, NamedEpoch, Packaging,
    Project, Runtime, SecretTime, SecretUse, SourceDateEpoch, Tagging, Tier, check, json_schema,
    to_pretty_json,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::{option, sample};
use serde_json::Value;

use crate::SEED_EXAMPLE;
use crate::schema::misfit;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{1,8}"
}

fn line() -> impl Strategy<Value = String> {
    "[!-~é🐳][ -~é🐳]{0,12}"
}

fn ports() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::btree_set(1..=u16::MAX, 0..3)
        .prop_map(|ports| ports.into_iter().collect())
}

fn variable() -> impl Strategy<Value = EnvironmentVariable> {
    (any::<bool>(), option::of("[^\0]{0,8}"), option::of(line())).prop_map(
        |(required, default, from)| EnvironmentVariable {
            required,
            default,
            from,
        },
    )
}

fn secret() -> impl Strategy<Value = SecretUse> {
    let times = [SecretTime::Run, SecretTime::Build, SecretTime::Both];
    (
        option::of(sample::select(times.to_vec())),
        option::of("[A-Z_]{1,4}"),
    )
        .prop_map(|(during, env)| SecretUse { during, env })
}

fn application() -> impl Strategy<Value = Application> {
    let path = || option::of("[a-zé]{1,5}(/[a-z]{1,3}\\.py)?");
    (
        (line(), line(), path(), path(), path()),
        vec(line(), 0..3),
        option::of(line()),
        option::of((line(), line(), option::of(line()))),
        ports(),
        btree_map("[A-Z_][A-Z0-9_]{0,5}", variable(), 0..3),
        option::of(("/[a-z]{0,5}", option::of(1..=u16::MAX))),
        sample::subsequence(vec!["/data", "/var/lib/x"], 0..=2),
        btree_map("[a-z]{1,4}(-[0-9a-z]{1,3})?", secret(), 0..2),
    )
        .prop_map(
            |(
                texts,
                build_commands,
                run_command,
                runtime,
                ports,
                env,
                health,
                volumes,
                secrets,
            )| {
                let (kind, language, path, entrypoint, dependencies) = texts;
                Application {
                    kind,
                    language,
                    path,
                    entrypoint,
                    dependencies,
                    build_commands,
                    run_command,
                    runtime: runtime.map(|(name, version, from)| Runtime {
                        name,
                        version,
                        from,
                    }),
                    package_manager: None,
                    ports,
                    env,
                    secrets,
                    system_packages: vec!["libpq5".to_owned()],
                    services: vec!["redis".to_owned()],
                    health: health.map(|(path, port)| Health { path, port }),
                    artifacts: vec!["dist".to_owned(), "target/web.jar".to_owned()],
                    volumes: volumes.into_iter().map(str::to_owned).collect(),
                }
            },
        )
}

fn packaging() -> impl Strategy<Value = Packaging> {
    let epoch = prop_oneof![
        any::<u32>().prop_map(SourceDateEpoch::Seconds),
        Just(SourceDateEpoch::Named(NamedEpoch::Commit)),
    ];
    let tagging = sample::select(vec![Tagging::GitSha, Tagging::BuildHash]);
    let platforms = sample::subsequence(vec!["linux/amd64", "linux/arm64", "linux/arm/v7"], 0..=3);
    (option::of(epoch), option::of(tagging), platforms).prop_map(
        |(source_date_epoch, tagging, platforms)| Packaging {
            build_order: Vec::new(),
            registry: Some("docker.io/company".to_owned()),
            tagging,
            source_date_epoch,
            platforms: platforms
                .into_iter()
                .map(|platform| platform.parse().unwrap())
                .collect(),
        },
    )
}

/// Any valid manifest: each container depends on some of those before it.
fn manifest() -> impl Strategy<Value = Manifest> {
    let tier = sample::select(vec![
        Tier::Database,
        Tier::Backend,
        Tier::Middleware,
        Tier::Frontend,
    ]);
    let container = (name(), ports(), option::of(tier), any::<sample::Index>());
    let project = option::of((line(), option::of("[a-z.]{1,9}/[a-z]{1,9}")));
    let applications = btree_map(name(), application(), 0..3);
    let containers = vec(container, 1..5);
    (project, applications, containers, packaging()).prop_map(
        |(project, applications, drafts, packaging)| {
            let mut containers: BTreeMap<String, Container> = BTreeMap::new();
            for (index, (name, ports, tier, dependency)) in drafts.into_iter().enumerate() {
                let before: Vec<_> = containers.keys().cloned().collect();
                let depends_on = if before.is_empty() {
                    vec![]
                } else {
                    vec![dependency.get(&before).clone()]
                };
                containers.entry(name).or_insert(Container {
                    base_image: "python:3.11-slim".to_owned(),
                    applications: if index == 0 {
                        applications.keys().cloned().collect()
                    } else {
                        vec![]
                    },
                    ports,
                    tier,
                    depends_on,
                    ..Container::default()
                });
            }
            let project = project.map(|(name, repository)| Project { name, repository });
            Manifest {
                project,
                applications,
                containers,
                packaging,
                ..Manifest::default()
            }
        },
    )
}

/// `value` as JSON with its keys in an order and with white space that `seed` decides.
fn written(value: &Value, seed: &mut u64) -> String {
    let space = |seed: &mut u64| {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ["", " ", "\n", "\t ", "\r\n"][(*seed >> 33) as usize % 5]
    };
    let inner = match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            let turn = space(seed).len() % fields.len().max(1);
            fields.rotate_left(turn);
            if turn % 2 == 0 {
                fields.reverse();
            }
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| {
                    format!("{}:{}", Value::from(name.as_str()), written(value, seed))
                })
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| written(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    };
    format!("{}{inner}{}", space(seed), space(seed))
}

/// The pointers to everything in `value` that has no parts.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| {
                leaves(value, &format!("{pointer}/{}", escaped(name)), found);
            });
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| leaves(value, &format!("{pointer}/{index}"), found));
        }
        _ => found.push(pointer.to_owned()),
    }
}

proptest! {
    #[test]
    fn a_valid_manifest_survives_being_written_and_read(manifest in manifest()) {
        let read = check(&to_pretty_json(&manifest)).map_err(|found| TestCaseError::fail(format!("{found:#?}")))?;
        prop_assert_eq!(&read, &Document::from_manifest(manifest));
        let typed: Manifest = serde_json::from_value(read.value).unwrap();
        prop_assert_eq!(typed, read.manifest);
    }

    #[test]
    fn a_valid_manifest_fits_the_schema(manifest in manifest()) {
        let schema = json_schema();
        let value = Document::from_manifest(manifest).value;
        prop_assert_eq!(misfit(&value, &schema, &schema), None);
    }

    #[test]
    fn key_order_and_white_space_never_change_the_digest(manifest in manifest(), mut seed in any::<u64>()) {
        let document = Document::from_manifest(manifest);
        let again = check(&written(&document.value, &mut seed)).unwrap();
        prop_assert_eq!(again.digest(), document.digest());
    }

    #[test]
    fn any_change_of_a_value_changes_the_digest(manifest in manifest(), index in any::<sample::Index>()) {
        let mut document = Document::from_manifest(manifest);
        let before = document.digest();
        let mut pointers = Vec::new();
        leaves(&document.value, "", &mut pointers);
        let leaf = document.value.pointer_mut(&pointers[index.index(pointers.len())]).unwrap();
        *leaf = match &leaf {
            Value::String(text) => Value::from(format!("{text}x")),
            Value::Number(number) => Value::from(number.as_u64().unwrap() ^ 1),
            Value::Bool(value) => Value::from(!*value),
            other => Value::from(vec![(*other).clone()]),
        };
        prop_assert_ne!(document.digest(), before);
    }

    #[test]
    fn every_container_is_built_once_and_after_what_it_depends_on(manifest in manifest()) {
        let order = manifest.build_order();
        prop_assert_eq!(order.len(), manifest.containers.len());
        let place = |name: &str| order.iter().position(|other| *other == name).unwrap();
        for (name, container) in &manifest.containers {
            for dependency in &container.depends_on {
                prop_assert!(place(dependency) < place(name));
            }
        }
    }

    #[test]
    fn no_text_makes_check_panic(text in any::<String>()) {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn no_text_of_json_makes_check_panic(text in "[\\[\\]{}\",:0-9.eE \\\\'/*nulltrue\u{a0}é\n-]{0,40}") {
        prop_assert!(check(&text).is_err());
    }

    /// A manifest with one part cut out or replaced is accepted, or refused with places inside the text;
    /// and what is accepted is JSON for everybody else too.
    #[test]
    fn no_damaged_manifest_makes_check_panic(
        start in any::<sample::Index>(),
        length in 0_usize..40,
        insert in "[\\[\\]{}\",:0-9a-z. \\\\éü\u{1f433}\n-]{0,6}",
    ) {
        let whole: Vec<char> = SEED_EXAMPLE.chars().collect();
        let start = start.index(whole.len());
        let end = (start + length).min(whole.len());
        let text: String = whole[..start].iter().copied().chain(insert.chars()).chain(whole[end..].iter().copied()).collect();
        match check(&text) {
            Ok(document) => prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document.value),
            Err(diagnostics) => {
                prop_assert!(!diagnostics.is_empty());
                for found in diagnostics {
                    prop_assert!(text.get(found.span.clone()).is_some(), "{:?}", found);
                    prop_assert!(found.line >= 1 && found.column >= 1);
                    prop_assert!(!found.message.chars().any(char::is_control), "{:?}", found);
                }
            }
        }
    }
}
