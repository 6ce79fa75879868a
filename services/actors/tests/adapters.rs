//! One suite, run over both adapters: what actors promise does not depend on what runs them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use berth_actors::{
    Actor, Address, AskError, Clock, Context, Handler, ManualClock, MonotonicClock, Reply, Spawner,
    Timer, Unanswered, Undelivered, Waiting,
};
use tokio::task::LocalSet;

/// Remembers what it was told, in order.
#[derive(Default)]
struct Book {
    lines: Vec<String>,
    kept: Vec<Reply<usize>>,
    alarm: Option<Timer>,
}

struct Line(&'static str);
struct Count(Reply<usize>);
struct Keep(Reply<usize>);
struct DropKept;
struct WriteLater(u64, &'static str);
struct CancelLast(Reply<bool>);
struct StopNow;
struct TimeIs(Reply<u64>);

impl Actor for Book {
    type Observation = Vec<String>;
    fn started(&mut self, _context: &mut Context<Self>) {
        self.lines.push("started".into());
    }
    fn observe(&self) -> Vec<String> {
        self.lines.clone()
    }
}

impl Handler<Line> for Book {
    fn handle(&mut self, message: Line, _context: &mut Context<Self>) {
        self.lines.push(message.0.into());
    }
}

impl Handler<Count> for Book {
    fn handle(&mut self, message: Count, _context: &mut Context<Self>) {
        message.0.answer(self.lines.len());
    }
}

impl Handler<Keep> for Book {
    fn handle(&mut self, message: Keep, _context: &mut Context<Self>) {
        self.kept.push(message.0);
    }
}

impl Handler<DropKept> for Book {
    fn handle(&mut self, _message: DropKept, _context: &mut Context<Self>) {
        self.kept.clear();
    }
}

impl Handler<WriteLater> for Book {
    fn handle(&mut self, message: WriteLater, context: &mut Context<Self>) {
        let WriteLater(after_ms, text) = message;
        let alarm = move |book: &mut Book, context: &mut Context<Book>| {
            book.lines.push(format!("{text}@{}", context.now_ms()));
        };
        self.alarm = Some(context.run_later(after_ms, alarm));
    }
}

impl Handler<CancelLast> for Book {
    fn handle(&mut self, message: CancelLast, context: &mut Context<Self>) {
        let cancelled = self.alarm.take().is_some_and(|timer| context.cancel(timer));
        message.0.answer(cancelled);
    }
}

impl Handler<StopNow> for Book {
    fn handle(&mut self, _message: StopNow, context: &mut Context<Self>) {
        context.stop();
    }
}

impl Handler<TimeIs> for Book {
    fn handle(&mut self, message: TimeIs, context: &mut Context<Self>) {
        message.0.answer(context.now_ms());
    }
}

/// Runs the story over each adapter, on a paused clock.
fn over_each_adapter<F: Future<Output = ()>>(story: impl Fn(Spawner) -> F) {
    for make in [Spawner::new, Spawner::plain] {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let spawner = make(Arc::new(MonotonicClock::start()));
            LocalSet::new().run_until(story(spawner)).await;
        });
    }
}

fn keep(book: &Address<Book>) -> Waiting<usize> {
    let (reply, waiting) = Reply::new();
    book.try_send(Keep(reply)).expect("taken");
    waiting
}

/// Promise: messages of one sender are handled in their order, after `started`.
#[test]
fn order_is_kept() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 8);
        book.try_send(Line("one")).unwrap();
        book.sender::<Line>().try_send(Line("two")).unwrap();
        assert_eq!(book.observe().await.unwrap(), ["started", "one", "two"]);
    });
}

/// Promise: a full mailbox gives the message back, takes again when there is room, and never refuses `observe`.
#[test]
fn a_full_mailbox_is_a_value() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 2);
        book.try_send(Line("one")).unwrap();
        book.try_send(Line("two")).unwrap();
        let refused = book.try_send(Line("three")).unwrap_err();
        assert!(matches!(&refused, Undelivered::Busy(_)), "{refused:?}");
        assert_eq!(refused.into_message().0, "three");
        assert_eq!(book.ask(Count).await, Err(AskError::Busy));
        book.deliver(Line("fed"));
        assert_eq!(book.depth(), 3);
        let lines = book.observe().await.unwrap();
        assert_eq!(lines, ["started", "one", "two", "fed"]);
        assert_eq!(book.depth(), 0);
        book.try_send(Line("four")).unwrap();
        assert_eq!(book.ask(Count).await, Ok(5));
    });
}

/// Promise: a reply dropped unanswered, by its holder or with its actor, is a typed error; an answered one is not.
#[test]
fn a_dropped_reply_is_an_answer() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 8);
        let dropped = keep(&book);
        book.try_send(DropKept).unwrap();
        assert_eq!(dropped.await, Err(Unanswered));

        let (kept, queued) = (keep(&book), {
            book.try_send(StopNow).unwrap();
            keep(&book)
        });
        assert_eq!(kept.await, Err(Unanswered));
        assert_eq!(queued.await, Err(Unanswered));
        assert!(!book.is_open());
        let refused = book.try_send(Line("late")).unwrap_err();
        assert!(matches!(refused, Undelivered::Closed(Line("late"))));
        assert_eq!(book.ask(Count).await, Err(AskError::Closed));
    });
}

