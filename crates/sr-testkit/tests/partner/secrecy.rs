//! No secret of either side in anything that could be logged, from the consent to the disable.

use sr_auth_core::Secret;
use sr_partner::exchange::Reconciliation;
use sr_testkit::Canary;

use crate::stage::{MASTER_SECRET, Stage, StoreFate, WireFate};

#[test]
fn k04_from_the_consent_to_the_disable_no_secret_is_shown() {
    for how in ["body", "basic"] {
        let mut stage = Stage::new("adds", true, Reconciliation::AskCustomer);
        let switch = format!("partner_authentication={how}");
        stage.simulator.switches_mut().set(&switch).expect("a switch");
        stage.shown = Some(String::new());
        stage.consent("acme", 0);
        for _ in 0..12 {
            stage.carry_out(0, StoreFate::Carried, WireFate::Answered);
        }
        stage.call_for_token(StoreFate::Carried);
        assert!(stage.call_api(0));
        stage.disable();
        assert_eq!(stage.notify(0, StoreFate::Carried, true), 200);
        assert_eq!(stage.notify(0, StoreFate::Carried, false), 200);
        let store = format!("{:?}", stage.store);
        let shown = stage.shown.take().expect("it was watched") + &store;
        assert!(shown.contains("Commit") && shown.contains("Disable"), "there is much to look at");
        // Ours and theirs, and the tokens of both directions.
        let mut secrets = std::mem::take(&mut stage.secrets);
        assert!(secrets.len() >= 4, "{} secrets went over the wire", secrets.len());
        secrets.append(&mut stage.tokens);
        secrets.push(Secret::new(MASTER_SECRET.to_owned()));
        for secret in secrets {
            let found = Canary::of("a secret", secret).find(shown.as_bytes());
            assert!(found.is_empty(), "{how}: {found:?}");
        }
    }
}
