//! Every command explains itself, and the guide has every command.

use clap::CommandFactory as _;
use ergon_cli::aish::Aish;
use ergon_cli::commands::Ergon;

/// Every command with the words that lead to it, those with subcommands left out.
fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
    let children: Vec<&clap::Command> = command
        .get_subcommands()
        .filter(|child| child.get_name() != "help")
        .collect();
    if children.is_empty() {
        found.push((path.to_owned(), command.clone()));
    }
    for child in children {
        leaves(child, &format!("{path} {}", child.get_name()), found);
    }
}

fn all() -> Vec<(String, clap::Command)> {
    let mut ergon = Ergon::command();
    ergon.build();
    let mut found = Vec::new();
    leaves(&ergon, "ergon", &mut found);
    found
}

#[test]
fn the_guide_has_every_command_with_an_example() {
    let guide = include_str!("../../../../docs/command-line.md");
    let missing: Vec<String> = all()
        .into_iter()
        .map(|(path, _)| path)
        .chain(
            [
                "list",
                "status",
                "team-chat",
                "inbox",
                "forward",
                "purpose",
                "whoami",
                "alias",
                "completion",
            ]
            .map(|word| format!("aish {word}")),
        )
        .filter(|path| {
            !guide
                .lines()
                .any(|line| line.trim_start().starts_with(&format!("$ {path}")))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "docs/command-line.md has no example of {missing:?}"
    );
}

#[test]
fn the_guide_has_every_option() {
    let guide = include_str!("../../../../docs/command-line.md");
    let missing: Vec<String> = all()
        .iter()
        .flat_map(|(path, command)| {
            command
                .get_arguments()
                .filter_map(|argument| argument.get_long())
                .map(move |long| format!("{path} --{long}"))
        })
        .filter(|option| {
            let long = option.rsplit(' ').next().unwrap();
            !["--help", "--version"].contains(&long) && !guide.contains(long)
        })
        .collect();
    assert!(
        missing.is_empty(),
        "docs/command-line.md does not tell of {missing:?}"
    );
}

#[test]
fn what_prints_data_can_print_json() {
    let plain = [
        "ergon companion debug",
        // It speaks a protocol of its own.
        "ergon mcp",
        "ergon token",
        "ergon ca certificate",
        "ergon ca export-key",
        "ergon ca renew",
        "ergon up",
        "ergon dockerfile",
        "ergon manifest schema",
        "ergon manifest init",
        "ergon completion",
        "ergon man",
        // They print nothing else.
        "ergon sbom",
        "ergon audit export",
        // They say that it is done.
        "ergon person password",
        "ergon person session end",
        "ergon policy put",
    ];
    for (path, command) in all() {
        let changes = [
            "remove",
            "revoke",
            "drop",
            "deregister",
            "start",
            "stop",
            "restart",
            "logs",
        ]
        .iter()
        .any(|verb| path.ends_with(&format!(" {verb}")));
        let has_json = command
            .get_arguments()
            .any(|argument| argument.get_long() == Some("json"));
        assert!(
            has_json || changes || plain.contains(&path.as_str()),
            "{path} has no --json"
        );
    }
}

#[test]
fn usage_names_the_command_whatever_its_file_is_called() {
    let error = Ergon::command()
        .try_get_matches_from(["/tmp/ergon-old", "detect", "--no-such"])
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("Usage: ergon detect"), "{said}");
}

#[test]
fn the_first_page_of_help_names_every_noun() {
    insta::assert_snapshot!(Ergon::command().term_width(100).render_help(), @"
    From a folder of source to a running, watched container

    Usage: ergon <COMMAND>

    Commands:
      up          Turn this machine into a stack, until Ctrl-C or SIGTERM
      status      Say which stack is running and what it works with
      link        Print a fresh link to sign in with a browser
      token       Print the local user's token, for programs that call the API
      detect      Say what a folder holds and where that was read; writes nothing
      dockerfile  Print the Dockerfile of a folder; writes nothing
      manifest    ergon.json: its schema, its check, its digests
      lock        Pin the bases and dependencies of a folder in ergon.lock.json, and show what moved
      build       Build a folder's images, the same bits every time; writes nothing into it
      diff        Say in what two images differ: which layer, which file, which bytes, and the likely
                  cause
      push        Build a folder and send its images to `packaging.registry`
      verify      Check an image's whole chain: content, signatures, provenance, source
      sbom        Print what is in an image: every package of its system and of its languages
      base        The images that builds start from
      cache       What earlier builds left behind for later ones
      run         Build a folder and run it, until it is healthy or says why not; writes nothing into it
      project     The source trees the stack knows
      job         What the stack is working on, and what became of it
      registry    Builds, images and manifests, and how they hang together
      solution    Finished containers, tools and configurations that others may use
      container   The containers the stack watches
      companion   The minds of projects, containers and the stack; `aish` talks to them
      message     What was said to companions, what waits for them, and what was given up
      approvals   What companions would do to their containers, if you approve
      guard-rail  What companions may do to their containers without asking you each time
      secret      What containers and build steps need and nobody else may know
      events      Print what changed, newest first; with --follow what changes from now on
      mcp         Let an agent use the stack: the Model Context Protocol on standard input and output
      person      People: who may come in, as what, with what
      policy      Policies: who may do what, why, and whether it is as it was meant
      audit       What was denied and what was changed, by whom; and whether the log of it is what it
                  was
      ca          The stack's own authority: what vouches for the stack and its companions
      doctor      Say what is unsafe in this installation and how to mend it; exit code 1 where
                  something is
      completion  Print what has a shell complete ergon and aish, names of companions included
      man         Write the manual pages of ergon, all its commands, and aish into a folder
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn aish_explains_itself_in_a_page() {
    insta::assert_snapshot!(Aish::command().term_width(100).render_help(), @r#"
    Talk to companions: the minds of your containers and projects

    Usage: aish [OPTIONS] <NAME> [MESSAGE]...

    Arguments:
      <NAME>        A companion's name in any case, or one of the words below
      [MESSAGE]...  What to say; may also come from a pipe

    Options:
          --json               Print JSON for programs instead of text for people
          --later              Where nobody is there, have it brought once somebody is
          --timeout <SECONDS>  Wait so many seconds for the answer [default: 35; of each in a team chat,
                               15]
          --explain            Wait for the explanation of a language model, also where nobody sits at a
                               terminal
          --data <DIR>         The data folder of the stack to talk to; ERGON_URL and ERGON_TOKEN name
                               another one [env: ERGON_DATA]
      -h, --help               Print help
      -V, --version            Print version

    Examples:
      aish list                           who is there; also `list type container`, `list json`
      aish status                         how everybody is
      aish fastapi-ci "how are you?"      ask one; without a message, a conversation
      aish fastapi-ci "..." --later       whoever is away has it once they are back
      aish team-chat "anyone unwell?"     ask everybody
      tail error.log | aish fastapi-ci    the message from a pipe
      aish inbox [show|count|clear]       what waits for you at this terminal
      aish inbox send NAME "..."          put something into somebody's inbox
      aish forward fastapi-ci [TERMINAL]  sit in for a companion; also `forward list`, `forward remove`
      aish purpose [NAME] ["..."]         what somebody is there for
      aish alias add web fastapi-ci       a name of your own; also `alias list`, `alias remove`
      aish whoami                         who you are to companions
      aish completion bash                have the tab key complete names
    "#);
}
