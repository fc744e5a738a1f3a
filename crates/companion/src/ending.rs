//! Why a container does not run: the exit code, the engine's word and the events, put together.
//!
//! No single source is enough. `docker kill` and the kernel's want of memory both end in 137; the
//! engine's own flag is false when a child was killed; an exit code of 0 can be a job well done or a
//! server that was asked to go.

use ergon_engine::ContainerState;
use jiff::{SignedDuration, Timestamp};

use crate::History;
use crate::history::{Happening, Moment};

/// How a container came to stand still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was created and nobody started it.
    NeverStarted,
    /// The engine could not start its program.
    CouldNotStart {
        exit_code: Option<i64>,
        reason: String,
    },
    /// Process 1 ended by itself with code 0.
    Finished,
    /// Somebody asked the engine to stop it; `forced` where it had to be killed in the end.
    Stopped { exit_code: i64, forced: bool },
    /// Somebody asked the engine to send it a deadly signal.
    KilledByRequest { exit_code: i64, signal: i32 },
    /// The kernel killed a process of it for want of memory: process 1, or one that it could not do without.
    OutOfMemory { exit_code: i64 },
    /// A signal ended it, and no request to the engine explains it.
    Signalled {
        exit_code: i64,
        signal: i32,
        by: Sender,
    },
    /// Process 1 ended by itself with a code other than 0.
    Failed { exit_code: i64 },
}

/// Who sent a deadly signal, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Not through the engine: somebody on the host or inside the container.
    NotTheEngine,
    /// Nobody was watching then.
    Unknown,
}

/// A deadly blow and the death it caused are no further apart.
const WINDOW: SignedDuration = SignedDuration::from_secs(15);

/// A request to go may take a server this long to follow.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

impl Ending {
    /// Puts together why a container does not run; nothing while it does.
    pub fn of(state: &ContainerState, history: &History) -> Option<Self> {
        if state.is_running() {
            return None;
        }
        let Some(exit_code) = state.exit_code.filter(|_| state.started_at.is_some()) else {
            return Some(match &state.error {
                Some(reason) => Self::CouldNotStart {
                    exit_code: state.exit_code,
                    reason: plain_reason(reason),
                },
                None => Self::NeverStarted,
            });
        };
        // A failed restart leaves the old times beside the new error.
        if let Some(reason) = state
            .error
            .as_ref()
            .filter(|_| matches!(exit_code, 125..=128))
        {
            return Some(Self::CouldNotStart {
                exit_code: Some(exit_code),
                reason: plain_reason(reason),
            });
        }
        Some(Self::of_exit(exit_code, state, history))
    }

    fn of_exit(exit_code: i64, state: &ContainerState, history: &History) -> Self {
        let of_this_life: Vec<_> = history
            .last_life()
            .filter(|moment| is_about(moment, state.finished_at))
            .collect();
        let happened = |what: &dyn Fn(&Happening) -> bool| {
            of_this_life.iter().any(|moment| what(&moment.what))
        };
        let signal = exit_code
            .checked_sub(128)
            .and_then(|n| i32::try_from(n).ok())
            .filter(|n| (1..=64).contains(n));
        let asked: Vec<i32> = of_this_life
            .iter()
            .filter_map(|moment| match moment.what {
                Happening::Killed { signal } => Some(signal),
                _ => None,
            })
            .collect();
        let memory_ran_out = happened(&|what| *what == Happening::OutOfMemory);

        if happened(&|what| *what == Happening::Stopped) {
            return Self::Stopped {
                exit_code,
                forced: signal == Some(9),
            };
        }
        if let Some(signal) = signal.filter(|signal| asked.contains(signal)) {
            return Self::KilledByRequest { exit_code, signal };
        }
        // A server that heard the request may end with a code of its own.
        if let Some(signal) = asked
            .last()
            .copied()
            .filter(|signal| [2, 3, 15].contains(signal))
        {
            return if exit_code == 0 {
                Self::Stopped {
                    exit_code,
                    forced: false,
                }
            } else {
                Self::KilledByRequest { exit_code, signal }
            };
        }
        // The flag tells of the whole life, so that it explains nothing but a kill.
        let explained = match signal {
            Some(9) => memory_ran_out || state.oom_killed,
            Some(_) => false,
            None => memory_ran_out && exit_code != 0,
        };
        if explained {
            return Self::OutOfMemory { exit_code };
        }
        match signal {
            Some(signal) => {
                // Events come in order: whoever saw the death has seen the request before it.
                let watched = state
                    .finished_at
                    .is_some_and(|end| history.covers(end - WINDOW) && history.saw_death(end));
                let by = if watched {
                    Sender::NotTheEngine
                } else {
                    Sender::Unknown
                };
                Self::Signalled {
                    exit_code,
                    signal,
                    by,
                }
            }
            None if exit_code == 0 => Self::Finished,
            None => Self::Failed { exit_code },
        }
    }

    /// True where somebody wished it, or the work was done.
    pub fn is_peaceful(&self) -> bool {
        matches!(
            self,
            Self::NeverStarted | Self::Finished | Self::Stopped { .. }
        )
    }
}

/// Whether a moment can have to do with an end at that time.
fn is_about(moment: &Moment, end: Option<Timestamp>) -> bool {
    let Some(end) = end else { return true };
    let before = match moment.what {
        Happening::Killed { signal } if signal != 9 => PATIENCE,
        _ => WINDOW,
    };
    moment.time <= end + WINDOW && end <= moment.time + before
}

