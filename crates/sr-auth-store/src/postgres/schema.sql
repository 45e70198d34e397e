-- Version 1: grants.
--
-- `rotation` holds what every presentation changes, and nothing else. Moments are milliseconds
-- since 1970; numbers beyond the range of a bigint are its greatest.
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE {schema}.store (
  one integer PRIMARY KEY CHECK (one = 1),
  identity bytea NOT NULL CHECK (length(identity) = 16),
  version integer NOT NULL,
  sequence bigint NOT NULL
);
CREATE TABLE {schema}.rotation (
  key text COLLATE "C" PRIMARY KEY,
  renewal text NOT NULL,
  generation bigint NOT NULL,
  health text NOT NULL,
  not_before bigint NOT NULL,
  due_at bigint GENERATED ALWAYS AS (
    CASE
      WHEN renewal = 'repeatable' OR health NOT IN ('last_leg', 'live', 'suspect') THEN NULL
      WHEN intent_owner IS NOT NULL THEN
        intent_armed_at + least(intent_quiet, 9223372036854775807 - intent_armed_at)
      WHEN refresh_value IS NOT NULL THEN greatest(refresh_renew_at, not_before)
    END
  ) STORED,
  unsettled bigint NOT NULL,
  access_value bytea, access_fingerprint bytea, access_renew_at bigint, access_ends_at bigint,
  refresh_value bytea, refresh_fingerprint bytea, refresh_renew_at bigint, refresh_ends_at bigint,
  sibling_from bigint,
  sibling_value bytea, sibling_fingerprint bytea, sibling_renew_at bigint, sibling_ends_at bigint,
  intent_owner bytea, intent_number bigint, intent_fingerprint bytea, intent_attempt bigint,
  intent_armed_at bigint, intent_quiet bigint,
  refusals_count bigint NOT NULL, refusals_status bigint NOT NULL,
  refusals_first_at bigint NOT NULL,
  ledger bytea NOT NULL
);
CREATE INDEX rotation_due ON {schema}.rotation (due_at, key) WHERE due_at IS NOT NULL;

-- A change is written here by whoever makes it, and nobody waits for anybody: `told` only says in
-- which order. The next pulse moves it to `change` and numbers it, one pulse after the other.
CREATE TABLE {schema}.news (
  told bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL,
  generation bigint NOT NULL,
  health text NOT NULL,
  owner bytea
);
CREATE TABLE {schema}.change (
  sequence bigint PRIMARY KEY,
  key text NOT NULL,
  generation bigint NOT NULL,
  health text NOT NULL,
  owner bytea
);

-- Signs of life are only added, so that those of one process do not wait for each other. The newest
-- of a process counts; pulses remove the rest.
CREATE TABLE {schema}.sign (
  id bigint GENERATED ALWAYS AS IDENTITY,
  owner bytea NOT NULL CHECK (length(owner) = 16),
  seen bigint NOT NULL
);
CREATE INDEX sign_owner ON {schema}.sign (owner, seen);
CREATE INDEX sign_seen ON {schema}.sign (seen);

CREATE TYPE {schema}.answer AS (outcome text, at bigint, seen bigint, record {schema}.rotation);

