//! How somebody in the directory is, from checks and from silence. Pure.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// So many bad checks in a row and it is down.
const BAD: u8 = 3;
/// So many good checks in a row and it is up again.
const GOOD: u8 = 2;

/// How somebody is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Up,
    /// It answers late, or not each time.
    Degraded,
    /// It misses heartbeats.
    Stale,
    /// It does not answer.
    Down,
}

/// How somebody is, why, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub reason: Cow<'static, str>,
    /// Milliseconds since 1970.
    pub since: i64,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    Well,
    /// It answers, but late.
    Slow(String),
    Bad(String),
    /// It cannot be checked, for this reason.
    Not(Cow<'static, str>),
}

/// Whether heartbeats come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    #[default]
    None,
    /// They are missing.
    Quiet,
    /// The lease is over, and the record is held because so many are silent.
    Held,
}

/// What is remembered to judge the next check by.
#[derive(Clone, Debug)]
pub struct Course {
    verdict: State,
    reason: Cow<'static, str>,
    bad: u8,
    good: u8,
    silence: Silence,
    shown: Health,
}

impl Course {
    /// Nothing speaks against it.
    pub fn begin(reason: impl Into<Cow<'static, str>>, now: i64) -> Self {
        let reason = reason.into();
        Self {
            verdict: State::Up,
            reason: reason.clone(),
            bad: 0,
            good: 0,
            silence: Silence::None,
            shown: Health {
                state: State::Up,
                reason,
                since: now,
            },
        }
    }

    pub fn health(&self) -> &Health {
        &self.shown
    }

    /// Takes a check in. The state before is returned where it changed.
    pub fn checked(&mut self, checked: Checked, now: i64) -> Option<State> {
        match checked {
            Checked::Well => {
                self.bad = 0;
                self.good = self.good.saturating_add(1);
                if self.verdict == State::Up || self.good >= GOOD {
                    self.judge(State::Up, "it answers");
                }
            }
            Checked::Slow(reason) => {
                self.bad = 0;
                self.good = self.good.saturating_add(1);
                if self.verdict != State::Down || self.good >= GOOD {
                    // Late answers do not add up to good ones.
                    self.good = 0;
                    self.judge(State::Degraded, reason);
                }
            }
            Checked::Bad(reason) => {
                self.good = 0;
                self.bad = self.bad.saturating_add(1);
                let down = self.bad >= BAD || self.verdict == State::Down;
                self.judge(if down { State::Down } else { State::Degraded }, reason);
            }
            Checked::Not(reason) => {
                (self.good, self.bad) = (0, 0);
                self.judge(State::Up, reason);
            }
        }
        self.show(now)
    }

    /// Whether heartbeats come from now on. The state before is returned where it changed.
    pub fn heard(&mut self, silence: Silence, now: i64) -> Option<State> {
        self.silence = silence;
        self.show(now)
    }

    fn judge(&mut self, verdict: State, reason: impl Into<Cow<'static, str>>) {
        self.verdict = verdict;
        self.reason = reason.into();
    }

    fn show(&mut self, now: i64) -> Option<State> {
        let (state, reason) = match (self.verdict, self.silence) {
            (State::Down, _) | (_, Silence::None) => (self.verdict, self.reason.clone()),
            (_, Silence::Quiet) => (State::Stale, Cow::from("it misses heartbeats")),
            (_, Silence::Held) => (
                State::Stale,
                Cow::from("its lease is over, and it is held because many fell silent at once"),
            ),
        };
        self.shown.reason = reason;
        if self.shown.state == state {
            return None;
        }
        let before = std::mem::replace(&mut self.shown.state, state);
        self.shown.since = now;
        Some(before)
    }
}

impl State {
    /// What the word on the wire means.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Up, Self::Degraded, Self::Stale, Self::Down];
        all.into_iter().find(|state| state.word() == word)
    }

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Stale => "stale",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states after each of `checks`: `+` well, `~` slow, `-` bad.
    fn words(checks: &str) -> Vec<&'static str> {
        let mut course = Course::begin("it was registered", 0);
        checks
            .chars()
            .map(|check| {
                let checked = match check {
                    '+' => Checked::Well,
                    '~' => Checked::Slow("late".to_owned()),
                    _ => Checked::Bad("away".to_owned()),
                };
                course.checked(checked, 1);
                course.health().state.word()
            })
            .collect()
    }

    #[test]
    fn one_bad_check_is_a_doubt_and_three_are_an_end() {
        assert_eq!(words("+---"), ["up", "degraded", "degraded", "down"]);
        assert_eq!(
            words("--+-"),
            ["degraded", "degraded", "degraded", "degraded"]
        );
    }

    #[test]
    fn two_good_checks_bring_it_back() {
        assert_eq!(words("---++")[3..], ["down", "up"]);
        assert_eq!(words("-++")[1..], ["degraded", "up"]);
    }

    #[test]
    fn what_comes_and_goes_is_told_once() {
        let mut course = Course::begin("", 0);
        let bad = || Checked::Bad("away".to_owned());
        assert_eq!(course.checked(bad(), 1), Some(State::Up));
        for _ in 0..50 {
            assert_eq!(course.checked(Checked::Well, 2), None);
            assert_eq!(course.checked(bad(), 2), None);
        }
        assert_eq!(course.health().since, 1);
    }

    #[test]
    fn who_answers_late_is_degraded_and_not_up() {
        assert_eq!(words("~~~"), ["degraded"; 3]);
        assert_eq!(words("---~~")[3..], ["down", "degraded"]);
        assert_eq!(words("~++")[1..], ["degraded", "up"]);
        assert_eq!(words("~+~+")[3], "degraded");
    }

    #[test]
    fn silence_makes_stale_whom_no_check_found_down() {
        let mut course = Course::begin("it was registered", 0);
        assert_eq!(course.heard(Silence::Quiet, 5), Some(State::Up));
        assert_eq!(course.health().reason, "it misses heartbeats");
        assert_eq!(course.heard(Silence::Held, 6), None);
        assert!(course.health().reason.contains("held"));
        assert_eq!(
            (course.health().state, course.health().since),
            (State::Stale, 5)
        );
        assert_eq!(course.heard(Silence::None, 7), Some(State::Stale));
        assert_eq!(course.health().reason, "it was registered");
        for _ in 0..3 {
            course.checked(Checked::Bad("it refuses connections".to_owned()), 8);
        }
        assert_eq!(course.heard(Silence::Quiet, 9), None);
        assert_eq!(course.health().state, State::Down);
        assert_eq!(course.health().reason, "it refuses connections");
    }

    #[test]
    fn who_cannot_be_checked_is_believed() {
        let mut course = Course::begin("", 0);
        course.checked(Checked::Not(Cow::from("not checked: it is far")), 1);
        assert_eq!(course.health().state, State::Up);
        assert_eq!(course.health().reason, "not checked: it is far");
    }
}
