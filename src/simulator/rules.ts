// Which rule or injected fault applies to a request. Keeps the counts; sends nothing.
import type { Fault, Rule } from "./contract.ts";
import type { ParsedRequest } from "./request.ts";

/** What the scripts say about one request. */
export interface Script {
  readonly rule: Rule | null;
  /** Name or place of the rule. */
  readonly ruleName: string | null;
  readonly fault: Fault | null;
}

export interface RuleBook {
  set(rules: readonly Rule[]): void;
  /** The new rule goes first. */
  add(rule: Rule): void;
  fail(fault: Fault, times?: number): void;
  clearFaults(): void;
  /** Uses a rule up by one, and a fault. */
  choose(request: ParsedRequest): Script;
  describe(): { readonly rules: readonly string[]; readonly faults: readonly unknown[] };
}

interface Held {
  readonly rule: Rule;
  readonly name: string;
  left: number;
}

export function createRuleBook(initial: readonly Rule[]): RuleBook {
  let numbered = 0;
  const hold = (rule: Rule): Held => ({
    rule,
    name: rule.name ?? `rule-${++numbered}`,
    left: rule.times ?? Number.POSITIVE_INFINITY,
  });
  let held = initial.map(hold);
  let faults: { readonly fault: Fault; left: number }[] = [];
  /** Faults of models called `fault-…x2` by the model's full name: how often each may still fail. */
  const modelFaults = new Map<string, number>();

  const nextFault = (): Fault | null => {
    const first = faults[0];
    if (first === undefined) return null;
    if (--first.left <= 0) faults.shift();
    return first.fault;
  };

  const modelFault = (model: string): Fault | null => {
    const named = faultOfModel(model);
    if (named === null) return null;
    const left = modelFaults.get(model) ?? named.times;
    if (modelFaults.size >= 1000) modelFaults.clear();
    modelFaults.set(model, left - 1);
    return left > 0 ? named.fault : null;
  };

  return {
    set(rules) {
      numbered = 0;
      held = rules.map(hold);
    },
    add: (rule) => void held.unshift(hold(rule)),
    fail(fault, times = Number.POSITIVE_INFINITY) {
      if (times > 0) faults.push({ fault, left: times });
    },
    clearFaults: () => void (faults = []),
    choose(request) {
      const injected = nextFault() ?? modelFault(request.model);
      // A request that fails before its answer must not use a rule up.
      if (injected?.kind === "status") return { rule: null, ruleName: null, fault: injected };
      const match = held.find((entry) => entry.left > 0 && matches(entry.rule.when, request));
      if (match === undefined) return { rule: null, ruleName: null, fault: injected };
      match.left -= 1;
      return {
        rule: match.rule,
        ruleName: match.name,
        fault: injected ?? match.rule.fault ?? null,
      };
    },
    describe: () => ({
      rules: held.map((entry) => entry.name),
      faults: faults.map(({ fault, left }) => ({
        ...fault,
        left: Number.isFinite(left) ? left : null,
      })),
    }),
  };
}

function matches(when: Rule["when"], request: ParsedRequest): boolean {
  if (when === undefined) return true;
  if (typeof when === "function") return when(request);
  const texts = [request.lastUserText, ...request.toolResults.map((result) => result.text)];
  if (typeof when === "string") return texts.some((text) => text.includes(when));
  // `search` ignores the position that a global expression keeps between tests.
  return texts.some((text) => text.search(when) >= 0);
}

const BILLING =
  "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.";

const MODEL_FAULTS: Readonly<Record<string, Fault>> = {
  billing: { kind: "status", status: 400, message: BILLING },
  toolong: {
    kind: "status",
    status: 400,
    message: "prompt is too long: 210000 tokens > 200000 maximum",
  },
  midstream: { kind: "mid-stream-error", afterDeltas: 3 },
  stall: { kind: "stall", afterDeltas: 2 },
  drop: { kind: "drop", afterDeltas: 2 },
};

/**
 * The fault that a model's name asks for: `fault-429`, `claude-fault-529x2-anything` (two times), `fault-drop` …
 * Null: an ordinary name.
 */
function faultOfModel(model: string): { fault: Fault; times: number } | null {
  const match = /^(?:claude-)?fault-([a-z]+|\d{3})(?:x(\d{1,4}))?(?:-.*)?$/.exec(model);
  if (match === null) return null;
  const [, kind = "", times] = match;
  const status = Number(kind);
  const byStatus: Fault | null = status >= 400 && status < 600 ? { kind: "status", status } : null;
  const fault = byStatus ?? (Object.hasOwn(MODEL_FAULTS, kind) ? MODEL_FAULTS[kind] : undefined);
  if (fault === undefined) return null;
  return { fault, times: times === undefined ? Number.POSITIVE_INFINITY : Number(times) };
}
