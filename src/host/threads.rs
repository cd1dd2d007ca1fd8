//! Threads that share the work of a window.

use std::string::ToString;
#[cfg(feature = "rayon")]
use std::sync::Arc;

use super::HostError;
use crate::crew::{Alone, Crew};

/// As many threads as were asked for: the one that asks, or a pool of them.
#[derive(Clone, Debug)]
pub(super) enum Threads {
    One,
    #[cfg(feature = "rayon")]
    Pool(Arc<rayon::ThreadPool>),
}

impl Threads {
    /// Starts threads; several need the feature `rayon`.
    pub(super) fn new(number: usize) -> Result<Self, HostError> {
        match number {
            0 => Err(HostError::Setting("there must be at least 1 thread".into())),
            1 => Ok(Self::One),
            #[cfg(feature = "rayon")]
            _ => match rayon::ThreadPoolBuilder::new().num_threads(number).build() {
                Ok(pool) => Ok(Self::Pool(Arc::new(pool))),
                Err(error) => Err(HostError::Setting(error.to_string())),
            },
            #[cfg(not(feature = "rayon"))]
            _ => Err(HostError::Setting("several threads need the feature rayon".to_string())),
        }
    }

    /// Does something on one of the threads, where [`each`](Crew::each) then begins without waking it, and without putting
    /// the thread that asked to sleep, each time.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Self::One => work(),
            #[cfg(feature = "rayon")]
            Self::Pool(pool) => pool.install(work),
        }
    }
}

impl Crew for Threads {
    fn threads(&self) -> usize {
        match self {
            Self::One => 1,
            #[cfg(feature = "rayon")]
            Self::Pool(pool) => pool.current_num_threads(),
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
            Self::Pool(pool) => {
                use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
                let jobs: std::vec::Vec<J> = jobs.collect();
                let work = &work;
                // Most of the work may be in two neighbours of many jobs, which rayon would give to one thread.
                let one_by_one = jobs.into_par_iter().with_max_len(1).map(work);
                let done: std::vec::Vec<T> = pool.install(|| one_by_one.collect());
                done.into_iter().for_each(take);
            }
        }
    }
}
