//! A process over a file that can be put back.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{Generation, Sequence, StoreAnswer, StoreOp};
use sr_auth_http::{Clock, TokenSource};
use sr_auth_store::{Backend, BackendError, Durability, Sealed, SqliteBackend, Store};
use sr_partner::consent::TicketKey;
use sr_partner::store::{NewAttempt, PartnerAnswer, PartnerOp, PartnerOutcome};
use sr_partner::{AttemptId, CompanyId, ExchangeId, TenantId};
use sr_partner_axum::CompanyTokens;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::companies::sources;
use crate::scene::{Scene, keys, open_backend};

/// What every process promises while the store answers.
const PROMISED: Duration = Duration::from_secs(5);

/// A process that uses the credentials of companies, on a clock that is moved by hand.
pub(super) struct Process {
    clock: Clock,
    pub(super) companies: CompanyTokens,
    pulses: watch::Receiver<usize>,
}

/// Counts how often the store has told news.
#[derive(Debug)]
struct Counted {
    file: SqliteBackend,
    pulses: watch::Sender<usize>,
}

#[async_trait]
impl Backend for Counted {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        self.file.apply(op).await
    }

    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        let is_pulse = matches!(op, PartnerOp::Pulse { .. });
        let answer = self.file.apply_partner(op).await;
        if is_pulse {
            self.pulses.send_modify(|count| *count += 1);
        }
        answer
    }

    fn durability(&self) -> Durability {
        self.file.durability()
    }
}

impl Process {
    pub(super) async fn new(scene: &Scene) -> Self {
        let clock = Clock::manual(Timestamp::from_unix_secs(1_700_000_000));
        let (sender, pulses) = watch::channel(0);
        let file = Counted { file: open_backend(scene.folder()), pulses: sender };
        let service = scene.elsewhere_over(Store::new(file, keys())).clock(clock.clone());
        let service = service.build(scene.hooks(), TicketKey::new([7; 32])).unwrap();
        let companies = CompanyTokens::new(&service, sources(scene, &clock));
        let mut process = Self { clock, companies, pulses };
        process.pass().await;
        process
    }

    pub(super) async fn source(&self, scene: &Scene) -> TokenSource {
        let source = self.companies.source(&scene.key()).await.unwrap();
        source.authorization().await.unwrap();
        source
    }

    /// Lets the promised time pass: whoever is answered again has done with what the answer before
    /// said, and asks for nothing more until the clock is moved.
    pub(super) async fn pass(&mut self) {
        for _ in 0..2 {
            let before = *self.pulses.borrow_and_update();
            self.clock.advance(PROMISED / 2);
            let asked = self.pulses.wait_for(|it| *it > before);
            tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap().unwrap();
        }
    }
}

/// A copy of the file and of its log.
pub(super) struct Backup(TempDir);

impl Backup {
    pub(super) async fn of(scene: &Scene) -> Self {
        scene.service.settle().await;
        let copy = tempfile::tempdir().unwrap();
        for end in ["", "-wal"] {
            let name = format!("partner.db{end}");
            fs::copy(scene.folder().join(&name), copy.path().join(&name)).unwrap();
        }
        Self(copy)
    }

    /// Puts the copy in place of the file, under all who have it open.
    pub(super) fn restore(&self, scene: &Scene) {
        let to = |end: &str| -> PathBuf { scene.folder().join(format!("partner.db{end}")) };
        fs::remove_file(to("-shm")).unwrap();
        fs::remove_file(to("-wal")).unwrap();
        fs::copy(self.0.path().join("partner.db"), to(".new")).unwrap();
        fs::copy(self.0.path().join("partner.db-wal"), to("-wal")).unwrap();
        fs::rename(to(".new"), to("")).unwrap();
    }
}

pub(super) async fn sequence(scene: &Scene) -> u64 {
    let look = PartnerOp::Pulse { since: Sequence(u64::MAX) };
    let outcome = scene.service.store().apply_partner(look).await.unwrap().outcome;
    let PartnerOutcome::News(news) = outcome else { unreachable!("a pulse brings {outcome:?}") };
    news.sequence.0
}

/// Others connect their companies, until the store has told so many changes.
pub(super) async fn others_go_on(scene: &Scene, until: u64) {
    let mut number = 0;
    while sequence(scene).await < until {
        number += 1;
        let attempt = NewAttempt {
            exchange: ExchangeId::from_bytes([number; 16]),
            id: AttemptId::from_bytes([number; 16]),
            outbound: None,
            prepared_for: Duration::ZERO,
            rebind: None,
            seen: Generation::default(),
            tenant: TenantId::new("other").unwrap(),
        };
        let company = CompanyId::new(&format!("other-{number}")).unwrap();
        let begin = PartnerOp::Begin { attempt, key: scene.service.key(company) };
        let outcome = scene.service.store().apply_partner(begin).await.unwrap().outcome;
        assert!(matches!(outcome, PartnerOutcome::Done(_)), "{outcome:?}");
    }
}
