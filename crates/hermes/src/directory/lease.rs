//! Leases: how long a record lives after its last heartbeat. Pure; whoever asks says what time it is.
//!
//! Nothing looks at all leases. Each has one appointment: first to be seen quiet, then to be over. A heartbeat moves no
//! appointment; it writes the time, and the appointment finds out that it came too early.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Milliseconds since the directory was opened; no clock of the machine moves it.
pub type Millis = u64;
/// A name in small letters.
pub type Key = Arc<str>;

/// So many must be silent at once for the brake.
const CROWD: usize = 8;
/// The brake holds a record for its `ttl` once more, and at least so long.
const LEAST_HOLD: Millis = 60_000;

/// When somebody was last heard. Heartbeats write here and nowhere else.
#[derive(Debug, Default)]
pub struct Pulse {
    heard: AtomicU64,
    /// Whether an appointment found it quiet.
    silent: AtomicBool,
    /// Until when the brake holds it; 0: it does not.
    held_until: AtomicU64,
}

impl Pulse {
    pub fn heard(&self) -> Millis {
        self.heard.load(Ordering::Acquire)
    }

    /// Heard now. Says whether it was silent before, which [`Leases::heard_again`] has to know.
    pub fn beat(&self, now: Millis) -> bool {
        self.heard.store(now, Ordering::Release);
        self.silent.load(Ordering::Acquire)
    }

    /// When its lease ends.
    pub fn ends(&self, ttl: Millis) -> Millis {
        let held = self.held_until.load(Ordering::Acquire);
        held.max(self.heard().saturating_add(ttl))
    }

    pub fn is_held(&self) -> bool {
        self.held_until.load(Ordering::Acquire) > 0
    }
}

/// Every lease.
#[derive(Debug, Default)]
pub struct Leases {
    due: BTreeSet<(Millis, Key)>,
    terms: HashMap<Key, Term>,
    silent: usize,
    /// Whether it was told that many are held.
    braking: bool,
}

#[derive(Debug)]
struct Term {
    pulse: Arc<Pulse>,
    ttl: Millis,
    /// Its appointment.
    due: Millis,
}

/// What came of the appointments that were due.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Those who missed heartbeats.
    pub quiet: Vec<Key>,
    /// Those whose lease is over, and when they were last heard.
    pub over: Vec<(Key, Millis)>,
    /// Those who are held by the brake.
    pub held: Vec<Key>,
    /// Set once when the brake begins: so many are silent, of so many.
    pub brake: Option<(usize, usize)>,
}

/// Two heartbeats of three missed.
fn patience(ttl: Millis) -> Millis {
    ttl - ttl / 3
}

impl Leases {
    /// Gives a lease from now on.
    pub fn begin(&mut self, key: Key, pulse: Arc<Pulse>, ttl: Millis, now: Millis) {
        self.end(&key);
        pulse.heard.store(now, Ordering::Release);
        let due = now + patience(ttl);
        self.due.insert((due, key.clone()));
        self.terms.insert(key, Term { pulse, ttl, due });
    }

    /// Ends a lease, whatever was left of it.
    pub fn end(&mut self, key: &Key) {
        if let Some(term) = self.terms.remove(key) {
            self.due.remove(&(term.due, key.clone()));
            self.silent -= usize::from(term.pulse.silent.load(Ordering::Acquire));
        }
    }

    /// Somebody who was silent is heard.
    pub fn heard_again(&mut self, key: &Key) {
        let Some(term) = self.terms.get_mut(key) else {
            return;
        };
        if !term.pulse.silent.swap(false, Ordering::AcqRel) {
            return;
        }
        term.pulse.held_until.store(0, Ordering::Release);
        self.silent -= 1;
        self.due.remove(&(term.due, key.clone()));
        term.due = term.pulse.heard() + patience(term.ttl);
        self.due.insert((term.due, key.clone()));
        self.braking &= self.is_crowd();
    }

    /// Whether most of all are silent, and they are many.
    fn is_crowd(&self) -> bool {
        self.silent >= CROWD && 2 * self.silent >= self.terms.len()
    }

    /// When the next appointment is.
    pub fn next(&self) -> Option<Millis> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Keeps every appointment that is due.
    pub fn sweep(&mut self, now: Millis) -> Sweep {
        let mut sweep = Sweep::default();
        let mut over = Vec::new();
        while let Some((due, _)) = self.due.first()
            && *due <= now
            && let Some((_, key)) = self.due.pop_first()
        {
            let Some(term) = self.terms.get_mut(&key) else {
                continue;
            };
            let heard = term.pulse.heard();
            if now < heard + patience(term.ttl) {
                term.due = heard + patience(term.ttl);
            } else if now < term.pulse.ends(term.ttl) {
                if !term.pulse.silent.swap(true, Ordering::AcqRel) {
                    self.silent += 1;
                    sweep.quiet.push(key.clone());
                }
                term.due = term.pulse.ends(term.ttl);
            } else {
                if !term.pulse.silent.swap(true, Ordering::AcqRel) {
                    self.silent += 1;
                }
                over.push((key, heard));
                continue;
            }
            self.due.insert((term.due, key));
        }
        self.brake(over, now, &mut sweep);
        sweep
    }

