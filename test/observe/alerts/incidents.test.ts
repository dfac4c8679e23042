import { describe, expect, it } from "vitest";
import { allConditions, type AlertKind, type Snapshot } from "../../../src/observe/alerts/conditions.ts";
import { createIncidents, type Notice } from "../../../src/observe/alerts/incidents.ts";

const hour = 3_600_000;
const thresholds = { failures: 2, refreshesPerHour: 4, expiryMs: 24 * hour };
const credential = { kind: "api_key", expiresAtMs: null, generation: 1, renewable: true };
const healthy: Snapshot = {
  nowMs: 0,
  auth: { state: "authenticated", isAuthenticated: true, consecutiveFailures: 0, action: null, credential },
  refreshesInHour: 0,
  isQueueFull: false,
};
const dead: Snapshot["auth"] = { ...healthy.auth, state: "needs_login", isAuthenticated: false, action: "log in" };

/** What is told at each of these looks, a minute apart. */
function tell(looks: readonly Partial<Snapshot>[], everyMs = 60_000): Notice[][] {
  let ids = 0;
  const incidents = createIncidents(thresholds, () => `incident-${(ids += 1)}`);
  return looks.map((look, index) => incidents.look({ ...healthy, nowMs: index * everyMs, ...look }));
}

const told = (notices: readonly Notice[][]) =>
  notices.map((each) => each.map(({ kind, status }) => `${kind} ${status}`));

describe("an incident", () => {
  it("is told once when it begins and once when it is over, under one id, with what to do (D2)", () => {
    const [first, second, third, fourth] = tell([{ auth: dead }, { auth: dead }, {}, {}]);
    expect(first).toEqual([
      {
        incident: "incident-1",
        kind: "login_needed",
        status: "firing",
        severity: "critical",
        title: "The Claude credential was refused: a person must act",
        detail: "Requests are answered with 503 until it is mended.",
        action: "log in",
        startedAtMs: 0,
        endedAtMs: null,
      },
    ]);
    expect(second).toEqual([]);
    expect(third).toMatchObject([
      { incident: "incident-1", status: "resolved", title: "The Claude credential works again", endedAtMs: 120_000 },
    ]);
    expect(fourth).toEqual([]);
  });

  it("of a dead credential goes on until a real answer proved it, whatever state comes between (D2)", () => {
    const between = { ...dead, state: "unknown" as const, isAuthenticated: null };
    expect(told(tell([{ auth: dead }, { auth: between }, { auth: dead }, {}]))).toEqual([
      ["login_needed firing"],
      [],
      [],
      ["login_needed resolved"],
    ]);
  });

  it("that comes again is another one (D2)", () => {
    const notices = tell([{ auth: dead }, {}, { auth: dead }]).flat();
    expect(notices.map(({ incident }) => incident)).toEqual(["incident-1", "incident-1", "incident-2"]);
  });

  it("of a full queue is told after a minute, and not at all where it was shorter (D2)", () => {
    const full = { isQueueFull: true };
    expect(told(tell([full, full, {}, {}], 30_000)).flat()).toEqual([]);
    expect(told(tell([full, full, full, full, {}], 30_000))).toEqual([
      [],
      [],
      ["queue_full firing"],
      [],
      ["queue_full resolved"],
    ]);
  });

  it("of frequent refreshes does not come and go around its bound (D2)", () => {
    const counts = [5, 4, 5, 3, 2].map((refreshesInHour) => ({ refreshesInHour }));
    expect(told(tell(counts))).toEqual([["frequent_refreshes firing"], [], [], [], ["frequent_refreshes resolved"]]);
  });

  it("of an expiry is told only where nothing here can renew the credential (D2)", () => {
    const soon = { ...healthy.auth, credential: { ...credential, expiresAtMs: 23 * hour } };
    expect(told(tell([{ auth: soon }])).flat()).toEqual([]);
    const fixed = { ...soon, credential: { ...soon.credential, renewable: false } };
    expect(told(tell([{ auth: fixed }])).flat()).toEqual(["credential_expiring firing"]);
    const later = { ...fixed, credential: { ...fixed.credential, expiresAtMs: 25 * hour } };
    expect(told(tell([{ auth: later }])).flat()).toEqual([]);
  });

  it("of failures in a row begins at the operator's bound and ends with the first success (D2)", () => {
    const failing = [1, 2, 3, 0].map((consecutiveFailures) => ({ auth: { ...healthy.auth, consecutiveFailures } }));
    expect(told(tell(failing))).toEqual([[], ["many_failures firing"], [], ["many_failures resolved"]]);
  });

  it("of each kind can begin and be over, and a healthy server has none (D2)", () => {
    const ill: Record<AlertKind, Partial<Snapshot>> = {
      login_needed: { auth: dead },
      locked_out: { auth: { ...dead, state: "locked_out" } },
      many_failures: { auth: { ...healthy.auth, consecutiveFailures: 2 } },
      frequent_refreshes: { refreshesInHour: 5 },
      credential_expiring: {
        auth: { ...healthy.auth, credential: { ...credential, expiresAtMs: 1, renewable: false } },
      },
      queue_full: { isQueueFull: true },
    };
    for (const [kind, condition] of allConditions) {
      expect([kind, condition.begins({ ...healthy, ...ill[kind] }, thresholds)]).toEqual([kind, true]);
      expect([kind, condition.isOver({ ...healthy, ...ill[kind] }, thresholds)]).toEqual([kind, false]);
      expect([kind, condition.begins(healthy, thresholds)]).toEqual([kind, false]);
      expect([kind, condition.isOver(healthy, thresholds)]).toEqual([kind, true]);
    }
  });
});
