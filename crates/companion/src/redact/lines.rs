//! Hides known secrets in lines, each of which belongs to something: a time, a step.

use std::collections::VecDeque;

use super::stream::Cleaner;

/// Hides known secrets in lines that come one by one, also those that go on from one line to the next. There come out as
/// many lines as went in, each with what belongs to it.
pub struct Lines<T> {
    cleaner: Cleaner,
    /// What belongs to lines that are held back, and how many breaks each has within it.
    waiting: VecDeque<(T, usize)>,
    clean: Vec<u8>,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Lines<T> {
    /// Hides what is known now.
    pub fn new() -> Self {
        Self::over(Cleaner::new())
    }

    pub(super) fn over(cleaner: Cleaner) -> Self {
        Self {
            cleaner,
            waiting: VecDeque::new(),
            clean: Vec::new(),
        }
    }

    /// Takes a line; gives those that are decided.
    pub fn push(&mut self, what: T, line: &str) -> Vec<(T, String)> {
        let breaks = line.bytes().filter(|byte| *byte == b'\n').count();
        self.waiting.push_back((what, breaks));
        let line = [line.as_bytes(), b"\n"].concat();
        self.cleaner.push_soon(&line, &mut self.clean);
        self.decided()
    }

    /// Whether a line is held back.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Gives what is held back, where nobody should wait for it longer; a secret that goes on is still hidden from there on.
    pub fn let_go(&mut self) -> Vec<(T, String)> {
        self.cleaner.let_go(&mut self.clean);
        self.decided()
    }

    fn decided(&mut self) -> Vec<(T, String)> {
        let mut lines = Vec::new();
        while let Some((_, breaks)) = self.waiting.front() {
            let mut ends = (0..self.clean.len()).filter(|at| self.clean.get(*at) == Some(&b'\n'));
            let Some(end) = ends.nth(*breaks) else {
                break;
            };
            let line: Vec<u8> = self.clean.drain(..=end).take(end).collect();
            if let Some((what, _)) = self.waiting.pop_front() {
                lines.push((what, String::from_utf8_lossy(&line).into_owned()));
            }
        }
        lines
    }
}
