// What the suites of other people's clients share: a server on the simulator, what they ask, and a fetch that counts.
import { type Simulator, startSimulator } from "../../src/simulator/index.ts";
import { startServer, type TestServer } from "./server.ts";

/** A server with its model API. Close it with {@link ClientStage.stop}. */
export interface ClientStage {
  readonly simulator: Simulator;
  readonly server: TestServer;
  /** For OpenAI's clients: `…/v1`. */
  readonly baseURL: string;
  readonly stop: () => Promise<void>;
}

export async function startStage(): Promise<ClientStage> {
  const simulator = await startSimulator();
  const server = await startServer({ upstream: simulator.url });
  return {
    simulator,
    server,
    baseURL: `${server.url}/v1`,
    async stop() {
      await server.stop();
      await simulator.close();
    },
  };
}

/** One pixel. */
export const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/** The parameters of a tool that tells the weather. */
export const cityOnly = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

/** A fetch that notes the status of each answer, and may be told of it. */
export function counted(onAnswer: (status: number) => void = () => undefined): {
  readonly fetch: typeof fetch;
  readonly statuses: number[];
} {
  const statuses: number[] = [];
  return {
    statuses,
    async fetch(input, init) {
      const response = await fetch(input, init);
      statuses.push(response.status);
      onAnswer(response.status);
      return response;
    },
  };
}

/** All that comes, in its order. */
export async function gathered<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}
