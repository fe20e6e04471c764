// SPDX-License-Identifier: Apache-2.0
//! Ids of messages and queues, and the randomness of the order of brokers.

/// 32 hexadecimal digits.
pub(crate) fn unique() -> String {
    random().simple().to_string()
}

fn random() -> uuid::Uuid {
    #[expect(clippy::disallowed_methods, reason = "ids of the wire belong to no operation's context")]
    uuid::Uuid::new_v4()
}

/// Puts a list in an order of chance.
pub(crate) fn shuffle<T>(list: &mut [T]) {
    for last in (1..list.len()).rev() {
        let chosen = random().as_u128() % (last as u128 + 1);
        list.swap(last, usize::try_from(chosen).unwrap_or(0));
    }
}
