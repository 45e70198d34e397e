-- Version 2: integrations of partners.
--
-- A record is a row: the attempt that stands, the integration that is live, how the last one ended.
-- Clients and tokens are named by digests, and what a company was given is sealed. Tenants are
-- bytes, for not every encoding of a database has all their letters.
CREATE TABLE {schema}.partner (
  app text COLLATE "C",
  company text COLLATE "C",
  generation bigint NOT NULL,
  attempt_generation bigint, attempt_id bytea, attempt_tenant bytea,
  attempt_client bytea, attempt_client_id text, attempt_scopes text, attempt_secret bytea,
  attempt_given_id text, attempt_given_integration text, attempt_given_secret bytea,
  attempt_exchange bytea, attempt_begun_at bigint, attempt_used_at bigint,
  attempt_phase text, attempt_at bigint, attempt_posts bigint,
  attempt_quiet_until bigint, attempt_until bigint,
  live_generation bigint, live_id bytea, live_tenant bytea,
  live_client bytea, live_client_id text, live_scopes text, live_secret bytea,
  live_given_id text, live_given_integration text, live_given_secret bytea,
  live_bound_at bigint, live_verified bigint,
  ended_at bigint, ended_cause bigint, ended_generation bigint,
  ledger bytea[] NOT NULL,
  PRIMARY KEY (app, company)
);
CREATE INDEX partner_attempt ON {schema}.partner (app, company)
  WHERE attempt_generation IS NOT NULL;
CREATE INDEX partner_attempt_client ON {schema}.partner (attempt_client)
  WHERE attempt_client IS NOT NULL;
CREATE INDEX partner_live_client ON {schema}.partner (live_client) WHERE live_client IS NOT NULL;

CREATE TABLE {schema}.partner_token (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
  app text COLLATE "C" NOT NULL,
  company text COLLATE "C" NOT NULL,
  generation bigint NOT NULL,
  expires_at bigint NOT NULL,
  scopes text NOT NULL,
  tenant bytea NOT NULL
);
CREATE INDEX partner_token_of ON {schema}.partner_token (app, company, generation, id);
CREATE INDEX partner_token_expiry ON {schema}.partner_token (expires_at);

-- Refusals are counted one after the other, behind the row that knows how many parties there are:
-- the table has a limit, and whoever makes room for a new party may not meet another who does.
CREATE TABLE {schema}.partner_refusals (
  one integer PRIMARY KEY CHECK (one = 1),
  parties bigint NOT NULL
);
INSERT INTO {schema}.partner_refusals (one, parties) VALUES (1, 0);
CREATE TABLE {schema}.partner_refusal (
  kind bigint NOT NULL,
  name bytea NOT NULL CHECK (length(name) = 32),
  count bigint NOT NULL,
  ends_at bigint NOT NULL,
  PRIMARY KEY (kind, name)
);
CREATE INDEX partner_refusal_end ON {schema}.partner_refusal (ends_at, kind, name);

-- As for grants, a change is numbered by the next pulse.
CREATE TABLE {schema}.partner_news (
  told bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  app text NOT NULL,
  company text NOT NULL,
  live bigint
);
CREATE TABLE {schema}.partner_change (
  sequence bigint PRIMARY KEY,
  app text NOT NULL,
  company text NOT NULL,
  live bigint
);
CREATE TABLE {schema}.partner_sequence (
  one integer PRIMARY KEY CHECK (one = 1),
  newest bigint NOT NULL
);
INSERT INTO {schema}.partner_sequence (one, newest) VALUES (1, 0);

CREATE TYPE {schema}.partner_answer AS (
  outcome text, at bigint, until bigint, record {schema}.partner
);

