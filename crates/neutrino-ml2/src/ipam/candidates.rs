// SPDX-License-Identifier: Apache-2.0
//! Which free addresses a port gets.
//!
//! Owns the choice; asks what is taken through [`Allocations`]; writes nothing.
//!
//! # Design
//!
//! Neutron reads every allocation of the subnet to choose one address, so that a subnet gets slower as it fills. Here the price
//! of an address does not depend on how many are taken, and nothing is locked:
//!
//! 1. *Probe.* Choose a window of consecutive addresses at a random place among the first [`ZONE`] addresses of the pools, and
//!    ask which of them are taken. Addresses are stored as text, so the database cannot answer "between"; it can answer
//!    `ip_address IN (...)` with one look in the primary key `(ip_address, ipam_subnet_id)` for each text. One statement.
//! 2. Choose at random among those that are free. The caller inserts under that primary key; when another transaction was
//!    faster the key refuses, and the whole transaction runs again with other random numbers.
//! 3. A window without a free address makes the next window twice as large and its zone eight times as large: a busy beginning
//!    of the pools costs a few statements, not a walk. A window that spans the pools is an exact answer (always so up to
//!    512 addresses).
//! 4. *Sweep.* When all of that failed the pools are nearly full, and only then every allocation is read, in pages, into a map
//!    of one bit for each address ([`SWEEP_BITS`] at once, 2 MiB). This is exact: a single free address is found, and
//!    exhaustion is known, not guessed, within what the transaction sees.
//!
//! DHCP and distributed ports take the lowest free address: windows then go up from the first address instead of lying at
//! random. Invariants: an address is returned once, lies in a pool, and was not taken when asked; fewer addresses than wanted are
//! returned only when the pools hold no more.

use std::collections::HashSet;
use std::future::Future;

use neutrino_types::Result;
use neutrino_types::ip::Ip;
use neutrino_types::range::{IpRange, IpSet};

/// The addresses at the beginning of the pools among which the first window lies (Neutron's `MAX_WIN`).
const ZONE: u128 = 1_000;
/// The size of the first window.
const WINDOW: u128 = 64;
/// The windows without success after which the sweep comes: 64, 128, 256 and 512 addresses.
const ROUNDS: u32 = 4;
/// The most addresses in one [`Allocations::taken`]: below the bind limits of every database.
pub const MAX_PROBE: u128 = 1_000;
/// The addresses that one sweep covers.
const SWEEP_BITS: u128 = 1 << 24;

/// What is taken in one subnet, as the caller's transaction sees it.
pub trait Allocations: Send {
    /// Those of `addresses` (at most [`MAX_PROBE`]) that are taken.
    fn taken(&mut self, addresses: &[Ip]) -> impl Future<Output = Result<Vec<Ip>>> + Send;

    /// A page of everything taken, in an order of the implementation's own, after the last address of the page before
    /// (`None`: the first page). An empty page is the end.
    fn page(&mut self, after: Option<Ip>) -> impl Future<Output = Result<Vec<Ip>>> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// Ordinary ports.
    Random,
    /// DHCP and distributed ports.
    Lowest,
}

/// Random numbers, from the operation's context.
pub type Random<'a> = &'a mut (dyn FnMut() -> u64 + Send);

/// Up to `count` free addresses of the pools; see the module's documentation.
///
/// # Errors
/// Only those of `allocations`. Too few free addresses are no error here: the answer is short.
pub async fn pick<A: Allocations>(
    pools: &[IpRange],
    count: usize,
    preference: Preference,
    random: Random<'_>,
    allocations: &mut A,
) -> Result<Vec<Ip>> {
    let space = Space::new(pools);
    let mut search = Search { space: &space, count, preference, chosen: HashSet::new(), order: Vec::new(), next: 0 };
    let mut round = 0;
    while search.wanted() > 0 && round < ROUNDS {
        let window = search.window(round, random);
        if window.is_empty() {
            return Ok(search.order);
        }
        let taken: HashSet<Ip> = allocations.taken(&window).await?.into_iter().collect();
        let free: Vec<Ip> = window.iter().copied().filter(|ip| !taken.contains(ip) && !search.chosen.contains(ip)).collect();
        // A window that gave little is a sign of a busy zone; one that gave much may be followed by another like it.
        if free.len() * 8 < window.len() {
            round += 1;
        }
        search.take(free, random);
        if window.len() as u128 == space.total {
            return Ok(search.order);
        }
    }
    search.sweep(random, allocations).await?;
    Ok(search.order)
}

