//! Scopes: tasks that do not outlive the block that started them.
#![cfg(feature = "runtime")]

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::{EventLoop, JoinError, LoopError, ScopeError};

const SECOND: Duration = Duration::from_secs(1);

type Told = Rc<RefCell<Vec<&'static str>>>;

#[test]
fn ag1_the_block_ends_after_every_task_also_those_that_tasks_started() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        let (lp, scope_, log) = (lp.clone(), scope.clone(), Rc::clone(&told));
        let first = scope.spawn(async move {
            lp.sleep(SECOND).await;
            let late = lp.sleep(SECOND);
            let told = Rc::clone(&log);
            let child = scope_.spawn(async move {
                late.await;
                told.borrow_mut().push("late");
            });
            drop(child.unwrap());
            log.borrow_mut().push("early");
        });
        drop(first.unwrap());
        7
    }));
    assert_eq!(ended.unwrap().unwrap(), 7);
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND * 2, 0));
    assert_eq!(*told.borrow(), ["early", "late"]);
}

#[test]
fn ag2_the_first_error_ends_the_others_and_the_block_and_all_errors_come_out() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        let first = lp.sleep(SECOND);
        drop(scope.try_spawn(async move {
            first.await;
            Err::<(), _>("first")
        }));
        let listener = lp.clone();
        drop(scope.try_spawn(async move {
            listener.cancelled().await;
            Err::<(), _>("second")
        }));
        drop(scope.spawn(pending::<()>()));
        pending::<()>().await;
        told.borrow_mut().push("the block went on");
    }));
    let error = ended.unwrap().unwrap_err();
    let errors: Vec<_> = error.errors().iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["first", "second"]);
    assert_eq!(error.to_string(), "first (and 1 more errors)");
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND, 0));
    assert_eq!(told.borrow().len(), 0);
}

#[test]
fn ag2_a_panic_is_an_error_of_the_scope_and_told_to_nobody_else() {
    let lp = EventLoop::virtual_time();
    lp.on_failure(|failure| panic!("told twice: {failure}"));
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        drop(scope.spawn(async { assert!(std::hint::black_box(false), "oh") }));
        pending::<()>().await;
    }));
    assert_eq!(
        ended.unwrap().unwrap_err().to_string(),
        "a task panicked: oh"
    );
}

#[test]
fn ag3_a_task_that_was_cancelled_on_its_own_is_no_error() {
    let lp = EventLoop::virtual_time();
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        let task = scope.spawn(pending::<()>()).unwrap();
        task.cancel();
        assert_eq!(task.await, Err(JoinError::Cancelled));
        "fine"
    }));
    assert_eq!(ended.unwrap().unwrap(), "fine");
}

#[test]
fn ag4_a_cancelled_task_waits_for_its_scope_and_ends_as_cancelled() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let (own, log) = (lp.clone(), Rc::clone(&told));
    let mut outer = lp
        .spawn(async move {
            let _ended = own
                .scope(async |scope| {
                    let lp = own.clone();
                    drop(scope.spawn(async move {
                        lp.cancelled().await;
                        lp.sleep(SECOND).await;
                        log.borrow_mut().push("tidied");
                    }));
                    pending::<()>().await;
                })
                .await;
            unreachable!("the cancel goes on after the scope");
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    outer.cancel();
    lp.run_until_idle().unwrap();
    let outcome: Option<Result<(), JoinError>> = outer.take();
    assert_eq!(outcome, Some(Err(JoinError::Cancelled)));
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND, 0));
    assert_eq!(*told.borrow(), ["tidied"]);
}

#[test]
fn ag4_an_error_of_a_task_outranks_the_cancel() {
    let lp = EventLoop::virtual_time();
    let own = lp.clone();
    let outer = lp
        .spawn(async move {
            own.scope(async |scope| {
                let lp = own.clone();
                drop(scope.try_spawn(async move {
                    lp.cancelled().await;
                    Err::<(), _>("while it tidied up")
                }));
                pending::<()>().await;
            })
            .await
            .map_err(|error| error.to_string())
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    lp.turn(Duration::ZERO).unwrap();
    outer.cancel();
    let ended = lp.run_until_complete(outer).unwrap().unwrap();
    assert_eq!(ended, Err("while it tidied up".to_owned()));
}

#[test]
fn ag5_nothing_starts_in_a_scope_that_is_ending_or_over() {
    let lp = EventLoop::virtual_time();
    let kept = Rc::new(RefCell::new(None));
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        *kept.borrow_mut() = Some(scope.clone());
        scope.cancel();
        assert!(matches!(scope.spawn(async {}), Err(LoopError::ScopeEnded)));
    }));
    assert!(ended.unwrap().unwrap_err().is_cancelled());
    let scope = kept.take().unwrap();
    assert!(matches!(scope.spawn(async {}), Err(LoopError::ScopeEnded)));
}

