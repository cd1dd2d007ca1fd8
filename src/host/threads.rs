//! Threads that share the work of a window.
//!
//! ```text
//! inside a step:   the others look for work again and again, and do not sleep while this thread works alone
//! a piece of work: each thread, this one too, does its share of the jobs, then what is left of others' shares;
//!                  then this one waits
//! ```
//!
//! A window takes milliseconds and has several pieces, so a thread that had to be woken for each would often come too late. A
//! thread's share is in the same place of the jobs each time, if there are jobs for all: what it wrote in one piece of work is
//! in its cache in the next.

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

    use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    #[derive(Debug)]
    struct Watch {
        /// Steps that are being done.
        steps: AtomicUsize,
        /// Of each thread, whether it looks for work.
        awake: Vec<AtomicBool>,
    }

    impl Watch {
        fn new(threads: usize) -> Self {
            let awake = (0..threads).map(|_| AtomicBool::new(false)).collect();
            Self { steps: AtomicUsize::new(0), awake }
        }

        /// Whether all threads look for work.
        fn is_kept(&self) -> bool {
            self.awake.iter().all(|awake| awake.load(Ordering::Acquire))
        }

        /// Keeps a thread awake that is not kept already: as long as there are steps, and a little longer, since the next one
        /// may follow at once.
        fn keep(&self, thread: usize) {
            let awake = &self.awake[thread];
            while !awake.swap(true, Ordering::AcqRel) {
                let mut patience = PATIENCE;
                while patience > 0 {
                    let is_idle = self.steps.load(Ordering::Acquire) == 0;
                    patience = if is_idle { patience - 1 } else { PATIENCE };
                    if rayon::yield_now() != Some(Yield::Executed) {
                        thread::yield_now();
                    }
                }
                awake.store(false, Ordering::Release);
                if self.steps.load(Ordering::Acquire) == 0 {
                    break;
                }
            }
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
                Ok(threads) => Ok(Self { threads: Arc::new(threads), watch: Arc::new(Watch::new(others)) }),
                Err(error) => Err(HostError::Setting(error.to_string())),
            }
        }

        pub(super) fn others(&self) -> usize {
            self.threads.current_num_threads()
        }

        /// Does something here, while the others look for work.
        pub(super) fn awake<T>(&self, work: impl FnOnce() -> T) -> T {
            let _step = Step::new(&self.watch);
            if !self.watch.is_kept() {
                // One for each thread, which no other takes.
                let watch = Arc::clone(&self.watch);
                self.threads.spawn_broadcast(move |thread| watch.keep(thread.index()));
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

    #[cfg(test)]
    mod tests {
        use core::panic::AssertUnwindSafe;
        use core::time::Duration;
        use std::panic::catch_unwind;

        use super::*;

        #[test]
        fn each_job_is_done_once_and_results_are_in_order() {
            for others in 1..5 {
                let pool = Pool::new(others).expect("threads");
                for jobs in 0..23 {
                    let times: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
                    let work = |job: usize| {
                        times[job].fetch_add(1, Ordering::Relaxed);
                        job * job
                    };
                    let done = pool.awake(|| pool.each((0..jobs).collect(), work));
                    assert_eq!(done, (0..jobs).map(|job| job * job).collect::<Vec<_>>());
                    assert!(
                        times.iter().all(|times| times.load(Ordering::Relaxed) == 1),
                        "{jobs} on {others}"
                    );
                }
            }
        }

        #[test]
        fn all_threads_are_kept_awake_during_a_step_and_none_after_it() {
            let pool = Pool::new(3).expect("threads");
            let watch = Arc::clone(&pool.watch);
            for _ in 0..2 {
                pool.awake(|| until(|| watch.is_kept()));
                until(|| !watch.awake.iter().any(|awake| awake.load(Ordering::Acquire)));
            }
            pool.awake(|| ());
            drop(pool);
            until(|| Arc::strong_count(&watch) == 1);
        }

        #[test]
        fn a_panic_is_passed_on_and_the_step_is_over() {
            let pool = Pool::new(2).expect("threads");
            let work = |job: usize| assert_ne!(job, 5, "as it should");
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.awake(|| pool.each((0..9).collect(), work))));
            assert!(outcome.is_err());
            assert_eq!(pool.watch.steps.load(Ordering::Acquire), 0);
            assert_eq!(pool.each((0..3).collect(), |job: usize| job), [0, 1, 2]);
        }

        /// Waits for what comes soon, or never.
        fn until(is_so: impl Fn() -> bool) {
            while !is_so() {
                thread::sleep(Duration::from_micros(50));
            }
        }
    }
}
