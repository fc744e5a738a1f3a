//! What surrounds a step and must not decide its bits, and how a verification changes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use ergon_engine::Bind;
use ergon_manifest::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::environment::SCRATCH;
use crate::sandbox::SandboxKind;

/// One thing that differed between the two builds of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Condition {
    /// What it is: `clock`, `time zone`, …
    pub name: String,
    /// What it was when the image was made.
    pub first: String,
    /// What it was when the image was made again; absent: it could not be changed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why it could not be changed, or in how far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Every build fixes it: that something depends on it shows, and makes no other bits.
    #[serde(default)]
    pub fixed: bool,
}

/// How the steps of a build are surrounded.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Absent: as every build has it.
    other: Option<Other>,
}

/// What of a step's surroundings is no variable.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub binds: Vec<Bind>,
    /// Which processors it may use; absent: all.
    pub processors: Option<String>,
    /// Its directories tell their entries last first, where the sandbox can do that.
    pub reversed: bool,
}

/// Surroundings as no usual build has them.
#[derive(Debug)]
struct Other {
    /// Also what every build fixes is another.
    fixed_too: bool,
    place: Place,
    /// A library that tells programs another time.
    clock: Option<PathBuf>,
    /// Whether more than one processor is there, so that one of them is a difference.
    one_processor: bool,
    /// Which bases' programs listen to the library, as far as they were asked.
    listens: Mutex<BTreeMap<Digest, bool>>,
}

/// Where the steps of a second build run, and those of the first ran.
#[derive(Clone, Debug)]
pub struct Place {
    /// The engine, else namespaces.
    pub first_in_engine: bool,
    /// Why the second ones run where the first ran, in the engine; absent: they run in namespaces.
    pub stays: Option<String>,
    /// Absent: directories can be turned round. Else why not.
    pub unturned: Option<String>,
    /// The steps' files are ones that this machine's programs can open: libraries can be lent.
    pub local: bool,
}

/// How far the clock goes ahead where nothing is fetched: past a year, so that no part of a date stays.
const AHEAD: Duration = Duration::from_hours(400 * 24 + 7);
/// And where connections are made, whose certificates must still be valid: past a day.
const AHEAD_ONLINE: Duration = Duration::from_hours(25);

/// Where a step finds the library. In `/dev`, a mount leaves no trace in the layer.
const CLOCK_PATH: &str = "/dev/clock.so";

/// Where distributions keep libfaketime, its variant for programs with threads.
const CLOCK_LIBRARIES: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
    "/opt/homebrew/lib/faketime/libfaketimeMT.so.1",
];

/// What every step has, and what it has when it is carried out again. `LC_CTYPE` stays: tools that read text
/// in a character set that is not its own fail rather than write something else.
const ENVIRONMENT: [(&str, &str, Option<&str>); 7] = [
    ("HOME", SCRATCH, Some("/tmp/other-home")),
    ("TMPDIR", SCRATCH, Some("/tmp/other-scratch")),
    ("LANG", "C.UTF-8", Some("POSIX")),
    ("LC_ALL", "C.UTF-8", None),
    ("LC_CTYPE", "", Some("C.UTF-8")),
    ("LANGUAGE", "", Some("fr")),
    ("TZ", "UTC", Some("EST5EDT")),
];

/// The mask of a step's new files, as every step has it and as a second build has it. What it decides is
/// evened out as a layer is captured.
const MASKS: (&str, &str) = ("0022", "0002");

impl Conditions {
    /// Those of a second build: as different as this machine can make them; with `fixed_too` also what every
    /// build fixes for itself.
    pub fn other(place: Place, fixed_too: bool) -> Self {
        let library = CLOCK_LIBRARIES.iter().map(PathBuf::from);
        let processors = std::thread::available_parallelism();
        Self {
            other: Some(Other {
                fixed_too,
                clock: library.filter(|_| place.local).find(|path| path.is_file()),
                one_processor: processors.is_ok_and(|count| count.get() > 1),
                place,
                listens: Mutex::default(),
            }),
        }
    }

    /// Where steps run that would run in `usual`.
    pub fn sandbox(&self, usual: SandboxKind) -> SandboxKind {
        match &self.other {
            Some(other) if other.place.stays.is_none() => SandboxKind::Namespaces,
            _ => usual,
        }
    }

    /// Whether it must first be asked if the programs of this base listen to another clock.
    pub fn asks_about_clock(&self, base: &Digest) -> bool {
        self.other
            .as_ref()
            .is_some_and(|other| other.clock.is_some() && other.listens(base).is_none())
    }

    /// Remembers whether they do.
    pub fn clock_answered(&self, base: Digest, listens: bool) {
        if let Some(other) = &self.other
            && let Ok(mut known) = other.listens.lock()
        {
            known.insert(base, listens);
        }
    }

    /// The command that asks: what time is it? [`Conditions::is_ahead`] reads the answer.
    pub const CLOCK_QUESTION: &'static str = "date +%s";

    /// Whether an answer to the question is a time that is not yet.
    pub fn is_ahead(answer: &str) -> bool {
        let now = jiff::Timestamp::now().as_second();
        answer
            .trim()
            .parse()
            .is_ok_and(|told: i64| told > now + AHEAD_ONLINE.as_secs().cast_signed() / 2)
    }

