// A failed validation → one error that names the parameter and says what is wrong with it, in OpenAI's way.
import type { z } from "zod";
import { CcapiError } from "../auth/errors.ts";

type Issue = z.core.$ZodIssue;

/** The error for a body that does not fit its schema: the first fault, with its place. */
export function toInvalidRequest(issues: readonly Issue[]): CcapiError {
  const first = issues[0];
  if (first === undefined) return new CcapiError("invalid_request", "The body is not valid.");
  const { path, message } = deepest(first, []);
  const param = toParam(path);
  return new CcapiError(
    "invalid_request",
    param === "" ? `The body is not valid: ${message}.` : `${param}: ${message}.`,
    param === "" ? {} : { param },
  );
}

/** Of a union's failed branches, the one that came furthest is the one that was meant. */
function deepest(issue: Issue, parents: readonly PropertyKey[]): { path: readonly PropertyKey[]; message: string } {
  const path = [...parents, ...issue.path];
  const own = { path, message: inWords(issue.message) };
  if (issue.code !== "invalid_union") return own;
  const branches = issue.errors.flatMap((branch) => (branch[0] === undefined ? [] : [deepest(branch[0], path)]));
  const best = branches.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (best === undefined) return own;
  if (best.path.length > path.length) return best;
  return { path, message: branches.map(({ message }) => message).join("; or ") };
}

/** Zod's "Invalid input: expected string, received undefined" says of a missing field what only a programmer understands. */
function inWords(message: string): string {
  return message.replace(/^Invalid input: expected (.+), received undefined$/, "is required ($1)").replace(/\.$/, "");
}

/** `["messages", 0, "content"]` → `messages[0].content` */
function toParam(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step).slice(0, 64)}`))
    .join("")
    .replace(/^\./, "");
}