/// Promise: a reply may become a message to whoever asked, answered or not, even when that mailbox is full.
#[test]
fn an_answer_comes_as_a_message() {
    over_each_adapter(|spawner| async move {
        let asking = spawner.spawn(Book::default(), 1);
        let asked = spawner.spawn(Book::default(), 8);
        let back = |address: &Address<Book>| {
            let address = address.clone();
            Reply::call(move |answer: Result<usize, Unanswered>| {
                address.deliver(Line(if answer.is_ok() { "answer" } else { "none" }));
            })
        };
        asked.try_send(Count(back(&asking))).unwrap();
        asked.try_send(Keep(back(&asking))).unwrap();
        asking.try_send(Line("fills")).unwrap();
        asked.stop();
        while asked.is_open() {
            tokio::task::yield_now().await;
        }
        let lines = asking.observe().await.unwrap();
        assert_eq!(lines, ["started", "fills", "answer", "none"]);
    });
}

/// Promise: timers run at their time and in their order, see the clock, and a cancelled one never runs.
#[test]
fn timers_follow_the_clock() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 8);
        book.try_send(WriteLater(300, "late")).unwrap();
        book.try_send(WriteLater(100, "early")).unwrap();
        book.try_send(WriteLater(100, "second")).unwrap();
        book.try_send(WriteLater(200, "never")).unwrap();
        assert_eq!(book.ask(CancelLast).await, Ok(true));
        assert_eq!(book.ask(CancelLast).await, Ok(false));
        tokio::time::sleep(Duration::from_millis(99)).await;
        assert_eq!(book.observe().await.unwrap(), ["started"]);
        tokio::time::sleep(Duration::from_millis(2)).await;
        let lines = book.observe().await.unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        tokio::time::sleep(Duration::from_millis(900)).await;
        let lines = book.observe().await.unwrap();
        let words: Vec<_> = lines.iter().map(|line| line.split('@').next()).collect();
        let words: Vec<_> = words.into_iter().flatten().collect();
        assert_eq!(words, ["started", "early", "second", "late"]);
        let late_ms: u64 = lines[3].split('@').nth(1).unwrap().parse().unwrap();
        assert!((300..=302).contains(&late_ms), "{late_ms}");
    });
}

/// Promise: a hundred thousand timers cost their own work only, not a look at all of them at each wake-up.
#[test]
fn many_timers_are_cheap() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 200_000);
        for after_ms in 0..100_000 {
            book.try_send(WriteLater(after_ms, "x")).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100_001)).await;
        assert_eq!(book.ask(Count).await, Ok(100_001));
    });
}

/// Promise: the last address dropped ends the actor, timers or not, after what it was sent before.
#[test]
fn the_last_address_ends_it() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 8);
        let (reply, counted) = Reply::new();
        book.try_send(WriteLater(60_000, "never")).unwrap();
        let kept = keep(&book);
        let sender = book.sender::<Count>();
        drop(book);
        sender.try_send(Count(reply)).unwrap();
        assert_eq!(counted.await, Ok(1));
        drop(sender);
        assert_eq!(kept.await, Err(Unanswered));
    });
}

/// Promise: addresses, senders and replies cross threads; the answer comes back to the thread that asked.
#[test]
fn other_threads_may_ask() {
    over_each_adapter(|spawner| async move {
        let book = spawner.spawn(Book::default(), 8);
        let (given, answer) = Reply::new();
        let address = book.clone();
        let thread = std::thread::spawn(move || address.try_send(Count(given)).is_ok());
        assert_eq!(answer.await, Ok(1));
        assert!(thread.join().unwrap());
    });
}

/// Promise: a holder can see that nobody waits any more; `map` changes the type and keeps the promise of an answer.
#[test]
fn replies_are_honest() {
    let (reply, waiting) = Reply::<u8>::new();
    assert!(reply.is_wanted());
    drop(waiting);
    assert!(!reply.is_wanted());

    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap().block_on(async {
        let (reply, waiting) = Reply::new();
        reply.map(|text: &str| text.len()).answer("four");
        assert_eq!(waiting.await, Ok(4));
        let (reply, waiting) = Reply::<usize>::new();
        drop(reply.map(|text: &str| text.len()));
        assert_eq!(waiting.await, Err(Unanswered));
    });
}

/// Promise: handlers see the spawner's clock, whichever it is.
#[test]
fn the_clock_is_the_spawners() {
    let clock = Arc::new(ManualClock::default());
    clock.advance(7);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(LocalSet::new().run_until(async {
        let spawner = Spawner::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let book = spawner.spawn(Book::default(), 1);
        assert_eq!(book.ask(TimeIs).await, Ok(7));
        clock.advance(5);
        assert_eq!(book.ask(TimeIs).await, Ok(12));
    }));
}