    /// Lets nobody go while most of all are silent: then it is more likely that they cannot be heard than that they left.
    fn brake(&mut self, over: Vec<(Key, Millis)>, now: Millis, sweep: &mut Sweep) {
        let crowd = self.is_crowd();
        self.braking &= crowd;
        for (key, heard) in over {
            let Some(term) = self.terms.get_mut(&key) else {
                continue;
            };
            if crowd && !term.pulse.is_held() {
                let until = now + term.ttl.max(LEAST_HOLD);
                term.pulse.held_until.store(until, Ordering::Release);
                term.due = until;
                self.due.insert((until, key.clone()));
                sweep.held.push(key);
            } else {
                // Asked about again should it not be let go after all.
                term.due = now + 1000;
                self.due.insert((term.due, key.clone()));
                sweep.over.push((key, heard));
            }
        }
        if !sweep.held.is_empty() && !self.braking {
            self.braking = true;
            sweep.brake = Some((self.silent, self.terms.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Millis = 60_000;

    struct World {
        leases: Leases,
        pulses: HashMap<String, Arc<Pulse>>,
    }

    fn key(name: &str) -> Key {
        Key::from(name)
    }

    fn world(names: usize) -> World {
        let mut world = World {
            leases: Leases::default(),
            pulses: HashMap::new(),
        };
        for number in 0..names {
            world.register(&format!("ci-{number}"), 0);
        }
        world
    }

    impl World {
        fn register(&mut self, name: &str, now: Millis) {
            let pulse = Arc::new(Pulse::default());
            self.leases.begin(key(name), pulse.clone(), TTL, now);
            self.pulses.insert(name.to_owned(), pulse);
        }

        fn beat(&mut self, name: &str, now: Millis) {
            if self.pulses[name].beat(now) {
                self.leases.heard_again(&key(name));
            }
        }

        /// Keeps all appointments until then, as whoever waits for the next one does.
        fn until(&mut self, end: Millis) -> Sweep {
            let mut all = Sweep::default();
            while let Some(due) = self.leases.next().filter(|due| *due <= end) {
                let sweep = self.leases.sweep(due);
                for (gone, _) in &sweep.over {
                    self.leases.end(gone);
                }
                all.quiet.extend(sweep.quiet);
                all.over.extend(sweep.over);
                all.held.extend(sweep.held);
                all.brake = all.brake.or(sweep.brake);
            }
            all
        }
    }

    #[test]
    fn a_record_is_quiet_after_two_thirds_of_its_lease_and_gone_after_all_of_it() {
        let mut world = world(1);
        assert_eq!(world.until(39_999), Sweep::default());
        assert_eq!(world.until(40_000).quiet, [key("ci-0")]);
        assert_eq!(world.until(59_999), Sweep::default());
        assert_eq!(world.until(60_000).over, [(key("ci-0"), 0)]);
        assert_eq!(world.leases.next(), None);
    }

    #[test]
    fn whoever_beats_is_never_quiet() {
        let mut world = world(1);
        for beat in 1..100 {
            world.beat("ci-0", beat * 20_000);
            assert_eq!(world.until(beat * 20_000 + 19_999), Sweep::default());
        }
        assert_eq!(world.leases.due.len(), 1, "it has one appointment");
        assert_eq!(world.until(99 * 20_000 + TTL).over.len(), 1);
    }

    #[test]
    fn whoever_was_quiet_and_is_heard_again_has_all_of_its_lease() {
        let mut world = world(1);
        assert_eq!(world.until(50_000).quiet.len(), 1);
        world.beat("ci-0", 50_000);
        assert_eq!(world.leases.silent, 0);
        assert_eq!(world.until(89_999), Sweep::default());
        assert_eq!(world.until(90_000).quiet.len(), 1);
        assert_eq!(world.until(110_000).over, [(key("ci-0"), 50_000)]);
    }

    #[test]
    fn some_of_many_are_let_go() {
        let mut world = world(20);
        for number in 0..11 {
            world.beat(&format!("ci-{number}"), 30_000);
        }
        let sweep = world.until(TTL);
        assert_eq!(
            (sweep.over.len(), sweep.held.len(), sweep.brake),
            (9, 0, None)
        );
    }

    #[test]
    fn a_few_are_let_go_also_when_they_are_all() {
        let sweep = world(7).until(TTL);
        assert_eq!((sweep.over.len(), sweep.held.len()), (7, 0));
    }

    #[test]
    fn half_of_all_at_once_are_held_for_a_while_and_it_is_told_once() {
        let mut world = world(16);
        for number in 0..8 {
            world.beat(&format!("ci-{number}"), 30_000);
        }
        let mut sweep = world.until(TTL);
        assert_eq!((sweep.over.len(), sweep.held.len()), (0, 8));
        assert_eq!(sweep.brake, Some((8, 16)));
        // The others fall silent, too.
        sweep = world.until(95_000);
        assert_eq!((sweep.over.len(), sweep.held.len()), (0, 8));
        assert_eq!(sweep.brake, None, "it was told");
        assert_eq!(world.until(119_999).over.len(), 0);
        assert_eq!(
            world.until(120_000).over.len(),
            8,
            "held once and no longer"
        );
        assert_eq!(world.until(200_000).over.len(), 8);
    }

    #[test]
    fn those_who_come_back_while_they_are_held_stay() {
        let mut world = world(10);
        assert_eq!(world.until(TTL).held.len(), 10);
        for number in 0..10 {
            world.beat(&format!("ci-{number}"), 70_000);
        }
        assert!(!world.pulses["ci-1"].is_held());
        assert_eq!(world.until(109_000), Sweep::default());
        assert_eq!(
            world.until(130_000).brake,
            Some((10, 10)),
            "the next time is told again"
        );
    }

    #[test]
    fn leases_that_end_early_leave_nothing_behind() {
        let mut world = world(0);
        for _ in 0..1000 {
            world.register("ci", 0);
            world.leases.end(&key("ci"));
            world.register("ci", 0);
        }
        assert_eq!((world.leases.due.len(), world.leases.terms.len()), (1, 1));
        world.until(50_000);
        world.leases.end(&key("ci"));
        assert_eq!((world.leases.due.len(), world.leases.silent), (0, 0));
    }
}