#[test]
fn ag6_a_scope_can_be_cancelled_without_an_error() {
    let lp = EventLoop::virtual_time();
    let ended = lp.run_until_complete(lp.scope(async |scope| {
        drop(scope.spawn(pending::<()>()));
        let scope_ = scope.clone();
        lp.call_later(SECOND, move |_| scope_.cancel()).unwrap();
        pending::<()>().await;
    }));
    assert!(ended.unwrap().unwrap_err().is_cancelled());
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND, 0));
}

#[test]
fn a_scope_that_is_dropped_cancels_its_tasks() {
    let lp = EventLoop::virtual_time();
    let scope = lp.scope(async |scope| {
        drop(scope.spawn(pending::<()>()));
        pending::<()>().await;
    });
    assert!(
        lp.run_until_complete(lp.timeout(SECOND, scope))
            .unwrap()
            .is_err()
    );
    lp.run_until_idle().unwrap();
    assert_eq!(lp.task_count(), 0);
}

/// Waits to be asked to end, and then takes a second to tidy up.
async fn tidies(lp: EventLoop, told: Told, name: &'static str) {
    lp.cancelled().await;
    lp.sleep(SECOND).await;
    told.borrow_mut().push(name);
}

#[test]
fn ag4_a_scope_whose_block_has_ended_is_asked_before_its_task_ends() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let (own, log) = (lp.clone(), Rc::clone(&told));
    let outer = lp
        .spawn(async move {
            let ended = own
                .scope(async |scope| drop(scope.spawn(tidies(own.clone(), log, "tidied"))))
                .await;
            drop(ended);
        })
        .unwrap();
    lp.run_for(SECOND).unwrap();
    outer.cancel();
    let ended = lp.run_until_complete(outer).unwrap();
    assert_eq!(ended, Err(JoinError::Cancelled));
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND * 2, 0));
    assert_eq!(*told.borrow(), ["tidied"]);
}

#[test]
fn a_task_may_tidy_up_with_a_scope() {
    let lp = EventLoop::virtual_time();
    let own = lp.clone();
    let task = lp
        .spawn(async move {
            own.cancelled().await;
            own.scope(async |scope| {
                let flushed = scope.spawn(own.sleep(SECOND)).unwrap();
                flushed.await.unwrap();
                "flushed"
            })
            .await
            .unwrap()
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    assert_eq!(lp.run_until_complete(task).unwrap(), Ok("flushed"));
}

#[test]
fn a_scope_leaves_the_rest_of_its_task_the_time_to_tidy_up() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let (own, log) = (lp.clone(), Rc::clone(&told));
    let task = lp
        .spawn(async move {
            let scope = own.scope(async |_| pending::<()>().await);
            let beside = tidies(own.clone(), log, "beside it");
            let (scope, ()) = futures::future::join(scope, beside).await;
            scope.unwrap_err().is_cancelled()
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    assert_eq!(lp.run_until_complete(task).unwrap(), Ok(true));
    assert_eq!(*told.borrow(), ["beside it"]);
}

#[test]
fn a_scope_waits_for_the_tasks_of_those_in_its_block() {
    let lp = EventLoop::virtual_time();
    let told = Told::default();
    let ended = lp.run_until_complete(lp.scope(async |outer| {
        drop(outer.try_spawn({
            let sleep = lp.sleep(SECOND);
            async move {
                sleep.await;
                Err::<(), _>("bad")
            }
        }));
        let inner = lp.scope(async |inner| {
            drop(inner.spawn(tidies(lp.clone(), Rc::clone(&told), "inner")));
            pending::<()>().await;
        });
        drop(inner.await);
    }));
    assert_eq!(ended.unwrap().unwrap_err().to_string(), "bad");
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND * 2, 0));
    assert_eq!(*told.borrow(), ["inner"]);
}

/// Scopes in the blocks of others, with a task in the innermost one.
fn nested(
    lp: EventLoop,
    depth: usize,
    task: impl Future<Output = Result<(), &'static str>> + 'static,
) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let ended = lp
            .scope(async |scope| {
                if depth > 1 {
                    return nested(lp.clone(), depth - 1, task).await;
                }
                drop(scope.try_spawn(task));
                pending::<()>().await;
            })
            .await;
        drop(ended);
    })
}

#[test]
fn a_scope_waits_for_the_tasks_of_dropped_scopes_however_deep_they_stood() {
    for depth in 1..=4 {
        let lp = EventLoop::virtual_time();
        let own = lp.clone();
        let task = lp.spawn(async move {
            let tidy = {
                let lp = own.clone();
                async move {
                    tidies(lp, Told::default(), "tidied").await;
                    Ok(())
                }
            };
            let ended = own
                .scope(async |_| {
                    let inner = nested(own.clone(), depth, tidy);
                    assert!(own.timeout(SECOND, inner).await.is_err());
                })
                .await;
            (ended.is_ok(), own.elapsed())
        });
        lp.run_until_idle().unwrap();
        // At its end, after the tidying up and not for ever after.
        assert_eq!(task.unwrap().take(), Some(Ok((true, SECOND * 2))));
        assert_eq!(lp.task_count(), 0);
    }
}

