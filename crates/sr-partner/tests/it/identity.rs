//! Names: what is taken for one, and what they are used as.

use sr_auth_core::store::Generation;
use sr_partner::{AppId, AttemptId, CompanyId, ExchangeId, IntegrationId, TenantId};

use crate::fixture::key;

#[test]
fn ids_of_the_service_are_opaque_and_harmless() {
    let longest = "a".repeat(100);
    let good = ["7cbc0f64-4d1c-4d70-9f19-dbd8f3656020", "a", "A.b_c~d", longest.as_str()];
    for id in good {
        assert_eq!(AppId::new(id).unwrap().as_str(), id);
        assert_eq!(CompanyId::new(id).unwrap().to_string(), id);
        assert_eq!(IntegrationId::new(id).unwrap().as_str(), id);
    }
    let too_long = "a".repeat(101);
    for id in ["", " ", "a b", "a/b", "ä", "a\n", ".", "..", too_long.as_str()] {
        assert!(AppId::new(id).is_err() && CompanyId::new(id).is_err(), "{id:?}");
        assert!(IntegrationId::new(id).is_err(), "{id:?}");
    }
}

#[test]
fn a_tenant_has_whatever_name_the_application_gives_it() {
    for id in ["acme", "Müller & Söhne", "42", &"a".repeat(255)] {
        assert_eq!(TenantId::new(id).unwrap().as_str(), id);
    }
    for id in ["", "a\tb", &"a".repeat(256)] {
        assert!(TenantId::new(id).is_err(), "{id:?}");
    }
}

#[test]
fn each_generation_of_a_company_has_a_grant_of_its_own() {
    let key = key("5f1b");
    let of = |number| key.grant_key(Generation::from_number(number)).to_string();
    assert_eq!(of(3), "partner/interview-planner/5f1b/3");
    assert_ne!(of(3), of(4));
    let longest = sr_partner::IntegrationKey {
        app: AppId::new(&"a".repeat(100)).unwrap(),
        company: CompanyId::new(&"b".repeat(100)).unwrap(),
    };
    assert_eq!(longest.grant_key(Generation::from_number(u64::MAX)).as_str().len(), 230);
}

#[test]
fn names_of_attempts_are_stored_and_read_back_and_shown_short() {
    let (attempt, run) = (AttemptId::from_bytes([0xab; 16]), ExchangeId::from_bytes([1; 16]));
    assert_eq!((attempt.as_bytes(), run.as_bytes()), (&[0xab; 16], &[1; 16]));
    assert_eq!(format!("{attempt} {run:?}"), "abababab ExchangeId(01010101)");
}
