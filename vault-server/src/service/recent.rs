//! A bounded map that forgets what was not asked for longest.

use std::collections::HashMap;
use std::hash::Hash;

/// What was used of late, at most so many.
pub(super) struct Recent<K, V> {
    most: usize,
    clock: u64,
    kept: HashMap<K, (u64, V)>,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            clock: 0,
            kept: HashMap::new(),
        }
    }

    /// Looks at a value, which counts as no use of it.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.kept.get(key).map(|(_, value)| value)
    }

    /// Takes a value out; whoever uses it puts it back.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.kept.remove(key).map(|(_, value)| value)
    }

    /// Puts a value in, and forgets the older half if there is no room.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.kept.len() >= self.most {
            let mut used: Vec<u64> = self.kept.values().map(|(at, _)| *at).collect();
            let middle = used.len() / 2;
            let (_, middle, _) = used.select_nth_unstable(middle);
            let middle = *middle;
            self.kept.retain(|_, (at, _)| *at > middle);
        }
        self.clock += 1;
        self.kept.insert(key, (self.clock, value));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_there_are_never_more_than_so_many() {
        let mut recent = Recent::new(8);
        for number in 0..100 {
            if let Some(first) = recent.take(&0) {
                recent.put(0, first);
            }
            recent.put(number, number);
            assert!(recent.kept.len() <= 8);
            assert_eq!(recent.kept.get(&0).unwrap().1, 0);
        }
    }
}