/// The pools as one row of addresses, numbered from zero.
struct Space {
    ranges: Vec<(u128, IpRange)>,
    total: u128,
}

impl Space {
    fn new(pools: &[IpRange]) -> Self {
        let set: IpSet = pools.iter().copied().collect();
        let mut total = 0u128;
        let mut ranges = Vec::with_capacity(set.ranges().len());
        for range in set.ranges() {
            ranges.push((total, *range));
            total = total.saturating_add(range.size());
        }
        Self { ranges, total }
    }

    fn address(&self, number: u128) -> Option<Ip> {
        let after = self.ranges.partition_point(|(start, _)| *start <= number);
        let (start, range) = self.ranges.get(after.checked_sub(1)?)?;
        range.nth(number - start)
    }

    fn number(&self, address: Ip) -> Option<u128> {
        let after = self.ranges.partition_point(|(_, range)| range.first() <= address);
        let (start, range) = self.ranges.get(after.checked_sub(1)?)?;
        range.contains(address).then(|| start + (address.value() - range.first().value()))
    }
}

struct Search<'s> {
    space: &'s Space,
    count: usize,
    preference: Preference,
    chosen: HashSet<Ip>,
    order: Vec<Ip>,
    /// The number of the next address that no window has shown, for [`Preference::Lowest`].
    next: u128,
}

impl Search<'_> {
    fn wanted(&self) -> usize {
        self.count.saturating_sub(self.order.len())
    }

    /// The addresses to ask about next; empty when there are none left.
    fn window(&mut self, round: u32, random: Random<'_>) -> Vec<Ip> {
        let total = self.space.total;
        let wanted = self.wanted() as u128;
        let size = (WINDOW << round).max(wanted.saturating_mul(2)).min(MAX_PROBE).min(total);
        let numbers: Vec<u128> = match self.preference {
            Preference::Lowest => {
                let first = self.next;
                self.next = first.saturating_add(size).min(total);
                (first..self.next).collect()
            }
            Preference::Random => {
                let zone = (ZONE << (3 * round)).max((self.count as u128).saturating_mul(4)).min(total);
                let start = u128::from(random()).checked_rem(zone).unwrap_or(0);
                (0..size).map(|offset| (start + offset) % zone).collect()
            }
        };
        numbers.into_iter().filter_map(|number| self.space.address(number)).collect()
    }

    /// Takes as many of `free` as are wanted: the first ones, or a random sample.
    fn take(&mut self, mut free: Vec<Ip>, random: Random<'_>) {
        for at in 0..self.wanted().min(free.len()) {
            if self.preference == Preference::Random {
                let left = free.len() - at;
                let step = usize::try_from(random() % left as u64).unwrap_or(0);
                free.swap(at, at + step);
            }
            let Some(ip) = free.get(at).copied() else { return };
            self.chosen.insert(ip);
            self.order.push(ip);
        }
    }

    /// Reads all that is taken, once for each [`SWEEP_BITS`] addresses, until enough is found or the pools end.
    async fn sweep<A: Allocations>(&mut self, random: Random<'_>, allocations: &mut A) -> Result<()> {
        let mut start = 0;
        while self.wanted() > 0 && start < self.space.total {
            let size = SWEEP_BITS.min(self.space.total - start);
            let mut map = BitMap::new(size);
            for ip in &self.order {
                map.mark_from(start, self.space.number(*ip));
            }
            let mut after = None;
            loop {
                let page = allocations.page(after).await?;
                let Some(last) = page.last() else { break };
                after = Some(*last);
                for ip in &page {
                    map.mark_from(start, self.space.number(*ip));
                }
            }
            let enough = self.wanted().max(1_000);
            let free = map.clear_bits().take(enough).filter_map(|bit| self.space.address(start + bit)).collect();
            self.take(free, random);
            start += size;
        }
        Ok(())
    }
}

