// SPDX-License-Identifier: Apache-2.0
//! Choosing among content types by the `Accept` header (RFC 9110, section 12.5.1).

/// The offer that the client likes best; among equals the first offered. `None` when the client takes none of them.
///
/// Without an `Accept` header, or with one that cannot be read, every type is equally welcome.
#[must_use]
pub fn best<'o>(accept: Option<&str>, offers: &[&'o str]) -> Option<&'o str> {
    let ranges = parse(accept.unwrap_or_default());
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let mut chosen: Option<(&str, u16)> = None;
    for offer in offers {
        let quality = quality(&ranges, offer);
        if quality > 0 && chosen.is_none_or(|(_, best)| quality > best) {
            chosen = Some((offer, quality));
        }
    }
    chosen.map(|(offer, _)| offer)
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    quality: u16,
}

fn parse(header: &str) -> Vec<Range<'_>> {
    header
        .split(',')
        .filter_map(|part| {
            let mut pieces = part.split(';');
            let (kind, subtype) = pieces.next()?.trim().split_once('/')?;
            let quality = pieces.find_map(|piece| piece.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1000);
            Some(Range { kind, subtype, quality })
        })
        .collect()
}

fn thousandths(text: &str) -> u16 {
    let value: f32 = text.trim().parse().unwrap_or(0.0);
    // Clamped to 0..=1000 just before, so the conversion is exact enough and cannot wrap.
    (value.clamp(0.0, 1.0) * 1000.0).round() as u16
}

/// The quality of the most specific range that covers the offer; 0 when none does.
fn quality(ranges: &[Range<'_>], offer: &str) -> u16 {
    let Some((kind, subtype)) = offer.split_once('/') else { return 0 };
    let rank = |range: &Range<'_>| {
        let same_kind = range.kind.eq_ignore_ascii_case(kind);
        match (same_kind, range.subtype.eq_ignore_ascii_case(subtype), range.subtype, range.kind) {
            (true, true, _, _) => 3,
            (true, _, "*", _) => 2,
            (_, _, "*", "*") => 1,
            _ => 0,
        }
    };
    ranges
        .iter()
        .map(|range| (rank(range), range.quality))
        .filter(|(rank, _)| *rank > 0)
        .max_by_key(|(rank, _)| *rank)
        .map_or(0, |found| found.1)
}

#[cfg(test)]
mod tests {
    use super::best;

    const OFFERS: [&str; 3] = ["text/plain", "text/html", "application/json"];

    #[test]
    fn the_most_wanted_offer_wins_and_order_breaks_ties() {
        let cases = [
            (None, Some("text/plain")),
            (Some(""), Some("text/plain")),
            (Some("*/*"), Some("text/plain")),
            (Some("text/html"), Some("text/html")),
            (Some("text/html;q=0.5,application/json"), Some("application/json")),
            (Some("text/*;q=0.3, text/html;q=0.7"), Some("text/html")),
            (Some("*/*, text/plain;q=0"), Some("text/html")),
            (Some("application/xml"), None),
            (Some("no-slash"), Some("text/plain")),
            (Some("text/html;q=nonsense"), None),
        ];
        for (accept, wanted) in cases {
            assert_eq!(best(accept, &OFFERS), wanted, "{accept:?}");
        }
    }
}
