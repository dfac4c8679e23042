// What `npm test` does about programs that npm does not bring.
import { describe, expect, it } from "vitest";
import { type Machine, prepareTools, type Tool } from "../../scripts/pretest-tools.ts";

const redis: Tool = {
  command: "redis-server",
  debianPackage: "redis-server",
  neededFor: "the tests of the Redis store",
};
const promtool: Tool = { command: "promtool", debianPackage: "prometheus", neededFor: "the tests of the metrics" };

/** A made-up machine; `installable` are the packages that its apt-get can bring, each with its command. */
function createMachine(options: Partial<Machine> & { present?: string[]; installable?: Record<string, string> }) {
  const present = new Set(options.present);
  const asked: string[] = [];
  const said: string[] = [];
  const machine: Machine = {
    has: (command) => present.has(command),
    canInstall: options.canInstall ?? false,
    install: async (debianPackages) => {
      asked.push(...debianPackages);
      for (const name of debianPackages) present.add(options.installable?.[name] ?? "");
    },
    isCi: options.isCi ?? false,
    say: (line) => said.push(line),
  };
  return { machine, asked, said };
}

describe("prepareTools", () => {
  it("is silent where everything is there", async () => {
    const { machine, asked, said } = createMachine({ present: ["redis-server"], canInstall: true, isCi: true });
    expect(await prepareTools([redis], machine)).toBe(0);
    expect([asked, said]).toEqual([[], []]);
  });

  it("installs what is missing, and only that, where it may", async () => {
    const { machine, asked, said } = createMachine({
      present: ["redis-server"],
      installable: { prometheus: "promtool" },
      canInstall: true,
      isCi: true,
    });
    expect(await prepareTools([redis, promtool], machine)).toBe(0);
    expect([asked, said]).toEqual([["prometheus"], []]);
  });

  it("says what will be skipped where it may not install", async () => {
    const { machine, asked, said } = createMachine({});
    expect(await prepareTools([promtool], machine)).toBe(0);
    expect(asked).toEqual([]);
    expect(said).toEqual([
      "promtool is not on this machine: the tests of the metrics will be skipped (Debian package: prometheus).",
    ]);
  });

  it("fails in CI where a tool is missing", async () => {
    const { machine, said } = createMachine({ isCi: true });
    expect(await prepareTools([redis], machine)).toBe(1);
    expect(said.at(-1)).toBe("With CI=true no test may be skipped.");
  });

  it("fails in CI where the installation did not bring the tool", async () => {
    const { machine, asked } = createMachine({ isCi: true, canInstall: true });
    expect(await prepareTools([redis], machine)).toBe(1);
    expect(asked).toEqual(["redis-server"]);
  });
});