-- The store's clock: that of the server, and never before what was told already.
CREATE FUNCTION {schema}.moment(after bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  RETURN greatest(
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    after,
    (SELECT max(seen) FROM {schema}.sign)
  );
END
$body$;

-- Has the transaction that is open wait for the disk, whatever the role or the database is set to.
CREATE FUNCTION {schema}.make_durable() RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$body$;

CREATE FUNCTION {schema}.may_present(health text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $body$
  SELECT health IN ('last_leg', 'live', 'suspect')
$body$;

-- Adds an entry to a ledger, of which the newest sixteen are kept; each has fifty bytes.
CREATE FUNCTION {schema}.note(
  ledger bytea, event bytea, at bigint, generation bigint, fingerprint bytea, owner bytea
) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
  RETURN substr(ledger, greatest(1, length(ledger) - 749)) || event
    || CASE
         WHEN fingerprint IS NULL AND owner IS NULL THEN '\x00'::bytea
         WHEN owner IS NULL THEN '\x01'::bytea
         WHEN fingerprint IS NULL THEN '\x02'::bytea
         ELSE '\x03'::bytea
       END
    || int8send(at) || int8send(generation)
    || coalesce(fingerprint, '\x00000000000000000000000000000000'::bytea)
    || coalesce(owner, '\x00000000000000000000000000000000'::bytea);
END
$body$;

-- Tells whether a ledger has an entry of this event and this refresh token.
CREATE FUNCTION {schema}.noted(ledger bytea, event bytea, fingerprint bytea)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
  FOR place IN 0 .. length(ledger) / 50 - 1 LOOP
    IF substr(ledger, place * 50 + 1, 1) = event
      AND get_byte(ledger, place * 50 + 1) & 1 = 1
      AND substr(ledger, place * 50 + 19, 16) = fingerprint
    THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$body$;

CREATE FUNCTION {schema}.tell(of {schema}.rotation, by bytea)
RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  INSERT INTO {schema}.news (key, generation, health, owner)
  VALUES (of.key, of.generation, of.health, by);
END
$body$;

CREATE FUNCTION {schema}.adopt(
  after bigint, of_key text, only_if_missing boolean, event bytea, new_renewal text,
  access_v bytea, access_f bytea, access_r bigint, access_e bigint,
  refresh_v bytea, refresh_f bytea, refresh_r bigint, refresh_e bigint
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  LOOP
    SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
    now := {schema}.moment(after);
    EXIT WHEN old.key IS NOT NULL;
    INSERT INTO {schema}.rotation (
      key, renewal, generation, health, not_before, unsettled,
      access_value, access_fingerprint, access_renew_at, access_ends_at,
      refresh_value, refresh_fingerprint, refresh_renew_at, refresh_ends_at,
      refusals_count, refusals_status, refusals_first_at, ledger
    ) VALUES (
      of_key, new_renewal, 1, 'live', 0, 0,
      access_v, access_f, access_r, access_e, refresh_v, refresh_f, refresh_r, refresh_e,
      0, 0, 0, {schema}.note('', event, now, 1, refresh_f, NULL)
    ) ON CONFLICT (key) DO NOTHING RETURNING * INTO old;
    IF old.key IS NOT NULL THEN
      PERFORM {schema}.tell(old, NULL);
      RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
    END IF;
    -- Somebody else made it meanwhile.
  END LOOP;
  -- The answer to the same grant was lost; or it was taken in before, and has moved on since.
  IF (old.health = 'live' AND old.refresh_fingerprint IS NOT DISTINCT FROM refresh_f
      AND old.access_fingerprint IS NOT DISTINCT FROM access_f)
    OR (old.refresh_fingerprint IS DISTINCT FROM refresh_f AND refresh_f IS NOT NULL
      AND {schema}.may_present(old.health) AND {schema}.noted(old.ledger, event, refresh_f))
  THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF only_if_missing THEN
    RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  UPDATE {schema}.rotation SET
    renewal = new_renewal, generation = old.generation + 1, health = 'live', not_before = 0,
    unsettled = 0,
    access_value = access_v, access_fingerprint = access_f,
    access_renew_at = access_r, access_ends_at = access_e,
    refresh_value = refresh_v, refresh_fingerprint = refresh_f,
    refresh_renew_at = refresh_r, refresh_ends_at = refresh_e,
    sibling_from = NULL, sibling_value = NULL, sibling_fingerprint = NULL,
    sibling_renew_at = NULL, sibling_ends_at = NULL,
    intent_owner = NULL, intent_number = NULL, intent_fingerprint = NULL, intent_attempt = NULL,
    intent_armed_at = NULL, intent_quiet = NULL,
    refusals_count = 0, refusals_status = 0, refusals_first_at = 0,
    ledger = {schema}.note(old.ledger, event, now, old.generation + 1, refresh_f, NULL)
  WHERE key = of_key RETURNING * INTO old;
  PERFORM {schema}.tell(old, NULL);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.arm(
  after bigint, of_key text, of_generation bigint, by_owner bytea, by_number bigint,
  new_fingerprint bytea, new_quiet bigint, over_owner bytea, over_number bigint,
  even_if_alive boolean, event bytea
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  is_over boolean;
  last_seen bigint;
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  -- The answer was lost, and the same intent is offered again.
  IF old.intent_owner = by_owner AND old.intent_number = by_number THEN
    RETURN ('Armed', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.generation <> of_generation THEN
    RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF NOT {schema}.may_present(old.health) THEN
    RETURN ('Ended', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.intent_owner IS NOT NULL THEN
    is_over := coalesce(old.intent_owner = over_owner AND old.intent_number = over_number, false);
    IF old.intent_owner <> by_owner AND NOT (is_over AND even_if_alive) THEN
      IF is_over THEN
        -- A sign of life that is on its way comes before this, or after it.
        PERFORM 1 FROM {schema}.store FOR SHARE;
        now := {schema}.moment(after);
      END IF;
      SELECT max(seen) INTO last_seen FROM {schema}.sign WHERE owner = old.intent_owner;
    END IF;
    IF NOT is_over OR now - old.intent_armed_at < old.intent_quiet
      OR now - last_seen < old.intent_quiet
    THEN
      RETURN ('Busy', now, last_seen, old)::{schema}.answer;
    END IF;
  END IF;
  IF now < old.not_before THEN
    RETURN ('NotDue', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.intent_owner IS NOT NULL THEN
    old.unsettled := least(old.unsettled + 1, 4294967295);
    old.ledger := {schema}.note(
      old.ledger, event, now, old.generation, new_fingerprint, by_owner
    );
  END IF;
  INSERT INTO {schema}.sign (owner, seen) VALUES (by_owner, now);
  UPDATE {schema}.rotation SET
    unsettled = old.unsettled, ledger = old.ledger,
    intent_owner = by_owner, intent_number = by_number, intent_fingerprint = new_fingerprint,
    intent_attempt = least(old.unsettled + 1, 4294967295), intent_armed_at = now,
    intent_quiet = new_quiet
  WHERE key = of_key RETURNING * INTO old;
  RETURN ('Armed', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.bury(
  after bigint, of_key text, of_generation bigint, by_owner bytea, new_health text, event bytea,
  refused bytea
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.generation <> of_generation OR old.refresh_fingerprint IS DISTINCT FROM refused THEN
    RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.health = new_health THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF NOT {schema}.may_present(old.health) THEN
    RETURN ('Ended', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  UPDATE {schema}.rotation SET
    health = new_health,
    intent_owner = NULL, intent_number = NULL, intent_fingerprint = NULL, intent_attempt = NULL,
    intent_armed_at = NULL, intent_quiet = NULL,
    ledger = {schema}.note(
      old.ledger, event, now, old.generation, old.refresh_fingerprint, by_owner
    )
  WHERE key = of_key RETURNING * INTO old;
  PERFORM {schema}.tell(old, by_owner);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.commit(
  after bigint, of_key text, of_generation bigint, by_owner bytea, event bytea,
  access_v bytea, access_f bytea, access_r bigint, access_e bigint,
  refresh_v bytea, refresh_f bytea, refresh_r bigint, refresh_e bigint
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF refresh_v IS NULL THEN
    refresh_v := old.refresh_value;
    refresh_r := old.refresh_renew_at;
    refresh_e := old.refresh_ends_at;
  END IF;
  -- After the restoration of a backup an end may count as the generation that is committed.
  IF old.generation <> of_generation OR old.health IN ('disabled', 'revoked') THEN
    IF old.generation - 1 <> of_generation
      OR old.access_fingerprint IS DISTINCT FROM access_f
      OR (refresh_f IS NOT NULL AND old.refresh_fingerprint IS DISTINCT FROM refresh_f)
    THEN
      RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
    END IF;
    -- The same tokens, sealed anew perhaps.
    UPDATE {schema}.rotation SET
      access_value = access_v, access_renew_at = access_r, access_ends_at = access_e,
      refresh_value = refresh_v, refresh_renew_at = refresh_r, refresh_ends_at = refresh_e
    WHERE key = of_key RETURNING * INTO old;
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  old.health := 'live';
  IF refresh_f IS NULL AND old.renewal <> 'repeatable' THEN
    old.health := 'last_leg';
  END IF;
  refresh_f := coalesce(refresh_f, old.refresh_fingerprint);
  -- A sibling that is promoted is no sibling any more.
  IF old.sibling_fingerprint = refresh_f THEN
    old.sibling_from := NULL;
    old.sibling_value := NULL;
    old.sibling_fingerprint := NULL;
    old.sibling_renew_at := NULL;
    old.sibling_ends_at := NULL;
  END IF;
  UPDATE {schema}.rotation SET
    generation = of_generation + 1, health = old.health, not_before = 0, unsettled = 0,
    access_value = access_v, access_fingerprint = access_f,
    access_renew_at = access_r, access_ends_at = access_e,
    refresh_value = refresh_v, refresh_fingerprint = refresh_f,
    refresh_renew_at = refresh_r, refresh_ends_at = refresh_e,
    sibling_from = old.sibling_from, sibling_value = old.sibling_value,
    sibling_fingerprint = old.sibling_fingerprint,
    sibling_renew_at = old.sibling_renew_at, sibling_ends_at = old.sibling_ends_at,
    intent_owner = NULL, intent_number = NULL, intent_fingerprint = NULL, intent_attempt = NULL,
    intent_armed_at = NULL, intent_quiet = NULL,
    refusals_count = 0, refusals_status = 0, refusals_first_at = 0,
    ledger = {schema}.note(old.ledger, event, now, of_generation + 1, refresh_f, by_owner)
  WHERE key = of_key RETURNING * INTO old;
  PERFORM {schema}.tell(old, by_owner);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.disarm(
  after bigint, of_key text, by_owner bytea, by_number bigint, new_not_before bigint,
  new_count bigint, new_status bigint, new_first_at bigint
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  -- Somebody else's intent stays; ours is gone either way.
  IF old.intent_owner = by_owner AND old.intent_number = by_number THEN
    UPDATE {schema}.rotation SET
      health = CASE WHEN new_count > 0 AND health = 'live' THEN 'suspect' ELSE health END,
      not_before = greatest(not_before, new_not_before),
      intent_owner = NULL, intent_number = NULL, intent_fingerprint = NULL,
      intent_attempt = NULL, intent_armed_at = NULL, intent_quiet = NULL,
      refusals_count = new_count, refusals_status = new_status,
      refusals_first_at = new_first_at
    WHERE key = of_key RETURNING * INTO old;
  END IF;
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.end_grant(
  after bigint, of_key text, of_generation bigint, new_health text, event bytea
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.health = new_health THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  IF old.generation <> of_generation THEN
    RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  UPDATE {schema}.rotation SET
    generation = old.generation + 1, health = new_health, unsettled = 0,
    access_value = NULL, access_fingerprint = NULL, access_renew_at = NULL, access_ends_at = NULL,
    refresh_value = NULL, refresh_fingerprint = NULL,
    refresh_renew_at = NULL, refresh_ends_at = NULL,
    sibling_from = NULL, sibling_value = NULL, sibling_fingerprint = NULL,
    sibling_renew_at = NULL, sibling_ends_at = NULL,
    intent_owner = NULL, intent_number = NULL, intent_fingerprint = NULL, intent_attempt = NULL,
    intent_armed_at = NULL, intent_quiet = NULL,
    ledger = {schema}.note(
      old.ledger, event, now, old.generation + 1, old.refresh_fingerprint, NULL
    )
  WHERE key = of_key RETURNING * INTO old;
  PERFORM {schema}.tell(old, NULL);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

CREATE FUNCTION {schema}.escrow(
  after bigint, of_key text, by_owner bytea, event bytea, new_from bigint,
  new_v bytea, new_f bytea, new_r bigint, new_e bigint
) RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  is_same boolean;
  now bigint;
  old {schema}.rotation;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key FOR UPDATE;
  now := {schema}.moment(after);
  IF old.key IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  is_same := coalesce(old.sibling_from = new_from AND old.sibling_fingerprint = new_f, false);
  IF old.sibling_from >= new_from AND NOT is_same THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  UPDATE {schema}.rotation SET
    sibling_from = new_from, sibling_value = new_v, sibling_fingerprint = new_f,
    sibling_renew_at = new_r, sibling_ends_at = new_e,
    ledger = CASE
      -- The same token, sealed anew perhaps.
      WHEN is_same THEN ledger
      ELSE {schema}.note(ledger, event, now, generation, new_f, by_owner)
    END
  WHERE key = of_key RETURNING * INTO old;
  IF NOT is_same THEN
    PERFORM {schema}.tell(old, by_owner);
  END IF;
  RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
END
$body$;

-- The look comes before the clock, so that nothing in an answer is later than the answer.
CREATE FUNCTION {schema}.load(after bigint, of_key text)
RETURNS {schema}.answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  old {schema}.rotation;
BEGIN
  SELECT * INTO old FROM {schema}.rotation WHERE key = of_key;
  RETURN (
    CASE WHEN old.key IS NULL THEN 'Missing' ELSE 'Loaded' END,
    {schema}.moment(after), NULL::bigint, old
  )::{schema}.answer;
END
$body$;

-- The grants that are due, the most urgent first.
CREATE FUNCTION {schema}.due(
  after bigint, until bigint, at_most bigint, OUT at bigint, OUT keys text[]
) LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  keys := ARRAY(
    SELECT rotation.key FROM {schema}.rotation WHERE rotation.due_at <= until
    ORDER BY rotation.due_at, rotation.key LIMIT at_most
  );
  at := {schema}.moment(after);
END
$body$;

-- What has changed: a row for each change, or one row without a change; each says how many changes
-- there are, how many other processes live, and which store this is.
--
-- All of it is as of one moment. What nobody has numbered yet is numbered here, by one pulse after
-- the other; a pulse that has nothing to write waits for nobody. Nothing is compiled for it: what the
-- server expects of tables that it has not counted yet would make that look worth its while, and
-- takes a second, in which all other pulses wait.
CREATE FUNCTION {schema}.pulse(
  after bigint, by_owner bytea, since bigint, alive boolean, remembered bigint, life bigint
) RETURNS TABLE (
  at bigint, newest bigint, others bigint, identity bytea,
  sequence bigint, key text, generation bigint, health text, owner bytea
) LANGUAGE plpgsql VOLATILE ROWS 16 SET jit = off AS $body$
#variable_conflict use_column
DECLARE
  now bigint := {schema}.moment(after);
BEGIN
  IF NOT alive THEN
    RETURN QUERY
      SELECT now, store.sequence,
        (SELECT count(DISTINCT sign.owner) FROM {schema}.sign
          WHERE sign.seen > now - life AND sign.owner <> by_owner),
        store.identity,
        change.sequence, change.key, change.generation, change.health, change.owner
      FROM {schema}.store
      LEFT JOIN {schema}.change
        ON change.sequence > greatest(since, store.sequence - remembered)
      WHERE NOT EXISTS (SELECT FROM {schema}.news)
      ORDER BY change.sequence;
    IF FOUND THEN
      RETURN;
    END IF;
  END IF;
  PERFORM {schema}.make_durable();
  PERFORM 1 FROM {schema}.store FOR UPDATE;
  now := {schema}.moment(after);
  IF alive THEN
    INSERT INTO {schema}.sign (owner, seen) VALUES (by_owner, now);
  END IF;
  -- Only the newest sign of a process counts, and none of one that has long been gone, but for the
  -- newest of all: the clock goes by it.
  DELETE FROM {schema}.sign AS old USING (
    SELECT sign.owner, max(sign.seen) AS seen, max(max(sign.seen)) OVER () AS latest
    FROM {schema}.sign GROUP BY sign.owner
  ) AS last
  WHERE old.owner = last.owner
    AND (old.seen < last.seen OR old.seen < least(last.latest, now - 2592000000));
  RETURN QUERY
    WITH waiting AS (
      DELETE FROM {schema}.news RETURNING *
    ), numbered AS (
      INSERT INTO {schema}.change (sequence, key, generation, health, owner)
      SELECT store.sequence + row_number() OVER (ORDER BY waiting.told),
        waiting.key, waiting.generation, waiting.health, waiting.owner
      FROM waiting, {schema}.store
      RETURNING *
    ), counted AS (
      UPDATE {schema}.store SET sequence = store.sequence + (SELECT count(*) FROM waiting)
      RETURNING store.sequence, store.identity
    ), forgotten AS (
      DELETE FROM {schema}.change USING counted
      WHERE change.sequence <= counted.sequence - remembered
    ), told AS (
      SELECT * FROM {schema}.change UNION ALL SELECT * FROM numbered
    )
    SELECT now, counted.sequence,
      (SELECT count(DISTINCT sign.owner) FROM {schema}.sign
        WHERE sign.seen > now - life AND sign.owner <> by_owner),
      counted.identity,
      told.sequence, told.key, told.generation, told.health, told.owner
    FROM counted
    LEFT JOIN told ON told.sequence > greatest(since, counted.sequence - remembered)
    ORDER BY told.sequence;
END
$body$;

INSERT INTO {schema}.store (one, identity, version, sequence)
VALUES (1, decode('{identity}', 'hex'), 1, 0);
