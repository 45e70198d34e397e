//! The rules that a backend keeps to.

/// A rule of the contract of a backend.
///
/// What each operation promises is written at `sr_auth_core::store::StoreOp`, and as a program in
/// [`Model`](sr_auth_core::store::Model).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// What SmartRecruiters answered to an attempt is kept, until that attempt is over.
    #[error("what SmartRecruiters answered is kept")]
    AnswerKept,
    /// What was answered is what the next operation finds, on every connection.
    #[error("what was answered is what every connection finds from then on")]
    AnsweredIsDone,
    /// A healthy store answers every operation, in bounded time.
    #[error("a healthy store answers every operation")]
    Answers,
    /// An attempt keeps others out for as long as it says, and belongs to one consent and one run.
    #[error("an attempt stands for as long as it says, and for one consent")]
    AttemptStands,
    /// A back-off that one process wrote holds for all.
    #[error("nobody arms before the moment that a back-off names")]
    BackOffShared,
    /// A company is joined by an activation only, and never over another tenant that did not agree.
    #[error("a company is joined by an activation only, and not over another tenant")]
    BoundByActivation,
    /// A pulse tells each change once, in order, from the cursor on, and the newest ones if there
    /// are more than its limit.
    #[error("a pulse tells what changed since its cursor, in order, up to its limit")]
    ChangesTold,
    /// A notification ends the integration whose client signed it, once, and no other.
    #[error("a notification ends the integration of its own generation only")]
    DisablesItsOwn,
    /// `Due` lists what is due, the most urgent first, up to its limit.
    #[error("what is due is listed, the most urgent first, up to the limit")]
    DueOrdered,
    /// A store that promises durability finds everything again after a restart.
    #[error("a restart loses nothing that was answered")]
    Durable,
    /// An end, or a death, keeps others from presenting; of an integration it takes everything.
    #[error("what has ended or is dead stays so")]
    EndsStay,
    /// A successor that was put aside is kept until a newer one comes.
    #[error("a successor that was put aside is kept")]
    EscrowKept,
    /// Each pair of an operation and an outcome was seen.
    #[error("every outcome of every operation is reached")]
    EveryOutcome,
    /// A lost record is founded anew where none is, and nowhere else.
    #[error("a lost record is founded anew only where none is")]
    FoundedOnce,
    /// An operation that names a generation is carried out at that generation only.
    #[error("what names a generation is carried out at that generation only")]
    GenerationGivesOrder,
    /// A new consent, a rotation and an end each move the generation on by one, and nothing else
    /// does.
    #[error("a generation moves by one, with a consent, a rotation or an end")]
    GenerationMoves,
    /// Health changes with the operations that say so; a commit brings a dead grant back.
    #[error("the health of a grant follows its operations")]
    HealthFollows,
    /// An intent stands until its owner removes it or another takes over.
    #[error("an intent stands until its owner removes it")]
    IntentStands,
    /// Two different keys never mean one grant, however alike they look.
    #[error("keys are told apart byte for byte")]
    KeysApart,
    /// Whoever holds the successor of a generation may commit it while the record is there.
    #[error("a commit at its generation is taken, however late and whoever armed meanwhile")]
    LateCommitTaken,
    /// The newest entries of the ledger are kept, through everything.
    #[error("the ledger keeps its newest entries")]
    LedgerKept,
    /// A sign of life counts for its owner's intents and for the share of the budget.
    #[error("a sign of life counts, for as long as it should")]
    LifeSignsCount,
    /// Operations of many connections at once are carried out as if one after the other.
    #[error("operations at once are carried out as if one after the other")]
    OneAfterTheOther,
    /// One clock answers all connections, and does not go back.
    #[error("one clock answers all connections")]
    OneClock,
    /// Another arms over an intent only after its quiet period, and then may.
    #[error("an intent is taken over after its quiet period, not before")]
    QuietGivesTakeOver,
    /// Refusals that were not believed and presentations that were armed over are counted.
    #[error("refusals and unsettled presentations are counted")]
    RefusalsCounted,
    /// An operation that is repeated after a lost answer changes nothing more.
    #[error("an operation that is repeated changes nothing more")]
    RepeatChangesNothing,
    /// No secret rests outside of what was sealed, nor shows in `Debug` or in errors.
    #[error("no secret rests unsealed or is shown")]
    SecretsSealed,
    /// A store keeps its identity and counts its changes.
    #[error("a store keeps its identity and counts its changes")]
    StoreNamed,
    /// A client gets tokens while its integration stands, and they are worth something as long.
    #[error("clients and tokens are good for as long as their integration is")]
    TokensFollow,
    /// Every value comes back as it was given, whatever its length and however great the number.
    #[error("values come back as they were given")]
    ValuesKept,
    /// An operation whose caller left is carried out wholly or not at all.
    #[error("an operation whose caller left is carried out wholly or not at all")]
    WholeOrNothing,
}
