// Loads the Agent SDK, and loads it anew. The only file that imports it for its values.
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

type Sdk = typeof import("@anthropic-ai/claude-agent-sdk");

/** The Agent SDK as it is loaded now. */
export interface Runtime {
  /** Which load this is: 1, 2, … */
  readonly generation: number;
  /** The SDK's module. Loads it at the first call. */
  sdk(): Promise<Sdk>;
  /**
   * Forgets the loaded module; the next {@link Runtime.sdk} imports a new instance of it. Node never frees the old one (11 MB each,
   * measured with SDK 0.3.330): after 30 of them nothing happens any more.
   */
  reload(): Promise<void>;
}

const maxReloads = 30;

/** Makes a runtime. Nothing is loaded before the first use. */
export function createRuntime(load: (generation: number) => Promise<Sdk> = loadSdk): Runtime {
  let generation = 1;
  let loading: Promise<Sdk> | undefined;

  function start(): Promise<Sdk> {
    const started = load(generation);
    loading = started;
    // A load that failed is not kept: the next use tries again.
    started.catch(() => {
      if (loading === started) loading = undefined;
    });
    return started;
  }

  return {
    get generation() {
      return generation;
    },
    sdk: () => loading ?? start(),
    async reload() {
      if (generation > maxReloads) return;
      generation += 1;
      await start();
    },
  };
}

async function loadSdk(generation: number): Promise<Sdk> {
  if (generation === 1) return import("@anthropic-ai/claude-agent-sdk");
  const require = createRequire(import.meta.url);
  const path = require.resolve("@anthropic-ai/claude-agent-sdk");
  // CommonJS copies, should a dependency have made some.
  for (const key of Object.keys(require.cache)) {
    if (key.includes("@anthropic-ai/claude-agent-sdk")) delete require.cache[key];
  }
  // The package is an ES module: only another URL makes another instance (measured, SDK 0.3.330).
  const url = pathToFileURL(path);
  url.searchParams.set("generation", String(generation));
  return import(url.href) as Promise<Sdk>; // The same file, hence the same type.
}
