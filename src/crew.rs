//! Who does the work: one thread, or several that share it.

/// Does pieces of work that do not depend on each other, and hands over what comes of them in order.
///
/// Who does a piece never changes its result, so neither does the number of threads. A crew may give a thread pieces that
/// follow each other, and those in the same places from call to call: that changes time only.
pub trait Crew {
    /// How many pieces can be worked on at a time.
    fn threads(&self) -> usize;

    /// Does `work` on each job, and gives the results to `take`, in the order of the jobs.
    fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        work: impl Fn(J) -> T + Sync,
        take: impl FnMut(T),
    );
}

/// The thread that asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Crew for Alone {
    #[inline(always)]
    fn threads(&self) -> usize {
        1
    }

    #[inline(always)]
    fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        work: impl Fn(J) -> T + Sync,
        mut take: impl FnMut(T),
    ) {
        for job in jobs {
            take(work(job));
        }
    }
}
