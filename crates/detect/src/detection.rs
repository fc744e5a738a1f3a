//! From a tree to an analysis: the programs that are in it, each in a container of its own.

use ergon_manifest::{Container, Manifest, Project, SourceDateEpoch};

use crate::analysis::{Analysis, Fact, Loser, Question, Topic};
use crate::answered;
use crate::declared::Compose;
use crate::ecosystem::{self, LockState, Report, file_of};
use crate::members::{self, Member};
use crate::names;
use crate::relations;
use crate::sources::{self, Sources};
use crate::tree::FileTree;

/// What a container's companion can do where nothing else is said.
const CAPABILITIES: [&str; 3] = ["monitor", "optimize", "debug"];

/// What Ergon makes of a tree, with where each claim was read.
pub fn analyse(tree: &dyn FileTree) -> Analysis {
    let sources = Sources::new(tree);
    let compose = Compose::read(&sources);
    let members = members::of(&sources, compose.as_ref());
    if members.is_empty() {
        return unrecognised(sources);
    }
    recognised(members, compose.as_ref(), sources)
}

fn recognised(
    mut members: Vec<Member<'_>>,
    compose: Option<&Compose>,
    sources: Sources<'_>,
) -> Analysis {
    let mut analysis = Analysis {
        manifest: Manifest::default(),
        facts: Vec::new(),
        questions: Vec::new(),
        looked_for: Vec::new(),
    };
    let single = members.len() == 1;
    if single && let Some(name) = members[0].found.name.clone() {
        analysis.manifest.project = Some(Project {
            name,
            repository: None,
        });
    }
    let names = names_of(&members);
    let places = if single {
        Vec::new()
    } else {
        relations::connect(&mut members, &names, compose)
    };
    for (member, name) in members.into_iter().zip(&names) {
        add(member, name.clone(), &mut analysis);
    }
    for (place, name) in places.iter().zip(&names) {
        if let Some(container) = analysis.manifest.containers.get_mut(name) {
            container.tier = Some(place.tier);
            let others = place.depends_on.iter();
            container.depends_on = others.map(|other| names[*other].clone()).collect();
            container.depends_on.sort();
        }
    }
    let order = analysis.manifest.build_order();
    analysis.manifest.packaging.build_order = order.into_iter().map(str::to_owned).collect();
    for folder in ["node_modules", ".venv", "__pycache__"] {
        if sources.has_folder(folder) {
            analysis.questions.push(Question::new(
                format!(
                    "Is {folder} source? no ignore file leaves it out, so every build takes it in."
                ),
                format!("echo {folder} >> .gitignore"),
            ));
        }
    }
    ask_once(&mut analysis);
    analysis.questions = sources.with_problems(std::mem::take(&mut analysis.questions));
    for (name, application) in &analysis.manifest.applications {
        let said = |fact: &Fact| {
            fact.topic == Topic::RunCommand && fact.application.as_ref() == Some(name)
        };
        // Of a library it is said that there is nothing to start.
        if application.run_command.is_none() && !analysis.facts.iter().any(said) {
            analysis.questions.push(Question {
                application: Some(name.clone()),
                text: "How is it started? nothing in the project says.".to_owned(),
                remedy: "write run_command into ergon.json".to_owned(),
            });
        }
    }
    answered::by_manifest(&sources, &mut analysis);
    analysis
}

/// What is open for several programs of one folder is one question.
fn ask_once(analysis: &mut Analysis) {
    let applications = &analysis.manifest.applications;
    let folder = |question: &Question| {
        let of = question
            .application
            .as_ref()
            .and_then(|name| applications.get(name));
        of.map(|application| application.path.clone())
    };
    let mut asked: Vec<Question> = Vec::new();
    for question in std::mem::take(&mut analysis.questions) {
        let before = asked.iter_mut().find(|before| {
            (&before.text, &before.remedy) == (&question.text, &question.remedy)
                && (before.application.is_none() || folder(before) == folder(&question))
        });
        match before {
            Some(before) => before.application = None,
            None => asked.push(question),
        }
    }
    analysis.questions = at_once(asked);
}

/// From how many applications on a question that is the same of each is asked at once.
const ASKED_AT_ONCE: usize = 3;

/// What is open in the same way for many programs is one question, which names the first.
fn at_once(questions: Vec<Question>) -> Vec<Question> {
    let mut asked: Vec<Question> = Vec::new();
    for question in &questions {
        let is_same =
            |other: &&Question| (&other.text, &other.remedy) == (&question.text, &question.remedy);
        let of: Vec<&str> = questions
            .iter()
            .filter(is_same)
            .filter_map(|other| other.application.as_deref())
            .collect();
        if of.len() < ASKED_AT_ONCE {
            asked.push(question.clone());
        } else if of.first().copied() == question.application.as_deref() {
            asked.push(Question::new(
                format!(
                    "{} So it is with {}, {} and {} more.",
                    question.text,
                    of[0],
                    of[1],
                    of.len() - 2
                ),
                question.remedy.clone(),
            ));
        }
    }
    asked
}