/// Waits to be asked to end, and fails a second later.
async fn fails_late(lp: EventLoop) -> Result<(), &'static str> {
    lp.cancelled().await;
    lp.sleep(SECOND).await;
    Err("late")
}

fn errors(error: &ScopeError) -> Vec<String> {
    error.errors().iter().map(ToString::to_string).collect()
}

/// What is told to the hook.
fn hook(lp: &EventLoop) -> Rc<RefCell<Vec<String>>> {
    let told = Rc::<RefCell<Vec<String>>>::default();
    let log = Rc::clone(&told);
    lp.on_failure(move |failure| {
        assert_eq!(failure.location().file(), file!());
        log.borrow_mut().push(failure.message().to_owned());
    });
    told
}

#[test]
fn an_error_of_a_dropped_scope_is_one_of_the_scope_around_it_however_deep_it_stood() {
    for depth in 1..=4 {
        let lp = EventLoop::virtual_time();
        let told = hook(&lp);
        let ended = lp.run_until_complete(lp.scope(async |_| {
            let inner = nested(lp.clone(), depth, fails_late(lp.clone()));
            assert!(lp.timeout(SECOND, inner).await.is_err());
        }));
        assert_eq!(errors(&ended.unwrap().unwrap_err()), ["late"]);
        assert_eq!(lp.elapsed(), SECOND * 2);
        assert_eq!(told.borrow().len(), 0);
    }
}

/// A scope whose first task has failed while its second one still tidies up.
async fn fails_twice(lp: &EventLoop) {
    let ended = lp
        .scope(async |scope| {
            drop(scope.try_spawn(fails_late(lp.clone())));
            let sleep = lp.sleep(SECOND / 4);
            drop(scope.try_spawn(async move {
                sleep.await;
                Err::<(), _>("disk full")
            }));
            pending::<()>().await;
        })
        .await;
    drop(ended);
}

#[test]
fn errors_from_before_and_after_the_drop_come_out_together() {
    let lp = EventLoop::virtual_time();
    let told = hook(&lp);
    let half = SECOND / 2;
    let ended = lp.run_until_complete(lp.scope(async |_| {
        assert!(lp.timeout(half, fails_twice(&lp)).await.is_err());
    }));
    assert_eq!(errors(&ended.unwrap().unwrap_err()), ["disk full", "late"]);
    assert_eq!(told.borrow().len(), 0);
}

#[test]
fn errors_of_a_dropped_scope_that_stands_in_no_other_are_told_to_the_hook() {
    let lp = EventLoop::virtual_time();
    let told = hook(&lp);
    let timeout = lp.timeout(SECOND / 2, fails_twice(&lp));
    assert!(lp.run_until_complete(timeout).unwrap().is_err());
    assert_eq!(*told.borrow(), ["disk full"]);
    lp.run_until_idle().unwrap();
    assert_eq!(*told.borrow(), ["disk full", "late"]);
    assert_eq!((lp.elapsed(), lp.task_count()), (SECOND * 5 / 4, 0));
}

#[test]
fn errors_under_an_aborted_task_are_told_to_the_hook_once() {
    for depth in 1..=4 {
        let lp = EventLoop::virtual_time();
        let told = hook(&lp);
        let outer = lp.spawn(nested(lp.clone(), depth, fails_late(lp.clone())));
        lp.turn(Duration::ZERO).unwrap();
        lp.turn(Duration::ZERO).unwrap();
        assert!(outer.unwrap().abort());
        lp.run_until_idle().unwrap();
        assert_eq!(*told.borrow(), ["late"]);
        assert_eq!((lp.elapsed(), lp.task_count()), (SECOND, 0));
    }
}

#[test]
fn a_panic_after_the_drop_is_told_to_the_hook() {
    let lp = EventLoop::virtual_time();
    let told = hook(&lp);
    let scope = lp.scope(async |scope| {
        let cancelled = lp.clone();
        drop(scope.spawn(async move {
            cancelled.cancelled().await;
            assert!(std::hint::black_box(false), "oh");
        }));
        pending::<()>().await;
    });
    let timeout = lp.timeout(SECOND, scope);
    assert!(lp.run_until_complete(timeout).unwrap().is_err());
    lp.run_until_idle().unwrap();
    assert_eq!(*told.borrow(), ["oh"]);
}

#[test]
fn ag2_two_scopes_that_fail_in_one_turn_lose_no_error() {
    let lp = EventLoop::virtual_time();
    let told = hook(&lp);
    let ended = lp.run_until_complete(lp.scope(async |outer| {
        drop(outer.try_spawn(async { Err::<(), _>("outer failed") }));
        let inner = lp.scope(async |inner| {
            drop(inner.try_spawn(async { Err::<(), _>("inner failed") }));
            pending::<()>().await;
        });
        drop(inner.await);
    }));
    let error = ended.unwrap().unwrap_err();
    assert_eq!(errors(&error), ["outer failed", "inner failed"]);
    assert_eq!(told.borrow().len(), 0);
}
