// `ccapi demo`: plays every scene on the embedded simulator, without an account and without a network. Ends by itself.
import type { Output } from "../output.ts";
import { keys } from "./auth-scenes.ts";
import { BrokenPromise } from "./client.ts";
import { scenes } from "./scenes.ts";
import { setStage } from "./stage.ts";

/** Plays. Resolves to the exit code: 0 only if every promise was kept. */
export async function demo(output: Output): Promise<number> {
  const startedAt = performance.now();
  output.line("ccapi demo: a simulated model API, the server, the real Claude CLI. Nothing leaves this machine.\n");
  // Short, for a demo: by default a failed refresh is followed by 30 s without another, and requests wait for 45 s.
  const stage = await setStage({ "auth-cooldown-ms": "1500", "auth-park-ms": "4000" }, keys.first);
  output.line(`  server    ${stage.url}\n  upstream  ${stage.simulator.url} (simulated)\n`);
  let kept = 0;
  try {
    for (const [index, { title, play }] of scenes.entries()) {
      output.line(`${index + 1}. ${title}`);
      try {
        await play(stage, (line) => output.line(`   ${line}`));
        output.line("   as promised\n");
        kept += 1;
      } catch (error) {
        const reason = error instanceof BrokenPromise ? error.message : String(error);
        output.line(`   NOT as promised: ${reason}\n`);
      }
    }
  } finally {
    await stage.close();
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  output.line(`${kept} of ${scenes.length} as promised, in ${seconds} s.`);
  output.line("Next: `npm start` serves your own Claude configuration; README.md says how.");
  return kept === scenes.length ? 0 : 1;
}
