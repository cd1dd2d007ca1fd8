//! Several threads, as a test's crew.

use std::sync::Mutex;

use recurve::crew::Crew;

/// Threads that start for each piece of work, in no order.
pub struct Crowd(pub usize);

impl Crew for Crowd {
    fn threads(&self) -> usize {
        self.0
    }

    fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        work: impl Fn(J) -> T + Sync,
        take: impl FnMut(T),
    ) {
        let jobs: Vec<J> = jobs.collect();
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (index, job) in jobs.into_iter().enumerate().rev() {
                let (work, done) = (&work, &done);
                scope.spawn(move || {
                    let result = work(job);
                    done.lock().expect("no panic").push((index, result));
                });
            }
        });
        let mut done = done.into_inner().expect("no panic");
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, result)| result).for_each(take);
    }
}
