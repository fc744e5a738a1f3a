//! Images: what the configuration says, and the same bits for the same inputs.

use std::collections::BTreeMap;

use ergon_oci::{ConfigChange, Error, Image, assemble};

use crate::support::{EPOCH, PLATFORM, application, base, file, layer, world};

#[test]
fn an_application_over_a_base_has_these_digests() {
    let world = world();
    let image = application(&world);
    insta::assert_snapshot!(base(&world).digest, @"sha256:207633a29dc1d23d6deea22cfeb372dc41ca12265b52022ef5301244a9f7d536");
    insta::assert_snapshot!(image.digest, @"sha256:10a2ac49dbbf062358ac64a4f38d4334c6e0e58a060c5878081cc862784f29b9");
    insta::assert_snapshot!(image.config_digest(), @"sha256:f5be6ba4fd9af2312f6acf657dedad658beabca223e66cc545b7195c911f58ec");
}

#[test]
fn the_configuration_is_the_base_with_what_was_said() {
    let world = world();
    let image = application(&world);
    let config = world.blobs.read(&image.config_digest()).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(
        ergon_manifest::canonical_json(&value).unwrap(),
        config,
        "canonical"
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
    {
      "architecture": "amd64",
      "config": {
        "Cmd": [
          "python",
          "main.py"
        ],
        "Env": [
          "LANG=C.UTF-8",
          "PATH=/usr/bin:/bin",
          "PORT=8000"
        ],
        "ExposedPorts": {
          "8000/tcp": {}
        },
        "Healthcheck": {
          "Test": [
            "CMD",
            "true"
          ]
        },
        "Labels": {
          "dev.ergon.build.hash": "sha256:0",
          "made-by": "test"
        },
        "User": "65532:65532",
        "Volumes": {
          "/data": {}
        },
        "WorkingDir": "/app"
      },
      "created": "1980-01-01T00:00:00Z",
      "history": [
        {
          "created": "1980-01-01T00:00:00Z",
          "created_by": "rootfs"
        },
        {
          "created": "1980-01-01T00:00:00Z",
          "created_by": "motd"
        },
        {
          "created": "1980-01-01T00:00:00Z",
          "created_by": "COPY . /app"
        }
      ],
      "os": "linux",
      "rootfs": {
        "diff_ids": [
          "sha256:f69e148ab8437eb0dadd6225e61ce382a2b082e15a4724bdc29c13e79ae3df8e",
          "sha256:f910c72bcffe58f79bcdc743e100bfb6c4219e98feabfe6b252513323ba7ceb6",
          "sha256:21d71b28361027a580b0e5f5e3117a8f16c93e05acbbde81ef8455b8062c9091"
        ],
        "type": "layers"
      }
    }
    "#);
}

#[test]
fn the_manifest_names_the_layers_of_the_base_as_the_base_does() {
    let world = world();
    let image = application(&world);
    let below = base(&world);
    assert_eq!(image.layers()[..2], *below.layers());
    let manifest: serde_json::Value =
        serde_json::from_slice(&world.blobs.read(&image.digest).unwrap()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&manifest).unwrap(), @r#"
    {
      "annotations": {
        "dev.ergon.build.hash": "sha256:0"
      },
      "config": {
        "digest": "sha256:f5be6ba4fd9af2312f6acf657dedad658beabca223e66cc545b7195c911f58ec",
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "size": 807
      },
      "layers": [
        {
          "digest": "sha256:1077823969488cb2ceca300b758a42f03e3426065236b3ec02a2db1b2e584529",
          "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
          "size": 156
        },
        {
          "digest": "sha256:dfd4ce3220d390e568ff12e2e84f48b66284b0d87eeabed55862b20bb409f287",
          "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
          "size": 128
        },
        {
          "digest": "sha256:29e0e085017cf9a471d77d4d9f170f657c191d52c7d25002b5fecf031102966a",
          "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
          "size": 140
        }
      ],
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "schemaVersion": 2
    }
    "#);
}

/// A base as Docker's registries serve it: other media types, nulls, fields of its own.
#[test]
fn a_base_in_dockers_dialect_becomes_oci() {
    let world = world();
    let own = layer(&world, vec![file("a", "a")]);
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "docker_version": "20.10", "container": "abc",
        "config": {
            "Hostname": "h", "Env": ["PATH=/bin"], "Cmd": null, "Volumes": null, "Labels": null, "Entrypoint": ["/e"],
            "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30_000_000_000_u64}, "Shell": ["/bin/bash", "-c"],
            "OnBuild": null, "StopSignal": "SIGQUIT"
        },
        "rootfs": {"type": "layers", "diff_ids": [own.diff_id]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "ADD"}, {"created_by": "CMD", "empty_layer": true}]
    });
    let config_bytes = serde_json::to_vec(&config).unwrap();
    let config_digest = world.blobs.put(&config_bytes).unwrap();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config_bytes.len(), "digest": config_digest},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": own.size, "digest": own.digest}]
    });
    let digest = world
        .blobs
        .put(&serde_json::to_vec(&manifest).unwrap())
        .unwrap();
    let below = Image::load(&world.blobs, &digest).unwrap();
    let image = assemble(
        Some(&below),
        &[],
        &ConfigChange::default(),
        EPOCH,
        PLATFORM,
        &world.blobs,
    )
    .unwrap();

    assert_eq!(
        image.layers()[0].media_type,
        "application/vnd.oci.image.layer.v1.tar+gzip"
    );
    assert_eq!(
        (image.layers()[0].digest, image.layers()[0].size),
        (own.digest, own.size)
    );
    insta::assert_json_snapshot!(image.config, @r#"
    {
      "created": "1980-01-01T00:00:00Z",
      "architecture": "amd64",
      "os": "linux",
      "config": {
        "Env": [
          "PATH=/bin"
        ],
        "Entrypoint": [
          "/e"
        ],
        "Healthcheck": {
          "Test": [
            "CMD-SHELL",
            "true"
          ],
          "Interval": 30000000000
        },
        "StopSignal": "SIGQUIT",
        "Shell": [
          "/bin/bash",
          "-c"
        ]
      },
      "rootfs": {
        "type": "layers",
        "diff_ids": [
          "sha256:a084e754504c59b263ec4ea2a01ed90a8ca0f4d4637e76998c0a9d22109361f4"
        ]
      },
      "history": [
        {
          "created": "2020-01-01T00:00:00Z",
          "created_by": "ADD"
        },
        {
          "created_by": "CMD",
          "empty_layer": true
        }
      ]
    }
    "#);
}

