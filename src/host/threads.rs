//! Threads that share the work of a window.
//!
//! ```text
//! inside a step:   the others look for work again and again, and do not sleep while this thread works alone
//! a piece of work: each thread, this one too, does its share of the jobs, then what is left of others' shares;
//!                  then this one waits
//! ```
//!
//! A window takes milliseconds and has several pieces, so a thread that had to be woken for each would often come too late. A
//! thread's share is in the same place of the jobs each time: what it wrote in one piece of work is in its cache in the next.

use super::HostError;
use crate::crew::{Alone, Crew};

/// As many threads as were asked for: the one that asks, or others with it.
#[derive(Clone, Debug)]
pub(super) enum Threads {
    One,
    #[cfg(feature = "rayon")]
    Several(pool::Pool),
}

impl Threads {
    /// Starts threads; several need the feature `rayon`.
    pub(super) fn new(number: usize) -> Result<Self, HostError> {
        match number {
            0 => Err(HostError::Setting("there must be at least 1 thread".into())),
            1 => Ok(Self::One),
            #[cfg(feature = "rayon")]
            _ => Ok(Self::Several(pool::Pool::new(number - 1)?)),
            #[cfg(not(feature = "rayon"))]
            _ => Err(HostError::Setting("several threads need the feature rayon".into())),
        }
    }

    /// Does something during which the others are kept awake.
    pub(super) fn inside<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::One => work(),
            #[cfg(feature = "rayon")]
            Self::Several(pool) => pool.awake(work),
        }
    }
}

impl Crew for Threads {
    fn threads(&self) -> usize {
        match self {
            Self::One => 1,
            #[cfg(feature = "rayon")]
            Self::Several(pool) => pool.others() + 1,
        }
    }

    #[inline]
    fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        work: impl Fn(J) -> T + Sync,
        take: impl FnMut(T),
    ) {
        match self {
            Self::One => Alone.each(jobs, work, take),
            #[cfg(feature = "rayon")]
            Self::Several(pool) => pool.each(jobs.collect(), work).into_iter().for_each(take),
        }
    }
}

#[cfg(feature = "rayon")]
mod pool {
    //! The others, as a pool of `rayon`.

    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::string::ToString;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::thread;
    use std::vec::Vec;

    use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

    use crate::host::HostError;

    /// How often a thread that finds nothing to do looks again after a step: for some tenths of a millisecond.
    const PATIENCE: usize = 1 << 10;

    #[derive(Clone, Debug)]
    pub(in crate::host) struct Pool {
        threads: Arc<ThreadPool>,
        watch: Arc<Watch>,
    }

    /// Who is awake, and why.
    #[derive(Debug, Default)]
    struct Watch {
        /// Steps that are being done.
        steps: AtomicUsize,
        /// Threads that look for work.
        awake: AtomicUsize,
    }

    impl Watch {
        /// Looks for work as long as there are steps, and a little longer: the next one may follow at once.
        fn keep(&self) {
            let mut patience = PATIENCE;
            while patience > 0 {
                let is_idle = self.steps.load(Ordering::Acquire) == 0;
                patience = if is_idle { patience - 1 } else { PATIENCE };
                if rayon::yield_now() != Some(Yield::Executed) {
                    thread::yield_now();
                }
            }
            self.awake.fetch_sub(1, Ordering::Release);
        }
    }

    /// A step that is being done, until it is dropped.
    struct Step<'a>(&'a Watch);

    impl<'a> Step<'a> {
        fn new(watch: &'a Watch) -> Self {
            watch.steps.fetch_add(1, Ordering::Release);
            Self(watch)
        }
    }

    impl Drop for Step<'_> {
        fn drop(&mut self) {
            self.0.steps.fetch_sub(1, Ordering::Release);
        }
    }

    impl Pool {
        pub(super) fn new(others: usize) -> Result<Self, HostError> {
            match ThreadPoolBuilder::new().num_threads(others).build() {
                Ok(threads) => Ok(Self { threads: Arc::new(threads), watch: Arc::default() }),
                Err(error) => Err(HostError::Setting(error.to_string())),
            }
        }

        pub(super) fn others(&self) -> usize {
            self.threads.current_num_threads()
        }

        /// Does something here, while the others look for work.
        pub(super) fn awake<T>(&self, work: impl FnOnce() -> T) -> T {
            let _step = Step::new(&self.watch);
            while self.watch.awake.load(Ordering::Acquire) < self.others() {
                self.watch.awake.fetch_add(1, Ordering::Release);
                let watch = Arc::clone(&self.watch);
                self.threads.spawn(move || watch.keep());
            }
            work()
        }

        /// Does `work` on each job; the results, in the order of the jobs.
        pub(super) fn each<J: Send, T: Send>(&self, jobs: Vec<J>, work: impl Fn(J) -> T + Sync) -> Vec<T> {
            let helpers = self.others().min(jobs.len().saturating_sub(1));
            let shares = Shares::new(jobs, helpers + 1);
            let done = Mutex::new(Vec::with_capacity(shares.jobs.len()));
            let busy = AtomicUsize::new(helpers);
            let until_none_is_left = |thread: usize| {
                shares.each(thread, |place, job| {
                    let result = work(job);
                    lock(&done).push((place, result));
                });
            };
            self.threads.in_place_scope(|scope| {
                for _ in 0..helpers {
                    scope.spawn(|_| {
                        until_none_is_left(1 + rayon::current_thread_index().unwrap_or(0));
                        busy.fetch_sub(1, Ordering::Release);
                    });
                }
                until_none_is_left(0);
                // The scope would sleep until the others are done. They are soon, if they do not panic.
                let mut patience = 1 << 16;
                while busy.load(Ordering::Acquire) > 0 && patience > 0 {
                    patience -= 1;
                    thread::yield_now();
                }
            });
            let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
            done.sort_unstable_by_key(|&(place, _)| place);
            done.into_iter().map(|(_, result)| result).collect()
        }
    }

    /// Jobs in as many shares as there are threads.
    struct Shares<J> {
        jobs: Vec<Mutex<Option<J>>>,
        /// Jobs of a share, at most.
        each: usize,
        /// Of each share, how many jobs have been taken, or more.
        taken: Vec<AtomicUsize>,
    }

    impl<J> Shares<J> {
        fn new(jobs: Vec<J>, threads: usize) -> Self {
            let each = jobs.len().div_ceil(threads).max(1);
            let taken = (0..threads).map(|_| AtomicUsize::new(0)).collect();
            Self { jobs: jobs.into_iter().map(|job| Mutex::new(Some(job))).collect(), each, taken }
        }

        /// Does something with each job that nobody else took: the thread's own share, then what is left of those after it.
        fn each(&self, thread: usize, mut work: impl FnMut(usize, J)) {
            let shares = self.taken.len();
            for share in (thread..thread + shares).map(|share| share % shares) {
                while let Some(place) = self.next(share) {
                    if let Some(job) = self.jobs.get(place).and_then(|job| lock(job).take()) {
                        work(place, job);
                    }
                }
            }
        }

        /// The next job of a share.
        fn next(&self, share: usize) -> Option<usize> {
            let place = self.taken[share].fetch_add(1, Ordering::Relaxed);
            (place < self.each).then_some(share * self.each + place)
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
