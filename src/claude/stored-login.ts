// The login that Claude Code keeps in `.credentials.json`. Read only, never written: Claude Code itself renews it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

/** @see the layout measured on Claude Code 2.1.330: `claudeAiOauth` with times in milliseconds. */
const credentialsFile = z.object({
  claudeAiOauth: z.object({
    accessToken: z.string().min(1),
    refreshToken: z.string().nullish(),
    expiresAt: z.number().nullish(),
  }),
});

/** What was found. */
export type StoredLogin =
  | { readonly kind: "login"; readonly material: string; readonly expiresAtMs: number | undefined }
  /** No file, or one without a login. */
  | { readonly kind: "none" }
  /** A file that was emptied: what a program leaves that lost a race for a renewed token. */
  | { readonly kind: "blanked" }
  /** Kept by the system (the keychain of macOS), out of our sight. */
  | { readonly kind: "hidden" };

/** A writer may be half-way: so often, and with so much time between, is the file read again. */
const attempts = 4;
const pauseMs = 60;

/**
 * Reads the stored login.
 *
 * @throws Error where the file stays half-written or can't be read: it tells nothing then, least of all that the login is gone.
 */
export async function readStoredLogin(configDir: string): Promise<StoredLogin> {
  const path = join(configDir, ".credentials.json");
  for (let attempt = 1; ; attempt += 1) {
    const text = await readIfThere(path);
    if (text === undefined) return { kind: process.platform === "darwin" ? "hidden" : "none" };
    const found = parse(text);
    if (found !== undefined) return found;
    if (attempt === attempts) {
      if (text.trim() === "") return { kind: "blanked" };
      throw new Error("The file of the stored login is half-written or broken.");
    }
    await sleep(pauseMs);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // fs errors carry a code.
    throw new Error("The file of the stored login can't be read.", { cause: error });
  }
}

/** `undefined`: half-written, perhaps. */
function parse(text: string): StoredLogin | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const file = credentialsFile.safeParse(content);
  if (!file.success) return { kind: "none" };
  const { accessToken, expiresAt } = file.data.claudeAiOauth;
  return { kind: "login", material: accessToken, expiresAtMs: expiresAt ?? undefined };
}
