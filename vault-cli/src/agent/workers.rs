//! Threads that answer. A few stay for whoever asks next: to begin a thread, and to give it a stack, takes as long as a
//! short answer.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

/// Most threads that wait for work.
const KEPT: usize = 2;

/// What a thread does.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads that wait for work.
#[derive(Default)]
pub(super) struct Workers {
    waiting: Mutex<Vec<SyncSender<Job>>>,
}

impl Workers {
    /// Does `job`, which does not panic, on a thread that waits or on a new one.
    ///
    /// # Errors
    /// Where the system has no more threads.
    pub(super) fn run(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let waiting = self.lock().pop();
        let job = match waiting {
            Some(worker) => match worker.send(job) {
                Ok(()) => return Ok(()),
                Err(back) => back.0,
            },
            None => job,
        };
        let workers = Arc::clone(self);
        std::thread::Builder::new().spawn(move || workers.work(job)).map(drop)
    }

    fn work(&self, mut job: Job) {
        let (sender, next) = sync_channel(1);
        loop {
            job();
            crate::memory::scrub_stack();
            {
                let mut waiting = self.lock();
                if waiting.len() >= KEPT {
                    return;
                }
                waiting.push(sender.clone());
            }
            match next.recv() {
                Ok(more) => job = more,
                Err(_) => return,
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SyncSender<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Barrier;
    use std::sync::mpsc::channel;
    use std::thread::ThreadId;

    #[test]
    fn every_job_is_done_beside_the_others_and_a_few_threads_stay() {
        let workers = Arc::new(Workers::default());
        let mut seen: HashSet<ThreadId> = HashSet::new();
        for _ in 0..10 {
            // All at once: each of them waits until all have begun.
            let (all, (tell, told)) = (Arc::new(Barrier::new(5)), channel());
            for _ in 0..5 {
                let (all, tell) = (Arc::clone(&all), tell.clone());
                let job = move || {
                    all.wait();
                    tell.send(std::thread::current().id()).unwrap();
                };
                workers.run(Box::new(job)).unwrap();
            }
            let these: HashSet<ThreadId> = (0..5).map(|_| told.recv().unwrap()).collect();
            assert_eq!(these.len(), 5);
            seen.extend(these);
            while workers.lock().len() < KEPT {
                std::thread::yield_now();
            }
        }
        // At least two of five are those of before each time.
        assert!(seen.len() <= 5 + 9 * 3, "{}", seen.len());
        assert_eq!(workers.lock().len(), KEPT);
    }
}
