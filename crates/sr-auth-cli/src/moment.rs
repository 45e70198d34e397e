//! Moments as a person reads them, in UTC.

use std::time::Duration;

use sr_auth_core::Timestamp;

const DAY: u64 = 86_400;

/// Returns the time of day, such as `13:01:02.007`.
pub(crate) fn time_of_day(at: Timestamp) -> String {
    let millis = at.as_unix_millis() % 1_000;
    format!("{}.{millis:03}", clock_face(at))
}

/// Returns date and time, such as `2026-11-22 13:01:02 UTC`.
pub(crate) fn date_and_time(at: Timestamp) -> String {
    let (year, month, day) = date(at.as_unix_millis() / 1_000 / DAY);
    format!("{year:04}-{month:02}-{day:02} {} UTC", clock_face(at))
}

/// Returns a span as a person says it, rounded down: `90 s`, `27 d`.
pub(crate) fn span(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..120 => format!("{secs} s"),
        120..7_200 => format!("{} min", secs / 60),
        7_200..172_800 => format!("{} h", secs / 3_600),
        _ => format!("{} d", secs / DAY),
    }
}

/// Returns a moment with how far it is from now.
pub(crate) fn moment_and_span(at: Timestamp, now: Timestamp) -> String {
    let far = if at > now {
        format!("in {}", span(at.since(now)))
    } else {
        format!("{} ago", span(now.since(at)))
    };
    format!("{} ({far})", date_and_time(at))
}

fn clock_face(at: Timestamp) -> String {
    let seconds = at.as_unix_millis() / 1_000 % DAY;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Turns days since 1970 into a date of the Gregorian calendar.
///
/// Years begin in March here, so that the leap day comes last, and eras of 400 years all have the
/// same number of days.
const fn date(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_in_utc() {
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_798_761_599, "2026-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ];
        for (secs, expected) in cases {
            assert_eq!(date_and_time(Timestamp::from_unix_secs(secs)), expected);
        }
        assert_eq!(
            time_of_day(Timestamp::from_unix_millis(86_400_000 + 46_862_007)),
            "13:01:02.007"
        );
        assert!(!date_and_time(Timestamp::MAX).is_empty());
    }

    #[test]
    fn spans_are_told_in_one_unit() {
        let cases = [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "119 min")];
        let longer = [(7_200, "2 h"), (172_799, "47 h"), (172_800, "2 d"), (2_419_199, "27 d")];
        for (secs, expected) in cases.into_iter().chain(longer) {
            assert_eq!(span(Duration::from_secs(secs)), expected);
        }
        let at = Timestamp::from_unix_secs;
        assert_eq!(moment_and_span(at(60), at(0)), "1970-01-01 00:01:00 UTC (in 60 s)");
        assert_eq!(moment_and_span(at(0), at(60)), "1970-01-01 00:00:00 UTC (60 s ago)");
    }
}
