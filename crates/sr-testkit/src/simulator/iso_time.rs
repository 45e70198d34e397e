//! Moments as the service writes them: ISO 8601 in UTC.

use sr_auth_core::Timestamp;

/// Writes a moment as `2026-01-05T09:00:00.000Z`.
pub(super) fn iso_time(moment: Timestamp) -> String {
    let millis = moment.as_unix_millis();
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The Gregorian date of a count of days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year, and in eras of 400
/// years, which are all of the same length.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_dates() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_767_603_600_123, "2026-01-05T09:00:00.123Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        ];
        for (millis, expected) in cases {
            assert_eq!(iso_time(Timestamp::from_unix_millis(millis)), expected);
        }
    }
}
