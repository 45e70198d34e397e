-- Version 3: what is told late.
--
-- A consent does not replace one that was given later, a commit without a successor ends no intent
-- of another process, and of two siblings that follow one generation the one that ends later is
-- kept. The parameters are those of before, so that processes of before go on.
CREATE OR REPLACE FUNCTION {schema}.adopt(
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
      AND {schema}.may_present(old.health)
      -- Or it was put aside: what that is in a ledger does not change.
      AND ({schema}.noted(old.ledger, event, refresh_f)
        OR {schema}.noted(old.ledger, '\x08', refresh_f)))
  THEN
    RETURN ('Done', now, NULL::bigint, old)::{schema}.answer;
  END IF;
  -- What is there may have been given later, and this one told late: a process stood still.
  IF only_if_missing
    OR ({schema}.may_present(old.health) AND old.refresh_ends_at > refresh_e)
  THEN
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

CREATE OR REPLACE FUNCTION {schema}.commit(
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
    -- The old token stays, and another process is presenting it: its intent stands.
    IF old.intent_owner <> by_owner THEN
      RETURN ('Moved', now, NULL::bigint, old)::{schema}.answer;
    END IF;
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

CREATE OR REPLACE FUNCTION {schema}.escrow(
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
  IF (old.sibling_from, old.sibling_ends_at) >= (new_from, new_e) AND NOT is_same THEN
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

UPDATE {schema}.store SET version = 3;
