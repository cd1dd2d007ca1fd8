//! Threads that share the work of a window.
//!
//! ```text
//! inside a step:  the others look for work again and again, and do not sleep while this thread works alone
//! a piece of work: each thread, this one too, takes the next job until there is none; then this one waits
//! ```
//!
//! A window takes milliseconds and has several pieces, so a thread that had to be woken for each would often come too late.

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

    #[derive(Clone, Debug)]
    pub(in crate::host) struct Pool(Arc<ThreadPool>);

    /// Says that something is over, whether it came to its end or panicked.
    struct Over<'a>(&'a AtomicBool);

    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    impl Pool {
        pub(super) fn new(others: usize) -> Result<Self, HostError> {
            match ThreadPoolBuilder::new().num_threads(others).build() {
                Ok(pool) => Ok(Self(Arc::new(pool))),
                Err(error) => Err(HostError::Setting(error.to_string())),
            }
        }

        pub(super) fn others(&self) -> usize {
            self.0.current_num_threads()
        }

        /// Does something here, while the others look for work.
        pub(super) fn awake<T>(&self, work: impl FnOnce() -> T) -> T {
            let over = AtomicBool::new(false);
            self.0.in_place_scope(|scope| {
                for _ in 0..self.others() {
                    scope.spawn(|_| {
                        while !over.load(Ordering::Acquire) {
                            if rayon::yield_now() != Some(Yield::Executed) {
                                thread::yield_now();
                            }
                        }
                    });
                }
                let _over = Over(&over);
                work()
            })
        }

        /// Does `work` on each job; the results, in the order of the jobs.
        pub(super) fn each<J: Send, T: Send>(&self, jobs: Vec<J>, work: impl Fn(J) -> T + Sync) -> Vec<T> {
            let helpers = self.others().min(jobs.len().saturating_sub(1));
            let done = Mutex::new(Vec::with_capacity(jobs.len()));
            let left = Mutex::new(jobs.into_iter().enumerate());
            let busy = AtomicUsize::new(helpers);
            // A function of its own: what is locked is free again when it returns.
            let next = || lock(&left).next();
            let until_none_is_left = || {
                while let Some((place, job)) = next() {
                    let result = work(job);
                    lock(&done).push((place, result));
                }
            };
            self.0.in_place_scope(|scope| {
                for _ in 0..helpers {
                    scope.spawn(|_| {
                        until_none_is_left();
                        busy.fetch_sub(1, Ordering::Release);
                    });
                }
                until_none_is_left();
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

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
