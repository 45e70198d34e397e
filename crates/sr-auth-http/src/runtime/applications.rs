//! The applications of a runtime, by places that a driver and its successors agree on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sr_auth_core::lifecycle::Application;
use sr_auth_core::store::Renewal;
use sr_auth_core::{ClientAuthentication, ClientCredentials};

/// The applications of a runtime.
#[derive(Debug, Default)]
pub(super) struct Applications(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    /// Places whose company has left: the next company takes one of them.
    free: Vec<u32>,
    /// Only ever longer, so that a place is a name.
    known: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    application: Application,
    /// Of one company alone.
    is_own: bool,
    renewal: Renewal,
}

/// Where an application was put, and whether a driver may know another one there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Placed {
    pub(super) is_replaced: bool,
    pub(super) place: u32,
}

impl Applications {
    /// Takes in an application for many grants.
    pub(super) fn register(&self, application: Application, renewal: Renewal) -> u32 {
        self.places().add(Known { application, is_own: false, renewal })
    }

    /// Takes in the application of one company.
    pub(super) fn register_own(&self, application: Application) -> Placed {
        let mut places = self.places();
        if let Some(place) = places.free.pop()
            && let Some(known) = places.known.get_mut(super::index(place))
        {
            known.application = application;
            return Placed { is_replaced: true, place };
        }
        let known = Known { application, is_own: true, renewal: Renewal::Repeatable };
        Placed { is_replaced: false, place: places.add(known) }
    }

    /// Puts an application in the place of another; `false` when it is the same, or there is no
    /// such place.
    pub(super) fn replace(&self, place: u32, application: &Application) -> bool {
        let mut places = self.places();
        let known = places.known.get_mut(super::index(place));
        let known = known.filter(|it| !is_same(it.application.client(), application.client()));
        known.map(|it| it.application = application.clone()).is_some()
    }

    /// Takes back the place of a company that has left.
    pub(super) fn free(&self, place: u32) {
        let mut places = self.places();
        if places.known.get(super::index(place)).is_some_and(|it| it.is_own) {
            places.free.push(place);
        }
    }

    /// Tells whether an application is of one company alone.
    pub(super) fn is_own(&self, place: u32) -> bool {
        self.places().known.get(super::index(place)).is_some_and(|it| it.is_own)
    }

    /// Returns those from a place on, each with how its grants get their tokens.
    pub(super) fn from(&self, place: usize) -> Vec<(Application, Renewal)> {
        let places = self.places();
        let new = places.known.get(place..).unwrap_or_default();
        new.iter().map(|it| (it.application.clone(), it.renewal)).collect()
    }

    /// Returns the first place of an application whose grants work once.
    pub(super) fn single_use(&self) -> Option<usize> {
        self.places().known.iter().position(|it| it.renewal == Renewal::SingleUse)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Nothing that can panic leaves the lists half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn add(&mut self, known: Known) -> u32 {
        self.known.push(known);
        u32::try_from(self.known.len() - 1).unwrap_or(super::Entry::NOBODY)
    }
}

fn is_same(one: &ClientCredentials, other: &ClientCredentials) -> bool {
    use ClientAuthentication::{Basic, Body, Certificate};
    let same_proof = match (one.authentication(), other.authentication()) {
        (Basic(one), Basic(other)) | (Body(one), Body(other)) => one.matches(other),
        (Certificate, Certificate) => true,
        _ => false,
    };
    same_proof && one.id() == other.id()
}

#[cfg(test)]
mod tests {
    use sr_auth_core::{Endpoints, Secret};

    use super::*;

    #[test]
    fn a_place_is_used_again_when_its_company_has_left() {
        let applications = Applications::default();
        let shared = applications.register(application("shared", "a"), Renewal::SingleUse);
        let first = applications.register_own(application("first", "a"));
        assert_eq!((shared, first), (0, Placed { is_replaced: false, place: 1 }));
        applications.free(shared);
        applications.free(first.place);
        let second = applications.register_own(application("second", "a"));
        assert_eq!(second, Placed { is_replaced: true, place: 1 });
        let third = applications.register_own(application("third", "a"));
        assert_eq!(third, Placed { is_replaced: false, place: 2 });
        let known = applications.from(0);
        let names: Vec<_> = known.iter().map(|it| it.0.client().id().as_str()).collect();
        assert_eq!(names, ["shared", "second", "third"]);
        assert_eq!(applications.single_use(), Some(0));
    }

    #[test]
    fn only_other_credentials_replace_what_is_there() {
        let applications = Applications::default();
        let place = applications.register_own(application("acme", "a")).place;
        let cases = [
            ("the same", place, application("acme", "a"), false),
            ("another secret", place, application("acme", "b"), true),
            ("another id", place, application("umbrella", "b"), true),
            ("no such place", 7, application("acme", "c"), false),
        ];
        for (name, place, application, expected) in cases {
            assert_eq!(applications.replace(place, &application), expected, "{name}");
        }
    }

    fn application(id: &str, secret: &str) -> Application {
        let client = ClientCredentials::new(id, Secret::new(secret.to_owned())).expect("a client");
        Application::new(client, Endpoints::production().token().clone())
    }
}
