// The folders that Claude works in: one for each client key for the agent, and a neutral one for plain chat.
// Folders, not walls: an agent that may run commands can leave its own.
import { lstat, mkdir, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { maxWorkspaceLength } from "../claude/transcript.ts";

/** Opens folders; makes them where they are missing. */
export interface Workspaces {
  /** The neutral folder of plain chat. Its path goes upstream with each request, so it tells nothing of the host. */
  chat(): Promise<string>;
  /** The folder of one client's agents. @throws TypeError where the name is not safe as a folder's. */
  agent(clientName: string): Promise<string>;
}

/**
 * Makes the opener.
 *
 * @throws TypeError where `stateDir` is so long that Claude Code would shorten a workspace's name.
 */
export function createWorkspaces(stateDir: string): Workspaces {
  const agentDir = join(stateDir, "workspaces");
  // A key's name has at most 64 characters.
  if (agentDir.length + 65 > maxWorkspaceLength) {
    throw new TypeError(`CCAPI_STATE_DIR may have at most ${maxWorkspaceLength - 76} characters.`);
  }
  let chatFolder: Promise<string> | undefined;
  return {
    chat: () =>
      (chatFolder ??= openChatFolder())
        .catch((error: unknown) => {
          chatFolder = undefined;
          throw error;
        })
        .then(makePrivate),
    async agent(clientName) {
      if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(clientName)) {
        throw new TypeError("clientName must be safe as a folder's name.");
      }
      return makePrivate(join(agentDir, clientName));
    },
  };
}

/** The same in each run where it can be had: nothing is left behind by it. Somebody else may have put theirs there. */
async function openChatFolder(): Promise<string> {
  const path = join(tmpdir(), `ccapi-chat-${userInfo().uid}`);
  return makePrivate(path).catch(() => mkdtemp(`${path}-`));
}

/** A folder in a place that others can write to may be theirs, or a link to somewhere else. */
async function makePrivate(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const stats = await lstat(path);
  const { uid } = userInfo();
  if (!stats.isDirectory() || (uid >= 0 && stats.uid !== uid)) {
    throw new Error(`The folder ${path} belongs to somebody else. Remove it, or set TMPDIR to a folder of your own.`);
  }
  // Claude Code names transcripts after the real path.
  const real = await realpath(path);
  if (real.length > maxWorkspaceLength) {
    throw new Error(`The folder ${real} has a path of more than ${maxWorkspaceLength} characters.`);
  }
  return real;
}