/// What a code means by convention, where there is one.
pub(crate) fn meaning(exit_code: i64) -> Option<&'static str> {
    Some(match exit_code {
        125 => "the engine itself failed",
        126 => "the command is there but cannot be executed",
        127 => "the command was not found",
        130 => "interrupted (signal 2)",
        134 => "it aborted itself (signal 6), as after a failed assertion",
        135 => "bus error (signal 7)",
        136 => "arithmetic error (signal 8), as a division by zero",
        137 => "killed (signal 9)",
        139 => "segmentation fault (signal 11): it touched memory that is not its own",
        143 => "asked to terminate (signal 15)",
        _ => return None,
    })
}

/// The engine's reason without the layers of wrapping around it.
fn plain_reason(reason: &str) -> String {
    let reason = reason.trim_end_matches(": unknown");
    for mark in [
        "exec: ",
        "starting container process caused: ",
        "driver failed programming external connectivity on endpoint ",
    ] {
        if let Some((_, rest)) = reason.split_once(mark) {
            return rest.to_owned();
        }
    }
    reason.to_owned()
}

#[cfg(test)]
mod tests {
    use ergon_engine::Status;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn exited(exit_code: i64) -> ContainerState {
        ContainerState {
            status: Status::Exited,
            exit_code: Some(exit_code),
            started_at: Some(at(100)),
            finished_at: Some(at(200)),
            ..ContainerState::default()
        }
    }

    fn ending(state: &ContainerState, moments: &[(i64, Happening)]) -> Ending {
        let mut history = History::watched(at(50));
        for (second, what) in moments {
            history.remember(Moment {
                time: at(*second),
                what: what.clone(),
            });
        }
        Ending::of(state, &history).expect("it does not run")
    }

    const DIED: Happening = Happening::Died { exit_code: 137 };

    #[test]
    fn a_running_container_has_not_ended() {
        let state = ContainerState {
            status: Status::Running,
            ..ContainerState::default()
        };
        assert_eq!(Ending::of(&state, &History::default()), None);
    }

    #[test]
    fn the_same_code_has_different_causes() {
        let kill = (199, Happening::Killed { signal: 9 });
        let started = (100, Happening::Started);
        let died = (200, DIED);
        assert_eq!(
            ending(&exited(137), &[started.clone(), kill.clone(), died.clone()]),
            Ending::KilledByRequest {
                exit_code: 137,
                signal: 9
            }
        );
        assert_eq!(
            ending(
                &exited(137),
                &[started.clone(), (199, Happening::OutOfMemory), died.clone()]
            ),
            Ending::OutOfMemory { exit_code: 137 }
        );
        assert_eq!(
            ending(
                &exited(137),
                &[
                    started.clone(),
                    kill,
                    died.clone(),
                    (201, Happening::Stopped)
                ]
            ),
            Ending::Stopped {
                exit_code: 137,
                forced: true
            }
        );
        assert_eq!(
            ending(&exited(137), &[started, died]),
            Ending::Signalled {
                exit_code: 137,
                signal: 9,
                by: Sender::NotTheEngine
            }
        );
        assert_eq!(
            Ending::of(&exited(137), &History::default()),
            Some(Ending::Signalled {
                exit_code: 137,
                signal: 9,
                by: Sender::Unknown
            })
        );
        let flagged = ContainerState {
            oom_killed: true,
            ..exited(137)
        };
        assert_eq!(
            Ending::of(&flagged, &History::default()),
            Some(Ending::OutOfMemory { exit_code: 137 })
        );
    }

    #[test]
    fn a_kill_of_an_earlier_life_explains_nothing() {
        let story = [
            (60, Happening::Killed { signal: 9 }),
            (61, DIED),
            (100, Happening::Started),
            (200, DIED),
        ];
        assert_eq!(
            ending(&exited(137), &story),
            Ending::Signalled {
                exit_code: 137,
                signal: 9,
                by: Sender::NotTheEngine
            }
        );
    }

    #[test]
    fn want_of_memory_long_ago_explains_nothing() {
        let oom = |second| (second, Happening::OutOfMemory);
        let failed = Ending::Failed { exit_code: 1 };
        assert_eq!(
            ending(&exited(1), &[(100, Happening::Started), oom(120)]),
            failed
        );
        let flagged = ContainerState {
            oom_killed: true,
            ..exited(1)
        };
        assert_eq!(
            ending(&flagged, &[(100, Happening::Started), oom(120)]),
            failed
        );
        let story = [(100, Happening::Started), oom(199)];
        assert_eq!(
            ending(&exited(1), &story),
            Ending::OutOfMemory { exit_code: 1 }
        );
        assert_eq!(ending(&exited(0), &story), Ending::Finished);
    }

    #[test]
    fn a_server_that_goes_when_asked_was_stopped() {
        let story = [
            (100, Happening::Started),
            (199, Happening::Killed { signal: 15 }),
            (200, Happening::Died { exit_code: 0 }),
        ];
        assert_eq!(
            ending(&exited(0), &story),
            Ending::Stopped {
                exit_code: 0,
                forced: false
            }
        );
        assert_eq!(ending(&exited(0), &story[..1]), Ending::Finished);
        assert_eq!(
            ending(&exited(3), &story[..1]),
            Ending::Failed { exit_code: 3 }
        );
    }

    #[test]
    fn what_could_not_start_says_why_in_short() {
        let state = ContainerState {
            status: Status::Created,
            exit_code: Some(127),
            error: Some(r#"OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "nope": executable file not found in $PATH: unknown"#.to_owned()),
            ..ContainerState::default()
        };
        assert_eq!(
            ending(&state, &[]),
            Ending::CouldNotStart {
                exit_code: Some(127),
                reason: r#""nope": executable file not found in $PATH"#.to_owned()
            }
        );
        assert_eq!(
            ending(&ContainerState::default(), &[]),
            Ending::NeverStarted
        );
    }
}
