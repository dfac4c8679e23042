// The credential that Claude will use, as the auth core looks at it: kind, expiry, a keyed fingerprint; and a watch on its files.
// Reads only. The fingerprint's key is made anew in each process, or from a secret that the instances share, so that nobody else
// can test a fingerprint against a credential.
import { createHmac, randomBytes } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { CcapiError } from "../auth/errors.ts";
import type { CredentialPort, CredentialReading } from "../auth/ports.ts";
import type { ChildSetup } from "./child-setup.ts";
import { credentialAction } from "./credential.ts";
import type { Environment } from "./environment.ts";
import { readMaterial } from "./material.ts";
import { secretFilePaths } from "./secret-files.ts";

/** Events come in bursts, and before a writer is done. */
const debounceMs = 50;

/** What a look at the credential needs. */
export interface WatchedCredentialOptions {
  readonly prepareChild: () => Promise<ChildSetup>;
  /** The server's environment. */
  readonly environment: Environment;
  /** Whether the operator gave a refresh command: then every kind may change without a restart. */
  readonly hasRefreshCommand: boolean;
  /** What fingerprints are keyed with where several instances compare them. */
  readonly sharedSecret?: string | undefined;
}

/** The port, and a way to tell it what only a run could see. */
export interface WatchedCredential extends CredentialPort {
  /**
   * There was no credential when somebody wanted one: a file was gone, a helper failed. If a look then finds one it counts as
   * changed, even where it is the same as before.
   */
  noteAbsence(): void;
}

/** Makes the port. */
export function createWatchedCredential(options: WatchedCredentialOptions): WatchedCredential {
  const key =
    options.sharedSecret === undefined
      ? randomBytes(32)
      : createHmac("sha256", options.sharedSecret).update("ccapi credential fingerprint 1").digest();
  const fingerprint = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  let paths: readonly string[] = secretFilePaths(options.environment);
  let onPaths: () => void = () => undefined;
  let absences = 0;

  return {
    noteAbsence() {
      absences += 1;
    },
    async read(signal): Promise<CredentialReading> {
      const child = await prepareOrMissing(options, fingerprint);
      if ("fingerprint" in child) return child;
      const material = await readMaterial(child, options.environment, signal);
      const all = [...new Set([...secretFilePaths(options.environment), ...material.paths])];
      if (all.join("\0") !== paths.join("\0")) {
        paths = all;
        onPaths();
      }
      const { secret, watchMode, renewable, claudeRenews, expiresAtMs } = material;
      const upstream = child.environment["ANTHROPIC_BASE_URL"] ?? null;
      return {
        kind: child.kind,
        // Absences are this process's own; for another upstream the same secret is another credential.
        identity: fingerprint(JSON.stringify([child.kind, secret ?? null, upstream])),
        fingerprint: fingerprint(JSON.stringify([child.kind, secret ?? null, secret === undefined ? 0 : absences])),
        present: secret !== undefined,
        renewable: renewable || options.hasRefreshCommand,
        claudeRenews,
        // A refresh command may change what a file can't show, but nothing that this process was started with.
        watchMode,
        action: material.action ?? credentialAction(child.kind),
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      };
    },
    watch(onChange) {
      let watchers: FSWatcher[] = [];
      let timer: NodeJS.Timeout | undefined;
      const soon = () => {
        clearTimeout(timer);
        timer = setTimeout(onChange, debounceMs).unref();
      };
      const stop = () => {
        for (const watcher of watchers) watcher.close();
        watchers = [];
      };
      onPaths = () => {
        stop();
        watchers = paths.flatMap((path) => watchFile(path, soon));
      };
      onPaths();
      return () => {
        onPaths = () => undefined;
        clearTimeout(timer);
        stop();
      };
    },
  };
}

/** A secret's file that is missing or empty is a credential that is missing, and may come back. */
async function prepareOrMissing(
  { prepareChild }: WatchedCredentialOptions,
  fingerprint: (text: string) => string,
): Promise<ChildSetup | CredentialReading> {
  try {
    return await prepareChild();
  } catch (error) {
    if (!(error instanceof CcapiError) || error.action === undefined) throw error;
    return {
      kind: "secret_file",
      fingerprint: fingerprint("missing"),
      present: false,
      renewable: true,
      claudeRenews: false,
      watchMode: "cheap",
      action: error.action,
    };
  }
}

/** The folder is watched, not the file: a file that is replaced, or comes into being, is another one. */
function watchFile(path: string, onChange: () => void): FSWatcher[] {
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
      // Mounted secrets are swapped by a link beside them (`..data`), whatever their own name.
      if (name === null || name === basename(path) || name.startsWith("..")) onChange();
    });
    watcher.on("error", () => watcher.close()); // The folder is gone; the poll goes on looking.
    return [watcher];
  } catch {
    return []; // There is no such folder yet; the poll goes on looking.
  }
}
