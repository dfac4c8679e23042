// What a look at the credential changes. Pure; a part of state.ts.
import type { Facts, KnownReading, Refresher } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { firstSign, refuse } from "./state-evidence.ts";
import type { StateEvent } from "./state.ts";

type Looked = Extract<StateEvent, { type: "looked" }>;

/** A look: the same material, another one, or none. */
export function onLooked(facts: Facts, event: Looked, nowMs: number, policy: Policy): Facts {
  const { reading } = facts;
  if (reading === null) {
    const first = { ...facts, reading: toKnown(event), early: { ...facts.early, chance: event.chance } };
    return refuseFixed(first, event, nowMs, policy);
  }
  if (reading.fingerprint === event.reading.fingerprint) {
    const known = toKnown(event, reading);
    return isSame(known, reading) ? facts : refuseFixed({ ...facts, reading: known }, event, nowMs, policy);
  }
  // Where every reading differs a difference says nothing: it is believed once for each failure.
  if (!event.isSteady && !facts.mayTrustChange) return facts;
  return onChange(facts, event, nowMs, policy);
}

function onChange(facts: Facts, event: Looked, nowMs: number, policy: Policy): Facts {
  const generation = facts.generation + 1;
  const changed: Facts = {
    ...facts,
    generation,
    materialGeneration: generation,
    reading: toKnown(event),
    mayTrustChange: event.isSteady && facts.mayTrustChange,
    early: { attempts: 0, notBeforeMs: 0, chance: event.chance },
    probes: 0,
  };
  const { credential, refresher } = facts;
  if (credential.is !== "expired" && credential.is !== "refused") {
    // Whoever replaced it, the next real answer is the proof.
    return { ...changed, credential: { is: "unknown" }, refresher: afterChange(refresher) };
  }
  if (!event.reading.present) return refuse(changed, { ...event, reason: "There is no credential." }, nowMs, policy);
  return {
    ...changed,
    credential: { is: "expired", cause: "change", firstSignAtMs: firstSign(facts, nowMs) },
    refresher: afterChange(refresher),
  };
}

/** A change ends cooldown and lock-out; a refresh that runs goes on with the new material. */
function afterChange(refresher: Refresher): Refresher {
  if (refresher.is !== "running") return { is: "idle" };
  return { is: "running", lease: { ...refresher.lease, isProbe: false } };
}

/** Rejected before it was known that it can't change by itself: nothing to wait for. */
function refuseFixed(facts: Facts, event: Looked, nowMs: number, policy: Policy): Facts {
  if (facts.credential.is !== "expired" || event.reading.renewable) return facts;
  return refuse(facts, { ...event, reason: "The credential was rejected and can't change by itself." }, nowMs, policy);
}

function toKnown({ reading, wallMs }: Looked, before?: KnownReading): KnownReading {
  const { expiresAtMs, lifeMs, ...rest } = reading;
  const isSameExpiry = before !== undefined && before.expiresAtWallMs === (expiresAtMs ?? null);
  return {
    ...rest,
    expiresAtWallMs: expiresAtMs ?? null,
    lifeMs:
      lifeMs ?? (isSameExpiry ? before.lifeMs : expiresAtMs === undefined ? null : Math.max(0, expiresAtMs - wallMs)),
  };
}

function isSame(a: KnownReading, b: KnownReading): boolean {
  return (Object.keys(a) as (keyof KnownReading)[]).every((name) => a[name] === b[name]);
}