#[test]
fn a_command_resets_what_the_base_would_put_in_front_of_it() {
    let world = world();
    let below = base(&world);
    let over = |change: ConfigChange| {
        let image = assemble(Some(&below), &[], &change, EPOCH, PLATFORM, &world.blobs).unwrap();
        (image.config.config.entrypoint, image.config.config.cmd)
    };
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        over(ConfigChange::default()),
        (words("/entry"), words("python3"))
    );
    let cmd = Some(words("serve now"));
    assert_eq!(
        over(ConfigChange {
            cmd: cmd.clone(),
            ..ConfigChange::default()
        }),
        (words(""), words("serve now"))
    );
    let entrypoint = Some(words("/other"));
    assert_eq!(
        over(ConfigChange {
            entrypoint: entrypoint.clone(),
            ..ConfigChange::default()
        }),
        (words("/other"), words(""))
    );
    assert_eq!(
        over(ConfigChange {
            entrypoint,
            cmd,
            ..ConfigChange::default()
        }),
        (words("/other"), words("serve now"))
    );
}

#[test]
fn a_base_without_a_history_gets_one_that_fits_its_layers() {
    let world = world();
    let mut below = base(&world);
    below.config.history.clear();
    let own = (layer(&world, vec![file("a", "a")]), "COPY".to_owned());
    let image = assemble(
        Some(&below),
        &[own],
        &ConfigChange::default(),
        EPOCH,
        PLATFORM,
        &world.blobs,
    )
    .unwrap();
    let told: Vec<_> = image
        .config
        .history
        .iter()
        .map(|entry| entry.created_by.as_deref().unwrap())
        .collect();
    assert_eq!(told, ["unknown", "unknown", "COPY"]);
}

