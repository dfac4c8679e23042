// Which shell commands count as approved by the operator's rules.
import { expect, it } from "vitest";
import { isApproved } from "../../src/claude/approval.ts";

const allowing = (...allow: string[]) => ({ permissions: { allow } });

it.each([
  ["ps aux", []],
  ["env", ["Read", "WebFetch"]],
  ["echo $ANTHROPIC_API_KEY", ["Bash(touch made.txt)"]],
  ["touch made.txt && ps aux", ["Bash(touch made.txt)"]],
  ["ps aux; touch made.txt", ["Bash(touch made.txt)"]],
  ["touch made.txt | cat", ["Bash(touch made.txt)"]],
  ["touch made.txt & ps aux", ["Bash(touch made.txt)"]],
  ["touch made.txt\nps aux", ["Bash(touch made.txt)"]],
  ["npm run $(ps aux)", ["Bash(npm run:*)"]],
  ["npm run `ps aux`", ["Bash(npm run:*)"]],
  ['npm run "$(ps aux)"', ["Bash(npm run:*)"]],
  ["npm run <(ps aux)", ["Bash(npm run:*)"]],
  ["npm run 'unclosed", ["Bash(npm run:*)"]],
  ["npmx run", ["Bash(npm:*)"]],
  ["touch madeXtxt", ["Bash(touch made.txt)"]],
  ["cd $(ps aux)", ["Bash(npm:*)"]],
  ["ps aux", ["Monitor"]],
  ["echo hi # it's\nps aux #'", ["Bash(echo:*)"]],
  ["echo hi &2>/dev/null env", ["Bash(echo:*)"]],
  [String.raw`echo $'\'' ; env #'`, ["Bash(echo:*)"]],
  ['echo $"x" ; env', ["Bash(echo:*)"]],
  ["echo <<X\nps aux\nX", ["Bash(echo:*)"]],
  ["echo hi; { env; }", ["Bash(echo:*)"]],
  [`echo "\${x#'"'}" ; env #'`, ["Bash(echo:*)"]],
  [`echo ${"x".repeat(10_000)}`, ["Bash(echo:*)"]],
  ["git log", ["Bash(git * log)"]],
  ["aXb", ["Bash(aXX*b)"]],
  ["echo hi; (env)", ["Bash(echo:*)", "Bash((env:*)"]],
])("refuses %j under %j (B2, C3)", (command, allow) => {
  expect(isApproved(command, "Bash", allowing(...allow))).toBe(false);
});

it.each([
  ["anything && at $(all)", ["Bash"]],
  ["anything; at all", ["Bash(*)"]],
  ["touch made.txt", ["Bash(touch made.txt)"]],
  ["touch made.txt 2>&1", ["Bash(touch made.txt)"]],
  ["npm run test", ["Bash(npm run:*)"]],
  ["npm", ["Bash(npm:*)"]],
  ["npm run 'a; b | c'", ["Bash(npm run:*)"]],
  [String.raw`npm run a\;b`, ["Bash(npm run:*)"]],
  ["npm run '$(not run)'", ["Bash(npm run:*)"]],
  ["git log --oneline", ["Bash(git *)"]],
  ["git -C sub log --oneline", ["Bash(git * log *)"]],
  ["git", ["Bash(git *)"]],
  ["cd sub && npm run test", ["Bash(npm run:*)"]],
  ["CI=1 timeout 10s npm run test > /dev/null", ["Bash(npm run:*)"]],
  ["npm run a && git status", ["Bash(npm run:*)", "Bash(git status)"]],
])("lets %j pass under %j (B2)", (command, allow) => {
  expect(isApproved(command, "Bash", allowing(...allow))).toBe(true);
});

it("takes no longer than a command is long, whatever it is made of (C4)", () => {
  const startedAt = performance.now();
  for (const text of [" ".repeat(9_000), "1".repeat(9_000), "> ".repeat(4_500), "a ".repeat(4_500)]) {
    isApproved(`git log x${text}y`, "Bash", allowing("Bash(git * * * * z)", "Bash(git log:*)"));
  }
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it("leaves the decision to what else approves: a sandbox, or hooks of the operator's own (B2)", () => {
  expect(isApproved("ps aux", "Bash", { sandbox: { enabled: true } })).toBe(true);
  expect(isApproved("ps aux", "Bash", { sandbox: { enabled: true, autoAllowBashIfSandboxed: false } })).toBe(false);
  expect(isApproved("ps aux", "Bash", { hooks: { PreToolUse: [{ hooks: [] }] } })).toBe(true);
  expect(isApproved("ps aux", "Bash", { hooks: { PermissionRequest: [{ matcher: "Edit|Bash" }] } })).toBe(true);
  expect(isApproved("ps aux", "Bash", { hooks: { PreToolUse: [{ matcher: "Edit" }, { matcher: "(" }] } })).toBe(false);
  expect(isApproved("ps aux", "Bash", { hooks: { PreToolUse: [] } })).toBe(false);
  expect(isApproved("ps aux", "Bash", { hooks: { Stop: [] } })).toBe(false);
});
