//! Sites of files: HTML that is served as it lies there, or that a generator makes of pages.

mod generator;
mod of_python;
mod root;
mod secrets;

use ergon_manifest::Application;

use self::generator::Generated;
use self::root::Root;
use super::{Ecosystem, Found, Packed, Packing, Port, Report, Strength, Toolchain};
use crate::analysis::Topic;
use crate::members::is_marked;
use crate::sources::Sources;
use crate::web_server;

pub const ECOSYSTEM: Ecosystem = Ecosystem {
    name: "Static",
    languages: &["static", "html"],
    looks_for: "a static site: index.html, Staticfile, static.json, or a site generator's settings",
    markers: &["Staticfile", "static.json"],
    detect,
    droppings: &[],
    packing,
};

fn packing(program: &Packed<'_>) -> Packing {
    // What is not to be in the image is left behind in a stage of its own.
    let left_behind = || {
        (!program.application.artifacts.is_empty()).then(|| Toolchain {
            image: program.base_image.to_owned(),
            env: Vec::new(),
            source_only: &[],
        })
    };
    web_server::packing(generator::toolchain(&program.application.kind).or_else(left_behind))
}

fn detect(sources: &Sources<'_>) -> Option<Found> {
    let mut report = Report::default();
    let mut application = Application {
        kind: "static".to_owned(),
        language: "static".to_owned(),
        ..Application::default()
    };
    let root = match generator::of(sources) {
        Some(generated) => generate(generated, &mut application, &mut report),
        None => root::of(sources)?,
    };
    report.certain(
        Topic::Language,
        "HTML",
        root.page.as_deref().unwrap_or(&root.from),
    );
    let strength = if matches!(application.kind.as_str(), "mkdocs" | "sphinx") {
        // A program's documentation, where there is a program.
        Strength::Program
    } else if root.folder == "docs" && !root.explicit {
        // What is written about a program is only taken where there is none.
        Strength::Sources
    } else if root.explicit {
        Strength::Framework
    } else if is_beside_a_program(sources) {
        Strength::Sources
    } else {
        Strength::Program
    };
    serve(&root, &mut application, &mut report);
    if application.artifacts.is_empty() {
        application.artifacts = secrets::without(sources, &root.folder, &mut report);
    }
    Some(Found {
        strength,
        name: None,
        application,
        base_image: web_server::BASE_IMAGE.to_owned(),
        delegates: false,
        report,
    })
}

/// Has a generator make the site.
fn generate(generated: Generated, application: &mut Application, report: &mut Report) -> Root {
    let generator = generated.generator;
    report.certain(Topic::Framework, generator.label, &generated.from);
    generator.kind.clone_into(&mut application.kind);
    for command in generated.commands {
        report
            .likely(Topic::BuildCommand, &command, &generated.from)
            .note(format!("{} makes the site", generator.label));
        application.build_commands.push(command);
    }
    for package in generator.packages {
        report
            .likely(Topic::SystemPackage, *package, &generated.from)
            .note("only the build wants it");
        application.system_packages.push((*package).to_owned());
    }
    application.artifacts = vec![generated.folder.clone(), web_server::CONFIG_FILE.to_owned()];
    Root {
        folder: generated.folder,
        page: None,
        from: generated.from,
        why: format!("where {} leaves the site", generator.label),
        explicit: true,
        fallback: web_server::Fallback::NotFound,
    }
}

/// Has the web server serve a folder.
fn serve(root: &Root, application: &mut Application, report: &mut Report) {
    let shown = if root.folder == "." {
        "this folder"
    } else {
        &root.folder
    };
    let fact = if root.explicit {
        report.certain(Topic::RunCommand, web_server::RUN_COMMAND, &root.from)
    } else {
        report.likely(Topic::RunCommand, web_server::RUN_COMMAND, &root.from)
    };
    fact.note(format!("serves {shown}: {}", root.why));
    web_server::serve(
        web_server::configure(&root.folder, root.fallback),
        application,
    );
    application.entrypoint.clone_from(&root.page);
    report.port(&Port::usual(web_server::PORT, "the server's own"));
}

/// Whether the page may belong to a program, which says better how it is served.
fn is_beside_a_program(sources: &Sources<'_>) -> bool {
    let of_another = |name: &str| {
        let others = super::ALL
            .iter()
            .filter(|ecosystem| !ecosystem.languages.contains(&"static"));
        others
            .flat_map(|ecosystem| ecosystem.markers)
            .any(|marker| is_marked(name, marker))
    };
    sources.names().any(|name| match name {
        // Its tools, where it neither needs nor builds anything.
        "package.json" => sources.document(name).is_none_or(|package| {
            package.get(&["dependencies"]).is_some()
                || package.get(&["scripts", "build"]).is_some()
                || package.get(&["scripts", "start"]).is_some()
        }),
        name => of_another(name),
    })
}