#[test]
fn every_input_changes_the_digest_and_order_does_not() {
    let world = world();
    let below = base(&world);
    let digest = |change: &ConfigChange, epoch| {
        assemble(Some(&below), &[], change, epoch, PLATFORM, &world.blobs)
            .unwrap()
            .digest
    };
    let one = |name: &str| BTreeMap::from([(name.to_owned(), "1".to_owned())]);
    let plain = digest(&ConfigChange::default(), EPOCH);
    let changes = [
        ConfigChange {
            user: Some("1".to_owned()),
            ..ConfigChange::default()
        },
        ConfigChange {
            workdir: Some("/x".to_owned()),
            ..ConfigChange::default()
        },
        ConfigChange {
            env: one("A"),
            ..ConfigChange::default()
        },
        ConfigChange {
            labels: one("A"),
            ..ConfigChange::default()
        },
        ConfigChange {
            annotations: one("A"),
            ..ConfigChange::default()
        },
        ConfigChange {
            ports: vec![1],
            ..ConfigChange::default()
        },
        ConfigChange {
            volumes: vec!["/x".to_owned()],
            ..ConfigChange::default()
        },
        ConfigChange {
            stop_signal: Some("SIGINT".to_owned()),
            ..ConfigChange::default()
        },
    ];
    let mut seen: Vec<_> = changes.iter().map(|change| digest(change, EPOCH)).collect();
    seen.extend([plain, digest(&ConfigChange::default(), EPOCH + 1)]);
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
    let ports = |ports: &[u16]| {
        digest(
            &ConfigChange {
                ports: ports.to_vec(),
                ..ConfigChange::default()
            },
            EPOCH,
        )
    };
    assert_eq!(ports(&[80, 8000]), ports(&[8000, 80]));
    assert_eq!(plain, digest(&ConfigChange::default(), EPOCH));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let world = world();
    let below = base(&world);
    let assembled = |platform: &str, epoch| {
        assemble(
            Some(&below),
            &[],
            &ConfigChange::default(),
            epoch,
            platform,
            &world.blobs,
        )
        .unwrap_err()
        .to_string()
    };
    let said = [
        assembled("linux/arm64", 0),
        assembled("linux", 0),
        assembled(PLATFORM, u64::MAX),
    ]
    .join("\n");
    let said = said.replace(&below.digest.hex(), "…");
    insta::assert_snapshot!(said, @r"
    the base sha256:… is not valid: it is for linux/amd64, and linux/arm64 is wanted
    the platform `linux` is not valid: expected one like linux/amd64
    the epoch 18446744073709551615 is not valid: it is after the year 9999
    ");

    std::fs::write(world.blobs.path(&below.digest), "{}").unwrap();
    assert!(matches!(
        Image::load(&world.blobs, &below.digest),
        Err(Error::DamagedBlob { .. })
    ));
}

#[test]
fn a_manifest_and_a_configuration_must_agree() {
    let world = world();
    let image = base(&world);
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&world.blobs.read(&image.digest).unwrap()).unwrap();
    manifest["layers"].as_array_mut().unwrap().pop();
    let digest = world
        .blobs
        .put(&serde_json::to_vec(&manifest).unwrap())
        .unwrap();
    let said = Image::load(&world.blobs, &digest)
        .unwrap_err()
        .to_string()
        .replace(&digest.hex(), "…");
    insta::assert_snapshot!(said, @"the image sha256:… is not valid: its manifest has 1 layers and its configuration 2");
}
