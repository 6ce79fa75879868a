//! How far the bench is, and how long it will still take.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Often enough for a bar that moves.
const REDRAWN_EVERY: Duration = Duration::from_millis(250);

/// The bar; clones share it.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    course: Arc<Mutex<Course>>,
}

/// Where we are: times are foreseen ones, except for what is over.
#[derive(Debug)]
struct Course {
    all: Duration,
    /// Of the parts that are over.
    passed: Duration,
    current: Option<(String, Duration, Instant)>,
}

// === impl Progress ===

impl Progress {
    /// Nothing is done of what should take so long in all.
    pub fn of(all: Duration) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(all.as_millis() as u64), target);
        // The template is a constant of ours; the default style serves if it were wrong.
        let style = ProgressStyle::with_template("[{bar:30}] {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let course = Course {
            all,
            passed: Duration::ZERO,
            current: None,
        };
        let progress = Self {
            bar: bar.with_style(style.progress_chars("=> ")),
            course: Arc::new(Mutex::new(course)),
        };
        progress.keep_moving();
        progress
    }

    /// One more piece, which should take so many seconds.
    pub fn piece<T>(&self, name: &str, seconds: u32, work: impl FnOnce() -> T) -> T {
        let foreseen = Duration::from_secs(u64::from(seconds));
        self.course().current = Some((name.to_owned(), foreseen, Instant::now()));
        self.say(&format!("{name} ({} left in all)", self.course().left()));
        let done = work();
        let mut course = self.course();
        course.passed += foreseen;
        course.current = None;
        done
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }

    /// What a program says, line by line, until it says no more.
    pub fn relay(&self, from: impl Read + Send + 'static) -> JoinHandle<()> {
        let progress = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                progress.say(&line);
            }
        })
    }

    /// Everything is done.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Ends with the bar, which whoever draws it ends.
    fn keep_moving(&self) {
        let progress = self.clone();
        thread::spawn(move || {
            while !progress.bar.is_finished() {
                let (position, message) = progress.course().shown();
                progress.bar.set_position(position.as_millis() as u64);
                progress.bar.set_message(message);
                thread::sleep(REDRAWN_EVERY);
            }
        });
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Course ===

impl Course {
    /// How far; a piece that takes longer than was foreseen stands at its end.
    fn position(&self) -> Duration {
        let current = self.current.as_ref();
        let current = current.map_or(Duration::ZERO, |(_, foreseen, since)| {
            since.elapsed().min(*foreseen)
        });
        self.passed + current
    }

    fn left(&self) -> String {
        let left = self.all.saturating_sub(self.position()).as_secs();
        match left {
            0..5 => "a few seconds".to_owned(),
            5..90 => format!("about {} s", left.div_ceil(5) * 5),
            _ => format!("about {} min", left.div_ceil(60)),
        }
    }

    fn shown(&self) -> (Duration, String) {
        let name = self.current.as_ref().map_or("", |(name, ..)| name);
        (self.position(), format!("{} left · {name}", self.left()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, Duration, Instant};

    fn course(passed: u64, current: Option<u64>) -> Course {
        let foreseen = |seconds| {
            let begun = Instant::now() - Duration::from_secs(3_600);
            ("piece".to_owned(), Duration::from_secs(seconds), begun)
        };
        Course {
            all: Duration::from_secs(600),
            passed: Duration::from_secs(passed),
            current: current.map(foreseen),
        }
    }

    /// Promise: the time that is left is what was foreseen less what has passed, and a slow piece does not run over the end.
    #[test]
    fn what_is_left_is_said() {
        assert_eq!(course(0, None).left(), "about 10 min");
        assert_eq!(course(300, Some(220)).left(), "about 80 s");
        assert_eq!(course(500, Some(100)).left(), "a few seconds");
        let (position, message) = course(0, Some(60)).shown();
        assert_eq!(position, Duration::from_secs(60));
        assert_eq!(message, "about 9 min left · piece");
    }
}
