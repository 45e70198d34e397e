//! What befalls a request, one trouble at a time.

use std::collections::BTreeMap;

use super::*;
use sr_auth_core::Secret;

const ANSWER: Duration = Duration::from_secs(128);

fn answer() -> Response<SecretBytes> {
    let body = br#"{"access_token":"aaaa","expires_in":1799,"refresh_token":"rrrr"}"#;
    Response::new(SecretBytes::new(body.to_vec()))
}

fn only(trouble: Trouble) -> NetworkWeather {
    NetworkWeather { rates: vec![(Rate::once_in(1), trouble)], slowness: Duration::from_secs(9) }
}

/// Fates of one kind.
fn fates(trouble: Trouble) -> Vec<Fate> {
    let mut choices = Choices::from_seed(1);
    let weather = only(trouble);
    let fates = (0..500).map(|_| weather.fate(&mut choices, ANSWER));
    fates.filter(|fate| fate.trouble == trouble).collect()
}

#[test]
fn in_fine_weather_every_exchange_is_quick_and_whole() {
    let fate = NetworkWeather::default().fate(&mut Choices::from_seed(1), ANSWER);
    let millis = |millis| Some(Duration::from_millis(millis));
    assert_eq!((fate.processed, fate.answered, fate.again), (millis(1), millis(2), None));
    assert!(matches!(fate.arrival(Some(answer())), Arrival::Whole(it) if it.status() == 200));
}

/// What the troubles have to do with the request: whether it is processed, and whether the
/// successor in the answer may reach the client, if the answer is not cut.
#[test]
fn every_trouble_spends_and_delivers_what_its_name_says() {
    let secret = Secret::new("rrrr".to_owned());
    let cases = [
        (Trouble::None, true, true),
        (Trouble::AnswerLate, true, false),
        (Trouble::AnswerLost, true, false),
        (Trouble::Duplicated, true, true),
        (Trouble::Garbled, true, false),
        (Trouble::NotSent, false, false),
        (Trouble::ProxyAfter, true, false),
        (Trouble::ProxyBefore, false, false),
        (Trouble::RedirectedAfter, true, false),
        (Trouble::RedirectedBefore, false, false),
        (Trouble::RequestLost, false, false),
        (Trouble::Throttled, false, false),
        (Trouble::Zombie, true, false),
    ];
    assert_eq!(cases.len() + 1, Trouble::ALL.len(), "and the cut has a test of its own");
    for (trouble, spends, delivers) in cases {
        for fate in fates(trouble) {
            assert_eq!(fate.processed.is_some(), spends, "{trouble:?}");
            let arrival = fate.arrival(fate.processed.map(|_| answer()));
            assert_eq!(arrival.holds(&secret), delivers, "{trouble:?}");
            assert!(fate.answered.is_none_or(|it| it < ANSWER), "{trouble:?}");
        }
    }
}

#[test]
fn nothing_is_processed_later_than_the_margins_allow() {
    let latest = ANSWER + Duration::from_secs(5);
    for trouble in Trouble::ALL {
        for fate in fates(trouble) {
            let moments = [fate.processed, fate.again].into_iter().flatten();
            assert!(moments.max().is_none_or(|it| it < latest), "{trouble:?}: {fate:?}");
        }
    }
    assert!(fates(Trouble::Zombie).iter().all(|fate| fate.processed >= Some(ANSWER)));
}

#[test]
fn a_cut_answer_ends_at_any_byte_and_holds_a_secret_or_not() {
    let secret = Secret::new("rrrr".to_owned());
    let mut seen = BTreeMap::new();
    for fate in fates(Trouble::Cut) {
        let arrival = fate.arrival(Some(answer()));
        let Arrival::Part(part) = &arrival else { panic!("{arrival:?}") };
        assert!(part.body().len() < answer().body().len());
        *seen.entry((part.body().len(), arrival.holds(&secret))).or_insert(0) += 1;
    }
    assert!(seen.len() > answer().body().len() / 2, "{seen:?}");
    let holding: Vec<_> = seen.keys().filter(|(_, holds)| *holds).map(|(len, _)| *len).collect();
    assert_eq!(holding, [answer().body().len() - 1], "only the brace may be missing");
}

#[test]
fn a_duplicate_is_answered_once_by_either_processing() {
    let fates = fates(Trouble::Duplicated);
    assert!(fates.iter().all(|it| it.again > it.processed));
    let second = fates.iter().filter(|it| it.second_answer).count();
    assert!((fates.len() / 4..fates.len() * 3 / 4).contains(&second), "{second}");
}
