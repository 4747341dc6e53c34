//! How much a client may ask for: requests by rate, requests at once, and bytes of bodies at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use vault_core::id::DeviceId;

/// Requests that are answered at the same time.
const AT_ONCE: usize = 512;

/// Streams of change events at the same time.
const FOLLOWING: usize = 4096;

/// KiB of bodies in memory at the same time: the longest append, and some short ones beside it.
const BODIES_KIB: usize = 48 << 10;

/// Long bodies that are decoded, or pages that are encoded, at the same time: each is in memory several times then.
const HEAVY: usize = 2;

/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever's rates are kept; when there are more, those who have not asked for long are forgotten.
const KEPT: usize = 65_536;

/// Seconds of the rate that may be used at once.
const BURST_SECONDS: f64 = 5.0;

/// Whose rate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Who {
    /// A device with a session.
    Device(DeviceId),
    /// Whoever asks without one.
    Address(IpAddr),
}

/// The limits of a server.
pub struct Limits {
    rate: f64,
    buckets: Mutex<HashMap<Who, Bucket>>,
    requests: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    heavy: Semaphore,
    following: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Limits {
    /// Makes the limits; `rate` is in requests a second for each device, and 0 is none.
    pub fn new(rate: u32) -> Self {
        Self {
            rate: f64::from(rate),
            buckets: Mutex::default(),
            requests: Arc::new(Semaphore::new(AT_ONCE)),
            bodies: Arc::new(Semaphore::new(BODIES_KIB)),
            heavy: Semaphore::new(HEAVY),
            following: Arc::new(Semaphore::new(FOLLOWING)),
        }
    }

    /// Takes one request off somebody's rate.
    ///
    /// # Errors
    /// How long to wait, in whole seconds.
    pub fn take(&self, who: Who, now: Instant) -> Result<(), Duration> {
        if self.rate <= 0.0 {
            return Ok(());
        }
        let full = self.rate * BURST_SECONDS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEPT && !buckets.contains_key(&who) {
            // A bucket that has had the time to fill says nothing.
            let refill = Duration::from_secs_f64(BURST_SECONDS);
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < refill);
            if buckets.len() >= KEPT {
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = buckets.entry(who).or_insert(Bucket { tokens: full, at: now });
        let gone = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + gone * self.rate).min(full);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            let wait = (1.0 - bucket.tokens) / self.rate;
            return Err(Duration::from_secs_f64(wait.max(1.0).ceil()));
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Lets a request in; `None` where there are too many.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    /// Lets somebody follow changes; `None` where there are too many who do.
    pub fn follow(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.following).try_acquire_owned().ok()
    }

    /// Makes room for a body of so many bytes; `None` where there is none for ten seconds.
    pub async fn body(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).ok()?;
        let room = Arc::clone(&self.bodies).acquire_many_owned(kib);
        tokio::time::timeout(PATIENCE, room).await.ok()?.ok()
    }

    /// Waits for the turn of what takes much memory for a moment.
    pub async fn heavy(&self) -> Option<SemaphorePermit<'_>> {
        self.heavy.acquire().await.ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_each_ones_own_and_comes_back() {
        let limits = Limits::new(2);
        let start = Instant::now();
        let (one, other) = (Who::Device(DeviceId([1; 16])), Who::Device(DeviceId([2; 16])));
        for _ in 0..10 {
            assert_eq!(limits.take(one, start), Ok(()));
        }
        assert_eq!(limits.take(one, start), Err(Duration::from_secs(1)));
        assert_eq!(limits.take(other, start), Ok(()));
        let later = start + Duration::from_millis(500);
        assert_eq!(limits.take(one, later), Ok(()));
        assert!(limits.take(one, later).is_err());
        let unlimited = Limits::new(0);
        assert!((0..100).all(|_| unlimited.take(one, start).is_ok()));
    }

    #[test]
    fn those_whose_rates_are_kept_are_bounded() {
        let limits = Limits::new(1);
        let start = Instant::now();
        let who = |number: u32| Who::Address(std::net::Ipv4Addr::from(number).into());
        for number in 0..KEPT as u32 {
            assert_eq!(limits.take(who(number), start), Ok(()));
        }
        assert!(limits.take(who(u32::MAX), start).is_err());
        assert_eq!(limits.take(who(0), start), Ok(()));
        let later = start + Duration::from_secs(6);
        assert_eq!(limits.take(who(u32::MAX), later), Ok(()));
        assert_eq!(limits.buckets.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_wait_for_room_and_not_for_ever() {
        let limits = Limits::new(0);
        let first = limits.body(40 << 20).await.unwrap();
        assert!(limits.body(10 << 20).await.is_none());
        let (waiting, _) = tokio::join!(limits.body(10 << 20), async { drop(first) });
        assert!(waiting.is_some());
        assert!(limits.body(usize::MAX).await.is_none());
    }
}