    /// Changes the environment of a step, and says what else of a usual step's surroundings changes.
    pub fn surround(
        &self,
        environment: &mut BTreeMap<String, String>,
        network: bool,
        base: &Digest,
    ) -> Surroundings {
        let mut surroundings = Surroundings::default();
        let Some(other) = &self.other else {
            return surroundings;
        };
        surroundings.reversed = other.place.unturned.is_none();
        let changes: &[_] = if other.fixed_too { &ENVIRONMENT } else { &[] };
        for &(name, usual, changed) in changes {
            // What the plan says otherwise is meant.
            if environment.get(name).map_or("", String::as_str) != usual {
                continue;
            }
            match changed {
                Some(value) => environment.insert(name.to_owned(), value.to_owned()),
                None => environment.remove(name),
            };
        }
        if other.one_processor {
            surroundings.processors = Some("0".to_owned());
        }
        if let Some(library) = &other.clock
            && other.listens(base).unwrap_or(true)
        {
            let ahead = if network { AHEAD_ONLINE } else { AHEAD };
            let ahead = format!("+{}s", ahead.as_secs());
            let variables = [("LD_PRELOAD", CLOCK_PATH), ("FAKETIME", ahead.as_str())];
            environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
            surroundings.binds.push(Bind {
                host: library.display().to_string(),
                container: CLOCK_PATH.to_owned(),
                readonly: true,
            });
        }
        surroundings
    }

    /// What is set before a step's command, as lines of its shell.
    pub fn preamble(&self) -> String {
        match &self.other {
            Some(other) if other.fixed_too => format!(
                "umask {}\nmkdir -p /tmp/other-home /tmp/other-scratch\n",
                MASKS.1
            ),
            _ => format!("umask {}\n", MASKS.0),
        }
    }

    /// What differed from a usual build, for people and for the proof.
    pub fn list(&self, apart: Duration) -> Vec<Condition> {
        let Some(other) = &self.other else {
            return Vec::new();
        };
        let varied = |name: &str, first: &str, second: &str| Condition {
            name: name.to_owned(),
            first: first.to_owned(),
            second: Some(second.to_owned()),
            note: None,
            fixed: false,
        };
        let fixed = |name: &str, first: &str, second: &str| Condition {
            fixed: true,
            ..varied(name, first, second)
        };
        let (clock, deaf) = other.clock_heard();
        let seconds = apart.as_secs();
        let clock = Condition {
            note: match (&other.clock, deaf) {
                (None, _) => Some("install libfaketime, and the second build is told a time of more than a year later".to_owned()),
                (Some(_), true) => Some("some bases' programs do not listen to libfaketime; those saw the real clock".to_owned()),
                (Some(_), false) => None,
            },
            ..varied(
                "clock",
                "real",
                &if clock {
                    format!("{} days ahead, 25 hours where something is fetched", AHEAD.as_secs() / 86_400)
                } else {
                    format!("{seconds} s later")
                },
            )
        };
        let processors = if other.one_processor {
            let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            varied("processors", &count.to_string(), "1")
        } else {
            Condition {
                second: None,
                note: Some("this machine has only one".to_owned()),
                ..varied("processors", "1", "1")
            }
        };
        let engine = "a container of the engine";
        let namespaces = "Linux namespaces";
        let sandbox = match (&other.place.stays, other.place.first_in_engine) {
            (None, true) => varied("sandbox", engine, namespaces),
            (None, false) => Condition {
                second: None,
                note: Some("its steps ran in namespaces already".to_owned()),
                ..varied("sandbox", namespaces, "")
            },
            (Some(why), _) => Condition {
                second: None,
                note: Some(why.clone()),
                ..varied("sandbox", engine, "")
            },
        };
        let directories = match &other.place.unturned {
            None => varied("order of directories", "the file system's", "reversed"),
            Some(why) => Condition {
                second: None,
                note: Some(why.clone()),
                ..varied("order of directories", "the file system's", "")
            },
        };
        vec![
            clock,
            varied("folder", "the project's", "a copy elsewhere, another cache"),
            processors,
            sandbox,
            directories,
            Condition {
                second: None,
                note: Some("steps are root in their sandbox, whoever builds".to_owned()),
                ..fixed("user", "root", "")
            },
            fixed(
                "home and scratch folders",
                SCRATCH,
                "/tmp/other-home, /tmp/other-scratch",
            ),
            fixed("umask", MASKS.0, MASKS.1),
            fixed("locale", "C.UTF-8", "POSIX, messages in French"),
            fixed("time zone", "UTC", "EST5EDT"),
        ]
    }
}

impl Other {
    fn listens(&self, base: &Digest) -> Option<bool> {
        self.listens.lock().ok()?.get(base).copied()
    }

    /// Whether any base's programs saw another time, and whether any did not.
    fn clock_heard(&self) -> (bool, bool) {
        let Ok(known) = self.listens.lock() else {
            return (false, false);
        };
        (
            known.values().any(|listens| *listens),
            known.values().any(|listens| !*listens),
        )
    }
}