-- A moment and a span; beyond the greatest number there is none.
CREATE FUNCTION {schema}.partner_sum(at bigint, span bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $body$
  SELECT at + least(span, 9223372036854775807 - at)
$body$;

-- Adds an entry to a ledger, of which the newest sixteen are kept.
CREATE FUNCTION {schema}.partner_note(
  ledger bytea[], event bytea, at bigint, generation bigint, tenant bytea
) RETURNS bytea[] LANGUAGE sql IMMUTABLE AS $body$
  SELECT array_append(
    ledger[greatest(1, cardinality(ledger) - 14):],
    event || int8send(at) || int8send(generation) || tenant
  )
$body$;

CREATE FUNCTION {schema}.partner_tell(of {schema}.partner)
RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  INSERT INTO {schema}.partner_news (app, company, live)
  VALUES (of.app, of.company, of.live_generation);
END
$body$;

-- Tells whether the client of a generation may get tokens, and use them.
CREATE FUNCTION {schema}.partner_admits(of {schema}.partner, now bigint, of_generation bigint)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $body$
BEGIN
  IF of.live_generation = of_generation THEN
    RETURN of.live_client IS NOT NULL;
  END IF;
  RETURN coalesce(
    of.attempt_generation = of_generation AND of.attempt_client IS NOT NULL
      AND (of.attempt_phase = 'integrated'
        OR of.attempt_phase = 'posting' AND now < of.attempt_until),
    false
  );
END
$body$;

CREATE FUNCTION {schema}.partner_forget_tokens(of {schema}.partner, of_generation bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  DELETE FROM {schema}.partner_token
  WHERE app = of.app AND company = of.company AND generation = of_generation;
END
$body$;

-- Leaves no attempt.
CREATE FUNCTION {schema}.partner_settle(of {schema}.partner)
RETURNS {schema}.partner LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
  UPDATE {schema}.partner SET
    attempt_generation = NULL, attempt_id = NULL, attempt_tenant = NULL,
    attempt_client = NULL, attempt_client_id = NULL, attempt_scopes = NULL, attempt_secret = NULL,
    attempt_given_id = NULL, attempt_given_integration = NULL, attempt_given_secret = NULL,
    attempt_exchange = NULL, attempt_begun_at = NULL, attempt_used_at = NULL,
    attempt_phase = NULL, attempt_at = NULL, attempt_posts = NULL,
    attempt_quiet_until = NULL, attempt_until = NULL
  WHERE app = of.app AND company = of.company RETURNING * INTO of;
  RETURN of;
END
$body$;

-- Ends what there is of a record, or only what is of one generation.
CREATE FUNCTION {schema}.partner_finish(
  old {schema}.partner, now bigint, of_generation bigint, cause bigint, event bytea,
  keeps_tokens boolean
) RETURNS {schema}.partner LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  ended bigint;
  has_ended boolean := false;
BEGIN
  IF old.attempt_generation = coalesce(of_generation, old.attempt_generation) THEN
    ended := old.attempt_generation;
    UPDATE {schema}.partner SET
      ended_at = now, ended_cause = cause, ended_generation = ended,
      ledger = {schema}.partner_note(old.ledger, event, now, ended, old.attempt_tenant)
    WHERE app = old.app AND company = old.company;
    old := {schema}.partner_settle(old);
    has_ended := true;
    IF NOT keeps_tokens THEN
      PERFORM {schema}.partner_forget_tokens(old, ended);
    END IF;
  END IF;
  IF old.live_generation = coalesce(of_generation, old.live_generation) THEN
    ended := old.live_generation;
    UPDATE {schema}.partner SET
      live_generation = NULL, live_id = NULL, live_tenant = NULL,
      live_client = NULL, live_client_id = NULL, live_scopes = NULL, live_secret = NULL,
      live_given_id = NULL, live_given_integration = NULL, live_given_secret = NULL,
      live_bound_at = NULL, live_verified = NULL,
      ended_at = now, ended_cause = cause, ended_generation = ended,
      ledger = {schema}.partner_note(old.ledger, event, now, ended, old.live_tenant)
    WHERE app = old.app AND company = old.company RETURNING * INTO old;
    has_ended := true;
    IF NOT keeps_tokens THEN
      PERFORM {schema}.partner_forget_tokens(old, ended);
    END IF;
  END IF;
  IF has_ended THEN
    PERFORM {schema}.partner_tell(old);
  END IF;
  RETURN old;
END
$body$;

CREATE FUNCTION {schema}.partner_begin(
  after bigint, of_app text, of_company text, new_id bytea, new_exchange bytea, new_tenant bytea,
  rebind bytea, seen bigint, prepared_for bigint,
  new_client bytea, new_client_id text, new_scopes text, new_secret bytea,
  voided bytea, begun bytea
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  is_own boolean;
  now bigint;
  old {schema}.partner;
  until bigint;
BEGIN
  PERFORM {schema}.make_durable();
  LOOP
    SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
    now := {schema}.moment(after);
    EXIT WHEN old.app IS NOT NULL;
    IF seen <> 0 THEN
      old.generation := 0;
      old.ledger := '{}';
      RETURN ('Moved', now, NULL::bigint, old)::{schema}.partner_answer;
    END IF;
    -- Somebody else may make it meanwhile.
    INSERT INTO {schema}.partner (app, company, generation, ledger)
    VALUES (of_app, of_company, 0, '{}') ON CONFLICT DO NOTHING;
  END LOOP;
  IF old.attempt_id = new_id THEN
    RETURN (
      CASE WHEN old.attempt_exchange = new_exchange THEN 'Done' ELSE 'Taken' END,
      now, NULL::bigint, old
    )::{schema}.partner_answer;
  END IF;
  IF old.live_id = new_id THEN
    RETURN ('Taken', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.generation <> seen THEN
    RETURN ('Moved', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.live_tenant <> new_tenant AND old.live_tenant IS DISTINCT FROM rebind THEN
    RETURN ('BoundElsewhere', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.attempt_generation IS NOT NULL THEN
    is_own := old.attempt_tenant = new_tenant;
    until := CASE
      WHEN is_own AND old.attempt_phase = 'integrated' THEN 0
      WHEN is_own AND old.attempt_phase = 'posting'
        THEN least(old.attempt_quiet_until, old.attempt_until)
      ELSE old.attempt_until
    END;
    IF now < until THEN
      RETURN ('Busy', now, until, old)::{schema}.partner_answer;
    END IF;
    PERFORM {schema}.partner_forget_tokens(old, old.attempt_generation);
    old.ledger := {schema}.partner_note(
      old.ledger, voided, now, old.attempt_generation, old.attempt_tenant
    );
  END IF;
  UPDATE {schema}.partner SET
    generation = old.generation + 1,
    attempt_generation = old.generation + 1, attempt_id = new_id, attempt_tenant = new_tenant,
    attempt_client = new_client, attempt_client_id = new_client_id,
    attempt_scopes = new_scopes, attempt_secret = new_secret,
    attempt_given_id = NULL, attempt_given_integration = NULL, attempt_given_secret = NULL,
    attempt_exchange = new_exchange, attempt_begun_at = now, attempt_used_at = NULL,
    attempt_phase = 'prepared', attempt_at = NULL, attempt_posts = NULL,
    attempt_quiet_until = NULL, attempt_until = {schema}.partner_sum(now, prepared_for),
    ledger = {schema}.partner_note(old.ledger, begun, now, old.generation + 1, new_tenant)
  WHERE app = of_app AND company = of_company RETURNING * INTO old;
  PERFORM {schema}.partner_tell(old);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_arm(
  after bigint, of_app text, of_company text, of_id bytea, of_exchange bytea, post bigint,
  quiet bigint, provisional bigint, event bytea
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
  now := {schema}.moment(after);
  IF old.app IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.attempt_id IS DISTINCT FROM of_id OR old.attempt_exchange <> of_exchange
    OR old.attempt_phase = 'integrated' OR old.attempt_posts > post
  THEN
    RETURN ('Superseded', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  -- An offer that is repeated is sent later: its quiet period begins anew.
  UPDATE {schema}.partner SET
    attempt_phase = 'posting', attempt_at = now, attempt_posts = post,
    attempt_quiet_until = {schema}.partner_sum(now, quiet),
    attempt_until = {schema}.partner_sum(now, provisional),
    ledger = CASE
      WHEN coalesce(old.attempt_posts, 0) < post THEN {schema}.partner_note(
        old.ledger, event, now, old.attempt_generation, old.attempt_tenant
      )
      ELSE old.ledger
    END
  WHERE app = of_app AND company = of_company RETURNING * INTO old;
  PERFORM {schema}.partner_tell(old);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_commit(
  after bigint, of_app text, of_company text, of_id bytea, of_generation bigint,
  confirm_within bigint, given_id text, given_integration text, given_secret bytea, event bytea
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
  now := {schema}.moment(after);
  IF old.app IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.live_id = of_id THEN
    -- The seal of the secret would not open under another generation.
    UPDATE {schema}.partner SET live_given_secret = given_secret
    WHERE app = of_app AND company = of_company
      AND live_generation = of_generation AND live_given_id = given_id;
    RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.attempt_id IS DISTINCT FROM of_id OR old.attempt_generation <> of_generation THEN
    RETURN ('Superseded', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  -- The answer was lost, and the same credentials are offered again.
  IF old.attempt_phase = 'integrated' AND old.attempt_given_id = given_id THEN
    UPDATE {schema}.partner SET attempt_given_secret = given_secret
    WHERE app = of_app AND company = of_company;
    RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  -- A late answer to an earlier request of the same attempt: the newer one counts.
  UPDATE {schema}.partner SET
    attempt_phase = 'integrated', attempt_at = now, attempt_posts = NULL,
    attempt_quiet_until = NULL, attempt_until = {schema}.partner_sum(now, confirm_within),
    attempt_given_id = given_id, attempt_given_integration = given_integration,
    attempt_given_secret = given_secret,
    ledger = {schema}.partner_note(
      old.ledger, event, now, old.attempt_generation, old.attempt_tenant
    )
  WHERE app = of_app AND company = of_company RETURNING * INTO old;
  PERFORM {schema}.partner_tell(old);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_activate(
  after bigint, of_app text, of_company text, of_id bytea, verified bigint, event bytea
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
  now := {schema}.moment(after);
  IF old.app IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.live_id = of_id THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.attempt_id IS DISTINCT FROM of_id OR old.attempt_phase <> 'integrated' THEN
    RETURN ('Superseded', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  UPDATE {schema}.partner SET
    live_generation = attempt_generation, live_id = attempt_id, live_tenant = attempt_tenant,
    live_client = attempt_client, live_client_id = attempt_client_id,
    live_scopes = attempt_scopes, live_secret = attempt_secret,
    live_given_id = attempt_given_id, live_given_integration = attempt_given_integration,
    live_given_secret = attempt_given_secret,
    live_bound_at = now, live_verified = verified,
    ledger = {schema}.partner_note(ledger, event, now, attempt_generation, attempt_tenant)
  WHERE app = of_app AND company = of_company;
  old := {schema}.partner_settle(old);
  PERFORM {schema}.partner_tell(old);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_void(
  after bigint, of_app text, of_company text, of_id bytea, event bytea
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
  now := {schema}.moment(after);
  IF old.app IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  IF old.attempt_id = of_id THEN
    PERFORM {schema}.partner_forget_tokens(old, old.attempt_generation);
    UPDATE {schema}.partner SET
      ledger = {schema}.partner_note(ledger, event, now, attempt_generation, attempt_tenant)
    WHERE app = of_app AND company = of_company;
    old := {schema}.partner_settle(old);
    PERFORM {schema}.partner_tell(old);
  END IF;
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_end(
  after bigint, of_app text, of_company text, of_generation bigint, cause bigint, event bytea,
  keeps_tokens boolean
) RETURNS {schema}.partner_answer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  now bigint;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company FOR UPDATE;
  now := {schema}.moment(after);
  IF old.app IS NULL THEN
    RETURN ('Missing', now, NULL::bigint, old)::{schema}.partner_answer;
  END IF;
  old := {schema}.partner_finish(old, now, of_generation, cause, event, keeps_tokens);
  RETURN ('Done', now, NULL::bigint, old)::{schema}.partner_answer;
END
$body$;

-- Nobody else changes a record meanwhile: what begins while the others end would stay.
CREATE FUNCTION {schema}.partner_end_all(
  after bigint, cause bigint, event bytea, keeps_tokens boolean,
  OUT outcome text, OUT at bigint, OUT count bigint
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  LOCK TABLE {schema}.partner IN EXCLUSIVE MODE;
  at := {schema}.moment(after);
  outcome := 'AllEnded';
  count := 0;
  FOR old IN
    SELECT * FROM {schema}.partner
    WHERE attempt_generation IS NOT NULL OR live_generation IS NOT NULL
    ORDER BY app, company
  LOOP
    PERFORM {schema}.partner_finish(old, at, NULL, cause, event, keeps_tokens);
    count := count + 1;
  END LOOP;
END
$body$;

-- A read is of one snapshot, and comes before the clock.
CREATE FUNCTION {schema}.partner_load(after bigint, of_app text, of_company text)
RETURNS {schema}.partner_answer LANGUAGE plpgsql STABLE AS $body$
DECLARE
  old {schema}.partner;
BEGIN
  SELECT * INTO old FROM {schema}.partner WHERE app = of_app AND company = of_company;
  RETURN (
    CASE WHEN old.app IS NULL THEN 'Missing' ELSE 'Loaded' END,
    {schema}.moment(after), NULL::bigint, old
  )::{schema}.partner_answer;
END
$body$;

CREATE FUNCTION {schema}.partner_unsettled(
  after bigint, at_most bigint,
  OUT outcome text, OUT at bigint, OUT apps text[], OUT companies text[]
) LANGUAGE plpgsql STABLE AS $body$
BEGIN
  outcome := 'Keys';
  SELECT coalesce(array_agg(it.app ORDER BY it.app, it.company), '{}'),
    coalesce(array_agg(it.company ORDER BY it.app, it.company), '{}')
  INTO apps, companies
  FROM (
    SELECT partner.app, partner.company FROM {schema}.partner
    WHERE partner.attempt_generation IS NOT NULL
    ORDER BY partner.app, partner.company LIMIT at_most
  ) AS it;
  at := {schema}.moment(after);
END
$body$;

CREATE FUNCTION {schema}.partner_find_client(
  after bigint, client bytea, source bytea, per_client bigint, per_source bigint,
  OUT outcome text, OUT at bigint, OUT until bigint,
  OUT app text, OUT company text, OUT generation bigint, OUT scopes text, OUT secret bytea
) LANGUAGE plpgsql STABLE AS $body$
DECLARE
  old {schema}.partner;
BEGIN
  SELECT * INTO old FROM {schema}.partner
  WHERE attempt_client = client OR live_client = client;
  SELECT max(refusal.ends_at) INTO until FROM {schema}.partner_refusal AS refusal
  WHERE (refusal.kind = 0 AND refusal.name = client AND refusal.count >= per_client)
    OR (refusal.kind = 1 AND refusal.name = source AND refusal.count >= per_source);
  at := {schema}.moment(after);
  outcome := 'Missing';
  IF at < until THEN
    outcome := 'Throttled';
  ELSIF old.live_client = client THEN
    outcome := 'Client';
    generation := old.live_generation;
    scopes := old.live_scopes;
    secret := old.live_secret;
  ELSIF {schema}.partner_admits(old, at, old.attempt_generation) THEN
    outcome := 'Client';
    generation := old.attempt_generation;
    scopes := old.attempt_scopes;
    secret := old.attempt_secret;
  END IF;
  app := old.app;
  company := old.company;
END
$body$;

CREATE FUNCTION {schema}.partner_count_refusal(
  after bigint, client bytea, source bytea, span bigint, at_most bigint,
  OUT outcome text, OUT at bigint
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  names CONSTANT bytea[] := ARRAY[client, source];
BEGIN
  PERFORM {schema}.make_durable();
  PERFORM 1 FROM {schema}.partner_refusals FOR UPDATE;
  outcome := 'Counted';
  at := {schema}.moment(after);
  FOR party IN 0 .. 1 LOOP
    CONTINUE WHEN names[party + 1] IS NULL;
    UPDATE {schema}.partner_refusal SET
      count = CASE WHEN at < ends_at THEN least(count + 1, 4294967295) ELSE 1 END,
      ends_at = CASE WHEN at < ends_at THEN ends_at ELSE {schema}.partner_sum(at, span) END
    WHERE kind = party AND name = names[party + 1];
    CONTINUE WHEN FOUND;
    -- The one that is over first counts least.
    DELETE FROM {schema}.partner_refusal WHERE (kind, name) IN (
      SELECT kind, name FROM {schema}.partner_refusal
      WHERE (SELECT parties FROM {schema}.partner_refusals) >= at_most
      ORDER BY ends_at, kind, name LIMIT 1
    );
    IF NOT FOUND THEN
      UPDATE {schema}.partner_refusals SET parties = parties + 1;
    END IF;
    INSERT INTO {schema}.partner_refusal (kind, name, count, ends_at)
    VALUES (party, names[party + 1], 1, {schema}.partner_sum(at, span));
  END LOOP;
END
$body$;

-- Tokens that ended are removed last, and none that somebody else is at: so nobody waits for a
-- token who is waited for.
CREATE FUNCTION {schema}.partner_issue(
  after bigint, client bytea, of_generation bigint, life bigint, new_digest bytea, at_most bigint,
  OUT outcome text, OUT at bigint, OUT until bigint
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  for_scopes text;
  for_tenant bytea;
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO old FROM {schema}.partner
  WHERE attempt_client = client OR live_client = client FOR UPDATE;
  at := {schema}.moment(after);
  outcome := 'Missing';
  IF old.live_generation = of_generation AND old.live_client = client THEN
    for_scopes := old.live_scopes;
    for_tenant := old.live_tenant;
  ELSIF old.attempt_client IS DISTINCT FROM client
    OR NOT {schema}.partner_admits(old, at, of_generation)
  THEN
    RETURN;
  ELSE
    for_scopes := old.attempt_scopes;
    for_tenant := old.attempt_tenant;
    UPDATE {schema}.partner SET attempt_used_at = at
    WHERE app = old.app AND company = old.company AND attempt_used_at IS NULL;
  END IF;
  outcome := 'Issued';
  until := {schema}.partner_sum(at, life);
  DELETE FROM {schema}.partner_token
  WHERE app = old.app AND company = old.company AND generation = of_generation
    AND expires_at <= at;
  -- One that is kept again keeps its place.
  INSERT INTO {schema}.partner_token (
    digest, app, company, generation, expires_at, scopes, tenant
  ) VALUES (
    new_digest, old.app, old.company, of_generation, until, for_scopes, for_tenant
  ) ON CONFLICT (digest) DO UPDATE SET
    app = excluded.app, company = excluded.company, generation = excluded.generation,
    expires_at = excluded.expires_at, scopes = excluded.scopes, tenant = excluded.tenant;
  DELETE FROM {schema}.partner_token WHERE id IN (
    SELECT id FROM {schema}.partner_token
    WHERE app = old.app AND company = old.company AND generation = of_generation
    ORDER BY id DESC OFFSET at_most
  );
  DELETE FROM {schema}.partner_token WHERE id IN (
    SELECT id FROM {schema}.partner_token WHERE expires_at <= at
    ORDER BY expires_at LIMIT 256 FOR UPDATE SKIP LOCKED
  );
END
$body$;

-- Finds out for whom a token speaks, and whether it still does.
CREATE FUNCTION {schema}.partner_identify(
  after bigint, of_digest bytea,
  OUT outcome text, OUT at bigint, OUT token {schema}.partner_token
) LANGUAGE plpgsql STABLE AS $body$
DECLARE
  old {schema}.partner;
BEGIN
  SELECT * INTO token FROM {schema}.partner_token WHERE digest = of_digest;
  SELECT * INTO old FROM {schema}.partner WHERE app = token.app AND company = token.company;
  at := {schema}.moment(after);
  outcome := CASE
    WHEN token.id IS NULL OR old.app IS NULL OR token.expires_at <= at THEN 'Foreign'
    WHEN {schema}.partner_admits(old, at, token.generation) THEN 'Current'
    ELSE 'Past'
  END;
END
$body$;

CREATE FUNCTION {schema}.partner_disable(
  after bigint, of_digest bytea, cause bigint, event bytea,
  OUT outcome text, OUT at bigint, OUT token {schema}.partner_token
) LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  old {schema}.partner;
BEGIN
  PERFORM {schema}.make_durable();
  SELECT * INTO token FROM {schema}.partner_token WHERE digest = of_digest;
  SELECT * INTO old FROM {schema}.partner
  WHERE app = token.app AND company = token.company FOR UPDATE;
  -- Whoever had the record may have removed the token.
  SELECT * INTO token FROM {schema}.partner_token WHERE digest = of_digest;
  at := {schema}.moment(after);
  IF token.id IS NULL OR old.app IS NULL OR token.expires_at <= at THEN
    outcome := 'Foreign';
  ELSIF token.generation IN (old.attempt_generation, old.live_generation) THEN
    outcome := 'Ended';
    PERFORM {schema}.partner_finish(old, at, token.generation, cause, event, true);
  ELSIF token.generation = old.ended_generation THEN
    outcome := 'AlreadyEnded';
  ELSE
    outcome := 'Stale';
  END IF;
END
$body$;

-- What has changed. What nobody has numbered yet is numbered here, by one pulse after the other; a
-- pulse that finds nothing only reads. Nothing is compiled for it: what the server expects of tables
-- that it has not counted yet would make that look worth its while, and takes a second.
CREATE FUNCTION {schema}.partner_pulse(
  after bigint, since bigint, remembered bigint,
  OUT outcome text, OUT at bigint, OUT newest bigint, OUT identity bytea,
  OUT apps text[], OUT companies text[], OUT lives bigint[]
) LANGUAGE plpgsql VOLATILE SET jit = off AS $body$
#variable_conflict use_column
BEGIN
  IF EXISTS (SELECT FROM {schema}.partner_news) THEN
    PERFORM {schema}.make_durable();
    PERFORM 1 FROM {schema}.partner_sequence FOR UPDATE;
    WITH waiting AS (
      DELETE FROM {schema}.partner_news RETURNING *
    ), numbered AS (
      INSERT INTO {schema}.partner_change (sequence, app, company, live)
      SELECT last.newest + row_number() OVER (ORDER BY waiting.told),
        waiting.app, waiting.company, waiting.live
      FROM waiting JOIN {schema}.partner_sequence AS last ON last.one = 1
    )
    UPDATE {schema}.partner_sequence SET newest = newest + (SELECT count(*) FROM waiting);
    DELETE FROM {schema}.partner_change
    WHERE sequence <= (SELECT newest - remembered FROM {schema}.partner_sequence);
  END IF;
  outcome := 'News';
  SELECT last.newest, store.identity,
    ARRAY(
      SELECT change.app FROM {schema}.partner_change AS change
      WHERE change.sequence > greatest(since, last.newest - remembered) ORDER BY change.sequence
    ),
    ARRAY(
      SELECT change.company FROM {schema}.partner_change AS change
      WHERE change.sequence > greatest(since, last.newest - remembered) ORDER BY change.sequence
    ),
    ARRAY(
      SELECT change.live FROM {schema}.partner_change AS change
      WHERE change.sequence > greatest(since, last.newest - remembered) ORDER BY change.sequence
    )
  INTO newest, identity, apps, companies, lives
  FROM {schema}.store JOIN {schema}.partner_sequence AS last ON last.one = 1
  WHERE store.one = 1;
  at := {schema}.moment(after);
END
$body$;

UPDATE {schema}.store SET version = 2;
