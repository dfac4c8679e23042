// Claude processes kept between runs: live ones for the next turn of their conversation, ones whose conversation can be taken
// back for a new one of the same client, and spare ones, started before their prompt is known.
// A process serves one client key, end user, model, credential and set of options, ever.
import { randomBytes, randomUUID } from "node:crypto";
import { createIdleProcesses } from "./idle-processes.ts";
import { type AtWork, type Kept, type Origin, stands } from "./kept-process.ts";
import type { Pool, PoolLimits, PoolPorts, StartProcess, Taken } from "./pool-contract.ts";
import { conversationKey, kindKey, processKey } from "./pool-keys.ts";
import type { Conversation } from "./profile.ts";
import type { RunSpec } from "./run.ts";
import type { ClaudeProcess } from "./sdk-process.ts";
import { createSpares } from "./spares.ts";
import { type ChatBefore, isFree, mayFollow, type Stands, standsAt } from "./standing.ts";
import { createStartGate } from "./start-gate.ts";
import { surroundingsOf } from "./surroundings.ts";

type Resumed = Extract<Conversation, { kind: "resume" }>;

const noChat: ChatBefore = { history: [], first: undefined };
const asNew = { costBeforeUsd: 0, wasKept: false, waiting: undefined } as const;

/** Makes a pool. */
export function createPool(limits: PoolLimits, { isBusy = () => false, now = Date.now }: PoolPorts = {}): Pool {
  const secret = randomBytes(32);
  const atWork = new Map<ClaudeProcess, AtWork>();
  const gate = createStartGate<Kept>(limits.maxStarting, limits.returnMs);
  const today = () => new Date(now()).toDateString();
  let isClosed = false;
  const idle = createIdleProcesses<Kept>(limits, ({ stands: at }) => {
    if (at.is === "spare") spares.noteUnused(at.kind);
  });
  const spares = createSpares<{ readonly spec: RunSpec; readonly start: StartProcess }>({
    maxSpares: Math.min(limits.maxSpares, limits.maxIdle),
    idleMs: limits.idleMs,
    now: () => performance.now(),
    mayStart,
    ready: (kind) => sparesOf(kind).length + (kind.startsWith("none ") ? chatsOf(kind.slice(5)).length : 0),
    begin: beginSpare,
  });

  const all = <Is extends Stands["is"]>(is: Is) => [...idle].filter((kept) => stands(kept, is));
  const sparesOf = (kind: string) => all("spare").filter((kept) => kept.stands.kind === kind);
  const chatsOf = (key: string) =>
    all("chat").filter((kept) => kept.key === key && isFree(kept.stands) && kept.day === today());

  function mayStart(): boolean {
    return !isClosed && gate.isQuiet && !isBusy() && ![...atWork.values()].some(({ isHeard }) => !isHeard);
  }

  function originOf(spec: RunSpec): Origin {
    const readsLogin = spec.child.kind === "stored_login";
    return { key: processKey(spec, secret), readsLogin, day: today(), runs: 0 };
  }

  function begin(kept: Kept, chat = noChat, key = kept.key): Taken {
    idle.remove(kept);
    const { readsLogin, day, runs } = kept;
    const { process, stands: at } = kept;
    const { history, first } = chat;
    atWork.set(process, { key, readsLogin, day, runs, history, first, isHeard: false, isRetired: false });
    const costBeforeUsd = at.is === "session" ? 0 : kept.costUsd;
    const lastPrompt = at.is === "chat" ? { lastPrompt: at.last } : {};
    return { process, costBeforeUsd, wasKept: true, waiting: at.waiting, ...lastPrompt };
  }

  function beginNew(process: ClaudeProcess, spec: RunSpec): Taken {
    atWork.set(process, { ...originOf(spec), ...noChat, isHeard: false, isRetired: false });
    return { process, ...asNew };
  }

  function keep(kept: Kept): void {
    if (isFree(kept.stands) && kept.day === today() && gate.offer(kept.key, kept)) return;
    idle.add(kept);
  }

  /** Begins a new conversation in a process that has had another. */
  async function clear(kept: Kept): Promise<Taken | undefined> {
    if (kept.stands.is !== "chat") return undefined;
    const taken = begin(kept);
    if (await kept.process.rewind(kept.stands.first, kept.stands.last)) return taken;
    atWork.delete(kept.process);
    idle.end(kept);
    return undefined;
  }

  /** The process of this very turn; any other of the session is ended first, for both would write to its transcript. */
  async function takeSession(key: string, { sessionId, resumeAt }: Resumed, prompt: RunSpec["prompt"]) {
    for (const kept of all("session")) {
      if (kept.stands.sessionId !== sessionId) continue;
      const isThere = kept.key === key && kept.stands.resumeAt === resumeAt;
      if (isThere && mayFollow(kept.stands, prompt)) return begin(kept);
      idle.end(kept);
    }
    await idle.ended();
    return undefined;
  }

  /** Begins a new conversation in a process started ahead, where it still is what one started now would be. */
  async function claim(kept: Kept, spec: RunSpec): Promise<Taken | undefined> {
    if (kept.stands.is !== "spare") return undefined;
    const taken = begin(kept, undefined, processKey(spec, secret));
    if ((await surroundingsOf(placeOf(spec), today())) === kept.stands.surroundings) {
      spares.noteHit(kept.stands.kind);
      return taken;
    }
    atWork.delete(kept.process);
    idle.end(kept);
    return undefined;
  }

  async function beginSpare(kind: string, { spec, start }: { readonly spec: RunSpec; readonly start: StartProcess }) {
    const surroundings = await surroundingsOf(placeOf(spec), today());
    if (surroundings === undefined) return false;
    if (!mayStart()) return true; // Something came up; later.
    const sessionId = spec.conversation.kind === "new" ? randomUUID() : undefined;
    const process = start({
      ...spec,
      conversation: sessionId === undefined ? { kind: "none" } : { kind: "new", sessionId },
    });
    const leave = gate.enterNow();
    void process.ready.then(leave.started).then(spares.consider);
    const others = all("spare");
    const oldest = others.find((kept) => kept.stands.kind !== kind);
    if (others.length >= limits.maxSpares && oldest !== undefined) idle.end(oldest);
    idle.add({
      ...originOf(spec),
      process,
      costUsd: 0,
      stands: { is: "spare", kind, sessionId, surroundings, waiting: undefined },
    });
    return true;
  }

  function endAll(isMeant: (origin: Origin) => boolean): void {
    spares.forget();
    for (const kept of idle) if (isMeant(kept)) idle.end(kept);
    for (const work of atWork.values()) work.isRetired ||= isMeant(work);
  }

  return {
    get idle() {
      return idle.size;
    },
    hasSession: (sessionId, resumeAt) =>
      all("session").some(({ stands: at }) => at.sessionId === sessionId && at.resumeAt === resumeAt),
    takeChat(spec, history) {
      if (spec.reuse === undefined) return undefined;
      const key = processKey(spec, secret);
      const conversation = conversationKey(history, secret);
      const kept = all("chat").find(
        (each) => each.key === key && each.stands.conversation === conversation && mayFollow(each.stands, spec.prompt),
      );
      return kept && begin(kept, kept.stands);
    },
    async takeSpare(spec) {
      if (spec.reuse === undefined || spec.isFresh === true || isClosed) return undefined;
      const kind = kindKey(spec, secret);
      for (;;) {
        const [kept] = sparesOf(kind);
        if (kept?.stands.sessionId === undefined) return undefined;
        const taken = await claim(kept, spec);
        if (taken !== undefined) return { ...taken, sessionId: kept.stands.sessionId };
      }
    },
    async take(spec, start, signal) {
      const { conversation, reuse } = spec;
      if (reuse === undefined || isClosed) return { process: start(spec), ...asNew };
      const key = processKey(spec, secret);
      if (conversation.kind === "resume") {
        const live = await takeSession(key, conversation, spec.prompt);
        if (live !== undefined) return live;
      }
      const isNewChat = conversation.kind === "none" && spec.isFresh !== true;
      const kind = kindKey(spec, secret);
      for (;;) {
        const kept = isNewChat ? (chatsOf(key)[0] ?? sparesOf(kind)[0]) : undefined;
        if (kept === undefined) break; // And nothing is waited for until it stands at the gate: what comes back is offered there.
        const taken = await (kept.stands.is === "chat" ? clear(kept) : claim(kept, spec));
        if (taken !== undefined) return taken;
      }
      const mayReturn = isNewChat && [...atWork.values()].some((each) => each.key === key);
      const leave = await gate.enter({ key: isNewChat ? key : undefined, mayReturn, signal });
      if (leave.offered !== undefined) {
        const returned = await clear(leave.offered);
        if (returned !== undefined) return returned;
      }
      if (conversation.kind !== "resume")
        spares.noteMiss(kind, { spec: { ...spec, prompt: [], taken: undefined }, start });
      const process = start(spec);
      void process.ready.then(leave.started);
      return beginNew(process, spec);
    },
    heard(process) {
      const work = atWork.get(process);
      if (work === undefined || work.isHeard) return;
      work.isHeard = true;
      spares.consider();
    },
    give(process, spec, left) {
      const work = atWork.get(process);
      atWork.delete(process);
      queueMicrotask(spares.consider);
      if (work === undefined || isClosed || work.isRetired || left.isBusy) return false;
      const runs = work.runs + 1;
      const at = standsAt(spec, left, work, secret);
      if (at === undefined || runs >= limits.maxRuns || limits.maxIdle === 0) return false;
      const { key, readsLogin, day } = work;
      keep({ process, key, readsLogin, day, runs, costUsd: left.costUsd, stands: at });
      return true;
    },
    drop(process) {
      atWork.delete(process);
      queueMicrotask(spares.consider);
    },
    async endSession(sessionId) {
      for (const kept of all("session")) if (kept.stands.sessionId === sessionId) idle.end(kept);
      await idle.ended();
    },
    renew: () => endAll(({ readsLogin }) => !readsLogin),
    retire: () => endAll(() => true),
    async close() {
      isClosed = true;
      endAll(() => true);
      await idle.ended();
    },
  };
}

function placeOf({ turn, workspace, child }: RunSpec) {
  return { profile: turn.profile, workspace, child };
}
