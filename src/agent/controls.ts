// The control methods of the SDK's Query, for whichever process is alive. What was set is set again in the process that takes over.
import type { Query } from "@anthropic-ai/claude-agent-sdk";

/** All that Query has beside the generator's own methods and its end. */
export type ControlName = Exclude<keyof Query, keyof AsyncGenerator | "close">;

/** How a method is treated. `set`: done again in the next process; the number is how many arguments tell two settings apart. */
type Treatment =
  | { readonly is: "ask" }
  | { readonly is: "set"; readonly keyArguments: 0 | 1 }
  | { readonly is: "merge" };

const ask = { is: "ask" } as const;
const set = { is: "set", keyArguments: 0 } as const;

/** Each method by name: another SDK with another method does not compile. */
const treatments: Readonly<Record<ControlName, Treatment>> = {
  accountInfo: ask,
  applyFlagSettings: { is: "merge" },
  backgroundTasks: ask,
  getContextUsage: ask,
  initializationResult: ask,
  interrupt: ask,
  mcpServerStatus: ask,
  readFile: ask,
  readMcpResource: ask,
  reconnectMcpServer: ask,
  reinitialize: ask,
  reloadOutputStyles: ask,
  reloadPlugins: ask,
  reloadSkills: ask,
  rewindFiles: ask,
  seedReadState: ask,
  setMaxThinkingTokens: set,
  setMcpPermissionModeOverride: { is: "set", keyArguments: 1 },
  setMcpServers: set,
  setModel: set,
  setPermissionMode: set,
  stopTask: ask,
  streamInput: ask,
  supportedAgents: ask,
  supportedCommands: ask,
  supportedModels: ask,
  toggleMcpServer: { is: "set", keyArguments: 1 },
  updateSettings: ask,
  usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET: ask,
};

/** The names, as a list. */
export const controlNames = Object.keys(treatments) as ControlName[]; // The keys of the table above.

/** The way to the living process. */
export interface Controls {
  /** Calls a method of the living process; where none is alive, of the next. */
  call(name: ControlName, args: readonly unknown[]): Promise<unknown>;
  /** Sets in a fresh process what was set in the ones before. Never rejects. */
  restore(query: Query): Promise<void>;
  readonly hasSettings: boolean;
  /** A process is alive. */
  attach(query: Query): void;
  /** It is about to end; another will come. */
  detach(): void;
  readonly isAttached: boolean;
  /** No process will come any more. */
  close(): void;
}

/** Makes them. */
export function createControls(): Controls {
  const settings = new Map<string, { readonly name: ControlName; readonly args: readonly unknown[] }>();
  let living: Query | undefined;
  let isClosed = false;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  async function alive(): Promise<Query> {
    for (;;) {
      // The SDK's own words.
      if (isClosed) throw new Error("Query closed before response received");
      if (living !== undefined) return living;
      await changed.promise;
    }
  }

  function remember(name: ControlName, args: readonly unknown[]): void {
    const treatment = treatments[name];
    if (treatment.is === "merge") {
      const merged = { ...(settings.get(name)?.args[0] as object | undefined), ...(args[0] as object) }; // Settings objects.
      settings.set(name, { name, args: [merged] });
    } else if (treatment.is === "set") {
      const key = JSON.stringify([name, ...args.slice(0, treatment.keyArguments)]);
      settings.delete(key); // The latest is done last.
      settings.set(key, { name, args });
    }
  }

  return {
    async call(name, args) {
      for (;;) {
        const query = await alive();
        try {
          const answer = await invoke(query, name, args);
          remember(name, args);
          return answer;
        } catch (error) {
          // A process that was replaced meanwhile has not answered; the next one will.
          if (query === living || isClosed) throw error;
        }
      }
    },
    async restore(query) {
      for (const { name, args } of settings.values()) {
        // A process that can't be told is about to end; its messages tell why.
        await invoke(query, name, args).catch(() => undefined);
      }
    },
    get hasSettings() {
      return settings.size > 0;
    },
    attach(query) {
      living = query;
      wake();
    },
    detach() {
      living = undefined;
    },
    get isAttached() {
      return living !== undefined;
    },
    close() {
      isClosed = true;
      living = undefined;
      wake();
    },
  };
}

async function invoke(query: Query, name: ControlName, args: readonly unknown[]): Promise<unknown> {
  // By name: the arguments are those that the caller's own types let through.
  const method = query[name] as (...given: unknown[]) => Promise<unknown>;
  return method.apply(query, [...args]);
}
