// Runs one program for the scripts: bounded in time, its output kept, nothing on its standard input.
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** How a program ended. */
export interface Ended {
  /** Exit code; 1 where a signal or the time limit ended it. */
  readonly code: number;
  /** What it wrote, both streams as they came. */
  readonly output: string;
}

/** How to run it. */
export interface RunOptions {
  /** Milliseconds after which it is ended, with all that it started. */
  readonly timeoutMs: number;
  /** Default: the repository's folder. */
  readonly cwd?: string;
  /** Receives the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a program of the repository's tools, or of the machine. Never rejects. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      // A group of its own, so that the time limit reaches what it started, too.
      detached: true,
      env: {
        ...process.env,
        PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter),
        // Through the pipe a program cannot see whether a person reads.
        ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (text: string): void => {
      output += text;
      options.onOutput?.(text);
    };
    const end = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // It has ended already.
      }
    };
    const timer = setTimeout(() => {
      keep(`\nNot done after ${options.timeoutMs / 1000} s: ended.\n`);
      end("SIGTERM");
      setTimeout(end, 5_000, "SIGKILL").unref();
    }, options.timeoutMs);
    const interrupt = (signal: NodeJS.Signals): void => {
      end(signal);
      process.exitCode = 130;
    };
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const finish = (code: number): void => {
      clearTimeout(timer);
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      resolve({ code, output });
    };

    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.on("error", (error) => {
      keep(`${command}: ${error.message}\n`);
      finish(1);
    });
    child.on("close", (code) => finish(code ?? 1));
  });
}