struct BitMap {
    words: Vec<u64>,
    size: u128,
}

impl BitMap {
    /// `size` is at most [`SWEEP_BITS`].
    fn new(size: u128) -> Self {
        let words = usize::try_from(size.min(SWEEP_BITS).div_ceil(64)).unwrap_or(0);
        Self { words: vec![0; words], size }
    }

    /// Marks the address of that number in a map whose first bit is `start`; others are ignored.
    fn mark_from(&mut self, start: u128, number: Option<u128>) {
        let Some(bit) = number.and_then(|number| number.checked_sub(start)).filter(|bit| *bit < self.size) else { return };
        if let Some(word) = usize::try_from(bit / 64).ok().and_then(|at| self.words.get_mut(at)) {
            *word |= 1 << (bit % 64);
        }
    }

    fn clear_bits(&self) -> impl Iterator<Item = u128> + '_ {
        let words = self.words.iter().enumerate().filter(|(_, word)| **word != u64::MAX);
        let bits = words.flat_map(|(at, word)| (0..64u128).filter(move |bit| word & (1 << bit) == 0).map(move |bit| at as u128 * 64 + bit));
        bits.take_while(|bit| *bit < self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use neutrino_types::cidr::Cidr;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A subnet in memory, which pages in the order of text as a database does.
    #[derive(Default)]
    struct Memory {
        taken: BTreeSet<String>,
        probes: usize,
        pages: usize,
    }

    impl Allocations for Memory {
        async fn taken(&mut self, addresses: &[Ip]) -> Result<Vec<Ip>> {
            assert!(addresses.len() as u128 <= MAX_PROBE);
            self.probes += 1;
            Ok(addresses.iter().copied().filter(|ip| self.taken.contains(&ip.to_string())).collect())
        }

        async fn page(&mut self, after: Option<Ip>) -> Result<Vec<Ip>> {
            self.pages += 1;
            let after = after.map(|ip| ip.to_string()).unwrap_or_default();
            Ok(self.taken.iter().filter(|text| **text > after).take(5_000).map(|text| text.parse().unwrap()).collect())
        }
    }

    fn pool(first: &str, last: &str) -> IpRange {
        IpRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    fn fill(ranges: &[IpRange]) -> Memory {
        let addresses = ranges.iter().flat_map(|range| (0..range.size()).map(|n| range.nth(n).unwrap().to_string()));
        Memory { taken: addresses.collect(), ..Memory::default() }
    }

    /// splitmix64.
    fn generator(mut seed: u64) -> impl FnMut() -> u64 + Send {
        move || {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
    }

    fn picked(pools: &[IpRange], count: usize, preference: Preference, memory: &mut Memory) -> Vec<String> {
        block_on(pick(pools, count, preference, &mut generator(7), memory)).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_free_address_is_always_found() {
        let pools = [pool("10.0.0.2", "10.0.255.254")];
        let mut memory = fill(&pools);
        for free in ["10.0.0.2", "10.0.255.254", "10.0.99.100"] {
            memory.taken.remove(free);
            for preference in [Preference::Random, Preference::Lowest] {
                assert_eq!(picked(&pools, 1, preference, &mut memory), [free]);
            }
            memory.taken.insert(free.to_owned());
        }
    }

    #[test]
    fn exhaustion_is_certain() {
        for pools in [vec![], vec![pool("10.0.0.2", "10.0.0.200")], vec![pool("10.0.0.2", "10.0.7.254"), pool("10.0.9.0", "10.0.9.255")]] {
            let mut memory = fill(&pools);
            memory.taken.insert("10.0.0.1".to_owned());
            for preference in [Preference::Random, Preference::Lowest] {
                assert_eq!(picked(&pools, 1, preference, &mut memory), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn the_price_does_not_follow_the_number_taken() {
        let pools = [pool("10.0.0.1", "10.255.255.254")];
        let mut memory = fill(&[pool("10.0.0.1", "10.0.3.255")]);
        assert_eq!(picked(&pools, 1, Preference::Random, &mut memory).len(), 1);
        assert_eq!((memory.probes <= 2, memory.pages), (true, 0));
        let huge = [Cidr::new("fd00::".parse().unwrap(), 64).unwrap().range()];
        let mut memory = Memory::default();
        let address: Ip = picked(&huge, 1, Preference::Random, &mut memory).pop().unwrap().parse().unwrap();
        assert!(address.value() - huge[0].first().value() < 1_000);
        assert_eq!((memory.probes, memory.pages), (1, 0));
    }

    #[test]
    fn dhcp_takes_the_lowest() {
        let pools = [pool("10.0.1.0", "10.0.1.9"), pool("10.0.0.5", "10.0.0.9")];
        assert_eq!(picked(&pools, 2, Preference::Lowest, &mut Memory::default()), ["10.0.0.5", "10.0.0.6"]);
        let mut memory = fill(&[pool("10.0.0.5", "10.0.0.9"), pool("10.0.1.0", "10.0.1.3")]);
        assert_eq!(picked(&pools, 1, Preference::Lowest, &mut memory), ["10.0.1.4"]);
        let wide = [pool("10.0.0.1", "10.3.255.254")];
        let mut memory = fill(&[pool("10.0.0.1", "10.0.20.0")]);
        assert_eq!(picked(&wide, 1, Preference::Lowest, &mut memory), ["10.0.20.1"]);
    }

    #[test]
    fn many_at_once() {
        let pools = [pool("10.0.0.1", "10.0.15.254")];
        let mut memory = Memory::default();
        let all: BTreeSet<String> = picked(&pools, 1_000, Preference::Random, &mut memory).into_iter().collect();
        assert_eq!(all.len(), 1_000);
        assert!(memory.probes <= 6, "{}", memory.probes);
        assert_eq!(picked(&pools, 100_000, Preference::Random, &mut memory).len(), 4_094);
    }

    #[test]
    fn the_end_of_the_family_is_reachable() {
        let all = [Cidr::new("::".parse().unwrap(), 0).unwrap().range()];
        assert_eq!(picked(&all, 3, Preference::Lowest, &mut Memory::default()), ["::", "::1", "::2"]);
        let last = [pool("255.255.255.255", "255.255.255.255")];
        assert_eq!(picked(&last, 2, Preference::Random, &mut Memory::default()), ["255.255.255.255"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn answers_are_free_members_and_complete(
            seed: u64,
            sizes in proptest::collection::vec((1u32..900, 1u32..50), 0..4),
            keep in proptest::collection::btree_set(0usize..3_600, 0..40),
            count in 0usize..60,
            lowest: bool,
        ) {
            let mut next = 0x0a00_0001u32;
            let mut pools = Vec::new();
            for (size, gap) in sizes {
                let at = |n: u32| std::net::Ipv4Addr::from_bits(n).into();
                pools.push(IpRange::new(at(next), at(next + size - 1)).unwrap());
                next += size + gap;
            }
            let mut memory = fill(&pools);
            let all: Vec<Ip> = pools.iter().flat_map(|range| (0..range.size()).map(|n| range.nth(n).unwrap())).collect();
            let free: BTreeSet<Ip> = keep.iter().filter_map(|at| all.get(*at).copied()).collect();
            for ip in &free {
                memory.taken.remove(&ip.to_string());
            }
            let preference = if lowest { Preference::Lowest } else { Preference::Random };
            let got = block_on(pick(&pools, count, preference, &mut generator(seed), &mut memory)).unwrap();
            let set: BTreeSet<Ip> = got.iter().copied().collect();
            prop_assert_eq!(got.len(), count.min(free.len()));
            prop_assert_eq!(set.len(), got.len());
            prop_assert!(set.is_subset(&free));
            if lowest {
                prop_assert_eq!(got, free.iter().copied().take(count).collect::<Vec<_>>());
            }
        }
    }
}
