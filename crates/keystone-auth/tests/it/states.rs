// SPDX-License-Identifier: Apache-2.0
//! Keystone slow, failing, flapping, gone, wrong; and many callers at once.

use std::time::{Duration, Instant};

use futures::future::join_all;
use keystone_auth::{Limits, Options, Rejection};

use crate::fake::{Fake, SetClock, token};

fn unavailable<T: std::fmt::Debug>(result: Result<T, Rejection>) -> String {
    match result {
        Err(Rejection::Unavailable(unavailable)) => unavailable.reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_callers_with_one_token_are_one_question() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    fake.mood(|mood| mood.delay = Duration::from_millis(50));
    let (validator, _) = fake.validator(fake.options());
    let answers = join_all((0..200).map(|_| validator.validate("good"))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((fake.questions(), fake.sign_ins()), (1, 1));
    // So are many with a token that is not valid.
    let answers = join_all((0..200).map(|_| validator.validate("bad"))).await;
    assert!(answers.iter().all(|answer| *answer == Err(Rejection::Invalid)));
    assert_eq!(fake.questions(), 2);
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_no_answer_from_the_others() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    fake.mood(|mood| mood.delay = Duration::from_millis(50));
    let (validator, _) = fake.validator(fake.options());
    let first = tokio::spawn({
        let validator = validator.clone();
        async move { validator.validate("good").await.is_ok() }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    assert!(validator.validate("good").await.is_ok());
    assert_eq!(fake.questions(), 1);
}

#[tokio::test]
async fn what_is_cached_is_served_while_keystone_fails_and_the_rest_is_503() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    fake.knows("other", token(&["member"]));
    let (validator, clock) = fake.validator(fake.options());
    validator.validate("good").await.unwrap();
    for status in [500, 502, 503, 429] {
        fake.mood(|mood| mood.status = Some(status));
        validator.validate("good").await.unwrap();
        assert!(unavailable(validator.validate("other").await).contains(&status.to_string()));
        fake.mood(|mood| mood.status = None);
        clock.advance(Duration::from_secs(2));
    }
    // A failure is not remembered as a refusal.
    validator.validate("other").await.unwrap();
    assert_eq!(validator.stats().failures, 4);
}

#[tokio::test]
async fn a_flapping_connection_is_tried_again() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    let (validator, _) = fake.validator(fake.options());
    fake.mood(|mood| mood.cut = 2);
    validator.validate("good").await.unwrap();
    // Beyond http_request_max_retries it is a failure.
    let (validator, _) = fake.validator(Options { http_request_max_retries: 1, ..fake.options() });
    fake.mood(|mood| mood.cut = 2);
    unavailable(validator.validate("good").await);
}

#[tokio::test]
async fn a_slow_keystone_costs_a_caller_no_more_than_the_limit() {
    let fake = Fake::start().await;
    fake.mood(|mood| mood.delay = Duration::from_secs(30));
    let limits = Limits { total_time: Duration::from_millis(200), ..Limits::default() };
    let validator = keystone_auth::Validator::with(fake.options(), limits, std::sync::Arc::new(SetClock::default())).unwrap();
    let begin = Instant::now();
    assert!(unavailable(validator.validate("good").await).contains("in time"));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn nobody_listens() {
    let fake = Fake::start().await;
    let mut options = fake.options();
    // Port 1 of this machine: refused at once.
    options.auth_url = Some("http://127.0.0.1:1/v3".to_owned());
    let (validator, _) = fake.validator(options);
    assert!(validator.sign_in().await.is_err());
    unavailable(validator.validate("good").await);
}

#[tokio::test]
async fn a_refused_own_token_is_renewed_once() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    let (validator, _) = fake.validator(fake.options());
    validator.sign_in().await.unwrap();
    fake.mood(|mood| mood.refuse_own = 1);
    validator.validate("good").await.unwrap();
    assert_eq!((fake.questions(), fake.sign_ins()), (2, 2));
    // A Keystone that never accepts it: an end, and no refusal of the user's token.
    fake.knows("another", token(&["member"]));
    fake.mood(|mood| mood.refuse_own = 100);
    assert!(unavailable(validator.validate("another").await).contains("refuses the token it gave"));
    assert_eq!(fake.questions(), 4);
}

#[tokio::test]
async fn wrong_credentials_are_not_tried_with_every_request() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    fake.mood(|mood| mood.refuse_credentials = true);
    let (validator, clock) = fake.validator(fake.options());
    let sentence = validator.sign_in().await.unwrap_err().to_string();
    assert!(sentence.contains("refuses the credentials") && !sentence.contains("sesame"), "{sentence}");
    for _ in 0..50 {
        unavailable(validator.validate("good").await);
    }
    assert_eq!((fake.sign_ins(), fake.questions()), (1, 0));
    fake.mood(|mood| mood.refuse_credentials = false);
    clock.advance(Duration::from_secs(2));
    validator.validate("good").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_confirms_nothing() {
    let fake = Fake::start().await;
    fake.knows("good", token(&["admin"]));
    let (validator, clock) = fake.validator(fake.options());
    for garbage in ["", "nothing", "{}", "{\"token\": null}", "{\"token\": {\"user\": {\"id\": \"u\"}}}", "[[[[", &"[".repeat(100_000)] {
        fake.mood(|mood| mood.garbage = Some(garbage.to_owned()));
        unavailable(validator.validate("good").await);
        clock.advance(Duration::from_secs(2));
    }
    fake.mood(|mood| mood.garbage = Some(" ".repeat(3 << 20)));
    assert!(unavailable(validator.validate("good").await).contains("too large"));
    fake.mood(|mood| mood.garbage = None);
    validator.validate("good").await.unwrap();
}

#[tokio::test]
async fn the_own_token_is_renewed_before_it_expires() {
    let fake = Fake::start().await;
    let (validator, clock) = fake.validator(fake.options());
    validator.sign_in().await.unwrap();
    validator.sign_in().await.unwrap();
    assert_eq!(fake.sign_ins(), 1);
    clock.advance(Duration::from_secs(24 * 3600 - 119));
    validator.sign_in().await.unwrap();
    assert_eq!(fake.sign_ins(), 2);
}

#[tokio::test]
async fn more_callers_than_the_limit_are_turned_away() {
    let fake = Fake::start().await;
    fake.mood(|mood| mood.delay = Duration::from_millis(100));
    let limits = Limits { waiting_callers: 10, ..Limits::default() };
    let validator = keystone_auth::Validator::with(fake.options(), limits, std::sync::Arc::new(SetClock::default())).unwrap();
    let names: Vec<String> = (0..50).map(|n| format!("t{n}")).collect();
    let answers = join_all(names.iter().map(|name| validator.validate(name))).await;
    let turned_away = answers.iter().filter(|answer| matches!(answer, Err(Rejection::Unavailable(_)))).count();
    assert_eq!((turned_away, validator.stats().turned_away), (40, 40));
}
