// SPDX-License-Identifier: Apache-2.0
//! When agents are told again what changed.
//!
//! After the broker was away agents come back later than we do, and what all of them are told meanwhile reaches nobody. A server that starts cannot
//! know whether the broker was away, too: for it every start is such a return.

use std::{slice::Iter, time::Duration};

use chrono::NaiveDateTime;
use neutrino_core::{Context, Engine, changes};
use neutrino_rpc::Rpc;

/// From the broker's return to when most agents are there again, and from then to when all are: they try every `rabbit_retry_interval` first, and
/// every 30 s (oslo.messaging's `rabbit_interval_max`) at last.
const AGENTS_COME_BACK: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];

/// What was said so long before the broker went away was heard.
const SAID_BEFORE: Duration = Duration::from_secs(10);

/// What is due, and when.
struct Retelling {
    pauses: Iter<'static, Duration>,
    /// All that changed since then.
    since: Option<NaiveDateTime>,
}

impl Retelling {
    fn at_start(now: NaiveDateTime) -> Self {
        Self { pauses: AGENTS_COME_BACK.iter(), since: Some(now - SAID_BEFORE) }
    }

    /// One return that follows another before all was told begins anew, and leaves nothing out.
    fn broker_returned(&mut self, now: NaiveDateTime, away: Duration) {
        let since = now - away - SAID_BEFORE;
        self.since = Some(self.since.map_or(since, |known| known.min(since)));
        self.pauses = AGENTS_COME_BACK.iter();
    }

    /// How long until the next time; `None` when there is none.
    fn pause(&self) -> Option<Duration> {
        self.pauses.as_slice().first().copied()
    }

    /// The pause is over: what is to be told.
    fn due(&mut self) -> Option<NaiveDateTime> {
        self.pauses.next();
        let since = self.since;
        if self.pauses.len() == 0 {
            self.since = None;
        }
        since
    }
}

/// Tells, when most agents are there, and when all are. Does not end.
pub async fn run(rpc: &Rpc, engine: &Engine) {
    let now = || Context::internal("").now();
    let (mut returns, mut retelling) = (rpc.returns(), Retelling::at_start(now()));
    loop {
        let pause = retelling.pause();
        tokio::select! {
            away = returns.next() => retelling.broker_returned(now(), away),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {
                if let Some(since) = retelling.due() {
                    tracing::info!("agents are told again what changed: some may have been away");
                    rpc.repeat();
                    changes::tell_again(engine, since).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn at(second: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 11, 26).and_then(|day| day.and_hms_opt(12, 0, second)).unwrap()
    }

    /// Each pause in seconds, and since when is told after it.
    fn rest(retelling: &mut Retelling) -> Vec<(u64, Option<NaiveDateTime>)> {
        std::iter::from_fn(|| retelling.pause().map(|pause| (pause.as_secs(), retelling.due()))).collect()
    }

    #[test]
    fn a_start_is_followed_by_two_times() {
        let mut retelling = Retelling::at_start(at(20));
        assert_eq!(rest(&mut retelling), [(10, Some(at(10))), (30, Some(at(10)))]);
        assert_eq!((retelling.pause(), retelling.since), (None, None));
        retelling.broker_returned(at(50), Duration::from_secs(5));
        assert_eq!(rest(&mut retelling), [(10, Some(at(35))), (30, Some(at(35)))]);
    }

    #[test]
    fn a_second_return_leaves_nothing_out() {
        let mut retelling = Retelling::at_start(at(20));
        assert_eq!(retelling.due(), Some(at(10)));
        retelling.broker_returned(at(45), Duration::from_secs(1));
        assert_eq!(rest(&mut retelling), [(10, Some(at(10))), (30, Some(at(10)))]);
    }
}