/// What the compose file calls each program where there are several, else its package's own name, else its
/// folder's in the project; made different from those that are taken.
fn names_of(members: &[Member<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for member in members {
        let folder = member.sources.folder().rsplit('/').next().unwrap_or("");
        let service = member.service.as_deref().filter(|_| members.len() > 1);
        let name = service
            .and_then(names::from_package)
            .or_else(|| member.found.name.clone())
            .or_else(|| names::from_package(folder))
            .unwrap_or_else(|| names::NO_NAME.to_owned());
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

/// Puts a program into a container of its own.
fn add(member: Member<'_>, name: String, analysis: &mut Analysis) {
    let Member {
        sources,
        found,
        others,
        ..
    } = member;
    let about = Some(name.clone());
    let mut report = found.report;
    doubt_blank_locks(&sources, &mut report);
    let Report { facts, questions } = report;
    let mut facts: Vec<_> = facts
        .into_iter()
        .map(|fact| Fact {
            application: about.clone(),
            note: fact.note.map(|note| placed(&sources, &note)),
            from: sources.place(&fact.from),
            over: fact
                .over
                .into_iter()
                .map(|loser| Loser {
                    from: sources.place(&loser.from),
                    ..loser
                })
                .collect(),
            ..fact
        })
        .collect();
    // In the order of the topics, each topic as it was read.
    facts.sort_by_key(|fact| fact.topic);
    analysis.facts.extend(facts);
    analysis
        .questions
        .extend(questions.into_iter().map(|question| Question {
            application: about.clone(),
            text: placed(&sources, &question.text),
            ..question
        }));
    analysis.questions.extend(others.iter().map(|other| {
        Question::new(
            format!("A {other} program too? There are signs of one, but only `{name}` was taken."),
            "add it to applications in ergon.json".to_owned(),
        )
    }));
    let mut application = found.application;
    if !sources.folder().is_empty() && application.path.is_none() {
        application.path = Some(sources.folder().to_owned());
    }
    let read = application
        .env
        .values_mut()
        .filter_map(|variable| variable.from.as_mut());
    let decided = application
        .runtime
        .as_mut()
        .and_then(|runtime| runtime.from.as_mut());
    for from in read.chain(decided) {
        *from = sources.place(from);
    }
    let epoch = ecosystem::packing(&application, &found.base_image).source_date_epoch;
    let packaging = &mut analysis.manifest.packaging;
    packaging.source_date_epoch = packaging
        .source_date_epoch
        .or(epoch.map(SourceDateEpoch::Seconds));
    let container = Container {
        base_image: found.base_image,
        applications: vec![name.clone()],
        ports: application.ports.clone(),
        ci_name: Some(format!("{name}-ci")),
        ci_capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        ..Container::default()
    };
    analysis.manifest.containers.insert(name.clone(), container);
    analysis.manifest.applications.insert(name, application);
}

/// A lock file in which nothing stands pins nothing, unless there is nothing to pin.
fn doubt_blank_locks(sources: &Sources<'_>, report: &mut Report) {
    let locks = LockState::Locked.name();
    let needs_nothing = |fact: &Fact| {
        fact.topic == Topic::Dependencies && fact.value == ecosystem::counted(0, "package")
    };
    if report.facts.iter().any(needs_nothing) {
        return;
    }
    let is_blank = |fact: &&mut Fact| {
        let is_lock = fact.topic == Topic::Lock && fact.value == locks;
        is_lock
            && sources.has(&fact.from)
            && sources
                .text(&fact.from)
                .is_some_and(|text| sources::is_blank(&text))
    };
    let Some(lock) = report.facts.iter_mut().find(is_blank) else {
        return;
    };
    let file = lock.from.clone();
    let why = format!("{file} cannot be read: nothing stands in it");
    LockState::Stale.name().clone_into(&mut lock.value);
    lock.note(why.clone());
    let pinned = report.facts.iter_mut();
    for fact in pinned.filter(|fact| fact.topic == Topic::Pinned) {
        "no".clone_into(&mut fact.value);
        fact.note(why.clone());
    }
    report.ask(
        format!("Which versions? {why}."),
        format!("delete {file}, have it written anew, and commit it"),
    );
}

/// A sentence, its files named as the project has them. What stands between backticks is typed as it is.
fn placed(sources: &Sources<'_>, text: &str) -> String {
    if sources.folder().is_empty() {
        return text.to_owned();
    }
    let place = |word: &str| {
        let named = word
            .trim_start_matches('(')
            .trim_end_matches([',', ';', ':', '.', ')', '?']);
        let is_file = !named.is_empty() && sources.has(file_of(named));
        is_file.then(|| word.replacen(named, &sources.place(named), 1))
    };
    let mut whole: Vec<String> = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            whole.push(part.to_owned());
            continue;
        }
        let words = part
            .split(' ')
            .map(|word| place(word).unwrap_or_else(|| word.to_owned()));
        whole.push(words.collect::<Vec<_>>().join(" "));
    }
    whole.join("`")
}

fn unrecognised(sources: Sources<'_>) -> Analysis {
    let looked_for = ecosystem::ALL
        .iter()
        .map(|ecosystem| ecosystem.looks_for.to_owned())
        .collect();
    Analysis {
        manifest: Manifest::default(),
        facts: Vec::new(),
        questions: sources.with_problems(Vec::new()),
        looked_for,
    }
}
